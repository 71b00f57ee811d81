//! What a broker holds, and what publishers and consumers ask of it: plain data.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::units::Bytes;
use crate::protocol::amqp::{
    CreditFlowSettings, DeadLetterTo, ExchangeId, Headers, QueueId, Routing, Subscription, WorkQueue, WorkQueueSettings,
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
    /// How long a replica of a quorum queue hears nothing of a leader before it stands for election, at the least.
    pub election: Span,
}

impl BrokerSpec {
    /// How often a leader says that it is there.
    pub(super) fn beat(&self) -> Span {
        Span::from_nanos((self.election.as_nanos() / 5).max(1))
    }

    /// The queues that what is published so goes to, as they are reported.
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
    /// The queue there.
    pub queue: QueueId,
    /// Its place among all queues of the system, under which it is reported.
    pub number: u16,
    /// On which terms.
    pub terms: Subscription,
    /// Whether what it failed to process goes back to the queue.
    pub requeues: bool,
    /// How often it says that it is there.
    pub beat: Span,
}
