//! The offsets that a group has committed: where its members begin when they get a partition.
//!
//! Offsets that are committed within a transaction count once that is committed.

use std::collections::BTreeMap;

use crate::protocol::log::ids::{Offset, ProducerEpoch, ProducerId, TopicPartition};
use crate::protocol::log::partition::{AppendError, Control};

/// A group's committed offsets.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CommittedOffsets {
    offsets: BTreeMap<TopicPartition, Offset>,
    pending: BTreeMap<ProducerId, BTreeMap<TopicPartition, Offset>>,
    /// The latest incarnation of every producer that was heard of.
    epochs: BTreeMap<ProducerId, ProducerEpoch>,
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
    ///
    /// # Errors
    /// If a later incarnation of the producer has been heard of.
    pub fn commit_in_transaction(
        &mut self,
        (producer, epoch): (ProducerId, ProducerEpoch),
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
    ) -> Result<(), AppendError> {
        self.enter(producer, epoch)?;
        self.pending.entry(producer).or_default().extend(offsets);
        Ok(())
    }

    /// The producer's transaction has ended: its marker.
    ///
    /// # Errors
    /// If a later incarnation of the producer has been heard of.
    pub fn end(&mut self, (producer, epoch): (ProducerId, ProducerEpoch), control: Control) -> Result<(), AppendError> {
        self.enter(producer, epoch)?;
        if let Some(offsets) = self.pending.remove(&producer)
            && control == Control::Commit
        {
            self.offsets.extend(offsets);
        }
        Ok(())
    }

    fn enter(&mut self, producer: ProducerId, epoch: ProducerEpoch) -> Result<(), AppendError> {
        let latest = self.epochs.entry(producer).or_insert(epoch);
        if epoch < *latest {
            return Err(AppendError::InvalidProducerEpoch);
        }
        *latest = epoch;
        Ok(())
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
        let by = |producer, epoch| (ProducerId(producer), ProducerEpoch(epoch));
        committed.commit_in_transaction(by(1, 4), [(tp, o(7))]).unwrap();
        committed.commit_in_transaction(by(2, 0), [(tp, o(9))]).unwrap();
        assert_eq!((committed.get(tp), committed.is_unstable(tp)), (Some(o(3)), true));
        committed.end(by(2, 1), Control::Abort).unwrap();
        committed.end(by(1, 4), Control::Commit).unwrap();
        assert_eq!((committed.get(tp), committed.is_unstable(tp)), (Some(o(7)), false));
        assert_eq!(committed.commit_in_transaction(by(2, 0), [(tp, o(9))]), Err(AppendError::InvalidProducerEpoch));
    }
}
