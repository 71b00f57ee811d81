//! Consumer groups: who reads which partition, and how far everybody is.
//!
//! The members of a group share the partitions of the topics they subscribe to: each is read by one member. A broker coordinates: it
//! knows the members, and counts generations. When one joins, leaves or is silent for too long, all join again (a
//! *rebalance*); one of them, the leader, assigns partitions ([`assignor`]), and the coordinator hands the assignment out. What a
//! member of an earlier generation commits is refused.
//!
//! Source: Apache Kafka 3.9 and 4.0, the classic protocol (`GroupCoordinator`, `ConsumerCoordinator`, `AbstractCoordinator`); KIP-134
//! (initial delay), KIP-345 (static members), KIP-429 (incremental cooperative rebalancing). KIP-848's protocol is not built, nor
//! is the second join of a member that has no id yet (KIP-394): a member gets its id with its first.

pub mod assignor;
pub mod committed;
pub mod coordinator;
pub mod member;
pub mod offsets;

#[cfg(test)]
mod tests;

use super::ids::{Generation, MemberId, TopicPartition};
use crate::base::time::Span;
use assignor::{Assignment, Subscription};

/// A member's wish to be in the next generation (`JoinGroup`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Join {
    /// Its id, if it has one.
    pub member: Option<MemberId>,
    /// What it wants to read, and what it owns. The id in there is not looked at.
    pub subscription: Subscription,
    /// It is taken for dead when it is silent for so long.
    pub session_timeout: Span,
    /// How long a rebalance may wait for it.
    pub rebalance_timeout: Span,
}

/// The next generation, as a member learns of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Joined {
    /// The id it has.
    pub member: MemberId,
    /// The generation.
    pub generation: Generation,
    /// Who assigns.
    pub leader: MemberId,
    /// Everybody, if it is this member that assigns.
    pub members: Vec<Subscription>,
}

/// A member's question for its assignment (`SyncGroup`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sync {
    /// Who asks.
    pub member: MemberId,
    /// In which generation.
    pub generation: Generation,
    /// What everybody reads, if it was the leader that assigned.
    pub assignment: Option<Assignment>,
}

/// What a member reads in a generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Synced {
    /// The generation.
    pub generation: Generation,
    /// What it reads.
    pub assignment: Vec<TopicPartition>,
}

/// Why a coordinator refuses a member.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum GroupError {
    /// There is no such member, or no longer (`UNKNOWN_MEMBER_ID`).
    UnknownMember,
    /// It belongs to another generation (`ILLEGAL_GENERATION`).
    IllegalGeneration,
    /// A rebalance is under way: join again (`REBALANCE_IN_PROGRESS`).
    RebalanceInProgress,
    /// Another one has taken its name (`FENCED_INSTANCE_ID`).
    FencedInstance,
}
