//! Who carries out what a process causes.

use crate::base::id::{Entity, NodeId};
use crate::base::random::Uniform;
use crate::base::time::Span;

use super::clock::Clock;
use super::observation::Observation;
use super::timers::TimerId;

/// A driver's side of a [`Context`](super::Context): each effect is handed over at the moment it is caused, and nothing is
/// collected on the way. Where a handler is small enough to stand in the driver's own code, the compiler knows the driver
/// and no call is left.
pub trait Effects<M> {
    /// The uniform at `position` of the draws of the node called `name`.
    fn draw(&mut self, name: Entity, position: u64) -> Uniform;

    /// A message of `size` bytes leaves.
    fn send(&mut self, to: NodeId, size: u64, message: M);

    /// Whether a message to `to` would leave at once, as far as this node's own send buffer goes.
    fn is_writable(&self, to: NodeId) -> bool {
        let _ = to;
        true
    }

    /// A timer was set, `delay` from now.
    fn alarm(&mut self, clock: Clock, delay: Span, id: TimerId);

    /// A value is to be persisted.
    fn write(&mut self, key: u64, value: Vec<u8>);

    /// A fact that somebody wants was stated.
    fn observe(&mut self, observation: &Observation);
}
