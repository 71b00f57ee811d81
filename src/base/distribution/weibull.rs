//! Ageing or wearing in.

use super::error::{positive, shape};
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "weibull",
    summary: "times to failure: wearing in, memoryless or ageing",
    explanation: "With a shape below 1 a thing that has lasted is likely to last on (infant mortality, the usual finding for \
                  servers, with shapes around 0.7); shape 1 is exponential; above 1 things age. Given by its \
                  scale, which 63.2 % of the values stay below, or by its mean.",
    parameters: &[
        Parameter { name: "shape", meaning: "below 1 wearing in, above 1 ageing; between 0.05 and 1000" },
        Parameter { name: "scale", meaning: "the duration that 63.2 % stay below, above zero" },
        Parameter { name: "mean", meaning: "the mean duration, above zero (instead of the scale)" },
    ],
    spellings: &[r#"{ weibull = { shape = 0.7, scale = "30d" } }"#, r#"{ weibull = { shape = 0.7, mean = "30d" } }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 21; \
             shapes: Schroeder, Gibson, A Large-Scale Study of Failures in High-Performance Computing Systems, DSN 2006",
};

/// The Weibull law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Weibull {
    shape: f64,
    scale: f64,
}

impl Distribution {
    /// The Weibull law of this `shape`, between 0.05 and 1000, and this scale, above zero.
    pub fn weibull(shape: f64, scale: Span) -> Result<Self, DistributionError> {
        let scale = positive(FAMILY.name, "scale", scale)?;
        Ok(Self::Weibull(Weibull { shape: checked_shape(shape)?, scale }))
    }

    /// The Weibull law of this `shape`, between 0.05 and 1000, and this mean, above zero.
    pub fn weibull_of_mean(shape: f64, mean: Span) -> Result<Self, DistributionError> {
        let (mean, shape) = (positive(FAMILY.name, "mean", mean)?, checked_shape(shape)?);
        Ok(Self::Weibull(Weibull { shape, scale: mean / libm::tgamma(1.0 + 1.0 / shape) }))
    }
}

/// Below 0.05 the moments leave the range of floats, above 1000 the variance is lost in rounding.
fn checked_shape(value: f64) -> Result<f64, DistributionError> {
    shape(FAMILY.name, value, 0.05..=1000.0)
}

impl Weibull {
    /// The mean of the `power`th power, for scale 1.
    fn moment(&self, power: f64) -> f64 {
        libm::tgamma(1.0 + power / self.shape)
    }
}

impl Law for Weibull {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        self.scale * libm::pow(-libm::log1p(-p), 1.0 / self.shape)
    }

    fn cdf(&self, x: f64) -> f64 {
        -libm::expm1(-libm::pow(x.max(0.0) / self.scale, self.shape))
    }

    fn mean(&self) -> f64 {
        self.scale * self.moment(1.0)
    }

    fn variance(&self) -> f64 {
        self.scale * self.scale * (self.moment(2.0) - self.moment(1.0) * self.moment(1.0))
    }

    fn minimum(&self) -> Span {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// Shape 2 is Rayleigh's law: mean scale √π/2, variance scale² (1 − π/4).
    #[test]
    fn shape_two_is_rayleighs_law() {
        let distribution = Distribution::weibull(2.0, ms(1)).unwrap();
        assert!((distribution.mean() - 886_226.925_452_758).abs() < 1e-6);
        assert!((distribution.variance() / 0.214_601_836_602_551_7e12 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_mean_comes_back() {
        for shape in [0.05, 0.7, 3.0, 1000.0] {
            let distribution = Distribution::weibull_of_mean(shape, ms(30)).unwrap();
            assert!((distribution.mean() / 30e6 - 1.0).abs() < 1e-12, "{shape}");
        }
    }

    #[test]
    fn a_shape_outside_its_range_is_refused() {
        assert!(Distribution::weibull(0.04, ms(1)).is_err());
        assert!(Distribution::weibull_of_mean(1001.0, ms(1)).is_err());
    }
}
