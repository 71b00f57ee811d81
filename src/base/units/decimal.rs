//! Decimal numbers as they are written, kept exactly until a unit makes them an integer.

use super::error::Problem;

/// Significant digits that are read exactly. Any unit below 10^14 times 24 digits stays within 128 bits, and the largest
/// unit, a day, is 8.64 x 10^13 ns.
pub(super) const DIGITS_MAX: usize = 24;

/// `digits / 10^places`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Decimal {
    digits: u128,
    places: u32,
}

/// Splits a text behind the number it starts with: digits, perhaps a point and more digits.
pub(super) fn split_number(text: &str) -> Option<(&str, &str)> {
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, rest) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    let well_formed = !whole.is_empty() && !fraction.is_empty() && !fraction.contains('.');
    well_formed.then_some((number, rest))
}

impl Decimal {
    /// Reads a number that [`split_number`] found.
    pub(super) fn read(number: &str) -> Result<Self, Problem> {
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        if whole.len() + fraction.len() > DIGITS_MAX {
            return Err(Problem::TooManyDigits);
        }
        let digits = whole.bytes().chain(fraction.bytes()).fold(0, |sum, digit| sum * 10 + u128::from(digit - b'0'));
        Ok(Self { digits, places: fraction.len() as u32 })
    }

    /// This many `unit`s, to the nearest integer, halves up.
    pub(super) fn rounded(self, unit: u64) -> u128 {
        let scale = 10_u128.pow(self.places);
        (self.digits * u128::from(unit) + scale / 2) / scale
    }

    /// This many `unit`s, if that is an integer.
    pub(super) fn whole(self, unit: u64) -> Option<u128> {
        let scale = 10_u128.pow(self.places);
        let product = self.digits * u128::from(unit);
        product.is_multiple_of(scale).then_some(product / scale)
    }

    /// Whether the number is 0.
    pub(super) fn is_zero(self) -> bool {
        self.digits == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_ends_where_its_unit_begins() {
        assert_eq!(split_number("0.3ms"), Some(("0.3", "ms")));
        assert_eq!(split_number("12"), Some(("12", "")));
        for malformed in ["", "ms", ".5s", "5.s", "1.2.3s", "-1s", "+1s"] {
            assert_eq!(split_number(malformed), None, "{malformed}");
        }
    }

    #[test]
    fn a_decimal_is_scaled_without_rounding() {
        let tenth = Decimal::read("0.1").unwrap();
        assert_eq!(tenth.whole(1_000_000_000), Some(100_000_000));
        assert_eq!(tenth.whole(1), None);
        assert_eq!((tenth.rounded(4), tenth.rounded(5)), (0, 1));
    }

    #[test]
    fn the_longest_number_in_the_largest_unit_does_not_overflow() {
        let longest = Decimal::read(&"9".repeat(DIGITS_MAX)).unwrap();
        assert!(longest.rounded(86_400_000_000_000) > u128::from(u64::MAX));
        assert_eq!(Decimal::read(&"9".repeat(DIGITS_MAX + 1)), Err(Problem::TooManyDigits));
    }
}
