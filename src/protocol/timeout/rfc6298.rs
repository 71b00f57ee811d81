//! The retransmission timer of TCP: a smoothed mean and several times a smoothed deviation.
//!
//! The first answer after R makes SRTT = R and RTTVAR = R/2. Each further one makes RTTVAR ← (1 − β) RTTVAR + β |SRTT − R|, then
//! SRTT ← (1 − α) SRTT + α R. The timeout is SRTT + K · RTTVAR, between `min` and `max`. Each further attempt
//! of the same request has twice as long as the one before.
//!
//! Source: Jacobson, "Congestion Avoidance and Control", SIGCOMM 1988; RFC 6298, section 2.

use std::num::NonZeroU32;

use super::{Timeout, check_bounds};
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// A smoothed mean and four times a smoothed deviation, as TCP's retransmission timer; twice as long for each further attempt. It follows changes within some ten answers
    /// and needs hardly any memory. Of heavy tails it knows little: the deviation is a mean, not a quantile.
    pub struct Rfc6298Settings = "rfc6298", "RFC 6298, section 2" {
        /// Until the first answer (RFC 6298: 1 s).
        initial: Span = secs(1),
        /// Never less (RFC 6298: 1 s; Linux: 200 ms).
        min: Span = secs(1),
        /// Never more (RFC 6298: at least 60 s).
        max: Span = secs(60),
        /// How many deviations are added (RFC 6298: 4).
        k: f64 = 4.0,
        /// The weight of the newest answer in the mean (RFC 6298: 1/8).
        alpha: Probability = percent(12.5),
        /// The weight of the newest answer in the deviation (RFC 6298: 1/4).
        beta: Probability = percent(25.0),
    }
}

impl Settings for Rfc6298Settings {
    fn check(&self) -> Result<(), String> {
        check_bounds(self.min, self.max)
    }
}

/// The mean and the deviation.
#[derive(Clone, PartialEq, Debug)]
pub struct Rfc6298 {
    settings: Box<Rfc6298Settings>,
    /// SRTT and RTTVAR in nanoseconds, once there was an answer.
    smoothed: Option<(f64, f64)>,
}

impl Rfc6298 {
    /// No answer yet.
    pub fn new(settings: &Rfc6298Settings) -> Self {
        Self { settings: Box::new(settings.clone()), smoothed: None }
    }
}

impl Timeout for Rfc6298 {
    fn sampled(&mut self, took: Span) {
        let took = took.as_nanos() as f64;
        let (alpha, beta) = (self.settings.alpha.value(), self.settings.beta.value());
        self.smoothed = Some(match self.smoothed {
            None => (took, took / 2.0),
            Some((mean, deviation)) => {
                let deviation = (1.0 - beta) * deviation + beta * (mean - took).abs();
                ((1.0 - alpha) * mean + alpha * took, deviation)
            }
        });
    }

    fn timeout(&self, attempt: NonZeroU32) -> Option<Span> {
        let settings = &self.settings;
        let first = match self.smoothed {
            None => settings.initial,
            Some((mean, deviation)) => Span::from_nanos_f64(mean + settings.k * deviation).max(settings.min),
        };
        Some(first.times(1 << (attempt.get() - 1).min(16)).min(settings.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, us};

    /// 100 ms: 100 + 4 · 50 = 300. Then 200 ms: the deviation is 0.75 · 50 + 0.25 · 100 = 62.5, the mean 112.5, together 362.5. Then
    /// 112.5 ms: 46.875 and 112.5 make 300.
    #[test]
    fn the_formulas_of_the_rfc() {
        let settings = Rfc6298Settings { min: ms(1), ..Rfc6298Settings::default() };
        let mut timer = Rfc6298::new(&settings);
        let mut after = |took| {
            timer.sampled(took);
            timer.timeout(NonZeroU32::MIN).unwrap()
        };
        assert_eq!([us(100_000), us(200_000), us(112_500)].map(&mut after), [us(300_000), us(362_500), us(300_000)]);
        assert_eq!(after(secs(100)), secs(60));
    }

    #[test]
    fn nothing_is_below_the_least() {
        let mut timer = Rfc6298::new(&Rfc6298Settings::default());
        timer.sampled(ms(2));
        let after = |attempt| timer.timeout(NonZeroU32::new(attempt).unwrap()).unwrap();
        assert_eq!([1, 2, 4, 9, 90].map(after), [1, 2, 8, 60, 60].map(secs));
        let wrong = Rfc6298Settings { min: secs(61), ..Rfc6298Settings::default() };
        assert_eq!(wrong.check(), Err("wants `min` (61s) ≤ `max` (60s)".into()));
    }
}
