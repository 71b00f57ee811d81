//! Nodes go down, and come up again with what they had synced.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "crash",
    summary: "nodes go down, and start anew when it heals",
    explanation: "A node that is down loses its memory, its queue and its timers; what is sent to it is lost, and \
                  nobody is told, but that a stream's peers learn of it from the first segment that reaches the node \
                  again. When the fault heals, the node starts from what it had synced to its disk. Without `for` it \
                  never does. Clients forget what they had asked for; their messages end in doubt if they were \
                  handled, else lost.",
    source: "the crash-recovery model: Cachin, Guerraoui, Rodrigues, Introduction to Reliable and Secure Distributed \
             Programming, 2nd edition, 2011",
};

/// Nodes are down while it lasts: their processes, their timers and what they had not synced are gone, and what is sent to
/// them is lost. When it heals they start anew. One that never heals kills for good.
#[derive(Clone, Debug)]
pub struct Crash {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
}

impl<M: Message> Fault<M> for Crash {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.bring_down(node, id));
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.bring_back(node, id));
    }
}
