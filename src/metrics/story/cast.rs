//! Who is who in stories: names for what they call by number.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::process::{Flow, MessageId, NO_PLACE};

use super::Story;
use super::entry::What;

/// The names of all that some stories speak of.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Cast {
    /// Nodes, by their place in the run.
    nodes: BTreeMap<NodeId, Member>,
    /// Streams of messages, in their order.
    flows: Vec<String>,
    /// Places that keep messages for others, in their order.
    places: Vec<String>,
}

/// A node: its group, its own name (`api[3]`), and its number.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Member {
    group: String,
    name: String,
    number: u32,
}

/// Numbers of nodes begin anew at multiples of this with each group.
const BLOCK: u32 = 1 << 16;

impl Cast {
    /// The names of these nodes.
    pub fn of_nodes(
        nodes: impl IntoIterator<Item = NodeId>,
        names: &Names,
        flows: Vec<String>,
        places: Vec<String>,
    ) -> Self {
        let mut cast = Self { nodes: BTreeMap::new(), flows, places };
        let mut blocks = Vec::new();
        let mut next = 0_u32;
        for group in names.groups() {
            blocks.push(next);
            next = next.wrapping_add((names.members(group).len() as u32 / BLOCK + 1).wrapping_mul(BLOCK));
        }
        for node in nodes {
            cast.nodes.entry(node).or_insert_with(|| {
                let (group, index) = names.place(node);
                let number = blocks[group.index()].wrapping_add(index + 1);
                Member { group: names.name(group).to_owned(), name: names.label(node), number }
            });
        }
        cast
    }

    /// The names of those who have a part in these stories.
    pub fn of<'a>(
        stories: impl IntoIterator<Item = &'a Story>,
        names: &Names,
        flows: Vec<String>,
        places: Vec<String>,
    ) -> Self {
        let nodes = stories.into_iter().flat_map(|story| {
            let entries = story.entries.iter().flat_map(|entry| {
                let other = match entry.what {
                    What::Sent { to, .. } | What::NotDelivered { to, .. } | What::Delivered { from: to, .. } => {
                        Some(to)
                    }
                    _ => None,
                };
                [Some(entry.node), other]
            });
            let owners = story.chapters.iter().map(|chapter| Some(chapter.message.owner));
            entries.chain(owners).flatten()
        });
        Self::of_nodes(nodes, names, flows, places)
    }

    /// All nodes, by their place in the run.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        self.nodes.keys().copied()
    }

    /// A node's name: `api[3]`.
    pub fn node(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |member| &member.name)
    }

    /// The name of a node's group.
    pub fn group(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |member| &member.group)
    }

    /// A node's number among all of the system: that of the first member of the first group is 1, of the second group's 65,537.
    pub fn number(&self, node: NodeId) -> u32 {
        self.nodes.get(&node).map_or(0, |member| member.number)
    }

    /// A stream's name: `shoppers/buy`, `api->payments`.
    pub fn flow(&self, flow: Flow) -> &str {
        self.flows.get(usize::from(flow.0)).map_or("", String::as_str)
    }

    /// A place's name: that of a queue, or of a group that reads topics.
    pub fn place(&self, place: u16) -> &str {
        let name = if place == NO_PLACE { None } else { self.places.get(usize::from(place)) };
        name.map_or("outbox", String::as_str)
    }

    /// A message's name: that of its owner, and its number there.
    pub fn message(&self, message: MessageId) -> String {
        format!("{}#{}", self.node(message.owner), message.number)
    }
}
