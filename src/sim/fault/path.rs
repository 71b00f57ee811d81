//! Which messages a fault of the network concerns.

use std::collections::BTreeSet;

use crate::base::id::NodeId;
use crate::network::LinkId;

/// Messages, by the link that carries them and by who sends and receives them.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Path {
    /// All messages.
    Everywhere,
    /// What these links carry.
    Links(BTreeSet<LinkId>),
    /// What these nodes send or receive.
    At(BTreeSet<NodeId>),
    /// From these nodes to those, in this direction only.
    OneWay(BTreeSet<NodeId>, BTreeSet<NodeId>),
    /// Between these nodes and those, in both directions.
    Between(BTreeSet<NodeId>, BTreeSet<NodeId>),
}

impl Path {
    /// Whether a message that `link` carries from one node to another is concerned.
    pub fn covers(&self, link: LinkId, from: NodeId, to: NodeId) -> bool {
        let is_way =
            |senders: &BTreeSet<_>, receivers: &BTreeSet<_>| senders.contains(&from) && receivers.contains(&to);
        match self {
            Self::Everywhere => true,
            Self::Links(links) => links.contains(&link),
            Self::At(nodes) => nodes.contains(&from) || nodes.contains(&to),
            Self::OneWay(senders, receivers) => is_way(senders, receivers),
            Self::Between(one, other) => is_way(one, other) || is_way(other, one),
        }
    }
}
