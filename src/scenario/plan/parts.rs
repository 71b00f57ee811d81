//! Parts: the nodes of a scenario, told apart as far as links and regions tell them apart.
//!
//! Two nodes belong to one part if they are in one region and zone and every end of a link covers both or neither. What
//! lies between two parts is decided once, so that a hundred thousand clients in three regions are three nodes to decide
//! about.

use std::collections::{BTreeMap, BTreeSet};

use super::regions::{Regions, Spot};
use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::network;

/// One end of a link: the nodes of this group, in this region or zone, of these; all where nothing is said.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct End {
    pub group: Option<GroupId>,
    pub area: Option<Spot>,
    pub nodes: Option<BTreeSet<NodeId>>,
}

impl End {
    /// How narrow it is.
    pub fn level(&self) -> u8 {
        let area = self.area.map_or(0, |area| if area.zone.is_some() { 3 } else { 2 });
        match (self.group, &self.nodes) {
            (_, Some(_)) => 8,
            (Some(_), None) => 4 + area,
            (None, None) => area,
        }
    }

    fn covers(&self, group: GroupId, spot: Option<Spot>, node: NodeId) -> bool {
        self.group.is_none_or(|own| own == group)
            && self.area.is_none_or(|area| spot.is_some_and(|spot| spot.is_in(area)))
            && self.nodes.as_ref().is_none_or(|own| own.contains(&node))
    }
}

/// Nodes that nothing tells apart.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Kind {
    /// One of them, which stands for all.
    pub sample: NodeId,
    /// Where they are.
    pub spot: Option<Spot>,
    /// Which ends cover them, by the ends' places.
    pub covered: Vec<bool>,
}

/// The parts of a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Parts {
    /// The part of each node, by id.
    pub of: Vec<network::Part>,
    /// What the nodes of each part have in common.
    pub kinds: Vec<Kind>,
}

impl Parts {
    /// The most parts that there may be: what lies between them fills a table.
    pub const MAX: usize = 4096;

    /// The nodes in `names`, told apart by `ends` and `regions`; nothing if they fall into too many parts.
    pub fn new(ends: &[End], regions: Option<&Regions>, names: &Names) -> Option<Self> {
        if ends.is_empty() && regions.is_none() {
            return Some(Self { of: Vec::new(), kinds: Vec::new() });
        }
        let mut parts = Self { of: vec![0; names.span()], kinds: Vec::new() };
        let mut known = BTreeMap::new();
        for group in names.groups() {
            let is_own = |end: &&End| end.group == Some(group) && end.nodes.is_some();
            let own: Vec<_> = ends.iter().filter(is_own).collect();
            // Inside a group, only regions and ends that name nodes make a difference.
            let mut here = BTreeMap::new();
            for node in names.members(group) {
                let spot = regions.map(|regions| regions.of(node));
                let differences: Vec<_> = own.iter().map(|end| end.covers(group, spot, node)).collect();
                let part = *here.entry((spot, differences)).or_insert_with(|| {
                    let covered: Vec<_> = ends.iter().map(|end| end.covers(group, spot, node)).collect();
                    *known.entry((spot, covered.clone())).or_insert_with(|| {
                        parts.kinds.push(Kind { sample: node, spot, covered });
                        parts.kinds.len() - 1
                    })
                });
                if part >= Self::MAX {
                    return None;
                }
                parts.of[node.index() as usize] = part as network::Part;
            }
        }
        Some(parts)
    }
}
