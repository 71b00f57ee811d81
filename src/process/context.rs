//! What a process may do while it handles an input.

use crate::base::id::{Entity, NodeId};
use crate::base::random::Uniform;
use crate::base::time::Span;

use super::clock::{Clock, Clocks, Steady, Wall, Work};
use super::effects::Effects;
use super::message::Message;
use super::observation::{Observation, Wanted};
use super::timers::{TimerId, Timers};

/// One input's surroundings: clocks to read, luck to draw, effects to cause. `M` is the system's message type, `T` the
/// process's timer type.
pub struct Context<'a, M, T> {
    /// The node the process runs on.
    pub me: NodeId,
    /// The node's name.
    pub name: Entity,
    /// What the node's clocks show.
    pub clocks: Clocks,
    /// The node's timers.
    pub timers: &'a mut Timers<T>,
    /// The draws made so far on this node.
    pub draws: &'a mut u64,
    /// The observations that somebody wants.
    pub wanted: Wanted,
    /// Who carries out the effects.
    pub effects: &'a mut dyn Effects<M>,
}

impl<M: Message, T: Copy> Context<'_, M, T> {
    /// The node's own clock.
    pub fn now(&self) -> Steady {
        self.clocks.steady
    }

    /// The node's calendar clock.
    pub fn wall(&self) -> Wall {
        self.clocks.wall
    }

    /// The node's work clock.
    pub fn work(&self) -> Work {
        self.clocks.work
    }

    /// The node's name.
    pub fn name(&self) -> Entity {
        self.name
    }

    /// Sends a message; it arrives when, if and as often as the network decides, never before the next nanosecond.
    #[inline(always)]
    pub fn send(&mut self, to: NodeId, message: M) {
        let size = message.size();
        self.send_sized(to, message, size);
    }

    /// Sends a message of `size` bytes.
    #[inline(always)]
    pub fn send_sized(&mut self, to: NodeId, message: impl Into<M>, size: u64) {
        self.effects.send(to, size, message.into());
    }

    /// Whether the send buffer towards `to` has room, where messages travel as a stream. What is sent without room waits; the
    /// `writable` input says when there is some again.
    pub fn is_writable(&self, to: NodeId) -> bool {
        self.effects.is_writable(to)
    }

    /// Sets a timer `delay` from now (a nanosecond at least); `value` comes back when it fires.
    #[inline(always)]
    pub fn set_timer(&mut self, clock: Clock, delay: Span, value: T) -> TimerId {
        let id = self.timers.arm(value);
        self.effects.alarm(clock, delay, id);
        id
    }

    /// Cancels a timer and returns its value; nothing if it fired or was cancelled before.
    #[inline(always)]
    pub fn cancel_timer(&mut self, id: TimerId) -> Option<T> {
        self.timers.disarm(id)
    }

    /// Writes `value` under `key` to the node's disk. The write is synced later, said by the `persisted` input; a crash
    /// before that loses it.
    pub fn persist(&mut self, key: u64, value: Vec<u8>) {
        self.effects.write(key, value);
    }

    /// A uniform draw of this node's own.
    #[inline(always)]
    pub fn draw(&mut self) -> Uniform {
        let position = *self.draws;
        *self.draws += 1;
        self.effects.draw(self.name, position)
    }

    /// One of `count` possibilities, all of them legal: drawn here, explored one by one by other drivers.
    #[inline(always)]
    pub fn choose(&mut self, count: usize) -> usize {
        self.draw().below(count as u64) as usize
    }

    /// States a fact to whoever wants to know.
    #[inline(always)]
    pub fn observe(&mut self, observation: Observation) {
        if self.wanted.has(observation.kind()) {
            self.effects.observe(&observation);
        }
    }
}
