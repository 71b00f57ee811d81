//! Hedging: a second copy of a request that takes long, elsewhere, without giving up the first.
//!
//! When a request is not answered after a while, another copy is sent to another member; the first answer counts. That cuts off the
//! tail of latency for little more load, if the wait is a high percentile of latency. Requests that are not idempotent may
//! be handled twice.
//!
//! Source: Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013 (hedged and tied requests); gRFC A6 "gRPC Retry Design",
//! hedging policy.

use std::num::NonZeroU32;

use crate::base::probability::Probability;
use crate::base::settings::{Kind, Listing, Setting, Settings, Value, mismatch};
use crate::base::time::Span;
use crate::protocol::quantile::QuantileTracker;
use crate::{settings, words};

settings! {
    /// Sends another copy of a request elsewhere when it takes long, and takes the first answer. After the 95th percentile of latency
    /// that cuts off most of the tail, and costs 5 % more requests or somewhat more: the percentile is an estimate (P², Jain
    /// and Chlamtac, CACM 28(10), 1985) of the newest answers, between half a `window` and a whole one. While nobody queues, a
    /// `window` of 100 answers costs 6.9 %, one of 1,000 costs 5.4 %, one of 10,000 costs 5.1 %. Where requests queue, latency
    /// swings faster than the estimate follows: 8.8 % at three quarters of the capacity with a `window` of 1,000. A long `window`
    /// at high load can run away: the copies slow everybody down, and until the estimate has caught up there are ever more of
    /// them. Under overload the copies are more overload, and requests that are not idempotent may be handled twice.
    pub struct HedgeSettings = "hedge", "Dean and Barroso, CACM 56(2), 2013; gRFC A6, hedgingPolicy" {
        /// How long to wait before each further copy: a time, or a percentile of what answers took lately; until there are enough
        /// answers to tell, no copy is sent.
        delay: HedgeAfter, alone = HedgeAfter::Quantile(Percentile::P95),
        /// How many copies there are at most, the first one counted, as in gRPC; another `max-attempts`, that of the policy, says
        /// how often all of this is tried. When a copy fails with what `retry-on` lists, the next goes at once.
        max_attempts: NonZeroU32 = NonZeroU32::MIN.saturating_add(1),
        /// Whether each copy knows of the other, so that whoever begins with one has the other cancelled (tied requests).
        tied: bool = false,
        /// Of how many of the newest answers the percentile is taken, at most; of half as many at least.
        window: NonZeroU32 = NonZeroU32::MIN.saturating_add(999),
    }
}

impl Settings for HedgeSettings {
    fn check(&self) -> Result<(), String> {
        match self.max_attempts.get() {
            0 | 1 => Err("sends no copy with fewer than 2 `max-attempts`".into()),
            2 => Ok(()),
            more if more > COPIES_MAX => Err(format!("sends at most {COPIES_MAX} copies of a request")),
            _ if self.tied => Err("ties two copies to each other, not more: leave `max-attempts` out".into()),
            _ => Ok(()),
        }
    }
}

/// The most copies of a request.
const COPIES_MAX: u32 = 100;

/// What can be said about hedging.
pub const HEDGE: Listing<HedgeSettings> = Listing::of::<HedgeSettings>();

/// When another copy is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum HedgeAfter {
    /// After so long.
    Fixed(Span),
    /// After a percentile of what answers took lately.
    Quantile(Percentile),
}

impl Setting for HedgeAfter {
    const KIND: Kind = Kind::Either(&Span::KIND, &Percentile::KIND);

    fn read(value: Value) -> Result<Self, String> {
        match value {
            Value::Span(_) => Span::read(value).map(Self::Fixed),
            Value::Word(..) => Percentile::read(value).map(Self::Quantile),
            other => Err(mismatch(&other)),
        }
    }

    fn write(&self) -> Option<Value> {
        match self {
            Self::Fixed(span) => span.write(),
            Self::Quantile(percentile) => percentile.write(),
        }
    }
}

words! {
    /// A percentile of latency.
    pub enum Percentile {
        /// The median: one request of two is sent twice.
        P50 = "p50",
        /// One request of four is sent twice.
        P75 = "p75",
        /// One request of ten is sent twice.
        P90 = "p90",
        /// One request of twenty is sent twice.
        P95 = "p95",
        /// One request of a hundred is sent twice.
        P99 = "p99",
        /// One request of a thousand is sent twice.
        P999 = "p99.9",
    }
}

impl Percentile {
    /// The share of requests that are faster.
    pub fn share(self) -> Probability {
        let share = match self {
            Self::P50 => 0.5,
            Self::P75 => 0.75,
            Self::P90 => 0.9,
            Self::P95 => 0.95,
            Self::P99 => 0.99,
            Self::P999 => 0.999,
        };
        Probability::new(share).unwrap_or(Probability::ONE)
    }
}

/// How long a caller waits before it sends another copy.
#[derive(Clone, PartialEq, Debug)]
pub enum HedgeDelay {
    /// Always so long.
    Fixed(Span),
    /// A percentile of what answers took lately.
    Tracked(Box<QuantileTracker>),
}

impl HedgeDelay {
    /// No answer yet.
    pub fn new(settings: &HedgeSettings) -> Self {
        match settings.delay {
            HedgeAfter::Fixed(span) => Self::Fixed(span),
            HedgeAfter::Quantile(percentile) => {
                Self::Tracked(Box::new(QuantileTracker::new(percentile.share(), settings.window)))
            }
        }
    }

    /// A copy was answered after so long. Of a request whose copies were not all answered, the one that was counts.
    pub fn sampled(&mut self, took: Span) {
        if let Self::Tracked(tracker) = self {
            tracker.add(took);
        }
    }

    /// How long to wait before another copy; nothing as long as that is unknown: then there is none.
    pub fn delay(&self) -> Option<Span> {
        match self {
            Self::Fixed(span) => Some(*span),
            Self::Tracked(tracker) => tracker.quantile(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;
    use crate::protocol::family::well_kept;

    #[test]
    fn what_can_be_said_is_well_kept() {
        well_kept(&[HEDGE]);
        let names: Vec<_> = Percentile::ALL.iter().map(|percentile| percentile.share().value()).collect();
        assert_eq!(names, [0.5, 0.75, 0.9, 0.95, 0.99, 0.999]);
        assert!(HEDGE.make(vec![(1, Value::Whole(1))]).is_err());
        assert!(HEDGE.make(vec![(1, Value::Whole(100))]).is_ok() && HEDGE.make(vec![(1, Value::Whole(101))]).is_err());
    }

    #[test]
    fn a_time_needs_no_samples() {
        let settings = HEDGE.make(vec![(0, Value::Span(ms(50)))]).unwrap();
        let mut delay = HedgeDelay::new(&settings);
        delay.sampled(ms(3));
        assert_eq!(delay.delay(), Some(ms(50)));
    }

    /// A 95th percentile takes twenty answers. Of 1, 2 … 100 ms over and over, each a hundredth, it is 95 ms; P² is off by a few
    /// per cent.
    #[test]
    fn a_percentile_needs_some() {
        let mut delay = HedgeDelay::new(&HedgeSettings::default());
        for number in 0..1000 {
            assert_eq!(delay.delay().is_some(), number >= 20);
            delay.sampled(ms(number * 37 % 100 + 1));
        }
        let found = delay.delay().unwrap().as_secs_f64();
        assert!((found / 0.095 - 1.0).abs() < 0.03, "{found}");
    }
}
