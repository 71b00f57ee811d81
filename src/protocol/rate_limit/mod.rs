//! Rate limits: when the next request may pass.
//!
//! A limiter can be asked in two ways. Whoever can wait asks for a turn, and is told when it comes ([`RateLimit::ask`]): turns
//! are reserved in the order in which they were asked for. Whoever cannot takes a turn now or none ([`RateLimit::try_take`]).
//!
//! All is integer arithmetic: turns come at the first whole nanosecond from which the limit allows them, and no error adds up,
//! however long it runs.

mod pace;

use crate::base::time::Time;
use crate::protocol::family::family;

family! { $
    /// How often something may happen: plain data.
    RateLimitPolicy,
    /// What has passed, under any [`RateLimitPolicy`].
    AnyRateLimit, RATE_LIMITS, each_limit;
    token_bucket: TokenBucket, TokenBucketSettings;
    leaky_bucket: LeakyBucket, LeakyBucketSettings;
    sliding_window: SlidingWindow, SlidingWindowSettings;
    fixed_window: FixedWindow, FixedWindowSettings;
}

/// When a request that asked for a turn may pass.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// At once.
    Now,
    /// Then, and not before.
    At(Time),
    /// Too late: no turn was taken.
    Never,
}

/// What limits a rate. Times never run backwards.
pub trait RateLimit {
    /// When the next may pass: now, or later.
    fn ready(&self, now: Time) -> Time;

    /// The next takes the turn that is ready.
    fn pass(&mut self, now: Time);

    /// Takes the next turn, now or later, unless it comes after `latest`.
    fn ask(&mut self, now: Time, latest: Time) -> Answer {
        let ready = self.ready(now);
        if ready > latest.max(now) {
            return Answer::Never;
        }
        self.pass(now);
        if ready <= now { Answer::Now } else { Answer::At(ready) }
    }

    /// Takes a turn if there is one now.
    fn try_take(&mut self, now: Time) -> bool {
        self.ask(now, now) == Answer::Now
    }
}

impl RateLimit for AnyRateLimit {
    fn ready(&self, now: Time) -> Time {
        each_limit!(self, limit => limit.ready(now))
    }

    fn pass(&mut self, now: Time) {
        each_limit!(self, limit => limit.pass(now));
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::{Span, ms};
    use crate::base::units::rate_per_sec;
    use crate::protocol::laws::fixed;

    /// What each kind lets through at most within any `time`, with the settings of its example.
    fn bound(name: &str, time: Span) -> u64 {
        let millis = time.as_nanos().div_ceil(1_000_000);
        match name {
            // A burst of 1, then 50/s.
            "token-bucket" | "leaky-bucket" => 1 + millis / 20,
            // 100 in any second, whose end is no part of it.
            "sliding-window" => 100 * (millis / 1000 + 1),
            // 50 in each period of 500 ns that the time touches.
            "fixed-window" => 50 * (time.as_nanos() / 500 + 2),
            name => panic!("no bound is stated for {name}"),
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Between any two that pass, both included, there are never more than the limit allows in that time. Turns come in the
        /// order in which they were asked for, and whoever is told "now" is not kept.
        #[test]
        fn no_window_holds_more_than_the_limit(steps in vec((0_u64..60, 1_u32..80, any::<bool>()), 1..40)) {
            for listing in RATE_LIMITS {
                let (mut limit, mut now, mut passed) = (listing.example().start(), Time::ZERO, vec![]);
                for &(after, requests, waits) in &steps {
                    now += ms(after * after);
                    for _ in 0..requests {
                        if waits {
                            match limit.ask(now, Time::MAX) {
                                Answer::Now => passed.push(now),
                                Answer::At(then) => passed.push(then),
                                Answer::Never => unreachable!("anybody may wait for ever"),
                            }
                        } else if limit.try_take(now) {
                            passed.push(now);
                        }
                    }
                }
                prop_assert!(passed.is_sorted(), "{}", listing.name);
                for (first, start) in passed.iter().enumerate() {
                    for (more, end) in passed[first..].iter().enumerate() {
                        prop_assert!((more as u64) < bound(listing.name, end.since(*start)), "{}", listing.name);
                    }
                }
            }
        }

        /// A turn that is not there now is there when it was said to be.
        #[test]
        fn a_turn_comes_when_it_was_promised(requests in 1_u32..300) {
            for listing in RATE_LIMITS {
                let mut limit = listing.example().start();
                (0..requests).for_each(|_| limit.pass(Time::ZERO));
                let ready = limit.ready(Time::ZERO);
                if ready > Time::ZERO {
                    let just_before = Time::from_nanos(ready.as_nanos() - 1);
                    prop_assert!(!limit.clone().try_take(just_before), "{}", listing.name);
                }
                prop_assert!(limit.try_take(ready), "{}", listing.name);
            }
        }
    }

    /// Whoever cannot wait for so long takes nobody's turn: three that come at once and may wait for a second, and then one more.
    #[test]
    fn a_turn_that_comes_too_late_is_not_taken() {
        let settings = TokenBucketSettings { rate: rate_per_sec(1), ..Default::default() };
        let mut limit = TokenBucket::new(&settings);
        let second = Time::ZERO + ms(1000);
        let answers = [(); 3].map(|()| limit.ask(Time::ZERO, second));
        assert_eq!(answers, [Answer::Now, Answer::At(second), Answer::Never]);
        assert_eq!(limit.ask(second, second + ms(1000)), Answer::At(second + ms(1000)));
    }

    /// One may stand at each caller.
    #[test]
    fn a_limit_is_small() {
        assert!(size_of::<AnyRateLimit>() <= 64, "{}", size_of::<AnyRateLimit>());
    }
}
