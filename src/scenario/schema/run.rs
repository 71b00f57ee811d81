//! `[run]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::quantity_text::Duration;
use crate::base::time::secs;
use crate::scenario::document::Located;

/// How long and how often the scenario is played.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
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
    pub runs: Option<Runs>,
}

/// How many runs.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Runs {
    /// So many.
    #[serde(rename = "=")]
    Constant(NonZeroU32),
}

/// How much of the beginning is left out of the numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Warmup {
    /// So much.
    #[serde(rename = "=")]
    Constant(Duration),
}

fn first_seed() -> u64 {
    1
}

fn half_a_minute() -> Duration {
    Duration(secs(30))
}
