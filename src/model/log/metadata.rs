//! Who leads which partition, as far as a node has been told.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::model::caller::Cx;
use crate::protocol::log::ids::{BrokerId, LeaderEpoch, TopicPartition};

use super::Voice;
use super::spec::LogSpec;
use super::wire::Body;

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

/// What a client of brokers knows of who leads what, and when it asks again.
#[derive(Debug)]
pub(super) struct Guide {
    pub(super) metadata: Arc<Metadata>,
    /// Whether that has turned out to be old.
    pub(super) is_stale: bool,
    /// When it may ask again.
    pub(super) asks_at: Time,
}

impl Guide {
    /// One who knows this.
    pub(super) fn new(metadata: Arc<Metadata>) -> Self {
        Self { metadata, is_stale: false, asks_at: Time::ZERO }
    }

    /// It is told something; whether that is news.
    pub(super) fn learn(&mut self, metadata: &Arc<Metadata>) -> bool {
        let is_news = metadata.version > self.metadata.version;
        if is_news {
            self.metadata = Arc::clone(metadata);
            self.is_stale = false;
        }
        is_news
    }

    /// Asks the controller if what it knows is old, and not sooner again than `backoff` after this.
    pub(super) fn ask(&mut self, cx: &mut Cx<'_>, voice: &mut Voice, controller: NodeId, now: Time, backoff: Span) {
        if self.is_stale && self.asks_at <= now {
            self.asks_at = now + backoff;
            voice.say(cx, controller, Body::Ask { version: self.metadata.version }, 0);
        }
    }
}
