//! Jitter: the random part of a backoff, which keeps callers that failed together from coming back together.
//!
//! With v the schedule's backoff for this attempt:
//!
//! - *none* waits v;
//! - *full* waits uniform(0, v);
//! - *equal* keeps half of it: v/2 + uniform(0, v/2);
//! - *decorrelated* looks at the wait before instead of the attempt: min(cap, uniform(base, 3 × previous)), where base is
//!   the schedule's first backoff, cap its largest, and the previous wait is base at first. Of the schedule it uses these
//!   two alone, so that on a constant backoff it changes nothing.
//!
//! Source: Marc Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, and the simulator published with
//! it (aws-samples/aws-arch-backoff-simulator).

use std::num::NonZeroU32;

use super::Schedule;
use crate::base::random::Uniform;
use crate::base::time::Span;

/// How a backoff is spread.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Jitter {
    /// Not at all.
    #[default]
    None,
    /// Over everything from zero.
    Full,
    /// Over its upper half.
    Equal,
    /// From the schedule's first backoff to three times the wait before.
    Decorrelated,
}

impl Jitter {
    /// The wait after `attempt` failed, `previous` being the wait before that attempt (none before the first).
    pub fn spread(self, schedule: &Schedule, attempt: NonZeroU32, previous: Option<Span>, draw: Uniform) -> Span {
        match self {
            Self::None => schedule.at(attempt),
            Self::Full => between(Span::ZERO, schedule.at(attempt), draw),
            Self::Equal => {
                let whole = schedule.at(attempt);
                let half = Span::from_nanos(whole.as_nanos() / 2);
                between(whole - half, whole, draw)
            }
            Self::Decorrelated => {
                let base = schedule.at(NonZeroU32::MIN);
                let ceiling = previous.unwrap_or(base).times(3);
                between(base, ceiling, draw).min(schedule.cap())
            }
        }
    }
}

/// Uniform over the whole nanoseconds from `low` to `high`, both included; `low` if `high` is less.
fn between(low: Span, high: Span, draw: Uniform) -> Span {
    let choices = (high - low).as_nanos().saturating_add(1);
    low + Span::from_nanos(draw.below(choices))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, ns};
    use crate::protocol::laws::draws;
    use crate::protocol::retry::Multiplier;

    const LOWEST: Uniform = Uniform::from_bits(0);
    const HIGHEST: Uniform = Uniform::from_bits(u64::MAX);

    fn doubling() -> Schedule {
        Schedule::Exponential { initial: ms(10), max: ms(100), multiplier: Multiplier::default() }
    }

    fn ends(jitter: Jitter, attempt: u32, previous: Option<Span>) -> (Span, Span) {
        let spread = |draw| jitter.spread(&doubling(), NonZeroU32::new(attempt).unwrap(), previous, draw);
        (spread(LOWEST), spread(HIGHEST))
    }

    /// The third backoff is 10 × 2² = 40 ms.
    #[test]
    fn each_kind_reaches_both_its_ends() {
        let before = Some(ms(20));
        assert_eq!(ends(Jitter::None, 3, before), (ms(40), ms(40)));
        assert_eq!(ends(Jitter::Full, 3, before), (ms(0), ms(40)));
        assert_eq!(ends(Jitter::Equal, 3, before), (ms(20), ms(40)));
        assert_eq!(ends(Jitter::Decorrelated, 3, before), (ms(10), ms(60)));
    }

    #[test]
    fn decorrelated_starts_from_its_base_and_stops_at_the_cap() {
        assert_eq!(ends(Jitter::Decorrelated, 1, None), (ms(10), ms(30)));
        assert_eq!(ends(Jitter::Decorrelated, 9, Some(ms(90))), (ms(10), ms(100)));
    }

    #[test]
    fn an_odd_nanosecond_stays_in_the_half_that_is_kept() {
        let three = Schedule::Constant(ns(3));
        assert_eq!(Jitter::Equal.spread(&three, NonZeroU32::MIN, None, LOWEST), ns(2));
        assert_eq!(Jitter::Equal.spread(&three, NonZeroU32::MIN, None, HIGHEST), ns(3));
    }

    /// 2^64 nanoseconds would be one choice too many: the longest span itself is left out.
    #[test]
    fn the_longest_backoff_can_be_spread_too() {
        let longest = Schedule::Constant(Span::MAX);
        assert_eq!(Jitter::Full.spread(&longest, NonZeroU32::MIN, None, HIGHEST), Span::MAX - ns(1));
        assert_eq!(Jitter::Decorrelated.spread(&longest, NonZeroU32::MIN, None, HIGHEST), Span::MAX);
    }

    /// The mean of uniform(0, v) is v/2, of v/2 + uniform(0, v/2) it is 3v/4, of uniform(base, 3 × base) it is 2 × base.
    /// Standard error over 10 000 draws at v = 10 ms: 10 ms × 0.29 / 100 = 0.03 ms, for decorrelated twice that.
    #[test]
    fn the_means_are_those_of_uniform_laws() {
        for (jitter, mean, error) in
            [(Jitter::Full, 5.0, 0.03), (Jitter::Equal, 7.5, 0.015), (Jitter::Decorrelated, 20.0, 0.06)]
        {
            let mut draw = draws(1);
            let total: Span =
                (0..10_000).fold(Span::ZERO, |sum, _| sum + jitter.spread(&doubling(), NonZeroU32::MIN, None, draw()));
            assert!((total.as_secs_f64() / 10.0 - mean).abs() < 4.0 * error, "{jitter:?}: {total}");
        }
    }
}
