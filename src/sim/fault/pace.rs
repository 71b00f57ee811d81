//! Senders transmit slowly.

use crate::base::units::Bandwidth;
use crate::process::Message;
use crate::sim::control::Controls;

use super::path::Path;
use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "bandwidth",
    summary: "each sender transmits at a lower rate",
    explanation: "What each node sends on the path waits in a queue at the node and is transmitted at this rate, before it meets                   its link: a bottleneck in front of the link, as when a network card falls back to a lower speed or a traffic                   shaper sets in. Nothing is dropped there. What waits when the fault heals goes on at once. Messages need a                   size.",
    source: "the token bucket filter of Linux (tc-tbf(8)), with a bucket of one message",
};

/// While it lasts, each node transmits what it sends on this path at this rate at most.
#[derive(Clone, Debug)]
pub struct Pace {
    /// Which messages.
    pub on: Path,
    /// How fast.
    pub rate: Bandwidth,
}

impl<M: Message> Fault<M> for Pace {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.pace(id, self.on.clone(), self.rate);
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.release(id, &self.on);
    }
}
