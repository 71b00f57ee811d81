//! The messages' book: every message has one fate.
//!
//! Owners and receivers state what happens to a message ([`Observation`]), the driver states what the network drops and
//! doubles; the ledger joins the statements by the message's name. A message is *open* until its owner is done with it and
//! every copy has come to an end; then its fate is entered and its record let go, so that memory follows what is open.
//!
//! Records of one owner stand in order of their numbers; the first is inline, because a closed-loop owner has no second.

use std::collections::VecDeque;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Close, Flow, Kind, MessageId, Observation, Outcome, Wanted};
use crate::sim::{Observer, prefetch};

use super::flow::{Correctness, Fate, FlowBook};

/// The book of all messages of a run.
#[derive(Debug)]
pub struct Ledger {
    owners: Vec<Owner>,
    flows: Vec<FlowBook>,
    /// Messages due in this interval count.
    measured: (Time, Time),
    error: Option<String>,
}

/// One owner's open messages: a cache line, so that a statement about the first of them costs one access.
#[derive(Debug, Default)]
#[repr(align(64))]
struct Owner {
    first: Option<Record>,
    more: More,
}

/// The open messages after the first.
#[allow(
    clippy::box_collection,
    reason = "most owners have none, and a deque of 32 bytes would cost each a second line"
)]
type More = Option<Box<VecDeque<Record>>>;

const _: () = assert!(size_of::<Owner>() == 64);

/// An open message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    due: Time,
    sent: Time,
    /// When the first copy reached a receiver, if one did.
    arrived: Time,
    /// When the owner knew, if it does.
    known: Time,
    number: u32,
    flow: Flow,
    attempts: u16,
    /// Copies that reached a receiver.
    received: u16,
    /// Copies handled well.
    effects: u16,
    /// Copies whose end is not known yet.
    open_copies: u16,
    owner: State,
    /// How the last copy that was not handled well ended.
    refusal: Option<Outcome>,
    counts: bool,
}

/// What the owner knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Waiting,
    Confirmed,
    Closed(Close),
    /// Everything is settled and entered; the record only holds its place.
    Settled,
}

impl Ledger {
    /// A ledger over `nodes` ids (see [`Names::span`](crate::base::names::Names::span)) with these flows, in which messages
    /// due from `measured.0` to before `measured.1` count. Curves over time have steps of `step`.
    pub fn new(nodes: usize, flows: &[Correctness], measured: (Time, Time), step: Span) -> Self {
        let mut owners = Vec::new();
        owners.resize_with(nodes, Owner::default);
        let flows = flows.iter().map(|&correctness| FlowBook::new(correctness, step)).collect();
        Self { owners, flows, measured, error: None }
    }

    /// Messages whose fate is not known yet.
    pub fn open(&self) -> usize {
        let is_open = |record: &&Record| record.owner != State::Settled;
        let of_owner = |owner: &Owner| {
            let more = owner.more.iter().flat_map(|more| more.iter());
            owner.first.iter().chain(more).filter(is_open).count()
        };
        self.owners.iter().map(of_owner).sum()
    }

    /// Ends the run: what is still open gets its fate. The flows' books, in the order of the flows.
    ///
    /// # Errors
    /// When the statements contradict each other, or the books do not balance.
    pub fn close(&mut self) -> Result<&[FlowBook], Imbalance> {
        for owner in &mut self.owners {
            let more = owner.more.as_mut().map(|more| std::mem::take(&mut **more)).unwrap_or_default();
            for record in owner.first.take().into_iter().chain(more) {
                if record.owner != State::Settled {
                    enter(&mut self.flows, &record);
                }
            }
        }
        if let Some(error) = &self.error {
            return Err(Imbalance(error.clone()));
        }
        for (index, flow) in self.flows.iter_mut().enumerate() {
            flow.close();
            let (offered, fates) = (flow.total.offered, flow.total.fates.iter().sum::<u64>());
            if offered != fates {
                return Err(Imbalance(format!("flow {index}: {offered} messages offered, {fates} fates")));
            }
        }
        Ok(&self.flows)
    }

    #[inline(always)]
    fn take(&mut self, now: Time, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late } => self.offer(now, message, flow, late),
            Observation::Attempted { message } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.attempted(now);
                    self.flows[record.flow.0 as usize].attempted(now);
                }
            }
            Observation::Received { message, duplicate } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.received(now);
                    if duplicate {
                        record.end_copy();
                        if record.is_settled() {
                            self.settle(message);
                        }
                    }
                }
            }
            Observation::Handled { message, outcome } => {
                if let Some(record) = open(&mut self.owners, message) {
                    if record.handled(outcome) {
                        self.flows[record.flow.0 as usize].handled(now);
                    }
                    record.end_copy();
                    if record.is_settled() {
                        self.settle(message);
                    }
                }
            }
            Observation::Confirmed { message } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.owner = State::Confirmed;
                    record.known = now;
                    if record.is_settled() {
                        self.settle(message);
                    }
                }
            }
            Observation::Closed { message, why } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.owner = State::Closed(why);
                    if record.is_settled() {
                        self.settle(message);
                    }
                }
            }
            Observation::Dropped { message } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.end_copy();
                    if record.is_settled() {
                        self.settle(message);
                    }
                }
            }
            Observation::Duplicated { message } => {
                if let Some(record) = open(&mut self.owners, message) {
                    record.open_copies += 1;
                }
            }
            _ => {}
        }
    }

    #[inline(always)]
    fn offer(&mut self, now: Time, message: MessageId, flow: Flow, late: Span) {
        let due = Time::from_nanos(now.as_nanos().saturating_sub(late.as_nanos()));
        let counts = self.measured.0 <= due && due < self.measured.1;
        if counts {
            self.flows[flow.0 as usize].offer(due);
        }
        let record = Record {
            due,
            sent: now,
            arrived: now,
            known: now,
            number: message.number,
            flow,
            attempts: 0,
            received: 0,
            effects: 0,
            open_copies: 0,
            owner: State::Waiting,
            refusal: None,
            counts,
        };
        let owner = &mut self.owners[message.owner.index() as usize];
        match (&mut owner.first, &mut owner.more) {
            (first @ None, None) => *first = Some(record),
            (None, Some(more)) if more.is_empty() => owner.first = Some(record),
            _ => self.offer_more(message, record),
        }
    }

    fn offer_more(&mut self, message: MessageId, record: Record) {
        let owner = &mut self.owners[message.owner.index() as usize];
        let more = owner.more.get_or_insert_default();
        let last = more.back().or(owner.first.as_ref());
        if last.is_some_and(|last| last.number >= message.number) {
            self.fail(format_args!("message {message:?} was offered after a later one"));
            return;
        }
        more.push_back(record);
    }

    /// Enters a message of which everything is known, and lets its record go.
    #[inline(always)]
    fn settle(&mut self, message: MessageId) {
        let Owner { first, more } = &mut self.owners[message.owner.index() as usize];
        match first {
            Some(record) if record.number == message.number => {
                enter(&mut self.flows, record);
                *first = None;
                if let Some(more) = more {
                    drop_settled(more);
                    *first = more.pop_front();
                }
            }
            _ => {
                if let Some(record) = open_more(more, message) {
                    enter(&mut self.flows, record);
                    record.owner = State::Settled;
                }
            }
        }
    }

    #[cold]
    fn fail(&mut self, error: std::fmt::Arguments<'_>) {
        self.error.get_or_insert_with(|| error.to_string());
    }
}

/// The open record of a message. A statement about any other is one about a copy that cannot exist, or about a message that
/// no flow offered (heartbeats, a user's own): nobody's business here.
#[inline(always)]
fn open(owners: &mut [Owner], message: MessageId) -> Option<&mut Record> {
    let Owner { first, more } = &mut owners[message.owner.index() as usize];
    match first {
        Some(record) if record.number == message.number => Some(record),
        _ => open_more(more, message),
    }
}

#[inline(never)]
fn open_more(more: &mut More, message: MessageId) -> Option<&mut Record> {
    let more = more.as_mut()?;
    // Numbers follow each other, so the guess by distance is nearly always right.
    let guess = message.number.wrapping_sub(more.front()?.number) as usize;
    let index = match more.get(guess) {
        Some(record) if record.number == message.number => guess,
        _ => more.binary_search_by_key(&message.number, |record| record.number).ok()?,
    };
    more.get_mut(index).filter(|record| record.owner != State::Settled)
}

fn drop_settled(more: &mut VecDeque<Record>) {
    while more.front().is_some_and(|record| record.owner == State::Settled) {
        more.pop_front();
    }
}

/// Enters a record's fate and times.
#[inline(never)]
fn enter(flows: &mut [FlowBook], record: &Record) {
    if record.counts {
        flows[record.flow.0 as usize].settle(record);
    }
}

impl Record {
    #[inline(always)]
    fn attempted(&mut self, now: Time) {
        if self.attempts == 0 {
            self.sent = now;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.open_copies += 1;
    }

    #[inline(always)]
    fn received(&mut self, now: Time) {
        if self.received == 0 {
            self.arrived = now;
        }
        self.received = self.received.saturating_add(1);
    }

    /// A copy's handling ended; whether it was the first to end well.
    #[inline(always)]
    fn handled(&mut self, outcome: Outcome) -> bool {
        if outcome != Outcome::Done {
            self.refusal = Some(outcome);
            return false;
        }
        self.effects = self.effects.saturating_add(1);
        self.effects == 1
    }

    #[inline(always)]
    fn end_copy(&mut self) {
        self.open_copies = self.open_copies.saturating_sub(1);
    }

    #[inline(always)]
    fn is_settled(&self) -> bool {
        self.open_copies == 0 && !matches!(self.owner, State::Waiting)
    }

    pub(super) fn attempts(&self) -> u64 {
        self.attempts.into()
    }

    pub(super) fn copies(&self) -> u64 {
        self.received.into()
    }

    pub(super) fn effects(&self) -> u64 {
        self.effects.into()
    }

    pub(super) fn due(&self) -> Time {
        self.due
    }

    /// From due to first received.
    pub(super) fn one_way(&self) -> Option<Span> {
        (self.received > 0).then(|| self.arrived.since(self.due))
    }

    /// From due to confirmed, and from the first attempt to it.
    pub(super) fn latency(&self) -> Option<(Span, Span)> {
        self.is_confirmed().then(|| (self.known.since(self.due), self.known.since(self.sent)))
    }

    pub(super) fn is_confirmed(&self) -> bool {
        self.owner == State::Confirmed
    }

    /// The one fate.
    pub(super) fn fate(&self) -> Fate {
        match (self.owner, self.effects, self.refusal) {
            (State::Confirmed, ..) => Fate::Confirmed,
            (State::Closed(Close::Sent), 1.., _) => Fate::Handled,
            (State::Waiting, ..) => Fate::InFlight,
            (_, 1.., _) => Fate::InDoubt,
            (State::Closed(Close::Abandoned), ..) => Fate::Abandoned,
            (_, 0, _) if self.open_copies > 0 => Fate::InFlight,
            (State::Closed(Close::Rejected), ..) | (_, _, Some(Outcome::Rejected)) => Fate::Rejected,
            (State::Closed(Close::Failed), ..) | (_, _, Some(Outcome::Failed)) => Fate::Failed,
            (State::Closed(Close::Expired), ..) | (_, _, Some(Outcome::Expired | Outcome::Cancelled)) => Fate::Expired,
            _ => Fate::Lost,
        }
    }
}

impl Observer for Ledger {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message)
    }

    #[inline]
    fn observe(&mut self, now: Time, _: NodeId, observations: &[Observation]) {
        for observation in observations {
            self.take(now, observation);
        }
    }

    #[inline]
    fn prefetch(&self, _: NodeId, message: MessageId) {
        if let Some(owner) = self.owners.get(message.owner.index() as usize) {
            prefetch(std::ptr::from_ref(owner));
        }
    }
}

/// The books do not balance: what the processes stated contradicts itself, so there is no result.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Imbalance(String);

impl std::fmt::Display for Imbalance {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "the books do not balance: {}", self.0)
    }
}

impl std::error::Error for Imbalance {}
