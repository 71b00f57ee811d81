//! By equal keys.

use std::collections::BTreeMap;

use super::{Binding, Destination, Exchange, Headers, add, drop_from};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// To every queue that is bound with a key equal to the message's routing key. Several queues may be bound with one key, and
    /// each gets a copy.
    pub struct DirectSettings = "direct", "AMQP 0-9-1 section 3.1.3.1; rabbitmq.com/docs/exchanges" {}
}

impl Settings for DirectSettings {}

/// Destinations by key.
#[derive(Clone, Debug, Default)]
pub struct Direct(BTreeMap<String, Vec<Destination>>);

impl Direct {
    /// Nothing is bound.
    pub fn new(_: &DirectSettings) -> Self {
        Self::default()
    }
}

impl Exchange for Direct {
    fn bind(&mut self, binding: Binding) {
        add(self.0.entry(binding.key).or_default(), binding.destination);
    }

    fn unbind(&mut self, binding: &Binding) -> bool {
        let Some(list) = self.0.get_mut(&binding.key) else { return false };
        let was_there = drop_from(list, &binding.destination);
        if list.is_empty() {
            self.0.remove(&binding.key);
        }
        was_there
    }

    fn forget(&mut self, destination: Destination) {
        self.0.retain(|_, list| {
            list.retain(|&other| other != destination);
            !list.is_empty()
        });
    }

    fn route(&self, key: &str, _: &Headers, found: &mut Vec<Destination>) {
        found.extend(self.0.get(key).into_iter().flatten());
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, queue};
    use super::*;

    #[test]
    fn a_direct_exchange_compares_keys() {
        let mut exchange = Direct::default();
        for (index, key) in [(0, "a"), (1, "a"), (1, "b"), (2, "a.*"), (3, "")] {
            exchange.bind(Binding::by_key(queue(index), key));
        }
        assert_eq!(found(&exchange, "a"), [0, 1]);
        assert_eq!(found(&exchange, "b"), [1]);
        assert_eq!(found(&exchange, "a.c"), [0; 0]);
        assert_eq!(found(&exchange, ""), [3]);
    }
}
