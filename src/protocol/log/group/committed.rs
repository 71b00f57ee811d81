//! The offsets that a group has committed: where its members begin when they get a partition.
//!
//! Offsets that are committed within a transaction count once that is committed.

use std::collections::BTreeMap;

use crate::protocol::log::ids::{Offset, ProducerId, TopicPartition};
use crate::protocol::log::partition::Control;

/// A group's committed offsets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommittedOffsets {
    offsets: BTreeMap<TopicPartition, Offset>,
    pending: BTreeMap<ProducerId, BTreeMap<TopicPartition, Offset>>,
}

impl CommittedOffsets {
    /// Where a reader of this partition begins.
    pub fn get(&self, partition: TopicPartition) -> Option<Offset> {
        self.offsets.get(&partition).copied()
    }

    /// Whether a transaction that is open may change that: readers wait for its end (`UNSTABLE_OFFSET_COMMIT`, KIP-447).
    pub fn is_unstable(&self, partition: TopicPartition) -> bool {
        self.pending.values().any(|offsets| offsets.contains_key(&partition))
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = (TopicPartition, Offset)> {
        self.offsets.iter().map(|(&partition, &offset)| (partition, offset))
    }

    /// Commits, which may also go backwards.
    pub fn commit(&mut self, offsets: impl IntoIterator<Item = (TopicPartition, Offset)>) {
        self.offsets.extend(offsets);
    }

    /// Commits within a producer's transaction (`TxnOffsetCommit`).
    pub fn commit_in_transaction(
        &mut self,
        producer: ProducerId,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) {
        self.pending.entry(producer).or_default().extend(offsets);
    }

    /// The producer's transaction has ended.
    pub fn end(&mut self, producer: ProducerId, control: Control) {
        if let Some(offsets) = self.pending.remove(&producer)
            && control == Control::Commit
        {
            self.offsets.extend(offsets);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::testing::o;

    #[test]
    fn offsets_in_a_transaction_count_once_it_is_committed() {
        let (mut committed, tp) = (CommittedOffsets::default(), TopicPartition::new(0, 0));
        committed.commit([(tp, o(3))]);
        committed.commit_in_transaction(ProducerId(1), [(tp, o(7))]);
        committed.commit_in_transaction(ProducerId(2), [(tp, o(9))]);
        assert_eq!((committed.get(tp), committed.is_unstable(tp)), (Some(o(3)), true));
        committed.end(ProducerId(2), Control::Abort);
        committed.end(ProducerId(1), Control::Commit);
        assert_eq!((committed.get(tp), committed.is_unstable(tp)), (Some(o(7)), false));
    }
}
