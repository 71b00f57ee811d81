//! A rate that changes at given times.

use super::Piecewise;
use super::piecewise::of_lines;
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// Another rate from each of these times on; none before the first. A measured load can be written down this way, hour by
    /// hour, or a load test that holds each level until the system has settled.
    pub struct StepsSettings = "steps", "as in load generators: Locust's custom load shapes, k6 stages" {
        /// Times on the clock of the run, and the rate from then on: `[["0s", "100/s"], ["30s", "400/s"]]`.
        steps: Vec<(Span, Rate)>, alone = vec![(Span::ZERO, rate_per_sec(100)), (secs(30), rate_per_sec(400))],
    }
}

impl Settings for StepsSettings {
    fn check(&self) -> Result<(), String> {
        if !self.steps.is_sorted_by(|(one, _), (other, _)| one < other) {
            return Err("need times in ascending order, each once".into());
        }
        if self.steps.iter().all(|(_, rate)| rate.is_zero()) {
            return Err("bring no load at all".into());
        }
        Ok(())
    }
}

of_lines! {
    /// A rate that jumps.
    Steps
}

impl Steps {
    /// The rate under these settings.
    pub fn new(settings: &StepsSettings) -> Self {
        let corners: Vec<_> = settings.steps.iter().map(|&(at, rate)| (at, rate.per_sec(), 0.0)).collect();
        Self(Piecewise::new(0.0, &corners))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;
    use crate::protocol::workload::rate::Profile;

    #[test]
    fn each_rate_holds_until_the_next() {
        let profile = Steps::new(&StepsSettings::default());
        assert_eq!(profile.due(Time::ZERO + secs(40)), 30.0 * 100.0 + 10.0 * 400.0);
        assert_eq!((profile.peak(), profile.when(3_400.0)), (400.0, Some(Time::ZERO + secs(31))));
    }

    #[test]
    fn steps_go_forward() {
        let steps = |seconds: [u64; 2]| StepsSettings { steps: seconds.map(|at| (secs(at), rate_per_sec(1))).into() };
        assert!(steps([1, 2]).check().is_ok());
        assert!(steps([2, 1]).check().is_err() && steps([1, 1]).check().is_err());
        assert!(StepsSettings { steps: Vec::new() }.check().is_err());
    }
}
