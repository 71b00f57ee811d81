//! `[services]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chosen::Chosen;
use super::distribution::Sizes;
use super::families::Balance;
use super::number::Positive;
use super::place::{Place, nodes};
use super::policy::{Cancel, Limit};
use super::state::State;
use super::step::Step;
use super::{Named, Steps};
use crate::scenario::document::{Located, OneOrMany};

/// A group of nodes that handle messages and requests.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Service {
    /// How many nodes.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where they are; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// How many requests a node handles at a time.
    #[serde(default = "one_worker")]
    pub workers: Limit,
    /// How fast the nodes work, 1 being as written; a list where they differ, one for each node.
    #[schemars(extend("default" = 1))]
    pub speed: Option<Located<OneOrMany<Positive>>>,
    /// Where requests wait when all workers are busy.
    #[serde(default)]
    pub queue: Queue,
    /// Whether a worker is held while its request waits for the answer to a `call`.
    #[serde(default = "held")]
    pub hold_worker: bool,
    /// How callers choose among the nodes; a policy may say otherwise.
    #[schemars(extend("default" = "round-robin"))]
    pub balance: Option<Located<Chosen<Balance>>>,
    /// What happens to a request that its caller has given up.
    #[serde(default)]
    pub cancel: Cancel,
    /// Where the effects are of what it has handled; elsewhere, so that no crash takes them, if it is left out.
    pub state: Option<State>,
    /// The size of the answers; that of the request if it is left out.
    pub reply_size: Option<Sizes>,
    /// Several kinds of requests it handles, called as `service/op`.
    #[serde(default)]
    pub ops: Named<Op>,
    /// What each request does, one after the other.
    pub steps: Option<Steps>,
    /// The only step, or the keys that all steps share.
    #[serde(rename = "..")]
    pub step: Step,
    /// Whether it stands for a balancer.
    #[serde(skip)]
    pub(in crate::scenario) passes_on: bool,
}

impl Service {
    /// How many nodes it has.
    pub fn nodes(&self) -> NonZeroU32 {
        nodes(self.nodes.as_ref(), self.place.as_ref())
    }
}

/// One kind of request that a service handles.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Op {
    /// The size of the answers; the service's if it is left out.
    pub reply_size: Option<Sizes>,
    /// What it does, one after the other.
    pub steps: Option<Steps>,
    /// The only step, or the keys that all steps share.
    #[serde(rename = "..")]
    pub step: Step,
}

/// Where requests wait when all workers of a node are busy.
#[derive(Clone, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Queue {
    /// How many there may be.
    #[serde(default = "unlimited")]
    pub limit: QueueLimit,
    /// What happens to those who find no room.
    #[serde(default)]
    pub when_full: WhenFull,
    /// Whom the limit counts.
    #[serde(default)]
    pub counts: Counts,
    /// Who is next.
    #[serde(default)]
    pub discipline: Discipline,
}

/// How many requests a queue may hold.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum QueueLimit {
    /// So many; none if it is 0.
    #[serde(rename = "=")]
    Constant(u32),
    /// Without limit.
    Unlimited,
}

/// What happens to a request that finds no room.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// The caller is told.
    #[default]
    Reject,
    /// Nobody is told.
    Drop,
}

/// Whom the limit of a queue counts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Counts {
    /// Those who wait.
    #[default]
    Waiting,
    /// Those who are at work as well.
    Present,
}

/// Who is next in a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// Who came first.
    #[default]
    Fifo,
}

impl Default for Queue {
    fn default() -> Self {
        Self {
            limit: unlimited(),
            when_full: WhenFull::default(),
            counts: Counts::default(),
            discipline: Discipline::default(),
        }
    }
}

fn unlimited() -> QueueLimit {
    QueueLimit::Unlimited
}

fn one_worker() -> Limit {
    Limit::Constant(NonZeroU32::MIN)
}

fn held() -> bool {
    true
}
