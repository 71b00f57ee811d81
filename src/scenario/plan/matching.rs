//! Bindings that no message of the scenario matches: doubts.
//!
//! What is published has its routing key and its headers in the scenario, so it is known what comes to an exchange: from those who
//! publish there, from an exchange that has it as its alternate, and from queues as dead letters. Whether any of it ever does is not
//! known, so everything counts that might.

use std::collections::BTreeMap;

use super::binding::{self, arguments};
use super::broker::kind;
use super::roles::Planner;
use crate::model::BrokerSpec;
use crate::protocol::amqp::{Binding, Destination, ExchangeId, Headers, QueueId, Routing};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Origin;
use crate::scenario::schema::{Exchange, ExchangeType};

/// Keys and headers of what comes to exchanges.
type Coming = BTreeMap<(ExchangeId, String), Vec<Headers>>;

impl Planner<'_> {
    /// Bindings that nothing matches which comes to their exchange.
    pub(super) fn bindings_in_vain(&self, found: &mut Vec<Diagnostic>) {
        for (name, _) in self.scenario.brokers.iter() {
            let Some(spec) = self.brokers.spec(name.as_str()) else { continue };
            let coming = self.coming(name.as_str(), spec);
            for (exchange_name, exchange) in self.scenario.exchanges.iter() {
                let Some(id) = self.brokers.exchange_at(exchange_name.as_str(), name.as_str()) else { continue };
                for (origin, binding) in self.bindings_of(exchange_name.as_str(), exchange) {
                    if !matches(exchange, &binding, id, &coming) {
                        found.push(in_vain(exchange, &binding, origin));
                    }
                }
            }
        }
    }

    /// What may come to the exchanges of a broker.
    fn coming(&self, broker: &str, spec: &BrokerSpec) -> Coming {
        let services = || self.scenario.services.iter().map(|(name, _)| name.as_str());
        let mut open = Vec::new();
        for call in &self.calls {
            if let Some(publication) = call.publication.as_deref()
                && services().nth(usize::from(call.target)) == Some(broker)
            {
                open.push((publication.exchange, publication.routing_key.clone(), publication.headers.clone()));
            }
        }
        let alternates: BTreeMap<_, _> = self.alternates(broker).collect();
        let (mut coming, mut routing, mut queues) = (Coming::new(), spec.routing.clone(), Vec::new());
        while let Some((exchange, key, headers)) = open.pop() {
            let known = coming.entry((exchange, key.clone())).or_default();
            if known.contains(&headers) {
                continue;
            }
            known.push(headers.clone());
            let alternate = alternates.get(&exchange).map(|other| (*other, key.clone(), headers.clone()));
            routing.route(exchange, &key, &headers, &mut queues);
            let letters = queues.iter().filter_map(|queue| spec.queues[queue.index()].dead_letters.as_ref());
            open.extend(letters.map(|letters| (letters.exchange, letters.key(&key).to_owned(), headers.clone())));
            open.extend(alternate);
        }
        coming
    }

    fn alternates(&self, broker: &str) -> impl Iterator<Item = (ExchangeId, ExchangeId)> {
        self.scenario.exchanges.iter().filter_map(move |(name, exchange)| {
            let other = exchange.alternate_exchange.as_ref()?;
            Some((
                self.brokers.exchange_at(name.as_str(), broker)?,
                self.brokers.exchange_at(other.value.as_str(), broker)?,
            ))
        })
    }

    /// The bindings of an exchange, each with where it is written. Where they lead does not matter.
    fn bindings_of(&self, name: &str, exchange: &Exchange) -> Vec<(Origin, Binding)> {
        let mut none = Vec::new();
        let queue = QueueId::new(0);
        let mut all = Vec::new();
        for (_, written) in exchange.bindings.iter() {
            for one in &written.0 {
                let read = binding::of_queue(exchange, queue, std::slice::from_ref(one), &mut none);
                all.extend(read.into_iter().map(|binding| (one.origin, binding)));
            }
        }
        let to = Destination::Queue(queue);
        let subscribes = self.scenario.consumers.iter().map(|(_, consumer)| consumer);
        for consumer in subscribes.filter(|one| one.exchange.as_ref().is_some_and(|to| to.value.as_str() == name)) {
            for key in consumer.binding_key.iter().flat_map(|keys| &keys.0) {
                all.push((key.origin, Binding::by_key(to, &key.value)));
            }
            for asked in consumer.binding_headers.iter().flat_map(|all| &all.0) {
                let asked_for = arguments(&asked.value, asked.origin, &mut none);
                all.extend(asked_for.map(|asked_for| (asked.origin, Binding::by_headers(to, asked_for))));
            }
        }
        all
    }
}

fn matches(exchange: &Exchange, binding: &Binding, id: ExchangeId, coming: &Coming) -> bool {
    if exchange.r#type == Some(ExchangeType::Fanout) {
        return true;
    }
    let mut alone = Routing::new();
    let at = alone.exchange(&kind(exchange));
    alone.bind(at, binding.clone());
    let mut queues = Vec::new();
    let here = coming.iter().filter(|((exchange, _), _)| *exchange == id);
    let mut here = here.flat_map(|((_, key), all)| all.iter().map(move |headers| (key, headers)));
    here.any(|(key, headers)| alone.route(at, key, headers, &mut queues))
}

fn in_vain(exchange: &Exchange, binding: &Binding, origin: Origin) -> Diagnostic {
    let doubt = Diagnostic::warning("no message that is published matches").at(origin, "");
    let is_direct = exchange.r#type.unwrap_or(ExchangeType::Direct) == ExchangeType::Direct;
    if is_direct && binding.key.split('.').any(|word| word == "*" || word == "#") {
        return doubt.help("write `type = \"topic\"` in the exchange: a direct one compares keys as they are");
    }
    doubt
}
