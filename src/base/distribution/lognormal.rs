//! A product of many factors.

use super::error::positive;
use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::special::{normal_cdf, normal_quantile};
use crate::base::time::Span;
use crate::base::units::exact;

pub(super) static FAMILY: Family = Family {
    name: "lognormal",
    summary: "a product of many factors: skewed, with a long tail",
    explanation: "Its logarithm is normal. It fits measured network latencies and service times well from the bulk to the \
                  99th percentile, and is best given by two numbers that any dashboard shows, the median and the 99th \
                  percentile; or by mean and standard deviation.",
    parameters: &[
        Parameter { name: "median", meaning: "the median, above zero" },
        Parameter { name: "p99", meaning: "the 99th percentile, above the median" },
        Parameter { name: "mean", meaning: "the mean, above zero (with sd, instead of median and p99)" },
        Parameter { name: "sd", meaning: "the standard deviation, above zero" },
    ],
    spellings: &[
        r#"{ lognormal = { median = "0.3ms", p99 = "2ms" } }"#,
        r#"{ lognormal = { mean = "5ms", sd = "8ms" } }"#,
    ],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 1 (2nd ed. 1994), ch. 14",
};

/// The lognormal law.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Lognormal {
    median: f64,
    /// The standard deviation of the logarithm.
    sigma: f64,
}

impl Distribution {
    /// The lognormal law with this median (above zero) and 99th percentile (above the median).
    pub fn lognormal(median: Span, p99: Span) -> Result<Self, DistributionError> {
        let low = positive(FAMILY.name, "median", median)?;
        if p99 <= median {
            let accepted = format!("exceed the median, {}", exact(median));
            return Err(DistributionError::parameter(FAMILY.name, "p99", exact(p99), accepted));
        }
        let sigma = libm::log(p99.as_nanos() as f64 / low) / normal_quantile(0.99);
        Ok(Self::Lognormal(Lognormal { median: low, sigma }))
    }

    /// The lognormal law with this mean and standard deviation, both above zero.
    pub fn lognormal_of_mean(mean: Span, sd: Span) -> Result<Self, DistributionError> {
        let mean = positive(FAMILY.name, "mean", mean)?;
        let cv = positive(FAMILY.name, "sd", sd)? / mean;
        // mean = median e^(σ²/2) and 1 + cv² = e^(σ²).
        let sigma = libm::sqrt(libm::log1p(cv * cv));
        Ok(Self::Lognormal(Lognormal { median: mean / libm::sqrt(1.0 + cv * cv), sigma }))
    }
}

impl Law for Lognormal {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        self.median * libm::exp(self.sigma * normal_quantile(p))
    }

    fn cdf(&self, x: f64) -> f64 {
        if x <= 0.0 {
            return 0.0;
        }
        normal_cdf(libm::log(x / self.median) / self.sigma)
    }

    fn mean(&self) -> f64 {
        self.median * libm::exp(0.5 * self.sigma * self.sigma)
    }

    fn variance(&self) -> f64 {
        self.mean() * self.mean() * libm::expm1(self.sigma * self.sigma)
    }

    fn minimum(&self) -> Span {
        Span::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, us};

    #[test]
    fn median_and_p99_come_back() {
        let distribution = Distribution::lognormal(us(300), ms(2)).unwrap();
        assert!((distribution.quantile(0.5) / 300e3 - 1.0).abs() < 1e-12);
        assert!((distribution.quantile(0.99) / 2e6 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn mean_and_deviation_come_back() {
        let distribution = Distribution::lognormal_of_mean(ms(5), ms(8)).unwrap();
        assert!((distribution.mean() / 5e6 - 1.0).abs() < 1e-12);
        assert!((distribution.variance() / 64e12 - 1.0).abs() < 1e-12);
    }

    #[test]
    fn a_p99_at_the_median_is_refused() {
        let message = Distribution::lognormal(ms(2), ms(1)).unwrap_err().to_string();
        assert_eq!(message, "lognormal: p99 is 1ms, it must exceed the median, 2ms");
    }
}
