//! Messages overtake each other.

use crate::base::distribution::Distribution;
use crate::base::probability::Probability;
use crate::base::random::Block;
use crate::network::Impact;

use super::{FaultEntry, Impairment};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "reorder",
    summary: "a share of messages is held back, and overtaken",
    explanation: "Each message is held back for a while with this probability, so that those sent after it arrive before it: \
                  also on links that keep order. Whether it is overtaken depends on whether anything was sent meanwhile.",
    source: "Bennett, Partridge, Shectman, Packet Reordering Is Not Pathological Network Behavior, IEEE/ACM Transactions on \
             Networking 7 (6), 1999; tc-netem(8), `reorder`",
};

/// This share of messages is held back, each on its own.
#[derive(Clone, Debug)]
pub struct Reorder {
    /// How many.
    pub share: Probability,
    /// How long, in nanoseconds.
    pub by: Distribution,
}

impl Impairment for Reorder {
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool {
        let hits = self.share.hits(luck.first());
        if hits {
            impact.delay += self.by.sample(luck.second());
            impact.is_overtaken = true;
        }
        hits
    }
}
