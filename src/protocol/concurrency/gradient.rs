//! The gradient of latency: what it is in the long run over what it is now.
//!
//! A long exponential average stands for latency without a queue. As long as a request takes no longer than `rtt-tolerance` times
//! that, the limit grows by `queue-size`, smoothed; beyond, it shrinks in proportion, but to no less than half at once. When
//! the average is more than twice what a request takes, which happens after a time of overload, it is lowered by a twentieth.
//!
//! Gradient2 takes no notice of drops. Here a drop halves the limit, smoothed, as in its predecessor (`GradientLimit`): a group
//! that rejects everything at once would otherwise look fast.
//!
//! Source: Netflix concurrency-limits 0.5, `Gradient2Limit`.

use std::num::NonZeroU32;

use super::{Concurrency, Sample, check_range};
use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Grows while latency is about what it is in the long run, shrinks when it is above. It needs no timeout and keeps queues
    /// short when load comes in peaks. As its long-run latency is measured under the same load, it gets used to a queue that
    /// grows slowly.
    pub struct GradientSettings = "gradient", "Netflix concurrency-limits 0.5, Gradient2Limit" {
        /// Where it starts (concurrency-limits: 20).
        initial_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(19),
        /// Never fewer (concurrency-limits: 20).
        min_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(19),
        /// Never more (concurrency-limits: 200).
        max_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(199),
        /// How much of each change is made (concurrency-limits: 20 %).
        smoothing: Probability = percent(20.0),
        /// By how much, at most, latency may exceed its average without being a sign of a queue: a factor of at least 1
        /// (concurrency-limits: 1.5).
        rtt_tolerance: f64 = 1.5,
        /// How many requests the average reaches back (concurrency-limits: 600).
        long_window: NonZeroU32 = NonZeroU32::MIN.saturating_add(599),
        /// How many may wait without harm, and by how many it grows (concurrency-limits: 4).
        queue_size: u32 = 4,
    }
}

impl Settings for GradientSettings {
    fn check(&self) -> Result<(), String> {
        if self.smoothing.is_never() {
            return Err("takes a `smoothing` above 0%".into());
        }
        if self.rtt_tolerance < 1.0 {
            return Err("takes an `rtt-tolerance` of at least 1".into());
        }
        check_range(self.min_limit.get(), self.initial_limit.get(), self.max_limit.get())
    }
}

/// The average is a mean of so many at first.
const WARMUP: u32 = 10;

/// The limit, and latency in the long run.
#[derive(Clone, Debug)]
pub struct Gradient {
    settings: Box<GradientSettings>,
    limit: f64,
    /// Nanoseconds.
    long: f64,
    /// How many are in the average, up to the warm-up.
    count: u32,
}

impl Gradient {
    /// As it starts.
    pub fn new(settings: &GradientSettings) -> Self {
        let limit = settings.initial_limit.get().into();
        Self { settings: Box::new(settings.clone()), limit, long: 0.0, count: 0 }
    }

    /// The long-run latency, with this one.
    fn average(&mut self, short: f64) -> f64 {
        if self.count < WARMUP {
            self.count += 1;
            self.long += (short - self.long) / f64::from(self.count);
        } else {
            let factor = 2.0 / (f64::from(self.settings.long_window.get()) + 1.0);
            self.long = self.long * (1.0 - factor) + short * factor;
        }
        self.long
    }

    fn move_to(&mut self, limit: f64) {
        let settings = &*self.settings;
        let part = settings.smoothing.value();
        let limit = self.limit * (1.0 - part) + limit * part;
        self.limit = limit.max(settings.min_limit.get().into()).min(settings.max_limit.get().into());
    }
}

impl Concurrency for Gradient {
    fn limit(&self) -> u32 {
        self.limit as u32
    }

    fn sampled(&mut self, sample: Sample) {
        if sample.is_dropped {
            return self.move_to(self.limit / 2.0);
        }
        let Some(took) = sample.took else { return };
        // Nothing takes less than a nanosecond.
        let short = took.as_nanos().max(1) as f64;
        let long = self.average(short);
        if long > 2.0 * short {
            self.long *= 0.95;
        }
        if f64::from(sample.in_flight) < self.limit / 2.0 {
            return;
        }
        let gradient = (self.settings.rtt_tolerance * long / short).clamp(0.5, 1.0);
        self.move_to(self.limit * gradient + f64::from(self.settings.queue_size));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Time, ms};

    fn after(limit: &mut Gradient, took: u64, times: u32) -> f64 {
        for _ in 0..times {
            let in_flight = limit.limit();
            limit.sampled(Sample { now: Time::ZERO, took: Some(ms(took)), in_flight, is_dropped: false });
        }
        limit.limit
    }

    /// With steady latency each adds 0.2 · 4 = 0.8: from 20 to 100 in 100. Then one takes six times as long: the average of 10 moves
    /// to 10 + 50 · 2/601 = 10.166, 1.5 · 10.166 / 60 is below one half, so the limit becomes 0.8 · 100 + 0.2 · (50 + 4) = 90.8. One
    /// that takes 20 ms then: 10.166 + 9.834 · 2/601 = 10.199, 1.5 · 10.199 / 20 = 0.7649, and 0.8 · 90.8 + 0.2 ·
    /// (0.7649 · 90.8 + 4) = 87.33.
    #[test]
    fn it_follows_the_gradient() {
        let mut limit = Gradient::new(&GradientSettings::default());
        assert!((after(&mut limit, 10, 100) - 100.0).abs() < 1e-9);
        assert!((after(&mut limit, 60, 1) - 90.8).abs() < 1e-9);
        assert!((after(&mut limit, 20, 1) - 87.33).abs() < 0.005);
    }

    /// Latency comes back to 10 ms after a long time at 100: as long as the average is above 20 ms it falls by 5 % and the share of
    /// one request at each, 0.95 · (599/601) and so in about ln(5)/0.0547 = 30 rather than ln(5) · 300 = 483 requests.
    #[test]
    fn an_average_that_is_too_high_falls_quickly() {
        let mut limit = Gradient::new(&GradientSettings::default());
        after(&mut limit, 100, 100);
        after(&mut limit, 10, 33);
        assert!(limit.long < 22e6, "{}", limit.long);
    }
}
