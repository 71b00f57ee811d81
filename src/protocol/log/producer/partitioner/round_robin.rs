//! In turn: record after record to partition after partition.

use super::{Partitioner, Partitions};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::units::Bytes;
use crate::settings;

settings! {
    /// Every record goes to the next partition that has a leader, whatever its key. Partitions get the same number of records. Batches
    /// are as small as they can be, as neighbours never share one, and records of a key do not keep their order.
    pub struct RoundRobinRecordsSettings = "round-robin", "Apache Kafka 4.0, RoundRobinPartitioner" {}
}

impl Settings for RoundRobinRecordsSettings {}

/// Chooses in turn.
#[derive(Clone, Debug, Default)]
pub struct RoundRobinRecords(u32);

impl RoundRobinRecords {
    /// Begins with the first partition.
    pub fn new(_: &RoundRobinRecordsSettings) -> Self {
        Self::default()
    }
}

impl Partitioner for RoundRobinRecords {
    fn partition(&mut self, _: Option<u64>, _: Bytes, partitions: Partitions<'_>, _: impl FnMut() -> Uniform) -> u32 {
        let turn = self.0;
        self.0 = (turn + 1) & 0x7fff_ffff;
        match partitions.available {
            [] => turn % partitions.count,
            available => available[turn as usize % available.len()],
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::base::units::bytes;

    #[test]
    fn partitions_without_a_leader_are_left_out() {
        let mut turns = RoundRobinRecords::default();
        let mut choose = |available| {
            let partitions = Partitions { count: NonZeroU32::new(3).unwrap(), available };
            turns.partition(Some(1), bytes(1), partitions, || unreachable!("turns need no luck"))
        };
        let leaders: [&[u32]; 7] = [&[0, 2], &[0, 2], &[0, 2], &[0, 2], &[], &[], &[]];
        assert_eq!(leaders.map(&mut choose), [0, 2, 0, 2, 1, 2, 0]);
    }
}
