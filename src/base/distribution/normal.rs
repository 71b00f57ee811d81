//! The bell curve on the times from zero up.

use super::error::positive;
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::special::{normal_cdf, normal_density, normal_quantile};
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "normal",
    summary: "the bell curve, conditioned on not being negative",
    explanation: "A sum of many small independent parts. A time cannot be negative, so values below zero are ruled out and \
                  the rest keeps its proportions: the mean becomes slightly longer and the spread smaller than written, by \
                  4 parts in 1000 of the deviation where the mean is three deviations, by nothing visible beyond five. \
                  Latencies are seldom normal: their tails are much longer.",
    parameters: &[
        Parameter { name: "mean", meaning: "the centre of the curve, zero or longer" },
        Parameter { name: "sd", meaning: "its standard deviation, above zero" },
    ],
    spellings: &[r#"{ normal = { mean = "10ms", sd = "2ms" } }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 13, §10.1",
};

/// The normal law conditioned on not being negative.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Normal {
    centre: f64,
    sd: f64,
    /// The probability of a value below zero before conditioning: at most ½, since the centre is not negative.
    cut: f64,
}

impl Distribution {
    /// The normal law of this mean and standard deviation (above zero), conditioned on not being negative.
    pub fn normal(mean: Span, sd: Span) -> Result<Self, DistributionError> {
        let sd = positive(FAMILY.name, "sd", sd)?;
        let centre = mean.as_nanos() as f64;
        Ok(Self::Normal(Normal { centre, sd, cut: normal_cdf(-centre / sd) }))
    }
}

impl Normal {
    /// The curve's height at zero beside what is kept, in standard deviations: how much conditioning shifts the mean.
    fn shift(&self) -> f64 {
        normal_density(self.centre / self.sd) / (1.0 - self.cut)
    }
}

impl Law for Normal {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        // Of the two tails the smaller one keeps its digits.
        let kept = 1.0 - self.cut;
        let upper = (1.0 - p) * kept;
        let z = if upper < 0.5 { -normal_quantile(upper) } else { normal_quantile(self.cut + p * kept) };
        (self.centre + self.sd * z).max(0.0)
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        1.0 - normal_cdf((self.centre - x) / self.sd) / (1.0 - self.cut)
    }

    fn mean(&self) -> f64 {
        self.centre + self.sd * self.shift()
    }

    fn variance(&self) -> f64 {
        let (cut, shift) = (-self.centre / self.sd, self.shift());
        self.sd * self.sd * (1.0 + cut * shift - shift * shift)
    }

    fn minimum(&self) -> Span {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// Around zero the law is half-normal: mean σ √(2/π), variance σ² (1 − 2/π), median 0.6744898 σ.
    #[test]
    fn centred_on_zero_it_is_half_normal() {
        let distribution = Distribution::normal(Span::ZERO, ms(1)).unwrap();
        assert!((distribution.mean() - 797_884.560_8).abs() < 1e-3);
        assert!((distribution.variance() - 0.363_380_227_632e12).abs() < 1.0);
        assert!((distribution.quantile(0.5) - 674_489.750_2).abs() < 1e-3);
    }

    /// Five deviations above zero, conditioning is invisible: φ(5) = 1.5e-6.
    #[test]
    fn far_above_zero_it_is_normal() {
        let distribution = Distribution::normal(ms(10), ms(2)).unwrap();
        assert!((distribution.mean() / 10e6 - 1.0).abs() < 1e-6);
        assert!((distribution.quantile(0.975) - (10e6 + 1.959_964 * 2e6)).abs() < 10.0);
    }

    #[test]
    fn a_deviation_of_zero_is_refused() {
        assert!(Distribution::normal(ms(1), Span::ZERO).is_err());
    }
}
