//! A ring: messages go the shorter way round.

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "ring",
    summary: "each node is joined to the next, the last one to the first",
    explanation: "Messages go the shorter way round; to the node exactly opposite they go upwards, in the order \
                  of the list. Of n nodes the farthest is n/2 hops away, the average about n/4.",
    source: "Dally, Towles, Principles and Practices of Interconnection Networks, chapter 5: a torus of one \
             dimension",
};

pub(super) fn edges(count: u32) -> impl Iterator<Item = (u32, u32)> {
    let back = (count > 2).then(|| (count - 1, 0));
    super::line::edges(count).chain(back)
}

pub(super) fn next(count: u32, from: u32, to: u32) -> u32 {
    let upwards = if to > from { to - from } else { to + (count - from) };
    if upwards <= count - upwards {
        if from + 1 == count { 0 } else { from + 1 }
    } else {
        from.checked_sub(1).unwrap_or(count - 1)
    }
}
