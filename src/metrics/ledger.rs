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

#[derive(Debug, Default)]
struct Owner {
    first: Option<Record>,
    more: Option<Box<VecDeque<Record>>>,
}

/// An open message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Record {
    due: Time,
    sent: Time,
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
        for (index, flow) in self.flows.iter().enumerate() {
            let fates = flow.fates.iter().sum::<u64>();
            if flow.offered != fates {
                return Err(Imbalance(format!("flow {index}: {} messages offered, {fates} fates", flow.offered)));
            }
        }
        Ok(&self.flows)
    }

    #[inline(always)]
    fn take(&mut self, now: Time, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late } => self.offer(now, message, flow, late),
            Observation::Attempted { message } => self.update(message, |record, flows| {
                if record.attempts == 0 {
                    record.sent = now;
                }
                record.attempts = record.attempts.saturating_add(1);
                record.open_copies += 1;
                flows[record.flow.0 as usize].attempted(now);
            }),
            Observation::Received { message, duplicate } => self.update(message, |record, flows| {
                if record.received == 0 && record.counts {
                    flows[record.flow.0 as usize].one_way.record(now.since(record.due));
                }
                record.received = record.received.saturating_add(1);
                if duplicate {
                    record.open_copies = record.open_copies.saturating_sub(1);
                }
            }),
            Observation::Handled { message, outcome } => self.update(message, |record, flows| {
                record.open_copies = record.open_copies.saturating_sub(1);
                if outcome == Outcome::Done {
                    if record.effects == 0 {
                        flows[record.flow.0 as usize].handled(now);
                    }
                    record.effects = record.effects.saturating_add(1);
                } else {
                    record.refusal = Some(outcome);
                }
            }),
            Observation::Confirmed { message } => self.update(message, |record, flows| {
                record.owner = State::Confirmed;
                if record.counts {
                    flows[record.flow.0 as usize].confirmed(record.due, now, record.sent);
                }
            }),
            Observation::Closed { message, why } => {
                self.update(message, |record, _| record.owner = State::Closed(why));
            }
            Observation::Dropped { message } => self.update(message, |record, _| {
                record.open_copies = record.open_copies.saturating_sub(1);
            }),
            Observation::Duplicated { message } => self.update(message, |record, _| record.open_copies += 1),
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

    /// Changes an open record, and settles it where that was the last thing to know. A statement about a settled message is
    /// one about a copy that cannot exist.
    #[inline(always)]
    fn update(&mut self, message: MessageId, change: impl FnOnce(&mut Record, &mut [FlowBook])) {
        let owner = &mut self.owners[message.owner.index() as usize];
        if let Some(first) = &mut owner.first
            && first.number == message.number
        {
            change(first, &mut self.flows);
            if first.is_settled() {
                enter(&mut self.flows, first);
                owner.first = None;
                if let Some(more) = &mut owner.more {
                    drop_settled(more);
                    owner.first = more.pop_front();
                }
            }
            return;
        }
        self.update_more(message, change);
    }

    fn update_more(&mut self, message: MessageId, change: impl FnOnce(&mut Record, &mut [FlowBook])) {
        let owner = &mut self.owners[message.owner.index() as usize];
        let record = owner.more.as_mut().and_then(|more| {
            // Numbers follow each other, so the guess by distance is nearly always right.
            let guess = message.number.wrapping_sub(more.front()?.number) as usize;
            let index = match more.get(guess) {
                Some(record) if record.number == message.number => guess,
                _ => more.binary_search_by_key(&message.number, |record| record.number).ok()?,
            };
            more.get_mut(index)
        });
        let Some(record) = record.filter(|record| record.owner != State::Settled) else {
            // Messages that no flow offered (heartbeats, a user's own) are nobody's business here.
            return;
        };
        change(record, &mut self.flows);
        if record.is_settled() {
            enter(&mut self.flows, record);
            record.owner = State::Settled;
        }
    }

    #[cold]
    fn fail(&mut self, error: std::fmt::Arguments<'_>) {
        self.error.get_or_insert_with(|| error.to_string());
    }
}

fn drop_settled(more: &mut VecDeque<Record>) {
    while more.front().is_some_and(|record| record.owner == State::Settled) {
        more.pop_front();
    }
}

/// Enters a record's fate.
fn enter(flows: &mut [FlowBook], record: &Record) {
    if record.counts {
        flows[record.flow.0 as usize].settle(record);
    }
}

impl Record {
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
