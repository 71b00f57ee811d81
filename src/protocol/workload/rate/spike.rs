//! A rate that is higher for a while.

use super::Piecewise;
use super::piecewise::of_lines;
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

of_lines! {
    /// A rate with a peak.
    Spike
}

impl Spike {
    /// The rate under these settings.
    pub fn new(settings: &SpikeSettings) -> Self {
        let (base, peak) = (settings.base.per_sec(), settings.peak.per_sec());
        Self(Piecewise::new(base, &[(settings.at, peak, 0.0), (settings.at + settings.r#for, base, 0.0)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;
    use crate::protocol::workload::rate::Profile;

    #[test]
    fn a_spike_adds_its_height_times_its_length() {
        let profile = Spike::new(&SpikeSettings::default());
        assert_eq!(profile.due(Time::ZERO + secs(60)), 60.0 * 100.0 + 10.0 * 900.0);
        assert_eq!(profile.peak(), 1000.0);
    }
}
