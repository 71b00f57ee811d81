//! `[clients]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::distribution::{Sizes, Times};
use super::number::Positive;
use super::place::{Place, nodes};
use super::quantity_text::Duration;
use super::step::Step;
use super::{Arrivals, Chosen, LoadRate, Named, Steps};
use crate::protocol::workload::arrivals::ArrivalPolicy;
use crate::scenario::document::{Located, StreamedFile};

/// A group of nodes that bring load: open, at a `rate` or as a `trace` says, or closed, with a number of `users`.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Client {
    /// How many nodes share the load.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where they are; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// How many messages or requests the whole group starts, whatever becomes of them: a constant, or a rate that changes with
    /// time.
    pub rate: Option<Located<Chosen<LoadRate>>>,
    /// When messages or requests start: a CSV file with a header, one row for each. Its columns are `time` (seconds from the
    /// start of the run, or a duration with its unit, in ascending order), `size` (bytes, instead of the key `size`) and `key`
    /// (a number or a text: what the request is about); the last two may be missing. Rows are dealt to the nodes in turn, and
    /// are the same in every run.
    pub trace: Option<Located<StreamedFile>>,
    /// How many users the whole group has: each starts the next one when the last has ended.
    pub users: Option<Located<NonZeroU32>>,
    /// How long a user waits in between.
    #[schemars(extend("default" = "0s"))]
    pub think: Option<Times>,
    /// How the starts are spread at a `rate`.
    #[schemars(extend("default" = "poisson"))]
    pub arrivals: Option<Located<Chosen<Arrivals>>>,
    /// How the nodes of the group stand to each other when `arrivals = "even"`.
    #[schemars(extend("default" = "random"))]
    pub phase: Option<Located<Phase>>,
    /// How many are started in all; as many as there is time for if it is left out.
    pub count: Option<Located<NonZeroU32>>,
    /// When the load begins.
    #[schemars(extend("default" = "0s"))]
    pub from: Option<Located<Duration>>,
    /// When the load ends; with the run if it is left out.
    pub until: Option<Located<Duration>>,
    /// The size of the answers; `size` if it is left out.
    pub reply_size: Option<Sizes>,
    /// Several kinds of requests, drawn by weight.
    #[serde(default)]
    pub mix: Named<MixEntry>,
    /// What each request does, one after the other.
    pub steps: Option<Steps>,
    /// The only step, or the keys that all steps share.
    #[serde(rename = "..")]
    pub step: Step,
}

impl Client {
    /// Whether requests start at equal distances.
    pub fn is_even(&self) -> bool {
        self.arrivals.as_ref().is_some_and(|arrivals| matches!(arrivals.value.policy, ArrivalPolicy::Even(_)))
    }

    /// How many nodes it has.
    pub fn nodes(&self) -> NonZeroU32 {
        nodes(self.nodes.as_ref(), self.place.as_ref())
    }
}

/// How the clocks of several nodes stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Phase {
    /// Anyhow.
    Random,
    /// Spread evenly.
    Staggered,
    /// All at once.
    Aligned,
}

/// One kind of request.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct MixEntry {
    /// How often it is drawn, beside the weights of the others.
    #[serde(default = "weight_one")]
    pub weight: Positive,
    /// The size of the answers.
    pub reply_size: Option<Sizes>,
    /// What it does, one after the other.
    pub steps: Option<Steps>,
    /// The only step, or the keys that all steps share.
    #[serde(rename = "..")]
    pub step: Step,
}

fn weight_one() -> Positive {
    Positive::ONE
}
