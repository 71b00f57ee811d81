//! Messages wait until the fault has healed.

use crate::process::Message;
use crate::sim::control::Controls;

use super::path::Path;
use super::{Fault, FaultEntry, FaultId};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "hold",
    summary: "messages wait, and go on when it heals",
    explanation: "What is sent meanwhile stays in the network until the fault heals; then it leaves in the order in which it was \
                  sent, and meets its link. Nothing is lost: a stalled switch, a route that flaps, a firewall that is reloaded. \
                  What was under way before arrives.",
    source: "`hold` and `release` of turmoil; messages delayed without bound are what an asynchronous network is (Fischer, \
             Lynch, Paterson, 1985)",
};

/// While it lasts, what is sent on this path waits; then it goes on.
#[derive(Clone, Debug)]
pub struct Hold(pub Path);

impl<M: Message> Fault<M> for Hold {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.hold(id, self.0.clone());
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.release(id, &self.0);
    }
}
