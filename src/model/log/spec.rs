//! What brokers of topics hold, and what producers and consumers ask of them: plain data.

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::{Arc, OnceLock};

use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::base::units::{Bandwidth, Bytes};
use crate::model::script::Target;
use crate::protocol::log::fetch::FetchSettings;
use crate::protocol::log::group::assignor::AssignorPolicy;
use crate::protocol::log::group::coordinator::CoordinatorSettings;
use crate::protocol::log::group::member::MemberSettings;
use crate::protocol::log::group::offsets::OffsetSettings;
use crate::protocol::log::ids::{BrokerId, GroupId, TopicId, TopicPartition};
use crate::protocol::log::partition::LogSettings;
use crate::protocol::log::producer::accumulator::AccumulatorSettings;
use crate::protocol::log::producer::partitioner::PartitionerPolicy;
use crate::protocol::log::producer::sender::SenderSettings;
use crate::protocol::log::replica::ReplicationSettings;

use super::metadata::Metadata;

/// A cluster of brokers, and the topics it keeps.
#[derive(Clone, Debug)]
pub struct LogSpec {
    /// The brokers.
    pub brokers: Target,
    /// The controller, which coordinates groups and transactions as well.
    pub controller: NodeId,
    /// The slot of its first partition among all partitions of the system; the others follow in order.
    pub first_slot: usize,
    /// The topics, by their id.
    pub topics: Vec<TopicSpec>,
    /// How often a broker says that it is alive.
    pub heartbeat: Span,
    /// A broker that is silent for so long is taken for dead.
    pub session_timeout: Span,
    /// How often old records are looked for.
    pub retention_check: Span,
    /// What reading costs that finds nothing in memory.
    pub reads: ReadCosts,
    /// How groups are coordinated.
    pub groups: CoordinatorSettings,
    /// What everybody knows of it at first, once somebody has asked.
    pub first: OnceLock<Arc<Metadata>>,
}

/// What a broker's reads cost. What was written last lies in memory, and costs nothing.
#[derive(Clone, Debug, Default)]
pub struct ReadCosts {
    /// How much memory holds of a broker's partitions, the same of each; everything if `None`.
    pub page_cache: Option<Bytes>,
    /// How long a read of the disk takes, one after the other.
    pub time: Span,
    /// How fast it reads beyond that; as fast as need be if `None`.
    pub rate: Option<Bandwidth>,
}

/// A topic.
#[derive(Clone, Debug)]
pub struct TopicSpec {
    /// Its place among all topics of the system, under which it is reported.
    pub number: u16,
    /// Where its records are owed: a place for each group that reads it.
    pub places: Vec<u16>,
    /// Into how many partitions it is divided.
    pub partitions: NonZeroU32,
    /// How many brokers have each; no more than there are.
    pub replicas: NonZeroU32,
    /// How its records are kept.
    pub log: LogSettings,
    /// How they are replicated.
    pub replication: ReplicationSettings,
}

impl LogSpec {
    /// What everybody knows of it at first.
    pub(super) fn first(&self) -> Arc<Metadata> {
        Arc::clone(self.first.get_or_init(|| Arc::new(Metadata::first(self))))
    }

    /// The brokers that have a replica, the preferred leader first: one partition's begin with the broker after those of the one before.
    pub fn replicas(&self, partition: TopicPartition) -> Vec<BrokerId> {
        let first = partition.topic.0 + partition.partition;
        let count = self.topics[partition.topic.0 as usize].replicas.get().min(self.brokers.len);
        (0..count).map(|place| BrokerId((first + place) % self.brokers.len)).collect()
    }

    /// All partitions, in order.
    pub fn partitions(&self) -> impl Iterator<Item = TopicPartition> {
        let topics = (0..).zip(&self.topics);
        topics
            .flat_map(|(topic, spec)| (0..spec.partitions.get()).map(move |number| TopicPartition::new(topic, number)))
    }

    /// The slot of a partition, by which its leader is shown.
    pub fn slot(&self, partition: TopicPartition) -> usize {
        let before = self.topics[..partition.topic.0 as usize].iter().map(|topic| topic.partitions.get() as usize);
        self.first_slot + before.sum::<usize>() + partition.partition as usize
    }

    /// The topic of a partition.
    pub fn topic(&self, partition: TopicPartition) -> &TopicSpec {
        &self.topics[partition.topic.0 as usize]
    }

    /// The node of a broker.
    pub fn node(&self, broker: BrokerId) -> NodeId {
        self.brokers.member(broker.0 as usize)
    }
}

/// What a kind of message is, where it is published to a topic.
#[derive(Clone, Debug)]
pub struct RecordSpec {
    /// The topic.
    pub topic: TopicId,
    /// The producer at each node that publishes it; those of one number are the same.
    pub producer: u16,
    /// What that is like.
    pub spec: Arc<ProducerSpec>,
}

/// How a node publishes to topics.
#[derive(Clone, Debug)]
pub struct ProducerSpec {
    /// The brokers.
    pub cluster: Arc<LogSpec>,
    /// How batches are sent.
    pub sender: SenderSettings,
    /// How they are gathered.
    pub accumulator: AccumulatorSettings,
    /// Where records go.
    pub partitioner: PartitionerPolicy,
}

/// How the nodes of a group read topics.
#[derive(Clone, Debug)]
pub struct ReaderSpec {
    /// The brokers.
    pub cluster: Arc<LogSpec>,
    /// The group, by its place among all that read topics, under which it is reported.
    pub group: GroupId,
    /// Where records are owed to it.
    pub place: u16,
    /// The topics.
    pub topics: BTreeSet<TopicId>,
    /// How it takes part in its group.
    pub member: MemberSettings,
    /// Who reads what.
    pub assignor: AssignorPolicy,
    /// Whether its members are known by their nodes (`group.instance.id`).
    pub is_static: bool,
    /// How it keeps its place.
    pub offsets: OffsetSettings,
    /// How it fetches.
    pub fetch: FetchSettings,
    /// Whether what it reads, and what is published for that, counts together or not at all.
    pub is_transactional: bool,
}
