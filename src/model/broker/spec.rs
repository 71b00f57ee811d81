//! What a broker holds, and what publishers and consumers ask of it: plain data.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::units::Bytes;
use crate::protocol::amqp::{
    Binding, CreditFlowSettings, DeadLetterTo, ExchangeId, Headers, QueueId, Routing, Subscription, WorkQueue,
    WorkQueueSettings,
};

/// What the nodes of a broker hold.
#[derive(Clone, Debug)]
pub struct BrokerSpec {
    /// Its exchanges and bindings.
    pub routing: Routing,
    /// Its queues.
    pub queues: Vec<HostedQueue>,
    /// How long a consumer may be silent before its channel counts as lost.
    pub heartbeat: Span,
    /// How many nodes it has.
    pub nodes: u32,
    /// How far a publisher may be ahead of the disk.
    pub credit: CreditFlowSettings,
    /// How many bytes of messages a node may hold before publishers are kept back, if that is limited.
    pub memory: Option<Bytes>,
    /// How long a read of the disk takes, for messages of classic queues that are not in memory.
    pub disk_read: Span,
    /// How long a replica of a quorum queue hears nothing of a leader before it stands for election, at the least.
    pub election: Span,
}

impl BrokerSpec {
    /// How often a leader says that it is there.
    pub(super) fn beat(&self) -> Span {
        Span::from_nanos((self.election.as_nanos() / 5).max(1))
    }

    /// The queues that what is published so goes to, as they are reported, but for those of subscribers.
    pub fn destinations(&self, publication: &Publication) -> Vec<u16> {
        let mut found = Vec::new();
        self.routing.clone().route(publication.exchange, &publication.routing_key, &publication.headers, &mut found);
        found.into_iter().map(|queue| self.queues[queue.index()].number).collect()
    }

    /// The routing key of a message of this kind, to which the queue `letter_of` gave another when it died there.
    pub(super) fn key_of<'a>(&'a self, letter_of: Option<QueueId>, publication: &'a Publication) -> &'a str {
        let letters = letter_of.and_then(|queue| self.queues[queue.index()].dead_letters.as_ref());
        letters.map_or(&publication.routing_key, |letters| letters.key(&publication.routing_key))
    }
}

/// A queue.
#[derive(Clone, Debug)]
pub struct HostedQueue {
    /// Its place among all queues of the system, under which it is reported.
    pub number: u16,
    /// How it works.
    pub settings: WorkQueueSettings,
    /// The node that has it, or is its first leader.
    pub home: u32,
    /// Where its dead letters go.
    pub dead_letters: Option<DeadLetterTo>,
    /// The name by which the default exchange knows it; one that the broker gives is known to nobody.
    pub name: Option<String>,
    /// The bindings that lead to it, as [`BrokerSpec::routing`] has them while it is there.
    pub bindings: Vec<(ExchangeId, Binding)>,
    /// Whether it is that of one subscriber of an exchange. No binding in [`BrokerSpec::routing`] leads there, as it is not there
    /// at first.
    pub is_private: bool,
}

impl HostedQueue {
    /// The queue, with nothing in it.
    pub(super) fn queue<M: Copy>(&self, id: QueueId) -> WorkQueue<M> {
        WorkQueue::new(id, &self.settings, self.dead_letters.is_some(), Time::ZERO)
    }
}

/// What a kind of message is, where it is published.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Publication {
    /// The exchange it is published to.
    pub exchange: ExchangeId,
    /// Its routing key.
    pub routing_key: String,
    /// Its headers.
    pub headers: Headers,
    /// Whether its delivery mode is persistent.
    pub persistent: bool,
    /// Whether it counts as failed if no queue takes it.
    pub mandatory: bool,
    /// How long it may wait in a queue.
    pub expiration: Option<Span>,
}

/// What a consumer asks for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SubscriptionSpec {
    /// The first node of the broker.
    pub broker: NodeId,
    /// How many nodes it has.
    pub brokers: u32,
    /// The queue there; where each node has one of its own, that of the first node. Those of the others follow.
    pub queue: QueueId,
    /// Its place among all queues of the system, under which it is reported.
    pub number: u16,
    /// Whether each node has a queue of its own.
    pub is_private: bool,
    /// On which terms.
    pub terms: Subscription,
    /// Whether what it failed to process goes back to the queue.
    pub requeues: bool,
    /// How often it says that it is there.
    pub beat: Span,
}

impl SubscriptionSpec {
    /// The queue of the node at this place of the group.
    pub(super) fn queue_of(&self, place: u32) -> QueueId {
        if self.is_private { QueueId::new(self.queue.index() as u32 + place) } else { self.queue }
    }

    /// The place among all queues of that of the node at this place of the group.
    pub fn number_of(&self, place: u16) -> u16 {
        if self.is_private { self.number + place } else { self.number }
    }
}
