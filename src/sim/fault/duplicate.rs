//! Messages arrive twice.

use crate::base::probability::Probability;
use crate::base::random::Block;
use crate::network::Impact;

use super::{FaultEntry, Impairment};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "duplicate",
    summary: "a share of messages arrives twice",
    explanation: "Of each message the network makes a second copy with this probability. The copy takes a latency of its own. \
                  A message that is doubled by several faults, or by its link too, still arrives twice.",
    source: "the netem discipline of Linux (tc-netem(8), `duplicate`)",
};

/// This share of messages arrives twice.
#[derive(Clone, Copy, Debug)]
pub struct Duplicate(pub Probability);

impl Impairment for Duplicate {
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool {
        let hits = self.0.hits(luck.first());
        impact.is_doubled |= hits;
        hits
    }
}
