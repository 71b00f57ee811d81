//! In turn, over the partitions of all topics.

use std::collections::{BTreeMap, BTreeSet};

use super::{Assignment, Assignor, Subscription, in_order, nothing, partitions};
use crate::base::settings::Settings;
use crate::protocol::log::ids::TopicId;
use crate::settings;

settings! {
    /// The partitions of all topics go to members in turn, past those that do not read the topic. Members with equal subscriptions have
    /// as many, give or take one. Any change of the group moves most partitions.
    pub struct RoundRobinAssignorSettings = "round-robin", "Apache Kafka 4.0, RoundRobinAssignor" {}
}

impl Settings for RoundRobinAssignorSettings {}

/// Assigns in turn.
#[derive(Clone, Debug, Default)]
pub struct RoundRobinAssignor;

impl RoundRobinAssignor {
    /// It remembers nothing.
    pub fn new(_: &RoundRobinAssignorSettings) -> Self {
        Self
    }
}

impl Assignor for RoundRobinAssignor {
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment {
        let mut assignment = nothing(members);
        let sorted = in_order(members);
        let wanted: BTreeSet<_> = sorted.iter().flat_map(|member| member.topics.iter().copied()).collect();
        let mut turn = 0;
        for partition in wanted.into_iter().flat_map(|topic| partitions(topics, topic)) {
            // Somebody reads it, or the topic would not be wanted.
            while !sorted[turn].topics.contains(&partition.topic) {
                turn = (turn + 1) % sorted.len();
            }
            assignment.entry(sorted[turn].member).or_default().push(partition);
            turn = (turn + 1) % sorted.len();
        }
        assignment
    }
}
