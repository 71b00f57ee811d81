//! Who leads which partition, as far as a node has been told.

use std::collections::BTreeMap;

use crate::protocol::log::ids::{BrokerId, LeaderEpoch, TopicPartition};

use super::spec::LogSpec;

/// What the controller tells of all partitions.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Metadata {
    /// Every change makes the next.
    pub version: u64,
    /// The partitions.
    pub partitions: BTreeMap<TopicPartition, Leadership>,
}

/// What is told of one partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Leadership {
    /// Who leads, if somebody does.
    pub leader: Option<BrokerId>,
    /// In which epoch.
    pub epoch: LeaderEpoch,
    /// Who is in sync.
    pub isr: Vec<BrokerId>,
}

impl Metadata {
    /// How a cluster begins: every preferred replica leads, and all are in sync.
    pub fn first(spec: &LogSpec) -> Self {
        let of = |partition| {
            let isr = spec.replicas(partition);
            (partition, Leadership { leader: isr.first().copied(), epoch: LeaderEpoch(1), isr })
        };
        Self { version: 1, partitions: spec.partitions().map(of).collect() }
    }

    /// Who leads a partition, if somebody does.
    pub fn leader(&self, partition: TopicPartition) -> Option<BrokerId> {
        self.partitions.get(&partition)?.leader
    }
}
