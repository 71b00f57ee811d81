//! Drawn from measured values.

use std::sync::Arc;

use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::random::Uniform;
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "samples",
    summary: "drawn from measured values, each equally likely",
    explanation: "Every value is one that was measured, drawn with replacement from a CSV file of one column. Shapes that no \
                  formula has survive, such as two humps or a timeout's spike; what was never measured never happens, so the \
                  tail ends at the longest value, and any order among the measurements is lost.",
    parameters: &[Parameter {
        name: "file",
        meaning: "a CSV file of one column: durations, or plain numbers under a heading that ends in their unit, as in \
                  latency_ms",
    }],
    spellings: &[r#"{ samples = "latencies.csv" }"#],
    source: "Efron, Tibshirani, An Introduction to the Bootstrap (1993), ch. 4",
};

/// Measured durations, each equally likely.
#[derive(Clone, PartialEq, Debug)]
pub struct Samples {
    /// Never empty, ascending.
    sorted: Vec<Span>,
    mean: f64,
    variance: f64,
}

impl Distribution {
    /// Any of `values`, each equally likely; in any order, at least one.
    pub fn samples(mut values: Vec<Span>) -> Result<Self, DistributionError> {
        if values.is_empty() {
            return Err(DistributionError::data(None, "samples: there are none, at least one is needed"));
        }
        values.sort_unstable();
        let count = values.len() as f64;
        let sum: u128 = values.iter().map(|value| u128::from(value.as_nanos())).sum();
        let mean = sum as f64 / count;
        let squares: f64 =
            values.iter().map(|value| (value.as_nanos() as f64 - mean) * (value.as_nanos() as f64 - mean)).sum();
        Ok(Self::Samples(Arc::new(Samples { sorted: values, mean, variance: squares / count })))
    }
}

impl Law for Samples {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn sample(&self, draw: Uniform) -> Span {
        self.sorted[draw.below(self.sorted.len() as u64) as usize]
    }

    fn quantile(&self, p: f64) -> f64 {
        let rank = libm::ceil(p * self.sorted.len() as f64) as usize;
        self.sorted[rank.clamp(1, self.sorted.len()) - 1].as_nanos() as f64
    }

    fn cdf(&self, x: f64) -> f64 {
        self.sorted.partition_point(|value| value.as_nanos() as f64 <= x) as f64 / self.sorted.len() as f64
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.variance
    }

    fn minimum(&self) -> Span {
        self.sorted[0]
    }

    fn constant(&self) -> Option<Span> {
        let (first, last) = (self.sorted[0], self.sorted[self.sorted.len() - 1]);
        (first == last).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ns;

    /// Of 1, 2, 3, 10: mean 4, variance (9 + 4 + 1 + 36) / 4 = 12.5.
    #[test]
    fn moments_and_quantiles_are_those_of_the_data() {
        let distribution = Distribution::samples([10, 1, 3, 2].map(ns).to_vec()).unwrap();
        assert_eq!((distribution.mean(), distribution.variance()), (4.0, 12.5));
        assert_eq!([0.0, 0.25, 0.26, 0.75, 1.0].map(|p| distribution.quantile(p)), [1.0, 1.0, 2.0, 3.0, 10.0]);
        assert_eq!([0.5, 1.0, 9.0, 10.0].map(|x| distribution.cdf(x)), [0.0, 0.25, 0.75, 1.0]);
        assert_eq!([0, u64::MAX].map(|bits| distribution.sample(Uniform::from_bits(bits))), [ns(1), ns(10)]);
    }

    #[test]
    fn no_samples_are_refused_and_equal_ones_are_a_constant() {
        assert!(Distribution::samples(Vec::new()).is_err());
        assert!(Distribution::samples(vec![ns(7); 3]).unwrap().is_constant());
    }
}
