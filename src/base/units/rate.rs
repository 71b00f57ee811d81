//! Rates: `"200/s"`, `"12/min"`, `"0.5/h"`.

use std::fmt;
use std::str::FromStr;

use super::decimal::split_number;
use super::error::{ParseUnitError, Problem, Quantity};
use super::{duration, lookup};

/// Events per second: finite and not negative; zero means never.
#[derive(Clone, Copy, PartialEq, PartialOrd, Default)]
pub struct Rate(f64);

impl Rate {
    /// Never.
    pub const ZERO: Self = Self(0.0);

    /// `events` per second, or nothing if that is negative or not finite.
    pub fn from_per_sec(events: f64) -> Option<Self> {
        // Adding zero turns -0 into 0, so that equal rates also print alike.
        (events >= 0.0 && events.is_finite()).then_some(Self(events + 0.0))
    }

    /// Events per second.
    pub const fn per_sec(self) -> f64 {
        self.0
    }

    /// Whether nothing ever happens at this rate.
    pub fn is_zero(self) -> bool {
        self.0 == 0.0
    }
}

/// `events` per second.
///
/// # Panics
/// If `events` is negative or not finite.
pub fn rate_per_sec(events: impl Into<f64>) -> Rate {
    Rate::from_per_sec(events.into()).expect("a rate is finite and not negative")
}

impl FromStr for Rate {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse(text).map_err(|problem| ParseUnitError::new(text, Quantity::Rate, problem))
    }
}

fn parse(text: &str) -> Result<Rate, Problem> {
    let (number, rest) = split_number(text).ok_or(Problem::Malformed)?;
    let nanos = rest.strip_prefix('/').and_then(|unit| lookup(&duration::UNITS, unit)).ok_or(Problem::Malformed)?;
    let events: f64 = number.parse().map_err(|_| Problem::Malformed)?;
    // Both factors below are whole and at most 10^9, so that "200/s" is divided by exactly 1 and "12/min" by exactly 60.
    let second = 1_000_000_000;
    let per_sec = if nanos >= second { events / (nanos / second) as f64 } else { events * (second / nanos) as f64 };
    if per_sec == 0.0 && number.contains(|c| matches!(c, '1'..='9')) {
        return Err(Problem::OutOfRange);
    }
    Rate::from_per_sec(per_sec).ok_or(Problem::OutOfRange)
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}/s", self.0))
    }
}

impl fmt::Debug for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_are_numbers_per_unit_of_time() {
        for (text, per_sec) in
            [("200/s", 200.0), ("12/min", 0.2), ("90/h", 0.025), ("3/ms", 3000.0), ("0/s", 0.0), ("0.25/s", 0.25)]
        {
            assert_eq!(text.parse(), Ok(rate_per_sec(per_sec)), "{text}");
        }
    }

    #[test]
    fn what_is_no_rate_is_refused() {
        for text in ["", "200", "200/", "/s", "200 /s", "200/fortnight", "-1/s", "inf/s", "1e3/s"] {
            assert_eq!(text.parse::<Rate>().map_err(|error| error.problem), Err(Problem::Malformed), "{text}");
        }
        // 400 digits are beyond a 64-bit float in either direction.
        for text in [format!("1{}/s", "0".repeat(400)), format!("0.{}1/s", "0".repeat(400))] {
            assert_eq!(text.parse::<Rate>().map_err(|error| error.problem), Err(Problem::OutOfRange));
        }
    }

    #[test]
    fn negative_and_infinite_rates_do_not_exist() {
        assert_eq!(Rate::from_per_sec(-1.0), None);
        assert_eq!(Rate::from_per_sec(f64::INFINITY), None);
        assert_eq!(Rate::from_per_sec(f64::NAN), None);
        assert_eq!(rate_per_sec(-0.0).to_string(), "0/s");
        assert!(rate_per_sec(0).is_zero());
    }
}
