//! Limits of requests in flight, some of which learn from latency and drops how many do good.
//!
//! More requests in flight than a group can work on only wait there. A limit that adapts looks for the number at which latency
//! begins to grow. It is told of each request that has ended, and says how many may be in flight; who waits or is turned away is
//! its owner's question.

use crate::base::time::{Span, Time};
use crate::protocol::family::family;

family! { $
    /// How many requests may be in flight: plain data.
    ConcurrencyPolicy,
    /// What is known about requests in flight, under any [`ConcurrencyPolicy`].
    AnyConcurrency, CONCURRENCY_LIMITS, each_limit;
    bulkhead: Bulkhead, BulkheadSettings;
    aimd: Aimd, AimdSettings;
    gradient: Gradient, GradientSettings;
    vegas: Vegas, VegasSettings;
}

/// A limit of requests in flight.
pub trait Concurrency {
    /// How many may be in flight now: at least one.
    fn limit(&self) -> u32;

    /// A request has ended.
    fn sampled(&mut self, sample: Sample);
}

/// A request that has ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Sample {
    /// When it ended.
    pub now: Time,
    /// How long it took, if that says something about latency. Without it, and not dropped, it says nothing at all: it failed.
    pub took: Option<Span>,
    /// How many were in flight when it was sent, itself included.
    pub in_flight: u32,
    /// Whether it was turned away, or never answered.
    pub is_dropped: bool,
}

impl Concurrency for AnyConcurrency {
    fn limit(&self) -> u32 {
        each_limit!(self, limit => limit.limit())
    }

    fn sampled(&mut self, sample: Sample) {
        each_limit!(self, limit => limit.sampled(sample));
    }
}

/// What is wrong with a range of limits, if anything is.
fn check_range(min: u32, initial: u32, max: u32) -> Result<(), String> {
    if min <= initial && initial <= max {
        Ok(())
    } else {
        Err(format!("wants `min-limit` ({min}) ≤ `initial-limit` ({initial}) ≤ `max-limit` ({max})"))
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::fixed;

    /// The limits between which each example stays, and where it starts.
    fn range(name: &str) -> (u32, u32, u32) {
        match name {
            "bulkhead" => (25, 25, 25),
            "aimd" | "gradient" => (20, 20, 200),
            "vegas" => (1, 20, 1000),
            name => panic!("no range is stated for {name}"),
        }
    }

    fn busy(limit: &AnyConcurrency, took: u64) -> Sample {
        Sample { now: Time::ZERO, took: Some(ms(took)), in_flight: limit.limit(), is_dropped: false }
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn a_limit_stays_within_its_range(
            samples in vec((prop::option::of(0_u64..10_000), any::<u16>(), prop::bool::weighted(0.1)), 1..400),
        ) {
            for listing in CONCURRENCY_LIMITS {
                let mut limit = listing.example().start();
                let (min, initial, max) = range(listing.name);
                prop_assert_eq!(limit.limit(), initial, "{}", listing.name);
                for &(took, in_flight, is_dropped) in &samples {
                    let in_flight = in_flight.into();
                    limit.sampled(Sample { now: Time::ZERO, took: took.map(ms), in_flight, is_dropped });
                    prop_assert!((min..=max).contains(&limit.limit()), "{}: {}", listing.name, limit.limit());
                }
            }
        }

        /// Latency that does not change says that there is room for more: whoever uses the limit is given more, up to the most.
        #[test]
        fn with_constant_latency_and_a_busy_sender_it_never_shrinks(took in 1_u64..3000) {
            for listing in CONCURRENCY_LIMITS {
                let mut limit = listing.example().start();
                for _ in 0..10_000 {
                    let before = limit.limit();
                    limit.sampled(busy(&limit, took));
                    prop_assert!(limit.limit() >= before, "{}: {} after {before}", listing.name, limit.limit());
                }
                prop_assert_eq!(limit.limit(), range(listing.name).2, "{}", listing.name);
            }
        }

        #[test]
        fn after_many_drops_it_is_at_its_least(took in prop::option::of(1_u64..3000)) {
            for listing in CONCURRENCY_LIMITS {
                let mut limit = listing.example().start();
                (0..1000).for_each(|_| limit.sampled(busy(&limit.clone(), 10)));
                for _ in 0..1000 {
                    limit.sampled(Sample { is_dropped: true, took: took.map(ms), ..busy(&limit, 10) });
                }
                prop_assert_eq!(limit.limit(), range(listing.name).0, "{}", listing.name);
            }
        }

        /// What failed and was not dropped says nothing about the load (`onIgnore` of concurrency-limits), however much is in
        /// flight: whatever comes after it, the limit is as if it had never been.
        #[test]
        fn what_failed_is_ignored(samples in vec((prop::option::of(0_u64..10_000), prop::bool::weighted(0.1)), 1..200)) {
            for listing in CONCURRENCY_LIMITS {
                let (mut limit, mut without) = (listing.example().start(), listing.example().start());
                for &(took, is_dropped) in &samples {
                    let sample = Sample { is_dropped, took: took.map(ms), ..busy(&limit, 0) };
                    limit.sampled(sample);
                    if is_dropped || took.is_some() {
                        without.sampled(sample);
                    }
                    prop_assert_eq!(limit.limit(), without.limit(), "{}", listing.name);
                }
            }
        }

        /// Whoever keeps less than half of the limit in flight learns nothing about what the group can do.
        #[test]
        fn an_idle_sender_is_given_no_more(took in 1_u64..3000) {
            for listing in CONCURRENCY_LIMITS {
                let mut limit = listing.example().start();
                for _ in 0..100 {
                    limit.sampled(Sample { in_flight: 1, ..busy(&limit, took) });
                }
                prop_assert_eq!(limit.limit(), range(listing.name).1, "{}", listing.name);
            }
        }
    }

    /// A group that takes 10 ms for up to 100 requests in flight and then longer in proportion, as one with a hundred workers does,
    /// asked by a sender that uses the limit: the limits of 500 to 1000 requests later.
    fn settles(name: &str) -> (u32, u32) {
        let listing = CONCURRENCY_LIMITS.iter().find(|listing| listing.name == name).unwrap();
        let (mut limit, mut seen) = (listing.example().start(), vec![]);
        for round in 0..1000 {
            let in_flight = limit.limit();
            let took = Some(Span::from_nanos(100_000 * u64::from(in_flight.max(100))));
            limit.sampled(Sample { now: Time::ZERO, took, in_flight, is_dropped: false });
            seen.extend((round >= 500).then_some(in_flight));
        }
        (*seen.iter().min().unwrap(), *seen.iter().max().unwrap())
    }

    /// Of a limit from 100 on, log₁₀ is 2: Vegas lets 6 to 12 wait beyond the 100 that are worked on, until it measures the shortest
    /// latency anew. AIMD knows only drops and timeouts, and gradient gets used to what grows slowly, and to half more at once:
    /// latency at their most, 200 in flight, is only twice that of 100.
    #[test]
    fn vegas_finds_how_many_are_worked_on_at_once() {
        let (least, most) = settles("vegas");
        assert!(106 <= least && most <= 112, "{least} to {most}");
        assert_eq!((settles("aimd"), settles("gradient")), ((200, 200), (200, 200)));
    }
}
