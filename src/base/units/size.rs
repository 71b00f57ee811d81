//! Sizes: `"4KiB"`, `"10MB"`, `"1500B"`, or a plain number of bytes.

use std::fmt;
use std::ops::{Add, AddAssign};
use std::str::FromStr;

use super::decimal::{Decimal, split_number};
use super::error::{ParseUnitError, Problem, Quantity};
use super::lookup;

/// A number of bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Bytes(u64);

/// Sizes in bytes, smallest first. `KB` is read as `kB`: the capital is common and can mean nothing else.
pub(super) const UNITS: [(&str, u64); 10] = [
    ("B", 1),
    ("kB", 1_000),
    ("KB", 1_000),
    ("KiB", 1 << 10),
    ("MB", 1_000_000),
    ("MiB", 1 << 20),
    ("GB", 1_000_000_000),
    ("GiB", 1 << 30),
    ("TB", 1_000_000_000_000),
    ("TiB", 1 << 40),
];

impl Bytes {
    /// Nothing at all.
    pub const ZERO: Self = Self(0);

    /// `count` bytes.
    pub const fn new(count: u64) -> Self {
        Self(count)
    }

    /// How many bytes.
    pub const fn count(self) -> u64 {
        self.0
    }
}

/// `count` bytes.
pub const fn bytes(count: u64) -> Bytes {
    Bytes(count)
}

/// `count` times 1024 bytes, saturating.
pub const fn kib(count: u64) -> Bytes {
    Bytes(count.saturating_mul(1 << 10))
}

/// `count` times 1024² bytes, saturating.
pub const fn mib(count: u64) -> Bytes {
    Bytes(count.saturating_mul(1 << 20))
}

impl Add for Bytes {
    type Output = Self;

    /// The sum, saturating.
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

impl AddAssign for Bytes {
    fn add_assign(&mut self, other: Self) {
        *self = *self + other;
    }
}

impl FromStr for Bytes {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse(text).map_err(|problem| ParseUnitError::new(text, Quantity::Size, problem))
    }
}

fn parse(text: &str) -> Result<Bytes, Problem> {
    let (number, name) = split_number(text).ok_or(Problem::Malformed)?;
    let unit = if name.is_empty() { 1 } else { lookup(&UNITS, name).ok_or(Problem::Malformed)? };
    let count = Decimal::read(number)?.whole(unit).ok_or(Problem::Fraction("bytes"))?;
    u64::try_from(count).map(Bytes).map_err(|_| Problem::OutOfRange)
}

impl fmt::Display for Bytes {
    /// The value in the largest unit that divides it: `4KiB`, `10MB`, `1500B`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let divides = |unit: u64| self.0 != 0 && self.0.is_multiple_of(unit);
        let (name, unit) =
            UNITS.into_iter().rev().find(|&(name, unit)| name != "KB" && divides(unit)).unwrap_or(UNITS[0]);
        f.pad(&format!("{}{name}", self.0 / unit))
    }
}

impl fmt::Debug for Bytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_count_whole_bytes() {
        for (text, count) in [
            ("1500", 1_500),
            ("1500B", 1_500),
            ("4KiB", 4_096),
            ("1.5KiB", 1_536),
            ("10MB", 10_000_000),
            ("2kB", 2_000),
            ("2KB", 2_000),
            ("1TiB", 1 << 40),
            ("0B", 0),
        ] {
            assert_eq!(text.parse(), Ok(bytes(count)), "{text}");
        }
    }

    #[test]
    fn what_is_no_size_is_refused() {
        for (text, problem) in [
            ("", Problem::Malformed),
            ("KiB", Problem::Malformed),
            ("4 KiB", Problem::Malformed),
            ("4kib", Problem::Malformed),
            ("0.3KiB", Problem::Fraction("bytes")),
            ("18446744073709551616", Problem::OutOfRange),
            ("16777216TiB", Problem::OutOfRange),
        ] {
            assert_eq!(text.parse::<Bytes>().map_err(|error| error.problem), Err(problem), "{text}");
        }
    }

    #[test]
    fn display_takes_the_largest_unit_that_divides() {
        for (size, text) in
            [(kib(4), "4KiB"), (bytes(10_000_000), "10MB"), (bytes(1_500), "1500B"), (Bytes::ZERO, "0B")]
        {
            assert_eq!(size.to_string(), text);
        }
    }
}
