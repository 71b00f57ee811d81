//! `[topology]` and `[routers]`

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::fault::Nodes;
use super::place::{Place, nodes};
use crate::scenario::document::{Located, Origin};
use crate::scenario::selector::Selector;

/// Every node of the one is joined to every node of the other.
pub type Edges = Located<[Located<Selector>; 2]>;

/// Which nodes are joined: one of `star`, `ring`, `line`, `grid`, `tree` and `random-regular`, or `edges`, or one of them
/// with
/// `edges` besides.
///
/// A message between two nodes that are not joined is forwarded over others, the way of the fewest hops. Each hop is what
/// `[network]`, `[regions]` and `[links]` say about the two nodes at its ends. A node has a port for each neighbour: bandwidth
/// and buffer are those of an edge in one direction, not shared by all that a node sends. Latency and loss are drawn for
/// each hop, and links count each hop as a message. A node forwards while it is up; one that is down drops what comes,
/// one that is paused lets it wait, and partitions and cuts stop what would hop across. Ways know nothing of faults:
/// nobody goes round.
///
/// Nodes stand in the order in which selectors list them, each once; those of one selector by their names, then by their
/// places. Every node of the scenario is on the topology.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Topology {
    /// Every node is joined to the hub: `star = { hub = "switch" }`.
    pub star: Option<Located<Star>>,
    /// Each node is joined to the next, the last one to the first: `ring = "*"`. Messages go the shorter way round; to
    /// the node exactly opposite upwards.
    pub ring: Option<Nodes>,
    /// Each node is joined to the next: `line = ["app", "proxy", "db"]`.
    pub line: Option<Nodes>,
    /// Nodes in rows, each joined to those beside, above and below it. Messages go along the row first.
    pub grid: Option<Located<Grid>>,
    /// A root, and so many nodes below each node. Messages go up as far as they must, then down.
    pub tree: Option<Located<Tree>>,
    /// A random connected graph in which every node has so many neighbours.
    pub random_regular: Option<Located<RandomRegular>>,
    /// Pairs that are joined: `edges = [["app", "proxy"], ["proxy", "db[0]"]]`, every node of the one to every node of
    /// the other. Of several ways of the fewest hops, messages take the one over the neighbour whose name comes first.
    pub edges: Option<Located<Vec<Edges>>>,
}

/// A star.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Star {
    /// The node in the middle.
    pub hub: Located<Selector>,
    /// The nodes around it.
    #[schemars(extend("default" = "*"))]
    pub on: Option<Nodes>,
}

/// A grid.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Grid {
    /// The nodes, row by row.
    #[schemars(extend("default" = "*"))]
    pub on: Option<Nodes>,
    /// How many are in a row; the last row may be shorter.
    pub columns: NonZeroU32,
}

/// A tree.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Tree {
    /// The nodes, level by level, the root first: `on = ["core", "*"]`.
    #[schemars(extend("default" = "*"))]
    pub on: Option<Nodes>,
    /// How many hang on each.
    pub fan_out: NonZeroU32,
}

/// A random regular graph.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct RandomRegular {
    /// The nodes.
    #[schemars(extend("default" = "*"))]
    pub on: Option<Nodes>,
    /// How many neighbours each has. This times the number of nodes is even.
    pub degree: Located<NonZeroU32>,
    /// Which of the many graphs: its own, so that every run of a scenario has the same.
    #[serde(default = "one")]
    pub seed: u64,
}

fn one() -> u64 {
    1
}

/// A group of nodes that only forward: switches, routers.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Router {
    /// How many nodes.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where they are; needed with `[regions]`.
    pub place: Option<Located<Place>>,
}

impl Router {
    /// How many nodes it has.
    pub fn nodes(&self) -> NonZeroU32 {
        nodes(self.nodes.as_ref(), self.place.as_ref())
    }
}

/// A regular form.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum TopologyShape<'a> {
    /// All around one.
    Star(&'a Located<Star>),
    /// A circle.
    Ring(&'a Nodes),
    /// A chain.
    Line(&'a Nodes),
    /// Rows.
    Grid(&'a Located<Grid>),
    /// Levels.
    Tree(&'a Located<Tree>),
    /// Any.
    RandomRegular(&'a Located<RandomRegular>),
}

impl<'a> TopologyShape<'a> {
    /// The key.
    pub fn name(self) -> &'static str {
        match self {
            Self::Star(_) => "star",
            Self::Ring(_) => "ring",
            Self::Line(_) => "line",
            Self::Grid(_) => "grid",
            Self::Tree(_) => "tree",
            Self::RandomRegular(_) => "random-regular",
        }
    }

    /// The place of the value.
    pub fn origin(self) -> Origin {
        match self {
            Self::Star(star) => star.origin,
            Self::Ring(nodes) | Self::Line(nodes) => nodes.origin,
            Self::Grid(grid) => grid.origin,
            Self::Tree(tree) => tree.origin,
            Self::RandomRegular(graph) => graph.origin,
        }
    }

    /// The nodes it is made of, where they are written.
    pub fn on(self) -> Option<&'a Nodes> {
        match self {
            Self::Star(star) => star.on.as_ref(),
            Self::Ring(nodes) | Self::Line(nodes) => Some(nodes),
            Self::Grid(grid) => grid.on.as_ref(),
            Self::Tree(tree) => tree.on.as_ref(),
            Self::RandomRegular(graph) => graph.on.as_ref(),
        }
    }
}

/// The kinds of topologies, as they are written.
pub const TOPOLOGY_KINDS: [&str; 7] = ["star", "ring", "line", "grid", "tree", "random-regular", "edges"];

impl Topology {
    /// Every shape that is written. In a scenario that was loaded there is one at most.
    pub fn shapes(&self) -> impl Iterator<Item = TopologyShape<'_>> {
        let shapes = [
            self.star.as_ref().map(TopologyShape::Star),
            self.ring.as_ref().map(TopologyShape::Ring),
            self.line.as_ref().map(TopologyShape::Line),
            self.grid.as_ref().map(TopologyShape::Grid),
            self.tree.as_ref().map(TopologyShape::Tree),
            self.random_regular.as_ref().map(TopologyShape::RandomRegular),
        ];
        shapes.into_iter().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_topology_that_is_explained_can_be_written() {
        let explained: Vec<_> = crate::network::TOPOLOGIES.iter().map(|entry| entry.name).collect();
        assert_eq!(explained, TOPOLOGY_KINDS);
    }
}
