//! Messages are damaged.

use crate::base::probability::Probability;
use crate::base::random::Block;
use crate::network::Impact;

use super::{FaultEntry, Impairment};

/// How it is explained.
pub(super) const ENTRY: FaultEntry = FaultEntry {
    name: "corrupt",
    summary: "a share of messages arrives damaged, and is dropped",
    explanation: "Each message is damaged with this probability, on its own and beside what its link damages. The receiver's \
                  checksum notices every damage and drops the message, so that it is as good as lost; it is counted apart.",
    source: "the netem discipline of Linux (tc-netem(8), `corrupt`); checksums that miss damage: Stone, Partridge, When the \
             CRC and TCP Checksum Disagree, SIGCOMM 2000",
};

/// This share of messages arrives damaged, each on its own: the receiver drops them.
#[derive(Clone, Copy, Debug)]
pub struct Corrupt(pub Probability);

impl Impairment for Corrupt {
    fn impair(&self, luck: &Block, impact: &mut Impact) -> bool {
        let hits = self.0.hits(luck.first());
        impact.is_corrupt |= hits;
        hits
    }
}
