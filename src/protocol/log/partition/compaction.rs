//! Compaction: of every key the latest record is kept, at its offset.
//!
//! Only closed segments are rewritten, and only up to what is replicated and decided. What was aborted goes, tombstones and markers
//! stay for `delete-retention-ms`. A batch of which no record is left goes as well, unless it holds the last sequence of its
//! producer. Reading a compacted log shows gaps, but never a record out of order, and always the latest of a key.
//!
//! Source: Apache Kafka 4.0, `LogCleaner`, `Cleaner`; documentation, section "Log Compaction". Which logs are cleaned when
//! (`min.cleanable.dirty.ratio`) is the owner's question: [`PartitionLog::dirty_ratio`] answers it.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use super::{Control, PartitionLog, Stored};
use crate::base::time::Time;
use crate::protocol::log::ids::Offset;

/// What a compaction took away.
#[derive(Clone, PartialEq, Debug)]
pub struct Compacted<M> {
    /// The records that are gone.
    pub removed: Vec<(Offset, M)>,
    /// How many bytes are gone, headers included.
    pub bytes: u64,
}

impl<M> Default for Compacted<M> {
    fn default() -> Self {
        Self { removed: Vec::new(), bytes: 0 }
    }
}

impl<M: Copy> PartitionLog<M> {
    /// The share of the bytes that could be compacted of those that are or could be.
    pub fn dirty_ratio(&self, now: Time) -> f64 {
        let end = self.cleanable(now);
        let clean = self.bytes_between(self.start, self.clean_until).count();
        let dirty = self.bytes_between(self.clean_until, end.max(self.clean_until)).count();
        if dirty == 0 { 0.0 } else { dirty as f64 / (clean + dirty) as f64 }
    }

    /// Up to where compaction may go.
    fn cleanable(&self, now: Time) -> Offset {
        let decided = self.last_stable().min(self.segments.active().unwrap_or(self.start));
        let mut end = self.start;
        for (next, _, latest) in self.segments.closed() {
            if next > decided || now.since(latest) < self.settings.min_compaction_lag {
                break;
            }
            end = next;
        }
        end
    }

    /// Rewrites the closed segments, if the topic is compacted; O(n log n).
    pub fn compact(&mut self, now: Time) -> Compacted<M> {
        let mut report = Compacted::default();
        let end = self.cleanable(now);
        if !self.settings.cleanup_policy.compacts() || end <= self.clean_until {
            return report;
        }
        let count = self.batches.partition_point(|stored| stored.batch.base < end);
        let latest = self.latest_offsets(count);
        let needed: BTreeSet<_> = self.producers.last_batches().collect();
        let old: Vec<_> = self.segments.closed().take_while(|&(next, ..)| next <= end).collect();
        let mut source: VecDeque<_> = self.batches.drain(..count).map(|stored| stored.batch).collect();
        let mut kept = Vec::with_capacity(count);
        for (number, (_, batches, newest)) in old.into_iter().enumerate() {
            let is_settled = now.since(newest) >= self.settings.delete_retention;
            let (mut left, mut size) = (0, 0);
            for batch in source.drain(..batches) {
                let is_aborted = batch.is_transactional
                    && batch.stamp.is_some_and(|stamp| self.transactions.is_aborted(stamp.producer, batch.base));
                let mut removed = Vec::new();
                let filtered = batch.filtered(|offset, record| {
                    let is_latest = record.key.is_none_or(|key| latest.get(&key).is_none_or(|&last| offset >= last));
                    let stays = is_latest && !is_aborted && !(record.is_tombstone && is_settled);
                    if !stays {
                        removed.push((offset, record.value));
                    }
                    stays
                });
                let before = batch.size.count();
                let batch = filtered.map_or(batch, Arc::new);
                let goes = if batch.control.is_some() {
                    is_settled
                } else {
                    batch.is_empty() && !needed.contains(&batch.base)
                };
                report.removed.append(&mut removed);
                if goes {
                    report.bytes += before;
                    continue;
                }
                report.bytes += before - batch.size.count();
                left += 1;
                size += batch.size.count();
                kept.push(batch);
            }
            self.segments.rewrite(number, left, size);
        }
        // Positions count backwards from those that did not move.
        let mut position = self.batches.front().map_or(self.written, |stored| stored.position);
        for batch in kept.into_iter().rev() {
            position = position.saturating_sub(batch.size.count());
            self.batches.push_front(Stored { batch, position });
        }
        self.clean_until = end;
        report
    }

    /// Of every key in the first batches, the offset of the latest record that was not aborted.
    fn latest_offsets(&self, count: usize) -> BTreeMap<u64, Offset> {
        let mut latest = BTreeMap::new();
        for Stored { batch, .. } in self.batches.range(..count) {
            let aborted = |producer| batch.is_transactional && self.transactions.is_aborted(producer, batch.base);
            if batch.control == Some(Control::Abort) || batch.stamp.is_some_and(|stamp| aborted(stamp.producer)) {
                continue;
            }
            latest.extend(batch.records().filter_map(|(offset, record)| Some((record.key?, offset))));
        }
        latest
    }
}
