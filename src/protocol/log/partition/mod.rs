//! One replica's log of one partition: batches by offset, and what follows from them.
//!
//! The log begins at the *log start offset* and ends before the *log end offset*. Below the *high watermark* all is replicated,
//! and consumers see no further; below the *last stable offset* no transaction is open, and consumers of committed records
//! see no further. A leader assigns offsets ([`PartitionLog::append_as_leader`]), a follower keeps them
//! ([`PartitionLog::append_as_follower`]).
//!
//! The log knows nothing of brokers: who leads, who follows and how far is the business of [`replica`](super::replica).
//! Appending, fetching and moving the high watermark take O(log n); truncation replays what is left, as a restart would.
//!
//! Source: Apache Kafka 3.9 and 4.0, `UnifiedLog`, `LocalLog`, `ProducerStateManager`, `LeaderEpochFileCache`.

mod batch;
mod compaction;
mod epochs;
mod fetch;
mod producers;
mod records;
mod segments;
mod settings;
#[cfg(test)]
mod tests;
mod transactions;

use std::collections::VecDeque;
use std::sync::Arc;

pub use batch::{Acks, BATCH_OVERHEAD, Batch, Control, MARKER_SIZE, NewBatch, Record, Stamp};
pub use compaction::Compacted;
pub use epochs::EpochEnd;
pub use fetch::{Fetched, Isolation, OffsetOutOfRange};
pub use producers::BATCHES_KEPT;
pub use records::Records;
pub use settings::{CleanupPolicy, LOG, LogSettings};
pub use transactions::Aborted;

use super::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::base::time::Time;
use crate::base::units::{Bytes, bytes};
use epochs::Epochs;
use producers::Producers;
use segments::Segments;
use transactions::Transactions;

/// The log of a partition, whose owner keeps an `M` for every record.
#[derive(Clone, Debug)]
pub struct PartitionLog<M> {
    settings: LogSettings,
    batches: VecDeque<Stored<M>>,
    segments: Segments,
    start: Offset,
    end: Offset,
    high_watermark: Offset,
    /// How many bytes were ever written, deleted ones included.
    written: u64,
    epochs: Epochs,
    producers: Producers,
    transactions: Transactions,
    /// Compaction has been here.
    clean_until: Offset,
}

/// A batch and how many bytes were written before it.
#[derive(Clone, Debug)]
struct Stored<M> {
    batch: Arc<Batch<M>>,
    position: u64,
}

/// Where a batch stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Appended {
    /// The offset of its first record.
    pub base: Offset,
    /// The offset of its last record.
    pub last: Offset,
    /// Whether it had been appended before: it is acknowledged and not appended again.
    pub is_duplicate: bool,
}

/// Why a batch was not appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AppendError {
    /// Its producer has been fenced by a later incarnation (`INVALID_PRODUCER_EPOCH`).
    InvalidProducerEpoch,
    /// A batch before it is missing (`OUT_OF_ORDER_SEQUENCE_NUMBER`).
    OutOfOrderSequence,
    /// A record has no key, but the log is compacted; or there is no record at all (`INVALID_RECORD`).
    InvalidRecord,
    /// It is larger than `max-message-bytes` (`MESSAGE_TOO_LARGE`).
    MessageTooLarge,
}

/// Why a fetched batch was not appended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum FollowError {
    /// The log holds it, or some of it, already (`UnexpectedAppendOffsetException`).
    Overlap,
    /// Batches before it are missing.
    Gap,
}

impl<M: Copy> PartitionLog<M> {
    /// An empty log.
    pub fn new(settings: &LogSettings) -> Self {
        Self {
            settings: settings.clone(),
            batches: VecDeque::new(),
            segments: Segments::default(),
            start: Offset::ZERO,
            end: Offset::ZERO,
            high_watermark: Offset::ZERO,
            written: 0,
            epochs: Epochs::default(),
            producers: Producers::default(),
            transactions: Transactions::default(),
            clean_until: Offset::ZERO,
        }
    }

    /// The settings of its topic.
    pub fn settings(&self) -> &LogSettings {
        &self.settings
    }

    /// The earliest offset that is left.
    pub fn start(&self) -> Offset {
        self.start
    }

    /// The offset that the next record gets.
    pub fn end(&self) -> Offset {
        self.end
    }

    /// Below it all is replicated.
    pub fn high_watermark(&self) -> Offset {
        self.high_watermark
    }

    /// Below it all is replicated, and no transaction is open.
    pub fn last_stable(&self) -> Offset {
        self.transactions.first_unstable().map_or(self.high_watermark, |first| first.min(self.high_watermark))
    }

    /// How many bytes it holds.
    pub fn size(&self) -> Bytes {
        self.segments.size()
    }

    /// The leader epoch of its last batch.
    pub fn latest_epoch(&self) -> Option<LeaderEpoch> {
        self.epochs.latest()
    }

    /// Its batches, in order.
    pub fn batches(&self) -> impl DoubleEndedIterator<Item = &Arc<Batch<M>>> {
        self.batches.iter().map(|stored| &stored.batch)
    }

    /// Writes a batch behind the last one, unless its producer wrote it already.
    ///
    /// # Errors
    /// If it breaks a rule of the topic or of idempotence: then nothing is written.
    pub fn append_as_leader(&mut self, new: NewBatch<M>, epoch: LeaderEpoch) -> Result<Appended, AppendError> {
        let needs_keys = self.settings.cleanup_policy.compacts();
        if new.records.is_empty() || needs_keys && new.records.iter().any(|record| record.key.is_none()) {
            return Err(AppendError::InvalidRecord);
        }
        if new.size > self.settings.max_message_bytes {
            return Err(AppendError::MessageTooLarge);
        }
        if let Some(stamp) = new.stamp
            && let Some((base, last)) = self.producers.check(stamp, new.last_sequence(stamp))?
        {
            return Ok(Appended { base, last, is_duplicate: true });
        }
        let base = self.end;
        let last = base.plus(new.records.len() as u64 - 1);
        self.write(Arc::new(Batch {
            base,
            last,
            epoch,
            stamp: new.stamp,
            is_transactional: new.is_transactional,
            control: None,
            acks: new.acks,
            size: new.size,
            records: new.records.as_slice().into(),
            offsets: None,
        }));
        Ok(Appended { base, last, is_duplicate: false })
    }

    /// Writes the end of a producer's transaction, at `now`.
    ///
    /// # Errors
    /// If the producer has been fenced by a later incarnation.
    pub fn append_marker(
        &mut self,
        (producer, producer_epoch): (ProducerId, ProducerEpoch),
        control: Control,
        epoch: LeaderEpoch,
        now: Time,
    ) -> Result<Offset, AppendError> {
        self.producers.check_marker(producer, producer_epoch)?;
        let base = self.end;
        self.write_at(
            Arc::new(Batch {
                base,
                last: base,
                epoch,
                stamp: Some(Stamp { producer, epoch: producer_epoch, sequence: Sequence(0) }),
                is_transactional: true,
                control: Some(control),
                acks: Acks::All,
                size: MARKER_SIZE,
                records: Records::from(&[][..]),
                offsets: None,
            }),
            now,
        );
        Ok(base)
    }

    /// Writes a batch that was fetched from the leader. Only a compacted log has gaps.
    ///
    /// # Errors
    /// If it does not begin where this log ends.
    pub fn append_as_follower(&mut self, batch: Arc<Batch<M>>) -> Result<(), FollowError> {
        if batch.base < self.end {
            return Err(FollowError::Overlap);
        }
        if batch.base > self.end && !self.settings.cleanup_policy.compacts() {
            return Err(FollowError::Gap);
        }
        self.write(batch);
        Ok(())
    }

    fn write(&mut self, batch: Arc<Batch<M>>) {
        let latest = batch.latest();
        self.write_at(batch, latest);
    }

    fn write_at(&mut self, batch: Arc<Batch<M>>, latest: Time) {
        self.segments.append(batch.base, batch.size, latest, &self.settings);
        self.note(&batch, latest);
        self.end = batch.last.next();
        let position = self.written;
        self.written += batch.size.count();
        self.batches.push_back(Stored { batch, position });
    }

    /// What a batch says about leaders, producers and transactions.
    fn note(&mut self, batch: &Batch<M>, latest: Time) {
        self.epochs.note(batch.epoch, batch.base);
        let Some(stamp) = batch.stamp else { return };
        if let Some(control) = batch.control {
            self.producers.note_marker(stamp.producer, stamp.epoch, latest);
            self.transactions.end(stamp.producer, batch.base, control == Control::Abort);
            return;
        }
        let last = stamp.sequence.plus(batch.last.since(batch.base));
        self.producers.note(stamp, last, batch.base, batch.last, latest);
        if batch.is_transactional {
            self.transactions.note(stamp.producer, batch.base);
        }
    }

    /// Moves the high watermark, but not beyond the ends of the log; where it is now.
    pub fn set_high_watermark(&mut self, offset: Offset) -> Offset {
        self.high_watermark = offset.clamp(self.start, self.end);
        self.transactions.replicated(self.high_watermark);
        self.high_watermark
    }

    /// Where this leader epoch ends here (`OffsetForLeaderEpoch`); nothing if it is later than all that are known.
    pub fn end_of_epoch(&self, epoch: LeaderEpoch) -> Option<EpochEnd> {
        self.epochs.end_of(epoch, self.end)
    }

    /// Up to where this log can agree with that of a leader in which an epoch ends so, and whether that is certain: if not, the
    /// epoch is not known here, and the leader has to be asked again (KIP-279).
    pub fn agreement(&self, leader: EpochEnd) -> (Offset, bool) {
        match self.end_of_epoch(leader.epoch) {
            Some(own) if own.epoch != leader.epoch => (own.end.min(self.end), false),
            Some(own) => (own.end.min(leader.end).min(self.end), true),
            None => (leader.end.min(self.end), true),
        }
    }

    /// Takes off all batches that reach `offset` or beyond, and returns them. If `offset` lies within a batch, the log ends
    /// before that batch.
    pub fn truncate(&mut self, offset: Offset) -> Vec<Arc<Batch<M>>> {
        if offset >= self.end {
            return Vec::new();
        }
        let keep = self.batches.partition_point(|stored| stored.batch.last < offset);
        let cut: Vec<_> = self.batches.drain(keep..).map(|stored| stored.batch).collect();
        self.end = cut.first().map_or(offset, |first| offset.min(first.base)).max(self.start);
        let lost = cut.iter().map(|batch| batch.size.count()).sum();
        self.segments.truncate(cut.len(), lost);
        self.written = self.batches.back().map_or(self.written - lost, |last| last.position + last.batch.size.count());
        self.clean_until = self.clean_until.min(self.end);
        self.replay();
        cut
    }

    /// Learns again from what is left who wrote it.
    fn replay(&mut self) {
        self.epochs.truncate_end(self.end);
        self.producers.clear();
        self.transactions.clear();
        for index in 0..self.batches.len() {
            let batch = Arc::clone(&self.batches[index].batch);
            self.note(&batch, batch.latest());
        }
        let _ = self.set_high_watermark(self.high_watermark);
    }

    /// Forgets all and begins at `offset`: what a follower does whose end the leader has deleted already.
    pub fn restart_at(&mut self, offset: Offset) -> Vec<Arc<Batch<M>>> {
        let cut = self.batches.drain(..).map(|stored| stored.batch).collect();
        self.segments = Segments::default();
        self.epochs.clear();
        self.producers.clear();
        self.transactions.clear();
        (self.start, self.end, self.high_watermark, self.clean_until) = (offset, offset, offset, offset);
        cut
    }

    /// Deletes the records below `offset`, as far as they are replicated (`DeleteRecords`); what became of the log start. Space
    /// is given back by [`PartitionLog::retain`].
    pub fn delete_below(&mut self, offset: Offset) -> Offset {
        self.start = self.start.max(offset.min(self.high_watermark));
        self.start
    }

    /// Deletes old segments: those that retention by time or size no longer wants, and those below the log start. A segment goes
    /// as a whole, and not before all of it is replicated. The batches that are gone.
    pub fn retain(&mut self, now: Time) -> Vec<Arc<Batch<M>>> {
        self.producers.expire(now, self.settings.producer_id_expiration);
        let upper = self.high_watermark;
        let (gone, base) = self.segments.retain(self.start, upper, self.end, now, &self.settings);
        let cut = self.batches.drain(..gone).map(|stored| stored.batch).collect();
        if let Some(base) = base {
            self.start = self.start.max(base);
            self.epochs.truncate_start(self.start);
            self.transactions.truncate_start(self.start);
            self.clean_until = self.clean_until.max(self.start);
        }
        cut
    }

    /// How many bytes of whole batches lie from `from` to `until`, which takes O(log n).
    fn bytes_between(&self, from: Offset, until: Offset) -> Bytes {
        let position = |index: usize| self.batches.get(index).map_or(self.written, |stored| stored.position);
        let first = self.batches.partition_point(|stored| stored.batch.last < from);
        let behind = self.batches.partition_point(|stored| stored.batch.last < until);
        bytes(position(behind).saturating_sub(position(first)))
    }
}
