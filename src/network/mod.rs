//! The network is arithmetic: (now, from, to, size) in, a [`Verdict`] out.
//!
//! It never sees what a message contains; its luck is addressed by the message's name, so that the same message meets the
//! same luck under another policy. A link's state belongs to the node that sends into it, so that a full mesh costs no N².

mod bursts;
mod correlation;
mod egress;
mod link;
mod packet;
mod pair;
mod preset;
pub mod regions;
pub mod stream;
mod topology;

use std::collections::BTreeSet;

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Time;

pub use crate::base::cause::Cause;
pub use bursts::{Bursts, BurstsError};
pub use correlation::Correlation;
pub use egress::Buffer;
pub use link::{Address, Arrival, Link, Verdict};
pub use packet::{Impact, Packet};
pub use preset::{Delay, PRESETS, Preset};
pub use topology::{Shape, TOPOLOGIES, Topology, TopologyEntry, TopologyError};

use link::Wire;
use stream::{Stream, Transport};

/// A link's place in a network.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct LinkId(u16);

impl LinkId {
    /// The link between any two nodes that no other link claims.
    pub const DEFAULT: Self = Self(0);

    /// The dense index.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Some nodes that no link tells apart: every node belongs to one part.
pub type Part = u16;

/// How many classes of messages there may be.
const CLASSES: usize = u8::BITS as usize;

/// Which messages a link carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Claim {
    /// The senders.
    pub from: Part,
    /// The receivers.
    pub to: Part,
    /// The classes of messages, one bit each; what a class is, the sender decides.
    pub classes: u8,
}

/// All links of a system.
///
/// A message finds its link in two looks: the parts of its sender and its receiver, and what lies between these two. Two
/// bytes a node, and some for each pair of parts; never anything for a pair of nodes.
#[derive(Clone, Debug)]
pub struct Network {
    wires: Vec<Wire>,
    names: Vec<String>,
    /// The part of each node, by id.
    parts: Vec<Part>,
    /// How many parts there are.
    count: usize,
    /// From part to part, row by row, the link of each class. Empty as long as all messages take the default link.
    routes: Vec<[LinkId; CLASSES]>,
    /// Which nodes are joined, where not all are.
    topology: Option<Box<Topology>>,
}

impl Default for Network {
    fn default() -> Self {
        Self::new(Link::default())
    }
}

impl Network {
    /// A network in which `link` lies between any two nodes.
    pub fn new(link: Link) -> Self {
        Self {
            wires: vec![Wire::new(link)],
            names: vec!["network".into()],
            parts: Vec::new(),
            count: 0,
            routes: Vec::new(),
            topology: None,
        }
    }

    /// A network in which `link` lies between any two nodes, unless a link is added for their parts. `parts` holds the part
    /// of each node, by id; nodes beyond its end belong to part 0.
    pub fn divided(link: Link, parts: Vec<Part>) -> Self {
        let count = parts.iter().max().map_or(1, |last| usize::from(*last) + 1);
        Self { parts, count, ..Self::new(link) }
    }

    /// Adds a link called `name` for what `claims` say; earlier links win where claims overlap.
    ///
    /// # Panics
    /// When there are more than 65 535 links, or a claim is about a part that no node belongs to.
    pub fn add(&mut self, name: &str, link: Link, claims: impl IntoIterator<Item = Claim>) -> LinkId {
        let id = LinkId(u16::try_from(self.wires.len()).expect("a system has at most 65 535 links"));
        let mut wire = Wire::new(link);
        if self.topology.is_some() {
            wire.part_ports();
            wire.watch(true);
        }
        self.wires.push(wire);
        self.names.push(name.into());
        for Claim { from, to, classes } in claims {
            assert!(usize::from(from.max(to)) < self.count, "a claim is about nodes that there are");
            if self.routes.is_empty() {
                self.routes = vec![[LinkId::DEFAULT; CLASSES]; self.count * self.count];
            }
            let route = &mut self.routes[usize::from(from) * self.count + usize::from(to)];
            for (class, link) in route.iter_mut().enumerate() {
                if classes & 1 << class != 0 && *link == LinkId::DEFAULT {
                    *link = id;
                }
            }
        }
        id
    }

    /// Every link with its name.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, &str, &Link)> {
        self.wires.iter().zip(&self.names).zip(0..).map(|((wire, name), id)| (LinkId(id), name.as_str(), &wire.link))
    }

    /// The link that carries a message of `class` (one bit; asked for only where it matters) from one node to another.
    #[inline(always)]
    pub fn route(&self, from: NodeId, to: NodeId, class: impl FnOnce() -> u8) -> LinkId {
        if self.routes.is_empty() { LinkId::DEFAULT } else { self.claimed_route(from, to, class()) }
    }

    #[inline(never)]
    fn claimed_route(&self, from: NodeId, to: NodeId, class: u8) -> LinkId {
        let part = |node: NodeId| self.parts.get(node.index() as usize).map_or(0, |part| usize::from(*part));
        let route = &self.routes[part(from) * self.count + part(to)];
        route[class.trailing_zeros() as usize % CLASSES]
    }

    /// The links that carry what some nodes send to others, each named once, whatever the class.
    pub fn between(
        &self,
        from: impl Iterator<Item = NodeId>,
        to: impl Iterator<Item = NodeId>,
    ) -> impl Iterator<Item = &Link> {
        let part = |node: NodeId| self.parts.get(node.index() as usize).map_or(0, |part| usize::from(*part));
        let from: BTreeSet<usize> = from.map(part).collect();
        let to: BTreeSet<usize> = to.map(part).collect();
        let mut links = BTreeSet::new();
        for (from, to) in from.iter().flat_map(|from| to.iter().map(move |to| (from, to))) {
            match self.routes.get(from * self.count + to) {
                None => drop(links.insert(LinkId::DEFAULT)),
                Some(route) => links.extend(route),
            }
        }
        links.into_iter().map(|link| &self.wires[link.index()].link)
    }

    /// When a message sent over `link` arrives, if it is one of the many that simply do; of all others
    /// [`Network::transmit`] tells more.
    #[inline(always)]
    pub fn arrival(&self, link: LinkId, now: Time, address: &Address<'_>) -> Option<Time> {
        self.wires[link.index()].arrival(now, address)
    }

    /// What the ends of a stream over this link do, if it carries streams.
    pub fn stream(&self, link: LinkId) -> Option<&Stream> {
        match &self.wires[link.index()].link.transport {
            Transport::Datagram => None,
            Transport::Stream(stream) => Some(stream),
        }
    }

    /// Judges a message sent over `link`, between nodes that have these `names`.
    pub fn transmit(
        &mut self,
        link: LinkId,
        now: Time,
        packet: &Packet,
        address: &Address<'_>,
        names: &Names,
    ) -> Verdict {
        self.wires[link.index()].transmit(now, packet, address, names)
    }

    /// The same network, in which links lie between those nodes alone that `topology` joins: messages between all others
    /// are forwarded, and every hop is a message of its own to the link that lies there. A node has a queue for each
    /// neighbour: bandwidth and buffer are those of an edge, not shared by all that a node sends.
    #[must_use]
    pub fn with_topology(mut self, topology: Topology) -> Self {
        self.topology = Some(Box::new(topology));
        self.wires.iter_mut().for_each(Wire::part_ports);
        self.watch(true);
        self
    }

    /// Which nodes are joined; nothing if all are.
    pub fn topology(&self) -> Option<&Topology> {
        self.topology.as_deref()
    }

    /// The node to which a message at `from` goes next on its way to `to`: nothing if it is there, or if there is no
    /// topology.
    pub fn next_hop(&mut self, from: NodeId, to: NodeId) -> Option<NodeId> {
        self.topology.as_mut()?.next(from, to)
    }

    /// Has every message judged by [`Network::transmit`] while something watches, and by the shortest way otherwise. On a
    /// topology something always does.
    pub fn watch(&mut self, is_watched: bool) {
        let is_watched = is_watched || self.topology.is_some();
        self.wires.iter_mut().for_each(|wire| wire.watch(is_watched));
    }

    /// Forgets what was sent before, for another run.
    pub fn reset(&mut self) {
        self.wires.iter_mut().for_each(Wire::reset);
        self.watch(false);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    #[test]
    fn a_link_carries_what_it_claims_and_earlier_links_win() {
        let mut network = Network::divided(Link::default(), vec![0, 0, 1]);
        let claim = |from, to, classes| Claim { from, to, classes };
        let first = network.add("first", Link::latency(ms(1).into()), [claim(0, 1, 0b10)]);
        let second = network.add("second", Link::latency(ms(2).into()), [claim(0, 1, 0b111), claim(1, 0, 0b1)]);
        let all = |from, to| network.between([NodeId::new(from)].into_iter(), [NodeId::new(to)].into_iter()).count();
        assert_eq!([all(0, 2), all(2, 0), all(0, 1)], [3, 2, 1]);
        let route = |from, to, class| network.route(NodeId::new(from), NodeId::new(to), || class);
        assert_eq!([route(0, 2, 0b1), route(1, 2, 0b10), route(0, 2, 0b1000)], [second, first, LinkId::DEFAULT]);
        assert_eq!([route(2, 9, 0b1), route(2, 0, 0b10), route(0, 1, 0b1)], [second, LinkId::DEFAULT, LinkId::DEFAULT]);
    }
}
