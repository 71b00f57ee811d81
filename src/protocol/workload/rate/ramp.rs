//! A rate that rises or falls along a straight line.

use super::Piecewise;
use super::piecewise::of_lines;
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

of_lines! {
    /// A line between two rates.
    Ramp
}

impl Ramp {
    /// The rate under these settings.
    pub fn new(settings: &RampSettings) -> Self {
        let (from, to) = (settings.from.per_sec(), settings.to.per_sec());
        let slope = (to - from) / settings.over.as_secs_f64();
        Self(Piecewise::new(from, &[(settings.start, from, slope), (settings.start + settings.over, to, 0.0)]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::Time;
    use crate::protocol::workload::rate::Profile;

    /// From 0 to 600/s within 60 s: 18 000 requests until then, a quarter of them in the first half.
    #[test]
    fn a_ramp_brings_half_of_what_its_end_would() {
        let profile = Ramp::new(&RampSettings { to: rate_per_sec(600), ..RampSettings::default() });
        assert_eq!(profile.due(Time::ZERO + secs(60)), 18_000.0);
        assert_eq!(profile.due(Time::ZERO + secs(30)), 4_500.0);
        assert_eq!(profile.due(Time::ZERO + secs(62)), 19_200.0);
        assert_eq!(profile.when(4_500.0), Some(Time::ZERO + secs(30)));
    }
}
