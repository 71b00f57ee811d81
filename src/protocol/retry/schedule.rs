//! Schedules: a span for each attempt.
//!
//! What backoff waits after the attempt, or how long an attempt may take. *Constant* answers the same for ever. A *list* is
//! read in order and its last span repeats. *Linear* adds a step per attempt. *Exponential* multiplies: attempt n gets
//! `initial × multiplier^(n−1)`. Linear and exponential schedules never exceed `max`.
//!
//! Source: exponential backoff is Metcalfe and Boggs, "Ethernet: Distributed Packet Switching for Local Computer
//! Networks", CACM 19(7), 1976; as a timeout that doubles, RFC 6298 section 5.5.

use std::num::NonZeroU32;

use crate::base::time::Span;

/// A span for each attempt; the first attempt is number 1.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Schedule {
    /// The same every time.
    Constant(Span),
    /// One after the other; the last one repeats. A list has at least a `first`.
    List {
        /// For the first attempt.
        first: Span,
        /// For those after it.
        rest: Vec<Span>,
    },
    /// One step more each time.
    Linear {
        /// For the first attempt.
        initial: Span,
        /// What every further attempt adds.
        step: Span,
        /// Never more than this.
        max: Span,
    },
    /// A multiple of the one before.
    Exponential {
        /// For the first attempt.
        initial: Span,
        /// Never more than this.
        max: Span,
        /// By what each attempt multiplies.
        multiplier: Multiplier,
    },
}

impl Schedule {
    /// No time at all, ever.
    pub const ZERO: Self = Self::Constant(Span::ZERO);

    /// The span of `attempt`.
    pub fn at(&self, attempt: NonZeroU32) -> Span {
        let before = attempt.get() - 1;
        match *self {
            Self::Constant(span) => span,
            Self::List { first, ref rest } => match before.min(rest.len() as u32) {
                0 => first,
                index => rest[index as usize - 1],
            },
            Self::Linear { initial, step, max } => max.min(initial + step.times(before.into())),
            Self::Exponential { initial, max, multiplier } => {
                let factor = libm::pow(multiplier.0, before.into());
                max.min(Span::from_nanos_f64(initial.as_nanos() as f64 * factor))
            }
        }
    }

    /// What no attempt's span exceeds: the cap, or the longest there is.
    pub fn cap(&self) -> Span {
        match *self {
            Self::Constant(span) => span,
            Self::List { first, ref rest } => rest.iter().copied().fold(first, Span::max),
            Self::Linear { max, .. } | Self::Exponential { max, .. } => max,
        }
    }
}

/// By what an exponential schedule grows: finite, and at least 1 so that it never shrinks.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Multiplier(f64);

impl Multiplier {
    /// The multiplier `value`, or nothing if it is below 1, infinite or NaN.
    pub fn new(value: f64) -> Option<Self> {
        (value.is_finite() && value >= 1.0).then_some(Self(value))
    }

    /// The value.
    pub fn value(self) -> f64 {
        self.0
    }
}

/// Never NaN, so equality is an equivalence.
impl Eq for Multiplier {}

impl Default for Multiplier {
    /// Doubling.
    fn default() -> Self {
        Self(2.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, ns, secs};

    fn first_five(schedule: &Schedule) -> [Span; 5] {
        [1, 2, 3, 4, 5].map(|attempt| schedule.at(NonZeroU32::new(attempt).unwrap()))
    }

    #[test]
    fn a_list_repeats_its_last() {
        let list = Schedule::List { first: ms(10), rest: vec![ms(50), ms(20)] };
        assert_eq!(first_five(&list), [ms(10), ms(50), ms(20), ms(20), ms(20)]);
        assert_eq!(list.cap(), ms(50));
        assert_eq!(first_five(&Schedule::List { first: ms(7), rest: vec![] }), [ms(7); 5]);
    }

    #[test]
    fn linear_grows_by_its_step_up_to_the_cap() {
        let linear = Schedule::Linear { initial: ms(10), step: ms(15), max: ms(50) };
        assert_eq!(first_five(&linear), [ms(10), ms(25), ms(40), ms(50), ms(50)]);
    }

    #[test]
    fn exponential_doubles_up_to_the_cap() {
        let doubling = Schedule::Exponential { initial: ms(10), max: ms(100), multiplier: Multiplier::default() };
        assert_eq!(first_five(&doubling), [ms(10), ms(20), ms(40), ms(80), ms(100)]);
    }

    /// 1000 ns × 1.5^k = 1000, 1500, 2250, 3375, 5062.5, and a half rounds up.
    #[test]
    fn any_multiplier_from_one_on_will_do() {
        let gentle = Schedule::Exponential { initial: ns(1000), max: Span::MAX, multiplier: Multiplier(1.5) };
        assert_eq!(first_five(&gentle), [1000, 1500, 2250, 3375, 5063].map(ns));
        assert_eq!([0.99, f64::NAN, f64::INFINITY].map(Multiplier::new), [None; 3]);
    }

    #[test]
    fn growth_without_a_cap_ends_at_the_longest_span() {
        let unbounded = Schedule::Exponential { initial: secs(1), max: Span::MAX, multiplier: Multiplier::default() };
        assert_eq!(unbounded.at(NonZeroU32::MAX), Span::MAX);
    }
}
