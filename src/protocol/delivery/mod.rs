//! Delivery: what sender and receiver remember so that a message is handled as often, and in the order, that it should.
//!
//! The sender keeps the table of [`Outstanding`] requests and limits how many are under way ([`InFlight`], [`SendWindow`]);
//! the receiver drops what it has seen before ([`Dedup`]) and puts messages back in order ([`Reorder`]). All of them speak
//! of a message by its [`Number`] at its sender and hold the state of one sender only.

mod dedup;
mod in_flight;
mod interval_set;
mod outstanding;
mod reorder;
mod window;

use std::fmt;
use std::num::NonZeroU32;

use super::Entry;
use crate::base::time::secs;

pub use dedup::{Dedup, DedupPolicy, DedupWindow, Forgotten, Sighting};
pub use in_flight::InFlight;
pub use interval_set::{Interval, IntervalSet};
pub use outstanding::Outstanding;
pub use reorder::{Arrival, Reorder};
pub use window::SendWindow;

/// A message's number at its sender: 0, 1, 2 … in the order in which the sender made them.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Number(u64);

impl Number {
    /// The number `value`.
    pub const fn new(value: u64) -> Self {
        Self(value)
    }

    /// The value.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.0)
    }
}

/// How far back a receiver remembers, by scenario name.
pub const DEDUP_WINDOWS: &[Entry<DedupWindow>] = &[
    Entry {
        name: "unlimited",
        summary: "Every number ever seen, as intervals.",
        source: "RFC 2018 (received data as disjoint blocks)",
        example: DedupWindow::Unlimited,
    },
    Entry {
        name: "count",
        summary: "The highest so many different numbers of each sender.",
        source: "RFC 4303 section 3.4.3 (anti-replay window)",
        example: DedupWindow::Count(NonZeroU32::MIN.saturating_add(99)),
    },
    Entry {
        name: "time",
        summary: "Every number for so long after it was first seen.",
        source: "Amazon SQS, deduplication interval of FIFO queues",
        example: DedupWindow::Time(secs(300)),
    },
];

/// What a receiver does with a number it may have forgotten, by scenario name.
pub const FORGOTTEN: &[Entry<Forgotten>] = &[
    Entry {
        name: "handle",
        summary: "Handles it: a late message is not lost, a late duplicate is handled again.",
        source: "Amazon SQS, deduplication interval of FIFO queues",
        example: Forgotten::Handle,
    },
    Entry {
        name: "refuse",
        summary: "Refuses it: no duplicate is ever handled, a message later than the window is lost.",
        source: "RFC 4303 section 3.4.3 (anti-replay window)",
        example: Forgotten::Refuse,
    },
];
