//! A quantile of latency, times a factor.
//!
//! Source: Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013, for waiting until a high percentile; the estimate is that of
//! [`QuantileTracker`].

use std::num::NonZeroU32;

use super::{Timeout, check_bounds};
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::protocol::quantile::QuantileTracker;
use crate::settings;

settings! {
    /// So many times a quantile of latency. The share of requests that time out although they would be answered is known: one of a
    /// hundred for the 99th percentile. It costs that share, so the factor should leave room above the quantile, and it takes
    /// some hundred answers to notice a change.
    pub struct QuantileSettings = "quantile", "Dean and Barroso, The Tail at Scale, CACM 56(2), 2013" {
        /// Which quantile.
        q: Probability = percent(99.0),
        /// By how much it is multiplied.
        multiplier: f64 = 1.0,
        /// Until there are enough answers to tell.
        initial: Span = secs(1),
        /// Never less.
        min: Span = Span::ZERO,
        /// Never more.
        max: Span = secs(60),
        /// How many of the newest answers count at most; half as many at least. The quantile is an estimate (P²).
        window: NonZeroU32 = NonZeroU32::MIN.saturating_add(999),
    }
}

impl Settings for QuantileSettings {
    fn check(&self) -> Result<(), String> {
        check_bounds(self.min, self.max)
    }
}

/// What answers took.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantile(Box<(QuantileSettings, QuantileTracker)>);

impl Quantile {
    /// No answer yet.
    pub fn new(settings: &QuantileSettings) -> Self {
        Self(Box::new((settings.clone(), QuantileTracker::new(settings.q, settings.window))))
    }
}

impl Timeout for Quantile {
    fn sampled(&mut self, took: Span) {
        self.0.1.add(took);
    }

    fn timeout(&self, _: NonZeroU32) -> Option<Span> {
        let (settings, tracker) = &*self.0;
        let Some(quantile) = tracker.quantile() else { return Some(settings.initial.min(settings.max)) };
        let timeout = Span::from_nanos_f64(quantile.as_nanos() as f64 * settings.multiplier);
        Some(timeout.max(settings.min).min(settings.max))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// A 99th percentile takes a hundred answers. Of 1, 2 … 10 ms over and over it is 10 ms; three times that is 30.
    #[test]
    fn a_multiple_of_the_quantile() {
        let settings = QuantileSettings { multiplier: 3.0, max: ms(100), ..QuantileSettings::default() };
        let mut timeout = Quantile::new(&settings);
        for number in 0..1000 {
            assert_eq!(timeout.timeout(NonZeroU32::MIN) == Some(ms(100)), number < 100, "{number}");
            timeout.sampled(ms(number % 10 + 1));
        }
        let found = timeout.timeout(NonZeroU32::MIN).unwrap().as_secs_f64();
        assert!((found - 0.030).abs() < 0.001, "{found}");
    }
}
