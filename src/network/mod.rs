//! The network is arithmetic: (now, from, to, size) in, a [`Verdict`] out.
//!
//! It never sees what a message contains; its luck is addressed by the message's name, so that the same message meets the
//! same luck under another policy. A link's state belongs to the node that sends into it, so that a full mesh costs no N².

mod bursts;
mod correlation;
mod egress;
mod link;
mod pair;
mod preset;

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::base::time::Time;

pub use bursts::{Bursts, BurstsError};
pub use correlation::Correlation;
pub use egress::Buffer;
pub use link::{Address, Arrival, Cause, Link, Verdict};
pub use preset::{Delay, PRESETS, Preset};

use link::Wire;

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

/// Which messages a link carries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The sending group, and its members (all if empty).
    pub from: (GroupId, Vec<NodeId>),
    /// The receiving group, and its members (all if empty).
    pub to: (GroupId, Vec<NodeId>),
    /// The classes of messages, one bit each; what a class is, the sender decides.
    pub classes: u8,
}

/// All links of a system.
#[derive(Clone, Debug)]
pub struct Network {
    wires: Vec<Wire>,
    names: Vec<String>,
    /// Groups that some claim mentions: all others go over the default link without a look-up.
    claimed: Vec<bool>,
    claims: BTreeMap<(GroupId, GroupId), Vec<(Claim, LinkId)>>,
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
            claimed: Vec::new(),
            claims: BTreeMap::new(),
        }
    }

    /// Adds a link called `name` for what `claims` say; earlier links win where claims overlap.
    ///
    /// # Panics
    /// When there are more than 65 535 links.
    pub fn add(&mut self, name: &str, link: Link, claims: impl IntoIterator<Item = Claim>) -> LinkId {
        let id = LinkId(u16::try_from(self.wires.len()).expect("a system has at most 65 535 links"));
        self.wires.push(Wire::new(link));
        self.names.push(name.into());
        for claim in claims {
            let groups = (claim.from.0, claim.to.0);
            for group in [groups.0, groups.1] {
                if self.claimed.len() <= group.index() {
                    self.claimed.resize(group.index() + 1, false);
                }
                self.claimed[group.index()] = true;
            }
            self.claims.entry(groups).or_default().push((claim, id));
        }
        id
    }

    /// Every link with its name.
    pub fn links(&self) -> impl Iterator<Item = (LinkId, &str, &Link)> {
        self.wires.iter().zip(&self.names).zip(0..).map(|((wire, name), id)| (LinkId(id), name.as_str(), &wire.link))
    }

    /// The link that carries a message of `class` (one bit; asked for only where it matters) from one node to another.
    #[inline(always)]
    pub fn route(&self, names: &Names, from: NodeId, to: NodeId, class: impl FnOnce() -> u8) -> LinkId {
        if self.claimed.is_empty() { LinkId::DEFAULT } else { self.claimed_route(names, from, to, class()) }
    }

    fn claimed_route(&self, names: &Names, from: NodeId, to: NodeId, class: u8) -> LinkId {
        let groups = (names.group_of(from), names.group_of(to));
        let is_claimed = |group: GroupId| self.claimed.get(group.index()).copied().unwrap_or(false);
        if !is_claimed(groups.0) || !is_claimed(groups.1) {
            return LinkId::DEFAULT;
        }
        let has = |members: &[NodeId], node| members.is_empty() || members.binary_search(&node).is_ok();
        self.claims
            .get(&groups)
            .into_iter()
            .flatten()
            .find(|(claim, _)| claim.classes & class != 0 && has(&claim.from.1, from) && has(&claim.to.1, to))
            .map_or(LinkId::DEFAULT, |&(_, link)| link)
    }

    /// When a message sent over `link` arrives, if it is one of the many that simply do; of all others
    /// [`Network::transmit`] tells more.
    #[inline(always)]
    pub fn arrival(&self, link: LinkId, now: Time, address: &Address<'_>) -> Option<Time> {
        self.wires[link.index()].arrival(now, address)
    }

    /// Judges a message of `size` bytes sent over `link`, between nodes that have these `names`.
    pub fn transmit(
        &mut self,
        link: LinkId,
        now: Time,
        (from, to): (NodeId, NodeId),
        size: u64,
        address: &Address<'_>,
        names: &Names,
    ) -> Verdict {
        self.wires[link.index()].transmit(now, from, to, size, address, names)
    }

    /// Has every message judged by [`Network::transmit`] while something watches, and by the shortest way otherwise.
    pub fn watch(&mut self, is_watched: bool) {
        self.wires.iter_mut().for_each(|wire| wire.watch(is_watched));
    }

    /// Forgets what was sent before, for another run.
    pub fn reset(&mut self) {
        self.wires.iter_mut().for_each(Wire::reset);
    }
}
