//! Patterns of messaging: requests through queues, and what is published through an outbox.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::roles::{Planner, Sender};
use crate::base::time::Span;
use crate::model::OutboxSpec;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin, Piece};
use crate::scenario::schema::{
    Duration, Fsync, Name, Outbox, PRODUCER_KEYS, ProcessingGuarantee, State, Step, Target, Verb,
};

/// How a step's outbox is written, and how it is emptied, if what it publishes goes through one.
pub(super) fn outbox_of(sender: &Sender<'_>, step: &Step) -> Option<(Located<Outbox>, (Duration, NonZeroU32))> {
    let written = [step, sender.shared[1], sender.shared[0]].into_iter().find_map(|step| step.outbox)?;
    Some((written, written.value.polling()?))
}

impl Planner<'_> {
    /// Whether a group reads topics and publishes in one transaction.
    pub(super) fn is_transactional(&self, group: &str) -> bool {
        let consumer = self.scenario.consumers.get(group);
        let guarantee = consumer.and_then(|consumer| consumer.processing_guarantee);
        guarantee.is_some_and(|guarantee| guarantee.value == ProcessingGuarantee::ExactlyOnce)
    }

    /// What is published goes through the outbox of this service, if it may: one relay for each node empties it.
    pub(super) fn outbox(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        outbox: Located<Outbox>,
        polling: (Duration, NonZeroU32),
    ) -> bool {
        let (known, levels) = (self.mistakes.len(), [step, sender.shared[1], sender.shared[0]]);
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
        if let Some(confirm) = levels.iter().find_map(|step| step.confirm).filter(|confirm| !confirm.value) {
            refuse("a relay publishes until it is told, so it has to be told", confirm.origin, "leave `confirm` out");
        }
        if let Some(wait) = levels.iter().find_map(|step| step.wait) {
            refuse("`wait` has no meaning: the step ends when its row is written", wait.origin, "leave it out");
        }
        let meant = |key: &str| key == "timeout" || PRODUCER_KEYS.contains(&key);
        if let Some((key, at)) = levels.iter().flat_map(|step| step.keys.written()).find(|(key, _)| !meant(key)) {
            let message = format!("`{key}` has no meaning here: a relay publishes again until it is confirmed");
            refuse(&message, at, "leave it out, or write it in the steps that it is for");
        }
        let (poll_interval, batch_size) = (polling.0.0, polling.1);
        if poll_interval == Span::ZERO {
            refuse("a relay that looks all the time would never let time go on", outbox.origin, "write `\"1ms\"`");
        }
        let spec = OutboxSpec { poll_interval, batch_size };
        let told = self.outboxes.entry(sender.group.to_owned()).or_insert(spec);
        if *told != spec {
            refuse(
                "one relay empties the outbox of a node, and is told two ways of doing so",
                outbox.origin,
                "write the same in all of its steps",
            );
        }
        self.mistakes.len() == known
    }

    /// The kind of message of a `send` or a `call`, which may name a queue or an exchange.
    pub(super) fn sent_or_asked(
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
}
