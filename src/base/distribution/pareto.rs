//! A power-law tail.

use super::error::{positive, shape};
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "pareto",
    summary: "a power-law tail: rare values of any size",
    explanation: "The probability of exceeding x falls like x to the power of minus the shape. With a shape up to 2 the \
                  variance is infinite, up to 1 even the mean: averages of samples then never settle, and percentiles are \
                  what to look at. File sizes and job lengths behave so, with shapes between 1 and 2.",
    parameters: &[
        Parameter { name: "min", meaning: "the shortest duration, above zero" },
        Parameter { name: "shape", meaning: "the exponent of the tail, between 0.01 and 1000000; smaller is heavier" },
    ],
    spellings: &[r#"{ pareto = { min = "1ms", shape = 1.5 } }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 20",
};

/// The Pareto law of the first kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Pareto {
    min: f64,
    shape: f64,
}

impl Distribution {
    /// The Pareto law that starts at `min` (above zero) with a tail of exponent `shape`, between 0.01 and 10⁶.
    pub fn pareto(min: Span, shape: f64) -> Result<Self, DistributionError> {
        let min = positive(FAMILY.name, "min", min)?;
        Ok(Self::Pareto(Pareto { min, shape: self::shape(FAMILY.name, shape, 0.01..=1e6)? }))
    }
}

impl Law for Pareto {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        self.min * libm::exp(-libm::log1p(-p) / self.shape)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= self.min {
            return 0.0;
        }
        -libm::expm1(-self.shape * libm::log(x / self.min))
    }

    fn mean(&self) -> f64 {
        if self.shape <= 1.0 {
            return f64::INFINITY;
        }
        self.min * self.shape / (self.shape - 1.0)
    }

    fn variance(&self) -> f64 {
        if self.shape <= 2.0 {
            return f64::INFINITY;
        }
        let beyond = self.min / (self.shape - 1.0);
        beyond * beyond * self.shape / (self.shape - 2.0)
    }

    fn minimum(&self) -> Span {
        Span::from_nanos_f64(self.min)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Uniform;
    use crate::base::time::ms;

    #[test]
    fn heavy_tails_have_no_moments() {
        let moments = |shape| {
            let distribution = Distribution::pareto(ms(1), shape).unwrap();
            (distribution.mean(), distribution.variance())
        };
        assert_eq!(moments(1.0), (f64::INFINITY, f64::INFINITY));
        assert_eq!(moments(2.0), (2e6, f64::INFINITY));
        assert_eq!(moments(3.0), (1.5e6, 0.75e12));
    }

    /// The shortest time is reached exactly; 2^(53/0.01) times it is longer than any span.
    #[test]
    fn the_extremes_saturate() {
        let distribution = Distribution::pareto(ms(1), 0.01).unwrap();
        assert_eq!(distribution.sample(Uniform::from_bits(0)), ms(1));
        assert_eq!(distribution.sample(Uniform::from_bits(u64::MAX)), Span::MAX);
    }

    #[test]
    fn a_shape_outside_its_range_is_refused() {
        let message = Distribution::pareto(ms(1), 0.0).unwrap_err().to_string();
        assert_eq!(message, "pareto: shape is 0, it must lie between 0.01 and 1000000");
        assert!(Distribution::pareto(ms(1), f64::NAN).is_err());
    }
}
