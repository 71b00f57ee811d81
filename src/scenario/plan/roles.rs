//! Clients and services: who calls whom, with which program, under which policy.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::id::hash_name;
use crate::base::names::Names;
use crate::base::random::mix;
use crate::base::time::{Span, Time};
use crate::metrics::Correctness;
use crate::model::{self, Choice, ClientSpec, Delivery, Load, Policy, Program, ServiceSpec, Size, Target};
use crate::network::Network;
use crate::protocol::balance::BalancePolicy;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::Located;
use crate::scenario::load::Loaded;
use crate::scenario::schema::{
    Arrivals, Client, FaultKind, Name, Phase, PolicyKeys, Scenario, Service, Sizes, Step, Steps, Verb,
};

use super::distribution::{sizes, times};
use super::expect::Scopes;
use super::nodes::Nodes;
use super::policy::{Receiver, policy};
use super::{
    FlowSpec, Group, Plan, Role, estimate, fault, network, regions, runs_of, service, state, topology, warmup_of,
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
    let mut planner = Planner {
        scenario,
        names: &names,
        bandwidth: limited(scenario, &network),
        can_lose: network.links().any(|(_, _, link)| link.can_lose())
            || scenario.faults.iter().flat_map(|(_, fault)| fault.kinds()).any(FaultKind::loses),
        flows: Vec::new(),
        calls: Vec::new(),
        programs: Vec::new(),
        targets: Vec::new(),
        entries: Vec::new(),
        warnings,
        mistakes,
        texts: &loaded.texts,
    };
    let groups = planner.groups(duration);
    let Planner { flows, calls, programs, targets, warnings, .. } = planner;
    let length = duration + run.drain.0;
    let nodes = Nodes { names: &names, regions: regions.as_ref(), texts: &loaded.texts };
    let members = |name: &Located<Name>| {
        names.group(name.as_str()).into_iter().flat_map(|group| names.members(group)).collect::<Vec<_>>()
    };
    let loads = scenario.clients.iter().filter(|(_, client)| client.rate.is_some());
    let loads = loads.flat_map(|(name, _)| members(name)).collect();
    let disks = scenario.services.iter().filter(|(_, service)| state::is_durable(service));
    let disks = disks.flat_map(|(name, _)| members(name)).collect();
    let senders: BTreeSet<_> = flows.iter().filter_map(|flow| names.group(&flow.caller)).collect();
    let senders = senders.into_iter().flat_map(|group| names.members(group)).collect();
    let surroundings = fault::Surroundings { nodes, network: &network, loads, disks, senders, length };
    let faults = fault::faults(&scenario.faults, surroundings, mistakes);
    let scopes = Scopes {
        scenario,
        faults: &faults,
        flows: &flows,
        stations: scenario.services.iter().map(|(name, _)| name.as_str()).collect(),
        measured: (Time::ZERO + warmup, Time::ZERO + duration),
        links: network.links().map(|(_, name, _)| name.to_owned()).collect(),
        texts: &loaded.texts,
    };
    let expectations = scopes.expectations(mistakes);
    Some(Plan {
        title: scenario.title.clone().unwrap_or_else(|| "untitled".into()),
        variant: None,
        seed: run.seed,
        runs: runs_of(run.runs.as_ref()),
        duration,
        warmup,
        drain: run.drain.0,
        expectations,
        warnings,
        resolved: loaded.document.print(None),
        flows,
        faults,
        groups,
        calls,
        programs,
        targets,
        network,
    })
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

/// What is gathered on the way.
struct Planner<'a> {
    scenario: &'a Scenario,
    names: &'a Names,
    /// Where a bandwidth counts, if one does.
    bandwidth: Option<String>,
    can_lose: bool,
    flows: Vec<FlowSpec>,
    calls: Vec<model::Call>,
    programs: Vec<Program>,
    targets: Vec<Target>,
    /// What each service does when called: for each op (`None` for the service itself) a program.
    entries: Vec<(String, Option<String>, u16)>,
    warnings: Vec<Diagnostic>,
    mistakes: &'a mut Vec<Diagnostic>,
    texts: &'a crate::scenario::document::Texts,
}

/// Who sends a message: what its steps inherit.
struct Sender<'a> {
    group: &'a str,
    entry: Option<&'a str>,
    is_client: bool,
    /// The keys of the group, and those of its entry.
    shared: [&'a Step; 2],
    reply_size: Option<&'a Sizes>,
}

impl Planner<'_> {
    fn groups(&mut self, duration: Span) -> Vec<Group> {
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
        for (name, service) in self.scenario.services.iter() {
            let spec = self.service(name.as_str(), service);
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
            let sender =
                Sender { group: name, entry: op, is_client: false, shared: [&service.step, own], reply_size: None };
            planner.programs[program as usize] = planner.program(&sender, steps, own);
        };
        fill(self, None, service.steps.as_ref(), &service.step);
        for (op, entry) in service.ops.iter() {
            fill(self, Some(op.as_str()), entry.steps.as_ref(), &entry.step);
        }
        service::spec(name, service, self.mistakes)
    }

    fn client(
        &mut self,
        name: &Located<crate::scenario::schema::Name>,
        client: &Client,
        duration: Span,
    ) -> Option<ClientSpec> {
        let before = self.mistakes.len();
        let program = if client.mix.is_empty() {
            let sender = Sender {
                group: name.as_str(),
                entry: None,
                is_client: true,
                shared: [&client.step, &client.step],
                reply_size: client.reply_size.as_ref(),
            };
            let program = self.program(&sender, client.steps.as_ref(), &client.step);
            if program.0.is_empty() && self.mistakes.len() == before {
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
                };
                let program = self.program(&sender, mix.steps.as_ref(), &mix.step);
                self.programs.push(program);
                entries.push((mix.weight.value(), self.programs.len() as u16 - 1));
            }
            Choice::weighted(entries)
        };
        let load = self.load(name, client);
        let until = client.until.as_ref().map_or(duration, |until| until.value.0.min(duration));
        let spec = ClientSpec {
            load: load?,
            program,
            from: client.from.as_ref().map_or(Span::ZERO, |from| from.value.0),
            until,
            count: client.count.as_ref().map(|count| count.value.get().into()),
            nodes: client.nodes().get(),
        };
        (self.mistakes.len() == before).then_some(spec)
    }

    fn load(&mut self, name: &Located<crate::scenario::schema::Name>, client: &Client) -> Option<Load> {
        match (&client.rate, &client.users) {
            (Some(rate), None) => {
                let per_node = rate.value.0.per_sec() / f64::from(client.nodes().get());
                let gap = 1e9 / per_node;
                let arrivals = client.arrivals.as_ref().map_or(Arrivals::Poisson, |arrivals| arrivals.value);
                match arrivals {
                    Arrivals::Poisson => match Distribution::exponential(Span::from_nanos_f64(gap)) {
                        Ok(law) => Some(Load::Poisson(law)),
                        Err(_) => {
                            self.mistakes.push(
                                Diagnostic::error("no load at this rate")
                                    .at(rate.origin, "more than 0, at most 1/ns per node"),
                            );
                            None
                        }
                    },
                    Arrivals::Even => {
                        let phase = match client.phase.as_ref().map_or(Phase::Random, |phase| phase.value) {
                            Phase::Random => model::Phase::Random,
                            Phase::Staggered => model::Phase::Staggered,
                            Phase::Aligned => model::Phase::Aligned,
                        };
                        Some(Load::Even { gap, phase })
                    }
                }
            }
            (None, Some(users)) => {
                let think = match client.think.as_ref().map(times) {
                    None => Distribution::constant(Span::ZERO),
                    Some(Ok(law)) => law,
                    Some(Err(mistake)) => {
                        self.mistakes.push(mistake);
                        return None;
                    }
                };
                Some(Load::Users { users: users.value.get(), think })
            }
            _ => {
                self.mistakes.push(
                    Diagnostic::error(format!("`{}` has no load", name.as_str()))
                        .at(name.origin, "either `rate`, or `users` with `think`"),
                );
                None
            }
        }
    }

    fn program(&mut self, sender: &Sender<'_>, steps: Option<&Steps>, own: &Step) -> Program {
        let mut program = Vec::new();
        match steps {
            Some(steps) => {
                if steps.value.is_empty() {
                    self.mistakes
                        .push(Diagnostic::error("no steps").at(steps.origin, "leave the key out, or write a step"));
                }
                for (position, step) in steps.value.iter().enumerate() {
                    program.extend(self.step(sender, &step.value, position));
                }
            }
            None => program.extend(self.step(sender, own, 0)),
        }
        Program(program)
    }

    fn step(&mut self, sender: &Sender<'_>, step: &Step, position: usize) -> Option<model::Step> {
        let mut law = |law: Result<Distribution, Diagnostic>| match law {
            Ok(law) => Some(law),
            Err(mistake) => {
                self.mistakes.push(mistake);
                None
            }
        };
        match step.verb()? {
            Verb::Work(work) if sender.is_client => {
                self.mistakes.push(
                    Diagnostic::error("a client does not work")
                        .at(work.origin, "only services do; use `sleep` or `think`"),
                );
                None
            }
            Verb::Work(work) => law(times(work)).map(model::Step::Work),
            Verb::Sleep(sleep) => law(times(sleep)).map(model::Step::Sleep),
            Verb::Fail(share) => Some(model::Step::Fail(share.value.0)),
            Verb::Call(target) => self.message(sender, step, target, true, position),
            Verb::Send(target) => self.message(sender, step, target, false, position),
        }
    }

    fn message(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        target: &Located<crate::scenario::schema::Target>,
        is_request: bool,
        position: usize,
    ) -> Option<model::Step> {
        let services = || self.scenario.services.iter();
        let service_name = &target.value.service;
        let Some((index, (_, service))) =
            services().enumerate().find(|(_, (name, _))| name.as_str() == service_name.value)
        else {
            let at = service_name.located(target.origin, self.texts);
            self.mistakes.push(unknown_name(&at, "service", services().map(|(name, _)| name.as_str())));
            return None;
        };
        let program = self.entry(target, service)?;
        let keys = self.keys(sender, step)?;
        let receiver = Receiver { nodes: service.nodes(), cancel: service.cancel };
        let policy = match policy(&keys, step.verb()?, &receiver) {
            Ok(policy) => policy,
            Err(mistakes) => {
                self.mistakes.extend(mistakes);
                return None;
            }
        };
        let balance = match (&policy.balance, &service.balance) {
            (Some(balance), _) => balance.clone(),
            (None, None) => BalancePolicy::RoundRobin,
            (None, Some(written)) => match super::policy::balance(written, service.nodes()) {
                Ok(balance) => balance,
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    return None;
                }
            },
        };
        self.warn_about_waiting(target, &policy, is_request);
        let callee_name = &service_name.value;
        let correctness = match (policy.delivery, is_request) {
            (Delivery::AtMostOnce | Delivery::ExactlyOnce, _) => Correctness::Once,
            (Delivery::AtLeastOnce, true) => Correctness::Answered,
            (Delivery::AtLeastOnce, false) => Correctness::Handled,
        };
        let flow = self.flow(FlowSpec {
            caller: sender.group.into(),
            entry: sender.entry.filter(|_| sender.is_client).map(Into::into),
            callee: callee_name.clone(),
            is_client: sender.is_client,
            correctness,
        });
        let (size, reply_size) = self.sizes(sender, step, target, service)?;
        let place = format!("{}/{}#{position}", sender.group, sender.entry.unwrap_or_default());
        let name = mix(u64::from(hash_name(&place)) << 32 | u64::from(hash_name(callee_name)));
        let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
        let [group, entry] = sender.shared;
        let priority = [step, entry, group].into_iter().find_map(|step| step.priority);
        let call = self.calls.len() as u16;
        self.calls.push(model::Call {
            flow,
            name,
            is_request,
            target: index as u16,
            program: Choice::only(program),
            policy,
            balance,
            size,
            reply_size,
            priority: priority.map_or(0, |priority| priority.value),
        });
        Some(model::Step::Message { call, wait })
    }

    /// What the service does for this call.
    fn entry(&mut self, target: &Located<crate::scenario::schema::Target>, service: &Service) -> Option<u16> {
        let (name, op) = (&target.value.service.value, target.value.op.as_ref());
        let wanted = op.map(|op| op.value.as_str());
        let found = self.entries.iter().find(|(group, entry, _)| group == name && entry.as_deref() == wanted);
        if let Some(&(_, _, program)) = found {
            return Some(program);
        }
        let ops = || service.ops.iter().map(|(op, _)| op.as_str());
        self.mistakes.push(match op {
            Some(op) => unknown_name(&op.located(target.origin, self.texts), "op", ops()),
            None => Diagnostic::error(format!("`{name}` does only what its ops say"))
                .at(target.origin, "say which")
                .help(format!("one of: {}", ops().map(|op| format!("{name}/{op}")).collect::<Vec<_>>().join(", "))),
        });
        None
    }

    /// The policy keys of a step: its own, its group's, and those of the policy that is named nearest.
    fn keys(&mut self, sender: &Sender<'_>, step: &Step) -> Option<PolicyKeys> {
        let [group, entry] = sender.shared;
        let named = [step, entry, group].into_iter().find_map(|step| step.policy.as_ref());
        let policies = || self.scenario.policies.iter();
        let base = match named {
            Some(name) => match policies().find(|(known, _)| known.as_str() == name.value.as_str()) {
                Some((_, keys)) => keys.clone(),
                None => {
                    self.mistakes.push(unknown_name(name, "policy", policies().map(|(name, _)| name.as_str())));
                    return None;
                }
            },
            None => policies()
                .find(|(name, _)| name.as_str() == "default")
                .map(|(_, keys)| keys.clone())
                .unwrap_or_default(),
        };
        Some(step.keys.over(&entry.keys).over(&group.keys).over(&base))
    }

    fn flow(&mut self, flow: FlowSpec) -> u16 {
        let known = self.flows.iter().position(|known| *known == flow);
        known.unwrap_or_else(|| {
            self.flows.push(flow);
            self.flows.len() - 1
        }) as u16
    }

    /// The sizes of a message and its answer.
    fn sizes(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        target: &Located<crate::scenario::schema::Target>,
        service: &Service,
    ) -> Option<(Size, Size)> {
        let [group, entry] = sender.shared;
        let size = [step, entry, group].into_iter().find_map(|step| step.size.as_ref());
        let op = target.value.op.as_ref();
        let of_op = op.and_then(|op| service.ops.iter().find(|(name, _)| name.as_str() == op.value));
        let reply =
            sender.reply_size.or(of_op.and_then(|(_, op)| op.reply_size.as_ref())).or(service.reply_size.as_ref());
        if let (None, Some(limited)) = (size, &self.bandwidth) {
            self.mistakes.push(
                Diagnostic::error(format!("how large is this message? The bandwidth of {limited} counts"))
                    .at(target.origin, "without `size`")
                    .help("write `size = \"1KiB\"` beside it, or on its group; presets of links have a bandwidth too"),
            );
            return None;
        }
        let law = |planner: &mut Self, written: Option<&Sizes>| match written.map(sizes) {
            None => Some(Distribution::constant(Span::ZERO)),
            Some(Ok(law)) => Some(law),
            Some(Err(mistake)) => {
                planner.mistakes.push(mistake);
                None
            }
        };
        let size_law = law(self, size)?;
        let reply_law = if reply.is_some() { law(self, reply)? } else { size_law.clone() };
        Some((Size::new(size_law), Size::new(reply_law)))
    }

    /// A request that is lost and never times out is waited for in vain.
    fn warn_about_waiting(
        &mut self,
        target: &Located<crate::scenario::schema::Target>,
        policy: &Policy,
        is_request: bool,
    ) {
        let waits = is_request || policy.delivery != Delivery::AtMostOnce;
        if waits && self.can_lose && policy.retry.timeout.is_none() && policy.retry.deadline.is_none() {
            self.warnings.push(
                Diagnostic::warning("messages can be lost here, and nothing times out")
                    .at(target.origin, "the sender may wait for ever")
                    .help("write `timeout` in the policy, on the group or beside the step"),
            );
        }
    }
}
