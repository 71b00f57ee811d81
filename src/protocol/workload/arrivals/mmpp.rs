//! Bursts: a Poisson process whose rate follows a hidden state.

use super::{Arrivals, States};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// Poisson arrivals whose rate jumps between states: quiet and busy times of random length, the same for all nodes of the
    /// group. The group's `rate` stays the mean over time; `rates` only say how the states stand to each other. Bursts of
    /// this kind fill queues as long as they last, which no averaging over many users removes.
    pub struct MmppSettings = "mmpp", "Fischer, Meier-Hellstern, The Markov-modulated Poisson process (MMPP) cookbook, Perf. Eval. 18(2), 1993" {
        /// How the rates of the states stand to each other: with `[1, 10]` the second brings ten times as much as the first.
        rates: Vec<f64>, required = vec![1.0, 10.0],
        /// How long it stays in each of them, in the mean, exponentially; then it goes on to any of the others.
        stays: Vec<Span>, required = vec![secs(9), secs(1)],
    }
}

impl Settings for MmppSettings {
    fn check(&self) -> Result<(), String> {
        if self.rates.len() != self.stays.len() {
            let (rates, stays) = (self.rates.len(), self.stays.len());
            return Err(format!("needs as many `stays` as `rates`; found {stays} and {rates}"));
        }
        self.made().map(|_| ())
    }
}

impl MmppSettings {
    fn made(&self) -> Result<States, String> {
        let states: Vec<_> = self.rates.iter().copied().zip(self.stays.iter().copied()).collect();
        States::new(&states)
    }
}

/// Arrivals whose rate follows a hidden state.
#[derive(Clone, PartialEq, Debug)]
pub struct Mmpp(States);

impl Mmpp {
    /// The process under these settings.
    ///
    /// # Panics
    /// If they were not checked.
    pub fn new(settings: &MmppSettings) -> Self {
        Self(settings.made().expect("settings are checked"))
    }
}

impl Arrivals for Mmpp {
    fn states(&self) -> Option<&States> {
        Some(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_rate_has_its_stay() {
        assert!(MmppSettings::default().check().is_ok());
        let settings = MmppSettings { rates: vec![1.0, 2.0, 3.0], ..MmppSettings::default() };
        assert_eq!(settings.check(), Err("needs as many `stays` as `rates`; found 2 and 3".into()));
        let settings = MmppSettings { rates: vec![1.0], stays: vec![secs(1)] };
        assert_eq!(settings.check(), Err("needs two states or more".into()));
    }
}
