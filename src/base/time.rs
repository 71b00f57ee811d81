//! Simulated time: integer nanoseconds, saturating arithmetic.
//!
//! A [`Time`] is a point on the true clock of a run, a [`Span`] a length of time. Both hold an unsigned number of
//! nanoseconds (584 years), so that a run is the same on every machine.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// A point in simulated time: nanoseconds since the start of the run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Time(u64);

/// A length of simulated time in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Span(u64);

impl Time {
    /// The start of every run.
    pub const ZERO: Self = Self(0);
    /// Later than every event.
    pub const MAX: Self = Self(u64::MAX);

    /// The point `nanos` nanoseconds after the start.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since the start.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Seconds since the start, for statistics and output only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// The time so much earlier; zero if that is before the beginning.
    pub const fn earlier_by(self, span: Span) -> Self {
        Self(self.0.saturating_sub(span.0))
    }

    /// The time that passed since `earlier`; zero if `earlier` is later.
    pub const fn since(self, earlier: Self) -> Span {
        Span(self.0.saturating_sub(earlier.0))
    }
}

impl Span {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// The longest span; stands for "without limit".
    pub const MAX: Self = Self(u64::MAX);

    /// `nanos` nanoseconds.
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// The span of `seconds`, rounded to the nearest nanosecond; negative and NaN become zero, too large [`Span::MAX`].
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self::from_nanos_f64(seconds * 1e9)
    }

    /// The span of `nanos`, rounded half up; negative and NaN become zero, too large [`Span::MAX`].
    pub fn from_nanos_f64(nanos: f64) -> Self {
        Self((nanos + 0.5) as u64)
    }

    /// Length in nanoseconds.
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Length in seconds, for statistics and output only.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / 1e9
    }

    /// This span `count` times, saturating.
    pub const fn times(self, count: u64) -> Self {
        Self(self.0.saturating_mul(count))
    }
}

/// `count` nanoseconds.
pub const fn ns(count: u64) -> Span {
    Span(count)
}

/// `count` microseconds, saturating.
pub const fn us(count: u64) -> Span {
    Span(count.saturating_mul(1_000))
}

/// `count` milliseconds, saturating.
pub const fn ms(count: u64) -> Span {
    Span(count.saturating_mul(1_000_000))
}

/// `count` seconds, saturating.
pub const fn secs(count: u64) -> Span {
    Span(count.saturating_mul(1_000_000_000))
}

impl Add<Span> for Time {
    type Output = Self;

    fn add(self, span: Span) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Span> for Time {
    fn add_assign(&mut self, span: Span) {
        *self = *self + span;
    }
}

impl Add for Span {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Span {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl Sub for Span {
    type Output = Self;

    /// The difference; zero if `other` is longer.
    fn sub(self, other: Self) -> Self {
        Self(self.0.saturating_sub(other.0))
    }
}

impl fmt::Display for Span {
    /// The value in the largest unit that leaves at least one whole, to three decimals: `1.25ms`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (unit, name) = match self.0 {
            0 => return f.pad("0s"),
            n if n < 1_000 => (1, "ns"),
            n if n < 1_000_000 => (1_000, "us"),
            n if n < 1_000_000_000 => (1_000_000, "ms"),
            _ => (1_000_000_000, "s"),
        };
        let thousandths = (u128::from(self.0) * 1_000 + unit / 2) / unit;
        let (whole, rest) = (thousandths / 1_000, thousandths % 1_000);
        let text = format!("{whole}.{rest:03}");
        f.pad(&format!("{}{name}", text.trim_end_matches('0').trim_end_matches('.')))
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        Span(self.0).fmt(f)
    }
}

impl fmt::Debug for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn arithmetic_saturates_at_both_ends() {
        assert_eq!(Time::MAX + secs(1), Time::MAX);
        assert_eq!(ms(1) - secs(1), Span::ZERO);
        assert_eq!(Time::ZERO.since(Time::MAX), Span::ZERO);
        assert_eq!(secs(u64::MAX), Span::MAX);
    }

    #[test]
    fn fractions_round_to_the_nearest_nanosecond() {
        assert_eq!(Span::from_nanos_f64(1.5), ns(2));
        assert_eq!(Span::from_secs_f64(-1.0), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::NAN), Span::ZERO);
        assert_eq!(Span::from_secs_f64(f64::INFINITY), Span::MAX);
    }

    #[test]
    fn display_chooses_the_unit() {
        assert_eq!(us(1250).to_string(), "1.25ms");
        assert_eq!(ns(999).to_string(), "999ns");
        assert_eq!(secs(90).to_string(), "90s");
    }
}
