//! Reading a log: whole batches up to what the reader may see.
//!
//! A broker does not look into batches. It hands out those of aborted transactions as well, with a list of these transactions,
//! and the consumer leaves them out ([`Fetched::records`]), as `CompletedFetch` does.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::{Aborted, Batch, Control, PartitionLog, Record};
use crate::base::units::Bytes;
use crate::protocol::log::ids::Offset;
use crate::words;

words! {
    /// Up to where a fetch reads.
    pub enum Isolation {
        /// All that is replicated.
        ReadUncommitted = "read-uncommitted",
        /// All that is replicated, up to the first open transaction, without what was aborted.
        ReadCommitted = "read-committed",
        /// All there is: for followers.
        LogEnd = "log-end",
    }
}

/// There is no such offset in the log (`OFFSET_OUT_OF_RANGE`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OffsetOutOfRange {
    /// The earliest offset that is left.
    pub start: Offset,
    /// The end of what the reader may see, where one begins who begins with the latest record.
    pub end: Offset,
}

/// What a fetch found.
#[derive(Clone, PartialEq, Debug)]
pub struct Fetched<M> {
    /// Whole batches; the first may begin before the offset that was asked for.
    pub batches: Vec<Arc<Batch<M>>>,
    /// Their size.
    pub size: Bytes,
    /// The high watermark.
    pub high_watermark: Offset,
    /// The last stable offset.
    pub last_stable: Offset,
    /// The log start offset.
    pub start: Offset,
    /// The aborted transactions that may have written some of the batches, if only committed records are read.
    pub aborted: Vec<Aborted>,
}

impl<M: Copy> PartitionLog<M> {
    /// Reads from `from` on, at most `max` bytes. With `at_least_one`, the first batch is returned even if it is larger (KIP-74).
    ///
    /// # Errors
    /// If `from` lies before the log start or behind the log end. Between what the reader may see and the log end, nothing is
    /// found, which is no error.
    pub fn fetch(
        &self,
        from: Offset,
        max: Bytes,
        isolation: Isolation,
        at_least_one: bool,
    ) -> Result<Fetched<M>, OffsetOutOfRange> {
        let until = self.readable_until(from, isolation)?;
        let first = self.batches.partition_point(|stored| stored.batch.last < from);
        let (mut batches, mut size) = (Vec::new(), 0);
        for stored in self.batches.range(first..) {
            let total = size + stored.batch.size.count();
            let fits = total <= max.count() || at_least_one && batches.is_empty();
            if stored.batch.last >= until || !fits {
                break;
            }
            size = total;
            batches.push(Arc::clone(&stored.batch));
        }
        let aborted = match (isolation, batches.last()) {
            (Isolation::ReadCommitted, Some(last)) => self.transactions.aborted(from, last.last.next()),
            _ => Vec::new(),
        };
        Ok(Fetched {
            batches,
            size: Bytes::new(size),
            high_watermark: self.high_watermark,
            last_stable: self.last_stable(),
            start: self.start,
            aborted,
        })
    }

    /// How many bytes a fetch from `from` would find if it might take all.
    ///
    /// # Errors
    /// As [`PartitionLog::fetch`].
    pub fn available(&self, from: Offset, isolation: Isolation) -> Result<Bytes, OffsetOutOfRange> {
        let until = self.readable_until(from, isolation)?;
        Ok(if from >= until { Bytes::new(0) } else { self.bytes_between(from, until) })
    }

    fn readable_until(&self, from: Offset, isolation: Isolation) -> Result<Offset, OffsetOutOfRange> {
        let end = match isolation {
            Isolation::LogEnd => self.end,
            Isolation::ReadUncommitted => self.high_watermark,
            Isolation::ReadCommitted => self.last_stable(),
        };
        if from < self.start || from > self.end {
            return Err(OffsetOutOfRange { start: self.start, end: end.max(self.start) });
        }
        Ok(end)
    }
}

impl<M: Copy> Fetched<M> {
    /// The records from `from` on that a consumer returns: neither markers nor what was aborted.
    pub fn records(&self, from: Offset) -> Vec<(Offset, Record<M>)> {
        let mut pending = self.aborted.clone();
        pending.sort_unstable_by_key(|aborted| std::cmp::Reverse(aborted.first));
        let mut aborting = BTreeSet::new();
        let mut found = Vec::new();
        for batch in &self.batches {
            while let Some(aborted) = pending.pop_if(|aborted| aborted.first <= batch.last) {
                aborting.insert(aborted.producer);
            }
            match (batch.stamp, batch.control) {
                (Some(stamp), Some(Control::Abort)) => drop(aborting.remove(&stamp.producer)),
                (_, Some(Control::Commit)) => {}
                (Some(stamp), None) if batch.is_transactional && aborting.contains(&stamp.producer) => {}
                _ => {
                    found.extend(batch.records().filter(|&(offset, _)| offset >= from));
                }
            }
        }
        found
    }

    /// Where the next fetch begins: behind the last batch, whether or not its records were returned.
    pub fn next(&self, from: Offset) -> Offset {
        self.batches.last().map_or(from, |batch| batch.last.next())
    }
}
