//! A tree: messages go up to the lowest common ancestor, then down.

use std::num::NonZeroU32;

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "tree",
    summary: "a root, and so many nodes below each node",
    explanation: "The list is laid out level by level: the first node is the root, the next `fan-out` hang on \
                  it, and so on. A message goes up to the lowest node that both ends hang on, then down. Half of \
                  all traffic and more passes the root.",
    source: "Dally, Towles, Principles and Practices of Interconnection Networks, chapter 1; places as in a \
             d-ary heap: Cormen and others, Introduction to Algorithms, problem 6-2",
};

pub(super) fn edges(count: u32, fan_out: NonZeroU32) -> impl Iterator<Item = (u32, u32)> {
    (1..count).map(move |place| (parent(fan_out, place), place))
}

fn parent(fan_out: NonZeroU32, place: u32) -> u32 {
    (place - 1) / fan_out
}

pub(super) fn next(fan_out: NonZeroU32, from: u32, to: u32) -> u32 {
    if fan_out == NonZeroU32::MIN {
        return super::line::next(from, to);
    }
    // A parent has a smaller place than its children: climbing from `to`, whoever is not met is not above it.
    let mut below = to;
    while below > from {
        let above = parent(fan_out, below);
        if above == from {
            return below;
        }
        below = above;
    }
    parent(fan_out, from)
}
