//! Timeouts that follow measured latency.
//!
//! A timeout that is too short fails requests that would have been answered and does their work again; one that is too long hides
//! failures. How long is right depends on latency, which changes.
//!
//! Only unambiguous samples count (Karn and Partridge, SIGCOMM 1987): of an answer that may belong to an earlier attempt, nobody
//! knows how long it took. And what is never seen cannot be learned: an owner that hears of late answers should sample them, or the
//! measured latency ends where the timeout is.

use crate::base::time::Span;
use crate::protocol::family::family;

family! { $
    /// How long to wait for an answer, from what answers took: plain data.
    TimeoutPolicy,
    /// What answers took, under any [`TimeoutPolicy`].
    AnyTimeout, TIMEOUTS, each_timeout;
    rfc6298: Rfc6298, Rfc6298Settings;
    quantile: Quantile, QuantileSettings;
}

/// A timeout that follows what it is told.
pub trait Timeout {
    /// A request was answered after so long.
    fn sampled(&mut self, took: Span);

    /// How long to wait for the next answer.
    fn timeout(&self) -> Span;
}

impl Timeout for AnyTimeout {
    fn sampled(&mut self, took: Span) {
        each_timeout!(self, timeout => timeout.sampled(took));
    }

    fn timeout(&self) -> Span {
        each_timeout!(self, timeout => timeout.timeout())
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
    use crate::base::time::{ms, secs};
    use crate::protocol::laws::fixed;

    proptest! {
        #![proptest_config(fixed())]

        /// Both examples start at 1 s and never exceed 60 s.
        #[test]
        fn a_timeout_keeps_its_bounds(samples in vec(0_u64..200_000, 0..300)) {
            for listing in TIMEOUTS {
                let mut timeout = listing.example().start();
                prop_assert_eq!(timeout.timeout(), secs(1), "{}", listing.name);
                for &took in &samples {
                    timeout.sampled(ms(took));
                    prop_assert!(timeout.timeout() <= secs(60), "{}", listing.name);
                }
            }
        }

        /// Of latency that does not change every kind knows enough: no answer comes too late.
        #[test]
        fn steady_answers_are_in_time(took in 0_u64..60_000) {
            for listing in TIMEOUTS {
                let mut timeout = listing.example().start();
                (0..500).for_each(|_| timeout.sampled(ms(took)));
                prop_assert!(timeout.timeout() >= ms(took), "{}: {}", listing.name, timeout.timeout());
            }
        }
    }
}
