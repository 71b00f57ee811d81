//! What a caller does about slowness and failure: plain data.

use std::num::NonZeroU32;

use crate::protocol::balance::BalancePolicy;
use crate::protocol::delivery::DedupWindow;
use crate::protocol::retry::RetryPolicy;

use super::guard::GuardSpec;
use super::health::HealthSpec;

/// What counts as delivered.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Delivery {
    /// Handled, and once; never sent again.
    #[default]
    AtMostOnce,
    /// Acknowledged, and sent again if not.
    AtLeastOnce,
    /// One effect, however often it was sent.
    ExactlyOnce,
}

/// What happens at the receiver to an attempt that its sender has given up.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Cancel {
    /// It is handled all the same.
    #[default]
    None,
    /// It leaves the queue if it still waits.
    Queued,
    /// It leaves the queue, or the worker that has begun it.
    Running,
}

impl Policy {
    /// Whether each of two copies knows of the other.
    pub fn is_tied(&self) -> bool {
        self.guard.hedge.as_ref().is_some_and(|hedge| hedge.tied)
    }

    /// Whether what is not answered is given up some time.
    pub fn gives_up(&self) -> bool {
        self.retry.timeout.is_some() || self.guard.timeout.is_some() || self.retry.deadline.is_some()
    }
}

/// A caller's policy for one kind of message.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Policy {
    /// What counts as delivered.
    pub delivery: Delivery,
    /// Whether a message is handled only after all earlier ones of its sender.
    pub ordered: bool,
    /// Timeouts, attempts, backoff.
    pub retry: RetryPolicy,
    /// What becomes of attempts that were given up.
    pub cancel: Cancel,
    /// How far a sender may be ahead of its oldest unconfirmed message.
    pub window: Option<NonZeroU32>,
    /// How many messages of a sender may be unconfirmed at a time.
    pub max_in_flight: Option<NonZeroU32>,
    /// How much a receiver remembers, where it must not handle twice; everything if not given.
    pub dedup: Option<DedupWindow>,
    /// How members are chosen; the service's own choice if not given.
    pub balance: Option<BalancePolicy>,
    /// What stands between the sender and the group.
    pub guard: GuardSpec,
    /// How the sender finds out which members are up.
    pub health: HealthSpec,
}
