//! Fixed windows: so many in each period of the clock.
//!
//! Periods begin at multiples of their length. What does not fit into a period takes a turn in one of the next.
//!
//! Bound: at most `limit-for-period` in each period, so that any time t, which touches at most t / period + 2 of them, holds no
//! more than that times the limit.
//!
//! Source: resilience4j 2.2, `RateLimiterConfig` and `AtomicRateLimiter`.

use std::num::NonZeroU32;

use super::RateLimit;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, ns};
use crate::settings;

settings! {
    /// At most so many in each period of the clock, as resilience4j limits rates. It is simple, and the quotas of many services
    /// are meant this way. Around the end of a period twice as many may pass in a short time.
    pub struct FixedWindowSettings = "fixed-window", "resilience4j 2.2, RateLimiterConfig" {
        /// How many may pass in a period (resilience4j: 50).
        limit_for_period: NonZeroU32 = NonZeroU32::MIN.saturating_add(49),
        /// How long a period is (resilience4j: 500 ns).
        limit_refresh_period: Span = ns(500),
    }
}

impl Settings for FixedWindowSettings {
    fn check(&self) -> Result<(), String> {
        if self.limit_refresh_period == Span::ZERO { Err("needs a `limit-refresh-period`".into()) } else { Ok(()) }
    }
}

/// The period of the newest turn, and how many turns of it are taken.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FixedWindow {
    limit: u32,
    length: u64,
    period: u64,
    taken: u32,
}

impl FixedWindow {
    /// Nothing has passed.
    pub fn new(settings: &FixedWindowSettings) -> Self {
        let length = settings.limit_refresh_period.as_nanos().max(1);
        Self { limit: settings.limit_for_period.get(), length, period: 0, taken: 0 }
    }

    /// The period of the next turn, and how many turns of it are taken.
    fn next(&self, now: Time) -> (u64, u32) {
        let period = now.as_nanos() / self.length;
        if period > self.period {
            (period, 0)
        } else if self.taken == self.limit {
            (self.period.saturating_add(1), 0)
        } else {
            (self.period, self.taken)
        }
    }
}

impl RateLimit for FixedWindow {
    fn ready(&self, now: Time) -> Time {
        Time::from_nanos(self.next(now).0.saturating_mul(self.length)).max(now)
    }

    fn pass(&mut self, now: Time) {
        let (period, taken) = self.next(now);
        (self.period, self.taken) = (period, taken + 1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// Two in each 100 ms: five that come at 50 ms pass then, then at 100 ms and 200 ms; one more at 250 ms fits into the third period.
    #[test]
    fn what_does_not_fit_waits_for_the_next_period() {
        let settings =
            FixedWindowSettings { limit_for_period: NonZeroU32::new(2).unwrap(), limit_refresh_period: ms(100) };
        let mut limit = FixedWindow::new(&settings);
        let mut ready = |now| {
            let ready = limit.ready(Time::ZERO + ms(now));
            limit.pass(Time::ZERO + ms(now));
            ready.since(Time::ZERO)
        };
        assert_eq!([50, 50, 50, 50, 50, 250, 250].map(&mut ready), [50, 50, 100, 100, 200, 250, 300].map(ms));
    }
}
