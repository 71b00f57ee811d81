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
    /// Nodes: their group, and their own name (`api[3]`).
    nodes: BTreeMap<NodeId, (String, String)>,
    /// Streams of messages, in their order.
    flows: Vec<String>,
    /// Places that keep messages for others, in their order.
    places: Vec<String>,
}

impl Cast {
    /// The names of those who have a part in these stories.
    pub fn of<'a>(
        stories: impl IntoIterator<Item = &'a Story>,
        names: &Names,
        flows: Vec<String>,
        places: Vec<String>,
    ) -> Self {
        let mut cast = Self { nodes: BTreeMap::new(), flows, places };
        for story in stories {
            for entry in &story.entries {
                cast.enter(names, entry.node);
                if let What::Sent { to, .. } | What::NotDelivered { to, .. } | What::Delivered { from: to, .. } =
                    entry.what
                {
                    cast.enter(names, to);
                }
            }
            story.chapters.iter().for_each(|chapter| cast.enter(names, chapter.message.owner));
        }
        cast
    }

    fn enter(&mut self, names: &Names, node: NodeId) {
        let entry = || (names.name(names.group_of(node)).to_owned(), names.label(node));
        self.nodes.entry(node).or_insert_with(entry);
    }

    /// A node's name: `api[3]`.
    pub fn node(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |(_, name)| name)
    }

    /// The name of a node's group.
    pub fn group(&self, node: NodeId) -> &str {
        self.nodes.get(&node).map_or("", |(group, _)| group)
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
