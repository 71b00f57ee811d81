//! `balance`: how callers choose among the nodes of a service.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::number::Positive;

/// How callers choose among the nodes of a service. Ties are drawn.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Balance {
    /// One after the other; each caller counts on its own.
    RoundRobin,
    /// Any of them.
    Random,
    /// Any of them, in proportion to these weights, one for each node.
    Weighted(Vec<Positive>),
    /// The one with the fewest requests.
    LeastRequests {
        /// Whose requests are counted.
        #[serde(default)]
        load: LoadSource,
    },
    /// The better of two drawn ones: `choices` with `d = 2`.
    TwoChoices,
    /// The best of some drawn ones.
    Choices {
        /// How many are drawn.
        #[serde(default = "two")]
        d: NonZeroU32,
        /// Whose requests are counted.
        #[serde(default)]
        load: LoadSource,
        /// Whether one node may be drawn twice.
        #[serde(default)]
        replacement: bool,
    },
}

/// Whose requests count as the load of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum LoadSource {
    /// Those of the caller itself.
    #[default]
    Own,
    /// Those of all nodes of the caller's group.
    Shared,
    /// All that are at the node.
    True,
}

fn two() -> NonZeroU32 {
    const { NonZeroU32::new(2).unwrap() }
}
