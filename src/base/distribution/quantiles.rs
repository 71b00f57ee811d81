//! Interpolated between known quantiles.

use std::sync::Arc;

use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::probability::Probability;
use crate::base::time::Span;
use crate::base::units::exact;

pub(super) static FAMILY: Family = Family {
    name: "quantiles",
    summary: "interpolated between known quantiles",
    explanation: "For latencies known only as percentiles, as dashboards show them: between two rows of the table values \
                  are equally likely. The table says everything, so it starts at quantile 0, the shortest duration, and \
                  ends at 1, the longest: a tail that is not written down is not guessed. The mean follows from the \
                  straight lines and lies above the true one where the true tail bends.",
    parameters: &[Parameter {
        name: "file",
        meaning: "a CSV file of two columns, quantile and duration, from quantile 0 to 1; plain numbers under a heading \
                  that ends in their unit, as in latency_ms",
    }],
    spellings: &[r#"{ quantiles = "percentiles.csv" }"#],
    source: "Law, Simulation Modeling and Analysis (5th ed. 2015), §6.2.4",
};

/// A piecewise uniform law between known quantiles.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantiles {
    /// Probability and value; probabilities ascend from 0 to 1, values never fall.
    points: Vec<(f64, f64)>,
    mean: f64,
    variance: f64,
}

impl Distribution {
    /// The law that reaches each given duration with the probability before it, and lies evenly between them: the
    /// probabilities ascend from 0 to 1, the durations never fall.
    pub fn quantiles(points: Vec<(Probability, Span)>) -> Result<Self, DistributionError> {
        let wrong = |problem: String| Err(DistributionError::data(None, format!("quantiles: {problem}")));
        let ends = points.first().zip(points.last()).map(|(first, last)| (first.0, last.0));
        if ends != Some((Probability::ZERO, Probability::ONE)) {
            return wrong("the table must start at quantile 0 (the minimum) and end at 1 (the maximum)".to_owned());
        }
        for pair in points.windows(2) {
            let ((p, value), (next_p, next_value)) = (pair[0], pair[1]);
            if next_p <= p {
                return wrong(format!("{next_p} follows {p}, they must ascend"));
            }
            if next_value < value {
                let (value, next_value) = (exact(value), exact(next_value));
                return wrong(format!("{next_value} at {next_p} is less than {value} at {p}"));
            }
        }
        let points: Vec<_> = points.into_iter().map(|(p, value)| (p.value(), value.as_nanos() as f64)).collect();
        // On a line from a to b the mean is (a + b)/2, the mean square (a² + ab + b²)/3; the latter around the mean, lest
        // a small variance be lost in large squares.
        let integral = |of: &dyn Fn(f64, f64) -> f64| -> f64 {
            points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * of(pair[0].1, pair[1].1)).sum()
        };
        let mean = integral(&|a, b| 0.5 * (a + b));
        let variance = integral(&|a, b| {
            let (a, b) = (a - mean, b - mean);
            (a * a + a * b + b * b) / 3.0
        });
        Ok(Self::Quantiles(Arc::new(Quantiles { points, mean, variance })))
    }
}

impl Law for Quantiles {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn quantile(&self, p: f64) -> f64 {
        let above = self.points.partition_point(|point| point.0 <= p).clamp(1, self.points.len() - 1);
        let ((p0, low), (p1, high)) = (self.points[above - 1], self.points[above]);
        low + (p - p0) / (p1 - p0) * (high - low)
    }

    fn cdf(&self, x: f64) -> f64 {
        let above = self.points.partition_point(|point| point.1 <= x);
        if above == 0 {
            return 0.0;
        }
        let Some(&(p1, high)) = self.points.get(above) else { return 1.0 };
        let (p0, low) = self.points[above - 1];
        p0 + (x - low) / (high - low) * (p1 - p0)
    }

    fn mean(&self) -> f64 {
        self.mean
    }

    fn variance(&self) -> f64 {
        self.variance
    }

    fn minimum(&self) -> Span {
        Span::from_nanos_f64(self.points[0].1)
    }

    fn constant(&self) -> Option<Span> {
        let (first, last) = (self.points[0].1, self.points[self.points.len() - 1].1);
        (first == last).then(|| Span::from_nanos_f64(first))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::probability::percent;
    use crate::base::time::{ms, us};

    fn table(points: &[(f64, Span)]) -> Result<Distribution, DistributionError> {
        Distribution::quantiles(points.iter().map(|&(share, value)| (percent(share), value)).collect())
    }

    /// Half the mass evenly on 1 to 2 ms, half on 2 to 6 ms: mean (1.5 + 4)/2 = 2.75 ms, mean square
    /// ((1 + 2 + 4) + (4 + 12 + 36))/6 = 59/6 ms², so the variance is 59/6 − 7.5625 = 2.270833 ms².
    #[test]
    fn values_lie_evenly_between_the_rows() {
        let distribution = table(&[(0.0, ms(1)), (50.0, ms(2)), (100.0, ms(6))]).unwrap();
        assert_eq!([0.0, 0.25, 0.5, 0.75, 1.0].map(|p| distribution.quantile(p)), [1e6, 1.5e6, 2e6, 4e6, 6e6]);
        assert_eq!([0.5e6, 1.5e6, 4e6, 7e6].map(|x| distribution.cdf(x)), [0.0, 0.25, 0.75, 1.0]);
        assert!((distribution.mean() - 2.75e6).abs() < 1e-6);
        assert!((distribution.variance() - 2_270_833_333_333.333).abs() < 1.0);
    }

    /// A level stretch is a value with a probability of its own.
    #[test]
    fn a_level_stretch_is_an_atom() {
        let distribution = table(&[(0.0, ms(1)), (90.0, ms(1)), (100.0, ms(2))]).unwrap();
        assert_eq!((distribution.cdf(0.999e6), distribution.cdf(1e6)), (0.0, 0.9));
        assert_eq!(distribution.quantile(0.5), 1e6);
    }

    #[test]
    fn a_table_with_a_gap_or_a_step_back_is_refused() {
        for (points, reason) in [
            (vec![], "must start at quantile 0"),
            (vec![(50.0, ms(1)), (100.0, ms(2))], "must start at quantile 0"),
            (vec![(0.0, ms(1)), (99.0, ms(2))], "end at 1"),
            (vec![(0.0, ms(1)), (50.0, ms(2)), (50.0, ms(3)), (100.0, ms(4))], "50% follows 50%, they must ascend"),
            (vec![(0.0, ms(1)), (50.0, us(1500)), (100.0, us(10))], "10us at 100% is less than 1.5ms at 50%"),
        ] {
            let message = table(&points).unwrap_err().to_string();
            assert!(message.contains(reason), "{message}");
        }
    }
}
