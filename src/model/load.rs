//! What a group of clients brings: when requests are due, how many, and what they do.

use std::sync::Arc;

use crate::base::distribution::Distribution;
use crate::base::time::Span;
use crate::protocol::workload::arrivals::{Batch, FirstGap};

use super::feed::{Feed, Trace};
use super::pace::Course;
use super::script::Choice;

/// What a group of clients brings.
#[derive(Clone, Debug)]
pub struct ClientSpec {
    /// When requests are due.
    pub load: Load,
    /// How that changes with time.
    pub course: Course,
    /// How many come at once.
    pub batch: Option<Batch>,
    /// What a request does.
    pub program: Choice,
    /// When the load begins.
    pub from: Span,
    /// When it ends: nothing is due from here on.
    pub until: Span,
    /// How many requests the group starts at most.
    pub count: Option<u64>,
    /// Nodes in the group.
    pub nodes: u32,
}

impl ClientSpec {
    /// What the group's nodes share in one run, if it plays a trace.
    pub fn feed(&self) -> Option<Feed> {
        match &self.load {
            Load::Trace(trace) => Some(Feed::new(Arc::clone(trace), self.nodes)),
            _ => None,
        }
    }

    /// Whether there is more to its arrivals than gaps of one law.
    pub(super) fn is_unusual(&self) -> bool {
        !self.course.is_constant() || self.batch.is_some()
    }
}

/// When requests are due.
#[derive(Clone, Debug)]
pub enum Load {
    /// At random: gaps of this law at each node, independent of each other.
    Renewal {
        /// The gaps.
        gap: Distribution,
        /// The time to the first arrival, unless that is a gap like any other.
        first: Option<FirstGap>,
    },
    /// At equal distances of so many nanoseconds at each node, the first after a share of it.
    Even {
        /// Mean gap in nanoseconds; requests are due at its multiples, rounded each on its own.
        gap: f64,
        /// How the nodes stand to each other.
        phase: Phase,
    },
    /// As a trace says, dealt to the nodes in turn.
    Trace(Arc<dyn Trace>),
    /// By users of the group, each one after it has thought.
    Users {
        /// In the whole group.
        users: u32,
        /// The time between the end of a request and the next.
        think: Distribution,
    },
}

/// How the clocks of several nodes stand to each other.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// Anyhow.
    #[default]
    Random,
    /// Spread evenly.
    Staggered,
    /// All at once.
    Aligned,
}
