//! Brokers: queues, exchanges, and who consumes.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::binding;
use super::distribution::times;
use super::roles::Planner;
use super::topic::reader_keys;
use crate::base::distribution::Distribution;
use crate::base::id::hash_name;
use crate::base::probability::Probability;
use crate::base::random::mix;
use crate::base::time::{Span, ms, secs};
use crate::base::units::Bytes;
use crate::model::{self, BrokerSpec, HostedQueue, SubscriptionSpec};
use crate::protocol::amqp::{
    Binding, DeadLetterTo, DirectSettings, ExchangeId, ExchangeKind, FanoutSettings, HeadersSettings, QueueId, Routing,
    Subscription, TopicSettings, WorkQueueSettings,
};
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::Located;
use crate::scenario::schema::{
    AcknowledgeMode, Broker, Consumer, Exchange, ExchangeType, Limit, Name, Scenario, Times, WorkQueue,
};
use crate::sim::{Storage, Sync};

/// How often a consumer says that it is there, at the most: RabbitMQ's clients try again to connect after 5 s.
const BEAT_MAX: Span = secs(5);

/// Shorter ones would be nothing but beats.
const HEARTBEAT_MIN: Span = ms(1);

/// The brokers of a scenario.
#[derive(Default)]
pub(super) struct Brokers {
    /// By name.
    specs: BTreeMap<String, Arc<BrokerSpec>>,
    /// Queues by name: the broker, and the place there.
    pub(super) queues: BTreeMap<String, (String, QueueId)>,
    pub(super) exchanges: BTreeMap<String, (String, ExchangeId)>,
    /// Groups that subscribe to exchanges, by name: the broker, and the queue of the first node.
    subscribers: BTreeMap<String, (String, QueueId)>,
    /// The names under which queues are reported: their own, or those of the groups that they belong to.
    pub(super) reported: Vec<String>,
    /// For each queue its place among these.
    pub(super) rows: Vec<u16>,
}

impl Brokers {
    /// What a broker holds, if there is one of this name.
    pub(super) fn spec(&self, name: &str) -> Option<&Arc<BrokerSpec>> {
        self.specs.get(name)
    }

    /// The exchange of this name, if this broker has it.
    pub(super) fn exchange_at(&self, name: &str, broker: &str) -> Option<ExchangeId> {
        self.exchanges.get(name).filter(|(host, _)| host == broker).map(|(_, id)| *id)
    }

    /// The names of all queues and exchanges.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.queues.keys().chain(self.exchanges.keys()).map(String::as_str)
    }

    /// The brokers of a scenario; what is wrong with them goes to `mistakes`.
    pub(super) fn of(scenario: &Scenario, mistakes: &mut Vec<Diagnostic>) -> Self {
        let mut brokers = Self::default();
        let mut hosted: BTreeMap<&str, Vec<(&Name, &WorkQueue, u16)>> = BTreeMap::new();
        for (number, (name, queue)) in scenario.queues.iter().enumerate() {
            refuse_what_no_connection_has(scenario, name, queue, mistakes);
            brokers.reported.push(name.as_str().into());
            brokers.rows.push(number as u16);
            if let Some(broker) = host(scenario, queue.broker.as_ref(), name, mistakes) {
                let queues = hosted.entry(broker).or_default();
                brokers.queues.insert(name.as_str().into(), (broker.into(), QueueId::new(queues.len() as u32)));
                queues.push((name, queue, number as u16));
            }
        }
        for (broker_name, broker) in scenario.brokers.iter() {
            let name = broker_name;
            let mut routing = Routing::new();
            for (place, (name, ..)) in hosted.get(name.as_str()).into_iter().flatten().enumerate() {
                routing.queue(name.as_str(), QueueId::new(place as u32));
            }
            for (exchange, spec) in scenario.exchanges.iter() {
                if host(scenario, spec.broker.as_ref(), exchange, &mut Vec::new()) == Some(name.as_str()) {
                    let id = routing.exchange(&kind(spec));
                    brokers.exchanges.insert(exchange.as_str().into(), (name.as_str().into(), id));
                }
            }
            let bindings = brokers.bind(scenario, name.as_str(), &mut routing, mistakes);
            let queues = hosted.remove(name.as_str()).unwrap_or_default();
            let nodes = scenario.services.get(name.as_str()).map_or(1, |service| service.nodes().get());
            // Spread over the nodes, in the order in which they are declared.
            let queue = |(place, (name, queue, number)): (usize, (&Name, &WorkQueue, _))| HostedQueue {
                number,
                home: (place % nodes as usize) as u32,
                settings: queue.settings.0.clone(),
                dead_letters: brokers.letters(broker_name.as_str(), queue, mistakes),
                name: Some(name.as_str().to_owned()),
                bindings: bindings.get(&QueueId::new(place as u32)).cloned().unwrap_or_default(),
                is_private: false,
            };
            let mut queues: Vec<_> = queues.into_iter().enumerate().map(queue).collect();
            brokers.subscribe(scenario, broker_name.as_str(), nodes, &mut queues, mistakes);
            let heartbeat = broker.heartbeat.map_or(secs(60), |heartbeat| heartbeat.value.0);
            if heartbeat < HEARTBEAT_MIN {
                let at = broker.heartbeat.map_or(name.origin, |heartbeat| heartbeat.origin);
                mistakes.push(Diagnostic::error(format!("a heartbeat takes {HEARTBEAT_MIN} at least")).at(at, ""));
            }
            let election = broker.election_timeout.map_or(secs(1), |timeout| timeout.value.0);
            if let Some(written) = broker.election_timeout.filter(|_| election < HEARTBEAT_MIN) {
                let mistake = Diagnostic::error(format!("an election timeout takes {HEARTBEAT_MIN} at least"));
                mistakes.push(mistake.at(written.origin, ""));
            }
            let memory = memory_limit(name, broker, mistakes);
            let credit = broker.credit_flow_default_credit.clone().map_or_else(Default::default, |credit| credit.0);
            let disk_read = broker.disk_read_time.map_or(Span::ZERO, |time| time.value.0);
            let spec = BrokerSpec { routing, queues, heartbeat, nodes, credit, memory, disk_read, election };
            brokers.specs.insert(name.as_str().into(), Arc::new(spec));
        }
        brokers
    }

    /// Binds the queues of a broker to its exchanges: with what, by queue.
    fn bind(
        &self,
        scenario: &Scenario,
        broker: &str,
        routing: &mut Routing,
        mistakes: &mut Vec<Diagnostic>,
    ) -> BTreeMap<QueueId, Vec<(ExchangeId, Binding)>> {
        let mut bound: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (name, exchange) in scenario.exchanges.iter() {
            let Some((_, id)) = self.exchanges.get(name.as_str()).filter(|(host, _)| host == broker) else { continue };
            for (queue, keys) in exchange.bindings.iter() {
                let Some((_, to)) = self.queues.get(queue.as_str()).filter(|(host, _)| host == broker) else {
                    mistakes.push(not_at(queue, "queue", broker, &self.queues));
                    continue;
                };
                for binding in binding::of_queue(exchange, *to, &keys.0, mistakes) {
                    bound.entry(*to).or_default().push((*id, binding.clone()));
                    routing.bind(*id, binding);
                }
            }
            if let Some(alternate) = &exchange.alternate_exchange {
                match self.exchanges.get(alternate.value.as_str()).filter(|(host, _)| host == broker) {
                    Some((_, other)) if other == id => {
                        let message =
                            "an exchange cannot be its own alternate: what fits none of its bindings never will";
                        mistakes.push(Diagnostic::error(message).at(alternate.origin, "the exchange itself"));
                    }
                    Some((_, other)) => routing.set_alternate(*id, *other),
                    None => mistakes.push(not_at(alternate, "exchange", broker, &self.exchanges)),
                }
            }
        }
        bound
    }

    /// Gives each node that subscribes to an exchange of this broker a queue of its own.
    fn subscribe(
        &mut self,
        scenario: &Scenario,
        broker: &str,
        nodes: u32,
        queues: &mut Vec<HostedQueue>,
        mistakes: &mut Vec<Diagnostic>,
    ) {
        for (name, consumer) in scenario.consumers.iter() {
            let Some(exchange) = consumer.exchange.as_ref().filter(|_| consumer.queue.is_none()) else { continue };
            let known = self.exchanges.get(exchange.value.as_str()).filter(|(host, _)| host == broker);
            let (Some((_, id)), Some(written)) = (known, scenario.exchanges.get(exchange.value.as_str())) else {
                continue;
            };
            let wanted = binding::of_subscriber((name, consumer), written, mistakes);
            self.subscribers.insert(name.as_str().into(), (broker.into(), QueueId::new(queues.len() as u32)));
            self.reported.push(name.as_str().into());
            let row = (self.reported.len() - 1) as u16;
            for _ in 0..members(scenario, name) {
                let queue = QueueId::new(queues.len() as u32);
                queues.push(HostedQueue {
                    number: self.rows.len() as u16,
                    home: queue.index() as u32 % nodes,
                    settings: WorkQueueSettings {
                        durable: false,
                        exclusive: true,
                        auto_delete: true,
                        ..WorkQueueSettings::default()
                    },
                    dead_letters: None,
                    name: None,
                    bindings: wanted.iter().map(|wanted| (*id, wanted.to(queue))).collect(),
                    is_private: true,
                });
                self.rows.push(row);
            }
        }
    }

    /// Where the dead letters of a queue go.
    fn letters(&self, broker: &str, queue: &WorkQueue, mistakes: &mut Vec<Diagnostic>) -> Option<DeadLetterTo> {
        let key = queue.dead_letter_routing_key.as_ref();
        match (&queue.dead_letter_queue, &queue.dead_letter_exchange) {
            (Some(to), None) => {
                if let Some(key) = key {
                    let mistake = Diagnostic::error("`dead-letter-queue` is a routing key itself").at(key.origin, "");
                    mistakes.push(mistake.at(to.origin, "").help("leave one of them out"));
                }
                if self.queues.get(to.value.as_str()).is_none_or(|(host, _)| host != broker) {
                    mistakes.push(not_at(to, "queue", broker, &self.queues));
                }
                let routing_key = Some(to.value.as_str().to_owned());
                Some(DeadLetterTo { exchange: ExchangeId::DEFAULT, routing_key })
            }
            (None, Some(to)) => match self.exchanges.get(to.value.as_str()).filter(|(host, _)| host == broker) {
                Some((_, exchange)) => {
                    let routing_key = key.map(|key| key.value.clone());
                    Some(DeadLetterTo { exchange: *exchange, routing_key })
                }
                None => {
                    mistakes.push(not_at(to, "exchange", broker, &self.exchanges));
                    None
                }
            },
            (Some(to), Some(other)) => {
                let mistake = Diagnostic::error("dead letters go to a queue or to an exchange, not to both");
                mistakes.push(mistake.at(to.origin, "").at(other.origin, ""));
                None
            }
            (None, None) => {
                if let Some(key) = key {
                    let message = "`dead-letter-routing-key` has no effect without `dead-letter-exchange`";
                    mistakes.push(Diagnostic::error(message).at(key.origin, ""));
                }
                None
            }
        }
    }
}

/// A name that is not one of what stands at this broker: there is none such, or it is at another.
fn not_at<I>(
    name: &Located<impl AsRef<str>>,
    what: &str,
    broker: &str,
    all: &BTreeMap<String, (String, I)>,
) -> Diagnostic {
    let written = name.value.as_ref();
    match all.get(written) {
        Some((other, _)) => Diagnostic::error(format!("{what} `{written}` is at broker `{other}`, not at `{broker}`"))
            .at(name.origin, "")
            .help("what happens at a broker stays there: a client or a consumer has to publish it to the other"),
        None => {
            unknown_name(name, what, all.iter().filter(|(_, (host, _))| host == broker).map(|(name, _)| name.as_str()))
        }
    }
}

/// The broker that is named, or the only one.
pub(super) fn host<'a>(
    scenario: &'a Scenario,
    named: Option<&Located<Name>>,
    what: &Located<Name>,
    mistakes: &mut Vec<Diagnostic>,
) -> Option<&'a str> {
    let names = || scenario.brokers.iter().map(|(name, _)| name.as_str());
    match named {
        Some(named) => {
            let found = names().find(|name| *name == named.value.as_str());
            if found.is_none() {
                mistakes.push(unknown_name(named, "broker", names()));
            }
            found
        }
        None if scenario.brokers.len() == 1 => names().next(),
        None => {
            let message = format!("there are several brokers: which one has `{}`?", what.as_str());
            mistakes.push(Diagnostic::error(message).at(what.origin, "").help("write `broker = \"…\"`"));
            None
        }
    }
}

/// How many queues there are: those with names, and one for each node that subscribes to an exchange.
pub(super) fn queues(scenario: &Scenario) -> usize {
    let subscribers = scenario.consumers.iter().filter(|(_, consumer)| consumer.exchange.is_some());
    scenario.queues.len() + subscribers.map(|(name, _)| members(scenario, name) as usize).sum::<usize>()
}

/// How many nodes a group of consumers has.
fn members(scenario: &Scenario, name: &Located<Name>) -> u32 {
    scenario.services.get(name.as_str()).map_or(1, |service| service.nodes().get())
}

/// An exclusive queue belongs to the connection of one node, and there has to be one.
fn refuse_what_no_connection_has(
    scenario: &Scenario,
    name: &Located<Name>,
    queue: &WorkQueue,
    mistakes: &mut Vec<Diagnostic>,
) {
    if !queue.settings.0.exclusive {
        return;
    }
    let consumes = |consumer: &Consumer| consumer.queue.as_ref().is_some_and(|queue| queue.value == name.value);
    let consumers = || scenario.consumers.iter().filter(|(_, consumer)| consumes(consumer));
    let nodes: u64 = consumers().map(|(consumer, _)| u64::from(members(scenario, consumer))).sum();
    if nodes == 1 {
        return;
    }
    let message = format!("`{}` is exclusive: it belongs to the connection of one consumer", name.value);
    let mut mistake = Diagnostic::error(message);
    mistake = match consumers().last() {
        None => mistake.at(name.origin, "and nobody consumes from it"),
        Some((consumer, _)) => {
            mistake.at(consumer.origin, format!("{nodes} nodes consume from it")).at(name.origin, "exclusive")
        }
    };
    let help = "leave `exclusive` out; where each consumer is to have a queue of its own, subscribe to an `exchange`";
    mistakes.push(mistake.help(help));
}

pub(super) fn kind(exchange: &Exchange) -> ExchangeKind {
    match exchange.r#type.unwrap_or(ExchangeType::Direct) {
        ExchangeType::Direct => DirectSettings::default().into(),
        ExchangeType::Fanout => FanoutSettings::default().into(),
        ExchangeType::Topic => TopicSettings::default().into(),
        ExchangeType::Headers => HeadersSettings::default().into(),
    }
}

/// How many bytes of messages a node of a broker may hold before publishers are kept back.
fn memory_limit(name: &Located<Name>, broker: &Broker, mistakes: &mut Vec<Diagnostic>) -> Option<Bytes> {
    let watermark = broker.vm_memory_high_watermark.as_ref().map(|watermark| watermark.0.clone());
    match (&broker.memory, watermark) {
        (Some(memory), watermark) => Some(watermark.unwrap_or_default().limit(memory.value.0)),
        (None, Some(watermark)) if watermark.absolute.is_some() => watermark.absolute,
        (None, Some(_)) => {
            let message = "`vm-memory-high-watermark` is a share of `memory`, and none is written";
            let mistake = Diagnostic::error(message).at(name.origin, "");
            mistakes.push(mistake.help("write `memory = \"1GiB\"` in the broker, or `absolute`"));
            None
        }
        (None, None) => None,
    }
}

/// The disk of a broker.
pub(super) fn storage(broker: &Broker, mistakes: &mut Vec<Diagnostic>) -> Option<Storage> {
    let mut law = |written: &Option<Times>| {
        let law = written.as_ref().map(times).unwrap_or_else(|| Ok(Distribution::constant(Span::ZERO)));
        law.map_err(|mistake| mistakes.push(mistake)).ok()
    };
    Some(Storage {
        write: law(&broker.write_time)?,
        sync: law(&broker.fsync_time)?,
        when: Sync::Always,
        torn: Probability::ZERO,
        capacity: None,
    })
}

impl Planner<'_> {
    /// The kind of message that a broker delivers to a group of consumers, which is at this place among the services.
    pub(super) fn delivery(&mut self, name: &Located<Name>, consumer: &Consumer, index: usize) -> Option<u16> {
        for (key, at) in reader_keys(consumer) {
            let message = format!("`{key}` belongs to topics, and this consumes from a queue");
            self.mistakes.push(Diagnostic::error(message).at(at, ""));
        }
        let (from, source) = match (&consumer.queue, &consumer.exchange) {
            (Some(queue), _) => (queue, self.brokers.queues.get(queue.value.as_str())),
            (None, Some(exchange)) => (exchange, self.brokers.subscribers.get(name.as_str())),
            (None, None) => return None,
        };
        let is_private = consumer.queue.is_none();
        let bindings = [
            ("binding-key", consumer.binding_key.as_ref().and_then(|keys| Some(keys.0.first()?.origin))),
            ("binding-headers", consumer.binding_headers.as_ref().and_then(|all| Some(all.0.first()?.origin))),
        ];
        for (key, at) in bindings.into_iter().filter_map(|(key, at)| Some((key, at?))).filter(|_| !is_private) {
            let mistake = Diagnostic::error(format!("`{key}` is for those who subscribe to an `exchange`")).at(at, "");
            self.mistakes.push(mistake.help("what comes to a queue with a name is said in `bindings` of the exchange"));
        }
        let Some((broker, queue)) = source.cloned() else {
            let name = from.value.as_str();
            let mistake = match (is_private, self.brokers.queues.contains_key(name)) {
                (true, true) => Diagnostic::error(format!("`{name}` is a queue, and no exchange"))
                    .at(from.origin, "")
                    .help(format!("write `queue = \"{name}\"`")),
                (true, false) => unknown_name(from, "exchange", self.brokers.exchanges.keys().map(String::as_str)),
                (false, _) if self.brokers.exchanges.contains_key(name) => {
                    Diagnostic::error(format!("`{name}` is an exchange, and no queue"))
                        .at(from.origin, "")
                        .help(format!("write `exchange = \"{name}\"`, or a queue that is bound to it"))
                }
                (false, _) => unknown_name(from, "queue", self.brokers.queues.keys().map(String::as_str)),
            };
            self.mistakes.push(mistake);
            return None;
        };
        let spec = Arc::clone(self.brokers.spec(&broker)?);
        let node = self.names.group(&broker).and_then(|group| self.names.members(group).next())?;
        let program = self.entries.iter().find(|(group, op, _)| group == name.as_str() && op.is_none())?.2;
        let prefetch = consumer.prefetch.and_then(|limit| match limit.value {
            Limit::Constant(count) => Some(count),
            Limit::Unlimited => None,
        });
        let is_automatic = consumer.acknowledge.is_some_and(|mode| mode.value == AcknowledgeMode::Automatic);
        for (key, place) in [
            ("prefetch", consumer.prefetch.map(|prefetch| prefetch.origin)),
            ("requeue", consumer.requeue.map(|requeue| requeue.origin)),
        ] {
            if let Some(place) = place.filter(|_| is_automatic) {
                let message = format!("`{key}` has no effect: what is acknowledged when it is sent is never held");
                self.mistakes.push(Diagnostic::error(message).at(place, "beside `acknowledge = \"automatic\"`"));
            }
        }
        let acknowledge = consumer.acknowledge.map_or_else(Default::default, |mode| Subscription {
            acknowledge: mode.value.into(),
            ..Subscription::default()
        });
        let call = self.calls.len() as u16;
        let place = mix(u64::from(hash_name(from.value.as_str())) << 32 | u64::from(hash_name(name.as_str())));
        self.calls.push(model::Call {
            subscription: Some(Arc::new(SubscriptionSpec {
                broker: node,
                brokers: spec.nodes,
                queue,
                number: spec.queues[queue.index()].number,
                is_private,
                terms: Subscription { prefetch, ..acknowledge },
                requeues: consumer.requeue.is_none_or(|requeue| requeue.value),
                beat: BEAT_MAX.min(Span::from_nanos(spec.heartbeat.as_nanos() / 2)),
            })),
            ..model::Call::delivery(place, index as u16, program)
        });
        Some(call)
    }
}
