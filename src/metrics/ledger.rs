//! The messages' book: every message has one fate.
//!
//! Owners and receivers state what happens to a message ([`Observation`]), the driver states what the network drops and
//! doubles; the ledger joins the statements by the message's name. A message is *open* until its owner is done with it and
//! every copy has come to an end; then its fate is entered and its record let go, so that memory follows what is open.
//!
//! Records of one owner stand in order of their numbers; the first is inline, because a closed-loop owner has no second.

mod present;
mod record;

use std::collections::VecDeque;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::processor::prefetch;
use crate::base::time::{Span, Time};
use crate::process::{Close, Exit, Flow, Kind, Loss, MessageId, Observation, Outcome, Wanted};
use crate::sim::Observer;

use super::custody::{Custody, CustodyBook, Places};
use super::flow::{Correctness, FlowBook};
use super::periods::Periods;
use super::setback::Setback;
use present::Present;
pub(super) use record::Record;
use record::{COUNTS, ENTRUSTED, Offer, State};

/// The book of all messages of a run.
#[derive(Debug)]
pub struct Ledger {
    owners: Vec<Owner>,
    flows: Vec<FlowBook>,
    /// Messages due in this interval count.
    measured: (Time, Time),
    /// What only some runs need.
    apart: Option<Box<Apart>>,
    error: Option<String>,
}

/// What only some runs need.
#[derive(Default, Debug)]
struct Apart {
    /// Where copies are, if anybody may forget them.
    present: Option<Present>,
    /// What waits between those who send and those who process, if anything does.
    custody: Option<Custody>,
}

/// One owner's open messages: a cache line, so that a statement about the first of them costs one access.
#[derive(Debug)]
#[repr(align(64))]
struct Owner {
    /// Settled if there is none.
    first: Record,
    more: More,
}

/// The open messages after the first.
#[allow(
    clippy::box_collection,
    reason = "most owners have none, and a deque of 32 bytes would cost each a second line"
)]
type More = Option<Box<VecDeque<Record>>>;

const _: () = assert!(size_of::<Owner>() == 64);

impl Ledger {
    /// A ledger over `nodes` ids (see [`Names::span`](crate::base::names::Names::span)) with these flows, in which messages
    /// due from `measured.0` to before `measured.1` count. Curves over time have steps of `step`.
    pub fn new(nodes: usize, flows: &[Correctness], measured: (Time, Time), step: Span) -> Self {
        let mut owners = Vec::new();
        owners.resize_with(nodes, || Owner { first: Record::NONE, more: None });
        let flows = flows.iter().map(|&correctness| FlowBook::new(correctness, step)).collect();
        Self { owners, flows, measured, apart: None, error: None }
    }

    /// Follows copies to the nodes they are at, so that those which a node forgets when it goes down are known to be lost: for
    /// systems in which nodes may.
    #[must_use]
    pub fn following(mut self) -> Self {
        self.apart.get_or_insert_default().present = Some(Present::default());
        self
    }

    /// Follows messages to the places that keep them for others: each owes an effect, and what is lost there is lost.
    #[must_use]
    pub fn keeping(mut self, places: Places) -> Self {
        self.apart.get_or_insert_default().custody = Some(Custody::new(places));
        self
    }

    /// What became of messages at the places that keep them for others, in the order of the places.
    pub fn places(&self) -> &[CustodyBook] {
        self.custody().map_or(&[], Custody::books)
    }

    fn custody(&self) -> Option<&Custody> {
        self.apart.as_ref()?.custody.as_ref()
    }

    /// Cuts the flows' books where windows of time begin and end, so that what happened within them is known exactly.
    #[must_use]
    pub fn cut(mut self, periods: &Arc<Periods>) -> Self {
        self.flows.iter_mut().for_each(|flow| flow.cut(periods));
        self
    }

    /// Says which flows are calls: what their owners are answered is their goodput. Without a word those are whose messages are
    /// correct when they are answered.
    #[must_use]
    pub fn answering(mut self, calls: &[bool]) -> Self {
        self.flows.iter_mut().zip(calls).for_each(|(flow, &is_call)| flow.is_answered = is_call);
        self
    }

    /// Takes in a statement, and follows copies to where they are: apart, so that who follows none pays one look.
    #[inline(never)]
    fn take_and_follow(&mut self, now: Time, node: NodeId, observation: &Observation) {
        let Some(apart) = &mut self.apart else { return };
        if let Some(present) = &mut apart.present {
            present.take(node, observation);
        }
        if let Some(custody) = &mut apart.custody {
            custody.take_at(now, node, observation);
        }
        self.take(now, node, observation);
        if self.custody().is_none() {
            return;
        }
        match *observation {
            Observation::Offered { message, flow, .. } => self.entrust(message, flow),
            _ => observation.message().into_iter().for_each(|message| self.end_entrusted(message)),
        }
    }

    /// A message is offered that may go to places that keep it for others.
    fn entrust(&mut self, message: MessageId, flow: Flow) {
        if !self.custody().is_some_and(|custody| custody.follows(flow)) {
            return;
        }
        let (mut counts, mut due) = (false, Time::ZERO);
        self.update(message, |record, _| {
            (counts, due) = (record.counts(), record.due);
            record.flags |= ENTRUSTED;
        });
        if let Some(custody) = self.apart.as_mut().and_then(|apart| apart.custody.as_mut()) {
            custody.begin(message, flow, due, counts);
        }
    }

    /// Enters the message if it has come to its end and is judged by what became of it elsewhere.
    fn end_entrusted(&mut self, message: MessageId) {
        let Some(custody) = self.apart.as_mut().and_then(|apart| apart.custody.as_mut()) else { return };
        let Some(flow) = custody.flow_of(message).map(|flow| usize::from(flow.0)) else { return };
        let book = &mut self.flows[flow];
        if let Some(record) = book.take_entrusted() {
            let account = custody.end(message, record.end());
            book.settle_entrusted(&record, &account);
        }
    }

    /// A node forgets the messages it owns and the copies it has.
    #[cold]
    fn forget(&mut self, node: NodeId) {
        let owner = &self.owners[node.index() as usize];
        let records = std::iter::once(&owner.first).chain(owner.more.iter().flat_map(|more| more.iter()));
        let owned: Vec<_> = records.filter(|record| record.is_open()).map(|record| record.number).collect();
        for number in owned {
            let message = MessageId { owner: node, number };
            self.update(message, |record, _| {
                if record.owner == State::Waiting {
                    record.owner = State::Closed(Close::Forgotten);
                }
            });
            self.end_entrusted(message);
        }
        let present = self.apart.as_mut().and_then(|apart| apart.present.as_mut());
        for ((message, place), copies) in present.map(|present| present.forget(node)).unwrap_or_default() {
            let custody = self.apart.as_mut().and_then(|apart| apart.custody.as_mut());
            match (custody, place) {
                (Some(custody), Some(place)) => custody.forget(message, place, copies),
                (Some(custody), None) => custody.forget_received(node, message, copies),
                (None, _) => {}
            }
            for _ in 0..copies {
                self.update(message, |record, _| {
                    record.setback = Some(Setback::Forgotten);
                    record.end_copy();
                });
            }
            self.end_entrusted(message);
        }
    }

    /// Messages whose fate is not known yet.
    pub fn open(&self) -> usize {
        let of_owner = |owner: &Owner| {
            let more = owner.more.iter().flat_map(|more| more.iter());
            std::iter::once(&owner.first).chain(more).filter(|record| record.is_open()).count()
        };
        self.owners.iter().map(of_owner).sum()
    }

    /// Ends the run: what is still open gets its fate. The flows' books, in the order of the flows.
    ///
    /// # Errors
    /// When the statements contradict each other, or the books do not balance.
    pub fn close(&mut self) -> Result<&[FlowBook], Imbalance> {
        for index in 0..self.owners.len() {
            let owner = &mut self.owners[index];
            let more = owner.more.take().into_iter().flat_map(|more| *more);
            let first = std::mem::replace(&mut owner.first, Record::NONE);
            for record in std::iter::once(first).chain(more).filter(Record::is_open) {
                self.flows[record.flow.0 as usize].settle(&record);
                self.end_entrusted(MessageId { owner: NodeId::new(index as u32), number: record.number });
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
    fn take(&mut self, now: Time, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late, at_once } => self.offer(now, message, flow, late, at_once),
            Observation::Handled { message, outcome } => self.handle(now, message, outcome),
            Observation::Confirmed { message } => self.confirm(now, message),
            _ => self.take_further(now, node, observation),
        }
    }

    // Functions of their own, so that each saves only the registers that it needs.

    #[inline(never)]
    fn handle(&mut self, now: Time, message: MessageId, outcome: Outcome) {
        self.update(message, |record, book| {
            if record.handled(now, outcome) {
                book.handled(now);
            }
            record.end_copy();
        });
    }

    #[inline(never)]
    fn confirm(&mut self, now: Time, message: MessageId) {
        self.update(message, |record, book| {
            record.owner = State::Confirmed;
            record.known = now;
            book.confirmed(now);
        });
    }

    /// Takes in what is not part of a plain exchange: apart, so that a plain exchange pays nothing for it.
    #[inline(never)]
    fn take_further(&mut self, now: Time, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Attempted { message } => self.update(message, |record, book| {
                record.attempted(now);
                book.attempted(now);
            }),
            Observation::Received { message, duplicate } => self.update(message, |record, _| {
                record.received(now);
                if duplicate {
                    record.ended = record.ended.saturating_add(1);
                    record.end_copy();
                }
            }),
            Observation::Declined { message, outcome } => self.handle(now, message, outcome),
            Observation::Closed { message, why } => {
                self.update(message, |record, _| record.owner = State::Closed(why));
            }
            Observation::Guarded { flow, fact } => self.flows[flow.0 as usize].guarded(now, fact),
            Observation::Down => self.forget(node),
            Observation::Dropped { message, cause } => self.update(message, |record, _| {
                record.setback = Some(Setback::Dropped(cause));
                record.end_copy();
            }),
            Observation::AnswerDropped { message, cause } => self.update(message, |record, _| {
                // Whoever has given up would not have heard it.
                if record.owner == State::Waiting {
                    record.setback = Some(Setback::AnswerDropped(cause));
                }
            }),
            Observation::LetGo { message, why } => {
                self.update(message, |record, _| record.setback = Some(Setback::LetGo(why)));
            }
            Observation::Duplicated { message } | Observation::Stored { message, .. } => {
                self.update(message, |record, _| record.open_copies = record.open_copies.saturating_add(1));
            }
            Observation::Replaced { message } => self.update(message, |record, _| record.end_copy()),
            Observation::Released { message, exit, .. } => self.update(message, |record, _| {
                record.refusal = refusal(exit).or(record.refusal);
                record.end_copy();
            }),
            _ => {}
        }
    }

    #[inline(never)]
    fn offer(&mut self, now: Time, message: MessageId, flow: Flow, late: Span, at_once: bool) {
        let due = now.earlier_by(late);
        let counts = self.measured.0 <= due && due < self.measured.1;
        let book = &mut self.flows[flow.0 as usize];
        if counts {
            book.offer(due);
        }
        if at_once {
            book.attempted(now);
        }
        let offer = Offer { now, due, flow, attempts: at_once.into(), flags: if counts { COUNTS } else { 0 } };
        let owner = &mut self.owners[message.owner.index() as usize];
        if !owner.first.is_open() && owner.more.is_none() {
            owner.first = offer.record(message.number);
        } else {
            self.offer_more(message, offer);
        }
    }

    #[inline(never)]
    fn offer_more(&mut self, message: MessageId, offer: Offer) {
        let record = offer.record(message.number);
        let owner = &mut self.owners[message.owner.index() as usize];
        let more = owner.more.get_or_insert_default();
        if more.is_empty() && !owner.first.is_open() {
            owner.first = record;
            return;
        }
        let last = more.back().unwrap_or(&owner.first);
        if last.number >= message.number {
            self.fail(format_args!("message {message:?} was offered after a later one"));
            return;
        }
        more.push_back(record);
    }

    /// Changes an open record, and lets it go where everything is known then. A statement about any other message is one
    /// about a copy that cannot exist, or about a message that no flow offered (heartbeats, a user's own): nobody's business
    /// here.
    #[inline(always)]
    fn update(&mut self, message: MessageId, change: impl FnOnce(&mut Record, &mut FlowBook)) {
        let owner = &mut self.owners[message.owner.index() as usize];
        let record = &mut owner.first;
        if record.number != message.number || !record.is_open() {
            return self.update_more(message, change);
        }
        let book = &mut self.flows[record.flow.0 as usize];
        change(record, book);
        if record.is_settled() {
            Self::settle_first(owner, book);
        }
    }

    #[inline(never)]
    fn settle_first(owner: &mut Owner, book: &mut FlowBook) {
        book.settle(&owner.first);
        owner.first.owner = State::Settled;
        if let Some(more) = &mut owner.more {
            while more.front().is_some_and(|record| !record.is_open()) {
                more.pop_front();
            }
            owner.first = more.pop_front().unwrap_or(Record::NONE);
        }
    }

    #[inline(never)]
    fn update_more(&mut self, message: MessageId, change: impl FnOnce(&mut Record, &mut FlowBook)) {
        let Some(more) = &mut self.owners[message.owner.index() as usize].more else { return };
        let Some(front) = more.front() else { return };
        // Numbers follow each other, so the guess by distance is nearly always right.
        let guess = message.number.wrapping_sub(front.number) as usize;
        let index = match more.get(guess) {
            Some(record) if record.number == message.number => Ok(guess),
            _ => more.binary_search_by_key(&message.number, |record| record.number),
        };
        let record = index.ok().and_then(|index| more.get_mut(index)).filter(|record| record.is_open());
        let Some(record) = record else { return };
        let book = &mut self.flows[record.flow.0 as usize];
        change(record, book);
        if record.is_settled() {
            book.settle(record);
            record.owner = State::Settled;
        }
    }

    #[cold]
    fn fail(&mut self, error: std::fmt::Arguments<'_>) {
        self.error.get_or_insert_with(|| error.to_string());
    }
}

/// How a message ended that nobody keeps any more, where somebody decided that.
fn refusal(exit: Exit) -> Option<Outcome> {
    let Exit::LetGo(why) = exit else { return None };
    match why {
        Loss::Expired => Some(Outcome::Expired),
        Loss::MaxLength | Loss::Refused => Some(Outcome::Rejected),
        Loss::Rejected | Loss::DeliveryLimit | Loss::DeadLetter => Some(Outcome::Failed),
        _ => None,
    }
}

impl Observer for Ledger {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Life).and(Kind::Guard)
    }

    #[inline]
    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        if self.apart.is_some() {
            return self.take_and_follow(now, node, observation);
        }
        self.take(now, node, observation);
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
