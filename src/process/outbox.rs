//! Where the effects of one input are collected.

use crate::base::id::{Entity, NodeId};
use crate::base::random::{Key, Uniform};
use crate::base::time::Span;

use super::clock::Clock;
use super::effects::Effects;
use super::observation::Observation;
use super::timers::TimerId;

/// The effects of some inputs, in the order they were caused: for whoever wants to look at them, such as a test.
#[derive(Debug)]
pub struct Outbox<M> {
    /// The key of the draws.
    pub luck: Key,
    /// Messages to send.
    pub sends: Vec<Outgoing<M>>,
    /// Timers that were set. Cancelled ones are no longer armed at their node.
    pub alarms: Vec<Alarm>,
    /// Values to persist.
    pub writes: Vec<Write>,
    /// Facts to hand to observers.
    pub observations: Vec<Observation>,
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
    /// An empty one, with draws under `luck`.
    pub fn new(luck: Key) -> Self {
        Self { luck, sends: Vec::new(), alarms: Vec::new(), writes: Vec::new(), observations: Vec::new() }
    }

    /// Forgets everything and keeps the memory.
    pub fn clear(&mut self) {
        self.sends.clear();
        self.alarms.clear();
        self.writes.clear();
        self.observations.clear();
    }
}

impl<M> Effects<M> for Outbox<M> {
    fn draw(&mut self, name: Entity, position: u64) -> Uniform {
        self.luck.block(name, position).first()
    }

    fn send(&mut self, to: NodeId, size: u64, message: M) {
        self.sends.push(Outgoing { to, size, message });
    }

    fn alarm(&mut self, clock: Clock, delay: Span, id: TimerId) {
        self.alarms.push(Alarm { clock, delay, id });
    }

    fn write(&mut self, key: u64, value: Vec<u8>) {
        self.writes.push(Write { key, value });
    }

    fn observe(&mut self, observation: &Observation) {
        self.observations.push(*observation);
    }
}
