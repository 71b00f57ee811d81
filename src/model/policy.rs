//! How a sender deals with slowness and failure.

use std::num::NonZeroU32;

use crate::protocol::balance::BalancePolicy;
use crate::protocol::delivery::DedupWindow;
use crate::protocol::retry::RetryPolicy;

/// How a sender deals with slowness and failure: plain data, shared by all messages that follow it.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// What counts as delivered.
    pub delivery: Delivery,
    /// Whether a message counts only after all earlier ones of its sender.
    pub ordered: bool,
    /// How long an attempt may take, and what follows one that failed.
    pub retry: RetryPolicy,
    /// What happens at the receiver to an attempt that was given up.
    pub cancel: Cancel,
    /// How far the sender may be ahead of its oldest unconfirmed message; none sets no limit.
    pub window: Option<NonZeroU32>,
    /// How many messages of the sender may be unconfirmed at a time; none sets no limit.
    pub max_in_flight: Option<NonZeroU32>,
    /// How much a receiver remembers so as not to handle a message twice; none drops no duplicates.
    pub dedup: Option<DedupWindow>,
    /// How the sender chooses among the receivers; none leaves it to what they say themselves.
    pub balance: Option<BalancePolicy>,
}

/// What counts as delivered.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Delivery {
    /// Handled, and once; never sent again.
    AtMostOnce,
    /// Acknowledged, and sent again if not.
    AtLeastOnce,
    /// One effect, however often it was sent.
    ExactlyOnce,
}

/// What happens at the receiver to an attempt that its sender has given up.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Cancel {
    /// It is handled all the same.
    #[default]
    None,
    /// It leaves the queue if it still waits.
    Queued,
    /// It leaves the queue, or the worker that has begun it.
    Running,
}
