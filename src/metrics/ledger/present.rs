//! Where copies are, so that those which a node forgets when it goes down are known to be lost.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::process::{MessageId, Observation};

/// Copies that were received by a node and have not come to their end there; those that are on its disk are none of them, as
/// nobody can forget them.
#[derive(Default, Debug)]
pub(super) struct Present(BTreeMap<NodeId, BTreeMap<Copy, u32>>);

/// Copies of one message at a node, and the place that keeps them, if one does.
pub(super) type Copy = (MessageId, Option<u16>);

impl Present {
    pub(super) fn take(&mut self, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Received { message, duplicate: false } => self.come(node, (message, None)),
            Observation::Stored { message, place, .. } => self.come(node, (message, Some(place))),
            Observation::Handled { message, .. } => self.go(node, (message, None)),
            Observation::Kept { message, place } | Observation::Released { message, place, is_kept: false, .. } => {
                self.go(node, (message, Some(place)));
            }
            _ => {}
        }
    }

    /// What a node had, and has forgotten.
    pub(super) fn forget(&mut self, node: NodeId) -> BTreeMap<Copy, u32> {
        self.0.remove(&node).unwrap_or_default()
    }

    fn come(&mut self, node: NodeId, copy: Copy) {
        *self.0.entry(node).or_default().entry(copy).or_default() += 1;
    }

    fn go(&mut self, node: NodeId, copy: Copy) {
        let Some(here) = self.0.get_mut(&node) else { return };
        let Some(copies) = here.get_mut(&copy) else { return };
        *copies -= 1;
        if *copies == 0 {
            here.remove(&copy);
        }
    }
}
