//! Records, and the batches in which they are written, replicated and fetched.
//!
//! A batch is never changed once it has offsets: the leader, its followers and responses share it.

use super::Records;
use crate::base::time::Time;
use crate::base::units::{Bytes, bytes};
use crate::protocol::log::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::words;

/// The header of a batch (`RECORD_BATCH_OVERHEAD`, message format 2).
pub const BATCH_OVERHEAD: Bytes = bytes(61);

/// A commit or abort marker: a batch of one control record.
pub const MARKER_SIZE: Bytes = bytes(78);

words! {
    /// When a produce request is answered.
    pub enum Acks {
        /// Never: the producer takes what it sent for written.
        None = "0",
        /// Once the leader has written it.
        Leader = "1",
        /// Once all in-sync replicas have it.
        All = "all",
    }
}

/// One record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Record<M> {
    /// Its key; compaction keeps the latest record of each.
    pub key: Option<u64>,
    /// What the owner keeps for it.
    pub value: M,
    /// Its size, uncompressed.
    pub size: Bytes,
    /// When it was made (`CreateTime`).
    pub timestamp: Time,
    /// Whether it has no value: compaction forgets its key.
    pub is_tombstone: bool,
}

/// What an idempotent producer writes on a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Stamp {
    /// Who.
    pub producer: ProducerId,
    /// In which incarnation.
    pub epoch: ProducerEpoch,
    /// The number of the first record.
    pub sequence: Sequence,
}

/// How a transaction ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Control {
    /// What it wrote counts.
    Commit,
    /// It does not.
    Abort,
}

/// A batch as a producer sends it.
#[derive(Clone, PartialEq, Debug)]
pub struct NewBatch<M> {
    /// Who sends it, if the producer is idempotent.
    pub stamp: Option<Stamp>,
    /// Whether it belongs to a transaction.
    pub is_transactional: bool,
    /// When it is answered. A broker does not store that; it is kept for reports of what was lost.
    pub acks: Acks,
    /// Its records, of which there is at least one.
    pub records: Vec<Record<M>>,
    /// Its size with header, after compression.
    pub size: Bytes,
}

impl<M> NewBatch<M> {
    /// A batch without compression of a producer that is not idempotent.
    pub fn new(records: Vec<Record<M>>, acks: Acks) -> Self {
        let size = records.iter().fold(BATCH_OVERHEAD, |sum, record| sum + record.size);
        Self { stamp: None, is_transactional: false, acks, records, size }
    }

    /// The sequence of its last record.
    pub(super) fn last_sequence(&self, stamp: Stamp) -> Sequence {
        stamp.sequence.plus(self.records.len() as u64 - 1)
    }
}

/// A batch in a log.
#[derive(Clone, PartialEq, Debug)]
pub struct Batch<M> {
    /// The offset of its first record.
    pub base: Offset,
    /// The offset of its last record, even if compaction has removed that.
    pub last: Offset,
    /// Under which leader it was written.
    pub epoch: LeaderEpoch,
    /// Who sent it, if the producer was idempotent.
    pub stamp: Option<Stamp>,
    /// Whether it belongs to a transaction.
    pub is_transactional: bool,
    /// Whether it ends a transaction, and how.
    pub control: Option<Control>,
    /// When its producer was answered.
    pub acks: Acks,
    /// Its size with header, after compression.
    pub size: Bytes,
    /// The records that are left.
    pub records: Records<M>,
    /// Where they stand, once some are missing.
    pub offsets: Option<Box<[Offset]>>,
}

impl<M: Copy> Batch<M> {
    /// The records that are left, in order of their offsets.
    pub fn records(&self) -> impl Iterator<Item = (Offset, Record<M>)> {
        self.records.iter().enumerate().map(|(index, record)| {
            let offset = self.offsets.as_ref().map_or(self.base.plus(index as u64), |offsets| offsets[index]);
            (offset, record)
        })
    }

    /// How many are left.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Whether none is left: a marker, or a batch that only tells of its producer's sequence.
    pub fn is_empty(&self) -> bool {
        self.records.is_empty()
    }

    /// The sequence of its last record, if its producer was idempotent.
    pub fn last_sequence(&self) -> Option<Sequence> {
        self.stamp.map(|stamp| stamp.sequence.plus(self.last.since(self.base)))
    }

    /// The latest timestamp of its records.
    pub(super) fn latest(&self) -> Time {
        self.records.iter().map(|record| record.timestamp).max().unwrap_or_default()
    }

    /// This batch without the records that are not `kept`; itself if all are. The size shrinks in proportion.
    pub(super) fn filtered(&self, mut kept: impl FnMut(Offset, Record<M>) -> bool) -> Option<Self> {
        let left: Vec<_> = self.records().filter(|&(offset, record)| kept(offset, record)).collect();
        if left.len() == self.len() {
            return None;
        }
        let raw = |sum: u64, size: Bytes| sum + size.count();
        let before = self.records.iter().map(|record| record.size).fold(0, raw);
        let after = left.iter().map(|(_, record)| record.size).fold(0, raw);
        let body = self.size.count().saturating_sub(BATCH_OVERHEAD.count());
        let shrunk = u128::from(body) * u128::from(after) / u128::from(before.max(1));
        Some(Self {
            size: BATCH_OVERHEAD + bytes(shrunk as u64),
            offsets: Some(left.iter().map(|&(offset, _)| offset).collect()),
            records: left.iter().map(|&(_, record)| record).collect::<Vec<_>>().as_slice().into(),
            ..*self
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::testing::{batch, o, stamped};

    fn stored(new: NewBatch<u32>, base: u64) -> Batch<u32> {
        Batch {
            base: o(base),
            last: o(base + new.records.len() as u64 - 1),
            epoch: LeaderEpoch(1),
            stamp: new.stamp,
            is_transactional: false,
            control: None,
            acks: new.acks,
            size: new.size,
            records: new.records.as_slice().into(),
            offsets: None,
        }
    }

    /// A header of 61 bytes and three records of 100 bytes.
    #[test]
    fn a_batch_is_its_header_and_its_records() {
        assert_eq!(batch([1, 2, 3]).size, bytes(361));
    }

    /// Of three records one is left: its offset, the last offset and the last sequence stay, the size is 61 + 300 / 3.
    #[test]
    fn what_is_left_of_a_batch_keeps_its_offsets() {
        let whole = stored(stamped(1, 0, 7, [1, 2, 3]), 10);
        let left = whole.filtered(|offset, _| offset == o(11)).unwrap();
        assert_eq!(left.records().map(|(offset, record)| (offset, record.value)).collect::<Vec<_>>(), [(o(11), 2)]);
        assert_eq!((left.base, left.last, left.size), (o(10), o(12), bytes(161)));
        assert_eq!(left.last_sequence(), Some(Sequence(9)));
        assert_eq!(whole.filtered(|_, _| true), None);
    }
}
