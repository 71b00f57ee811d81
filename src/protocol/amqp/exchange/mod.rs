//! Exchanges: where a message goes, by its routing key or its headers.
//!
//! An exchange holds bindings and names the destinations of those that match. What a destination is, and what it leads to, is
//! a matter of [`Routing`](super::Routing).

use super::id::{ExchangeId, QueueId};
use crate::protocol::family::family;

family! { $
    /// The kinds of exchanges: plain data.
    ExchangeKind,
    /// The bindings of an exchange of any [`ExchangeKind`].
    AnyExchange, EXCHANGES, each_exchange;
    direct: Direct, DirectSettings;
    fanout: Fanout, FanoutSettings;
    topic: Topic, TopicSettings;
    headers: HeadersExchange, HeadersSettings;
}

pub use headers::{HeaderValue, Headers, Match, MatchArguments};

impl Default for ExchangeKind {
    /// Direct.
    fn default() -> Self {
        Self::Direct(DirectSettings {})
    }
}

/// Where a binding leads.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Destination {
    /// To a queue.
    Queue(QueueId),
    /// To another exchange, which routes on.
    Exchange(ExchangeId),
}

/// A binding, as it is made and unmade.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Binding {
    /// Where it leads.
    pub destination: Destination,
    /// The binding key: what a direct exchange compares, and the pattern of a topic exchange.
    pub key: String,
    /// What a headers exchange looks for.
    pub arguments: MatchArguments,
}

impl Binding {
    /// A binding by key.
    pub fn by_key(destination: Destination, key: &str) -> Self {
        Self { destination, key: key.to_owned(), arguments: MatchArguments::default() }
    }

    /// A binding by headers.
    pub fn by_headers(destination: Destination, arguments: MatchArguments) -> Self {
        Self { destination, key: String::new(), arguments }
    }
}

/// The bindings of one exchange.
pub trait Exchange {
    /// Adds a binding. One that is there already stays one.
    fn bind(&mut self, binding: Binding);

    /// Takes a binding away; whether it was there.
    fn unbind(&mut self, binding: &Binding) -> bool;

    /// Takes away all that lead to this destination, which was deleted.
    fn forget(&mut self, destination: Destination);

    /// Puts the destinations of all bindings that match at the end of `found`. A destination may be there more than once.
    fn route(&self, key: &str, headers: &Headers, found: &mut Vec<Destination>);
}

impl Exchange for AnyExchange {
    fn bind(&mut self, binding: Binding) {
        each_exchange!(self, exchange => exchange.bind(binding));
    }

    fn unbind(&mut self, binding: &Binding) -> bool {
        each_exchange!(self, exchange => exchange.unbind(binding))
    }

    fn forget(&mut self, destination: Destination) {
        each_exchange!(self, exchange => exchange.forget(destination));
    }

    fn route(&self, key: &str, headers: &Headers, found: &mut Vec<Destination>) {
        each_exchange!(self, exchange => exchange.route(key, headers, found));
    }
}

/// Adds `new` to a list unless it is there.
fn add<T: PartialEq>(list: &mut Vec<T>, new: T) {
    if !list.contains(&new) {
        list.push(new);
    }
}

/// Takes the first equal one out of a list; whether there was one.
fn drop_from<T: PartialEq>(list: &mut Vec<T>, old: &T) -> bool {
    let place = list.iter().position(|other| other == old);
    place.map(|place| list.remove(place)).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The queue at this index, as a destination.
    pub fn queue(index: u32) -> Destination {
        Destination::Queue(QueueId::new(index))
    }

    /// What an exchange finds for this key, as indices of queues in order.
    pub fn found(exchange: &impl Exchange, key: &str) -> Vec<u32> {
        let mut found = vec![];
        exchange.route(key, &Headers::default(), &mut found);
        found.sort_unstable();
        found.dedup();
        let index = |destination| match destination {
            Destination::Queue(queue) => queue.index() as u32,
            Destination::Exchange(_) => unreachable!("no exchange was bound"),
        };
        found.into_iter().map(index).collect()
    }

    /// For every kind: bound twice is bound once, and what was unbound or deleted is not found.
    #[test]
    fn a_binding_is_there_once_and_gone_when_it_is_taken_away() {
        for listing in EXCHANGES {
            let mut exchange = listing.example().start();
            let (one, two) = (Binding::by_key(queue(1), "a.b"), Binding::by_key(queue(2), "a.b"));
            for binding in [&one, &one, &two] {
                exchange.bind(binding.clone());
            }
            assert_eq!(found(&exchange, "a.b"), [1, 2], "{}", listing.name);
            assert!(exchange.unbind(&one), "{}", listing.name);
            assert!(!exchange.unbind(&one), "{}", listing.name);
            assert_eq!(found(&exchange, "a.b"), [2], "{}", listing.name);
            exchange.forget(queue(2));
            assert_eq!(found(&exchange, "a.b"), [0; 0], "{}", listing.name);
            assert!(!exchange.unbind(&two), "{}", listing.name);
        }
    }
}
