//! What a replica of a quorum queue has on disk: a record for each entry of its log, and one for its term and vote.
//!
//! An entry keeps its place until it is cut off from the log; then the place is used for another. Every record says where the log
//! begins and what the term of the entry before it is, so that what is left of an earlier log is not taken for a part of this.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use crate::base::time::{Time, ns};
use crate::model::bytes::Bytes;
use crate::process::{Exit, Loss};
use crate::protocol::amqp::{Durable, Entry, Incoming, Member, QueueId};

use super::shelf::Record;
use super::word::{Op, Posted};

/// Keys of replicas have this bit; all others are places on the shelf.
const REPLICA: u64 = 1 << 63;

/// Whether a record of a replica stands under a key.
pub(super) fn is_replica(key: u64) -> bool {
    key & REPLICA != 0
}

/// The queue whose record stands under a key.
pub(super) fn queue_of(key: u64) -> QueueId {
    QueueId::new(((key & !REPLICA) >> 32) as u32)
}

fn key(queue: QueueId, slot: u32) -> u64 {
    REPLICA | (queue.index() as u64) << 32 | u64::from(slot)
}

/// Where the entries of a log stand. Term and vote have place 0.
#[derive(Debug)]
pub(super) struct Slots {
    by_index: BTreeMap<u64, u32>,
    free: Vec<u32>,
    next: u32,
}

/// What a disk has of a replica.
pub(super) struct Found {
    pub(super) durable: Durable<Op>,
    pub(super) slots: Slots,
}

impl Slots {
    /// What is to be written for these entries, and for term and vote.
    pub(super) fn write(
        &mut self,
        queue: QueueId,
        member: &Member<Op>,
        entries: Range<u64>,
        is_new: bool,
    ) -> Vec<(u64, Vec<u8>)> {
        let mut writes = Vec::new();
        if is_new {
            let (term, voted) = member.vote();
            let mut bytes = Vec::new();
            [term, voted.map_or(0, |voted| u64::from(voted) + 1)].iter().for_each(|n| bytes.extend(n.to_le_bytes()));
            writes.push((key(queue, 0), bytes));
        }
        for index in entries {
            let Some(entry) = member.entry(index) else { continue };
            let slot = *self.by_index.entry(index).or_insert_with(|| {
                self.free.pop().unwrap_or_else(|| {
                    self.next += 1;
                    self.next
                })
            });
            let (base, base_term) = member.base();
            let mut bytes = Vec::with_capacity(128);
            let head = [index, entry.term, member.term_at(index - 1), base, base_term];
            head.iter().for_each(|number| bytes.extend(number.to_le_bytes()));
            put(queue, entry.what.as_ref(), &mut bytes);
            writes.push((key(queue, slot), bytes));
        }
        writes
    }

    /// Entries up to this one are cut off.
    pub(super) fn free_up_to(&mut self, index: u64) {
        while let Some(first) = self.by_index.first_entry().filter(|first| *first.key() <= index) {
            self.free.push(first.remove());
        }
    }
}

/// What a disk has of the replica of a queue.
pub(super) fn find(queue: QueueId, disk: &BTreeMap<u64, Vec<u8>>) -> Found {
    let mut durable = Durable::default();
    let mut slots = Slots { by_index: BTreeMap::new(), free: Vec::new(), next: 0 };
    let mut entries = BTreeMap::new();
    for (&at, bytes) in disk.range(key(queue, 0)..=key(queue, u32::MAX)) {
        let slot = at as u32;
        if slot == 0 {
            let mut rest = Bytes(bytes);
            if let (Some(term), Some(voted)) = (rest.u64(), rest.u64()) {
                (durable.term, durable.voted) = (term, voted.checked_sub(1).map(|voted| voted as u32));
            }
            continue;
        }
        slots.next = slots.next.max(slot);
        slots.free.push(slot);
        if let Some(read) = read(bytes) {
            durable.base = durable.base.max(read.base);
            entries.insert(read.index, (slot, read));
        }
    }
    let (mut index, mut term) = durable.base;
    while let Some((slot, read)) = entries.remove(&(index + 1)).filter(|(_, read)| read.prev_term == term) {
        (index, term) = (index + 1, read.entry.term);
        slots.by_index.insert(index, slot);
        durable.log.push(read.entry);
    }
    // What stands behind a gap is of an earlier log, but keeps its place until that is written anew.
    slots.by_index.extend(entries.into_iter().filter(|(at, _)| *at > index).map(|(at, (slot, _))| (at, slot)));
    let taken: BTreeSet<u32> = slots.by_index.values().copied().collect();
    slots.free.retain(|slot| !taken.contains(slot));
    durable.term = durable.term.max(term);
    Found { durable, slots }
}

/// An entry as it was written.
struct Read {
    index: u64,
    prev_term: u64,
    base: (u64, u64),
    entry: Entry<Op>,
}

fn read(bytes: &[u8]) -> Option<Read> {
    let mut rest = Bytes(bytes);
    let (index, term, prev_term) = (rest.u64()?, rest.u64()?, rest.u64()?);
    let base = (rest.u64()?, rest.u64()?);
    Some(Read { index, prev_term, base, entry: Entry { term, what: take(rest)? } })
}

fn put(queue: QueueId, op: Option<&Op>, bytes: &mut Vec<u8>) {
    match op {
        None => bytes.push(0),
        Some(Op::Publish(posted)) => {
            bytes.push(1);
            bytes.extend(posted.at.as_nanos().to_le_bytes());
            bytes.push(u8::from(posted.key.is_some()));
            bytes.extend(posted.key.unwrap_or(0).to_le_bytes());
            bytes.extend(posted.incoming.ttl.map_or(u64::MAX, |ttl| ttl.as_nanos()).to_le_bytes());
            bytes.push(u8::from(posted.incoming.persistent));
            bytes.extend(Record::of(queue, &posted.incoming).bytes());
        }
        Some(Op::Settle(index, exit)) => {
            bytes.push(2);
            bytes.extend(index.to_le_bytes());
            bytes.extend(match exit {
                Exit::Acknowledged => [0, 0],
                Exit::HandedOn => [1, 0],
                Exit::LetGo(why) => [2, *why as u8],
            });
        }
        Some(Op::Return(index)) => {
            bytes.push(3);
            bytes.extend(index.to_le_bytes());
        }
    }
}

/// What was put; `None` if it is torn.
fn take(mut rest: Bytes<'_>) -> Option<Option<Op>> {
    Some(match rest.u8()? {
        0 => None,
        1 => {
            let at = Time::from_nanos(rest.u64()?);
            let (has_key, key) = (rest.u8()? == 1, rest.u64()?);
            let ttl = Some(rest.u64()?).filter(|ttl| *ttl < u64::MAX).map(ns);
            let persistent = rest.u8()? == 1;
            let record = Record::read(0, rest.0)?;
            let incoming = Incoming { ttl, persistent, ..record.incoming() };
            Some(Op::Publish(Box::new(Posted { incoming, key: has_key.then_some(key), at })))
        }
        2 => {
            let index = rest.u64()?;
            let exit = match (rest.u8()?, usize::from(rest.u8()?)) {
                (0, _) => Exit::Acknowledged,
                (1, _) => Exit::HandedOn,
                (_, why) => Exit::LetGo(*Loss::ALL.get(why)?),
            };
            Some(Op::Settle(index, exit))
        }
        _ => Some(Op::Return(rest.u64()?)),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::NodeId;
    use crate::model::broker::{Parcel, Stand};
    use crate::process::MessageId;
    use crate::protocol::amqp::{DeathReason, Deaths, Effect};

    /// What a member does.
    type Act<'a> = &'a mut dyn FnMut(&mut Member<Op>, &mut Vec<Effect<Op>>);

    fn posted(number: u32) -> Op {
        let message = MessageId { owner: NodeId::new(3), number };
        let letter_of = Some(QueueId::new(4));
        let parcel = Parcel { message, luck: 77, call: 2, letter_of, reply_to: None, stand: Stand::Nowhere };
        let mut deaths = Deaths::NONE;
        deaths.record(QueueId::new(1), DeathReason::Expired);
        let incoming = Incoming { message: parcel, size: 9, priority: 5, ttl: Some(ns(8)), persistent: false, deaths };
        Op::Publish(Box::new(Posted { incoming, key: Some(1), at: Time::from_nanos(6) }))
    }

    /// Everything that a log may hold, written and read; then its beginning is cut off, and the places are used again.
    #[test]
    fn a_log_is_found_as_it_was_written() {
        let queue = QueueId::new(7);
        let mut slots = find(queue, &BTreeMap::new()).slots;
        let mut member = Member::new(0, 1, Durable::default());
        let mut disk = BTreeMap::new();
        let mut act = |member: &mut Member<Op>, act: Act<'_>| {
            let mut effects = Vec::new();
            act(member, &mut effects);
            while let Some(effect) = effects.pop() {
                match effect {
                    Effect::Write(from, to, is_new) => disk.extend(slots.write(queue, member, from..to, is_new)),
                    Effect::Reply(_, word) => member.hear(0, word, &mut effects),
                    _ => {}
                }
            }
            slots.free_up_to(member.base().0);
        };
        act(&mut member, &mut |member, effects| member.stand(effects));
        let ops = [posted(1), Op::Settle(2, Exit::LetGo(Loss::Expired)), Op::Return(3), posted(2)];
        for op in &ops {
            act(&mut member, &mut |member, effects| _ = member.propose(Some(op.clone()), effects));
        }
        member.compact(3);
        act(&mut member, &mut |member, effects| _ = member.propose(Some(posted(3)), effects));
        act(&mut member, &mut |member, effects| _ = member.propose(Some(posted(4)), effects));
        let found = find(queue, &disk);
        assert_eq!((found.durable.term, found.durable.voted, found.durable.base), (1, Some(0), (3, 1)));
        let log: Vec<_> = found.durable.log.into_iter().map(|entry| entry.what).collect();
        assert_eq!(log, [Some(Op::Return(3)), Some(posted(2)), Some(posted(3)), Some(posted(4))]);
        assert!(found.slots.next <= 6, "places are used again");
    }
}
