//! What a broker of topics writes to its disk: its batches, one after the other.
//!
//! A batch counts as written once the broker has it in memory; the disk follows. What is on disk is there after a crash, all
//! else is gone, as it would be with the page cache of a machine that fails.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::units::Bytes;
use crate::model::bytes;
use crate::model::caller::Cx;
use crate::process::{Exit, Loss, MessageId, Observation};
use crate::protocol::log::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence, TopicPartition};
use crate::protocol::log::partition::{Acks, Batch, Control, Record, Stamp};

use super::Parcel;

/// Offsets below this have a place of their own.
const OFFSETS: u32 = 44;
/// Set in the places of high watermarks, one for each partition.
const WATERMARK: u64 = 1 << 63;

/// What a broker has on disk of all its partitions.
#[derive(Debug, Default)]
pub(super) struct Tape {
    /// By place: writes under way, and what is there once they are through.
    places: BTreeMap<u64, Spot>,
}

#[derive(Debug)]
struct Spot {
    /// Writes that are not synced yet.
    writing: u32,
    /// What is there, or will be; nothing if that was cleared.
    batch: Option<Arc<Batch<Parcel>>>,
    /// Whether `batch` is on disk.
    is_kept: bool,
}

/// A batch that an earlier life has left, and the broker's partition that it belongs to.
pub(super) type Found = (usize, Arc<Batch<Parcel>>);

/// A partition of a broker.
#[derive(Clone, Copy, Debug)]
pub(super) struct At<'a> {
    /// Which of the broker's it is.
    pub(super) index: usize,
    pub(super) partition: TopicPartition,
    /// Where its records are owed.
    pub(super) places: &'a [u16],
}

impl At<'_> {
    fn release(&self, cx: &mut Cx<'_>, message: MessageId, is_kept: bool, why: Loss) {
        for &place in self.places {
            cx.observe(Observation::Released { message, place, is_kept, exit: Exit::LetGo(why) });
        }
    }
}

/// The place of a batch of the broker's `partition`-th partition.
fn place(partition: usize, base: Offset) -> u64 {
    (partition as u64) << OFFSETS | base.0
}

impl Tape {
    /// What an earlier life has left, by partition and in order.
    pub(super) fn found(disk: &BTreeMap<u64, Vec<u8>>) -> (Self, Vec<Found>) {
        let mut tape = Self::default();
        let disk = disk.range(..WATERMARK);
        let mut found = Vec::new();
        for (&key, written) in disk {
            let Some(batch) = read(written).map(Arc::new) else { continue };
            tape.places.insert(key, Spot { writing: 0, batch: Some(Arc::clone(&batch)), is_kept: true });
            found.push(((key >> OFFSETS) as usize, batch));
        }
        (tape, found)
    }

    /// Writes a batch of `partition`. Each record is one more copy of its message, at every place where that is owed.
    pub(super) fn write(&mut self, cx: &mut Cx<'_>, at: &At<'_>, batch: &Arc<Batch<Parcel>>) {
        let risk = match batch.acks {
            Acks::None => Loss::NotAwaited,
            Acks::Leader => Loss::LeaderOnly,
            Acks::All => Loss::Unanswered,
        };
        for record in &batch.records {
            // Without keys, the order of a partition is what is promised.
            let key = record.key.unwrap_or(u64::from(at.partition.partition));
            for &place in at.places {
                cx.observe(Observation::Stored { message: record.value.message, place, key: Some(key), risk });
            }
        }
        self.put(cx, at.index, batch);
    }

    fn put(&mut self, cx: &mut Cx<'_>, partition: usize, batch: &Arc<Batch<Parcel>>) {
        let key = place(partition, batch.base);
        let spot = self.places.entry(key).or_insert(Spot { writing: 0, batch: None, is_kept: false });
        spot.writing += 1;
        (spot.batch, spot.is_kept) = (Some(Arc::clone(batch)), false);
        cx.persist(key, written(batch));
    }

    /// The high watermarks that an earlier life has noted, by partition.
    pub(super) fn watermarks(disk: &BTreeMap<u64, Vec<u8>>) -> impl Iterator<Item = (usize, Offset)> + '_ {
        disk.range(WATERMARK..)
            .filter_map(|(&key, written)| Some(((key ^ WATERMARK) as usize, Offset(bytes::Bytes(written).u64()?))))
    }

    /// Notes the high watermark of a partition.
    pub(super) fn note_watermark(cx: &mut Cx<'_>, partition: usize, offset: Offset) {
        cx.persist(WATERMARK | partition as u64, offset.0.to_le_bytes().to_vec());
    }

    /// A batch is gone.
    pub(super) fn clear(&mut self, cx: &mut Cx<'_>, at: &At<'_>, batch: &Batch<Parcel>, why: impl Fn(Offset) -> Loss) {
        let key = place(at.index, batch.base);
        let Some(spot) = self.places.get_mut(&key) else { return };
        let is_kept = std::mem::take(&mut spot.is_kept);
        let before = spot.batch.take();
        spot.writing += 1;
        cx.persist(key, Vec::new());
        for (offset, record) in before.iter().flat_map(|batch| batch.records()) {
            at.release(cx, record.value.message, is_kept, why(offset));
        }
    }

    /// Compaction has left less of the batches of a partition than was there.
    pub(super) fn shrink<'a>(
        &mut self,
        cx: &mut Cx<'_>,
        at: &At<'_>,
        left: impl Iterator<Item = &'a Arc<Batch<Parcel>>>,
    ) {
        let left: BTreeMap<u64, &Arc<Batch<Parcel>>> = left.map(|batch| (place(at.index, batch.base), batch)).collect();
        let range = place(at.index, Offset::ZERO)..place(at.index + 1, Offset::ZERO);
        let held = self
            .places
            .range(range)
            .filter_map(|(&key, spot)| Some((key, Arc::clone(spot.batch.as_ref()?), spot.is_kept)));
        let held: Vec<_> = held.collect();
        for (key, before, is_kept) in held {
            match left.get(&key) {
                None => self.clear(cx, at, &before, |_| Loss::Compaction),
                Some(after) if after.records.len() < before.records.len() => {
                    let kept: BTreeSet<_> = after.records.iter().map(|record| record.value.message).collect();
                    let gone = before.records.iter().map(|record| record.value.message);
                    for message in gone.filter(|message| !kept.contains(message)) {
                        at.release(cx, message, is_kept, Loss::Compaction);
                    }
                    self.put(cx, at.index, after);
                    if let (true, Some(spot)) = (is_kept, self.places.get_mut(&key)) {
                        // The longer one is on disk until the shorter one is.
                        spot.is_kept = true;
                    }
                }
                Some(_) => {}
            }
        }
    }

    /// A write is synced.
    pub(super) fn persisted<'s>(&mut self, cx: &mut Cx<'_>, key: u64, places: impl Fn(usize) -> &'s [u16]) {
        let Some(spot) = self.places.get_mut(&key) else { return };
        spot.writing -= 1;
        if spot.writing > 0 {
            return;
        }
        let Some(batch) = &spot.batch else {
            self.places.remove(&key);
            return;
        };
        if !std::mem::replace(&mut spot.is_kept, true) {
            for record in &batch.records {
                for &place in places((key >> OFFSETS) as usize) {
                    cx.observe(Observation::Kept { message: record.value.message, place });
                }
            }
        }
    }
}

fn written(batch: &Batch<Parcel>) -> Vec<u8> {
    let mut out = Vec::with_capacity(48 + 48 * batch.records.len());
    out.extend(batch.base.0.to_le_bytes());
    out.extend(batch.last.0.to_le_bytes());
    out.extend(batch.epoch.0.to_le_bytes());
    out.extend(batch.size.count().to_le_bytes());
    out.push(batch.acks as u8);
    out.push(batch.control.map_or(0, |control| 1 + control as u8));
    out.push(
        u8::from(batch.is_transactional)
            | u8::from(batch.stamp.is_some()) << 1
            | u8::from(batch.offsets.is_some()) << 2,
    );
    if let Some(stamp) = batch.stamp {
        out.extend(stamp.producer.0.to_le_bytes());
        out.extend(stamp.epoch.0.to_le_bytes());
        out.extend(stamp.sequence.0.to_le_bytes());
    }
    for (offset, record) in batch.records() {
        if batch.offsets.is_some() {
            out.extend(offset.0.to_le_bytes());
        }
        out.extend(record.value.message.owner.index().to_le_bytes());
        out.extend(record.value.message.number.to_le_bytes());
        out.extend(record.value.luck.to_le_bytes());
        out.extend(record.value.call.to_le_bytes());
        out.extend(record.size.count().to_le_bytes());
        out.extend(record.timestamp.as_nanos().to_le_bytes());
        out.push(u8::from(record.is_tombstone) | u8::from(record.key.is_some()) << 1);
        out.extend(record.key.unwrap_or(0).to_le_bytes());
    }
    out
}

/// A batch as it was written. A torn one is of no use.
fn read(written: &[u8]) -> Option<Batch<Parcel>> {
    let mut from = bytes::Bytes(written);
    let (base, last, epoch) = (Offset(from.u64()?), Offset(from.u64()?), LeaderEpoch(from.u32()?));
    let size = Bytes::new(from.u64()?);
    let acks = [Acks::None, Acks::Leader, Acks::All].into_iter().find({
        let written = from.u8()?;
        move |acks| *acks as u8 == written
    })?;
    let control = match from.u8()? {
        0 => None,
        1 => Some(Control::Commit),
        _ => Some(Control::Abort),
    };
    let flags = from.u8()?;
    let stamp = match flags & 2 {
        0 => None,
        _ => Some(Stamp {
            producer: ProducerId(from.u64()?),
            epoch: ProducerEpoch(from.u16()?),
            sequence: Sequence(from.u32()?),
        }),
    };
    let (mut records, mut offsets) = (Vec::new(), Vec::new());
    while !from.0.is_empty() {
        if flags & 4 != 0 {
            offsets.push(Offset(from.u64()?));
        }
        let message = MessageId { owner: NodeId::new(from.u32()?), number: from.u32()? };
        let value = Parcel { message, luck: from.u64()?, call: from.u16()? };
        let (size, timestamp) = (Bytes::new(from.u64()?), Time::from_nanos(from.u64()?));
        let flags = from.u8()?;
        let key = from.u64()?;
        let key = (flags & 2 != 0).then_some(key);
        records.push(Record { key, value, size, timestamp, is_tombstone: flags & 1 != 0 });
    }
    Some(Batch {
        base,
        last,
        epoch,
        stamp,
        is_transactional: flags & 1 != 0,
        control,
        acks,
        size,
        records,
        offsets: (flags & 4 != 0).then(|| offsets.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    fn record(number: u32) -> Record<Parcel> {
        let message = MessageId { owner: NodeId::new(7), number };
        Record {
            key: number.is_multiple_of(2).then_some(u64::MAX - 1),
            value: Parcel { message, luck: u64::MAX - 5, call: 300 },
            size: Bytes::new(1 << 33),
            timestamp: Time::ZERO + secs(3),
            is_tombstone: number == 3,
        }
    }

    #[test]
    fn a_batch_is_read_as_it_was_written_and_a_torn_one_is_not() {
        let stamp = Stamp { producer: ProducerId(9), epoch: ProducerEpoch(2), sequence: Sequence(77) };
        let plain = Batch {
            base: Offset(5),
            last: Offset(8),
            epoch: LeaderEpoch(4),
            stamp: None,
            is_transactional: false,
            control: None,
            acks: Acks::Leader,
            size: Bytes::new(400),
            records: (0..4).map(record).collect(),
            offsets: None,
        };
        let stamped = Batch { stamp: Some(stamp), is_transactional: true, acks: Acks::All, ..plain.clone() };
        let gaps = Batch {
            offsets: Some([Offset(5), Offset(8)].into()),
            records: vec![record(0), record(3)],
            ..stamped.clone()
        };
        let marker = Batch { control: Some(Control::Abort), records: Vec::new(), last: Offset(5), ..stamped.clone() };
        for batch in [plain, stamped, gaps, marker] {
            let written = written(&batch);
            assert_eq!(read(&written).as_ref(), Some(&batch));
            assert_eq!(read(&written[..20]), None);
            assert!(batch.records.is_empty() || read(&written[..written.len() - 1]).is_none());
        }
        assert_eq!(read(&[]), None);
    }
}
