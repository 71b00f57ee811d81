//! Nodes that compute more slowly and are otherwise well: a gray failure.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "slow",
    summary: "work takes longer, and all else is well",
    explanation: "A gray failure: a failing disk, a noisy neighbour, a throttled processor. Work takes `factor` times as long, \
                  work under way included; answers still come, so that neither a health check nor a timeout of the usual \
                  length notices. Factors of faults that overlap multiply.",
    source: "Huang and others, Gray Failure: The Achilles' Heel of Cloud-Scale Systems, HotOS 2017",
};

/// Work takes `factor` times as long while it lasts, work under way included; timeouts and the network are as ever.
#[derive(Clone, Debug)]
pub struct Slow {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
    /// How many times longer work takes; at least 1.
    pub factor: f64,
}

impl<M: Message> Fault<M> for Slow {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.slow(node, id, self.factor));
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.slow(node, id, 1.0));
    }
}
