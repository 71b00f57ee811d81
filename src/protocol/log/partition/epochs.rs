//! Which leader wrote which offsets (`LeaderEpochFileCache`).
//!
//! By this a follower finds out up to where its log agrees with the leader's, instead of trusting its own high watermark
//! (KIP-101, KIP-279).

use std::collections::VecDeque;

use crate::protocol::log::ids::{LeaderEpoch, Offset};

/// A leader epoch and the offset behind its last record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct EpochEnd {
    /// The largest epoch that is known and not larger than the one asked for.
    pub epoch: LeaderEpoch,
    /// Where it ends.
    pub end: Offset,
}

/// Where every leader epoch of a log begins.
#[derive(Clone, Debug, Default)]
pub(super) struct Epochs(VecDeque<(LeaderEpoch, Offset)>);

impl Epochs {
    /// A batch of this epoch begins here.
    pub fn note(&mut self, epoch: LeaderEpoch, base: Offset) {
        if self.0.back().is_none_or(|&(latest, _)| latest < epoch) {
            self.0.push_back((epoch, base));
        }
    }

    pub fn latest(&self) -> Option<LeaderEpoch> {
        self.0.back().map(|&(epoch, _)| epoch)
    }

    /// Where `epoch` ends in a log that ends at `end`: nothing if the epoch is later than all that are known, and the end of
    /// the one before if it is not known itself.
    pub fn end_of(&self, epoch: LeaderEpoch, end: Offset) -> Option<EpochEnd> {
        let later = self.0.partition_point(|&(known, _)| known <= epoch);
        if later == self.0.len() {
            let &(latest, _) = self.0.back()?;
            return (latest == epoch).then_some(EpochEnd { epoch, end });
        }
        let end = self.0[later].1;
        let epoch = if later == 0 { epoch } else { self.0[later - 1].0 };
        Some(EpochEnd { epoch, end })
    }

    /// The log ends here now.
    pub fn truncate_end(&mut self, end: Offset) {
        while self.0.back().is_some_and(|&(_, start)| start >= end) {
            self.0.pop_back();
        }
    }

    /// The log begins here now: the epoch in which that lies begins there.
    pub fn truncate_start(&mut self, start: Offset) {
        let mut last = None;
        while self.0.front().is_some_and(|&(_, first)| first <= start) {
            last = self.0.pop_front();
        }
        if let Some((epoch, _)) = last {
            self.0.push_front((epoch, start));
        }
    }

    pub fn clear(&mut self) {
        self.0.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::testing::o;

    fn end(epoch: u32, end: u64) -> Option<EpochEnd> {
        Some(EpochEnd { epoch: LeaderEpoch(epoch), end: o(end) })
    }

    /// Epochs 2, 4 and 5 begin at 0, 10 and 20, and the log ends at 25. Epoch 3 wrote nothing: who knows it knows nothing that
    /// epoch 2 did not write, so the answer is where 2 ends.
    #[test]
    fn an_epoch_ends_where_the_next_begins() {
        let mut epochs = Epochs::default();
        for (epoch, base) in [(2, 0), (2, 5), (4, 10), (5, 20), (5, 22)] {
            epochs.note(LeaderEpoch(epoch), o(base));
        }
        let ends = (1..7).map(|epoch| epochs.end_of(LeaderEpoch(epoch), o(25)));
        assert_eq!(ends.collect::<Vec<_>>(), [end(1, 0), end(2, 10), end(2, 10), end(4, 20), end(5, 25), None]);
        epochs.truncate_start(o(12));
        assert_eq!(epochs.end_of(LeaderEpoch(2), o(25)), end(2, 12));
        epochs.truncate_end(o(20));
        assert_eq!(epochs.latest(), Some(LeaderEpoch(4)));
    }
}
