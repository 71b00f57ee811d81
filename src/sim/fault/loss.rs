//! Messages vanish.

use crate::base::probability::Probability;
use crate::base::random::Block;
use crate::network::Impact;

use super::{FaultEntry, Impairment};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "loss",
    summary: "a share of messages is lost, besides what links lose",
    explanation: "Each message is lost with this probability, on its own and beside the losses of its link: a link that loses p \
                  and a fault that loses q let (1 - p) (1 - q) through. Nobody is told. Answers and acknowledgements are \
                  messages too.",
    source: "independent losses, as in the netem discipline of Linux (tc-netem(8), `loss random`)",
};

/// This share of messages is lost, each on its own.
#[derive(Clone, Copy, Debug)]
pub struct Loss(pub Probability);

impl Impairment for Loss {
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool {
        let hits = self.0.hits(luck.first());
        impact.is_lost |= hits;
        hits
    }
}
