//! A probability that has been checked once.

use std::fmt;

use super::random::Uniform;

/// A number in `[0, 1]`, kept as a threshold on 53 random bits so that a decision is one integer comparison.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Probability(u64);

const ONE: u64 = 1 << 53;

impl Probability {
    /// Never.
    pub const ZERO: Self = Self(0);
    /// Always.
    pub const ONE: Self = Self(ONE);

    /// The probability `value`, or nothing if it lies outside `[0, 1]` or is NaN.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(libm::round(value * ONE as f64) as u64))
    }

    /// The value in `[0, 1]`.
    pub fn value(self) -> f64 {
        self.0 as f64 / ONE as f64
    }

    /// Whether the event happens for this draw.
    pub fn hits(self, draw: Uniform) -> bool {
        draw.bits() >> 11 < self.0
    }

    /// Whether the event can never happen.
    pub fn is_never(self) -> bool {
        self.0 == 0
    }
}

/// `share` percent.
///
/// # Panics
/// If `share` is outside 0 to 100.
pub fn percent(share: f64) -> Probability {
    Probability::new(share / 100.0).expect("a percentage lies between 0 and 100")
}

impl fmt::Debug for Probability {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.value())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ends_are_certain() {
        for bits in [0, 1, u64::MAX / 2, u64::MAX] {
            assert!(Probability::ONE.hits(Uniform::from_bits(bits)));
            assert!(!Probability::ZERO.hits(Uniform::from_bits(bits)));
        }
    }

    /// From one half up, every float is a multiple of 2^-53: adding ½ before truncating would round half of them away.
    #[test]
    fn a_float_above_one_half_is_kept_exactly() {
        for value in [0.9, 0.7, 0.99, 1.0 - f64::EPSILON / 2.0] {
            assert_eq!(Probability::new(value).map(Probability::value), Some(value));
        }
    }

    #[test]
    fn values_outside_the_unit_interval_are_refused() {
        assert_eq!(Probability::new(1.5), None);
        assert_eq!(Probability::new(-0.1), None);
        assert_eq!(Probability::new(f64::NAN), None);
        assert!((percent(12.5).value() - 0.125).abs() < 1e-15);
    }
}
