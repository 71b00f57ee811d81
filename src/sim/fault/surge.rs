//! More load, or less.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "load",
    summary: "clients bring several times their rate",
    explanation: "Time runs `factor` times as fast for the arrivals of these clients: what would have come within the span \
                  comes within a part of it, and more follows. The same messages are due in the same order as without the \
                  fault, earlier. Below 1 it is a lull. Factors of faults that overlap multiply. Only for clients with a \
                  `rate`: users who wait for answers bring as much as they get served.",
    source: "a change of time of a Poisson process is a Poisson process: Kingman, Poisson Processes, 1993; overload as a \
             trigger of metastable failures: Bronson and others, HotOS 2021",
};

/// These nodes bring `factor` times their load while it lasts.
#[derive(Clone, Debug)]
pub struct Surge {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
    /// How many times as much; above 0.
    pub factor: f64,
}

impl<M: Message> Fault<M> for Surge {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.load(node, id, self.factor));
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.load(node, id, 1.0));
    }
}
