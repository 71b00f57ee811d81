//! A star: every message between two leaves goes through the hub.

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "star",
    summary: "every node is joined to the hub",
    explanation: "One hop to and from the hub, two between any others. All of them meet in the hub: its \
                  bandwidth and its health are everybody's. The hub is a node like others; a switch is a hub \
                  that only forwards, a group of `[routers]`.",
    source: "the access switch of a local network: Kurose, Ross, Computer Networking, chapter 6",
};

/// The place of the hub.
const HUB: u32 = 0;

pub(super) fn edges(count: u32) -> impl Iterator<Item = (u32, u32)> {
    (1..count).map(|leaf| (HUB, leaf))
}

pub(super) fn next(from: u32, to: u32) -> u32 {
    if from == HUB { to } else { HUB }
}
