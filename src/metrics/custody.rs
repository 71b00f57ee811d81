//! Messages that wait somewhere between those who send them and those who process them: what each place owes, what it lost and why.
//!
//! A *place* is a queue (or whatever else keeps messages for consumers). One message may go to several, and each that takes it owes
//! one effect: two effects of two queues are no duplicates, and a message that one of two queues lost is lost there. A dead letter
//! takes the debt along: the queue that it leaves owes nothing any more, the one that takes it does.
//!
//! Whoever keeps a message states what a loss would be due to ([`Loss`]) before there is one; the last reason that was stated is
//! that of the loss. A place has lost a message when no copy of it is left there, nobody who consumes from it has processed it, and
//! it was not handed on. It is lost as well while copies are kept, if those who consume have passed it over, have not processed it,
//! and have no copy of it any more.
//!
//! The node at which a copy is received or handled says which place it came from: a group consumes from one.

mod open;

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Close, Exit, Flow, Loss, MessageId, NO_PLACE, Observation, Outcome};

use super::histogram::Histogram;
use open::{Entry, Open};

/// How often messages were lost, by reason.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct LossCounts([u64; Loss::COUNT]);

impl Default for LossCounts {
    fn default() -> Self {
        Self([0; Loss::COUNT])
    }
}

impl LossCounts {
    /// How many were lost for this reason.
    pub fn of(&self, why: Loss) -> u64 {
        self.0[why as usize]
    }

    /// How many were lost.
    pub fn sum(&self) -> u64 {
        self.0.iter().sum()
    }

    /// The reasons for which any were lost, and how many.
    pub fn happened(&self) -> impl Iterator<Item = (Loss, u64)> + '_ {
        Loss::ALL.iter().map(|&why| (why, self.of(why))).filter(|&(_, count)| count > 0)
    }

    /// Adds what was lost elsewhere.
    pub fn add(&mut self, other: &Self) {
        self.0.iter_mut().zip(other.0).for_each(|(sum, count)| *sum += count);
    }

    fn note(&mut self, why: Loss) {
        self.0[why as usize] += 1;
    }
}

/// What became of the messages that a place took, of those that are measured.
#[derive(Clone, Debug, Default)]
pub struct CustodyBook {
    /// Messages that it took, or should have taken, each counted once.
    pub due: u64,
    /// Messages among them that its consumers processed well.
    pub processed: u64,
    /// Copies that its consumers received beyond the first of each message.
    pub duplicates: u64,
    /// Times that they processed a message well beyond the first.
    pub repeated: u64,
    /// From when each message was due until its consumers had first processed it.
    pub until_processed: Histogram,
    /// Messages that were first processed after a later one of the same publisher, and of the same key where they have one.
    pub out_of_order: u64,
    /// Messages that were lost, here or on the way here.
    pub lost: LossCounts,
    /// Those among them whose publisher was told that they are safe.
    pub confirmed_lost: LossCounts,
}

impl CustodyBook {
    /// Adds what became of other messages.
    pub fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.processed += other.processed;
        self.duplicates += other.duplicates;
        self.repeated += other.repeated;
        self.until_processed.merge(&other.until_processed);
        self.out_of_order += other.out_of_order;
        self.lost.add(&other.lost);
        self.confirmed_lost.add(&other.confirmed_lost);
    }
}

/// The places of a run, who consumes from them, and what is sent to them.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// How many there are.
    pub count: usize,
    /// The place that each of these nodes consumes from.
    pub consumers: BTreeMap<NodeId, u16>,
    /// Places whose consumers go on behind a message that they could not process.
    pub moving_on: BTreeSet<u16>,
    /// For each flow of messages that go to places: to which, where that is the same for all; otherwise to none.
    pub flows: BTreeMap<Flow, Vec<u16>>,
    /// Flows whose messages are published from memory: what a publisher has still to publish is lost when it goes down.
    pub from_memory: BTreeSet<Flow>,
}

/// What is known of all places, and of the messages that have not come to their end.
#[derive(Debug)]
pub(super) struct Custody {
    places: Places,
    /// Whether anybody consumes from a place.
    is_consumed: Vec<bool>,
    books: Vec<CustodyBook>,
    open: Open,
    /// The time of the statement that is taken in.
    now: Time,
    /// The latest message of each publisher and key that was processed, by place.
    latest: Vec<BTreeMap<(NodeId, Option<u64>), u32>>,
}

/// What became of a message at all the places that took it.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct Account {
    /// Copies that consumers received beyond the first at each place.
    pub duplicates: u64,
    /// Effects beyond the first at each place.
    pub repeated: u64,
    /// Whether every place that owes an effect has had it, and one does; nothing if none owes any.
    pub is_settled: Option<bool>,
    /// Where it was lost, by reason.
    pub losses: LossCounts,
}

/// How a message ended, as far as its publisher and the ledger know.
#[derive(Clone, Copy, Debug)]
pub(super) struct End {
    pub is_confirmed: bool,
    /// Why its publisher is done with it, if it is and was not told that it is safe.
    pub closed: Option<Close>,
    /// Whether no copy is left anywhere.
    pub is_gone: bool,
    /// How often it was processed well.
    pub effects: u64,
}

impl Custody {
    pub(super) fn new(places: Places) -> Self {
        let mut is_consumed = vec![false; places.count];
        places.consumers.values().for_each(|&place| is_consumed[usize::from(place)] = true);
        let books = vec![CustodyBook::default(); places.count];
        let latest = vec![BTreeMap::new(); places.count];
        Self { places, is_consumed, books, open: Open::default(), now: Time::ZERO, latest }
    }

    /// Whether messages of this flow go to places.
    pub(super) fn follows(&self, flow: Flow) -> bool {
        self.places.flows.contains_key(&flow)
    }

    /// A message is offered that goes to places; it was due at this time.
    pub(super) fn begin(&mut self, message: MessageId, flow: Flow, due: Time, counts: bool) {
        self.open.begin(message, flow, due, counts);
    }

    /// The flow of a message that has not come to its end.
    pub(super) fn flow_of(&self, message: MessageId) -> Option<Flow> {
        self.open.get(message).map(|entry| entry.flow)
    }

    /// Takes in a statement about a message, made at this time.
    pub(super) fn take_at(&mut self, now: Time, node: NodeId, observation: &Observation) {
        self.now = now;
        self.take(node, observation);
    }

    fn take(&mut self, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Stored { message, place: NO_PLACE, risk, .. } => {
                if let Some(entry) = self.open.get_mut(message) {
                    entry.refusal = Some(risk);
                }
            }
            Observation::Kept { place: NO_PLACE, .. } => {}
            Observation::Released { message, place: NO_PLACE, exit, .. } => {
                if let (Some(entry), Exit::LetGo(why)) = (self.open.get_mut(message), exit) {
                    entry.refusal = Some(why);
                }
            }
            Observation::Stored { message, place, key, risk } => {
                let Some(entry) = self.open.get_mut(message) else { return };
                entry.learn(key);
                let Some(share) = self.open.share(message, place) else { return };
                (share.held, share.was_handed_on, share.risk) = (share.held.saturating_add(1), false, Some(risk));
            }
            Observation::Kept { message, place } => {
                if let Some(share) = self.open.share(message, place) {
                    share.risk = None;
                }
            }
            Observation::Released { message, place, exit, .. } => {
                let Some(share) = self.open.share(message, place) else { return };
                share.held = share.held.saturating_sub(1);
                match exit {
                    Exit::Acknowledged => {}
                    Exit::HandedOn => share.was_handed_on = true,
                    Exit::LetGo(why) => share.risk = Some(why),
                }
            }
            Observation::Received { message, duplicate: false } => {
                let Some(&place) = self.places.consumers.get(&node) else { return };
                if let Some(share) = self.open.share(message, place) {
                    share.received = share.received.saturating_add(1);
                    share.present = share.present.saturating_add(1);
                }
            }
            Observation::Handled { message, outcome } => self.handled(node, message, outcome),
            Observation::Declined { message, .. } => {
                let place = self.places.consumers.get(&node).filter(|place| self.places.moving_on.contains(place));
                if let Some(share) = place.and_then(|&place| self.open.share(message, place)) {
                    share.pass(Loss::NotProcessed);
                }
            }
            Observation::PassedOver { message, place, why } => {
                if let Some(share) = self.open.share(message, place) {
                    share.pass(why);
                }
            }
            _ => {}
        }
    }

    fn handled(&mut self, node: NodeId, message: MessageId, outcome: Outcome) {
        let Some(entry) = self.open.get_mut(message) else { return };
        let Some(&place) = self.places.consumers.get(&node) else {
            entry.refusal = match outcome {
                Outcome::Discarded => Some(Loss::Unroutable),
                Outcome::Rejected => Some(Loss::Refused),
                Outcome::Failed => Some(Loss::NoLeader),
                _ => entry.refusal,
            };
            return;
        };
        let Entry { due, counts, .. } = *entry;
        let key = entry.key();
        let Some(share) = self.open.share(message, place) else { return };
        share.present = share.present.saturating_sub(1);
        if outcome != Outcome::Done {
            if self.places.moving_on.contains(&place) {
                share.pass(Loss::NotProcessed);
            }
            return;
        }
        share.effects = share.effects.saturating_add(1);
        if share.effects > 1 {
            return;
        }
        if counts {
            self.books[usize::from(place)].until_processed.record(self.now.since(due));
        }
        let latest = self.latest[usize::from(place)].entry((message.owner, key)).or_insert(message.number);
        if *latest <= message.number {
            *latest = message.number;
        } else if counts {
            self.books[usize::from(place)].out_of_order += 1;
        }
    }

    /// A node went down, and forgot so many copies that it kept at this place.
    pub(super) fn forget(&mut self, message: MessageId, place: u16, copies: u32) {
        if place != NO_PLACE
            && let Some(share) = self.open.share(message, place)
        {
            share.held = share.held.saturating_sub(u16::try_from(copies).unwrap_or(u16::MAX));
        }
    }

    /// A node went down, and forgot so many copies that it had received.
    pub(super) fn forget_received(&mut self, node: NodeId, message: MessageId, copies: u32) {
        let place = self.places.consumers.get(&node);
        if let Some(share) = place.and_then(|&place| self.open.share(message, place)) {
            share.present = share.present.saturating_sub(u16::try_from(copies).unwrap_or(u16::MAX));
        }
    }

    /// A message has come to its end: what became of it everywhere.
    pub(super) fn end(&mut self, message: MessageId, end: End) -> Account {
        let mut account = Account::default();
        let Some((entry, others)) = self.open.end(message) else { return account };
        let first = entry.first();
        for share in first.into_iter().chain(others) {
            let book = &mut self.books[usize::from(share.place)];
            let repeated = u64::from(share.effects.saturating_sub(1));
            let duplicates = u64::from(share.received.max(share.effects).saturating_sub(1));
            account.duplicates += duplicates;
            account.repeated += repeated;
            if self.is_consumed[usize::from(share.place)] && !share.was_handed_on {
                account.is_settled = Some(account.is_settled.unwrap_or(true) && share.effects > 0);
            }
            let lost = share.lost(end.is_gone);
            lost.into_iter().for_each(|why| account.losses.note(why));
            if !entry.counts {
                continue;
            }
            book.due += 1;
            book.processed += u64::from(share.effects > 0);
            book.duplicates += duplicates;
            book.repeated += repeated;
            if let Some(why) = lost {
                book.lose(why, end.is_confirmed);
            }
        }
        if first.is_none()
            && let Some(why) = lost_outside(entry.refusal, &end, self.places.from_memory.contains(&entry.flow))
        {
            account.losses.note(why);
            let to = self.places.flows.get(&entry.flow).into_iter().flatten().filter(|_| entry.counts);
            for &place in to {
                let book = &mut self.books[usize::from(place)];
                book.due += 1;
                book.lose(why, end.is_confirmed);
            }
        }
        account
    }

    /// The books, in the order of the places.
    pub(super) fn books(&self) -> &[CustodyBook] {
        &self.books
    }
}

impl CustodyBook {
    fn lose(&mut self, why: Loss, is_confirmed: bool) {
        // A broker that cuts a record off may not know that another one had acknowledged it, with all replicas in sync.
        let why = if is_confirmed && why == Loss::Unanswered { Loss::UncleanElection } else { why };
        self.lost.note(why);
        if is_confirmed {
            self.confirmed_lost.note(why);
        }
    }
}

/// Why a message was lost that no place ever took.
fn lost_outside(refusal: Option<Loss>, end: &End, is_from_memory: bool) -> Option<Loss> {
    if !end.is_gone || end.effects > 0 {
        return None;
    }
    match (refusal, end.closed) {
        (Some(why), _) => Some(why),
        (None, Some(Close::Sent)) => Some(Loss::Unpublished),
        (None, Some(Close::TimedOut | Close::Expired | Close::Rejected | Close::Failed)) => Some(Loss::GivenUp),
        (None, Some(Close::Forgotten)) if is_from_memory => Some(Loss::Publisher),
        // Whoever let go of it itself never published it. A row that was not written stood for nothing.
        (None, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: MessageId = MessageId { owner: NodeId::new(9), number: 4 };
    const FLOW: Flow = Flow(0);

    /// Two queues, consumed from by the nodes 1 and 2, and a third that nobody consumes from.
    fn custody() -> Custody {
        let consumers = BTreeMap::from([(NodeId::new(1), 0), (NodeId::new(2), 1)]);
        let flows = BTreeMap::from([(FLOW, vec![0, 1])]);
        let (moving_on, from_memory) = (BTreeSet::from([1]), BTreeSet::new());
        let mut custody = Custody::new(Places { count: 3, consumers, moving_on, flows, from_memory });
        custody.begin(MESSAGE, FLOW, Time::ZERO, true);
        custody
    }

    fn stored(place: u16, risk: Loss) -> Observation {
        Observation::Stored { message: MESSAGE, place, key: None, risk }
    }

    fn released(place: u16, exit: Exit) -> Observation {
        Observation::Released { message: MESSAGE, place, is_kept: false, exit }
    }

    fn processed(custody: &mut Custody, node: u32, message: MessageId) {
        custody.take(NodeId::new(node), &Observation::Received { message, duplicate: false });
        custody.take(NodeId::new(node), &Observation::Handled { message, outcome: Outcome::Done });
    }

    fn end(custody: &mut Custody) -> Account {
        custody.end(MESSAGE, End { is_confirmed: true, closed: None, is_gone: true, effects: 0 })
    }

    fn lost(account: &Account) -> Vec<(Loss, u64)> {
        account.losses.happened().collect()
    }

    #[test]
    fn two_effects_of_two_queues_are_no_duplicates() {
        let mut custody = custody();
        let broker = NodeId::new(0);
        [0, 1].into_iter().for_each(|place| custody.take(broker, &stored(place, Loss::Unsynced)));
        [1, 2].into_iter().for_each(|node| processed(&mut custody, node, MESSAGE));
        [0, 1].into_iter().for_each(|place| custody.take(broker, &released(place, Exit::Acknowledged)));
        assert_eq!(end(&mut custody), Account { is_settled: Some(true), ..Account::default() });
    }

    /// The second effect of one queue is a duplicate, and does not stand for that of the other, which a crash took.
    #[test]
    fn a_message_that_one_of_two_queues_lost_is_lost() {
        let mut custody = custody();
        let broker = NodeId::new(0);
        [0, 1].into_iter().for_each(|place| custody.take(broker, &stored(place, Loss::TransientQueue)));
        [1, 1].into_iter().for_each(|node| processed(&mut custody, node, MESSAGE));
        custody.take(broker, &released(0, Exit::Acknowledged));
        custody.forget(MESSAGE, 1, 1);
        let account = end(&mut custody);
        assert_eq!((account.duplicates, account.repeated, account.is_settled), (1, 1, Some(false)));
        assert_eq!(lost(&account), [(Loss::TransientQueue, 1)]);
        assert_eq!(custody.books()[1].confirmed_lost.sum(), 1);
    }

    #[test]
    fn a_dead_letter_takes_the_debt_along() {
        let mut custody = custody();
        let broker = NodeId::new(0);
        custody.take(broker, &stored(0, Loss::Unsynced));
        custody.take(broker, &stored(1, Loss::Unsynced));
        custody.take(broker, &released(0, Exit::HandedOn));
        custody.take(broker, &released(1, Exit::LetGo(Loss::Expired)));
        let account = end(&mut custody);
        assert_eq!((account.is_settled, lost(&account)), (Some(false), vec![(Loss::Expired, 1)]));
    }

    /// Both places keep it. It is passed over at the first, whose consumer still has it, and has it no more once it is down; at the
    /// second it fails, and consumers go on behind it.
    #[test]
    fn what_is_kept_and_passed_over_is_lost_once_nobody_has_it() {
        for (is_down, expected) in
            [(false, vec![(Loss::NotProcessed, 1)]), (true, vec![(Loss::CommittedEarly, 1), (Loss::NotProcessed, 1)])]
        {
            let mut custody = custody();
            for place in [0, 1] {
                custody.take(NodeId::new(0), &stored(place, Loss::Unanswered));
                custody.take(NodeId::new(0), &Observation::Kept { message: MESSAGE, place });
            }
            for node in [1, 2].map(NodeId::new) {
                custody.take(node, &Observation::Received { message: MESSAGE, duplicate: false });
            }
            let passed = |why| Observation::PassedOver { message: MESSAGE, place: 0, why };
            custody.take(NodeId::new(0), &passed(Loss::CommittedEarly));
            custody.take(NodeId::new(0), &passed(Loss::Reset));
            custody.take(NodeId::new(2), &Observation::Handled { message: MESSAGE, outcome: Outcome::Failed });
            if is_down {
                custody.forget_received(NodeId::new(1), MESSAGE, 1);
            }
            assert_eq!(lost(&end(&mut custody)), expected);
        }
    }

    #[test]
    fn what_never_arrived_is_lost_wherever_it_was_sent() {
        for (refusal, closed, why) in [
            (None, Some(Close::Sent), Loss::Unpublished),
            (None, Some(Close::TimedOut), Loss::GivenUp),
            (Some(Outcome::Rejected), Some(Close::Rejected), Loss::Refused),
            (Some(Outcome::Discarded), None, Loss::Unroutable),
        ] {
            let mut custody = custody();
            if let Some(outcome) = refusal {
                custody.take(NodeId::new(0), &Observation::Handled { message: MESSAGE, outcome });
            }
            let end = End { is_confirmed: closed.is_none(), closed, is_gone: true, effects: 0 };
            assert_eq!(lost(&custody.end(MESSAGE, end)), [(why, 1)]);
            assert_eq!(custody.books().iter().map(|book| book.lost.of(why)).collect::<Vec<_>>(), [1, 1, 0]);
        }
    }

    /// The row of an outbox that was not written stood for nothing; what was in its publisher's memory did.
    #[test]
    fn what_a_publisher_forgot_is_lost_if_it_was_to_be_published_from_memory() {
        for (from_memory, expected) in [(vec![FLOW], vec![(Loss::Publisher, 1)]), (Vec::new(), Vec::new())] {
            let mut custody = custody();
            custody.places.from_memory.extend(from_memory);
            let end = End { is_confirmed: false, closed: Some(Close::Forgotten), is_gone: true, effects: 0 };
            assert_eq!(lost(&custody.end(MESSAGE, end)), expected);
            let of_places = custody.books().iter().map(|book| book.lost.sum()).sum::<u64>();
            assert_eq!(of_places, 2 * expected.len() as u64, "it was for two queues");
        }
    }

    /// 4 before 3 is out of order where they have the same key, and not where they have not.
    #[test]
    fn order_is_kept_by_publisher_and_key() {
        let earlier = MessageId { number: 3, ..MESSAGE };
        for (keys, expected) in [([None, None], 1), ([Some(7), Some(7)], 1), ([Some(7), Some(8)], 0)] {
            let mut custody = custody();
            custody.begin(earlier, FLOW, Time::ZERO, true);
            for (message, key) in [MESSAGE, earlier].into_iter().zip(keys) {
                custody.take(NodeId::new(0), &Observation::Stored { message, place: 0, key, risk: Loss::Unsynced });
                processed(&mut custody, 1, message);
            }
            assert_eq!(custody.books()[0].out_of_order, expected, "{keys:?}");
        }
    }
}
