//! Vegas: the number of requests that wait, estimated from the shortest latency ever seen.
//!
//! Of `limit` requests in flight, `limit · (1 − shortest / latency)` wait, if the shortest latency is one without waiting. With hardly
//! any (at most log₁₀ of the limit) the limit grows by β, with fewer than α by log₁₀, with more than β it shrinks by log₁₀, where
//! α and β are `alpha` and `beta` times log₁₀ of the limit, in whole numbers and at least 1.
//!
//! Now and then, after 15 to 30 times as many requests as the limit, the shortest latency is measured anew. The product draws that
//! factor at random, so that senders do not measure at the same time; here it follows the multiples of the golden ratio. What is
//! measured under load has a queue of its own in it: whoever always uses the limit is given more each time.
//!
//! Source: Brakmo, O'Malley and Peterson, "TCP Vegas", SIGCOMM 1994; Netflix concurrency-limits 0.5, `VegasLimit`.

use std::num::NonZeroU32;

use super::{Concurrency, Sample, check_range};
use crate::base::probability::Probability;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Keeps a few requests waiting, as many as latency above the shortest ever seen tells. It finds the number that the group works
    /// on at once without running into its limit. When the shortest latency was lucky, or the group has become slower, it allows
    /// too few until it measures anew.
    pub struct VegasSettings = "vegas", "Netflix concurrency-limits 0.5, VegasLimit" {
        /// Where it starts (concurrency-limits: 20).
        initial_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(19),
        /// Never fewer (concurrency-limits: 1).
        min_limit: NonZeroU32 = NonZeroU32::MIN,
        /// Never more (concurrency-limits: 1000).
        max_limit: NonZeroU32 = NonZeroU32::MIN.saturating_add(999),
        /// How much of each change is made (concurrency-limits: all).
        smoothing: Probability = Probability::ONE,
        /// With fewer waiting it grows: times log₁₀ of the limit (concurrency-limits: 3).
        alpha: NonZeroU32 = NonZeroU32::MIN.saturating_add(2),
        /// With more waiting it shrinks: times log₁₀ of the limit (concurrency-limits: 6).
        beta: NonZeroU32 = NonZeroU32::MIN.saturating_add(5),
    }
}

impl Settings for VegasSettings {
    fn check(&self) -> Result<(), String> {
        if self.smoothing.is_never() {
            return Err("takes a `smoothing` above 0%".into());
        }
        if self.alpha > self.beta {
            return Err("wants `alpha` ≤ `beta`".into());
        }
        check_range(self.min_limit.get(), self.initial_limit.get(), self.max_limit.get())
    }
}

/// The shortest latency is measured anew after up to so many times as many requests as the limit.
const PROBE: f64 = 30.0;

/// The limit, and the shortest latency.
#[derive(Clone, Debug)]
pub struct Vegas {
    settings: Box<VegasSettings>,
    limit: f64,
    /// Nanoseconds; none before the first.
    shortest: f64,
    /// Requests since it was measured anew, and how often it was.
    since: u32,
    probes: u32,
}

impl Vegas {
    /// As it starts.
    pub fn new(settings: &VegasSettings) -> Self {
        let limit = settings.initial_limit.get().into();
        Self { settings: Box::new(settings.clone()), limit, shortest: f64::INFINITY, since: 0, probes: 0 }
    }

    /// Between a half and one, different each time.
    fn jitter(&self) -> f64 {
        // 2^32 divided by the golden ratio.
        0.5 + f64::from(self.probes.wrapping_mul(0x9e37_79b9)) / 8_589_934_592.0
    }

    fn move_to(&mut self, limit: f64) {
        let (min, max) = (self.settings.min_limit.get(), self.settings.max_limit.get());
        let limit = limit.max(min.into()).min(max.into());
        let part = self.settings.smoothing.value();
        self.limit = (1.0 - part) * self.limit + part * limit;
    }
}

/// log₁₀, rounded down, at least 1.
fn log10(limit: u32) -> f64 {
    f64::from(limit.checked_ilog10().unwrap_or(0).max(1))
}

impl Concurrency for Vegas {
    fn limit(&self) -> u32 {
        self.limit as u32
    }

    fn sampled(&mut self, sample: Sample) {
        let unit = log10(self.limit());
        if sample.is_dropped {
            return self.move_to(self.limit - unit);
        }
        let Some(took) = sample.took else { return };
        let took = took.as_nanos().max(1) as f64;
        self.since = self.since.saturating_add(1);
        if self.jitter() * PROBE * self.limit <= f64::from(self.since) {
            (self.since, self.probes, self.shortest) = (0, self.probes.wrapping_add(1), took);
            return;
        }
        if took < self.shortest {
            self.shortest = took;
            return;
        }
        if f64::from(sample.in_flight) * 2.0 < self.limit {
            return;
        }
        let waiting = libm::ceil(self.limit * (1.0 - self.shortest / took));
        let (alpha, beta) = (f64::from(self.settings.alpha.get()) * unit, f64::from(self.settings.beta.get()) * unit);
        if waiting <= unit {
            self.move_to(self.limit + beta);
        } else if waiting < alpha {
            self.move_to(self.limit + unit);
        } else if waiting > beta {
            self.move_to(self.limit - unit);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Time, us};

    fn after(limit: &mut Vegas, took: u64, is_dropped: bool) -> u32 {
        let in_flight = limit.limit();
        limit.sampled(Sample { now: Time::ZERO, took: Some(us(took)), in_flight, is_dropped });
        limit.limit()
    }

    /// log₁₀ of 20 to 99 is 1, so α = 3 and β = 6. The first tells the shortest. Without waiting: 20 + 6 = 26. At 10.8 ms
    /// ceil(26 · 0.074) = 2 wait, fewer than 3: 27. At 11.2 ms ceil(27 · 0.107) = 3, which is right. At 14 ms
    /// ceil(27 · 0.286) = 8, more than 6: 26. A drop: 25.
    #[test]
    fn it_keeps_a_few_waiting() {
        let mut limit = Vegas::new(&VegasSettings::default());
        let seen = [10_000, 10_000, 10_800, 11_200, 14_000].map(|took| after(&mut limit, took, false));
        assert_eq!(seen, [20, 26, 27, 27, 26]);
        assert_eq!(after(&mut limit, 10_000, true), 25);
    }

    /// The group has become three times as slow for good. What looks like waiting makes the limit shrink until the shortest latency is
    /// measured anew, after 15 · 26 requests at the latest, as it shrinks; then it grows again.
    #[test]
    fn a_group_that_has_become_slower_is_found_out() {
        let mut limit = Vegas::new(&VegasSettings::default());
        (0..2).for_each(|_| {
            after(&mut limit, 10_000, false);
        });
        let shrunk = (0..25).map(|_| after(&mut limit, 30_000, false)).last();
        assert!(shrunk < Some(15), "{shrunk:?}");
        (0..400).for_each(|_| {
            after(&mut limit, 30_000, false);
        });
        assert_eq!(limit.shortest, 30e6);
        assert!(limit.limit() > 26);
    }
}
