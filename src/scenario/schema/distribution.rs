//! Values that vary.

use schemars::JsonSchema;
use serde::Deserialize;

use super::number::Positive;
use super::quantity_text::{Bytes, Duration};
use crate::scenario::document::Located;

/// A value that is drawn each time, or a constant.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
#[schemars(rename = "{Q}-distribution")]
pub enum DistributionSpec<Q> {
    /// The same each time.
    #[serde(rename = "=")]
    Constant(Q),
    /// Exponential with this mean.
    Exponential(Q),
    /// Equally likely between two ends.
    Uniform([Q; 2]),
    /// Normal; what falls below zero counts as zero.
    Normal {
        /// The mean.
        mean: Q,
        /// The standard deviation.
        sd: Q,
    },
    /// Lognormal, given by two of its percentiles.
    Lognormal {
        /// Half of the values are smaller.
        median: Q,
        /// One value in a hundred is larger.
        p99: Q,
    },
    /// Pareto: a tail that falls as a power.
    Pareto {
        /// The smallest value.
        min: Q,
        /// The power; the mean is infinite from 1 downwards.
        shape: Positive,
    },
    /// One of several distributions, each with its weight.
    Mixture(Vec<(Positive, DistributionSpec<Q>)>),
}

/// A time that varies, and its place.
pub type Times = Located<DistributionSpec<Duration>>;

/// A size that varies, and its place.
pub type Sizes = Located<DistributionSpec<Bytes>>;
