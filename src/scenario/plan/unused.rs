//! What is written and has no effect: warnings, where another variant may make a use of it.
//!
//! Whatever some variant refers to counts as used, whichever was chosen: a scenario may hold what only one of its variants
//! needs.

use std::collections::BTreeMap;

use super::roles::Planner;
use crate::protocol::amqp::{Overflow, QueueType};
use crate::protocol::balance::BALANCERS;
use crate::protocol::queue::QueuePolicy;
use crate::protocol::shed::ShedPolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Document, Located, Mentions, Origin};
use crate::scenario::nearest::nearest;
use crate::scenario::schema::{ExpireAt, Name, Service, WhenFull};

/// Keys of messages, each with whether any message that has it gets something for it.
#[derive(Default)]
pub(super) struct Effects {
    /// `key`: where it stands.
    pub(super) keys: Vec<Origin>,
    /// `priority`: where it stands, the last service that got it, and whether one looks at it.
    priorities: BTreeMap<Origin, (String, bool)>,
    /// What is said of publishing: where, and whether it has an effect anywhere.
    publishing: BTreeMap<(Origin, Inert), bool>,
}

/// A key about publishing that may have no effect.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub(super) enum Inert {
    /// `mandatory`, of what is not confirmed.
    Mandatory,
    /// `routing-key`, of what goes to an exchange that does not look at it.
    RoutingKey,
    /// `headers`, of what goes to a broker without an exchange that looks at them.
    Headers,
    /// `priority`, in queues that have none.
    Priority,
    /// This key, of what is not published.
    NotPublished(&'static str),
}

impl Inert {
    /// What is said, and what to do.
    fn words(self) -> (String, Option<&'static str>) {
        let (message, help) = match self {
            Self::Mandatory => (
                "`mandatory` has no effect without `confirm`: its publisher is told nothing",
                Some("write `confirm = true` beside it"),
            ),
            Self::RoutingKey => ("`routing-key` has no effect: a fanout or headers exchange does not look at it", None),
            Self::Headers => (
                "`headers` has no effect: there is no exchange that looks at headers",
                Some("write `type = \"headers\"` in one"),
            ),
            Self::Priority => (
                "`priority` has no effect: the queues that get these messages have no priorities",
                Some("write `max-priority` in the queue, or `type = \"quorum\"`"),
            ),
            Self::NotPublished(key) => {
                return (format!("`{key}` has no effect: it says something of what is published"), None);
            }
        };
        (message.to_owned(), help)
    }

    /// Whether another variant may make use of it.
    fn may_be_used(self, mentions: &Mentions) -> bool {
        match self {
            Self::Mandatory => mentions.has_key("confirm"),
            Self::RoutingKey => mentions.has("type", "direct") || mentions.has("type", "topic"),
            Self::Headers => mentions.has("type", "headers"),
            Self::Priority => mentions.has_key("max-priority") || mentions.has("type", "quorum"),
            Self::NotPublished(_) => mentions.has_key("publish"),
        }
    }
}

impl Effects {
    /// A message with the priority that is written there goes to this service.
    pub(super) fn priority(&mut self, written: Origin, name: &str, service: &Service) {
        let known = self.priorities.entry(written).or_default();
        *known = (name.to_owned(), known.1 || looks_at_priority(service));
    }

    /// What is written there about publishing has an effect on some message, or not.
    pub(super) fn publishing(&mut self, what: Inert, written: Origin, has_effect: bool) {
        *self.publishing.entry((written, what)).or_default() |= has_effect;
    }
}

fn looks_at_priority(service: &Service) -> bool {
    let queue = &service.queue;
    let discipline = queue.discipline.as_ref().map(|discipline| &discipline.value.policy);
    let shed = service.shed.as_ref().map(|shed| &shed.value.policy);
    matches!(discipline, Some(QueuePolicy::PriorityOrder(_)))
        || matches!(shed, Some(ShedPolicy::PriorityLevels(_)))
        || matches!(queue.when_full, WhenFull::RejectLowest | WhenFull::DropLowest)
}

/// Named tables that a plan makes no use of: the section, and the name.
pub type Unused = Vec<(&'static str, String)>;

impl Planner<'_> {
    /// Policies and services that nothing in this plan refers to.
    pub(super) fn unused(&self) -> Unused {
        let policies = self.scenario.policies.iter().map(|(name, _)| name.as_str());
        let policies = policies.filter(|name| !self.policies_used.contains(*name));
        let is_called = |index: usize| self.calls.iter().any(|call| usize::from(call.target) == index);
        let services = self.scenario.services.iter().enumerate();
        let services = services.filter(|(index, _)| !is_called(*index)).map(|(_, (name, _))| name.as_str());
        let policies = policies.map(|name| ("policies", name.to_owned()));
        policies.chain(services.map(|name| ("services", name.to_owned()))).collect()
    }

    /// Warns of everything that is written and has no effect, in any variant as far as that is known.
    pub(super) fn warn_about_no_effect(&mut self, document: &Document) {
        let mentions = &document.mentions;
        // What a variant adds has to be of use in that variant; what the base holds, in any.
        let about = |section: &str, name: &Name| {
            if document.base.has(section, name.as_str()) { mentions } else { &document.chosen }
        };
        let unused = self.unused();
        let is_unused = |section: &str, name: &str| unused.iter().any(|(other, one)| *other == section && one == name);
        let mut found = Vec::new();
        for (name, _) in self.scenario.policies.iter().filter(|(name, _)| is_unused("policies", name.as_str())) {
            let about = about("policies", name);
            let is_named = about.has("policy", name.as_str()) || about.has("extends", name.as_str());
            // The default policy is meant wherever a variant adds a message.
            let may_be_default = name.as_str() == "default" && mentions.has_key("variants");
            if !is_named && !may_be_default {
                let others = self.scenario.policies.iter().map(|(name, _)| name);
                found.push(nobody("nothing refers to policy", name, others, policy_help(name)));
            }
        }
        for (name, service) in self.scenario.services.iter().filter(|(name, _)| is_unused("services", name.as_str())) {
            if self.topics.led_by(name.as_str()).is_some() {
                continue;
            }
            let section = if service.passes_on { "balancers" } else { "services" };
            if !about(section, name).names(name.as_str()) {
                let what =
                    if service.passes_on { "nobody sends to balancer" } else { "nobody calls or sends to service" };
                let others = self.scenario.services.iter().map(|(name, _)| name);
                found.push(nobody(what, name, others, None));
            }
        }
        self.inert_keys(mentions, &mut found);
        self.inert_publishing(mentions, &mut found);
        self.inert_rules(mentions, &mut found);
        found.sort_by_key(Diagnostic::origin);
        self.warnings.extend(found);
    }

    /// Keys of messages that nobody looks at.
    fn inert_keys(&self, mentions: &Mentions, found: &mut Vec<Diagnostic>) {
        let ranks = mentions.has("discipline", "priority")
            || mentions.has("shed", "priority-levels")
            || mentions.has("when-full", "reject-lowest")
            || mentions.has("when-full", "drop-lowest");
        for (origin, (service, has_effect)) in &self.effects.priorities {
            if !has_effect && !ranks {
                let message = "`priority` has no effect: nobody who gets these messages looks at it";
                let help =
                    format!("write `queue = {{ discipline = \"priority\" }}` in [services.{service}], or leave it out");
                found.push(Diagnostic::warning(message).at(*origin, "").help(help));
            }
        }
        let keyed = || BALANCERS.iter().filter(|balancer| balancer.example().is_keyed()).map(|balancer| balancer.name);
        let looks = self.kept.iter().any(|kept| kept.balance.is_keyed());
        if looks || keyed().any(|name| mentions.has("balance", name)) {
            return;
        }
        let mut keys = self.effects.keys.clone();
        keys.sort_unstable();
        keys.dedup();
        for origin in keys {
            let names: Vec<_> = keyed().map(|name| format!("`{name}`")).collect();
            let help = format!("balancers that do are {}", names.join(", "));
            let message = "`key` has no effect: no balancer here looks at what messages are about";
            found.push(Diagnostic::warning(message).at(origin, "").help(help));
        }
    }

    /// Keys about publishing, of queues and of brokers that change nothing.
    fn inert_publishing(&self, mentions: &Mentions, found: &mut Vec<Diagnostic>) {
        for (&(origin, what), _) in self.effects.publishing.iter().filter(|(_, has_effect)| !**has_effect) {
            if !what.may_be_used(mentions) {
                let (message, help) = what.words();
                found.push(Diagnostic::warning(message).at(origin, "").help_if(help.map(str::to_owned)));
            }
        }
        for (name, queue) in self.scenario.queues.iter() {
            let settings = &queue.settings.0;
            let is_limited = settings.max_length.is_some() || settings.max_length_bytes.is_some();
            let may_be = mentions.has_key("max-length") || mentions.has_key("max-length-bytes");
            let is_consumed = || {
                let mut consumers = self.scenario.consumers.iter();
                consumers.any(|(_, one)| one.queue.as_ref().is_some_and(|queue| queue.value == name.value))
            };
            if settings.auto_delete && !is_consumed() && !mentions.has("queue", name.as_str()) {
                let message = format!(
                    "`auto-delete` of queue `{}` has no effect: nobody consumes from it, and leaves",
                    name.value
                );
                found.push(Diagnostic::warning(message).at(name.origin, "it stays"));
            }
            if settings.overflow != Overflow::DropHead && !is_limited && !may_be {
                let message = format!("`overflow` of queue `{}` has no effect: it is never full", name.value);
                let help = "write `max-length` or `max-length-bytes`, or leave it out";
                found.push(Diagnostic::warning(message).at(name.origin, "").help(help));
            }
        }
        for (name, broker) in self.scenario.brokers.iter() {
            let has_replicas = mentions.has("type", "quorum") || mentions.has_key("delivery-limit");
            if let Some(timeout) = broker.election_timeout.filter(|_| !has_replicas) {
                let message = "`election-timeout` has no effect without a quorum queue";
                found.push(
                    Diagnostic::warning(message).at(timeout.origin, "").help("write `type = \"quorum\"` in a queue"),
                );
            }
            let is_paged = self
                .brokers
                .spec(name.as_str())
                .is_some_and(|spec| spec.queues.iter().any(|queue| queue.settings.kind() == QueueType::Classic));
            let is_used = is_paged || self.scenario.has_topics(name.as_str()) || mentions.has("type", "classic");
            if let Some(written) = broker.disk_read_time.filter(|_| !is_used) {
                let message = format!(
                    "`disk-read-time` has no effect: `{}` has no classic queue, which would be long",
                    name.value
                );
                found.push(Diagnostic::warning(message).at(written.origin, ""));
            }
            let Some(heartbeat) = broker.heartbeat.filter(|_| !mentions.has_key("consumers")) else { continue };
            let message = format!("`heartbeat` has no effect: nobody consumes from broker `{}`", name.value);
            found.push(Diagnostic::warning(message).at(heartbeat.origin, ""));
        }
    }

    /// Rules about deadlines where nothing has one.
    fn inert_rules(&self, mentions: &Mentions, found: &mut Vec<Diagnostic>) {
        let has_deadline = self.calls.iter().any(|call| call.policy.retry.deadline.is_some());
        if has_deadline || mentions.has_key("deadline") {
            return;
        }
        for (_, service) in self.scenario.services.iter() {
            let queue = &service.queue;
            let discipline = queue.discipline.as_ref();
            if let Some(written) =
                discipline.filter(|discipline| matches!(discipline.value.policy, QueuePolicy::EarliestDeadline(_)))
            {
                let message = "`earliest-deadline` has no effect: no message has a deadline";
                found.push(Diagnostic::warning(message).at(written.origin, "first come, first served").help(DEADLINE));
            }
            let expires = queue.expire_at.filter(|at| at.value == ExpireAt::Any && queue.time_to_live.is_none());
            if let Some(written) = expires.filter(|_| !mentions.has_key("time-to-live")) {
                let message = "`expire-at` has no effect: nothing expires without a deadline or a `time-to-live`";
                found.push(Diagnostic::warning(message).at(written.origin, "").help(DEADLINE));
            }
        }
    }
}

const DEADLINE: &str = "write `deadline` in the policy of those who send, on the group or beside the step";

fn policy_help(name: &Located<Name>) -> Option<String> {
    Some(format!("write `policy = \"{0}\"` beside a step or on its group, or call it `default`", name.value))
}

/// A named table that nothing refers to, perhaps because its name is misspelled.
fn nobody<'a>(
    what: &str,
    name: &Located<Name>,
    others: impl Iterator<Item = &'a Located<Name>>,
    help: Option<String>,
) -> Diagnostic {
    let others = others.map(|other| other.as_str()).filter(|other| *other != name.as_str());
    let near = nearest(name.as_str(), others).map(|near| format!("did you mean `{near}`?"));
    let help = near.or_else(|| help.filter(|_| name.as_str() != "default"));
    Diagnostic::warning(format!("{what} `{}`", name.value)).at(name.origin, "").help_if(help)
}
