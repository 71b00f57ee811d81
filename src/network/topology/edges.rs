//! Edges that are written one by one.

use super::TopologyEntry;

pub(super) const ENTRY: TopologyEntry = TopologyEntry {
    name: "edges",
    summary: "the pairs of nodes that are joined, one by one",
    explanation: "Each entry joins every node of its first selector to every node of its second: `[\"leaf\", \
                  \"spine\"]` joins each leaf to each spine. It may stand beside another kind, and then adds to \
                  it. Messages go the way of the fewest hops; of several, by the neighbour whose name comes \
                  first. The way to a receiver is worked out when a message first needs it.",
    source: "shortest paths by breadth-first search: Moore, The Shortest Path through a Maze, 1959",
};
