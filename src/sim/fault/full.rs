//! Disks that take nothing more.

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "disk-full",
    summary: "disks refuse what is written",
    explanation: "The disks of these nodes refuse every write; what was written before is kept, and synced. A service that \
                  keeps its state on disk answers that it has failed. Clients have no disk.",
    source: "ENOSPC of write(2); Gunawi and others, Fail-Slow at Scale, FAST 2018, on what full and slow disks do",
};

/// The disks of these nodes take no writes while it lasts.
#[derive(Clone, Debug)]
pub struct DiskFull {
    /// Which nodes.
    pub nodes: Vec<NodeId>,
}

impl<M: Message> Fault<M> for DiskFull {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.fill_disk(node, id, true));
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        self.nodes.iter().for_each(|&node| controls.fill_disk(node, id, false));
    }
}
