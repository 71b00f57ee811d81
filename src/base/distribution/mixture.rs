//! One of several distributions.

use std::sync::Arc;

use super::{Distribution, DistributionError, Family, Law, Parameter};
use crate::base::random::Uniform;
use crate::base::time::Span;

pub(super) static FAMILY: Family = Family {
    name: "mixture",
    summary: "one of several distributions, chosen by weight",
    explanation: "Each value comes from one component, chosen in proportion to its weight: cache hits and misses, fast and \
                  slow paths, a garbage collection now and then. Weights need not add up to 1; a weight of zero leaves its \
                  component out. One draw chooses the component by its upper part and the value by the rest.",
    parameters: &[
        Parameter { name: "weight", meaning: "a component's weight, zero or more" },
        Parameter { name: "distribution", meaning: "the component, any distribution" },
    ],
    spellings: &[r#"{ mixture = [[95, "1ms"], [5, { exponential = "40ms" }]] }"#],
    source: "McLachlan, Peel, Finite Mixture Models (2000), ch. 1; sampling by composition: Devroye, Non-Uniform Random \
             Variate Generation (1986), §II.4",
};

/// Weighted distributions.
#[derive(Clone, PartialEq, Debug)]
pub struct Mixture {
    components: Vec<Component>,
}

#[derive(Clone, PartialEq, Debug)]
struct Component {
    share: f64,
    /// The draws that choose this component: from `first` to `last`, both included.
    first: u64,
    last: u64,
    /// 2^64 over their number: what spreads them over all draws.
    stretch: f64,
    distribution: Distribution,
}

/// 2^64, the number of draws.
const DRAWS: f64 = 18_446_744_073_709_551_616.0;

impl Distribution {
    /// One of `components`, chosen in proportion to its weight: finite weights, none negative, at least one above zero.
    pub fn mixture(components: Vec<(f64, Self)>) -> Result<Self, DistributionError> {
        let wrong =
            |weight: f64, accepted: &str| Err(DistributionError::parameter(FAMILY.name, "weight", weight, accepted));
        let total: f64 = components.iter().map(|(weight, _)| weight).sum();
        if let Some(&(weight, _)) = components.iter().find(|(weight, _)| !weight.is_finite() || *weight < 0.0) {
            return wrong(weight, "be a number from zero up");
        }
        if total == 0.0 {
            return Err(DistributionError::data(None, "mixture: no component has a weight above zero"));
        }
        if total.is_infinite() {
            return wrong(f64::MAX, "be so small that the weights have a finite sum");
        }
        let present: Vec<_> = components.into_iter().filter(|(weight, _)| *weight > 0.0).collect();
        let last_index = present.len() - 1;
        let (mut built, mut sum, mut first) = (Vec::with_capacity(present.len()), 0.0, 0_u64);
        for (index, (weight, distribution)) in present.into_iter().enumerate() {
            sum += weight;
            // Only the last component ends with the last draw; the end of the others is exclusive until here.
            let end = if index == last_index { u64::MAX } else { (sum / total * DRAWS) as u64 };
            if end <= first {
                return wrong(weight, "not vanish beside the others");
            }
            let last = if index == last_index { end } else { end - 1 };
            let stretch = DRAWS / ((last - first) as f64 + 1.0);
            built.push(Component { share: weight / total, first, last, stretch, distribution });
            first = end;
        }
        Ok(Self::Mixture(Arc::new(Mixture { components: built })))
    }
}

impl Mixture {
    /// The sum of `of` over the components, by share.
    fn average(&self, of: impl Fn(&Distribution) -> f64) -> f64 {
        self.components.iter().map(|component| component.share * of(&component.distribution)).sum()
    }
}

impl Law for Mixture {
    fn family(&self) -> &'static Family {
        &FAMILY
    }

    fn sample(&self, draw: Uniform) -> Span {
        let bits = draw.bits();
        let component = &self.components[self.components.partition_point(|component| component.last < bits)];
        let rest = ((bits - component.first) as f64 + 0.5) * component.stretch;
        component.distribution.sample(Uniform::from_bits(rest as u64))
    }

    /// The smallest value that the cdf lifts to `p`, by bisection: floats from zero up are ordered as their bits are, so
    /// that 64 halvings find the very one.
    fn quantile(&self, p: f64) -> f64 {
        let quantiles = self.components.iter().map(|component| component.distribution.quantile(p));
        // The mixture's quantile lies between those of its components.
        let (low, high) = quantiles.fold((f64::INFINITY, 0.0_f64), |(low, high), x| (low.min(x), high.max(x)));
        let (mut low, mut high) = (low.to_bits(), high.to_bits());
        while low < high {
            let middle = low + (high - low) / 2;
            if self.cdf(f64::from_bits(middle)) >= p {
                high = middle;
            } else {
                low = middle + 1;
            }
        }
        f64::from_bits(high)
    }

    fn cdf(&self, x: f64) -> f64 {
        self.average(|distribution| distribution.cdf(x)).min(1.0)
    }

    fn mean(&self) -> f64 {
        self.average(Distribution::mean)
    }

    fn variance(&self) -> f64 {
        let mean = self.mean();
        if mean.is_infinite() {
            return f64::INFINITY;
        }
        self.average(|distribution| {
            let apart = distribution.mean() - mean;
            distribution.variance() + apart * apart
        })
    }

    fn minimum(&self) -> Span {
        let minima = self.components.iter().map(|component| component.distribution.minimum());
        minima.min().unwrap_or(Span::ZERO)
    }

    fn constant(&self) -> Option<Span> {
        let mut constants = self.components.iter().map(|component| component.distribution.law().constant());
        let first = constants.next().flatten()?;
        constants.all(|constant| constant == Some(first)).then_some(first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, ns};

    fn two_points() -> Distribution {
        Distribution::mixture(vec![(3.0, ms(1).into()), (0.0, ms(9).into()), (1.0, ms(5).into())]).unwrap()
    }

    /// Weights 3 and 1 on 1 and 5 ms: mean 2 ms, variance (3 · 1² + 1 · 3²)/4 = 3 ms²; three quarters of the draws choose
    /// the first.
    #[test]
    fn weights_are_relative() {
        let distribution = two_points();
        assert_eq!((distribution.mean(), distribution.variance()), (2e6, 3e12));
        assert_eq!([0.0, 0.75, 0.76, 1.0].map(|p| distribution.quantile(p)), [1e6, 1e6, 5e6, 5e6]);
        let border = 3 << 62;
        let samples = [0, border - 1, border, u64::MAX].map(|bits| distribution.sample(Uniform::from_bits(bits)));
        assert_eq!(samples, [ms(1), ms(1), ms(5), ms(5)]);
    }

    /// The draws that choose a component cover its whole range.
    #[test]
    fn the_rest_of_the_draw_is_spread_over_the_component() {
        let wide = Distribution::uniform(ns(0), ns(999)).unwrap();
        let distribution = Distribution::mixture(vec![(1.0, ns(5_000).into()), (1.0, wide)]).unwrap();
        let samples = [1 << 63, 3 << 62, u64::MAX].map(|bits| distribution.sample(Uniform::from_bits(bits)));
        assert_eq!(samples, [ns(0), ns(500), ns(999)]);
    }

    #[test]
    fn one_heavy_tail_makes_the_mixture_heavy() {
        let heavy = Distribution::pareto(ms(1), 1.0).unwrap();
        let distribution = Distribution::mixture(vec![(1.0, ms(1).into()), (1e-6, heavy)]).unwrap();
        assert_eq!((distribution.mean(), distribution.variance()), (f64::INFINITY, f64::INFINITY));
    }

    #[test]
    fn weights_that_choose_nothing_are_refused() {
        let with = |weights: &[f64]| {
            Distribution::mixture(weights.iter().map(|&weight| (weight, ms(1).into())).collect())
                .map_err(|e| e.to_string())
        };
        assert_eq!(with(&[1.0, -1.0]), Err("mixture: weight is -1, it must be a number from zero up".to_owned()));
        assert_eq!(
            with(&[1e-30, 1.0]),
            Err("mixture: weight is 0.000000000000000000000000000001, it must not vanish beside the others".to_owned())
        );
        for weights in [&[][..], &[0.0], &[f64::NAN], &[f64::INFINITY], &[f64::MAX, f64::MAX], &[1.0, 1e-30]] {
            assert!(with(weights).is_err(), "{weights:?}");
        }
    }

    #[test]
    fn equal_constants_are_a_constant() {
        assert!(!two_points().is_constant());
        assert!(Distribution::mixture(vec![(1.0, ms(1).into()), (2.0, ms(1).into())]).unwrap().is_constant());
    }
}
