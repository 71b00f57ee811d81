//! Steps: from what is written to programs, and the messages that steps send.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::FlowSpec;
use super::distribution::{sizes, times};
use super::keys::Sent;
use super::policy::{Receiver, policy};
use super::roles::{Planner, Sender};
use super::unused::Inert;
use crate::base::distribution::Distribution;
use crate::base::id::hash_name;
use crate::base::random::mix;
use crate::base::time::Span;
use crate::metrics::Correctness;
use crate::model::{
    self, Branch, Choice, Copies, Delivery, Gathering, GuardSpec, HealthSpec, OutboxSpec, Policy, Program, RouteSpec,
    Size,
};
use crate::protocol::balance::BalancePolicy;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin, Piece};
use crate::scenario::schema::{
    Duration, FanOut, Fsync, Name, Outbox, PRODUCER_KEYS, PolicyKeys, ProcessingGuarantee, Service, Sizes, State, Step,
    Steps, Target, Verb, WaitFor, Way,
};

/// The most steps of a program, repeated ones counted each time: a message's luck has room for the place of its step.
const STEPS_MAX: usize = 10_000;

/// The most kinds of messages of a scenario: each step that sends, repeated ones counted each time, of each program that has it.
pub(super) const CALLS_MAX: usize = u16::MAX as usize;

/// What a sender keeps for some of its messages: those for which all of this is the same.
#[derive(PartialEq)]
pub(super) struct Kept {
    pub(super) group: String,
    target: usize,
    pub(super) balance: BalancePolicy,
    guard: GuardSpec,
    pub(super) health: HealthSpec,
    /// A kind of message that keeps its own.
    own: Option<u16>,
}

/// How a step's outbox is written, and how it is emptied, if what it publishes goes through one.
fn outbox_of(sender: &Sender<'_>, step: &Step) -> Option<(Located<Outbox>, (Duration, NonZeroU32))> {
    let written = [step, sender.shared[1], sender.shared[0]].into_iter().find_map(|step| step.outbox)?;
    Some((written, written.value.polling()?))
}

impl Planner<'_> {
    /// The program of a group or an entry: its steps, or its only one.
    pub(super) fn program(&mut self, sender: &Sender<'_>, steps: Option<&Steps>, own: &Step) -> Program {
        let (mut program, flows, calls) = (Vec::new(), self.flows.len(), self.calls.len());
        match steps {
            Some(steps) => {
                if steps.value.is_empty() {
                    self.mistakes
                        .push(Diagnostic::error("no steps").at(steps.origin, "leave the key out, or write a step"));
                }
                self.steps(sender, steps, "", &mut program);
            }
            None => self.step(sender, own, "0", &mut program),
        }
        if let Some(steps) = steps {
            self.refuse_the_endless(&program, steps.origin);
        }
        let flow = (sender.is_client && self.is_whole(&program)).then(|| self.whole(sender, flows, calls));
        Program { steps: program, flow }
    }

    /// Whether a client knows how its request ends, and that is more than how one message ends.
    fn is_whole(&self, program: &[model::Step]) -> bool {
        let is_told = |call: u16| {
            let call = &self.calls[usize::from(call)];
            call.is_request || call.policy.delivery != Delivery::AtMostOnce
        };
        let is_awaited = |step: &model::Step| match step {
            model::Step::Message { call, wait } => *wait && is_told(*call),
            model::Step::Gather(gathering) => {
                gathering.wait && gathering.branches.iter().any(|branch| is_told(branch.call))
            }
            _ => false,
        };
        !matches!(program, [] | [model::Step::Message { .. }]) && program.iter().any(is_awaited)
    }

    /// The flow of a client's whole requests. Those of its messages, which are the newest from these places on, are parts of it.
    fn whole(&mut self, sender: &Sender<'_>, flows: usize, calls: usize) -> u16 {
        let parts = self.flows.split_off(flows);
        let whole = self.flow(FlowSpec {
            caller: sender.group.into(),
            entry: sender.entry.map(Into::into),
            callee: String::new(),
            is_client: true,
            correctness: Correctness::Answered,
            is_call: true,
        });
        let part = |spec| self.flow(FlowSpec { entry: None, is_client: false, ..spec });
        let parts: Vec<u16> = parts.into_iter().map(part).collect();
        for call in &mut self.calls[calls..] {
            let part = usize::from(call.flow).checked_sub(flows).and_then(|part| parts.get(part));
            call.flow = part.copied().unwrap_or_default();
        }
        whole
    }

    /// Adds steps that follow each other; `path` leads to the list.
    fn steps(&mut self, sender: &Sender<'_>, steps: &Steps, path: &str, program: &mut Vec<model::Step>) {
        for (position, step) in steps.value.iter().enumerate() {
            self.step(sender, &step.value, &format!("{path}{position}"), program);
        }
    }

    fn step(&mut self, sender: &Sender<'_>, step: &Step, path: &str, program: &mut Vec<model::Step>) {
        let Some(verb) = step.verb() else { return };
        match verb {
            Verb::Work(work) if sender.is_client => self.mistakes.push(
                Diagnostic::error("a client does not work").at(work.origin, "only services do; use `sleep` or `think`"),
            ),
            Verb::Work(law) => program.extend(self.law(times(law)).map(model::Step::Work)),
            Verb::Sleep(law) => program.extend(self.law(times(law)).map(model::Step::Sleep)),
            Verb::Fail(share) => program.push(model::Step::Fail(share.value.0)),
            Verb::Call(target) | Verb::Send(target) => {
                let Some((call, nodes)) = self.sent_or_asked(sender, step, target, verb, path) else { return };
                let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
                program.extend(match self.copies(step, call, nodes) {
                    Some(Copies::One) => Some(model::Step::Message { call, wait }),
                    Some(copies) => self.gather(step, vec![Branch { call, copies }]),
                    None => None,
                });
            }
            Verb::Publish(to, _) => {
                let Some(call) = self.published(sender, step, to, path) else { return };
                if let Some((outbox, polling)) = outbox_of(sender, step) {
                    self.outbox(sender, step, outbox, polling);
                    if self.calls[usize::from(call)].policy.delivery == Delivery::AtMostOnce {
                        let message =
                            "what goes through an outbox is published until it is confirmed: not at most once";
                        self.mistakes
                            .push(Diagnostic::error(message).at(outbox.origin, "").at(to.origin, "published here"));
                    }
                    program.push(model::Step::Outbox(call));
                    return;
                }
                let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
                program.push(model::Step::Message { call, wait });
            }
            Verb::Parallel(branches) => {
                let mut planned = Vec::new();
                for (position, branch) in branches.value.iter().enumerate() {
                    let place = format!("{path}.{position}");
                    let (target, verb) = match branch.verb() {
                        Some(verb @ (Verb::Call(target) | Verb::Send(target))) => (target, verb),
                        Some(Verb::Publish(to, _)) => {
                            if let Some((outbox, _)) = outbox_of(sender, branch) {
                                let message = "what goes out at once does not go through an outbox";
                                self.mistakes.push(
                                    Diagnostic::error(message)
                                        .at(outbox.origin, "")
                                        .help("write it as a step of its own"),
                                );
                            }
                            let call = self.published(sender, &branch.value, to, &place);
                            planned.extend(call.map(|call| Branch { call, copies: Copies::One }));
                            continue;
                        }
                        _ => continue,
                    };
                    let Some((call, nodes)) = self.sent_or_asked(sender, &branch.value, target, verb, &place) else {
                        continue;
                    };
                    planned.extend(self.copies(&branch.value, call, nodes).map(|copies| Branch { call, copies }));
                }
                program.extend(self.gather(step, planned));
            }
            Verb::Choose(ways) => {
                if ways.is_empty() {
                    self.mistakes.push(Diagnostic::error("nothing to choose from").at(ways.origin, ""));
                    return;
                }
                self.choose(sender, ways.iter(), path, program);
            }
            Verb::Repeat(repeat) => {
                let mut first = None;
                for time in 0..repeat.times.get() {
                    let (calls, routes) = (self.calls.len(), self.routes.len());
                    self.steps(sender, &repeat.steps, &format!("{path}.{time}."), program);
                    // What waits for each other waits for the same step, however often that is repeated.
                    match first.clone() {
                        None => first = Some(calls..self.calls.len()),
                        Some(first) if first.len() == self.calls.len() - calls => {
                            for (call, same) in (calls..self.calls.len()).zip(first) {
                                self.calls[call].route = self.calls[same].route;
                            }
                            self.routes.truncate(routes);
                            self.kept.truncate(routes);
                        }
                        Some(_) => {}
                    }
                    if self.refuse_the_endless(program, repeat.origin) {
                        return;
                    }
                }
            }
        }
    }

    /// The kind of message that a step publishes.
    fn published(&mut self, sender: &Sender<'_>, step: &Step, to: &Located<Name>, path: &str) -> Option<u16> {
        let levels = [step, sender.shared[1], sender.shared[0]];
        let confirm = levels.into_iter().find_map(|step| step.confirm);
        let is_relayed = outbox_of(sender, step).is_some();
        let verb = Verb::Publish(to, is_relayed || confirm.is_some_and(|confirm| confirm.value));
        let (broker, publication) = match self.topics.broker_of(to.value.as_str()).map(str::to_owned) {
            Some(broker) => {
                self.refuse_what_is_of_queues(levels, to);
                (broker, None)
            }
            None => self.publication(sender, step, to).map(|(broker, publication)| (broker, Some(publication)))?,
        };
        let range = 0..to.value.as_str().len();
        let target = Target { service: Piece { value: broker, range }, op: None };
        let target = Located { value: target, origin: to.origin };
        let (call, _) = self.message(sender, step, &target, verb, path)?;
        let Some(publication) = publication else { return Some(call) };
        self.refuse_what_brokers_do_not(sender, step, to, call);
        self.warn_about_priority(sender, step, call, &publication);
        self.calls[usize::from(call)].publication = Some(Arc::new(publication));
        Some(call)
    }

    /// Whether a group reads topics and publishes in one transaction.
    fn is_transactional(&self, group: &str) -> bool {
        let consumer = self.scenario.consumers.get(group);
        let guarantee = consumer.and_then(|consumer| consumer.processing_guarantee);
        guarantee.is_some_and(|guarantee| guarantee.value == ProcessingGuarantee::ExactlyOnce)
    }

    /// What is published goes through the outbox of this service: one relay for each node empties it.
    fn outbox(&mut self, sender: &Sender<'_>, step: &Step, outbox: Located<Outbox>, polling: (Duration, NonZeroU32)) {
        let durable = self.scenario.services.get(sender.group).and_then(|service| service.state.as_ref());
        let refusal = match durable {
            Some(State::Durable { fsync: Fsync::Never, .. }) => {
                Some(("an outbox on a disk that never syncs: a crash takes it".to_owned(), "write another `fsync`"))
            }
            Some(State::Durable { .. }) if self.is_transactional(sender.group) => {
                let message =
                    "what is read and written in transactions has no outbox: its own end does both".to_owned();
                Some((message, "leave one of them out"))
            }
            Some(State::Durable { .. }) => None,
            _ if sender.is_client => {
                Some(("a client has no outbox".to_owned(), "only services and consumers have a state"))
            }
            _ => {
                let message = format!("an outbox is on disk with the state, and `{}` has none there", sender.group);
                Some((message, "write `state = \"durable\"` in the service"))
            }
        };
        let mut refuse = |message: &str, at: Origin, help: &str| {
            let mistake = Diagnostic::error(message).at(at, "").at(outbox.origin, "through an outbox");
            self.mistakes.push(mistake.help(help));
        };
        if let Some((message, help)) = refusal {
            refuse(&message, outbox.origin, help);
        }
        if let Some(confirm) = step.confirm.filter(|confirm| !confirm.value) {
            refuse("a relay publishes until it is told, so it has to be told", confirm.origin, "leave `confirm` out");
        }
        if let Some(wait) = step.wait {
            refuse("`wait` has no meaning: the step ends when its row is written", wait.origin, "leave it out");
        }
        let meant = |key: &str| key == "timeout" || PRODUCER_KEYS.contains(&key);
        if let Some((key, at)) = step.keys.written().find(|(key, _)| !meant(key)) {
            let message = format!("`{key}` has no meaning here: a relay publishes again until it is confirmed");
            refuse(&message, at, "leave it out");
        }
        let (poll_interval, batch_size) = (polling.0.0, polling.1);
        if poll_interval == Span::ZERO {
            refuse("a relay that looks all the time would never let time go on", outbox.origin, "write `\"1ms\"`");
        }
        let spec = OutboxSpec { poll_interval, batch_size };
        let known = self.outboxes.entry(sender.group.to_owned()).or_insert(spec);
        if *known != spec {
            refuse(
                "one relay empties the outbox of a node, and is told two ways of doing so",
                outbox.origin,
                "write the same in all of its steps",
            );
        }
    }

    /// The kind of message of a `send` or a `call`, which may name a queue or an exchange.
    fn sent_or_asked(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        target: &Located<Target>,
        verb: Verb<'_>,
        path: &str,
    ) -> Option<(u16, NonZeroU32)> {
        let name = target.value.service.value.as_str();
        let is_topic = self.topics.broker_of(name).is_some();
        let is_kept = is_topic || self.brokers.names().any(|known| known == name);
        if !is_kept || self.scenario.services.get(name).is_some() {
            return self.message(sender, step, target, verb, path);
        }
        let refusal = match (verb, &target.value.op) {
            (Verb::Send(_), _) => Some(("`send` goes to a service".to_owned(), "write `publish`")),
            _ if is_topic => {
                let message = format!("`{name}` is a topic, and nobody replies to a record");
                Some((message, "call a queue, whose consumers reply, or a service; or write `publish`"))
            }
            (_, Some(_)) => Some((format!("`{name}` has no operations"), "its consumers do the same for each message")),
            _ => None,
        };
        if let Some((message, help)) = refusal {
            self.mistakes.push(Diagnostic::error(message).at(target.origin, "").help(help));
            return None;
        }
        if let Some(confirm) = step.confirm {
            let message = "`confirm` has no meaning beside `call`: the reply confirms the request";
            self.mistakes.push(Diagnostic::error(message).at(confirm.origin, "").at(target.origin, "called here"));
            return None;
        }
        if let Some(outbox) = step.outbox {
            let message = "`outbox` has no meaning beside `call`: who waits for a reply asks at once";
            self.mistakes.push(Diagnostic::error(message).at(outbox.origin, "").at(target.origin, "called here"));
            return None;
        }
        let to = Located { value: Name::parse(name).ok()?, origin: target.origin };
        let (broker, publication) = self.publication(sender, step, &to)?;
        let range = 0..name.len();
        let host = Target { service: Piece { value: broker, range }, op: None };
        let (call, nodes) = self.message(sender, step, &Located { value: host, origin: target.origin }, verb, path)?;
        self.refuse_what_brokers_do_not(sender, step, &to, call);
        self.warn_about_priority(sender, step, call, &publication);
        self.calls[usize::from(call)].publication = Some(Arc::new(publication));
        Some((call, nodes))
    }

    /// Whether a program has become too long, which is a mistake, though only one.
    fn refuse_the_endless(&mut self, program: &[model::Step], origin: Origin) -> bool {
        let is_too_long = program.len() > STEPS_MAX;
        if is_too_long {
            self.refuse_once(format!("more than {STEPS_MAX} steps, each repeated one counted"), origin, "these steps");
        }
        is_too_long
    }

    /// A mistake that is the same at many places, and is said at the first of them.
    fn refuse_once(&mut self, message: String, origin: Origin, label: &str) {
        if self.mistakes.iter().all(|known| known.message != message) {
            self.mistakes.push(Diagnostic::error(message).at(origin, label));
        }
    }

    /// The ways stand one after the other; from the end of each a jump leads to what follows all of them.
    fn choose<'s>(
        &mut self,
        sender: &Sender<'_>,
        ways: impl Iterator<Item = (&'s Located<crate::scenario::schema::Name>, &'s Way)>,
        path: &str,
        program: &mut Vec<model::Step>,
    ) {
        let start = program.len();
        program.push(model::Step::Jump(0));
        let (mut entries, mut ends) = (Vec::new(), Vec::new());
        for (name, way) in ways {
            entries.push((way.weight.value(), program.len() as u16));
            self.steps(sender, &way.steps, &format!("{path}.{}.", name.as_str()), program);
            if self.refuse_the_endless(program, name.origin) {
                return;
            }
            ends.push(program.len());
            program.push(model::Step::Jump(0));
        }
        let after = program.len() as u16;
        ends.into_iter().for_each(|end| program[end] = model::Step::Jump(after));
        program[start] = model::Step::Choose(Choice::weighted(entries));
    }

    fn law(&mut self, law: Result<Distribution, Diagnostic>) -> Option<Distribution> {
        law.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    /// To how many of so many nodes the message of a step goes.
    fn copies(&mut self, step: &Step, call: u16, nodes: NonZeroU32) -> Option<Copies> {
        let Some(written) = &step.fan_out else { return Some(Copies::One) };
        if self.calls[usize::from(call)].policy.ordered && nodes.get() > 1 {
            self.mistakes.push(
                Diagnostic::error("`fan-out` breaks `ordered`: what goes to several nodes has no order")
                    .at(written.origin, "to several nodes")
                    .help("leave one of them out"),
            );
            return None;
        }
        match written.value {
            FanOut::All => Some(Copies::All(nodes.get())),
            FanOut::Constant(count) if count > nodes => {
                let message = format!("fans out to {count} of {nodes} nodes");
                self.mistakes.push(
                    Diagnostic::error(message).at(written.origin, "each copy goes to a different node of the service"),
                );
                None
            }
            FanOut::Constant(count) => Some(Copies::Many(count.get())),
        }
    }

    /// Messages that go out at once, and how many of them are waited for.
    fn gather(&mut self, step: &Step, branches: Vec<Branch>) -> Option<model::Step> {
        let total: u32 = branches.iter().map(|branch| branch.copies.count()).sum();
        let needed = match &step.wait_for {
            None => total,
            Some(written) => match written.value {
                WaitFor::All => total,
                WaitFor::First => total.min(1),
                WaitFor::Quorum => total / 2 + 1,
                WaitFor::Constant(count) if count.get() > total => {
                    self.mistakes.push(
                        Diagnostic::error(format!("waits for {count} of {total} messages"))
                            .at(written.origin, "so many never end well"),
                    );
                    return None;
                }
                WaitFor::Constant(count) => count.get(),
            },
        };
        let wait = step.wait.as_ref().is_none_or(|wait| wait.value);
        (total > 0).then(|| model::Step::Gather(Arc::new(Gathering { branches, needed, wait })))
    }

    /// The kind of message that a step sends, and how many nodes may get it.
    fn message(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        target: &Located<Target>,
        verb: Verb<'_>,
        path: &str,
    ) -> Option<(u16, NonZeroU32)> {
        if self.calls.len() >= CALLS_MAX {
            let message = format!(
                "more than {CALLS_MAX} kinds of messages: every step that sends is one, each repeated one counted"
            );
            self.refuse_once(message, target.origin, "one too many");
            return None;
        }
        let is_request = matches!(verb, Verb::Call(_));
        let services = || self.scenario.services.iter();
        let service_name = &target.value.service;
        // What is published goes to a broker, and names a queue, an exchange or a topic.
        let published_to = match verb {
            Verb::Publish(to, _) => Some(to.value.as_str()),
            Verb::Call(named) => Some(named.value.service.value.as_str()).filter(|name| *name != service_name.value),
            _ => None,
        };
        let Some((index, (_, service))) =
            services().enumerate().find(|(_, (name, _))| name.as_str() == service_name.value)
        else {
            let at = service_name.located(target.origin, self.texts);
            let names = services().map(|(name, _)| name.as_str());
            let mistake = if is_request && self.brokers.names().next().is_some() {
                unknown_name(&at, "service, queue or exchange", names.chain(self.brokers.names()))
            } else {
                unknown_name(&at, "service", names)
            };
            self.mistakes.push(mistake);
            return None;
        };
        if self.scenario.brokers.get(&service_name.value).is_some() && published_to.is_none() {
            let mistake = Diagnostic::error(format!("`{}` is a broker, which answers nobody", service_name.value));
            self.mistakes.push(mistake.at(target.origin, "").help("publish to one of its queues or exchanges"));
            return None;
        }
        let program = self.entry(target, service)?;
        let keys = self.keys(sender, step)?;
        let receiver = Receiver { nodes: service.nodes(), cancel: service.cancel };
        let topic = match verb {
            Verb::Publish(to, _) => Some(to).filter(|to| self.topics.broker_of(to.value.as_str()).is_some()),
            _ => None,
        };
        let (policy, record) = match topic {
            Some(to) => self.record(&keys, to).map(|(policy, record)| (policy, Some(Arc::new(record))))?,
            None => {
                self.refuse_what_is_of_topics(&keys, target.origin)?;
                match policy(&keys, verb, &receiver) {
                    Ok(policy) => (policy, None),
                    Err(mistakes) => {
                        self.mistakes.extend(mistakes);
                        return None;
                    }
                }
            }
        };
        let balance = match (&policy.balance, &service.balance) {
            (Some(balance), _) => balance.clone(),
            (None, None) => BalancePolicy::default(),
            (None, Some(written)) => match super::policy::balance(written, service.nodes()) {
                Ok(balance) => balance,
                Err(mistake) => {
                    self.mistakes.push(mistake);
                    return None;
                }
            },
        };
        let is_relayed = matches!(verb, Verb::Publish(..)) && outbox_of(sender, step).is_some();
        if record.is_none() && !is_relayed {
            self.warn_about_waiting(target, &policy, is_request);
        }
        let callee_name = published_to.unwrap_or(&service_name.value);
        let correctness = match (policy.delivery, is_request) {
            // Each queue that it goes to has it handled.
            _ if matches!(verb, Verb::Publish(..)) => Correctness::Handled,
            (Delivery::AtMostOnce | Delivery::ExactlyOnce, _) => Correctness::Once,
            (Delivery::AtLeastOnce, true) => Correctness::Answered,
            (Delivery::AtLeastOnce, false) => Correctness::Handled,
        };
        let flow = self.flow(FlowSpec {
            caller: sender.group.into(),
            entry: sender.entry.filter(|_| sender.is_client).map(Into::into),
            callee: callee_name.to_owned(),
            is_client: sender.is_client,
            correctness,
            is_call: is_request,
        });
        let (size, reply_size) = self.sizes(sender, step, target, service)?;
        let place = format!("{}/{}#{path}", sender.group, sender.entry.unwrap_or_default());
        let name = mix(u64::from(hash_name(&place)) << 32 | u64::from(hash_name(callee_name)));
        let call = self.calls.len() as u16;
        let is_gated = policy.max_in_flight.is_some() || policy.window.is_some() || policy.ordered;
        let balance_is_keyed = balance.is_keyed();
        let kept = Kept {
            group: sender.group.to_owned(),
            target: index,
            balance,
            guard: policy.guard.clone(),
            health: policy.health.clone(),
            own: is_gated.then_some(call),
        };
        let route = self.route(kept, service.nodes());
        let [group, entry] = sender.shared;
        let key = [step, entry, group].into_iter().find_map(|step| step.key.as_ref());
        if balance_is_keyed && key.is_none() && sender.is_client && sender.trace.is_none() {
            self.mistakes.push(
                Diagnostic::error("the balancer looks at keys, and these messages have none")
                    .at(target.origin, "without `key`")
                    .help("write `key = { uniform = 1000 }` beside it, or on its group: so many things to be about"),
            );
            return None;
        }
        let priority = [step, entry, group].into_iter().find_map(|step| step.priority);
        let has_key = key.is_some() || sender.trace.is_some_and(|trace| trace.keys > 0);
        self.sent.push(Sent { origin: target.origin, has_key });
        if record.is_none() {
            self.effects.keys.extend(key.map(|key| key.origin));
        }
        let is_published = published_to.is_some();
        if let Some(written) = priority.filter(|priority| priority.value > 0 && !is_published) {
            self.effects.priority(written.origin, callee_name, service);
        }
        for (key, place) in [step, entry, group].into_iter().flat_map(Step::publication_keys) {
            self.effects.publishing(Inert::NotPublished(key), place, is_published);
        }
        self.calls.push(model::Call {
            flow,
            name,
            is_request,
            target: index as u16,
            route,
            program: Choice::only(program),
            policy,
            size,
            reply_size,
            key: key.map(|key| key.policy.start()),
            priority: priority.map_or(0, |priority| priority.value),
            publication: None,
            record,
            subscription: None,
        });
        Some((call, service.nodes()))
    }

    /// Producers' keys say nothing of messages that go elsewhere.
    fn refuse_what_is_of_topics(&mut self, keys: &PolicyKeys, place: Origin) -> Option<()> {
        let before = self.mistakes.len();
        for (key, origin) in keys.written().filter(|(key, _)| PRODUCER_KEYS.contains(&key.as_str())) {
            let message = format!("`{key}` has a meaning only for what is published to a topic");
            self.mistakes.push(Diagnostic::error(message).at(origin, "").at(place, "sent here"));
        }
        (self.mistakes.len() == before).then_some(())
    }

    /// Keys of what is published to queues.
    fn refuse_what_is_of_queues(&mut self, levels: [&Step; 3], to: &Located<crate::scenario::schema::Name>) {
        let find = |key: fn(&Step) -> Option<Origin>| levels.into_iter().find_map(key);
        let written = [
            ("confirm", find(|step| step.confirm.map(|at| at.origin)), "`acks` says when a producer is told"),
            ("mandatory", find(|step| step.mandatory.map(|at| at.origin)), "a topic takes everything"),
            ("persistent", find(|step| step.persistent.map(|at| at.origin)), "a topic keeps everything"),
            (
                "expiration",
                find(|step| step.expiration.map(|at| at.origin)),
                "`retention-time` of a topic says how long it keeps",
            ),
            ("routing-key", find(|step| step.routing_key.as_ref().map(|at| at.origin)), "write `key`"),
            ("priority", find(|step| step.priority.map(|at| at.origin)), "records are read in order"),
            ("fan-out", find(|step| step.fan_out.map(|at| at.origin)), "every group reads every record"),
            ("wait-for", find(|step| step.wait_for.map(|at| at.origin)), "`acks` says when a producer is told"),
        ];
        for (key, at, why) in written {
            if let Some(at) = at {
                let message = format!("`{key}` has no meaning for what is published to a topic: {why}");
                self.mistakes.push(Diagnostic::error(message).at(at, "").at(to.origin, "published here"));
            }
        }
    }

    /// What a sender keeps for a message: the same for all of its messages to one group under one balancer and the same guards,
    /// but for those that wait for each other.
    fn route(&mut self, kept: Kept, nodes: NonZeroU32) -> u16 {
        let known = self.kept.iter().position(|known| *known == kept);
        known.unwrap_or_else(|| {
            let picker = kept.balance.picker(nodes.get() as usize).expect("what is written was checked");
            let measures = kept.guard.measures || kept.balance.measures();
            let guard = GuardSpec { measures, ..kept.guard.clone() };
            self.routes.push(RouteSpec { picker, guard: (!guard.is_idle()).then_some(guard) });
            self.kept.push(kept);
            self.kept.len() - 1
        }) as u16
    }

    /// What the service does for this call.
    fn entry(&mut self, target: &Located<Target>, service: &Service) -> Option<u16> {
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
        self.policies_used.insert(named.map_or("default", |name| name.value.as_str()).to_owned());
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
        target: &Located<Target>,
        service: &Service,
    ) -> Option<(Size, Size)> {
        let [group, entry] = sender.shared;
        let size = [step, entry, group].into_iter().find_map(|step| step.size.as_ref());
        let op = target.value.op.as_ref();
        let of_op = op.and_then(|op| service.ops.iter().find(|(name, _)| name.as_str() == op.value));
        let reply =
            sender.reply_size.or(of_op.and_then(|(_, op)| op.reply_size.as_ref())).or(service.reply_size.as_ref());
        let passes_on = self.scenario.services.get(sender.group).is_some_and(|sender| sender.passes_on);
        let is_given = passes_on || sender.trace.is_some_and(|trace| trace.sizes > 0);
        let is_always_given = passes_on || sender.trace.is_some_and(|trace| trace.sizes == trace.rows);
        if let (None, false, Some(limited)) = (size, is_always_given, &self.bandwidth) {
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
        let size = if is_given { Size::given(size_law) } else { Size::new(size_law) };
        Some((size, Size::new(reply_law)))
    }

    /// A request that is lost and never times out is waited for in vain.
    fn warn_about_waiting(&mut self, target: &Located<Target>, policy: &Policy, is_request: bool) {
        let waits = is_request || policy.delivery != Delivery::AtMostOnce;
        if waits && self.can_lose && !policy.gives_up() {
            self.warnings.push(
                Diagnostic::warning("messages can be lost here, and nothing times out")
                    .at(target.origin, "the sender may wait for ever")
                    .help("write `timeout` in the policy, on the group or beside the step"),
            );
        }
    }
}
