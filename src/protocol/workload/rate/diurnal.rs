//! A rate that swings: day and night.
//!
//! The rate is m (1 + a cos(2 pi (t - p) / T)). Its integral over whole periods is m T each, so only the present one has to be
//! inverted: t + a T / (2 pi) sin(...) = x is Kepler's equation, solved by Newton's steps kept between two bounds that
//! close in, at most 64 of them.

use super::Profile;
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// A sine wave around a mean, as load has between day and night. The peak is mean times one and the amplitude: a service
    /// that is sized for the mean drowns there. Play a short day (a `period` of minutes) where nothing else depends on how
    /// long a day is.
    pub struct DiurnalSettings = "diurnal", "the first harmonic of daily traffic; see Roughan et al., Experience in Measuring Backbone Traffic Variability, ACM IMW 2002" {
        /// The mean over a period.
        mean: Rate, required = rate_per_sec(100),
        /// How far it swings to each side, as a share of the mean.
        amplitude: Probability = percent(50.0),
        /// How long it takes from one peak to the next.
        period: Span = secs(86_400),
        /// When a peak is, on the clock of the run.
        peak_at: Span = secs(14 * 3600),
    }
}

impl Settings for DiurnalSettings {
    fn check(&self) -> Result<(), String> {
        match (self.mean.is_zero(), self.period == Span::ZERO) {
            (true, _) => Err("brings no load at all".into()),
            (_, true) => Err("needs a `period` longer than zero".into()),
            _ => Ok(()),
        }
    }
}

/// The wave.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Diurnal {
    mean: f64,
    amplitude: f64,
    /// In nanoseconds.
    period: u64,
    /// How long the last peak is ago when the run starts.
    lead: u64,
}

/// A full turn.
const TURN: f64 = std::f64::consts::TAU;
/// Bisection alone closes in on any time by then.
const STEPS_MAX: u32 = 64;

impl Diurnal {
    /// The wave under these settings.
    pub fn new(settings: &DiurnalSettings) -> Self {
        let period = settings.period.as_nanos().max(1);
        Self {
            mean: settings.mean.per_sec(),
            amplitude: settings.amplitude.value(),
            period,
            lead: (period - settings.peak_at.as_nanos() % period) % period,
        }
    }

    /// What a share of a period since the last peak brings, as a share of a period at the mean.
    fn area(&self, phase: f64) -> f64 {
        phase + self.amplitude / TURN * libm::sin(TURN * phase)
    }

    /// The share of a period since the last peak after which `area` has come.
    fn phase(&self, area: f64) -> f64 {
        let (mut low, mut high) = (0.0, 1.0);
        let mut phase = area;
        for _ in 0..STEPS_MAX {
            let error = self.area(phase) - area;
            if error > 0.0 {
                high = phase;
            } else {
                low = phase;
            }
            let slope = 1.0 + self.amplitude * libm::cos(TURN * phase);
            let newton = phase - error / slope;
            let next = if newton > low && newton < high { newton } else { (low + high) / 2.0 };
            if next == phase || next <= low && next >= high {
                break;
            }
            phase = next;
        }
        phase
    }

    /// Periods since the last peak before the run, as a whole and a share.
    fn periods(&self, at: Time) -> (u64, f64) {
        let nanos = u128::from(at.as_nanos()) + u128::from(self.lead);
        let period = u128::from(self.period);
        ((nanos / period) as u64, (nanos % period) as f64 / self.period as f64)
    }

    /// Requests in a period.
    fn each(&self) -> f64 {
        self.mean * (self.period as f64 / 1e9)
    }

    /// What came in the lead, as a share of a period at the mean.
    fn before(&self) -> f64 {
        self.area(self.lead as f64 / self.period as f64)
    }
}

impl Profile for Diurnal {
    fn due(&self, at: Time) -> f64 {
        let (whole, phase) = self.periods(at);
        ((whole as f64 + (self.area(phase) - self.before())) * self.each()).max(0.0)
    }

    fn when(&self, count: f64) -> Option<Time> {
        let total = count / self.each() + self.before();
        let whole = libm::floor(total);
        let nanos = whole * self.period as f64 + self.phase(total - whole) * self.period as f64;
        Some(Time::ZERO + Span::from_nanos_f64(nanos - self.lead as f64))
    }

    fn peak(&self) -> f64 {
        self.mean * (1.0 + self.amplitude)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(amplitude: f64) -> Diurnal {
        Diurnal::new(&DiurnalSettings { amplitude: percent(amplitude), ..DiurnalSettings::default() })
    }

    fn hours(hours: u64) -> Time {
        Time::ZERO + secs(hours * 3600)
    }

    /// Half of a day around the peak holds 1/2 + a / pi of its requests: 0.659 at a swing of 50 %.
    #[test]
    fn the_half_around_the_peak_holds_its_share() {
        let profile = day(50.0);
        assert!((profile.due(hours(24)) / 8_640_000.0 - 1.0).abs() < 1e-12);
        let half = (profile.due(hours(20)) - profile.due(hours(8))) / 8_640_000.0;
        assert!((half - (0.5 + 0.5 / std::f64::consts::PI)).abs() < 1e-12, "{half}");
        assert_eq!(profile.peak(), 150.0);
    }

    /// At a swing of 100 % nothing comes at the trough, where Newton's steps are of no use.
    #[test]
    fn the_trough_may_be_empty() {
        let profile = day(100.0);
        for at in [hours(2), hours(26)] {
            let back = profile.when(profile.due(at)).unwrap();
            let gap = back.since(at).as_nanos().max(at.since(back).as_nanos());
            // What is due there is known to some 10^-16 of all, which comes within the cube root of as much of a day.
            assert!(Span::from_nanos(gap) < secs(4), "{gap}");
        }
    }

    #[test]
    fn a_thousand_days_are_as_exact_as_one() {
        let profile = day(50.0);
        let at = Time::ZERO + secs(86_400 * 1000 + 12_345);
        let back = profile.when(profile.due(at)).unwrap();
        assert!(back.since(at).max(at.since(back)) <= Span::from_nanos(40), "{back} for {at}");
    }
}
