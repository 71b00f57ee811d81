//! Token bucket, as virtual scheduling.
//!
//! A bucket holds up to `burst` tokens and is filled continuously at `rate`; whatever passes takes one. Nothing has to be filled
//! for that: it is enough to know when the next would pass if all came evenly (the theoretical arrival time). The next may pass
//! when that is at most `burst − 1` events ahead.
//!
//! Bound: within any time t at most `burst + rate · t` pass, with t a nanosecond longer, for times are whole nanoseconds.
//!
//! Source: ITU-T I.371, Generic Cell Rate Algorithm (virtual scheduling).

use std::num::NonZeroU32;

use super::RateLimit;
use super::pace::{Moment, Pace};
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// A rate, and bursts up to a limit: a bucket of tokens that is filled at the rate, of which whatever passes takes one. Short
    /// peaks pass at once if there was little to do before. Whoever is behind it has to bear a burst at any time.
    pub struct TokenBucketSettings = "token-bucket", "ITU-T I.371, Generic Cell Rate Algorithm" {
        /// How often one may pass in the long run.
        rate: Rate, alone = rate_per_sec(50),
        /// How many may pass at once after a pause: what the bucket holds.
        burst: NonZeroU32 = NonZeroU32::MIN,
    }
}

impl Settings for TokenBucketSettings {
    fn check(&self) -> Result<(), String> {
        if self.rate.is_zero() { Err("needs a `rate` above zero".into()) } else { Ok(()) }
    }
}

/// When the next would pass if all came evenly.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TokenBucket {
    pace: Pace,
    /// By how much the next may be early: `burst − 1` events.
    early: Moment,
    next: Moment,
}

impl TokenBucket {
    /// A full bucket.
    pub fn new(settings: &TokenBucketSettings) -> Self {
        let pace = Pace::of(settings.rate);
        Self { pace, early: pace.way(settings.burst.get() - 1), next: Moment::default() }
    }
}

impl RateLimit for TokenBucket {
    fn ready(&self, now: Time) -> Time {
        self.pace.before(self.next, self.early).ceil().max(now)
    }

    fn pass(&mut self, now: Time) {
        // A turn taken within the nanosecond in which it came is taken when it came, or rounding would add up.
        if now > self.next.ceil() {
            self.next = Moment::at(now);
        }
        self.next = self.pace.next(self.next);
    }
}

#[cfg(test)]
mod tests {
    use super::super::Answer;
    use super::*;
    use crate::base::time::{Span, ms, secs};

    fn bucket(rate: impl Into<f64>, burst: u32) -> TokenBucket {
        TokenBucket::new(&TokenBucketSettings { rate: rate_per_sec(rate), burst: NonZeroU32::new(burst).unwrap() })
    }

    /// (1000 − 100) / 50 s = 18 s, and the k-th passes at (k − 100) / 50 s.
    #[test]
    fn a_thousand_at_once_pass_a_bucket_of_a_hundred_in_eighteen_seconds() {
        let mut limit = bucket(50, 100);
        for k in 1..=1000_u64 {
            let expected = if k <= 100 { Answer::Now } else { Answer::At(Time::ZERO + ms(20 * (k - 100))) };
            assert_eq!(limit.ask(Time::ZERO, Time::MAX), expected);
        }
        assert_eq!(limit.ready(Time::ZERO), Time::ZERO + secs(18) + ms(20));
    }

    /// Of somebody who tries again and again, exactly three pass per second, not one a nanosecond too late each time: the
    /// 3 000 001st at a million seconds.
    #[test]
    fn the_long_run_rate_is_exact() {
        let (mut limit, mut now) = (bucket(3, 1), Time::ZERO);
        for _ in 0..3_000_000 {
            assert!(limit.try_take(now));
            assert!(!limit.try_take(now));
            now = limit.ready(now);
        }
        assert_eq!(now, Time::ZERO + secs(1_000_000));
    }

    /// A bucket of five that is empty at 0 has one token at 20 ms, all five from 100 ms on, and never more.
    #[test]
    fn a_pause_fills_the_bucket_and_no_more() {
        for (pause, expected) in [(19, 0), (20, 1), (99, 4), (100, 5), (100_000, 5)] {
            let mut limit = bucket(50, 5);
            let mut take = |now: Span| (0..100).take_while(|_| limit.try_take(Time::ZERO + now)).count();
            assert_eq!((take(Span::ZERO), take(ms(pause))), (5, expected));
        }
    }
}
