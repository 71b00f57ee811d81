//! Additive increase, multiplicative decrease.
//!
//! A request that was dropped or took longer than `timeout` multiplies the limit by `backoff-ratio`. Any other that ended well adds
//! one, if at least half of the limit was in flight: a limit that nobody uses says nothing, and neither does a failure.
//!
//! Source: Chiu and Jain, Computer Networks and ISDN Systems 17(1), 1989; Netflix concurrency-limits 0.5, `AIMDLimit`.

use std::num::NonZeroU32;

use super::{Concurrency, Sample, check_range};
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// One more for each request that ends well, a tenth less for each that is dropped or too slow. It finds a limit by running into
    /// it, again and again, and shares fairly with others that do the same. It takes no notice of latency below the timeout, so
    /// that queues may be full all the time.
    pub struct AimdSettings = "aimd", "Netflix concurrency-limits 0.5, AIMDLimit" {
        /// Where it starts (concurrency-limits: 20).
        initial_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(19),
        /// Never fewer (concurrency-limits: 20).
        min_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(19),
        /// Never more (concurrency-limits: 200).
        max_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(199),
        /// What is left of the limit after a drop: from 50 % to less than 100 % (concurrency-limits: 90 %).
        backoff_ratio: Probability = percent(90.0),
        /// A request that takes longer counts as dropped (concurrency-limits: 5 s).
        timeout: Span = secs(5),
    }
}

impl Settings for AimdSettings {
    fn check(&self) -> Result<(), String> {
        if self.backoff_ratio < percent(50.0) || self.backoff_ratio == Probability::ONE {
            return Err("takes a `backoff-ratio` from 50% to less than 100%".into());
        }
        check_range(self.min_limit.get(), self.initial_limit.get(), self.max_limit.get())
    }
}

/// The limit.
#[derive(Clone, Debug)]
pub struct Aimd {
    settings: Box<AimdSettings>,
    limit: u32,
}

impl Aimd {
    /// As it starts.
    pub fn new(settings: &AimdSettings) -> Self {
        Self { settings: Box::new(settings.clone()), limit: settings.initial_limit.get() }
    }
}

impl Concurrency for Aimd {
    fn limit(&self) -> u32 {
        self.limit
    }

    fn sampled(&mut self, sample: Sample) {
        let settings = &*self.settings;
        let limit = if sample.is_dropped || sample.took.is_some_and(|took| took > settings.timeout) {
            (f64::from(self.limit) * settings.backoff_ratio.value()) as u32
        } else if sample.took.is_some() && sample.in_flight.saturating_mul(2) >= self.limit {
            self.limit.saturating_add(1)
        } else {
            self.limit
        };
        self.limit = limit.clamp(settings.min_limit.get(), settings.max_limit.get());
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Time, ms};

    /// From 20: ten good ones make 30, a drop 27, one that takes 5 s 28, a little more 25 (of 25.2), and one of 12 in flight
    /// (twice 12 is less than 25) changes nothing.
    #[test]
    fn it_adds_one_and_takes_a_tenth() {
        let mut limit = Aimd::new(&AimdSettings::default());
        let mut after = |took, in_flight, is_dropped| {
            limit.sampled(Sample { now: Time::ZERO, took: Some(took), in_flight, is_dropped });
            limit.limit()
        };
        assert_eq!((0..10).map(|_| after(ms(1), 20, false)).last(), Some(30));
        assert_eq!(after(ms(1), 30, true), 27);
        assert_eq!(after(secs(5), 27, false), 28);
        assert_eq!(after(secs(5) + ms(1), 28, false), 25);
        assert_eq!(after(ms(1), 12, false), 25);
    }

    #[test]
    fn a_range_has_to_be_one() {
        let number = |number| NonZeroU32::new(number).unwrap();
        let wrong = AimdSettings { min_limit: number(30), ..AimdSettings::default() };
        assert!(wrong.check().is_err_and(|why| why.contains("`min-limit` (30)")));
        assert!(AimdSettings { backoff_ratio: Probability::ONE, ..AimdSettings::default() }.check().is_err());
    }
}
