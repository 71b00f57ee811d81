//! `[run]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::quantity_text::{Duration, Share};
use crate::base::time::secs;
use crate::scenario::document::{Entries, Located, OneOrMany};
use crate::scenario::quantity::Quantity;

/// How long and how often the scenario is played.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Run {
    /// Everything random is drawn from this number: the same seed gives the same run.
    #[serde(default = "first_seed")]
    pub seed: u64,
    /// How long there is load. It is the clock of every time in the scenario.
    pub duration: Located<Duration>,
    /// How much of the beginning is left out of the numbers. It changes no event.
    #[schemars(extend("default" = "0s"))]
    pub warmup: Option<Located<Warmup>>,
    /// How long to wait for the fate of every message when the load has ended. The run ends as soon as all are known.
    #[serde(default = "half_a_minute")]
    pub drain: Duration,
    /// How many runs, each with a seed of its own drawn from `seed`. By default 1 for `run`, 10 where runs are compared.
    pub runs: Option<Located<Runs>>,
    /// The quantities that sweeps and comparisons show; what is expected and the headline of each client if it is left out.
    pub metrics: Option<OneOrMany<Located<Quantity>>>,
}

/// How many runs.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Runs {
    /// So many.
    #[serde(rename = "=")]
    Constant(NonZeroU32),
    /// As many as it takes to know something well enough.
    #[serde(rename = "{}")]
    Until(Precision),
}

/// As many runs as it takes to know some quantities well enough.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Precision {
    /// Quantities, each with half the width that its 95 % interval may have, as a share of its value: `{ "shoppers.latency.p99" = "2%" }`.
    pub until: Entries<Quantity, Located<Share>>,
    /// No more runs than this, whatever is known by then.
    #[serde(default = "thousand")]
    pub at_most: NonZeroU32,
    /// No fewer runs than this. An interval of a few runs may be narrow by chance.
    #[serde(default = "ten")]
    pub at_least: NonZeroU32,
}

/// How much of the beginning is left out of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Warmup {
    /// So much.
    #[serde(rename = "=")]
    Constant(Duration),
    /// As much as MSER-5 cuts off the latencies of the first runs, which are played once more for it: the most that any client needs.
    /// A cut in the second half means that the run is too short, and a warning says so.
    Auto,
}

fn first_seed() -> u64 {
    1
}

fn half_a_minute() -> Duration {
    Duration(secs(30))
}

fn thousand() -> NonZeroU32 {
    NonZeroU32::new(1000).expect("it is not 0")
}

fn ten() -> NonZeroU32 {
    NonZeroU32::new(10).expect("it is not 0")
}
