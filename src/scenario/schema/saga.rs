//! Legs of sagas: a message, and the one that undoes it.

use schemars::JsonSchema;
use serde::Deserialize;

use super::quantity_text::Duration;
use super::step::Step;
use crate::base::time::{Span, secs};
use crate::scenario::document::Located;

/// One leg of a saga: a `call`, a `send` or a `publish`, and the message that undoes it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Leg {
    /// The message that undoes this leg: a `call`, a `send` or a `publish`, with keys of its own. It is sent when a later leg does not
    /// end well, when this one may or may not have been done, or after a crash, and tried until it has ended well. It may come for a leg
    /// that was never done, and more than once. A leg without it stays as it is.
    pub compensate: Option<Located<Step>>,
    /// How long after a compensation that ended badly, with all attempts of its policy, it is sent again.
    #[schemars(extend("default" = "1s"))]
    pub retry_every: Option<Located<Duration>>,
    /// The message of this leg, and how it is sent.
    #[serde(rename = "..")]
    pub step: Step,
}

impl Leg {
    /// How long a compensation rests, unless something else is said.
    pub const RETRY_EVERY: Span = secs(1);
}
