//! A node that does nothing of its own: the network forwards messages over it as long as it is up.

use crate::base::id::NodeId;
use crate::process::{Context, Process};

/// A router, or a switch: nobody's client and nobody's service.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Router;

impl<M> Process<M> for Router {
    type Timer = ();

    fn message(&mut self, _: &mut Context<'_, M, ()>, _: NodeId, _: M) {}
}
