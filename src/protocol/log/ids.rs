//! The numbers by which a topic log names things.

use std::fmt;

/// A place in a partition: records are numbered from 0.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Offset(pub u64);

impl Offset {
    /// The first of every partition.
    pub const ZERO: Self = Self(0);

    /// The place behind this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }

    /// The place `count` behind this one.
    pub const fn plus(self, count: u64) -> Self {
        Self(self.0 + count)
    }

    /// How many places lie from `earlier` up to this one; none if it is later.
    pub const fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

impl fmt::Debug for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "@{}", self.0)
    }
}

/// The reign of a partition's leader: every election begins the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct LeaderEpoch(pub u32);

impl LeaderEpoch {
    /// The reign after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

/// A broker: a server that holds replicas.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct BrokerId(pub u32);

/// A topic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct TopicId(pub u32);

/// A partition of a topic.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct TopicPartition {
    /// The topic.
    pub topic: TopicId,
    /// Which of its partitions, from 0.
    pub partition: u32,
}

impl TopicPartition {
    /// Partition `partition` of topic `topic`.
    pub const fn new(topic: u32, partition: u32) -> Self {
        Self { topic: TopicId(topic), partition }
    }
}

impl fmt::Debug for TopicPartition {
    /// As Kafka's documentation writes it: `t0p1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "t{}p{}", self.topic.0, self.partition)
    }
}

/// An idempotent or transactional producer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ProducerId(pub u64);

/// The incarnation of a producer: a later one fences the earlier ones.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct ProducerEpoch(pub u16);

impl ProducerEpoch {
    /// The incarnation after this one.
    pub const fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }
}

/// The number of a producer's record within a partition: 31 bits, then 0 again.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Sequence(pub u32);

impl Sequence {
    /// The number `count` records later.
    pub const fn plus(self, count: u64) -> Self {
        Self(((self.0 as u64 + count) & 0x7fff_ffff) as u32)
    }
}

/// A consumer group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct GroupId(pub u32);

/// A member of a consumer group.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct MemberId(pub u64);

/// The name under which a static member comes back (`group.instance.id`).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct InstanceId(pub u32);

/// The generation of a consumer group: every rebalance begins the next.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Debug)]
pub struct Generation(pub u32);

impl Generation {
    /// The generation after this one.
    pub const fn next(self) -> Self {
        Self(self.0 + 1)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kafka's sequences are signed 32-bit numbers that never become negative: 2^31 - 1 is followed by 0.
    #[test]
    fn sequences_begin_again_after_31_bits() {
        assert_eq!(Sequence(0x7fff_ffff).plus(1), Sequence(0));
        assert_eq!(Sequence(0x7fff_fffe).plus(3), Sequence(1));
    }
}
