//! `[services]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::chosen::Chosen;
use super::distribution::{Sizes, Times};
use super::families::{Balance, ConcurrencyLimit, QueueDiscipline, RateLimit, Shed};
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
    /// How requests share the workers.
    #[schemars(extend("default" = "queue"))]
    pub discipline: Option<Located<Discipline>>,
    /// How fast the nodes work, 1 being as written; a list where they differ, one for each node.
    #[schemars(extend("default" = 1))]
    pub speed: Option<Located<OneOrMany<Positive>>>,
    /// Where requests wait when all workers are busy.
    #[serde(default)]
    pub queue: Queue,
    /// Who is turned away on arrival, though there may be room; nobody if it is left out.
    pub shed: Option<Located<Chosen<Shed>>>,
    /// How fast requests are let in, and how many; as they come if it is left out.
    pub admit: Option<Admit>,
    /// Whether a worker is held while its request waits: for the answer to a `call`, or for the end of a `sleep`. Without, it takes
    /// another request meanwhile, as in an asynchronous server.
    #[schemars(extend("default" = true))]
    pub hold_worker: Option<Located<bool>>,
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

/// How fast requests are let in at a node, and how many. Who is turned away is told so, unless `when-full` drops.
///
/// `rate-limit` and `concurrency-limit` beside this table, on the service itself, are about what it sends.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Admit {
    /// How fast requests may come in.
    pub rate_limit: Option<Located<Chosen<RateLimit>>>,
    /// How many requests may be inside at a time, waiting, at work, or waiting for answers. A limit that adapts learns from the time
    /// that they spend there.
    pub concurrency_limit: Option<Located<Chosen<ConcurrencyLimit>>>,
}

/// How requests share the workers of a node.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Discipline {
    /// Each has a worker to itself, and those who find none wait in the queue.
    Queue,
    /// Processor sharing: all who are present are worked on at the same time, each as fast as a worker works, or slower if there are
    /// more requests than workers, so that all together are as fast as the workers. So do threads under an operating system's
    /// scheduler. Short requests do not wait for long ones, and nobody is refused a beginning; under overload everybody is
    /// slow. A request that waits for an answer, or sleeps, leaves its share to the others. Source: Kleinrock, Time-shared systems:
    /// a theoretical treatment, JACM 14(2), 1967.
    ProcessorSharing,
}

/// Where requests wait when all workers of a node are busy.
#[derive(Clone, PartialEq, Debug, Deserialize, Serialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Queue {
    /// How many there may be.
    #[serde(default = "unlimited")]
    pub limit: QueueLimit,
    /// What happens when there is no room for one more.
    #[serde(default)]
    pub when_full: WhenFull,
    /// Whom the limit counts.
    #[serde(default)]
    pub counts: Counts,
    /// Who is next.
    #[serde(skip_serializing)]
    #[schemars(extend("default" = "fifo"))]
    pub discipline: Option<Located<Chosen<QueueDiscipline>>>,
    /// How long a request may wait for a worker; one draw for each attempt. Who has waited longer is not begun, and its caller is told
    /// that it expired. As long as it takes if it is left out. RabbitMQ's message TTL.
    #[serde(skip_serializing)]
    pub time_to_live: Option<Times>,
    /// When a request leaves that has waited too long, or whose deadline has passed.
    #[serde(skip_serializing)]
    #[schemars(extend("default" = "start"))]
    pub expire_at: Option<Located<ExpireAt>>,
}

/// When a request leaves the queue that has waited too long, or whose deadline has passed.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ExpireAt {
    /// When its turn comes. Until then it takes up room.
    Start,
    /// At once.
    Any,
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

/// What happens when there is no room for one more.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum WhenFull {
    /// It is turned away, and its caller is told.
    #[default]
    Reject,
    /// It is turned away, and nobody is told.
    Drop,
    /// Whoever waits longest makes room, and its caller is told.
    RejectOldest,
    /// Whoever waits longest makes room, and nobody is told. RabbitMQ's `drop-head`.
    DropOldest,
    /// The last of those with the lowest priority makes room, if that is lower than the newcomer's, and its caller is told.
    RejectLowest,
    /// The last of those with the lowest priority makes room, if that is lower than the newcomer's, and nobody is told.
    DropLowest,
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

impl Default for Queue {
    fn default() -> Self {
        Self {
            limit: unlimited(),
            when_full: WhenFull::default(),
            counts: Counts::default(),
            discipline: None,
            time_to_live: None,
            expire_at: None,
        }
    }
}

fn unlimited() -> QueueLimit {
    QueueLimit::Unlimited
}

fn one_worker() -> Limit {
    Limit::Constant(NonZeroU32::MIN)
}
