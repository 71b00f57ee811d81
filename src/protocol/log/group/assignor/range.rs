//! By ranges of every topic.

use std::collections::BTreeMap;

use super::{Assignment, Assignor, Subscription, in_order, nothing, partitions};
use crate::base::settings::Settings;
use crate::protocol::log::ids::TopicId;
use crate::settings;

settings! {
    /// Every topic is cut into ranges, one for each member that reads it, the first ones longer by one if need be. Equal keys of
    /// topics with as many partitions meet at one member, so that they can be joined. The first members get more of every topic.
    pub struct RangeAssignorSettings = "range", "Apache Kafka 4.0, RangeAssignor" {}
}

impl Settings for RangeAssignorSettings {}

/// Assigns ranges.
#[derive(Clone, Debug, Default)]
pub struct RangeAssignor;

impl RangeAssignor {
    /// It remembers nothing.
    pub fn new(_: &RangeAssignorSettings) -> Self {
        Self
    }
}

impl Assignor for RangeAssignor {
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment {
        let mut assignment = nothing(members);
        let mut readers: BTreeMap<TopicId, Vec<_>> = BTreeMap::new();
        for member in in_order(members) {
            for &topic in &member.topics {
                readers.entry(topic).or_default().push(member.member);
            }
        }
        for (topic, readers) in readers {
            let count = topics.get(&topic).copied().unwrap_or(0) as usize;
            let (each, more) = (count / readers.len(), count % readers.len());
            let mut rest = partitions(topics, topic);
            for (index, member) in readers.into_iter().enumerate() {
                let range = rest.by_ref().take(each + usize::from(index < more));
                assignment.entry(member).or_default().extend(range);
            }
        }
        assignment
    }
}
