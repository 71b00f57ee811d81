//! Durations: `"10ms"`, `"0.3ms"`, `"2m30s"`.

use std::fmt;
use std::str::FromStr;

use super::decimal::{Decimal, split_number};
use super::error::{ParseUnitError, Problem, Quantity};
use super::lookup;
use crate::base::time::Span;

/// Units of time in nanoseconds. `m` is a minute, as in `"2m30s"`; nothing here is measured in months or metres.
pub(super) const UNITS: [(&str, u64); 8] = [
    ("ns", 1),
    ("us", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("min", 60_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
    ("d", 86_400_000_000_000),
];

impl FromStr for Span {
    type Err = ParseUnitError;

    /// Reads a number and a unit, or several with falling units. Each part is rounded to the nearest nanosecond; a part that
    /// is not zero may not become zero.
    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse(text).map_err(|problem| ParseUnitError::new(text, Quantity::Duration, problem))
    }
}

fn parse(text: &str) -> Result<Span, Problem> {
    let mut rest = text;
    let mut sum = 0_u64;
    let mut last_unit = u64::MAX;
    loop {
        let (number, behind) = split_number(rest).ok_or(Problem::Malformed)?;
        let (name, behind) = behind.split_at(behind.find(|c: char| c.is_ascii_digit()).unwrap_or(behind.len()));
        let unit = lookup(&UNITS, name).ok_or(Problem::Malformed)?;
        if unit >= last_unit {
            return Err(Problem::UnitOrder);
        }
        let decimal = Decimal::read(number)?;
        let nanos = u64::try_from(decimal.rounded(unit)).map_err(|_| Problem::OutOfRange)?;
        if nanos == 0 && !decimal.is_zero() {
            return Err(Problem::OutOfRange);
        }
        sum = sum.checked_add(nanos).ok_or(Problem::OutOfRange)?;
        if behind.is_empty() {
            return Ok(Span::from_nanos(sum));
        }
        (last_unit, rest) = (unit, behind);
    }
}

/// A duration to its last nanosecond, in the unit that keeps it shortest: reading the text gives the same span.
///
/// [`Span`]'s own display rounds to three decimals, for people.
pub fn exact(span: Span) -> impl fmt::Display {
    Exact(span)
}

/// As [`exact`], but whole hours are written as such: `24h`, not `86400s`. Seconds and minutes stay as products' manuals have
/// them, which write 60 s and 300 s.
pub fn in_hours(span: Span) -> impl fmt::Display {
    Hours(span)
}

struct Hours(Span);

impl fmt::Display for Hours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, hour) = UNITS[6];
        let nanos = self.0.as_nanos();
        if nanos > 0 && nanos.is_multiple_of(hour) {
            f.pad(&format!("{}{name}", nanos / hour))
        } else {
            exact(self.0).fmt(f)
        }
    }
}

struct Exact(Span);

impl fmt::Display for Exact {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let nanos = self.0.as_nanos();
        let (name, unit) = match nanos {
            1..1_000 => UNITS[0],
            1_000..1_000_000 => UNITS[1],
            1_000_000..1_000_000_000 => UNITS[2],
            _ => UNITS[3],
        };
        let width = unit.ilog10() as usize;
        let text = if nanos.is_multiple_of(unit) {
            format!("{}{name}", nanos / unit)
        } else {
            let fraction = format!("{:0width$}", nanos % unit);
            format!("{}.{}{name}", nanos / unit, fraction.trim_end_matches('0'))
        };
        f.pad(&text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, ns, secs, us};

    #[test]
    fn durations_are_numbers_with_units() {
        for (text, span) in [
            ("0s", Span::ZERO),
            ("7ns", ns(7)),
            ("0.3ms", us(300)),
            ("1.5ms", us(1_500)),
            ("2m30s", secs(150)),
            ("2min30.5s", ms(150_500)),
            ("1h", secs(3_600)),
            ("1d12h", secs(129_600)),
            ("0.1s", ms(100)),
            ("18446744073709551615ns", Span::MAX),
            ("18446744073.709551615s", Span::MAX),
        ] {
            assert_eq!(text.parse(), Ok(span), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for (text, problem) in [
            ("", Problem::Malformed),
            ("10", Problem::Malformed),
            ("10 ms", Problem::Malformed),
            ("10MS", Problem::Malformed),
            ("-1s", Problem::Malformed),
            ("1e3s", Problem::Malformed),
            ("none", Problem::Malformed),
            ("1s500", Problem::Malformed),
            ("30s2m", Problem::UnitOrder),
            ("1m1min", Problem::UnitOrder),
            ("0.3ns", Problem::OutOfRange),
            ("18446744073709551616ns", Problem::OutOfRange),
            ("213503d213503h", Problem::OutOfRange),
            ("0.1111111111111111111111111s", Problem::TooManyDigits),
        ] {
            assert_eq!(text.parse::<Span>().map_err(|error| error.problem), Err(problem), "{text}");
        }
    }

    #[test]
    fn exact_keeps_every_nanosecond() {
        assert_eq!(exact(ns(1_000_001)).to_string(), "1.000001ms");
        assert_eq!(exact(secs(90)).to_string(), "90s");
        assert_eq!(exact(Span::ZERO).to_string(), "0s");
    }

    #[test]
    fn whole_hours_are_written_as_such() {
        for (seconds, text) in [(86_400, "24h"), (50_400, "14h"), (3_601, "3601s"), (300, "300s"), (0, "0s")] {
            assert_eq!(in_hours(secs(seconds)).to_string(), text);
            assert_eq!(text.parse(), Ok(secs(seconds)));
        }
    }
}
