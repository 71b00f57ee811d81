//! Topologies: which nodes are joined, and over which of them a message goes to the others.
//!
//! A topology numbers its nodes by their places, 0 and up, in the order in which they were listed. A message goes the
//! shortest way, counted in hops. The regular shapes know the next hop by arithmetic and store nothing; a [`Graph`] of
//! any other form works out the way to a receiver when a message for it first needs it. Nothing is kept for a pair of
//! nodes.
//!
//! Where several ways are equally short, every node always takes the same: in a ring upwards, in a grid along the row
//! first, in a graph by the neighbour that was listed first.

mod edges;
mod graph;
mod grid;
mod line;
mod random_regular;
mod ring;
mod search;
mod star;
mod tree;

use std::fmt;
use std::num::NonZeroU32;

use crate::base::id::NodeId;

use graph::Graph;

/// A kind of topology, as it is explained to users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct TopologyEntry {
    /// What it is called.
    pub name: &'static str,
    /// What it is, in a line.
    pub summary: &'static str,
    /// All else, in a paragraph.
    pub explanation: &'static str,
    /// Where it is described.
    pub source: &'static str,
}

/// Every kind of topology.
pub const TOPOLOGIES: &[&TopologyEntry] =
    &[&star::ENTRY, &ring::ENTRY, &line::ENTRY, &grid::ENTRY, &tree::ENTRY, &random_regular::ENTRY, &edges::ENTRY];

/// A regular form, whatever the number of nodes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Shape {
    /// The first node is joined to all others.
    Star,
    /// Each node is joined to the next, the last to the first.
    Ring,
    /// Each node is joined to the next.
    Line,
    /// Rows of so many nodes; each is joined to those beside, above and below it.
    Grid {
        /// The length of a row; the last one may be shorter.
        columns: NonZeroU32,
    },
    /// The first node is the root; each is joined to so many below it, level by level.
    Tree {
        /// How many nodes hang on each.
        fan_out: NonZeroU32,
    },
    /// A random one of the connected graphs in which every node has so many neighbours.
    RandomRegular {
        /// How many neighbours.
        degree: u32,
        /// Which of them: another seed, another graph.
        seed: u64,
    },
}

impl Shape {
    /// The pairs of places that it joins among `count` nodes, each once.
    ///
    /// # Errors
    /// When there is no such graph.
    pub fn edges(self, count: u32) -> Result<Vec<(u32, u32)>, TopologyError> {
        Ok(match self {
            Self::Star => star::edges(count).collect(),
            Self::Ring => ring::edges(count).collect(),
            Self::Line => line::edges(count).collect(),
            Self::Grid { columns } => grid::edges(count, columns).collect(),
            Self::Tree { fan_out } => tree::edges(count, fan_out).collect(),
            Self::RandomRegular { degree, seed } => random_regular::edges(count, degree, seed)?,
        })
    }
}

/// Why nodes cannot be joined so.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum TopologyError {
    /// A node is listed twice.
    Twice(NodeId),
    /// An edge ends at a node that is not listed.
    Unlisted(NodeId),
    /// An edge leads from a node to itself.
    Loop(NodeId),
    /// There is no way from one node to the other.
    Disconnected(NodeId, NodeId),
    /// There is no connected graph of `nodes` nodes in which each has `degree` neighbours.
    NotRegular {
        /// How many nodes.
        nodes: u32,
        /// How many neighbours of each.
        degree: u32,
    },
}

impl fmt::Display for TopologyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Twice(node) => write!(f, "{node:?} is listed twice"),
            Self::Unlisted(node) => write!(f, "an edge ends at {node:?}, which is not listed"),
            Self::Loop(node) => write!(f, "an edge leads from {node:?} to itself"),
            Self::Disconnected(from, to) => write!(f, "there is no way from {from:?} to {to:?}"),
            Self::NotRegular { nodes, degree } => {
                write!(f, "no connected graph of {nodes} nodes gives each {degree} neighbours")
            }
        }
    }
}

impl std::error::Error for TopologyError {}

/// Which nodes are joined: messages between all others are forwarded.
#[derive(Clone, Debug)]
pub struct Topology {
    nodes: Vec<NodeId>,
    /// The place of each node, by id; [`NOWHERE`] for those that are not listed.
    places: Vec<u32>,
    ways: Ways,
}

const NOWHERE: u32 = u32::MAX;

/// How the next hop is found.
#[derive(Clone, Debug)]
enum Ways {
    Star,
    Ring,
    Line,
    Grid(NonZeroU32),
    Tree(NonZeroU32),
    Graph(Box<Graph>),
}

impl Topology {
    /// These nodes in that shape, in the order in which they are listed.
    ///
    /// # Errors
    /// When a node is listed twice, or when there is no such graph.
    pub fn shaped(shape: Shape, nodes: Vec<NodeId>) -> Result<Self, TopologyError> {
        let ways = match shape {
            Shape::Star => Ways::Star,
            Shape::Ring => Ways::Ring,
            Shape::Line => Ways::Line,
            Shape::Grid { columns } => Ways::Grid(columns),
            Shape::Tree { fan_out } => Ways::Tree(fan_out),
            Shape::RandomRegular { .. } => {
                let count = nodes.len() as u32;
                Ways::Graph(Box::new(Graph::new(count, &shape.edges(count)?)))
            }
        };
        let places = places(&nodes)?;
        Ok(Self { nodes, places, ways })
    }

    /// These nodes, joined by `edges`; an edge that is there twice counts once.
    ///
    /// # Errors
    /// When a node is listed twice, when an edge ends nowhere or where it started, and when some node cannot be reached.
    pub fn joined(nodes: Vec<NodeId>, edges: &[(NodeId, NodeId)]) -> Result<Self, TopologyError> {
        let places = places(&nodes)?;
        let place = |node: NodeId| match places.get(node.index() as usize) {
            Some(&place) if place != NOWHERE => Ok(place),
            _ => Err(TopologyError::Unlisted(node)),
        };
        let ends = |&(from, to): &(NodeId, NodeId)| match (place(from)?, place(to)?) {
            (from, to) if from != to => Ok((from, to)),
            _ => Err(TopologyError::Loop(from)),
        };
        let graph = Graph::new(nodes.len() as u32, &edges.iter().map(ends).collect::<Result<Vec<_>, _>>()?);
        if let Some(place) = graph.out_of_reach() {
            return Err(TopologyError::Disconnected(nodes[0], nodes[place as usize]));
        }
        Ok(Self { nodes, places, ways: Ways::Graph(Box::new(graph)) })
    }

    /// The nodes, in the order of their places.
    pub fn nodes(&self) -> &[NodeId] {
        &self.nodes
    }

    /// The pairs of nodes that it joins, each once.
    pub fn edges(&self) -> impl Iterator<Item = (NodeId, NodeId)> {
        let count = self.nodes.len() as u32;
        let edges: Box<dyn Iterator<Item = (u32, u32)>> = match &self.ways {
            Ways::Star => Box::new(star::edges(count)),
            Ways::Ring => Box::new(ring::edges(count)),
            Ways::Line => Box::new(line::edges(count)),
            Ways::Grid(columns) => Box::new(grid::edges(count, *columns)),
            Ways::Tree(fan_out) => Box::new(tree::edges(count, *fan_out)),
            Ways::Graph(graph) => Box::new(graph.edges()),
        };
        edges.map(|(one, other)| (self.nodes[one as usize], self.nodes[other as usize]))
    }

    /// Whether it lists this node.
    pub fn has(&self, node: NodeId) -> bool {
        self.places.get(node.index() as usize).is_some_and(|&place| place != NOWHERE)
    }

    /// The node to which a message at `from` that is for `to` goes next; nothing if it has arrived, or if one of the two is
    /// not listed.
    pub fn next(&mut self, from: NodeId, to: NodeId) -> Option<NodeId> {
        if from == to || !self.has(from) || !self.has(to) {
            return None;
        }
        let place = |node: NodeId| self.places[node.index() as usize];
        let (from, to, count) = (place(from), place(to), self.nodes.len() as u32);
        let next = match &mut self.ways {
            Ways::Star => star::next(from, to),
            Ways::Ring => ring::next(count, from, to),
            Ways::Line => line::next(from, to),
            Ways::Grid(columns) => grid::next(count, *columns, from, to),
            Ways::Tree(fan_out) => tree::next(*fan_out, from, to),
            Ways::Graph(graph) => graph.next(from, to),
        };
        Some(self.nodes[next as usize])
    }

    /// The nodes that a message from `from` to `to` reaches, one after the other, the last one included.
    pub fn way(&mut self, from: NodeId, to: NodeId) -> impl Iterator<Item = NodeId> {
        let mut at = from;
        std::iter::from_fn(move || {
            at = self.next(at, to)?;
            Some(at)
        })
    }
}

/// The place of each node, by id.
fn places(nodes: &[NodeId]) -> Result<Vec<u32>, TopologyError> {
    let span = nodes.iter().map(|node| node.index() as usize + 1).max().unwrap_or(0);
    let mut places = vec![NOWHERE; span];
    for (&node, place) in nodes.iter().zip(0..) {
        if std::mem::replace(&mut places[node.index() as usize], place) != NOWHERE {
            return Err(TopologyError::Twice(node));
        }
    }
    Ok(places)
}

#[cfg(test)]
mod tests;
