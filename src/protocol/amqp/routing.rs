//! Routing: from an exchange and a routing key to queues.
//!
//! A message follows the bindings of its exchange to queues and to further exchanges, each of which it visits once, so cycles
//! end. Where an exchange has no binding that matches, its alternate exchange is tried. A queue gets one copy, however many
//! ways lead there. A message that reaches no queue is unroutable.
//!
//! The default exchange has a binding for each queue by its name, which cannot be changed.
//!
//! Source: rabbitmq.com/docs/exchanges, rabbitmq.com/docs/e2e, rabbitmq.com/docs/ae.

use std::collections::BTreeMap;

use super::exchange::{AnyExchange, Binding, Destination, Exchange, ExchangeKind, Headers};
use super::id::{ExchangeId, QueueId};

/// The exchanges of a broker, their bindings, and the names of its queues.
#[derive(Clone, Debug)]
pub struct Routing {
    /// The default exchange is not among the others: it stands at place 0 and has no bindings of its own.
    exchanges: Vec<Declared>,
    queues: BTreeMap<String, QueueId>,
    /// How many messages were routed: an exchange that was visited by this one has its number.
    round: u64,
    to_visit: Vec<ExchangeId>,
    found: Vec<Destination>,
}

#[derive(Clone, Debug)]
struct Declared {
    /// None for the default exchange.
    exchange: Option<AnyExchange>,
    alternate: Option<ExchangeId>,
    visited: u64,
}

impl Default for Routing {
    fn default() -> Self {
        Self::new()
    }
}

impl Routing {
    /// The default exchange, and no queues.
    pub fn new() -> Self {
        let default = Declared { exchange: None, alternate: None, visited: 0 };
        Self { exchanges: vec![default], queues: BTreeMap::new(), round: 0, to_visit: vec![], found: vec![] }
    }

    /// Declares an exchange; ids count up from 1.
    pub fn exchange(&mut self, kind: &ExchangeKind) -> ExchangeId {
        let id = ExchangeId::new(self.exchanges.len() as u32);
        self.exchanges.push(Declared { exchange: Some(kind.start()), alternate: None, visited: 0 });
        id
    }

    /// Gives an exchange an alternate one, for what none of its bindings matches. Has no effect on the default exchange.
    ///
    /// # Panics
    /// If either was never declared.
    pub fn set_alternate(&mut self, exchange: ExchangeId, alternate: ExchangeId) {
        assert!(alternate.index() < self.exchanges.len(), "{alternate:?} was never declared");
        let declared = &mut self.exchanges[exchange.index()];
        declared.alternate = declared.exchange.is_some().then_some(alternate);
    }

    /// A queue was declared: the default exchange knows it by its name. Whoever had the name before has it no more.
    pub fn queue(&mut self, name: &str, id: QueueId) {
        self.queues.insert(name.to_owned(), id);
    }

    /// A queue was deleted: its name and all bindings to it are gone.
    pub fn forget_queue(&mut self, id: QueueId) {
        self.queues.retain(|_, other| *other != id);
        for declared in &mut self.exchanges {
            if let Some(exchange) = &mut declared.exchange {
                exchange.forget(Destination::Queue(id));
            }
        }
    }

    /// Binds a destination to an exchange; whether that may be done, which it may not at the default exchange
    /// (`ACCESS_REFUSED`), nor with a destination exchange that is the default or was never declared.
    ///
    /// # Panics
    /// If the exchange was never declared.
    pub fn bind(&mut self, exchange: ExchangeId, binding: Binding) -> bool {
        if let Destination::Exchange(to) = binding.destination
            && (to == ExchangeId::DEFAULT || to.index() >= self.exchanges.len())
        {
            return false;
        }
        self.exchanges[exchange.index()].exchange.as_mut().map(|exchange| exchange.bind(binding)).is_some()
    }

    /// Takes a binding away; whether it was there.
    ///
    /// # Panics
    /// If the exchange was never declared.
    pub fn unbind(&mut self, exchange: ExchangeId, binding: &Binding) -> bool {
        self.exchanges[exchange.index()].exchange.as_mut().is_some_and(|exchange| exchange.unbind(binding))
    }

    /// Replaces `queues` by those that a message goes to, sorted, each once; whether there is any. If not, it is unroutable: it is
    /// returned if it is mandatory, and dropped otherwise.
    ///
    /// # Panics
    /// If the exchange was never declared.
    pub fn route(&mut self, exchange: ExchangeId, key: &str, headers: &Headers, queues: &mut Vec<QueueId>) -> bool {
        queues.clear();
        if exchange == ExchangeId::DEFAULT {
            queues.extend(self.queues.get(key));
            return !queues.is_empty();
        }
        self.round += 1;
        self.visit(exchange);
        while let Some(next) = self.to_visit.pop() {
            let Declared { exchange, alternate, .. } = &self.exchanges[next.index()];
            let Some(exchange) = exchange else {
                queues.extend(self.queues.get(key));
                continue;
            };
            let mut found = std::mem::take(&mut self.found);
            exchange.route(key, headers, &mut found);
            let alternate = alternate.filter(|_| found.is_empty());
            for destination in found.drain(..).chain(alternate.map(Destination::Exchange)) {
                match destination {
                    Destination::Queue(queue) => queues.push(queue),
                    Destination::Exchange(exchange) => self.visit(exchange),
                }
            }
            self.found = found;
        }
        queues.sort_unstable();
        queues.dedup();
        !queues.is_empty()
    }

    /// Goes to an exchange too, unless this message was there.
    fn visit(&mut self, id: ExchangeId) {
        let declared = &mut self.exchanges[id.index()];
        if declared.visited != self.round {
            declared.visited = self.round;
            self.to_visit.push(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::exchange::FanoutSettings;
    use super::*;
    use crate::protocol::amqp::laws::fixed;

    fn queue(index: u32) -> Destination {
        Destination::Queue(QueueId::new(index))
    }

    fn routed(routing: &mut Routing, exchange: ExchangeId, key: &str) -> Vec<usize> {
        let mut queues = vec![QueueId::new(99)];
        let is_routed = routing.route(exchange, key, &Headers::default(), &mut queues);
        assert_eq!(is_routed, !queues.is_empty());
        queues.into_iter().map(QueueId::index).collect()
    }

    fn fanout() -> ExchangeKind {
        ExchangeKind::Fanout(FanoutSettings {})
    }

    #[test]
    fn the_default_exchange_knows_every_queue_by_its_name() {
        let mut routing = Routing::new();
        routing.queue("orders", QueueId::new(4));
        assert_eq!(routed(&mut routing, ExchangeId::DEFAULT, "orders"), [4]);
        assert_eq!(routed(&mut routing, ExchangeId::DEFAULT, "order"), [0; 0]);
        assert!(!routing.bind(ExchangeId::DEFAULT, Binding::by_key(queue(1), "orders")));
        routing.forget_queue(QueueId::new(4));
        assert_eq!(routed(&mut routing, ExchangeId::DEFAULT, "orders"), [0; 0]);
    }

    /// Two bindings and a way through another exchange lead to queue 1.
    #[test]
    fn a_queue_gets_one_copy() {
        let mut routing = Routing::new();
        let (first, second) = (routing.exchange(&ExchangeKind::default()), routing.exchange(&fanout()));
        for destination in [queue(2), queue(1), Destination::Exchange(second)] {
            assert!(routing.bind(first, Binding::by_key(destination, "a")));
        }
        routing.bind(second, Binding::by_key(queue(1), ""));
        routing.bind(second, Binding::by_key(queue(0), ""));
        assert_eq!(routed(&mut routing, first, "a"), [0, 1, 2]);
        assert_eq!(routed(&mut routing, first, "b"), [0; 0]);
        assert!(routing.unbind(first, &Binding::by_key(Destination::Exchange(second), "a")));
        assert_eq!(routed(&mut routing, first, "a"), [1, 2]);
    }

    #[test]
    fn exchanges_may_be_bound_in_a_circle() {
        let mut routing = Routing::new();
        let ring: Vec<_> = (0..3).map(|_| routing.exchange(&fanout())).collect();
        for place in 0..3 {
            routing.bind(ring[place], Binding::by_key(Destination::Exchange(ring[(place + 1) % 3]), ""));
            routing.bind(ring[place], Binding::by_key(queue(place as u32), ""));
        }
        assert_eq!(routed(&mut routing, ring[1], ""), [0, 1, 2]);
        assert_eq!(routed(&mut routing, ring[1], ""), [0, 1, 2]);
    }

    /// Nothing matches at the first, nor at its alternate, whose alternate catches all. A match at the first keeps it there.
    #[test]
    fn an_alternate_exchange_takes_what_no_binding_matches() {
        let mut routing = Routing::new();
        let (first, second) = (routing.exchange(&ExchangeKind::default()), routing.exchange(&ExchangeKind::default()));
        let last = routing.exchange(&fanout());
        routing.bind(first, Binding::by_key(queue(0), "a"));
        routing.bind(second, Binding::by_key(queue(1), "b"));
        routing.bind(last, Binding::by_key(queue(2), ""));
        routing.set_alternate(first, second);
        routing.set_alternate(second, last);
        routing.set_alternate(last, first);
        for (key, queues) in [("a", [0]), ("b", [1]), ("c", [2])] {
            assert_eq!(routed(&mut routing, first, key), queues, "{key}");
        }
    }

    /// The binding to the second exchange matches, though that exchange leads nowhere.
    #[test]
    fn an_alternate_exchange_is_for_what_this_exchange_does_not_match() {
        let mut routing = Routing::new();
        let (first, second) = (routing.exchange(&ExchangeKind::default()), routing.exchange(&ExchangeKind::default()));
        let alternate = routing.exchange(&fanout());
        routing.bind(first, Binding::by_key(Destination::Exchange(second), "a"));
        routing.bind(alternate, Binding::by_key(queue(0), ""));
        routing.set_alternate(first, alternate);
        assert_eq!(routed(&mut routing, first, "a"), [0; 0]);
        assert_eq!(routed(&mut routing, first, "b"), [0]);
    }

    #[test]
    fn an_alternate_exchange_may_be_the_default_one() {
        let mut routing = Routing::new();
        let first = routing.exchange(&fanout());
        routing.queue("orders", QueueId::new(3));
        routing.set_alternate(first, ExchangeId::DEFAULT);
        assert_eq!(routed(&mut routing, first, "orders"), [3]);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Fanout exchanges bound at random: the queues are those of all exchanges that can be reached.
        #[test]
        fn a_message_reaches_what_can_be_reached(edges in vec((0_usize..6, 0_usize..6), 0..20), start in 0_usize..6) {
            let mut routing = Routing::new();
            let ids: Vec<_> = (0..6).map(|_| routing.exchange(&fanout())).collect();
            for (place, &id) in ids.iter().enumerate() {
                routing.bind(id, Binding::by_key(queue(place as u32), ""));
            }
            let mut reached = [[false; 6]; 6];
            (0..6).for_each(|place| reached[place][place] = true);
            for &(from, to) in &edges {
                routing.bind(ids[from], Binding::by_key(Destination::Exchange(ids[to]), ""));
                reached[from][to] = true;
            }
            // Warshall, whose indices are the point.
            for (via, from, to) in (0..216).map(|step| (step / 36, step / 6 % 6, step % 6)) {
                reached[from][to] |= reached[from][via] && reached[via][to];
            }
            let expected: Vec<_> = (0..6).filter(|&to| reached[start][to]).collect();
            prop_assert_eq!(routed(&mut routing, ids[start], "any"), expected);
        }
    }
}
