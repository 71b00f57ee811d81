//! A line: messages go from node to node.

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "line",
    summary: "each node is joined to the next",
    explanation: "The distance between two nodes is that of their places in the list: a chain of proxies, a \
                  pipeline, a path of routers. Of n nodes the farthest are n - 1 hops apart, the average is \
                  about n/3.",
    source: "store-and-forward along a path: Kurose, Ross, Computer Networking, chapter 1",
};

pub(super) fn edges(count: u32) -> impl Iterator<Item = (u32, u32)> {
    (1..count).map(|place| (place - 1, place))
}

pub(super) fn next(from: u32, to: u32) -> u32 {
    if to > from { from + 1 } else { from - 1 }
}
