//! To all.

use super::{Binding, Destination, Exchange, Headers, drop_from};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// To every queue that is bound, whatever the key: publish and subscribe.
    pub struct FanoutSettings = "fanout", "AMQP 0-9-1 section 3.1.3.2; rabbitmq.com/docs/exchanges" {}
}

impl Settings for FanoutSettings {}

/// Bindings, which differ by their keys even though these do not matter.
#[derive(Clone, Debug, Default)]
pub struct Fanout(Vec<(Destination, String)>);

impl Fanout {
    /// Nothing is bound.
    pub fn new(_: &FanoutSettings) -> Self {
        Self::default()
    }
}

impl Exchange for Fanout {
    fn bind(&mut self, binding: Binding) {
        super::add(&mut self.0, (binding.destination, binding.key));
    }

    fn unbind(&mut self, binding: &Binding) -> bool {
        drop_from(&mut self.0, &(binding.destination, binding.key.clone()))
    }

    fn forget(&mut self, destination: Destination) {
        self.0.retain(|&(other, _)| other != destination);
    }

    fn route(&self, _: &str, _: &Headers, found: &mut Vec<Destination>) {
        found.extend(self.0.iter().map(|&(destination, _)| destination));
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{found, queue};
    use super::*;

    #[test]
    fn a_fanout_exchange_does_not_look_at_keys() {
        let mut exchange = Fanout::default();
        for (index, key) in [(0, "a"), (1, ""), (0, "b")] {
            exchange.bind(Binding::by_key(queue(index), key));
        }
        assert_eq!(found(&exchange, "c"), [0, 1]);
        exchange.unbind(&Binding::by_key(queue(0), "a"));
        assert_eq!(found(&exchange, "a"), [0, 1]);
    }
}
