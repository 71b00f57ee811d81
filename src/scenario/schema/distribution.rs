//! Values that vary.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::de::{Deserialize, Deserializer, Error};

use super::number::Positive;
use super::quantity_text::{Bytes, Duration};
use crate::scenario::document::{DataFile, Located};

/// A value that is drawn each time, or a constant.
#[derive(Clone, PartialEq, Debug, serde::Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "{Q}-distribution")]
pub enum DistributionSpec<Q> {
    /// The same each time.
    #[serde(rename = "=")]
    Constant(Q),
    /// The same each time, said in full.
    #[serde(rename = "constant")]
    NamedConstant(Q),
    /// Equally likely between two ends.
    Uniform([Q; 2]),
    /// Exponential with this mean.
    Exponential(Q),
    /// The bell curve, on the values from zero up.
    Normal {
        /// The mean of the curve, before the part below zero is cut off.
        mean: Q,
        /// Its standard deviation.
        sd: Q,
    },
    /// Lognormal, given by two of its percentiles or by its moments: skewed, with a long tail.
    Lognormal(LognormalSpec<Q>),
    /// Pareto: a tail that falls as a power.
    Pareto {
        /// The smallest value.
        min: Q,
        /// The power; the mean is infinite from 1 downwards.
        shape: Positive,
    },
    /// Gamma: as a sum of exponential phases.
    Gamma {
        /// The number of phases, which may be a fraction; 1 is exponential.
        shape: Positive,
        /// The mean.
        mean: Q,
    },
    /// Weibull, for lifetimes.
    Weibull(WeibullSpec<Q>),
    /// Drawn from measured values: a CSV file of one column.
    Samples(DataFile),
    /// Interpolated between known quantiles: a CSV file of two columns, quantile and value, from quantile 0 to 1.
    Quantiles(DataFile),
    /// One of several distributions, each with its weight.
    Mixture(Vec<(Positive, Located<DistributionSpec<Q>>)>),
}

/// A lognormal distribution.
#[derive(Clone, PartialEq, Debug, JsonSchema)]
#[schemars(untagged, inline, deny_unknown_fields)]
pub enum LognormalSpec<Q> {
    /// By two percentiles.
    Percentiles {
        /// Half of the values are smaller.
        median: Q,
        /// One value in a hundred is larger.
        p99: Q,
    },
    /// By its moments.
    Moments {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
}

/// A Weibull distribution.
#[derive(Clone, PartialEq, Debug, JsonSchema)]
#[schemars(untagged, inline, deny_unknown_fields)]
pub enum WeibullSpec<Q> {
    /// By its scale.
    Scale {
        /// Below 1 what is old fails more rarely, above 1 it wears out; 1 is exponential.
        shape: Positive,
        /// What 63 % of the values stay below.
        scale: Q,
    },
    /// By its mean.
    Mean {
        /// Below 1 what is old fails more rarely, above 1 it wears out; 1 is exponential.
        shape: Positive,
        /// The mean.
        mean: Q,
    },
}

/// A time that varies, and its place.
pub type Times = Located<DistributionSpec<Duration>>;

/// A size that varies, and its place.
pub type Sizes = Located<DistributionSpec<Bytes>>;

impl<'de, Q: Deserialize<'de>> Deserialize<'de> for LognormalSpec<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys<Q> {
            median: Option<Q>,
            p99: Option<Q>,
            mean: Option<Q>,
            sd: Option<Q>,
        }

        let Keys { median, p99, mean, sd } = Keys::deserialize(deserializer)?;
        let found =
            [("median", median.is_some()), ("p99", p99.is_some()), ("mean", mean.is_some()), ("sd", sd.is_some())];
        match (median, p99, mean, sd) {
            (Some(median), Some(p99), None, None) => Ok(Self::Percentiles { median, p99 }),
            (None, None, Some(mean), Some(sd)) => Ok(Self::Moments { mean, sd }),
            _ => Err(either("`lognormal` takes `median` and `p99`, or `mean` and `sd`", &found)),
        }
    }
}

impl<'de, Q: Deserialize<'de>> Deserialize<'de> for WeibullSpec<Q> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(serde::Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Keys<Q> {
            shape: Option<Positive>,
            scale: Option<Q>,
            mean: Option<Q>,
        }

        let Keys { shape, scale, mean } = Keys::deserialize(deserializer)?;
        let found = [("shape", shape.is_some()), ("scale", scale.is_some()), ("mean", mean.is_some())];
        match (shape, scale, mean) {
            (Some(shape), Some(scale), None) => Ok(Self::Scale { shape, scale }),
            (Some(shape), None, Some(mean)) => Ok(Self::Mean { shape, mean }),
            _ => Err(either("`weibull` takes `shape` and `scale`, or `shape` and `mean`", &found)),
        }
    }
}

/// The mistake of a table that fits neither of two ways.
fn either<E: Error>(accepted: impl Display, keys: &[(&str, bool)]) -> E {
    let found: Vec<_> = keys.iter().filter(|(_, is_there)| *is_there).map(|(key, _)| format!("`{key}`")).collect();
    let found = if found.is_empty() { "nothing".into() } else { found.join(", ") };
    E::custom(format!("{accepted}; found {found}"))
}
