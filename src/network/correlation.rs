//! How much the latencies of successive messages are alike.

use crate::base::random::Uniform;
use crate::base::special::{normal_cdf, normal_quantile};

/// The correlation of successive latencies between two nodes, from 0 (each on its own) to 1 (always the same).
///
/// Each message has a standard normal score, a first-order autoregression: z' = r z + sqrt(1 - r^2) e. Its latency is the
/// quantile of the link's distribution at the score's probability, so that the distribution of latencies is exactly the
/// link's, whatever the correlation, which is that of the scores (a Gaussian copula). The rank correlation of successive
/// latencies is 6 / pi asin(r / 2), within 0.02 of r.
#[derive(Clone, Copy, PartialEq, PartialOrd, Debug, Default)]
pub struct Correlation(f64);

impl Correlation {
    /// Each message on its own.
    pub const NONE: Self = Self(0.0);

    /// The correlation `value`, or nothing if it lies outside [0, 1] or is NaN.
    pub fn new(value: f64) -> Option<Self> {
        (0.0..=1.0).contains(&value).then_some(Self(value))
    }

    /// The value in [0, 1].
    pub const fn value(self) -> f64 {
        self.0
    }

    /// The score of the first message.
    pub(super) fn first(draw: Uniform) -> f64 {
        normal_quantile(draw.open01())
    }

    /// The score of the message after one of `score`.
    pub(super) fn next(self, score: f64, draw: Uniform) -> f64 {
        self.0 * score + libm::sqrt(1.0 - self.0 * self.0) * Self::first(draw)
    }

    /// The draw that a score stands for.
    pub(super) fn draw(score: f64) -> Uniform {
        const STEPS: f64 = (1_u64 << 52) as f64;
        let step = (normal_cdf(score) * STEPS) as u64;
        Uniform::from_bits(step.min((1 << 52) - 1) << 12)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_score_stands_for_the_draw_it_was_made_of() {
        for bits in [0, 1 << 40, u64::MAX / 3, u64::MAX / 2, u64::MAX - (1 << 40), u64::MAX] {
            let draw = Uniform::from_bits(bits);
            let again = Correlation::draw(Correlation::first(draw));
            assert!((again.open01() - draw.open01()).abs() < 1e-14, "{bits}");
        }
    }

    #[test]
    fn correlations_beyond_one_are_refused() {
        assert_eq!(Correlation::new(1.0).map(Correlation::value), Some(1.0));
        assert_eq!(Correlation::new(1.1), None);
        assert_eq!(Correlation::new(-0.1), None);
    }
}
