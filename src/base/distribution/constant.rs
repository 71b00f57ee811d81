//! Always the same.

use super::{Distribution, Family, Law, Parameter};
use crate::base::random::Uniform;
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "constant",
    summary: "always the same",
    explanation: "Every value is the same, whatever the draw. Wherever a distribution is expected, a plain duration stands \
                  for a constant. It shows a mechanism without its noise; real latencies and demands vary, and \
                  waiting grows with their variance.",
    parameters: &[Parameter { name: "value", meaning: "the duration" }],
    spellings: &[r#""5ms""#, r#"{ constant = "5ms" }"#],
    source: "a point mass; none needed",
};

/// Always the same duration.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Constant(Span);

impl Distribution {
    /// Always `value`.
    pub const fn constant(value: Span) -> Self {
        Self::Constant(Constant(value))
    }
}

impl From<Span> for Distribution {
    fn from(value: Span) -> Self {
        Self::constant(value)
    }
}

impl Law for Constant {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    #[inline]
    fn sample(&self, _draw: Uniform) -> Span {
        self.0
    }

    fn quantile(&self, _p: f64) -> f64 {
        self.mean()
    }

    fn cdf(&self, x: f64) -> f64 {
        if x >= self.mean() { 1.0 } else { 0.0 }
    }

    fn mean(&self) -> f64 {
        self.0.as_nanos() as f64
    }

    fn variance(&self) -> f64 {
        0.0
    }

    fn minimum(&self) -> Span {
        self.0
    }

    fn constant(&self) -> Option<Span> {
        Some(self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    #[test]
    fn a_constant_ignores_the_draw() {
        let distribution = Distribution::from(ms(5));
        for bits in [0, 1 << 63, u64::MAX] {
            assert_eq!(distribution.sample(Uniform::from_bits(bits)), ms(5));
        }
        assert_eq!((distribution.cdf(4_999_999.0), distribution.cdf(5e6)), (0.0, 1.0));
        assert!(distribution.is_constant());
    }
}
