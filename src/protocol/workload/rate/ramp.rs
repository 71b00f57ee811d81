//! A rate that rises or falls along a straight line.

use std::sync::Arc;

use super::{Piecewise, Profile, Shape};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// Rises or falls along a straight line from one rate to another, and stays there. It finds the load at which a system
    /// gives in; read the report over time, because the numbers of the whole run mix all rates.
    pub struct RampSettings = "ramp", "as in load generators: k6 ramping-arrival-rate, Gatling rampUsersPerSec" {
        /// The rate before it begins.
        from: Rate, required = rate_per_sec(0),
        /// The rate after it has ended.
        to: Rate, required = rate_per_sec(500),
        /// When it begins, on the clock of the run.
        start: Span = Span::ZERO,
        /// How long it takes.
        over: Span, required = secs(60),
    }
}

impl Settings for RampSettings {
    fn check(&self) -> Result<(), String> {
        match (self.from.is_zero() && self.to.is_zero(), self.over == Span::ZERO) {
            (true, _) => Err("goes from no load to no load".into()),
            (_, true) => Err("takes some time; for a jump there is `steps`".into()),
            _ => Ok(()),
        }
    }
}

impl Shape for RampSettings {
    fn profile(&self) -> Arc<dyn Profile> {
        let (from, to) = (self.from.per_sec(), self.to.per_sec());
        let slope = (to - from) / self.over.as_secs_f64();
        Arc::new(Piecewise::new(from, &[(self.start, from, slope), (self.start + self.over, to, 0.0)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;

    /// From 0 to 600/s within 60 s: 18 000 requests until then, a quarter of them in the first half.
    #[test]
    fn a_ramp_brings_half_of_what_its_end_would() {
        let profile = RampSettings { to: rate_per_sec(600), ..RampSettings::default() }.profile();
        assert_eq!(profile.due(Time::ZERO + secs(60)), 18_000.0);
        assert_eq!(profile.due(Time::ZERO + secs(30)), 4_500.0);
        assert_eq!(profile.due(Time::ZERO + secs(62)), 19_200.0);
        assert_eq!(profile.when(4_500.0), Some(Time::ZERO + secs(30)));
    }
}
