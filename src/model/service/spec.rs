//! What a group of service nodes is like: plain data.

use std::num::NonZeroU32;
use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::time::{Span, secs};
use crate::model::health::Duties;
use crate::model::journal::State;
use crate::model::line::MakesRoom;
use crate::model::log::ReaderSpec;
use crate::protocol::concurrency::ConcurrencyPolicy;
use crate::protocol::queue::QueuePolicy;
use crate::protocol::rate_limit::RateLimitPolicy;
use crate::protocol::shed::ShedPolicy;

/// How a group of service nodes handles requests.
#[derive(Clone, Debug)]
pub struct ServiceSpec {
    /// Requests a node handles at a time; as many as come if `None`.
    pub workers: Option<NonZeroU32>,
    /// Whether the workers are shared by all that are present, rather than each taken by one.
    pub shares_workers: bool,
    /// How fast each node works, 1 being as written: one for all, or one for each node.
    pub speed: Vec<f64>,
    /// Where requests wait for a worker.
    pub queue: QueueSpec,
    /// Who is turned away on arrival, though there may be room.
    pub shed: Option<ShedPolicy>,
    /// How fast requests are let in.
    pub rate_limit: Option<RateLimitPolicy>,
    /// How many requests may be inside, waiting or at work.
    pub concurrency_limit: Option<ConcurrencyPolicy>,
    /// Whether a worker is held while its request waits.
    pub holds_worker: bool,
    /// What becomes of its state in a crash.
    pub state: State,
    /// Whether the end of a message it waited for, if a bad one, is that of the request: a balancer's node says what it was
    /// told, where all others have failed.
    pub passes_on: bool,
    /// The kind of message that its nodes consume from a broker, if they do.
    pub consumes: Option<u16>,
    /// The kind of message that its nodes read from topics, and how, if they do.
    pub reads: Option<(u16, Arc<ReaderSpec>)>,
    /// How the outbox of a node is emptied, if it has one: which needs a state on disk.
    pub outbox: Option<OutboxSpec>,
    /// What its nodes do for those that want to know how they are.
    pub duties: Arc<Duties>,
}

/// How the outbox of a node is emptied.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct OutboxSpec {
    /// How often somebody looks for new rows.
    pub poll_interval: Span,
    /// How many messages are under way at a time.
    pub batch_size: NonZeroU32,
}

impl OutboxSpec {
    /// How long a confirm is waited for, unless the policy says otherwise.
    pub const TIMEOUT: Span = secs(5);
}

/// Where requests wait for a worker.
#[derive(Clone, Debug)]
pub struct QueueSpec {
    /// Room to wait; as much as needed if `None`.
    pub limit: Option<u32>,
    /// Whether the limit counts all present, those with a worker too.
    pub counts_present: bool,
    /// Who makes room for a newcomer that finds none; nobody if `None`.
    pub makes_room: Option<MakesRoom>,
    /// Whether those for whom there is no room, and those that are shed, are told so.
    pub tells: bool,
    /// Who is next.
    pub discipline: QueuePolicy,
    /// How long a request may wait; one draw for each attempt.
    pub time_to_live: Option<Distribution>,
    /// Whether what has waited too long, or is past its deadline, leaves at once, rather than when its turn comes.
    pub expires_at_once: bool,
}

impl QueueSpec {
    /// Whether somebody has to look when a request has waited too long.
    pub(super) fn limits_waits(&self) -> bool {
        self.time_to_live.is_some() || self.expires_at_once
    }
}
