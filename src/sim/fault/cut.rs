//! The network between some nodes carries nothing: partitions, isolated nodes, one-way cuts.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::id::NodeId;
use crate::process::Message;
use crate::sim::control::Controls;

use super::{Fault, FaultId};

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
        controls.mend(id);
    }
}
