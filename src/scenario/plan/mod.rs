//! From what is written to what is played: names become places, quantities values, and whatever does not fit together is
//! said with its place.

mod binding;
mod broker;
mod distribution;
mod estimate;
mod expect;
mod fault;
mod health;
mod keys;
mod load;
mod matching;
mod medium;
mod message;
mod network;
mod nodes;
mod parts;
mod patterns;
mod places;
mod policy;
mod publication;
mod regions;
mod roles;
mod saga;
mod service;
mod service_group;
mod state;
mod steps;
mod study;
mod system;
mod topic;
mod topology;
mod transport;
mod tune;
mod unused;
mod when;

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::sync::Arc;

use crate::base::names::Names;
use crate::base::random::Seed;
use crate::base::time::{Span, Time};
use crate::metrics::recovery::Strike;
use crate::metrics::{Correctness, Places, Spans, curve_step};
use crate::model::{
    Board, Broker, BrokerSpec, Call, Client, ClientSpec, Keys, Leaders, Letter, LogBroker, LogController, LogSpec,
    Program, RouteSpec, Router, Script, Service, ServiceSpec, Stated, Step, Target, Watch,
};
use crate::network::Network;
use crate::process::{Boot, Flow, NO_PLACE};
use crate::sim::{Cluster, Storage};

use super::diagnostic::Diagnostic;

use super::load::{Loaded, Mistakes};
use super::schema::{Runs, Warmup};
use super::trace::TraceFile;

pub use distribution::{sizes, times};
#[cfg(test)]
pub(super) use expect::has;
pub use expect::{Expectation, Measure, Subject, is_measured, measured_for};
pub use fault::FaultSpec;
pub use network::network;
pub use policy::{Receiver, balance, policy};
pub use regions::{Region, Regions, Spot, Zone, regions};
pub use service_group::ServiceGroup;
pub use study::{Column, Enough};
pub use system::{Kind, Medium, Part, System, Traffic, Way};
pub use tune::Aim;
pub use unused::Unused;
pub use when::When;

/// A scenario that can be played.
#[derive(Clone, Debug)]
pub struct Plan {
    /// What it is called.
    pub title: String,
    /// The variant that was chosen.
    pub variant: Option<String>,
    /// The seed of the first run.
    pub seed: u64,
    /// How often it is played, each time with another seed; at the most, where there may be enough before.
    pub runs: u32,
    /// Whether the scenario says how often.
    pub says_runs: bool,
    /// When there are enough runs, where that is found out.
    pub enough: Option<Enough>,
    /// What studies of many runs show.
    pub columns: Vec<Column>,
    /// How long there is load.
    pub duration: Span,
    /// What is left out of the numbers at the start.
    pub warmup: Span,
    /// Whether that is still to be found out.
    pub finds_warmup: bool,
    /// How long messages are followed after the load has ended, at most.
    pub drain: Span,
    /// What is expected.
    pub expectations: Vec<Expectation>,
    /// What tuning looks for, if it says so.
    pub aim: Option<Aim>,
    /// What looks wrong but can be played.
    pub warnings: Vec<Diagnostic>,
    /// Named tables that it makes no use of.
    pub unused: Unused,
    /// The whole scenario in one text, references resolved.
    pub resolved: String,
    /// Streams of messages, in the order of the ledger's books.
    pub flows: Vec<FlowSpec>,
    /// Names under which queues of brokers are reported: their own, and those of groups whose nodes each have one.
    pub queues: Vec<String>,
    /// For each queue, in the order of their books, under which of these names.
    pub rows_of_queues: Vec<u16>,
    /// Topics, in the order of their books.
    pub topics: Vec<String>,
    /// Groups that read topics, in the order of their books.
    pub readers: Vec<String>,
    /// What happens to the system.
    pub faults: Vec<FaultSpec>,
    /// Whether the first run says where the time of its messages went.
    pub explains: bool,
    /// The system as a picture shows it.
    pub system: System,
    /// How many partitions there are of topics.
    partitions: usize,
    traces: Vec<TraceFile>,
    groups: Vec<Group>,
    calls: Vec<Call>,
    routes: Vec<RouteSpec>,
    programs: Vec<Program>,
    targets: Vec<Target>,
    watches: Vec<Watch>,
    network: Network,
}

/// A stream of messages that is reported together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FlowSpec {
    /// The group that offers them.
    pub caller: String,
    /// The entry of its mix, if it has one.
    pub entry: Option<String>,
    /// The group that handles them; empty for whole requests of a client, which are several messages each.
    pub callee: String,
    /// Whether they are what a client asks for, not a part of that.
    pub is_client: bool,
    /// When one of them counts as correct.
    pub correctness: Correctness,
    /// Whether they are calls: whoever sent one waits for its answer.
    pub is_call: bool,
}

impl FlowSpec {
    /// Who offers them: `client`, or `client/entry`.
    pub fn offerer(&self) -> String {
        match &self.entry {
            Some(entry) => format!("{}/{entry}", self.caller),
            None => self.caller.clone(),
        }
    }
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    nodes: u32,
    role: Role,
}

#[derive(Clone, Debug)]
enum Role {
    Client(Arc<ClientSpec>),
    Service(Arc<ServiceSpec>, Option<Storage>),
    Broker(Arc<BrokerSpec>, Option<Storage>),
    LogBroker(Arc<LogSpec>, Option<Storage>),
    LogController(Arc<LogSpec>),
    Router,
}

impl Plan {
    /// The plan of a loaded scenario.
    ///
    /// # Errors
    /// Everything that does not fit together, with its place.
    pub fn new(loaded: Loaded) -> Result<Self, Mistakes> {
        let mut mistakes = Vec::new();
        match roles::plan(&loaded, &mut mistakes) {
            Some(plan) if mistakes.is_empty() => Ok(plan),
            _ => Err(Mistakes { diagnostics: mistakes, texts: loaded.texts }),
        }
    }

    /// Messages due, and time passed, from the first to before the second count.
    pub fn measured(&self) -> (Time, Time) {
        (Time::ZERO + self.warmup, Time::ZERO + self.duration)
    }

    /// The names of the streams of messages, in their order: `client`, `client/entry`, or `caller->callee`.
    pub fn names_of_flows(&self) -> Vec<String> {
        let name = |flow: &FlowSpec| {
            if flow.is_client && !self.has_several_callees(flow) {
                flow.offerer()
            } else {
                format!("{}->{}", flow.offerer(), flow.callee)
            }
        };
        self.flows.iter().map(name).collect()
    }

    /// Whether a client offers such messages to other groups as well.
    pub fn has_several_callees(&self, flow: &FlowSpec) -> bool {
        self.flows.iter().any(|other| {
            let differs = other.callee != flow.callee && other.is_client && flow.is_client;
            differs && (&other.caller, &other.entry) == (&flow.caller, &flow.entry)
        })
    }

    /// The names of the places that keep messages for others, in the order of their books: queues, then groups that read topics.
    pub fn names_of_places(&self) -> Vec<String> {
        let queues = self.rows_of_queues.iter().map(|&row| self.queues[usize::from(row)].clone());
        queues.chain(self.readers.iter().cloned()).collect()
    }

    /// The same plan, with so much of the beginning left out of the numbers, which changes no event.
    pub fn leaving_out(&self, warmup: Span) -> Self {
        Self { warmup, finds_warmup: false, ..self.clone() }
    }

    /// The same plan as tuning plays it: of its runs is asked what is to be best and what that is subject to, and nothing else.
    pub fn for_tuning(&self) -> Self {
        let Some(Aim { objective, subject, .. }) = &self.aim else { return self.clone() };
        let (columns, expectations) = (vec![objective.clone()], subject.clone());
        Self { columns, expectations, enough: None, ..self.clone() }
    }

    /// The length of a step of the curves over time.
    pub fn step(&self) -> Span {
        curve_step(self.warmup, self.duration)
    }

    /// Every quantity that is asked of its runs, as it is written: what studies show, what is expected, and what has to be known.
    pub fn asked(&self) -> impl Iterator<Item = &str> {
        let columns = self.columns.iter().map(|column| column.quantity.as_str());
        let expected = self.expectations.iter().map(|expectation| expectation.quantity.as_str());
        let targets = self.enough.iter().flat_map(|enough| &enough.targets).map(|(column, _)| column.quantity.as_str());
        columns.chain(expected).chain(targets)
    }

    /// The seed of a run.
    pub fn seed_of(&self, run: u32) -> u64 {
        Seed(self.seed).replicate(run).0
    }

    /// Every group of services: its name, workers per node, and nodes.
    pub fn stations(&self) -> impl Iterator<Item = (&str, Option<NonZeroU32>, u32)> {
        self.groups.iter().filter_map(|group| match &group.role {
            Role::Service(spec, _) => Some((group.name.as_str(), spec.workers, group.nodes)),
            Role::Client(_) | Role::Router | Role::Broker(..) | Role::LogBroker(..) | Role::LogController(_) => None,
        })
    }

    /// The queues, who consumes from them, and which messages go there.
    pub fn places(&self, names: &Names) -> Places {
        let queues = self.rows_of_queues.len();
        let mut places = Places { count: queues + self.readers.len(), ..Places::default() };
        let broker = |call: &Call| match &self.groups.get(usize::from(call.target))?.role {
            Role::Broker(spec, _) => Some(spec),
            _ => None,
        };
        let steps = || self.programs.iter().flat_map(|program| &program.steps);
        let relayed = steps().filter_map(|step| match step {
            Step::Outbox(call) => Some(*call),
            _ => None,
        });
        let relayed: BTreeSet<u16> = relayed.collect();
        for (number, call) in (0..).zip(&self.calls) {
            if let Some(record) = &call.record {
                let topic = &record.spec.cluster.topics[record.topic.0 as usize];
                let owed = topic.places.iter().copied().filter(|place| *place != NO_PLACE);
                places.flows.insert(Flow(call.flow), owed.collect());
            }
            let (Some(publication), Some(spec)) = (&call.publication, broker(call)) else { continue };
            let to = spec.destinations(publication);
            // Nobody waits any more for the reply to a request whose requester is down.
            if !call.is_request && !relayed.contains(&number) {
                places.from_memory.insert(Flow(call.flow));
            }
            let known = places.flows.entry(Flow(call.flow)).or_insert_with(|| to.clone());
            if *known != to {
                known.clear();
            }
        }
        for Group { name, role, .. } in &self.groups {
            let Role::Service(spec, _) = role else { continue };
            let members = || names.group(name).into_iter().flat_map(|group| names.members(group));
            if let Some((_, reader)) = &spec.reads {
                let place = (queues + reader.group.0 as usize) as u16;
                places.consumers.extend(members().map(|node| (node, place)));
                // In a transaction, all is read again.
                places.moving_on.extend((!reader.is_transactional).then_some(place));
            }
            let subscription = spec.consumes.and_then(|call| self.calls[usize::from(call)].subscription.as_ref());
            let Some(subscription) = subscription else { continue };
            let number = |(place, node)| (node, subscription.number_of(place));
            places.consumers.extend((0..).zip(members()).map(number));
        }
        places
    }

    /// The system, ready to be played with this seed.
    ///
    /// # Panics
    /// If the plan's names collide, which [`Plan::new`] rules out.
    pub fn cluster(&self, seed: u64) -> Cluster<Letter> {
        let mut cluster = Cluster::seeded(seed);
        let script = Arc::new(Script {
            calls: self.calls.clone(),
            routes: self.routes.clone(),
            programs: self.programs.clone(),
            targets: self.targets.clone(),
            watches: self.watches.clone(),
            keys: Keys::of(Seed(seed)),
            board: Board::new(self.span()),
        });
        let leaders = Leaders::new(self.partitions);
        for Group { name, nodes, role } in &self.groups {
            let mut script = Arc::clone(&script);
            let added = match role.clone() {
                Role::Client(spec) => {
                    let feed = spec.feed();
                    let client =
                        move |boot: Boot<'_>| Client::new(script.under(boot.seed), &spec, feed.as_ref(), &boot);
                    cluster.group(name, *nodes, client)
                }
                Role::Service(spec, _) => {
                    cluster.group(name, *nodes, move |boot| Service::new(script.under(boot.seed), &spec, &boot))
                }
                Role::Broker(spec, _) => {
                    let stated = Stated::default();
                    cluster.group(name, *nodes, move |boot| Broker::new(script.under(boot.seed), &spec, &stated, &boot))
                }
                Role::LogBroker(spec, _) => cluster.group(name, *nodes, move |boot| LogBroker::new(&spec, &boot)),
                Role::LogController(spec) => {
                    let leaders = leaders.clone();
                    cluster.group(name, *nodes, move |boot| LogController::new(&spec, &leaders, &boot))
                }
                Role::Router => cluster.group(name, *nodes, |_| Router),
            };
            let group = added.expect("a plan's names are checked");
            if let Role::Service(_, Some(storage))
            | Role::Broker(_, Some(storage))
            | Role::LogBroker(_, Some(storage)) = role
            {
                cluster.set_storage(group, storage.clone());
            }
        }
        cluster.set_network(self.network.clone());
        let end = Time::ZERO + self.duration + self.drain;
        self.faults.iter().for_each(|fault| fault.add_to(&mut cluster, &leaders, Seed(seed), end));
        cluster
    }

    /// What has become of a trace that could not be read again, if that has happened in any run so far.
    pub fn trouble(&self) -> Option<String> {
        self.traces.iter().find_map(TraceFile::trouble)
    }

    /// When each fault strikes in a run with this seed, and when that heals, as far as the run lasts at most.
    pub fn strikes(&self, seed: u64) -> Vec<Vec<Strike>> {
        let end = Time::ZERO + self.duration + self.drain;
        self.faults.iter().map(|fault| fault.strikes_in(Seed(seed), end)).collect()
    }

    /// The windows that expectations speak of, in a run whose faults strike so.
    pub fn windows(&self, strikes: &[Vec<Strike>]) -> Vec<Spans> {
        let measures = self.expectations.iter().map(|expectation| &expectation.measure);
        let measures = measures.chain(self.columns.iter().map(|column| &column.measure));
        let targets = self.enough.iter().flat_map(|enough| &enough.targets);
        let measures = measures.chain(targets.map(|(column, _)| &column.measure));
        let mut windows: Vec<When> = Vec::new();
        for when in measures.filter(|measure| !measure.metric.is_of_strikes()).filter_map(|measure| measure.window) {
            if !windows.contains(&when) {
                windows.push(when);
            }
        }
        windows.into_iter().map(|when| when.spans(|fault| &strikes[fault], self.measured())).collect()
    }

    fn span(&self) -> usize {
        self.groups.iter().map(|group| group.nodes.next_multiple_of(Names::PAGE) as usize).sum()
    }
}

fn warmup_of(warmup: Option<&Warmup>) -> Span {
    match warmup {
        None | Some(Warmup::Auto) => Span::ZERO,
        Some(Warmup::Constant(time)) => time.0,
    }
}

fn runs_of(runs: Option<&Runs>) -> u32 {
    match runs {
        None => 1,
        Some(Runs::Constant(count)) => count.get(),
        Some(Runs::Until(precision)) => precision.at_most.get(),
    }
}

#[cfg(test)]
mod tests;
