//! What can be done to a running system from outside.

use crate::base::id::NodeId;
use crate::base::time::Time;

use super::cluster::Cluster;
use crate::process::Message;

/// An intervention at a set time, before everything else that happens then.
pub trait Control<M: Message>: Send + 'static {
    /// Carries it out.
    fn apply(&self, controls: &mut Controls<'_, M>);
}

impl<M: Message, F: Fn(&mut Controls<'_, M>) + Send + 'static> Control<M> for F {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        self(controls);
    }
}

/// The handles an intervention may turn.
pub struct Controls<'a, M: Message> {
    pub(super) cluster: &'a mut Cluster<M>,
}

impl<M: Message> Controls<'_, M> {
    /// The time of the intervention.
    pub fn now(&self) -> Time {
        self.cluster.now()
    }

    /// Crashes a node: its process, its timers and what it had not synced are gone. Nothing if it is down.
    pub fn crash(&mut self, node: NodeId) {
        self.cluster.crash(node);
    }

    /// Starts a node that is down: a new process, built from what its disk holds. Nothing if it is up.
    pub fn restart(&mut self, node: NodeId) {
        self.cluster.restart(node);
    }
}

/// Crashes a node.
#[derive(Clone, Copy, Debug)]
pub struct Crash(NodeId);

impl Crash {
    /// Of this node.
    pub fn of(node: NodeId) -> Self {
        Self(node)
    }
}

impl<M: Message> Control<M> for Crash {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        controls.crash(self.0);
    }
}

/// Starts a node that is down.
#[derive(Clone, Copy, Debug)]
pub struct Restart(NodeId);

impl Restart {
    /// Of this node.
    pub fn of(node: NodeId) -> Self {
        Self(node)
    }
}

impl<M: Message> Control<M> for Restart {
    fn apply(&self, controls: &mut Controls<'_, M>) {
        controls.restart(self.0);
    }
}
