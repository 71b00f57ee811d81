//! Leaky bucket, as a queue: one after the other, evenly spaced.
//!
//! Bound: between two that pass there is at least the time between two events at `rate`, to a nanosecond.
//!
//! Source: Turner, "New directions in communications (or which way to the information age?)", IEEE Communications Magazine
//! 24(10), 1986; as nginx's `limit_req` and Uber's `ratelimit` without slack space requests.

use super::RateLimit;
use super::token_bucket::{TokenBucket, TokenBucketSettings};
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// One after the other, evenly spaced: a bucket that leaks at the rate. Whoever is behind it never sees two at once. Peaks wait,
    /// also those that would have done no harm.
    pub struct LeakyBucketSettings = "leaky-bucket", "Turner, IEEE Communications Magazine 24(10), 1986" {
        /// How often one may pass.
        rate: Rate, alone = rate_per_sec(50),
    }
}

impl Settings for LeakyBucketSettings {
    fn check(&self) -> Result<(), String> {
        if self.rate.is_zero() { Err("needs a `rate` above zero".into()) } else { Ok(()) }
    }
}

/// When the next may pass: a token bucket that holds one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeakyBucket(TokenBucket);

impl LeakyBucket {
    /// Nothing has passed.
    pub fn new(settings: &LeakyBucketSettings) -> Self {
        Self(TokenBucket::new(&TokenBucketSettings { rate: settings.rate, ..TokenBucketSettings::default() }))
    }
}

impl RateLimit for LeakyBucket {
    fn ready(&self, now: Time) -> Time {
        self.0.ready(now)
    }

    fn pass(&mut self, now: Time) {
        self.0.pass(now);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// 50/s is one every 20 ms, however many came at once, and a pause saves nothing up.
    #[test]
    fn whatever_comes_is_spaced() {
        let mut limit = LeakyBucket::new(&LeakyBucketSettings::default());
        let mut ready = |now| {
            let ready = limit.ready(Time::ZERO + ms(now));
            limit.pass(Time::ZERO + ms(now));
            ready.since(Time::ZERO)
        };
        assert_eq!([0, 0, 0, 30, 500, 500].map(&mut ready), [0, 20, 40, 60, 500, 520].map(ms));
    }
}
