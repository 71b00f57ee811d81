//! Load that comes and goes.

use super::{Arrivals, States};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// Poisson arrivals for a while, then none for a while: `mmpp` with a state that brings nothing. All nodes of the group
    /// are on and off together. The group's `rate` stays the mean over time, so that in between it is higher by (on + off) / on.
    pub struct OnOffSettings = "on-off", "Kuczura, The interrupted Poisson process as an overflow process, BSTJ 52(3), 1973" {
        /// How long it brings load, in the mean, exponentially.
        on: Span, required = secs(1),
        /// How long it brings none, in the mean, exponentially.
        off: Span, required = secs(9),
    }
}

impl Settings for OnOffSettings {
    fn check(&self) -> Result<(), String> {
        self.made().map(|_| ())
    }
}

impl OnOffSettings {
    fn made(&self) -> Result<States, String> {
        States::new(&[(1.0, self.on), (0.0, self.off)])
    }
}

/// Arrivals that come and go.
#[derive(Clone, PartialEq, Debug)]
pub struct OnOff(States);

impl OnOff {
    /// The process under these settings.
    ///
    /// # Panics
    /// If they were not checked.
    pub fn new(settings: &OnOffSettings) -> Self {
        Self(settings.made().expect("settings are checked"))
    }
}

impl Arrivals for OnOff {
    fn states(&self) -> Option<&States> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn while_it_is_on_it_makes_up_for_the_rest() {
        assert!((OnOffSettings::default().made().unwrap().peak() - 10.0).abs() < 1e-12);
    }
}
