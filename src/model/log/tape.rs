//! What a broker of topics writes to its disk: its batches, one after the other.
//!
//! A batch counts as written once the broker has it in memory; the disk follows. What is on disk is there after a crash, all
//! else is gone, as it would be with the page cache of a machine that fails.

mod written;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::model::bytes::Bytes;
use crate::model::caller::Cx;
use crate::process::{Exit, Loss, MessageId, Observation};
use crate::protocol::log::ids::{Offset, TopicPartition};
use crate::protocol::log::partition::{Acks, Batch};

use super::Parcel;
use written::{read, written};

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
        for record in batch.records.iter() {
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
            .filter_map(|(&key, written)| Some(((key ^ WATERMARK) as usize, Offset(Bytes(written).u64()?))))
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
                    let kept: BTreeSet<_> = after.records.values().iter().map(|value| value.message).collect();
                    let gone = before.records.values().iter().map(|value| value.message);
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

    /// A write is synced: what that means is stated.
    pub(super) fn persisted<'s>(
        &mut self,
        key: u64,
        places: impl Fn(usize) -> &'s [u16],
        state: &mut dyn FnMut(Observation),
    ) {
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
            for record in batch.records.iter() {
                for &place in places((key >> OFFSETS) as usize) {
                    state(Observation::Kept { message: record.value.message, place });
                }
            }
        }
    }
}
