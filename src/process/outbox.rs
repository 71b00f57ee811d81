//! Where the effects of one input are collected.

use crate::base::id::NodeId;
use crate::base::time::Span;

use super::clock::Clock;
use super::observation::{Observation, Wanted};
use super::timers::TimerId;

/// The effects of one input, in the order they were caused. A driver carries them out; a test looks at them.
#[derive(Debug)]
pub struct Outbox<M> {
    /// Messages to send.
    pub sends: Vec<Outgoing<M>>,
    /// Timers that were set. Cancelled ones are no longer armed at their node.
    pub alarms: Vec<Alarm>,
    /// Values to persist.
    pub writes: Vec<Write>,
    /// Facts to hand to observers.
    pub observations: Vec<Observation>,
    wanted: Wanted,
}

/// A message to send.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Outgoing<M> {
    /// To whom.
    pub to: NodeId,
    /// Its size in bytes.
    pub size: u64,
    /// The message.
    pub message: M,
}

/// A timer that was set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Alarm {
    /// The clock it runs on.
    pub clock: Clock,
    /// When, from now.
    pub delay: Span,
    /// Its slot.
    pub id: TimerId,
}

/// A value to persist.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Write {
    /// Under which key.
    pub key: u64,
    /// The bytes.
    pub value: Vec<u8>,
}

impl<M> Outbox<M> {
    /// An empty outbox that takes observations of the kinds `wanted`.
    pub fn new(wanted: Wanted) -> Self {
        Self { sends: Vec::new(), alarms: Vec::new(), writes: Vec::new(), observations: Vec::new(), wanted }
    }

    /// The observations that are taken.
    #[inline(always)]
    pub fn wanted(&self) -> Wanted {
        self.wanted
    }

    /// The number of effects that become events: sends, timers, writes.
    #[inline(always)]
    pub fn events(&self) -> usize {
        self.sends.len() + self.alarms.len() + self.writes.len()
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.sends.clear();
        self.alarms.clear();
        self.writes.clear();
        self.observations.clear();
    }
}
