//! Without memory.

use super::error::positive;
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "exponential",
    summary: "without memory: the time left never depends on the time passed",
    explanation: "The gaps between independent events that come at a constant rate, such as the arrivals of many users. Its \
                  standard deviation equals its mean. As a service demand it is the M of M/M/1, for which queueing theory \
                  has exact answers to compare with.",
    parameters: &[Parameter { name: "mean", meaning: "the mean duration, above zero" }],
    spellings: &[r#"{ exponential = "2ms" }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 19",
};

/// The exponential law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Exponential {
    mean: f64,
}

impl Distribution {
    /// The exponential law with this mean, which is above zero.
    pub fn exponential(mean: Span) -> Result<Self, DistributionError> {
        Ok(Self::Exponential(Exponential { mean: positive(FAMILY.name, "mean", mean)? }))
    }
}

impl Law for Exponential {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        -self.mean * libm::log1p(-p)
    }

    fn cdf(&self, x: f64) -> f64 {
        -libm::expm1(-x.max(0.0) / self.mean)
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.mean * self.mean
    }

    fn minimum(&self) -> Span {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// The median is ln 2 times the mean.
    #[test]
    fn the_median_is_ln_2_means() {
        let distribution = Distribution::exponential(ms(1)).unwrap();
        assert!((distribution.quantile(0.5) - 693_147.180_56).abs() < 1e-4);
    }

    #[test]
    fn a_mean_of_zero_is_refused() {
        let message = Distribution::exponential(Span::ZERO).unwrap_err().to_string();
        assert_eq!(message, "exponential: mean is 0s, it must be longer than zero");
    }
}
