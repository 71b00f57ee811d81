//! The sans-IO contract: a process turns inputs into effects.
//!
//! A process is a plain value. It is handed one input at a time and a [`Context`] to read clocks, draw luck and cause
//! effects; it cannot know whether it is simulated. It is built by a factory, and again after a crash from what it had
//! persisted: there is no restart method, so forgetting is real.

mod activity;
mod carriage;
mod clock;
mod context;
mod effects;
mod facts;
mod followed;
mod guarded;
mod logged;
mod loss;
mod message;
mod observation;
mod outbox;
mod peer;
mod queued;
mod saga;
mod timers;

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::random::Seed;

pub use activity::Activity;
pub use carriage::{Carriage, INLINE_MAX, Inline, Pooled, Ticket};
pub use clock::{Clock, Clocks, Steady, Wall, Work};
pub use context::Context;
pub use effects::Effects;
pub use followed::Followed;
pub use guarded::{GuardFact, TurnedAway};
pub use logged::{GroupFact, TopicFact};
pub use loss::Loss;
pub use message::{Identity, Leg, Message, MessageId, Name, Transit};
pub use observation::{Close, Exit, Flow, Kind, NO_PLACE, Observation, Outcome, Wanted};
pub use outbox::{Alarm, Outbox, Outgoing, Write};
pub use peer::PeerEvent;
pub use queued::QueueFact;
pub use saga::SagaFact;
pub use timers::{TimerId, Timers};

/// A state machine on one node, in a system of messages `M`.
pub trait Process<M>: Send + 'static {
    /// What a timer brings back when it fires.
    type Timer: Copy + Send + 'static;

    /// The node came up.
    fn start(&mut self, cx: &mut Context<'_, M, Self::Timer>) {
        let _ = cx;
    }

    /// A message arrived.
    fn message(&mut self, cx: &mut Context<'_, M, Self::Timer>, from: NodeId, message: M);

    /// A timer fired.
    fn timer(&mut self, cx: &mut Context<'_, M, Self::Timer>, timer: Self::Timer) {
        let _ = (cx, timer);
    }

    /// From now on the workload asks this node for `factor` times as much as it was built for: a fault of the load.
    fn load(&mut self, cx: &mut Context<'_, M, Self::Timer>, factor: f64) {
        let _ = (cx, factor);
    }

    /// A stream to or from `peer` is open.
    fn connected(&mut self, cx: &mut Context<'_, M, Self::Timer>, peer: NodeId) {
        let _ = (cx, peer);
    }

    /// The send buffer towards `peer`, which was full, has room again.
    fn writable(&mut self, cx: &mut Context<'_, M, Self::Timer>, peer: NodeId) {
        let _ = (cx, peer);
    }

    /// A stream to or from `peer` was given up, or `peer` knows nothing of it: what was sent on it may or may not have
    /// arrived, and no answer comes on it any more.
    fn reset(&mut self, cx: &mut Context<'_, M, Self::Timer>, peer: NodeId) {
        let _ = (cx, peer);
    }

    /// A stream to or from `peer` has ended in good order, and nothing was lost.
    fn closed(&mut self, cx: &mut Context<'_, M, Self::Timer>, peer: NodeId) {
        let _ = (cx, peer);
    }

    /// A write was taken by the disk; it is not synced, and a crash loses it.
    fn written(&mut self, cx: &mut Context<'_, M, Self::Timer>, key: u64) {
        let _ = (cx, key);
    }

    /// A write was synced.
    fn persisted(&mut self, cx: &mut Context<'_, M, Self::Timer>, key: u64) {
        let _ = (cx, key);
    }

    /// The node goes down, and this write was synced while it was paused, so that it has not heard of it. Now it states what that
    /// means, for what it has on its disk it has not lost; it does nothing else any more.
    fn unheard(&mut self, key: u64, state: &mut dyn FnMut(Observation)) {
        let _ = (key, state);
    }

    /// A write was refused: the disk is full.
    fn refused(&mut self, cx: &mut Context<'_, M, Self::Timer>, key: u64) {
        let _ = (cx, key);
    }
}

/// What a factory knows when it builds a process.
#[derive(Debug)]
pub struct Boot<'a> {
    /// The node.
    pub node: NodeId,
    /// The node's index in its group.
    pub index: u32,
    /// How often the node came up before.
    pub restarts: u32,
    /// The seed of the run, for draws that several nodes have to make alike; a node's own come from its context.
    pub seed: Seed,
    /// What earlier incarnations had persisted and synced, by key.
    pub disk: &'a BTreeMap<u64, Vec<u8>>,
}
