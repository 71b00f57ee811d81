//! Clients and services: who calls whom, with which program, under which policy.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::names::Names;
use crate::base::time::{Span, Time};
use crate::model::{self, Choice, ClientSpec, OutboxSpec, Program, RouteSpec, ServiceSpec, Target};
use crate::network::Network;
use crate::process::NO_PLACE;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Openers};
use crate::scenario::load::Loaded;
use crate::scenario::schema::{Client, FaultKind, Name, Scenario, Service, Sizes, Step, Steps, Warmup, controller_of};
use crate::scenario::trace::{Facts, TraceFile};

use super::broker::{self, Brokers};
use super::expect::Scopes;
use super::keys::{self, Sent};
use super::message::{CALLS_MAX, Kept};
use super::nodes::Nodes;
use super::system::Planned;
use super::topic::Topics;
use super::unused::Effects;
use super::{
    FlowSpec, Group, Plan, Role, estimate, fault, health, load, network, regions, runs_of, service, state, topology,
    warmup_of,
};

/// Plans the whole scenario; what is wrong with it goes to `mistakes`.
pub(super) fn plan(loaded: &Loaded, mistakes: &mut Vec<Diagnostic>) -> Option<Plan> {
    let scenario = &loaded.scenario;
    let run = &scenario.run;
    let duration = run.duration.value.0;
    if duration == Span::ZERO {
        mistakes.push(Diagnostic::error("a run takes some time").at(run.duration.origin, "no time at all"));
    }
    let warmup = warmup_of(run.warmup.as_ref().map(|warmup| &warmup.value));
    if let Some(at) = run.warmup.as_ref().filter(|_| warmup >= duration) {
        mistakes.push(
            Diagnostic::error("the warm-up leaves nothing to measure")
                .at(at.origin, format!("as long as `run.duration` ({duration}), or longer")),
        );
    }
    estimate::refuse_the_absurd(scenario, duration, mistakes);
    if scenario.clients.is_empty() {
        mistakes.push(
            Diagnostic::error("nothing brings load: there is no client")
                .at(loaded.document.top, "in this scenario")
                .help("add a table such as [clients.app] with `rate` and `call`"),
        );
    }
    if !mistakes.is_empty() {
        return None;
    }
    let names = names(scenario, mistakes)?;
    let planned = regions::regions(scenario, &names).and_then(|regions| {
        let network =
            network::network(scenario.network.as_ref(), &scenario.links, regions.as_ref(), &names, &loaded.texts)?;
        let nodes = Nodes { names: &names, regions: regions.as_ref(), texts: &loaded.texts };
        let topology = topology::topology(scenario, nodes)?;
        Ok((regions, network, topology))
    });
    let (regions, mut network, topology) = match planned {
        Ok(planned) => planned,
        Err(more) => {
            mistakes.extend(more);
            return None;
        }
    };
    let mut warnings = Vec::new();
    if let Some(topology) = topology {
        warnings = topology::idle_links(&network, &topology, &scenario.links);
        network = network.with_topology(topology);
    }
    let places = broker::queues(scenario) + scenario.consumers.len();
    if places >= usize::from(NO_PLACE) {
        let message = format!("{places} queues and groups of consumers, at most {} may be", NO_PLACE - 1);
        mistakes.push(Diagnostic::error(message).help("each node that subscribes to an exchange has a queue"));
        return None;
    }
    let brokers = Brokers::of(scenario, mistakes);
    let topics = Topics::of(scenario, &names, mistakes);
    let mut planner = Planner {
        brokers,
        topics,
        scenario,
        names: &names,
        bandwidth: limited(scenario, &network),
        can_lose: network.links().any(|(_, _, link)| link.can_lose())
            || scenario.faults.iter().flat_map(|(_, fault)| fault.kinds()).any(FaultKind::loses),
        flows: Vec::new(),
        calls: Vec::new(),
        sent: Vec::new(),
        routes: Vec::new(),
        kept: Vec::new(),
        programs: Vec::new(),
        targets: Vec::new(),
        entries: Vec::new(),
        warnings,
        mistakes,
        texts: &loaded.texts,
        files: &loaded.files,
        traces: Vec::new(),
        policies_used: BTreeSet::new(),
        effects: Effects::default(),
        outboxes: BTreeMap::new(),
        coordinators: BTreeSet::new(),
    };
    let mut groups = planner.groups(duration);
    planner.warn_about_no_effect(&loaded.document);
    let unused = planner.unused();
    let Planner {
        brokers,
        topics,
        flows,
        calls,
        sent,
        routes,
        kept,
        programs,
        targets,
        warnings,
        traces,
        mistakes,
        outboxes,
        ..
    } = planner;
    if flows.len() > usize::from(u16::MAX) {
        mistakes.push(Diagnostic::error(format!("{} streams of messages, at most {} may be", flows.len(), u16::MAX)));
        return None;
    }
    let watches = health::watches(&kept, &calls, &names);
    if let Some(many) = health::assign(&mut groups, &watches, &kept, &calls, &targets) {
        mistakes.push(Diagnostic::error(format!("{many} nodes gossip about their health, at most 65536 may")));
    }
    let length = duration + run.drain.0;
    let members = |watch: &model::Watch| targets[usize::from(calls[usize::from(watch.call)].target)].len;
    estimate::refuse_restless_checks(&kept, &watches, members, length, mistakes);
    keys::refuse_the_lost(
        &keys::Plans { kept: &kept, calls: &calls, sent: &sent, programs: &programs, scenario },
        mistakes,
    );
    let nodes = Nodes { names: &names, regions: regions.as_ref(), texts: &loaded.texts };
    let members = |name: &Located<Name>| {
        names.group(name.as_str()).into_iter().flat_map(|group| names.members(group)).collect::<Vec<_>>()
    };
    let loads = scenario.clients.iter().filter(|(_, client)| client.users.is_none());
    let loads = loads.flat_map(|(name, _)| members(name)).collect();
    let disks = scenario.services.iter().filter(|(_, service)| state::is_durable(service));
    let disks = disks.flat_map(|(name, _)| members(name)).collect();
    let senders: BTreeSet<_> = flows.iter().filter_map(|flow| names.group(&flow.caller)).collect();
    let senders = senders.into_iter().flat_map(|group| names.members(group)).collect();
    let surroundings = fault::Surroundings { nodes, network: &network, loads, disks, senders, topics: &topics, length };
    let faults = fault::faults(&scenario.faults, surroundings, mistakes);
    let scopes = Scopes {
        scenario,
        faults: &faults,
        flows: &flows,
        stations: stations(scenario).map(|(name, _)| name.as_str()).collect(),
        measured: (Time::ZERO + warmup, Time::ZERO + duration),
        readers: &topics.groups,
        outboxes: outboxes.into_keys().collect(),
        queues: &brokers.reported,
        links: network.links().map(|(_, name, _)| name.to_owned()).collect(),
        texts: &loaded.texts,
    };
    let expectations = scopes.expectations(mistakes);
    let columns = scopes.columns(mistakes);
    let enough = scopes.enough(mistakes);
    let aim = scopes.aim(mistakes);
    let regions = regions.as_ref();
    let system =
        Planned { scenario, names: &names, groups: &groups, flows: &flows, regions, network: &network }.system();
    Some(Plan {
        title: scenario.title.clone().unwrap_or_else(|| "untitled".into()),
        variant: None,
        seed: run.seed,
        runs: runs_of(run.runs.as_ref().map(|runs| &runs.value)),
        says_runs: run.runs.is_some(),
        enough,
        columns,
        duration,
        warmup,
        finds_warmup: run.warmup.is_some_and(|warmup| warmup.value == Warmup::Auto),
        drain: run.drain.0,
        expectations,
        aim,
        warnings,
        unused,
        resolved: loaded.document.print(None),
        flows,
        queues: brokers.reported,
        rows_of_queues: brokers.rows,
        topics: scenario.topics.iter().map(|(name, _)| name.as_str().to_owned()).collect(),
        partitions: topics.partitions(),
        readers: topics.groups,
        faults,
        explains: true,
        system,
        traces,
        groups,
        calls,
        routes,
        programs,
        targets,
        watches,
        network,
    })
}

/// The services that are reported as stations: brokers, which are the last, are not.
pub(super) fn stations(scenario: &Scenario) -> impl Iterator<Item = (&Located<Name>, &Service)> {
    let is_controller = |name: &str| {
        let mut brokers = scenario.brokers.iter().filter(|(broker, _)| scenario.has_topics(broker.as_str()));
        brokers.any(|(broker, _)| controller_of(broker.as_str()) == name)
    };
    let is_station = move |name: &str| scenario.brokers.get(name).is_none() && !is_controller(name);
    scenario.services.iter().filter(move |(name, _)| is_station(name.as_str()))
}

/// Something that has a bandwidth.
fn limited(scenario: &Scenario, network: &Network) -> Option<String> {
    let mut links = network.links().filter(|(_, _, link)| link.bandwidth.is_some());
    let mut faults = scenario.faults.iter().filter(|(_, fault)| fault.bandwidth.is_some());
    let link =
        links.next().map(|(_, name, _)| if name == "network" { "[network]".into() } else { format!("link `{name}`") });
    link.or_else(|| faults.next().map(|(name, _)| format!("fault `{}`", name.as_ref())))
}

/// Names all groups in the order they are played: services first, so that callers find them.
fn names(scenario: &Scenario, mistakes: &mut Vec<Diagnostic>) -> Option<Names> {
    let mut names = Names::default();
    let services = scenario.services.iter().map(|(name, service)| (name, service.nodes()));
    let clients = scenario.clients.iter().map(|(name, client)| (name, client.nodes()));
    let routers = scenario.routers.iter().map(|(name, router)| (name, router.nodes()));
    for (name, nodes) in services.chain(clients).chain(routers) {
        if let Err(error) = names.add(name.as_str(), nodes.get()) {
            mistakes.push(Diagnostic::error(error.to_string()).at(name.origin, "this name"));
        }
    }
    mistakes.is_empty().then_some(names)
}

/// The most programs, of which each service, op, client and entry of a mix has one.
const PROGRAMS_MAX: usize = u16::MAX as usize;

/// What is gathered on the way.
pub(super) struct Planner<'a> {
    pub(super) scenario: &'a Scenario,
    pub(super) names: &'a Names,
    /// Where a bandwidth counts, if one does.
    pub(super) bandwidth: Option<String>,
    pub(super) can_lose: bool,
    pub(super) flows: Vec<FlowSpec>,
    pub(super) calls: Vec<model::Call>,
    /// Where each of them was written, and whether it has a key of its own.
    pub(super) sent: Vec<Sent>,
    pub(super) routes: Vec<RouteSpec>,
    /// What each route is kept for.
    pub(super) kept: Vec<Kept>,
    pub(super) programs: Vec<Program>,
    pub(super) targets: Vec<Target>,
    /// What each service does when called: for each op (`None` for the service itself) a program.
    pub(super) entries: Vec<(String, Option<String>, u16)>,
    pub(super) warnings: Vec<Diagnostic>,
    pub(super) mistakes: &'a mut Vec<Diagnostic>,
    pub(super) texts: &'a crate::scenario::document::Texts,
    pub(super) brokers: Brokers,
    pub(super) topics: Topics,
    files: &'a Openers,
    traces: Vec<TraceFile>,
    /// Policies that some message has.
    pub(super) policies_used: BTreeSet<String>,
    pub(super) effects: Effects,
    /// How the outboxes of services are emptied, by their name.
    pub(super) outboxes: BTreeMap<String, OutboxSpec>,
    /// Services that coordinate sagas.
    pub(super) coordinators: BTreeSet<String>,
}

/// Who sends a message: what its steps inherit.
pub(super) struct Sender<'a> {
    pub(super) group: &'a str,
    pub(super) entry: Option<&'a str>,
    pub(super) is_client: bool,
    /// The keys of the group, and those of its entry.
    pub(super) shared: [&'a Step; 2],
    pub(super) reply_size: Option<&'a Sizes>,
    /// What is known of the trace that it plays.
    pub(super) trace: Option<Facts>,
}

impl Planner<'_> {
    fn groups(&mut self, duration: Span) -> Vec<Group> {
        let of_services = self.scenario.services.iter().map(|(_, service)| service.ops.len() + 1);
        let of_clients = self.scenario.clients.iter().map(|(_, client)| client.mix.len().max(1));
        let programs: usize = of_services.chain(of_clients).sum();
        if programs > PROGRAMS_MAX {
            let message =
                format!("{programs} services, ops, clients and entries of a `mix`, at most {PROGRAMS_MAX} may be");
            self.mistakes.push(Diagnostic::error(message));
            return Vec::new();
        }
        // Programs are numbered before they are filled, so that services can call each other in any order.
        for (name, service) in self.scenario.services.iter() {
            let first = self.names.group(name.as_str()).and_then(|group| self.names.members(group).next());
            if let Some(first) = first {
                self.targets.push(Target { first, len: service.nodes().get() });
            }
            let own = service.steps.is_some() || service.step.verb().is_some() || service.ops.is_empty();
            let ops = service.ops.iter().map(|(op, _)| Some(op.as_str().to_owned()));
            for op in own.then_some(None).into_iter().chain(ops) {
                self.entries.push((name.as_str().to_owned(), op, self.programs.len() as u16));
                self.programs.push(Program::default());
            }
        }
        let mut groups = Vec::new();
        for (index, (name, service)) in self.scenario.services.iter().enumerate() {
            if let Some((broker, spec)) = self.scenario.brokers.get(name.as_str()).zip(self.brokers.spec(name.as_str()))
            {
                let storage = broker::storage(broker, self.mistakes);
                let role = match self.topics.cluster(name.as_str()) {
                    Some(cluster) => Role::LogBroker(Arc::clone(cluster), storage),
                    None => Role::Broker(Arc::clone(spec), storage),
                };
                groups.push(Group { name: name.as_str().into(), nodes: service.nodes().get(), role });
                continue;
            }
            if let Some(cluster) = self.topics.led_by(name.as_str()) {
                let role = Role::LogController(Arc::clone(cluster));
                groups.push(Group { name: name.as_str().into(), nodes: 1, role });
                continue;
            }
            let mut spec = self.service(name.as_str(), service);
            if let Some(consumer) = self.scenario.consumers.get(name.as_str()) {
                match (&consumer.queue, &consumer.exchange, &consumer.topics) {
                    (Some(_), None, None) | (None, Some(_), None) => {
                        spec.consumes = self.delivery(name, consumer, index);
                    }
                    (None, None, Some(_)) => spec.reads = self.reading(name, consumer, index),
                    _ => {
                        let message = format!(
                            "`{}` consumes from a `queue`, subscribes to an `exchange`, or reads `topics`",
                            name.as_str()
                        );
                        self.mistakes.push(Diagnostic::error(message).at(name.origin, "one of them"));
                    }
                }
            }
            let storage = state::storage(service, self.mistakes);
            groups.push(Group {
                name: name.as_str().into(),
                nodes: service.nodes().get(),
                role: Role::Service(Arc::new(spec), storage),
            });
        }
        for (name, client) in self.scenario.clients.iter() {
            if let Some(spec) = self.client(name, client, duration) {
                groups.push(Group {
                    name: name.as_str().into(),
                    nodes: client.nodes().get(),
                    role: Role::Client(Arc::new(spec)),
                });
            }
        }
        for (name, router) in self.scenario.routers.iter() {
            groups.push(Group { name: name.as_str().into(), nodes: router.nodes().get(), role: Role::Router });
        }
        groups
    }

    fn service(&mut self, name: &str, service: &Service) -> ServiceSpec {
        let fill = |planner: &mut Self, op: Option<&str>, steps: Option<&Steps>, own: &Step| {
            let place = planner.entries.iter().find(|(group, entry, _)| group == name && entry.as_deref() == op);
            let Some(&(_, _, program)) = place else { return };
            let shared = [&service.step, own];
            let sender = Sender { group: name, entry: op, is_client: false, shared, reply_size: None, trace: None };
            planner.programs[program as usize] = planner.program(&sender, steps, own);
        };
        fill(self, None, service.steps.as_ref(), &service.step);
        for (op, entry) in service.ops.iter() {
            fill(self, Some(op.as_str()), entry.steps.as_ref(), &entry.step);
        }
        let (outbox, coordinates) = (self.outboxes.get(name).copied(), self.coordinators.contains(name));
        ServiceSpec { outbox, coordinates, ..service::spec(service, self.mistakes) }
    }

    fn client(
        &mut self,
        name: &Located<crate::scenario::schema::Name>,
        client: &Client,
        duration: Span,
    ) -> Option<ClientSpec> {
        let before = self.mistakes.len();
        let brought = load::load(name, client, duration, self.files);
        let brought = brought.map_err(|mistake| self.mistakes.push(mistake)).ok()?;
        let trace = brought.trace.clone();
        let facts = trace.as_ref().map(TraceFile::facts);
        self.warnings.extend(facts.and_then(|facts| load::not_played(client, facts, duration)));
        let program = if client.mix.is_empty() {
            let sender = Sender {
                group: name.as_str(),
                entry: None,
                is_client: true,
                shared: [&client.step, &client.step],
                reply_size: client.reply_size.as_ref(),
                trace: facts,
            };
            let program = self.program(&sender, client.steps.as_ref(), &client.step);
            if program.steps.is_empty() && self.mistakes.len() == before && self.calls.len() < CALLS_MAX {
                self.mistakes.push(
                    Diagnostic::error(format!("`{}` does nothing", name.as_str()))
                        .at(name.origin, "neither `call` nor `send`, `steps` or `mix`"),
                );
            }
            self.programs.push(program);
            Choice::only(self.programs.len() as u16 - 1)
        } else {
            let mut entries = Vec::new();
            for (entry, mix) in client.mix.iter() {
                let sender = Sender {
                    group: name.as_str(),
                    entry: Some(entry.as_str()),
                    is_client: true,
                    shared: [&client.step, &mix.step],
                    reply_size: mix.reply_size.as_ref().or(client.reply_size.as_ref()),
                    trace: facts,
                };
                let program = self.program(&sender, mix.steps.as_ref(), &mix.step);
                self.programs.push(program);
                entries.push((mix.weight.value(), self.programs.len() as u16 - 1));
            }
            Choice::weighted(entries)
        };
        let spec = brought.by(client, duration, program);
        self.traces.extend(trace);
        (self.mistakes.len() == before).then_some(spec)
    }
}
