//! What is published to queues and exchanges: where it goes, and what is said of it that has no effect or no meaning there.

use super::binding;
use super::patterns::outbox_of;
use super::roles::{Planner, Sender};
use super::unused::Inert;
use crate::model::{Cancel, Delivery, Publication};
use crate::protocol::amqp::{ExchangeId, QueueType};
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::Located;
use crate::scenario::schema::{Consumer, ExchangeType, Name, Step};

impl Planner<'_> {
    /// What is published to this queue or exchange, and at which broker.
    pub(super) fn publication(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        to: &Located<Name>,
    ) -> Option<(String, Publication)> {
        let [group, entry] = sender.shared;
        let levels = [step, entry, group];
        let written_key = levels.into_iter().find_map(|step| step.routing_key.as_ref());
        let (broker, exchange, routing_key) = if let Some((broker, _)) = self.brokers.queues.get(to.value.as_str()) {
            if let Some(key) = written_key {
                let mistake = Diagnostic::error("what is published to a queue has its name as routing key");
                self.mistakes.push(mistake.at(key.origin, "").help("publish to an exchange, or leave it out"));
                return None;
            }
            (broker.clone(), ExchangeId::DEFAULT, to.value.as_str().to_owned())
        } else if let Some((broker, exchange)) = self.brokers.exchanges.get(to.value.as_str()) {
            (broker.clone(), *exchange, written_key.map(|key| key.value.clone()).unwrap_or_default())
        } else {
            let known = self.brokers.queues.keys().chain(self.brokers.exchanges.keys()).map(String::as_str);
            let known: Vec<_> = known.chain(self.topics.names()).collect();
            let mistake = unknown_name(to, "queue, exchange or topic", known);
            self.mistakes.push(mistake);
            return None;
        };
        let is_confirmed = levels.into_iter().find_map(|step| step.confirm).is_some_and(|confirm| confirm.value);
        let is_told = is_confirmed || step.call.is_some() || outbox_of(sender, step).is_some();
        if let Some(mandatory) = levels.into_iter().find_map(|step| step.mandatory).filter(|written| written.value) {
            self.effects.publishing(Inert::Mandatory, mandatory.origin, is_told);
        }
        if step.call.is_some() && exchange == ExchangeId::DEFAULT {
            self.doubt_the_reply(to);
        }
        if let (Some(key), Some(spec)) = (written_key, self.scenario.exchanges.get(to.value.as_str())) {
            let is_blind = matches!(spec.r#type, Some(ExchangeType::Fanout | ExchangeType::Headers));
            self.effects.publishing(Inert::RoutingKey, key.origin, !is_blind);
        }
        let headers = levels.into_iter().find_map(|step| step.headers.as_ref());
        if let Some(written) = headers {
            // Its dead letters may come to another exchange than it did.
            let is_there = |(name, (host, _)): (&String, &(String, ExchangeId))| {
                *host == broker && self.scenario.exchanges.get(name).is_some_and(binding::is_by_headers)
            };
            let looks = self.brokers.exchanges.iter().any(is_there);
            self.effects.publishing(Inert::Headers, written.origin, looks);
        }
        let flag = |written: fn(&Step) -> Option<Located<bool>>, default: bool| {
            levels.into_iter().find_map(written).map_or(default, |flag| flag.value)
        };
        Some((
            broker,
            Publication {
                exchange,
                routing_key,
                headers: headers.map(|headers| binding::headers(&headers.value)).unwrap_or_default(),
                persistent: flag(|step| step.persistent, true),
                mandatory: flag(|step| step.mandatory, false),
                expiration: levels.into_iter().find_map(|step| step.expiration).map(|expiration| expiration.value.0),
            },
        ))
    }

    /// Whoever asks a queue gets its reply from those who consume from it, or from where its dead letters go.
    fn doubt_the_reply(&mut self, queue: &Located<Name>) {
        let consumes = |one: &Consumer| one.queue.as_ref().is_some_and(|from| from.value == queue.value);
        let is_consumed = self.scenario.consumers.iter().any(|(_, consumer)| consumes(consumer));
        let written = self.scenario.queues.iter().find(|(name, _)| name.value == queue.value);
        let has_letters =
            written.is_some_and(|(_, queue)| queue.dead_letter_queue.is_some() || queue.dead_letter_exchange.is_some());
        if !is_consumed && !has_letters {
            self.effects.asked.insert(queue.origin, queue.as_str().to_owned());
        }
    }

    /// A priority has an effect where a queue has priorities.
    pub(super) fn warn_about_priority(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        call: u16,
        publication: &Publication,
    ) {
        let levels = [step, sender.shared[1], sender.shared[0]];
        let written = levels.into_iter().find_map(|step| step.priority).filter(|priority| priority.value > 0);
        let target = usize::from(self.calls[usize::from(call)].target);
        let broker = self.scenario.services.iter().nth(target).map(|(name, _)| name.as_str());
        let (Some(written), Some(spec)) = (written, broker.and_then(|name| self.brokers.spec(name))) else { return };
        let ranks = |number: &u16| {
            let queue = spec.queues.iter().find(|queue| queue.number == *number);
            queue.is_some_and(|queue| {
                queue.settings.max_priority.is_some() || queue.settings.kind() == QueueType::Quorum
            })
        };
        let has_effect = spec.destinations(publication).iter().any(ranks);
        self.effects.publishing(Inert::Priority, written.origin, has_effect);
    }

    /// Keys that say something of receivers which a broker is not.
    pub(super) fn refuse_what_brokers_do_not(
        &mut self,
        sender: &Sender<'_>,
        step: &Step,
        to: &Located<Name>,
        call: u16,
    ) {
        let policy = &self.calls[usize::from(call)].policy;
        let levels = [step, sender.shared[1], sender.shared[0]];
        let refused = [
            (policy.ordered, "ordered", "a broker hands out what it has in the order in which it came"),
            (policy.delivery == Delivery::ExactlyOnce, "exactly-once", "a broker keeps each copy that comes"),
            (policy.cancel != Cancel::None, "cancel", "what is published cannot be taken back"),
            (policy.guard.hedge.is_some(), "hedge", "each copy would be kept, and delivered"),
            (levels.iter().any(|step| step.fan_out.is_some()), "fan-out", "an exchange sends copies to several queues"),
            (levels.iter().any(|step| step.wait_for.is_some()), "wait-for", "there is one confirm to wait for"),
        ];
        for (_, what, why) in refused.into_iter().filter(|(is_meant, ..)| *is_meant) {
            let message = format!("`{what}` has no meaning for what is published: {why}");
            self.mistakes.push(Diagnostic::error(message).at(to.origin, "published here"));
        }
    }
}
