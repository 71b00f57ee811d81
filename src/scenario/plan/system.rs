//! The system as a picture shows it: who is there, who sends to whom, and what lies between them.
//!
//! Plain data, made from what was planned and of no use to a run.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::base::names::Names;
use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::network::{Link, Network};
use crate::scenario::schema::{Scenario, controller_of};

use super::regions::Regions;
use super::{FlowSpec, Group, Role};

/// Who is there, who sends to whom, and what lies between them.
#[derive(Clone, PartialEq, Debug, Default, Serialize, Deserialize)]
pub struct System {
    /// Groups of nodes, then queues, exchanges and topics.
    pub parts: Vec<Part>,
    /// Who sends to whom.
    pub ways: Vec<Way>,
    /// What lies between them: the network first, then its links that differ.
    pub links: Vec<Medium>,
}

/// A group of nodes, or a place where messages wait.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How many nodes it has; a place has none of its own.
    pub nodes: Option<u32>,
    /// How many requests a node handles at a time, where that is limited.
    pub workers: Option<u32>,
    /// Where its nodes are: regions, or zones of them, each with the number of nodes. Empty without regions.
    pub at: Vec<(String, u32)>,
    /// The broker that has it, if it is a place.
    pub host: Option<String>,
}

/// What a part of the system is.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[allow(missing_docs)]
pub enum Kind {
    Client,
    Service,
    Balancer,
    Consumers,
    Broker,
    Controller,
    Router,
    Queue,
    Exchange,
    Topic,
}

/// From one part to another.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct Way {
    /// Whose messages they are.
    pub from: String,
    /// Who gets them.
    pub to: String,
    /// What goes there.
    pub kind: Traffic,
}

/// What goes from one part to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Traffic {
    /// Requests, which are answered.
    Call,
    /// Messages, one way.
    Send,
    /// What is published to a place.
    Publish,
    /// What an exchange hands on.
    Bind,
    /// What consumers get or read.
    Deliver,
    /// What dies in a queue.
    DeadLetter,
}

/// What lies between nodes.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Medium {
    /// Its name.
    pub name: String,
    /// Its ends, as they are written; none of the network.
    pub ends: Option<[String; 2]>,
    /// Whether it leads both ways.
    pub is_both_ways: bool,
    /// What happens to messages on it, in words; nothing where it is ideal.
    pub does: Vec<String>,
}

/// What was planned so far.
pub(super) struct Planned<'a> {
    pub scenario: &'a Scenario,
    pub names: &'a Names,
    pub groups: &'a [Group],
    pub flows: &'a [FlowSpec],
    pub regions: Option<&'a Regions>,
    pub network: &'a Network,
}

impl Planned<'_> {
    pub fn system(&self) -> System {
        let groups = self.groups.iter().map(|group| self.group(group));
        System { parts: groups.chain(self.places()).collect(), ways: self.ways(), links: self.links() }
    }

    fn group(&self, Group { name, nodes, role }: &Group) -> Part {
        let scenario = self.scenario;
        let kind = match role {
            Role::Client(_) => Kind::Client,
            Role::Broker(..) | Role::LogBroker(..) => Kind::Broker,
            Role::LogController(_) => Kind::Controller,
            Role::Router => Kind::Router,
            Role::Service(..) if scenario.balancers.get(name).is_some() => Kind::Balancer,
            Role::Service(..) if scenario.consumers.get(name).is_some() => Kind::Consumers,
            Role::Service(..) => Kind::Service,
        };
        let workers = match role {
            Role::Service(spec, _) if kind != Kind::Balancer => spec.workers.map(Into::into),
            _ => None,
        };
        let broker = scenario.brokers.iter().find(|(broker, _)| controller_of(broker.as_str()) == *name);
        let host = broker.filter(|_| kind == Kind::Controller).map(|(broker, _)| broker.as_str().to_owned());
        Part { name: name.clone(), kind, nodes: Some(*nodes), workers, at: self.at(name), host }
    }

    /// Where the nodes of a group are, in the order of the places' names.
    fn at(&self, group: &str) -> Vec<(String, u32)> {
        let Some((regions, group)) = self.regions.zip(self.names.group(group)) else { return Vec::new() };
        let mut counts: BTreeMap<String, u32> = BTreeMap::new();
        for node in self.names.members(group) {
            let spot = regions.of(node);
            let name = spot.zone.map_or_else(|| regions.name(spot.region).to_owned(), |zone| regions.zone_name(zone));
            *counts.entry(name).or_default() += 1;
        }
        counts.into_iter().collect()
    }

    fn places(&self) -> impl Iterator<Item = Part> {
        let scenario = self.scenario;
        let only = scenario.brokers.iter().next().map(|(name, _)| name.as_str().to_owned());
        let part = move |name: &str, kind, host: Option<&str>| Part {
            name: name.into(),
            kind,
            nodes: None,
            workers: None,
            at: Vec::new(),
            host: host.map(Into::into).or_else(|| only.clone()),
        };
        let exchanges = scenario.exchanges.iter().map(|(name, exchange)| (name, Kind::Exchange, &exchange.broker));
        let queues = scenario.queues.iter().map(|(name, queue)| (name, Kind::Queue, &queue.broker));
        let topics = scenario.topics.iter().map(|(name, topic)| (name, Kind::Topic, &topic.broker));
        let all = exchanges.chain(queues).chain(topics);
        all.map(move |(name, kind, host)| part(name.as_str(), kind, host.as_ref().map(|host| host.value.as_str())))
    }

    /// Every way once, in the order in which flows, exchanges and consumers are written.
    fn ways(&self) -> Vec<Way> {
        let scenario = self.scenario;
        let (mut ways, mut known) = (Vec::new(), BTreeSet::new());
        let mut add = |from: &str, to: &str, kind| {
            let way = Way { from: from.into(), to: to.into(), kind };
            if known.insert(way.clone()) {
                ways.push(way);
            }
        };
        let places: BTreeSet<String> = self.places().map(|place| place.name).collect();
        for flow in self.flows.iter().filter(|flow| !flow.callee.is_empty()) {
            let kind = match flow.is_call {
                _ if places.contains(&flow.callee) => Traffic::Publish,
                true => Traffic::Call,
                false => Traffic::Send,
            };
            add(&flow.caller, &flow.callee, kind);
        }
        for (name, exchange) in scenario.exchanges.iter() {
            exchange.bindings.iter().for_each(|(queue, _)| add(name.as_str(), queue.as_str(), Traffic::Bind));
            exchange.alternate_exchange.iter().for_each(|other| add(name.as_str(), other.as_str(), Traffic::Bind));
        }
        for (name, queue) in scenario.queues.iter() {
            let dead = queue.dead_letter_queue.iter().chain(&queue.dead_letter_exchange);
            dead.for_each(|to| add(name.as_str(), to.as_str(), Traffic::DeadLetter));
        }
        for (name, consumer) in scenario.consumers.iter() {
            let topics = consumer.topics.iter().flat_map(|topics| topics.0.iter());
            let sources = consumer.queue.iter().chain(&consumer.exchange).chain(topics);
            sources.for_each(|from| add(from.as_str(), name.as_str(), Traffic::Deliver));
        }
        ways
    }

    fn links(&self) -> Vec<Medium> {
        let medium = |(_, name, link): (_, &str, &Link)| {
            let written = self.scenario.links.get(name);
            let ends = written.and_then(|written| {
                let both = written.between.as_ref().map(|ends| [ends[0].to_string(), ends[1].to_string()]);
                both.or_else(|| Some([written.from.as_ref()?.to_string(), written.to.as_ref()?.to_string()]))
            });
            let is_both_ways = written.is_none_or(|written| written.between.is_some());
            Medium { name: name.into(), ends, is_both_ways, does: does(link) }
        };
        self.network.links().map(medium).collect()
    }
}

/// What a link does to messages, in words.
fn does(link: &Link) -> Vec<String> {
    let mut words = Vec::new();
    let mean = Span::from_nanos_f64(link.latency.mean());
    if mean > Span::ZERO {
        words.push(if link.latency.is_constant() { mean.to_string() } else { format!("about {mean}") });
    }
    let share =
        |probability: Probability, does: &str| (!probability.is_never()).then(|| format!("{probability} {does}"));
    words.extend(share(link.loss, "lost"));
    words.extend(link.bursts.as_ref().and_then(|bursts| share(bursts.share(), "lost in bursts")));
    words.extend(share(link.duplicate, "doubled"));
    words.extend(share(link.corrupt, "damaged"));
    words.extend(link.bandwidth.map(|bandwidth| bandwidth.to_string()));
    words
}
