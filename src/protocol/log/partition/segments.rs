//! The segments of a log: when another one is begun, and which are old.

use std::collections::VecDeque;

use super::settings::LogSettings;
use crate::base::time::Time;
use crate::base::units::{Bytes, bytes};
use crate::protocol::log::ids::Offset;

/// A stretch of the log, which is deleted as a whole.
#[derive(Clone, Copy, Debug)]
struct Segment {
    base: Offset,
    batches: usize,
    size: u64,
    /// The timestamp of its first batch, from which its age counts.
    first: Time,
    latest: Time,
}

/// The segments of a log; the last one is active.
#[derive(Clone, Debug, Default)]
pub(super) struct Segments(VecDeque<Segment>);

impl Segments {
    /// How many bytes they hold.
    pub fn size(&self) -> Bytes {
        bytes(self.0.iter().map(|segment| segment.size).sum())
    }

    /// A batch is written (`LogSegment.shouldRoll`).
    pub fn append(&mut self, base: Offset, size: Bytes, latest: Time, settings: &LogSettings) {
        let rolls = self.0.back().is_none_or(|active| {
            let is_full = active.size + size.count() > settings.segment_bytes.count();
            active.size > 0 && (is_full || latest.since(active.first) > settings.segment_time)
        });
        if rolls {
            self.0.push_back(Segment { base, batches: 0, size: 0, first: latest, latest });
        }
        let active = self.0.back_mut().expect("one was just begun");
        active.batches += 1;
        active.size += size.count();
        active.latest = active.latest.max(latest);
    }

    /// So many batches, of so many bytes, are gone from the end.
    pub fn truncate(&mut self, mut batches: usize, mut size: u64) {
        while let Some(active) = self.0.back_mut()
            && batches > 0
        {
            if active.batches > batches {
                active.batches -= batches;
                active.size = active.size.saturating_sub(size);
                return;
            }
            batches -= active.batches;
            size = size.saturating_sub(active.size);
            self.0.pop_back();
        }
    }

    /// Deletes old segments (`UnifiedLog.deleteOldSegments`): how many batches are gone, and where the log begins then.
    pub fn retain(
        &mut self,
        start: Offset,
        high_watermark: Offset,
        end: Offset,
        now: Time,
        settings: &LogSettings,
    ) -> (usize, Option<Offset>) {
        let deletes = settings.cleanup_policy.deletes();
        let limit = settings.retention_bytes.filter(|_| deletes).map_or(u64::MAX, Bytes::count);
        let mut excess = self.size().count().saturating_sub(limit);
        let (mut gone, mut base) = (0, None);
        while let Some(&oldest) = self.0.front() {
            let next = self.0.get(1).map_or(end, |segment| segment.base);
            let is_old = deletes && settings.retention_time.is_some_and(|kept| now.since(oldest.latest) > kept);
            let is_excess = excess > 0 && excess >= oldest.size;
            let is_below = next <= start;
            if next > high_watermark || !(is_old || is_excess || is_below) {
                break;
            }
            excess = excess.saturating_sub(oldest.size);
            gone += oldest.batches;
            base = Some(next);
            self.0.pop_front();
        }
        (gone, base)
    }

    /// The active segment begins here.
    pub fn active(&self) -> Option<Offset> {
        self.0.back().map(|segment| segment.base)
    }

    /// The closed segments: where the next one begins, how many batches each has, and its latest timestamp.
    pub fn closed(&self) -> impl Iterator<Item = (Offset, usize, Time)> {
        let next = self.0.iter().skip(1).map(|segment| segment.base);
        self.0.iter().zip(next).map(|(segment, next)| (next, segment.batches, segment.latest))
    }

    /// The closed segment of this number was rewritten.
    pub fn rewrite(&mut self, number: usize, batches: usize, size: u64) {
        let segment = &mut self.0[number];
        (segment.batches, segment.size) = (batches, size);
    }
}
