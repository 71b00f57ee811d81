//! Timeouts: how long an attempt may take.
//!
//! A timeout that is too short fails requests that would have been answered and does their work again; one that is too long hides
//! failures. How long is right depends on latency, which changes: some timeouts follow it.
//!
//! Only unambiguous samples count (Karn and Partridge, SIGCOMM 1987): of an answer that may belong to an earlier attempt, nobody
//! knows how long it took. And what is never seen cannot be learned: an owner that hears of late answers should sample them, or the
//! measured latency ends where the timeout is.

use std::num::NonZeroU32;

use crate::base::time::Span;
use crate::protocol::family::family;

family! { $
    /// How long an attempt may take: plain data.
    TimeoutPolicy,
    /// What answers took, under any [`TimeoutPolicy`].
    AnyTimeout, TIMEOUTS, each_timeout;
    none: Never, NeverSettings;
    constant: Constant, ConstantSettings;
    list: List, ListSettings;
    rfc6298: Rfc6298, Rfc6298Settings;
    quantile: Quantile, QuantileSettings;
}

/// A timeout, which may follow what it is told.
pub trait Timeout {
    /// Whether it follows what it is told.
    const IS_ADAPTIVE: bool = true;

    /// A request was answered after so long.
    fn sampled(&mut self, took: Span) {
        let _ = took;
    }

    /// How long to wait for an answer to this attempt; for ever if there is none.
    fn timeout(&self, attempt: NonZeroU32) -> Option<Span>;
}

impl Timeout for AnyTimeout {
    fn sampled(&mut self, took: Span) {
        each_timeout!(self, timeout => timeout.sampled(took));
    }

    fn timeout(&self, attempt: NonZeroU32) -> Option<Span> {
        each_timeout!(self, timeout => timeout.timeout(attempt))
    }
}

impl TimeoutPolicy {
    /// Whether it follows what it is told.
    pub fn is_adaptive(&self) -> bool {
        fn of<T: Timeout>(_: &T) -> bool {
            T::IS_ADAPTIVE
        }
        each_timeout!(&self.start(), timeout => of(timeout))
    }
}

/// What is wrong with the bounds of a timeout, if anything is.
fn check_bounds(min: Span, max: Span) -> Result<(), String> {
    if max == Span::ZERO {
        return Err("needs a `max` above zero".into());
    }
    if min <= max { Ok(()) } else { Err(format!("wants `min` ({min}) ≤ `max` ({max})")) }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::settings::Listing;
    use crate::base::time::{ms, secs};
    use crate::protocol::laws::fixed;

    fn adaptive() -> impl Iterator<Item = &'static Listing<TimeoutPolicy>> {
        TIMEOUTS.iter().filter(|listing| listing.example().is_adaptive())
    }

    proptest! {
        #![proptest_config(fixed())]

        /// All examples that follow latency start at 1 s and never exceed 60 s.
        #[test]
        fn a_timeout_keeps_its_bounds(samples in vec(0_u64..200_000, 0..300), attempt in 1_u32..9) {
            let attempt = NonZeroU32::new(attempt).unwrap();
            for listing in adaptive() {
                let mut timeout = listing.example().start();
                prop_assert_eq!(timeout.timeout(NonZeroU32::MIN), Some(secs(1)), "{}", listing.name);
                for &took in &samples {
                    timeout.sampled(ms(took));
                    prop_assert!(timeout.timeout(attempt) <= Some(secs(60)), "{}", listing.name);
                }
            }
        }

        /// Of latency that does not change every kind knows enough: no answer comes too late.
        #[test]
        fn steady_answers_are_in_time(took in 0_u64..60_000) {
            for listing in adaptive() {
                let mut timeout = listing.example().start();
                (0..500).for_each(|_| timeout.sampled(ms(took)));
                prop_assert!(timeout.timeout(NonZeroU32::MIN) >= Some(ms(took)), "{}", listing.name);
            }
        }
    }
}
