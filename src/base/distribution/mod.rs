//! Distributions of lengths of time: what service demands, latencies, pauses and repairs are drawn from.
//!
//! A sample takes one uniform draw, by inversion, so that a draw has one address and a larger draw never gives a shorter
//! time (but for [`mixture`](Distribution::mixture), which spends part of the draw on the choice of a component). Samples
//! are whole nanoseconds, half up; mean, variance, quantile and cdf are those of the law before this rounding, as plain
//! numbers of nanoseconds, because a quantile can be a fraction and a mean infinite.
//!
//! A distribution is checked when it is built: afterwards every function has an answer for every draw. One that cannot vary
//! is written as a constant; the other families refuse to degenerate into one.
//!
//! A family is one file: its parameters, its law and its entry in [`FAMILIES`].

mod constant;
mod empirical;
mod error;
mod exponential;
mod family;
mod gamma;
mod lognormal;
mod mixture;
mod normal;
mod pareto;
mod quantiles;
mod samples;
mod uniform;
mod weibull;

use std::sync::Arc;

use super::random::Uniform;
use super::time::Span;

pub use constant::Constant;
pub use error::DistributionError;
pub use exponential::Exponential;
pub use family::{Family, Parameter};
pub use gamma::Gamma;
pub use lognormal::Lognormal;
pub use mixture::Mixture;
pub use normal::Normal;
pub use pareto::Pareto;
pub use quantiles::Quantiles;
pub use samples::Samples;
pub use uniform::Between;
pub use weibull::Weibull;

/// A distribution of lengths of time.
#[derive(Clone, PartialEq, Debug)]
pub enum Distribution {
    /// Always the same.
    Constant(Constant),
    /// Equally likely between two ends.
    Uniform(Between),
    /// Without memory.
    Exponential(Exponential),
    /// The bell curve on the times from zero up.
    Normal(Normal),
    /// A product of many factors.
    Lognormal(Lognormal),
    /// A power-law tail.
    Pareto(Pareto),
    /// A sum of exponential phases.
    Gamma(Gamma),
    /// Ageing or wearing in.
    Weibull(Weibull),
    /// Drawn from measured values.
    Samples(Arc<Samples>),
    /// Interpolated between known quantiles.
    Quantiles(Arc<Quantiles>),
    /// One of several distributions.
    Mixture(Arc<Mixture>),
}

/// Every family, in the order in which they are listed to users.
pub static FAMILIES: [&Family; 11] = [
    &constant::FAMILY,
    &uniform::FAMILY,
    &exponential::FAMILY,
    &normal::FAMILY,
    &lognormal::FAMILY,
    &pareto::FAMILY,
    &gamma::FAMILY,
    &weibull::FAMILY,
    &samples::FAMILY,
    &quantiles::FAMILY,
    &mixture::FAMILY,
];

/// What a family of distributions computes.
trait Law {
    /// This law's entry in the registry.
    fn family(&self) -> &'static Family;
    /// The value that is reached with probability `p`, for `p` in [0, 1].
    fn quantile(&self, p: f64) -> f64;
    /// The probability of a value of at most `x`.
    fn cdf(&self, x: f64) -> f64;
    fn mean(&self) -> f64;
    fn variance(&self) -> f64;
    /// The infimum of the samples.
    fn minimum(&self) -> Span;

    fn sample(&self, draw: Uniform) -> Span {
        Span::from_nanos_f64(self.quantile(draw.open01()))
    }

    /// The only value there is, if there is only one.
    fn constant(&self) -> Option<Span> {
        None
    }
}

impl Distribution {
    /// The value that this draw stands for.
    #[inline(always)]
    pub fn sample(&self, draw: Uniform) -> Span {
        match self {
            Self::Uniform(law) => law.sample(draw),
            _ => self.sample_by_law(draw),
        }
    }

    #[inline(never)]
    fn sample_by_law(&self, draw: Uniform) -> Span {
        self.law().sample(draw)
    }

    /// The mean in nanoseconds; infinite where the tail is too heavy to have one.
    pub fn mean(&self) -> f64 {
        self.law().mean()
    }

    /// The variance in square nanoseconds; infinite where the tail is too heavy to have one.
    pub fn variance(&self) -> f64 {
        self.law().variance()
    }

    /// The time in nanoseconds that a value stays below with probability `p`, which is clamped to [0, 1]; infinite at 1
    /// where there is no longest time.
    pub fn quantile(&self, p: f64) -> f64 {
        self.law().quantile(p.clamp(0.0, 1.0))
    }

    /// The probability of a value of at most `nanos` nanoseconds.
    pub fn cdf(&self, nanos: f64) -> f64 {
        self.law().cdf(nanos)
    }

    /// The infimum of the values: no sample is shorter.
    pub fn minimum(&self) -> Span {
        self.law().minimum()
    }

    /// Whether all values are the same.
    pub fn is_constant(&self) -> bool {
        self.law().constant().is_some()
    }

    /// The family this distribution belongs to.
    pub fn family(&self) -> &'static Family {
        self.law().family()
    }

    fn law(&self) -> &dyn Law {
        match self {
            Self::Constant(law) => law,
            Self::Uniform(law) => law,
            Self::Exponential(law) => law,
            Self::Normal(law) => law,
            Self::Lognormal(law) => law,
            Self::Pareto(law) => law,
            Self::Gamma(law) => law,
            Self::Weibull(law) => law,
            Self::Samples(law) => law.as_ref(),
            Self::Quantiles(law) => law.as_ref(),
            Self::Mixture(law) => law.as_ref(),
        }
    }
}

// A distribution is passed about by value and stands in every link and step: no family may make it larger.
const _: () = assert!(size_of::<Distribution>() <= 32);

#[cfg(test)]
mod tests;
