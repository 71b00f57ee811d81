//! Rates over time: how many requests are due in the mean.
//!
//! A profile knows how many requests are due until any time, and when so many are. Both are exact up to the rounding of one
//! float operation or a few: no table, no step of integration.

mod piecewise;

use crate::base::time::Time;
use crate::protocol::family::family;

pub use piecewise::Piecewise;

family! { $
    /// A rate over time: plain data.
    RatePolicy,
    /// A rate as a function of time, under any [`RatePolicy`].
    AnyRate, RATES, each_rate;
    constant: Constant, ConstantSettings;
    ramp: Ramp, RampSettings;
    steps: Steps, StepsSettings;
    spike: Spike, SpikeSettings;
    diurnal: Diurnal, DiurnalSettings;
}

/// A rate as a function of time.
pub trait Profile {
    /// How many requests are due before `at`, in the mean; never decreases.
    fn due(&self, at: Time) -> f64;

    /// The moment after which more than `count` requests are due, in the mean; nothing if it never comes.
    fn when(&self, count: f64) -> Option<Time>;

    /// The highest rate there ever is, in requests per second.
    fn peak(&self) -> f64;
}

impl Profile for AnyRate {
    fn due(&self, at: Time) -> f64 {
        each_rate!(self, rate => rate.due(at))
    }

    fn when(&self, count: f64) -> Option<Time> {
        each_rate!(self, rate => rate.when(count))
    }

    fn peak(&self) -> f64 {
        each_rate!(self, rate => rate.peak())
    }
}

impl RatePolicy {
    /// The rate in requests per second, if it is always the same.
    pub fn constant(&self) -> Option<f64> {
        match self {
            Self::Constant(settings) => Some(settings.rate.per_sec()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::Span;
    use crate::protocol::laws::fixed;

    /// Two days: the examples of the registry have seen everything by then.
    const LONG: u64 = 2 * 86_400_000_000_000;

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn never_fewer_requests_are_due_later(one in 0..LONG, other in 0..LONG) {
            for listing in RATES {
                let profile = listing.example().start();
                let (early, late) = (one.min(other), one.max(other));
                let due = |nanos| profile.due(Time::from_nanos(nanos));
                prop_assert!(due(early) <= due(late), "{}", listing.name);
            }
        }

        /// No more requests come in a while than its length times the peak, but for the rounding of sums.
        #[test]
        fn the_peak_is_never_exceeded(start in 0..LONG, length in 1_000_000..LONG) {
            for listing in RATES {
                let profile = listing.example().start();
                let due = |nanos| profile.due(Time::from_nanos(nanos));
                let most = profile.peak() * length as f64 / 1e9;
                let came = due(start + length) - due(start);
                prop_assert!(came <= most * (1.0 + 1e-9) + 1e-6, "{}: {} of {}", listing.name, came, most);
            }
        }

        /// Back and forth: the requests that are due when so many are due are so many. Times are whole nanoseconds, so that the
        /// count is off by what comes in one of them, and by the rounding of the sum.
        #[test]
        fn when_is_the_inverse_of_due(share in 0.0..1.0_f64) {
            for listing in RATES {
                let profile = listing.example().start();
                let count = share * profile.due(Time::from_nanos(LONG));
                let at = profile.when(count).expect("so many come");
                let error = (profile.due(at) - count).abs();
                let allowed = profile.peak() * 1e-9 + count * 1e-12;
                prop_assert!(error <= allowed, "{}: {} at {}, off by {}", listing.name, count, at, error);
            }
        }

        #[test]
        fn more_requests_take_no_less_time(share in 0.0..1.0_f64, more in 0.0..1.0_f64) {
            for listing in RATES {
                let profile = listing.example().start();
                let all = profile.due(Time::from_nanos(LONG));
                let (one, other) = (share * all, (share + more).min(1.0) * all);
                let slack = Span::from_nanos(if other - one < 1e-6 * all { 1 } else { 0 });
                let (one, other) = (profile.when(one).unwrap(), profile.when(other).unwrap());
                prop_assert!(one <= other + slack, "{}: {} {}", listing.name, one, other);
            }
        }
    }
}
