//! Cooperative and sticky: the same assignment in two steps, in which nobody stops reading what it keeps.

use std::collections::BTreeMap;

use super::{Assignment, Assignor, RebalanceProtocol, StickyAssignor, Subscription};
use crate::base::settings::Settings;
use crate::protocol::log::ids::{TopicId, TopicPartition};
use crate::settings;

settings! {
    /// Assigns as `sticky` does, but a partition that another member still owns goes to nobody at first: its owner gives it up and
    /// joins again, and then it is assigned. Members go on reading what they keep during a rebalance. It costs a second rebalance
    /// whenever partitions move.
    pub struct CooperativeStickyAssignorSettings = "cooperative-sticky",
        "Apache Kafka 4.0, CooperativeStickyAssignor (KIP-429)" {}
}

impl Settings for CooperativeStickyAssignorSettings {}

/// Assigns in two steps.
#[derive(Clone, Debug, Default)]
pub struct CooperativeStickyAssignor;

impl CooperativeStickyAssignor {
    /// It remembers nothing: members say what they own.
    pub fn new(_: &CooperativeStickyAssignorSettings) -> Self {
        Self
    }
}

impl Assignor for CooperativeStickyAssignor {
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment {
        let mut assignment = StickyAssignor.assign(topics, members);
        let mut owners: BTreeMap<TopicPartition, Vec<_>> = BTreeMap::new();
        for member in members {
            for &partition in &member.owned {
                owners.entry(partition).or_default().push(member.member);
            }
        }
        for (member, owned) in &mut assignment {
            owned.retain(|partition| owners.get(partition).is_none_or(|owners| owners.as_slice() == [*member]));
        }
        assignment
    }

    fn protocol(&self) -> RebalanceProtocol {
        RebalanceProtocol::Cooperative
    }
}
