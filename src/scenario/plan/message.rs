//! The messages that steps send: what kind each is, where it goes, and under which policy.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::FlowSpec;
use super::distribution::sizes;
use super::keys::Sent;
use super::patterns::outbox_of;
use super::policy::{Receiver, policy};
use super::roles::{Planner, Sender};
use super::unused::Inert;
use crate::base::distribution::Distribution;
use crate::base::id::hash_name;
use crate::base::random::mix;
use crate::base::time::Span;
use crate::metrics::Correctness;
use crate::model::{self, Choice, Delivery, GuardSpec, HealthSpec, Policy, RouteSpec, Size};
use crate::protocol::balance::BalancePolicy;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin, Piece};
use crate::scenario::schema::{Name, PRODUCER_KEYS, PolicyKeys, Service, Sizes, Step, Target, Verb};

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

impl Planner<'_> {
    /// The kind of message that a step publishes.
    pub(super) fn published(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        to: &Located<Name>,
        path: &str,
    ) -> Option<u16> {
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

    /// The kind of message that a step sends, and how many nodes may get it.
    pub(super) fn message(
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
            let guard = (!guard.is_idle()).then_some(guard);
            self.routes.push(RouteSpec { balance: kept.balance.clone(), picker, guard });
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

    pub(super) fn flow(&mut self, flow: FlowSpec) -> u16 {
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
