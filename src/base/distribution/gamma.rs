//! A sum of exponential phases.

use super::error::{positive, shape};
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::special::GammaShape;
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "gamma",
    summary: "a sum of exponential phases: from erratic to nearly constant",
    explanation: "With a whole shape k it is the sum of k exponential phases (Erlang's law): shape 1 is exponential, larger \
                  shapes are steadier, smaller ones more erratic than exponential. The coefficient of variation is 1/√shape, \
                  so a wanted one gives the shape 1/cv². A sample costs more than in other families, above a shape of \
                  some hundred in proportion to √shape; there a normal law says the same for less.",
    parameters: &[
        Parameter { name: "shape", meaning: "the number of phases, between 0.01 and 1000000" },
        Parameter { name: "mean", meaning: "the mean duration, above zero" },
    ],
    spellings: &[r#"{ gamma = { shape = 4, mean = "10ms" } }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 17",
};

/// The gamma law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Gamma {
    shape: GammaShape,
    mean: f64,
}

impl Distribution {
    /// The gamma law of this `shape`, between 0.01 and 10⁶, and this mean, above zero.
    pub fn gamma(shape: f64, mean: Span) -> Result<Self, DistributionError> {
        let shape = GammaShape::new(self::shape(FAMILY.name, shape, 0.01..=1e6)?);
        Ok(Self::Gamma(Gamma { shape, mean: positive(FAMILY.name, "mean", mean)? }))
    }
}

impl Law for Gamma {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        self.shape.quantile(p) * (self.mean / self.shape.value())
    }

    fn cdf(&self, x: f64) -> f64 {
        self.shape.cdf(x / self.mean * self.shape.value())
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.mean * self.mean / self.shape.value()
    }

    fn minimum(&self) -> Span {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    #[test]
    fn one_phase_is_exponential() {
        let (gamma, exponential) =
            (Distribution::gamma(1.0, ms(3)).unwrap(), Distribution::exponential(ms(3)).unwrap());
        for p in [0.001, 0.3, 0.5, 0.99, 0.999_999] {
            assert!((gamma.quantile(p) / exponential.quantile(p) - 1.0).abs() < 1e-12, "{p}");
        }
    }

    #[test]
    fn a_shape_outside_its_range_is_refused() {
        for shape in [0.0, -1.0, 1e7, f64::NAN, f64::INFINITY] {
            assert!(Distribution::gamma(shape, ms(1)).is_err(), "{shape}");
        }
    }
}
