//! Nodes go down, and come up again with what they had synced.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultId};

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
