//! The lanes of a story's picture: a vertical line for each node, in the order in which they come into it.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::metrics::story::{Cast, Story, What};
use crate::report::style::clean;

/// The most lanes; who comes later shares the last one.
const MOST: usize = 12;
/// Where the first lane is.
pub(super) const FIRST: i32 = 520;
/// Where the last lane is, of a few and of many.
const LAST: (i32, i32) = (1_560, 1_780);
/// Lanes are no farther apart.
const APART: i32 = 700;

/// Who has which lane.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Lanes {
    lanes: BTreeMap<NodeId, usize>,
    /// What stands above each.
    pub names: Vec<String>,
    apart: i32,
}

impl Lanes {
    /// A lane for each node that has a part in a story: its owner's is the first.
    pub fn of(story: &Story, cast: &Cast) -> Self {
        let mut nodes = vec![story.root().message.owner];
        let mut enter = |node| {
            if !nodes.contains(&node) {
                nodes.push(node);
            }
        };
        for entry in &story.entries {
            enter(entry.node);
            if let What::Sent { to, .. } | What::NotDelivered { to, .. } = entry.what {
                enter(to);
            }
        }
        let name = |&node: &NodeId| clean(cast.node(node), 60);
        let (shown, others) = if nodes.len() > MOST { nodes.split_at(MOST - 1) } else { (&nodes[..], &[][..]) };
        let mut names: Vec<String> = shown.iter().map(name).collect();
        if !others.is_empty() {
            names.push(format!("{} others", others.len()));
        }
        let lanes = nodes.iter().enumerate().map(|(index, &node)| (node, index.min(MOST - 1)));
        let last = if names.len() <= 5 { LAST.0 } else { LAST.1 };
        let apart = ((last - FIRST) / (names.len().max(2) as i32 - 1)).min(APART);
        Self { lanes: lanes.collect(), names, apart }
    }

    /// The distance between two lanes.
    pub fn apart(&self) -> i32 {
        self.apart
    }

    /// Where a lane is.
    pub fn x(&self, lane: usize) -> i32 {
        FIRST + self.apart * lane as i32
    }

    /// Which lane a node has.
    pub fn lane(&self, node: NodeId) -> usize {
        self.lanes.get(&node).copied().unwrap_or(0)
    }

    /// Where a node's lane is.
    pub fn of_node(&self, node: NodeId) -> i32 {
        self.x(self.lane(node))
    }
}
