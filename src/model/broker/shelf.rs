//! What a broker writes to its disk: a record for each copy of a persistent message in a durable queue, cleared when the copy is
//! gone.
//!
//! A place on disk has one write under way at a time. A message is confirmed when all its records are synced, or cleared because
//! they were consumed before that.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::model::bytes::Bytes;
use crate::model::caller::Cx;
use crate::model::envelope::Envelope;
use crate::model::task::Slab;
use crate::process::{Exit, MessageId, Outcome};
use crate::protocol::amqp::{Death, DeathReason, Deaths, Incoming, QueueId};

use super::disk::is_replica;
use super::replying::ReplyTo;
use super::{Parcel, Stand};

/// A place on disk.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) struct Place(u32);

/// The disk of one node.
#[derive(Debug)]
pub(super) struct Shelf {
    places: Vec<State>,
    free: Vec<u32>,
    /// Publications that wait for records to be synced.
    waiting: Slab<Waiting>,
    /// What an earlier life left, in order of arrival.
    pub(super) found: Vec<Record>,
    /// How many records were written in all lives.
    written: u64,
}

/// What happens at a place.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    Free,
    /// A record of this copy is written, for this publication.
    Writing(Copy, Option<u32>),
    /// A record is written, and nobody needs it any more; a publication that waits for it all the same.
    Useless(End, Option<u32>),
    Synced,
    /// The record is cleared. Until that is synced, a crash brings it back.
    Clearing(End),
}

/// A copy of a message in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Copy {
    pub(super) message: MessageId,
    /// The queue, as it is reported.
    pub(super) queue: u16,
}

/// The end of a copy.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct End {
    pub(super) copy: Copy,
    pub(super) exit: Exit,
}

/// What a write that was synced means.
#[derive(Debug, Default)]
pub(super) struct News {
    /// A copy is on disk.
    pub(super) kept: Option<Copy>,
    /// A copy is on disk no longer.
    pub(super) released: Option<End>,
    /// A publication waits for nothing more.
    pub(super) confirmed: Option<Waiting>,
}

/// A publication whose records are not all synced.
#[derive(Clone, Copy, Debug)]
pub(super) struct Waiting {
    pub(super) asker: Asker,
    left: u32,
    /// What it is to be told, if not all is well.
    pub(super) refusal: Option<Outcome>,
    /// Whether it knows already.
    pub(super) is_answered: bool,
}

/// Who waits for a publication.
#[derive(Clone, Copy, Debug)]
pub(super) enum Asker {
    /// Its publisher; whether that costs it credit.
    Publisher(NodeId, Envelope, bool),
    /// The node of the broker that it came to, under this number.
    Node(NodeId, u32),
}

/// A copy of a message on disk, as it was when the queue took it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Record {
    /// The message.
    pub(super) parcel: Parcel,
    pub(super) queue: QueueId,
    pub(super) size: u32,
    pub(super) priority: u8,
    /// When it expires, if it does.
    pub(super) expiry: Option<Time>,
    /// Where it had died before.
    pub(super) deaths: Deaths,
    /// How many were written before it.
    order: u64,
}

/// Set in a record's number of deaths if it is of a request.
const ASKS: u32 = 1 << 31;

impl Record {
    /// That of a message which has no place of its own.
    pub(super) fn of(queue: QueueId, incoming: &Incoming<Parcel>) -> Self {
        let Incoming { message: parcel, size, priority, ref deaths, .. } = *incoming;
        Self { parcel, queue, size, priority, expiry: None, deaths: deaths.clone(), order: 0 }
    }

    /// The message, without a place and a time to live of its own.
    pub(super) fn incoming(self) -> Incoming<Parcel> {
        let message = Parcel { stand: Stand::Nowhere, ..self.parcel };
        let Self { size, priority, deaths, .. } = self;
        Incoming { message, size, priority, ttl: None, persistent: true, deaths }
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let deaths = self.deaths.list();
        let mut bytes = Vec::with_capacity(64 + deaths.len() * 9);
        bytes.extend(self.parcel.message.owner.index().to_le_bytes());
        bytes.extend(self.parcel.message.number.to_le_bytes());
        bytes.extend(self.parcel.luck.to_le_bytes());
        bytes.extend(self.parcel.call.to_le_bytes());
        bytes.extend(self.parcel.letter_of.map_or(u32::MAX, |queue| queue.index() as u32).to_le_bytes());
        bytes.extend((self.queue.index() as u32).to_le_bytes());
        bytes.extend(self.size.to_le_bytes());
        bytes.push(self.priority);
        bytes.extend(self.expiry.unwrap_or(Time::MAX).as_nanos().to_le_bytes());
        bytes.extend(self.order.to_le_bytes());
        let asks = if self.parcel.reply_to.is_some() { ASKS } else { 0 };
        bytes.extend((deaths.len() as u32 | asks).to_le_bytes());
        if let Some(ReplyTo { attempt, place, life }) = self.parcel.reply_to {
            bytes.push(attempt);
            bytes.extend(place.to_le_bytes());
            bytes.extend(life.to_le_bytes());
        }
        for death in deaths {
            bytes.extend((death.queue.index() as u32).to_le_bytes());
            bytes.push(death.reason as u8);
            bytes.extend(death.count.to_le_bytes());
        }
        bytes
    }

    /// A torn record is of no use.
    pub(super) fn read(place: u32, bytes: &[u8]) -> Option<Self> {
        let mut rest = Bytes(bytes);
        let message = MessageId { owner: NodeId::new(rest.u32()?), number: rest.u32()? };
        let (luck, call) = (rest.u64()?, rest.u16()?);
        let letter_of = Some(rest.u32()?).filter(|&queue| queue < u32::MAX).map(QueueId::new);
        let mut record = Self {
            parcel: Parcel { message, luck, call, letter_of, reply_to: None, stand: Stand::Disk(Place(place)) },
            queue: QueueId::new(rest.u32()?),
            size: rest.u32()?,
            priority: rest.u8()?,
            expiry: Some(Time::from_nanos(rest.u64()?)).filter(|expiry| *expiry < Time::MAX),
            deaths: Deaths::NONE,
            order: rest.u64()?,
        };
        let mut deaths = Vec::new();
        let count = rest.u32()?;
        if count & ASKS != 0 {
            record.parcel.reply_to = Some(ReplyTo { attempt: rest.u8()?, place: rest.u32()?, life: rest.u32()? });
        }
        for _ in 0..count & !ASKS {
            let (queue, reason) = (QueueId::new(rest.u32()?), usize::from(rest.u8()?));
            deaths.push(Death { queue, reason: *DeathReason::ALL.get(reason)?, count: rest.u32()? });
        }
        record.deaths = Deaths::of(deaths);
        rest.0.is_empty().then_some(record)
    }
}

impl Shelf {
    /// The disk as an earlier life left it.
    pub(super) fn new(disk: &BTreeMap<u64, Vec<u8>>) -> Self {
        let here = || disk.iter().filter(|(key, _)| !is_replica(**key));
        let len = here().next_back().map_or(0, |(last, _)| *last as usize + 1);
        let mut places = vec![State::Free; len];
        let mut found = Vec::new();
        for (&key, bytes) in here() {
            if let Some(record) = Record::read(key as u32, bytes) {
                places[key as usize] = State::Synced;
                found.push(record);
            }
        }
        found.sort_by_key(|record: &Record| record.order);
        let written = found.last().map_or(0, |record| record.order + 1);
        let free = (0..len as u32).rev().filter(|&place| places[place as usize] == State::Free).collect();
        Self { places, free, waiting: Slab::new(), found, written }
    }

    /// A publication that is confirmed when everything that is written for it is synced.
    pub(super) fn expect(&mut self, asker: Asker) -> u32 {
        self.waiting.insert(Waiting { asker, left: 0, refusal: None, is_answered: false })
    }

    /// It waits for one thing more.
    pub(super) fn add(&mut self, waiting: u32) {
        if let Some(waiting) = self.waiting.get_mut(waiting) {
            waiting.left += 1;
        }
    }

    /// Who waits, if there is nothing to wait for; then it is forgotten.
    pub(super) fn done(&mut self, waiting: u32) -> Option<Asker> {
        let is_done = self.waiting.get_mut(waiting).is_some_and(|waiting| waiting.left == 0);
        if is_done { self.waiting.remove(waiting).map(|waiting| waiting.asker) } else { None }
    }

    /// Whoever waits is told now: who that is. It is forgotten when all has come that it waited for.
    pub(super) fn forget(&mut self, waiting: u32) -> Option<Asker> {
        let known = self.waiting.get_mut(waiting)?;
        known.is_answered = true;
        let asker = known.asker;
        self.done(waiting);
        Some(asker)
    }

    /// A free place.
    pub(super) fn place(&mut self) -> Place {
        Place(self.free.pop().unwrap_or_else(|| {
            self.places.push(State::Free);
            self.places.len() as u32 - 1
        }))
    }

    /// A place that is not needed after all.
    pub(super) fn give_back(&mut self, place: Place) {
        self.free.push(place.0);
    }

    /// Writes a copy to its place.
    pub(super) fn write(
        &mut self,
        cx: &mut Cx<'_>,
        (queue, number): (QueueId, u16),
        incoming: Incoming<Parcel>,
        ttl: Option<Span>,
        waiting: Option<u32>,
    ) {
        let Incoming { message: parcel, size, priority, deaths, .. } = incoming;
        let Stand::Disk(place) = parcel.stand else { return };
        let expiry = ttl.map(|ttl| Time::from_nanos(cx.now().as_nanos()) + ttl);
        let record = Record { parcel, queue, size, priority, expiry, deaths, order: self.written };
        self.written += 1;
        let copy = Copy { message: parcel.message, queue: number };
        self.places[place.0 as usize] = State::Writing(copy, waiting);
        if let Some(waiting) = waiting.and_then(|waiting| self.waiting.get_mut(waiting)) {
            waiting.left += 1;
        }
        cx.persist(place.0.into(), record.bytes());
    }

    /// The copy at this place is gone, because it was consumed or because it died. A publication that waits for nothing more.
    pub(super) fn clear(&mut self, cx: &mut Cx<'_>, place: Place, end: End, is_consumed: bool) -> Option<Waiting> {
        let state = &mut self.places[place.0 as usize];
        match *state {
            State::Writing(_, waiting) if is_consumed => {
                *state = State::Useless(end, None);
                self.settled(waiting, None)
            }
            State::Writing(_, waiting) => {
                *state = State::Useless(end, waiting);
                None
            }
            State::Synced => {
                *state = State::Clearing(end);
                cx.persist(place.0.into(), Vec::new());
                None
            }
            State::Free | State::Useless(..) | State::Clearing(_) => None,
        }
    }

    /// A write is on disk.
    pub(super) fn synced(&mut self, cx: &mut Cx<'_>, key: u64) -> News {
        let Some(state) = self.places.get_mut(key as usize) else { return News::default() };
        match *state {
            State::Writing(copy, waiting) => {
                *state = State::Synced;
                News { kept: Some(copy), confirmed: self.settled(waiting, None), ..News::default() }
            }
            State::Useless(end, waiting) => {
                *state = State::Clearing(end);
                cx.persist(key, Vec::new());
                News { kept: Some(end.copy), confirmed: self.settled(waiting, None), ..News::default() }
            }
            State::Clearing(end) => {
                *state = State::Free;
                self.free.push(key as u32);
                News { released: Some(end), ..News::default() }
            }
            State::Free | State::Synced => News::default(),
        }
    }

    /// The node goes down without having heard that a write is on disk: what that means.
    pub(super) fn unheard(&self, key: u64) -> News {
        match self.places.get(key as usize) {
            Some(&(State::Writing(copy, _) | State::Useless(End { copy, .. }, _))) => {
                News { kept: Some(copy), ..News::default() }
            }
            Some(&State::Clearing(end)) => News { released: Some(end), ..News::default() },
            _ => News::default(),
        }
    }

    /// The disk is full: a publication that waits for nothing more, refused.
    pub(super) fn refused(&mut self, key: u64) -> Option<Waiting> {
        match self.places.get(key as usize) {
            Some(&State::Writing(_, waiting)) => self.settled(waiting, Some(Outcome::Rejected)),
            _ => None,
        }
    }

    /// One thing that was waited for has come, well or not. The publication that waits for nothing more, if it is one.
    pub(super) fn settled(&mut self, waiting: Option<u32>, refusal: Option<Outcome>) -> Option<Waiting> {
        let id = waiting?;
        let waiting = self.waiting.get_mut(id)?;
        waiting.left = waiting.left.saturating_sub(1);
        waiting.refusal = refusal.or(waiting.refusal);
        if waiting.left > 0 {
            return None;
        }
        self.waiting.remove(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    fn record(order: u64) -> Record {
        let message = MessageId { owner: NodeId::new(7), number: 9 };
        let letter_of = (order > 2).then_some(QueueId::new(1));
        let reply_to = (order > 3).then_some(ReplyTo { attempt: 255, place: 2, life: 1 << 20 });
        let parcel = Parcel {
            message,
            luck: u64::MAX - 5,
            call: 300,
            letter_of,
            reply_to,
            stand: Stand::Disk(Place(order as u32)),
        };
        let expiry = (order > 3).then_some(Time::ZERO + secs(3));
        let mut deaths = Deaths::NONE;
        (0..order).for_each(|queue| deaths.record(QueueId::new(queue as u32), DeathReason::MaxLen));
        Record { parcel, queue: QueueId::new(2), size: 1024, priority: 200, expiry, deaths, order }
    }

    #[test]
    fn a_record_is_read_as_it_was_written_and_a_torn_one_is_not() {
        for order in [0, 3, 4] {
            let bytes = record(order).bytes();
            assert_eq!(Record::read(order as u32, &bytes), Some(record(order)));
            assert!((0..bytes.len()).all(|len| Record::read(1, &bytes[..len]).is_none()));
        }
    }

    #[test]
    fn what_an_earlier_life_left_is_found_in_order_and_cleared_places_are_free() {
        let disk = BTreeMap::from([(0, record(5).bytes()), (1, vec![]), (2, record(3).bytes())]);
        let mut shelf = Shelf::new(&disk);
        let orders: Vec<_> = shelf.found.iter().map(|record| record.order).collect();
        assert_eq!((orders, shelf.written), (vec![3, 5], 6));
        assert_eq!([shelf.place(), shelf.place()], [Place(1), Place(3)]);
    }
}
