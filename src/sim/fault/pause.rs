//! Nodes stop and go on, as in a garbage collection or a suspended virtual machine.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "pause",
    summary: "nodes stop, and go on when it heals",
    explanation: "A stop of the world: a garbage collection, a suspended virtual machine, SIGSTOP. What arrives \
                  waits, in order, and so do timers that are due; work under way stands still. When the fault heals \
                  the node takes it all in at once. Its peers see nothing but silence; of a stream, acknowledgements \
                  and a window that closes.",
    source: "the `pause` fault of Jepsen's nemesis",
};

/// Nodes do nothing while it lasts. What arrives waits, in order, as do timers that are due; work stands still. When it heals
/// they take it all in at once.
#[derive(Clone, Debug)]
pub struct Pause {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
}

impl<M: Message> Fault<M> for Pause {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.pause(node, id));
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.resume(node, id));
    }
}
