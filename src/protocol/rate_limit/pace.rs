//! A rate as the exact time between two events, and points in time with the fractions that this needs.

use crate::base::time::Time;
use crate::base::units::Rate;

/// The time from one event to the next: whole nanoseconds and a fraction with a fixed denominator.
///
/// A rate is a binary fraction, m · 2^e per second with m below 2^53, so that the time between two events is a fraction whose
/// denominator is m: kept as such, it has no error that could add up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    whole: u64,
    part: u64,
    of: u64,
}

/// A point in time: nanoseconds, and a part of one more in units of a [`Pace`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Debug)]
pub struct Moment {
    whole: u64,
    part: u64,
}

impl Pace {
    /// The time between two events at this rate. Beyond what 64 bits hold, it is the longest span or none.
    pub fn of(rate: Rate) -> Self {
        let bits = rate.per_sec().to_bits();
        let (exponent, fraction) = ((bits >> 52) as i32, bits & ((1 << 52) - 1));
        // Subnormal numbers have no implicit bit, and the exponent of the smallest normal ones.
        let (m, e) = if exponent == 0 { (fraction, -1074) } else { (fraction | 1 << 52, exponent - 1075) };
        let shift = m.trailing_zeros().min(63) as i32;
        let (m, e) = (m.checked_shr(shift as u32).unwrap_or(0), e + shift);
        let (numerator, of) = match e {
            _ if m == 0 => return Self { whole: u64::MAX, part: 0, of: 1 },
            // 10^9 is less than 2^30.
            ..-97 => return Self { whole: u64::MAX, part: 0, of: 1 },
            -97..0 => (1_000_000_000_u128 << -e, m),
            0.. if e as u32 <= m.leading_zeros() => (1_000_000_000, m << e),
            _ => return Self { whole: 0, part: 0, of: 1 },
        };
        let whole = numerator / u128::from(of);
        match u64::try_from(whole) {
            Ok(whole) => Self { whole, part: (numerator % u128::from(of)) as u64, of },
            Err(_) => Self { whole: u64::MAX, part: 0, of: 1 },
        }
    }

    /// The moment one event after this one.
    pub fn next(self, moment: Moment) -> Moment {
        // Both parts are less than a whole, which is at most 2^63.
        let (part, carry) = match moment.part + self.part {
            part if part >= self.of => (part - self.of, 1),
            part => (part, 0),
        };
        let whole = moment.whole.checked_add(self.whole).and_then(|whole| whole.checked_add(carry));
        whole.map_or(Moment { whole: u64::MAX, part: 0 }, |whole| Moment { whole, part })
    }

    /// How long so many events take, as a moment after the beginning of time.
    pub fn way(self, events: u32) -> Moment {
        let parts = u128::from(self.part) * u128::from(events);
        let of = u128::from(self.of);
        match u64::try_from(u128::from(self.whole) * u128::from(events) + parts / of) {
            Ok(whole) => Moment { whole, part: (parts % of) as u64 },
            Err(_) => Moment { whole: u64::MAX, part: 0 },
        }
    }

    /// The moment that is `way` earlier, or the beginning of time.
    pub fn before(self, moment: Moment, way: Moment) -> Moment {
        let (mut whole, mut part) = (moment.whole.checked_sub(way.whole), moment.part);
        if part < way.part {
            whole = whole.and_then(|whole| whole.checked_sub(1));
            part += self.of;
        }
        whole.map_or(Moment::default(), |whole| Moment { whole, part: part - way.part })
    }
}

impl Moment {
    pub fn at(time: Time) -> Self {
        Self { whole: time.as_nanos(), part: 0 }
    }

    /// The first whole nanosecond that is not before it.
    pub fn ceil(self) -> Time {
        Time::from_nanos(self.whole.saturating_add(u64::from(self.part > 0)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Span, ms, ns, secs};
    use crate::base::units::rate_per_sec;

    impl Pace {
        /// The time of `events` events, rounded up.
        fn times(self, events: u32) -> Span {
            self.way(events).ceil().since(Time::ZERO)
        }
    }

    /// A third of a second a million times is 333 333.3… s, to the nanosecond.
    #[test]
    fn no_error_adds_up() {
        assert_eq!(Pace::of(rate_per_sec(50)).times(3), ms(60));
        assert_eq!(Pace::of(rate_per_sec(3)).times(1), ns(333_333_334));
        let (pace, mut moment) = (Pace::of(rate_per_sec(3)), Moment::default());
        (0..1_000_000).for_each(|_| moment = pace.next(moment));
        assert_eq!(moment.ceil(), Time::from_nanos(333_333_333_333_334));
        assert_eq!(pace.times(3_000_000), secs(1_000_000));
    }

    /// 2^-2 per second is four seconds, 7 · 10^9 per second a seventh of a nanosecond, 10^15 a millionth. Beyond what 64 bits hold there
    /// is the longest span, and none. Any part of a nanosecond is rounded up.
    #[test]
    fn all_rates_have_a_pace() {
        assert_eq!(Pace::of(rate_per_sec(0.25)).times(2), secs(8));
        assert_eq!(Pace::of(rate_per_sec(7e9)).times(15), ns(3));
        assert_eq!(Pace::of(rate_per_sec(1e15)).times(1_000_000_001), ns(1001));
        for rate in [f64::MIN_POSITIVE, 5e-324, 1e-300, 1e-20, 0.0] {
            assert_eq!(Pace::of(rate_per_sec(rate)).times(1), Span::MAX, "{rate}");
        }
        assert_eq!(Pace::of(rate_per_sec(f64::MAX)).times(1000), Span::ZERO);
        assert_eq!(Pace::of(rate_per_sec(9.2e18)).times(10), ns(1));
    }
}
