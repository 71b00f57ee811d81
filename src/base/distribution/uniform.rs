//! Equally likely between two ends.

use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::random::Uniform;
use crate::base::time::Span;
use crate::base::units::exact;

pub(super) static FAMILY: Family = Family {
    name: "uniform",
    summary: "equally likely between two ends, both included",
    explanation: "Every nanosecond from the shortest to the longest duration is equally likely. The usual choice for jitter \
                  and for spreading timers apart, and a cautious one where nothing but a range is known.",
    parameters: &[
        Parameter { name: "min", meaning: "the shortest duration" },
        Parameter { name: "max", meaning: "the longest duration, above the shortest" },
    ],
    spellings: &[r#"{ uniform = ["1ms", "3ms"] }"#],
    source: "Johnson, Kotz, Balakrishnan, Continuous Univariate Distributions 2 (2nd ed. 1995), ch. 26",
};

/// Equally likely durations between two ends.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Between {
    min: Span,
    /// How many nanoseconds there are to choose from.
    count: u64,
}

impl Distribution {
    /// Every nanosecond from `min` to `max`, equally likely.
    pub fn uniform(min: Span, max: Span) -> Result<Self, DistributionError> {
        if max <= min {
            let accepted = format!("exceed min, {}; write one duration for a constant", exact(min));
            return Err(DistributionError::parameter(FAMILY.name, "max", exact(max), accepted));
        }
        // One more than the width must still fit 64 bits; the longest span means "without limit" anyway.
        if max == Span::MAX {
            return Err(DistributionError::parameter(FAMILY.name, "max", exact(max), "be limited"));
        }
        Ok(Self::Uniform(Between { min, count: (max - min).as_nanos() + 1 }))
    }
}

impl Between {
    fn low(&self) -> f64 {
        self.min.as_nanos() as f64
    }

    fn width(&self) -> f64 {
        (self.count - 1) as f64
    }
}

impl Law for Between {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    #[inline]
    fn sample(&self, draw: Uniform) -> Span {
        self.min + Span::from_nanos(draw.below(self.count))
    }

    fn quantile(&self, p: f64) -> f64 {
        self.low() + p * self.width()
    }

    fn cdf(&self, x: f64) -> f64 {
        ((x - self.low()) / self.width()).clamp(0.0, 1.0)
    }

    fn mean(&self) -> f64 {
        self.low() + 0.5 * self.width()
    }

    fn variance(&self) -> f64 {
        self.width() * self.width() / 12.0
    }

    fn minimum(&self) -> Span {
        self.min
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, ns};

    #[test]
    fn both_ends_are_reached() {
        let distribution = Distribution::uniform(ns(10), ns(12)).unwrap();
        let ends = [0, u64::MAX].map(|bits| distribution.sample(Uniform::from_bits(bits)));
        assert_eq!(ends, [ns(10), ns(12)]);
    }

    #[test]
    fn an_empty_or_endless_range_is_refused() {
        let message = Distribution::uniform(ms(3), ms(3)).unwrap_err().to_string();
        assert_eq!(message, "uniform: max is 3ms, it must exceed min, 3ms; write one duration for a constant");
        assert!(Distribution::uniform(Span::ZERO, Span::MAX).is_err());
    }
}
