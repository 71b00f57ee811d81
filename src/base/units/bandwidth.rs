//! Bandwidths: `"1Gbit/s"`, `"10MB/s"`.

use std::fmt;
use std::num::NonZeroU64;
use std::str::FromStr;

use super::decimal::{Decimal, split_number};
use super::error::{ParseUnitError, Problem, Quantity};
use super::{Bytes, lookup, size};
use crate::base::time::Span;

/// Whole bits per second, at least one: a link that carries nothing is a cut, not a bandwidth.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Bandwidth(NonZeroU64);

const BITS: [(&str, u64); 6] = [
    ("bit", 1),
    ("kbit", 1_000),
    ("Kbit", 1_000),
    ("Mbit", 1_000_000),
    ("Gbit", 1_000_000_000),
    ("Tbit", 1_000_000_000_000),
];

const NANOS_PER_SEC: u64 = 1_000_000_000;

impl Bandwidth {
    /// `bits` per second, or nothing if that is zero.
    pub const fn from_bits_per_sec(bits: u64) -> Option<Self> {
        match NonZeroU64::new(bits) {
            Some(bits) => Some(Self(bits)),
            None => None,
        }
    }

    /// Bits per second.
    pub const fn bits_per_sec(self) -> u64 {
        self.0.get()
    }

    /// How long sending `size` keeps the line busy: exact, rounded up to the next nanosecond, saturating.
    #[inline]
    pub fn transmission(self, size: Bytes) -> Span {
        let bits_per_sec = self.0.get();
        // Up to 2.3 GB the product fits 64 bits, whose division is several times faster than that of 128.
        if let Some(product) = size.count().checked_mul(8 * NANOS_PER_SEC) {
            return Span::from_nanos(product.div_ceil(bits_per_sec));
        }
        let product = u128::from(size.count()) * u128::from(8 * NANOS_PER_SEC);
        Span::from_nanos(u64::try_from(product.div_ceil(u128::from(bits_per_sec))).unwrap_or(u64::MAX))
    }
}

impl FromStr for Bandwidth {
    type Err = ParseUnitError;

    fn from_str(text: &str) -> Result<Self, ParseUnitError> {
        parse(text).map_err(|problem| ParseUnitError::new(text, Quantity::Bandwidth, problem))
    }
}

fn parse(text: &str) -> Result<Bandwidth, Problem> {
    let (number, rest) = split_number(text).ok_or(Problem::Malformed)?;
    let name = rest.strip_suffix("/s").ok_or(Problem::Malformed)?;
    let unit =
        lookup(&BITS, name).or_else(|| lookup(&size::UNITS, name).map(|bytes| 8 * bytes)).ok_or(Problem::Malformed)?;
    let bits = Decimal::read(number)?.whole(unit).ok_or(Problem::Fraction("bits per second"))?;
    let bits = u64::try_from(bits).map_err(|_| Problem::OutOfRange)?;
    Bandwidth::from_bits_per_sec(bits).ok_or(Problem::OutOfRange)
}

impl fmt::Display for Bandwidth {
    /// The value in the largest unit of bits that divides it: `100Mbit/s`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let bits = self.0.get();
        let (name, unit) =
            BITS.into_iter().rev().find(|&(name, unit)| name != "Kbit" && bits.is_multiple_of(unit)).unwrap_or(BITS[0]);
        f.pad(&format!("{}{name}/s", bits / unit))
    }
}

impl fmt::Debug for Bandwidth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ns, us};
    use crate::base::units::{bytes, kib};

    #[test]
    fn bandwidths_are_bits_or_bytes_per_second() {
        for (text, bits) in [
            ("1Gbit/s", 1_000_000_000),
            ("100Mbit/s", 100_000_000),
            ("2.5Gbit/s", 2_500_000_000),
            ("10MB/s", 80_000_000),
            ("5MiB/s", 5 * 8 * 1024 * 1024),
            ("9600bit/s", 9_600),
        ] {
            assert_eq!(text.parse::<Bandwidth>().map(Bandwidth::bits_per_sec), Ok(bits), "{text}");
        }
    }

    #[test]
    fn what_is_no_bandwidth_is_refused() {
        for (text, problem) in [
            ("", Problem::Malformed),
            ("1Gbit", Problem::Malformed),
            ("1Gbps", Problem::Malformed),
            ("/s", Problem::Malformed),
            ("0bit/s", Problem::OutOfRange),
            ("0.5bit/s", Problem::Fraction("bits per second")),
            ("18446745Tbit/s", Problem::OutOfRange),
        ] {
            assert_eq!(text.parse::<Bandwidth>().map_err(|error| error.problem), Err(problem), "{text}");
        }
    }

    /// 1500 B are 12,000 bits: 12 us at 1 Gbit/s; 4096 B are 32,768 bits: 32,768/3 ns at 3 Gbit/s, rounded up to 10,923.
    #[test]
    fn transmission_is_size_over_bandwidth_rounded_up() {
        let gigabit: Bandwidth = "1Gbit/s".parse().unwrap();
        assert_eq!(gigabit.transmission(bytes(1500)), us(12));
        let three: Bandwidth = "3Gbit/s".parse().unwrap();
        assert_eq!(three.transmission(kib(4)), ns(10_923));
        let fastest = Bandwidth::from_bits_per_sec(u64::MAX).unwrap();
        assert_eq!((fastest.transmission(bytes(0)), fastest.transmission(bytes(1))), (Span::ZERO, ns(1)));
    }

    /// 10 GB are 8 x 10^10 bits, 80 s at 1 Gbit/s, by way of 128 bits; the largest size on the slowest line saturates.
    #[test]
    fn long_transmissions_do_not_overflow() {
        let gigabit: Bandwidth = "1Gbit/s".parse().unwrap();
        assert_eq!(gigabit.transmission(bytes(10_000_000_000)), Span::from_nanos(80_000_000_000));
        let slowest = Bandwidth::from_bits_per_sec(1).unwrap();
        assert_eq!(slowest.transmission(bytes(u64::MAX)), Span::MAX);
    }
}
