//! The network between some nodes carries nothing: partitions, isolated nodes, one-way cuts.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultEntry, FaultId};

/// How a partition is explained.
pub(super) const PARTITION: FaultEntry = FaultEntry {
    name: "partition",
    summary: "no message passes between the sides",
    explanation: "The network falls into sides. Messages between them are lost, those under way included, and nobody \
                  is told; a stream sends them again, until it gives up. A node that is on no side reaches all of \
                  them: a bridge, or a partial partition. `rest` is every node that no side lists.",
    source: "Bailis, Kingsbury, The Network is Reliable, ACM Queue 12 (7), 2014",
};

/// How isolation is explained.
pub(super) const ISOLATE: FaultEntry = FaultEntry {
    name: "isolate",
    summary: "nodes are cut off from every other node",
    explanation: "Each of these nodes is alone: messages to it and from it are lost, also those between two of them.",
    source: "the `isolated node` fault of Jepsen's nemesis",
};

/// How a one-way cut is explained.
pub(super) const CUT: FaultEntry = FaultEntry {
    name: "cut",
    summary: "no message passes in one direction",
    explanation: "Messages from the nodes in `from` to those in `to` are lost; the other way they pass. A sender that hears its \
                  peer and is not heard is the case that heartbeats get wrong.",
    source: "simplex partitions: Alquraan and others, An Analysis of Network-Partitioning Failures in Cloud Systems, OSDI \
             2018",
};

/// While it lasts, messages between these nodes are lost, those under way included. Senders are not told.
#[derive(Clone, Debug)]
pub struct Cut(pub Severed);

/// Between whom no message passes.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Severed {
    /// Nodes on different sides; a node on no side reaches all (a bridge).
    Sides(BTreeMap<NodeId, u32>),
    /// Each of these nodes, and everyone else.
    Alone(BTreeSet<NodeId>),
    /// From these nodes to those, in this direction only.
    OneWay(BTreeSet<NodeId>, BTreeSet<NodeId>),
}

impl Severed {
    /// Whether a message from one node to another does not pass.
    pub fn stops(&self, from: NodeId, to: NodeId) -> bool {
        match self {
            Self::Sides(sides) => {
                matches!((sides.get(&from), sides.get(&to)), (Some(one), Some(other)) if one != other)
            }
            Self::Alone(nodes) => from != to && (nodes.contains(&from) || nodes.contains(&to)),
            Self::OneWay(senders, receivers) => senders.contains(&from) && receivers.contains(&to),
        }
    }

    /// The nodes it speaks of.
    pub fn nodes(&self) -> impl Iterator<Item = NodeId> {
        let (sides, sets): (_, [Option<&BTreeSet<NodeId>>; 2]) = match self {
            Self::Sides(sides) => (Some(sides), [None, None]),
            Self::Alone(nodes) => (None, [Some(nodes), None]),
            Self::OneWay(senders, receivers) => (None, [Some(senders), Some(receivers)]),
        };
        let of_sets = sets.into_iter().flatten().flatten();
        sides.into_iter().flat_map(BTreeMap::keys).chain(of_sets).copied()
    }
}

impl<M: Message> Fault<M> for Cut {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.sever(id, self.0.clone());
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        controls.mend(id, &self.0);
    }
}
