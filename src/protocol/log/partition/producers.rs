//! What a partition remembers of idempotent producers: no batch is appended twice, none out of order (`ProducerStateManager`).
//!
//! For every producer the last five batches are kept, because a producer may have five requests under way at one broker. A batch
//! that is one of these is a duplicate, and answered as if it had just been appended. Any other must begin where the last one
//! ended. A partition that knows nothing of a producer takes any sequence (KIP-360): what it knew may have been deleted.

use std::collections::{BTreeMap, VecDeque};

use super::{AppendError, Stamp};
use crate::base::time::{Span, Time};
use crate::protocol::log::ids::{Offset, ProducerEpoch, ProducerId, Sequence};

/// How many batches are kept (`NUM_BATCHES_TO_RETAIN`).
pub const BATCHES_KEPT: usize = 5;

#[derive(Clone, Copy, Debug)]
struct Known {
    first: Sequence,
    last: Sequence,
    base: Offset,
    end: Offset,
}

#[derive(Clone, Debug)]
struct Producer {
    epoch: ProducerEpoch,
    recent: VecDeque<Known>,
    seen: Time,
}

/// All producers that wrote to a partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Producers(BTreeMap<ProducerId, Producer>);

impl Producers {
    /// Whether a batch may be appended: nothing if it may, its first and last offset if it has been already.
    pub fn check(&self, stamp: Stamp, last: Sequence) -> Result<Option<(Offset, Offset)>, AppendError> {
        let Some(producer) = self.0.get(&stamp.producer) else { return Ok(None) };
        if stamp.epoch < producer.epoch {
            return Err(AppendError::InvalidProducerEpoch);
        }
        if stamp.epoch > producer.epoch {
            return if stamp.sequence == Sequence(0) { Ok(None) } else { Err(AppendError::OutOfOrderSequence) };
        }
        let twin = producer.recent.iter().find(|known| known.first == stamp.sequence && known.last == last);
        if let Some(known) = twin {
            return Ok(Some((known.base, known.end)));
        }
        match producer.recent.back() {
            Some(known) if known.last.plus(1) != stamp.sequence => Err(AppendError::OutOfOrderSequence),
            // A marker has begun this epoch.
            None if stamp.sequence != Sequence(0) => Err(AppendError::OutOfOrderSequence),
            _ => Ok(None),
        }
    }

    /// Whether a marker may be written.
    pub fn check_marker(&self, producer: ProducerId, epoch: ProducerEpoch) -> Result<(), AppendError> {
        let is_stale = self.0.get(&producer).is_some_and(|known| epoch < known.epoch);
        if is_stale { Err(AppendError::InvalidProducerEpoch) } else { Ok(()) }
    }

    /// A batch was appended.
    pub fn note(&mut self, stamp: Stamp, last: Sequence, base: Offset, end: Offset, now: Time) {
        let producer = self.enter(stamp.producer, stamp.epoch, now);
        if producer.recent.len() == BATCHES_KEPT {
            producer.recent.pop_front();
        }
        producer.recent.push_back(Known { first: stamp.sequence, last, base, end });
    }

    /// A marker was appended.
    pub fn note_marker(&mut self, producer: ProducerId, epoch: ProducerEpoch, now: Time) {
        self.enter(producer, epoch, now);
    }

    fn enter(&mut self, producer: ProducerId, epoch: ProducerEpoch, now: Time) -> &mut Producer {
        let new = || Producer { epoch, recent: VecDeque::new(), seen: now };
        let known = self.0.entry(producer).or_insert_with(new);
        if known.epoch != epoch {
            *known = new();
        }
        known.seen = known.seen.max(now);
        known
    }

    /// Forgets who has not written for so long.
    pub fn expire(&mut self, now: Time, after: Span) {
        self.0.retain(|_, producer| now.since(producer.seen) < after);
    }

    /// The offset of the last batch of each: compaction keeps it, empty if need be.
    pub fn last_batches(&self) -> impl Iterator<Item = Offset> {
        self.0.values().filter_map(|producer| Some(producer.recent.back()?.base))
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stamp(epoch: u16, sequence: u32) -> Stamp {
        Stamp { producer: ProducerId(1), epoch: ProducerEpoch(epoch), sequence: Sequence(sequence) }
    }

    /// Seven batches of two records: of sequences 0, 2, .., 12 the last five are duplicates, the older ones are out of order, 14
    /// is next, and 16 would leave a gap.
    #[test]
    fn the_last_five_batches_are_known_again() {
        let mut producers = Producers::default();
        for number in 0..7 {
            let (base, end) = (Offset(u64::from(number) * 2), Offset(u64::from(number) * 2 + 1));
            assert_eq!(producers.check(stamp(0, 2 * number), Sequence(2 * number + 1)), Ok(None));
            producers.note(stamp(0, 2 * number), Sequence(2 * number + 1), base, end, Time::ZERO);
        }
        for number in 0..9 {
            let answer = producers.check(stamp(0, 2 * number), Sequence(2 * number + 1));
            let offsets = (Offset(u64::from(number) * 2), Offset(u64::from(number) * 2 + 1));
            match number {
                2..7 => assert_eq!(answer, Ok(Some(offsets))),
                7 => assert_eq!(answer, Ok(None)),
                _ => assert_eq!(answer, Err(AppendError::OutOfOrderSequence)),
            }
        }
    }

    #[test]
    fn a_later_epoch_fences_the_earlier_and_begins_at_zero() {
        let mut producers = Producers::default();
        assert_eq!(producers.check(stamp(3, 40), Sequence(40)), Ok(None), "an unknown producer may begin anywhere");
        producers.note(stamp(3, 40), Sequence(40), Offset(0), Offset(0), Time::ZERO);
        assert_eq!(producers.check(stamp(4, 41), Sequence(41)), Err(AppendError::OutOfOrderSequence));
        assert_eq!(producers.check(stamp(4, 0), Sequence(0)), Ok(None));
        producers.note_marker(ProducerId(1), ProducerEpoch(4), Time::ZERO);
        assert_eq!(producers.check(stamp(3, 41), Sequence(41)), Err(AppendError::InvalidProducerEpoch));
        assert_eq!(producers.check_marker(ProducerId(1), ProducerEpoch(3)), Err(AppendError::InvalidProducerEpoch));
        assert_eq!(producers.check(stamp(4, 1), Sequence(1)), Err(AppendError::OutOfOrderSequence));
    }
}
