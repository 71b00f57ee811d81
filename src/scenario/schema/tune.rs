//! `[tune]`

use std::borrow::Cow;
use std::num::NonZeroU32;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde::de::{Deserializer, IgnoredAny};

use super::Conditions;
use crate::scenario::document::Located;
use crate::scenario::quantity::Quantity;

/// What `rehearsal tune` looks for: the values of some keys with which a quantity is best, while others keep to what they have to be.
///
/// All candidates share the seed, so that their runs are paired. They race in rounds: after each, those go that surely break a condition
/// or are surely worse than the best one, and of the others the worse half; who is left is played twice as often.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tune {
    /// The quantity that is to be as small as it can be.
    pub minimise: Option<Located<Quantity>>,
    /// The quantity that is to be as large as it can be.
    pub maximise: Option<Located<Quantity>>,
    /// What has to hold, as in `[expect]`: `{ "shoppers.amplification" = "<= 1.2" }`.
    #[serde(default)]
    pub subject_to: Conditions,
    /// How many settings are tried at the start: all that `over` makes, if they are no more, or else so many of a Sobol sequence, drawn from
    /// the seed. Each is played so often as `run.runs` says at the most, or 64 times where that is left out.
    #[schemars(extend("default" = 64))]
    pub candidates: Option<Located<NonZeroU32>>,
    /// What is varied, as in `[sweep]`: paths with lists of values or ranges, and `constraints`. A range needs no `step`.
    pub over: Option<Over>,
}

/// Paths and values, which are read before a scenario has types.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Over;

impl<'de> Deserialize<'de> for Over {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        IgnoredAny::deserialize(deserializer).map(|_| Self)
    }
}

impl JsonSchema for Over {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Over".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "object" })
    }
}
