//! Who measures: observers of facts.

use std::any::Any;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Followed, MessageId, Observation, Wanted};

/// Takes in the facts that processes state, in the order of events, with the true time.
///
/// An observer says once which kinds it wants; the others never reach it.
pub trait Observer: Any + Send {
    /// The kinds of observations it wants.
    fn wanted(&self) -> Wanted;

    /// `node` stated this fact at `now`.
    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation);

    /// If it wants to hear of copies on the wire and of what happens at stations for some messages only: for which.
    fn followed(&self) -> Option<Followed> {
        None
    }

    /// A hint that `node` will soon take in `message`: a chance to have what is known of either brought near.
    #[inline]
    fn prefetch(&self, node: NodeId, message: MessageId) {
        let _ = (node, message);
    }
}
