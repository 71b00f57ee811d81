//! `[brokers]`, `[queues]`, `[exchanges]` and `[consumers]`: messages that wait for somebody to take them.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::binding::{Binding, HeaderMatch};
use super::chosen::{Chosen, Tuned};
use super::distribution::Times;
use super::families::Assignor;
use super::name::Name;
use super::number::Positive;
use super::place::Place;
use super::policy::{Cancel, Limit};
use super::quantity_text::{Bandwidth, Bytes, Duration};
use super::service::{Queue, Service};
use super::state::State;
use super::step::Step;
use super::topic::{CommitMode, CommitPoint, IsolationLevel, OffsetReset, ProcessingGuarantee};
use super::{Scenario, Steps};
use crate::protocol::amqp::{Acknowledge, CreditFlowSettings, WatermarkSettings, WorkQueueSettings};
use crate::scenario::document::{Located, OneOrMany};

/// A node that keeps queues. With a single broker in the scenario, or none, nobody has to say which one is meant.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Broker {
    /// How many nodes. A classic queue is at one of them, in turn in the order in which queues are declared; a quorum queue has a
    /// replica at each. Clients publish to any node, which passes messages on to the one that has the queue; consumers are connected
    /// to all.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where it is; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// Where the controller of a cluster with topics is; where its first broker is, if it is left out.
    pub controller_place: Option<Located<Place>>,
    /// How often a broker with topics says that it is alive (Kafka: 2 s).
    #[schemars(extend("default" = "2s"))]
    pub broker_heartbeat_interval: Option<Located<Duration>>,
    /// A broker with topics that is silent for so long is taken for dead, and others lead its partitions (Kafka: 9 s).
    #[schemars(extend("default" = "9s"))]
    pub broker_session_timeout: Option<Located<Duration>>,
    /// How often brokers look for old records (Kafka: 5 min).
    #[schemars(extend("default" = "5min"))]
    pub log_retention_check_interval: Option<Located<Duration>>,
    /// How much of its topics a broker holds in memory, the same of each partition: what consumers read beyond costs time. By default
    /// everything.
    pub page_cache: Option<Located<Bytes>>,
    /// How long a read of the disk takes, for consumers that have fallen behind: of topics, what is not in the `page-cache`; of classic
    /// queues, the next 2048 messages when those in memory, which are no more, have been delivered. The queue delivers nothing
    /// meanwhile.
    #[schemars(extend("default" = "0s"))]
    pub disk_read_time: Option<Located<Duration>>,
    /// How fast the disk reads beyond that; as fast as need be if it is left out.
    pub disk_read_rate: Option<Located<Bandwidth>>,
    /// How long a group without members waits for others once the first one has come, and again when one has (Kafka: 3 s).
    #[schemars(extend("default" = "3s"))]
    pub group_initial_rebalance_delay: Option<Located<Duration>>,
    /// How long a consumer may be silent before its connection counts as lost, and what it held goes to others. Twice RabbitMQ's
    /// `heartbeat` of 60 s would be its worst case; it takes the first missed one here.
    #[schemars(extend("default" = "60s"))]
    pub heartbeat: Option<Located<Duration>>,
    /// How much memory a node has for the bodies of messages in queues. Without it there is no limit. Bodies take memory wherever
    /// their queue is, ready or not acknowledged; what brokers need besides is not counted.
    pub memory: Option<Located<Bytes>>,
    /// The share of the memory, or the amount, above which publishers are kept back.
    pub vm_memory_high_watermark: Option<Tuned<WatermarkSettings>>,
    /// How many messages a publisher may be ahead of the disk before nothing more is read of it.
    pub credit_flow_default_credit: Option<Tuned<CreditFlowSettings>>,
    /// How long a replica of a quorum queue hears nothing of its leader before it stands for election: between once and twice as long.
    /// RabbitMQ's failure detector looks once a second.
    #[schemars(extend("default" = "1s"))]
    pub election_timeout: Option<Located<Duration>>,
    /// How long a sync of the disk takes, whatever it covers; what comes meanwhile shares the next one. A persistent message in a
    /// durable queue is confirmed after it.
    #[schemars(extend("default" = "0s"))]
    pub fsync_time: Option<Times>,
    /// How long a write takes.
    #[schemars(extend("default" = "0s"))]
    pub write_time: Option<Times>,
}

/// A work queue: messages wait in it until a consumer has taken and acknowledged them.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct WorkQueue {
    /// The broker that keeps it.
    pub broker: Option<Located<Name>>,
    /// The queue that its dead letters go to: short for the default exchange and this routing key.
    pub dead_letter_queue: Option<Located<Name>>,
    /// The exchange that its dead letters go to.
    pub dead_letter_exchange: Option<Located<Name>>,
    /// The routing key that its dead letters get; their own if it is left out.
    pub dead_letter_routing_key: Option<Located<String>>,
    /// How it works.
    #[serde(rename = "..")]
    pub settings: Tuned<WorkQueueSettings>,
}

/// An exchange: it sends what is published to it on to queues.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Exchange {
    /// The broker that it belongs to.
    pub broker: Option<Located<Name>>,
    /// How it compares the routing key of a message, or its headers, with what its bindings ask for.
    #[schemars(extend("default" = "direct"))]
    pub r#type: Option<ExchangeType>,
    /// The queues it sends to, each with what its binding asks for, or those of several bindings: a key, or at a headers exchange a
    /// table of headers.
    #[serde(default)]
    pub bindings: super::Named<OneOrMany<Located<Binding>>>,
    /// Where what none of the bindings matches goes.
    pub alternate_exchange: Option<Located<Name>>,
}

/// How an exchange compares what messages have with what its bindings ask for.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeType {
    /// They have to be equal.
    Direct,
    /// Not at all: everything goes everywhere.
    Fanout,
    /// As patterns of words between dots: `*` stands for one word, `#` for any number of them.
    Topic,
    /// By the headers of messages, whatever their keys.
    Headers,
}

/// A group of nodes that take messages from a queue. Each is a service whose requests are what the broker delivers: what ends well
/// is acknowledged, what fails is rejected.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Consumer {
    /// How many nodes, each with a channel of its own.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where they are; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// The queue.
    pub queue: Option<Located<Name>>,
    /// The exchange that each node subscribes to: it has a queue of its own there, exclusive, deleted when it leaves, and bound to the
    /// exchange as long as it is there. Who is absent misses what is published. In reports these queues stand together under the
    /// name of the group.
    pub exchange: Option<Located<Name>>,
    /// What these queues are bound with: the key, or several, of messages that are wanted of a direct or topic exchange.
    pub binding_key: Option<OneOrMany<Located<String>>>,
    /// The headers of messages that are wanted of a headers exchange, or those of several bindings.
    pub binding_headers: Option<OneOrMany<Located<HeaderMatch>>>,
    /// The topics that it reads, as one group: each partition is read by one of its nodes.
    pub topics: Option<OneOrMany<Located<Name>>>,
    /// How many messages a node may hold that it has not acknowledged. RabbitMQ has no limit unless `basic.qos` sets one,
    /// but for 2000 at a quorum queue.
    #[schemars(extend("default" = "unlimited"))]
    pub prefetch: Option<Located<Limit>>,
    /// When a message counts as processed: `manual` when it has been, `automatic` as soon as it is sent.
    #[schemars(extend("default" = "manual"))]
    pub acknowledge: Option<Located<AcknowledgeMode>>,
    /// Whether a message that fails goes back to the queue, or else dies.
    #[schemars(extend("default" = true))]
    pub requeue: Option<Located<bool>>,
    /// What holds for a record that is read and what is published for it, should a node fail (Kafka Streams: at-least-once). A record
    /// that fails is skipped, or, with `exactly-once-v2`, read again with all of its transaction.
    #[schemars(extend("default" = "at-least-once"))]
    pub processing_guarantee: Option<Located<ProcessingGuarantee>>,
    /// Who of a group reads which partition (Kafka: range, unless all members agree on another one).
    #[schemars(extend("default" = "range"))]
    pub partition_assignment_strategy: Option<Located<Chosen<Assignor>>>,
    /// Whether a node is known by its name (Kafka's `group.instance.id`), so that it can come back without a rebalance.
    #[schemars(extend("default" = false))]
    pub static_membership: Option<Located<bool>>,
    /// A member of a group that is silent for so long is taken for dead (Kafka: 45 s; 10 s before 3.0).
    #[schemars(extend("default" = "45s"))]
    pub session_timeout: Option<Located<Duration>>,
    /// How often it says that it is alive (Kafka: 3 s).
    #[schemars(extend("default" = "3s"))]
    pub heartbeat_interval: Option<Located<Duration>>,
    /// How long it may take between polls, and a rebalance may wait for it (Kafka: 5 min).
    #[schemars(extend("default" = "5min"))]
    pub max_poll_interval: Option<Located<Duration>>,
    /// Whether polls commit now and then how far it is (Kafka: yes).
    #[schemars(extend("default" = true))]
    pub enable_auto_commit: Option<Located<bool>>,
    /// How often they do (Kafka: 5 s).
    #[schemars(extend("default" = "5s"))]
    pub auto_commit_interval: Option<Located<Duration>>,
    /// How it commits without auto-commit.
    #[schemars(extend("default" = "sync"))]
    pub commit_mode: Option<Located<CommitMode>>,
    /// When it commits without auto-commit.
    #[schemars(extend("default" = "after-processing"))]
    pub commit_point: Option<Located<CommitPoint>>,
    /// Where it begins if nothing is committed, or what is committed does not exist (Kafka: latest).
    #[schemars(extend("default" = "latest"))]
    pub auto_offset_reset: Option<Located<OffsetReset>>,
    /// A fetch is answered once there is so much (Kafka: 1 byte).
    #[schemars(extend("default" = "1B"))]
    pub fetch_min_bytes: Option<Located<Bytes>>,
    /// The most in one answer (Kafka: 50 MiB).
    #[schemars(extend("default" = "50MiB"))]
    pub fetch_max_bytes: Option<Located<Bytes>>,
    /// A fetch is answered after so long, whatever there is (Kafka: 500 ms).
    #[schemars(extend("default" = "500ms"))]
    pub fetch_max_wait: Option<Located<Duration>>,
    /// The most of one partition in one answer (Kafka: 1 MiB).
    #[schemars(extend("default" = "1MiB"))]
    pub max_partition_fetch_bytes: Option<Located<Bytes>>,
    /// The most records that a poll returns (Kafka: 500). A node polls again when all are processed.
    #[schemars(extend("default" = 500))]
    pub max_poll_records: Option<Located<NonZeroU32>>,
    /// Whether it sees what transactions write before they are committed (Kafka: read-uncommitted).
    #[schemars(extend("default" = "read-uncommitted"))]
    pub isolation_level: Option<Located<IsolationLevel>>,
    /// How many messages a node works on at a time.
    #[serde(default = "one_worker")]
    pub workers: Limit,
    /// How fast the nodes work, 1 being as written; a list where they differ, one for each node.
    #[schemars(extend("default" = 1))]
    pub speed: Option<Located<OneOrMany<Positive>>>,
    /// Where the effects are of what it has processed; elsewhere, so that no crash takes them, if it is left out.
    pub state: Option<State>,
    /// What is done for each message, one after the other.
    pub steps: Option<Steps>,
    /// The only step, or the keys that all steps share.
    #[serde(rename = "..")]
    pub step: Step,
}

/// When a message counts as processed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum AcknowledgeMode {
    /// When the consumer says so.
    Manual,
    /// As soon as it is sent; what is under way when the consumer fails is lost.
    Automatic,
}

impl From<AcknowledgeMode> for Acknowledge {
    fn from(mode: AcknowledgeMode) -> Self {
        match mode {
            AcknowledgeMode::Manual => Self::Manual,
            AcknowledgeMode::Automatic => Self::Automatic,
        }
    }
}

fn one_worker() -> Limit {
    Limit::Constant(NonZeroU32::MIN)
}

/// Puts a service in place of each group of consumers, and of each broker, so that they can be sent to. Queues and exchanges
/// without any broker get one, which is ideal.
pub(in crate::scenario) fn consumers_and_brokers(scenario: &mut Scenario) {
    if scenario.brokers.is_empty()
        && let Some(first) = {
            let exchanges = scenario.exchanges.iter().map(|(name, _)| name);
            let kept = scenario.queues.iter().map(|(name, _)| name);
            kept.chain(scenario.topics.iter().map(|(name, _)| name)).chain(exchanges).next()
        }
    {
        let name = Located { value: Name::parse("broker").expect("it is a name"), origin: first.origin };
        scenario.brokers.extend([(name, Broker::default())]);
    }
    let consumers = scenario.consumers.iter().map(|(name, consumer)| (name.clone(), service_of(consumer)));
    let brokers = scenario.brokers.iter().map(|(name, broker)| {
        let (place, nodes) = (broker.place.clone(), broker.nodes);
        (name.clone(), Service { place, nodes, ..plain_service() })
    });
    let controllers = scenario.brokers.iter().filter(|(name, _)| scenario.has_topics(name.as_str()));
    let controllers = controllers.filter_map(|(name, broker)| {
        let place = broker.controller_place.clone().or_else(|| broker.place.as_ref().and_then(first_place));
        let name = Located { value: Name::parse(&controller_of(name.as_str())).ok()?, origin: name.origin };
        Some((name, Service { place, ..plain_service() }))
    });
    let services: Vec<_> = consumers.chain(brokers).chain(controllers).collect();
    scenario.services.extend(services);
}

/// The first of these places.
fn first_place(place: &Located<Place>) -> Option<Located<Place>> {
    let first = match &place.value {
        Place::One(location) => location.clone(),
        Place::Turn(locations) => locations.first()?.value.clone(),
        Place::Counts(counts) => counts.iter().next()?.0.value.clone(),
    };
    Some(Located { value: Place::One(first), origin: place.origin })
}

/// The name of the controller of this cluster.
pub fn controller_of(broker: &str) -> String {
    format!("{broker}-controller")
}

impl Scenario {
    /// Whether this broker keeps topics.
    pub fn has_topics(&self, broker: &str) -> bool {
        let is_only = self.brokers.len() == 1;
        self.topics.iter().any(|(_, topic)| match &topic.broker {
            Some(named) => named.value.as_str() == broker,
            None => is_only,
        })
    }
}

fn service_of(consumer: &Consumer) -> Service {
    Service {
        nodes: consumer.nodes,
        place: consumer.place.clone(),
        workers: consumer.workers,
        speed: consumer.speed.clone(),
        state: consumer.state.clone(),
        steps: consumer.steps.clone(),
        step: consumer.step.clone(),
        ..plain_service()
    }
}

fn plain_service() -> Service {
    Service {
        nodes: None,
        place: None,
        workers: one_worker(),
        discipline: None,
        speed: None,
        queue: Queue::default(),
        shed: None,
        admit: None,
        hold_worker: None,
        balance: None,
        cancel: Cancel::None,
        state: None,
        reply_size: None,
        ops: super::Named::default(),
        steps: None,
        step: Step::default(),
        passes_on: false,
    }
}
