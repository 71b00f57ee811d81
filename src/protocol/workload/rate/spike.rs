//! A rate that is higher for a while.

use std::sync::Arc;

use super::{Piecewise, Profile, Shape};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// A peak of some length above a steady rate. It shows how far a queue grows and how long it takes until all is as before:
    /// the queue drains only at the difference between what is served and the base.
    pub struct SpikeSettings = "spike", "as in load generators: k6 spike testing" {
        /// The rate before and after.
        base: Rate, required = rate_per_sec(100),
        /// The rate in between.
        peak: Rate, required = rate_per_sec(1000),
        /// When it begins, on the clock of the run.
        at: Span, required = secs(30),
        /// How long it lasts.
        r#for: Span, required = secs(10),
    }
}

impl Settings for SpikeSettings {
    fn check(&self) -> Result<(), String> {
        match (self.base.is_zero() && self.peak.is_zero(), self.r#for == Span::ZERO) {
            (true, _) => Err("brings no load at all".into()),
            (_, true) => Err("lasts for some time".into()),
            _ => Ok(()),
        }
    }
}

impl Shape for SpikeSettings {
    fn profile(&self) -> Arc<dyn Profile> {
        let (base, peak) = (self.base.per_sec(), self.peak.per_sec());
        Arc::new(Piecewise::new(base, &[(self.at, peak, 0.0), (self.at + self.r#for, base, 0.0)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;

    #[test]
    fn a_spike_adds_its_height_times_its_length() {
        let profile = SpikeSettings::default().profile();
        assert_eq!(profile.due(Time::ZERO + secs(60)), 60.0 * 100.0 + 10.0 * 900.0);
        assert_eq!(profile.peak(), 1000.0);
    }
}
