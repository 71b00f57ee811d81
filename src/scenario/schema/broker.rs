//! `[brokers]`, `[queues]`, `[exchanges]` and `[consumers]`: messages that wait for somebody to take them.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::chosen::Tuned;
use super::distribution::Times;
use super::name::Name;
use super::number::Positive;
use super::place::Place;
use super::policy::{Cancel, Limit};
use super::quantity_text::Duration;
use super::service::{Queue, Service};
use super::step::Step;
use super::{Scenario, Steps};
use crate::protocol::amqp::{Acknowledge, WorkQueueSettings};
use crate::scenario::document::{Located, OneOrMany};

/// A node that keeps queues. With a single broker in the scenario, or none, nobody has to say which one is meant.
#[derive(Clone, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Broker {
    /// Where it is; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// How long a consumer may be silent before its connection counts as lost, and what it held goes to others. Twice RabbitMQ's
    /// `heartbeat` of 60 s would be its worst case; it takes the first missed one here.
    #[schemars(extend("default" = "60s"))]
    pub heartbeat: Option<Located<Duration>>,
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
    /// How it compares the routing key of a message with those of its bindings.
    #[schemars(extend("default" = "direct"))]
    pub r#type: Option<ExchangeType>,
    /// The queues it sends to, each with its binding key, or several.
    #[serde(default)]
    pub bindings: super::Named<OneOrMany<Located<String>>>,
    /// Where what none of the bindings matches goes.
    pub alternate_exchange: Option<Located<Name>>,
}

/// How an exchange compares routing keys.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExchangeType {
    /// They have to be equal.
    Direct,
    /// Not at all: everything goes everywhere.
    Fanout,
    /// As patterns of words between dots: `*` stands for one word, `#` for any number of them.
    Topic,
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
    pub queue: Located<Name>,
    /// How many messages a node may hold that it has not acknowledged. RabbitMQ has no limit unless `basic.qos` sets one.
    #[schemars(extend("default" = "unlimited"))]
    pub prefetch: Option<Located<Limit>>,
    /// When a message counts as processed: `manual` when it has been, `automatic` as soon as it is sent.
    #[schemars(extend("default" = "manual"))]
    pub acknowledge: Option<Located<AcknowledgeMode>>,
    /// Whether a message that fails goes back to the queue, or else dies.
    #[schemars(extend("default" = true))]
    pub requeue: Option<Located<bool>>,
    /// How many messages a node works on at a time.
    #[serde(default = "one_worker")]
    pub workers: Limit,
    /// How fast the nodes work, 1 being as written; a list where they differ, one for each node.
    #[schemars(extend("default" = 1))]
    pub speed: Option<Located<OneOrMany<Positive>>>,
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

/// Puts a service in place of each group of consumers, and of each broker, so that they can be sent to. Queues without any broker
/// get one, which is ideal.
pub(in crate::scenario) fn consumers_and_brokers(scenario: &mut Scenario) {
    if scenario.brokers.is_empty()
        && let Some((queue, _)) = scenario.queues.iter().next()
    {
        let name = Located { value: Name::parse("broker").expect("it is a name"), origin: queue.origin };
        scenario.brokers.extend([(name, Broker::default())]);
    }
    let consumers = scenario.consumers.iter().map(|(name, consumer)| (name.clone(), service_of(consumer)));
    let brokers = scenario.brokers.iter().map(|(name, broker)| {
        let place = broker.place.clone();
        (name.clone(), Service { place, ..plain_service() })
    });
    let services: Vec<_> = consumers.chain(brokers).collect();
    scenario.services.extend(services);
}

fn service_of(consumer: &Consumer) -> Service {
    Service {
        nodes: consumer.nodes,
        place: consumer.place.clone(),
        workers: consumer.workers,
        speed: consumer.speed.clone(),
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
