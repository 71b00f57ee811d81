//! Assignors: which member of a group reads which partition.

use std::collections::{BTreeMap, BTreeSet};

use crate::protocol::family::family;
use crate::protocol::log::ids::{Generation, InstanceId, MemberId, TopicId, TopicPartition};

family! { $
    /// Which member of a group reads which partition: plain data.
    AssignorPolicy,
    /// What a group's leader assigns by, under any [`AssignorPolicy`].
    AnyAssignor, ASSIGNORS, each_assignor;
    range: RangeAssignor, RangeAssignorSettings;
    round_robin: RoundRobinAssignor, RoundRobinAssignorSettings;
    sticky: StickyAssignor, StickyAssignorSettings;
    cooperative_sticky: CooperativeStickyAssignor, CooperativeStickyAssignorSettings;
}

impl Default for AssignorPolicy {
    /// By ranges: what Kafka's consumers agree on by default, as `range` stands first in their list.
    fn default() -> Self {
        Self::RangeAssignor(RangeAssignorSettings::default())
    }
}

/// What a member says when it joins.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Subscription {
    /// Who.
    pub member: MemberId,
    /// Its name, if it is a static member.
    pub instance: Option<InstanceId>,
    /// What it wants to read.
    pub topics: BTreeSet<TopicId>,
    /// What it owns.
    pub owned: Vec<TopicPartition>,
    /// Since which generation.
    pub generation: Generation,
}

/// What everybody reads, members without partitions included.
pub type Assignment = BTreeMap<MemberId, Vec<TopicPartition>>;

/// How members give up partitions.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RebalanceProtocol {
    /// All of them before they join; so nobody reads until the rebalance is over.
    Eager,
    /// Those that another member is to have, after the assignment; who gives up any joins again, and then the others get them.
    Cooperative,
}

/// Assigns partitions to members.
pub trait Assignor {
    /// Who reads what. `topics` holds the number of partitions of every topic; a topic that is not there has none.
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment;

    /// How members give up partitions.
    fn protocol(&self) -> RebalanceProtocol {
        RebalanceProtocol::Eager
    }
}

impl Assignor for AnyAssignor {
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment {
        each_assignor!(self, assignor => assignor.assign(topics, members))
    }

    fn protocol(&self) -> RebalanceProtocol {
        each_assignor!(self, assignor => assignor.protocol())
    }
}

/// The order of members in assignments: static ones by their names, then the others by their ids (`MemberInfo`).
fn in_order(members: &[Subscription]) -> Vec<&Subscription> {
    let mut sorted: Vec<_> = members.iter().collect();
    sorted.sort_by_key(|member| (member.instance.is_none(), member.instance, member.member));
    sorted
}

/// Nobody has anything.
fn nothing(members: &[Subscription]) -> Assignment {
    members.iter().map(|member| (member.member, Vec::new())).collect()
}

/// The partitions of a topic.
fn partitions(topics: &BTreeMap<TopicId, u32>, topic: TopicId) -> impl Iterator<Item = TopicPartition> {
    (0..topics.get(&topic).copied().unwrap_or(0)).map(move |partition| TopicPartition { topic, partition })
}

#[cfg(test)]
mod tests;
