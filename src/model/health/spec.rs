//! Who watches whom, and how: plain data.

use crate::base::id::NodeId;
use crate::base::probability::Probability;
use crate::base::random::mix;
use crate::model::script::{Script, Target};
use crate::protocol::health::{EjectionSettings, HealthPolicy};

/// How a sender finds out which members of a group are up.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct HealthSpec {
    /// By looking; it takes all for up if it does not.
    pub checks: Option<HealthPolicy>,
    /// By how they answer its requests.
    pub ejection: Option<EjectionSettings>,
    /// Where a smaller share than this is up, all count as up.
    pub panic_threshold: Probability,
}

impl HealthSpec {
    /// Whether all are always taken for up.
    pub fn is_idle(&self) -> bool {
        self.checks.is_none() && self.ejection.is_none()
    }
}

/// A route whose senders learn something of the group's members beside their answers.
#[derive(Clone, Debug)]
pub struct Watch {
    /// The route.
    pub route: u16,
    /// A kind of message that goes by it.
    pub call: u16,
    /// Who sends by it.
    pub senders: Target,
    /// How they find out who is up.
    pub health: HealthSpec,
}

impl Watch {
    /// The group that is sent to.
    pub(in crate::model) fn target<'a>(&self, script: &'a Script) -> &'a Target {
        &script.targets[usize::from(script.calls[usize::from(self.call)].target)]
    }

    /// The luck of one of the messages by which it is done: `from` one node, `to` another one of those concerned.
    pub(in crate::model) fn luck(&self, script: &Script, from: u64, to: u32, number: u64) -> u64 {
        let name = script.calls[usize::from(self.call)].name;
        mix(mix(name ^ mix(from)) ^ mix(u64::from(to) << 1 | 1) ^ mix(number ^ HEALTH))
    }

    /// How many there are that gossip: the members and, after them, the senders, unless they are the same.
    pub fn gossipers(&self, target: &Target) -> u32 {
        if self.is_among_peers(target) { target.len } else { target.len.saturating_add(self.senders.len) }
    }

    /// A node's place among those that gossip.
    pub(in crate::model) fn place_of(&self, target: &Target, node: NodeId) -> Option<u32> {
        target.place_of(node).or_else(|| Some(target.len + self.senders.place_of(node)?))
    }

    /// The node at a place among those that gossip.
    pub(in crate::model) fn node_at(&self, target: &Target, place: u32) -> NodeId {
        match place.checked_sub(target.len) {
            None => target.member(place as usize),
            Some(sender) => self.senders.member(sender as usize),
        }
    }

    /// Whether the members send to each other.
    pub(in crate::model) fn is_among_peers(&self, target: &Target) -> bool {
        self.senders.first == target.first
    }
}

/// Tells the luck of these messages from that of others.
const HEALTH: u64 = 0x6865_616c_7468;

/// What the nodes of a service do for those that want to know how they are: watches, by their places in the script.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Duties {
    /// Whose senders get heartbeats.
    pub beats: Vec<u16>,
    /// Those in which all gossip.
    pub gossip: Vec<u16>,
    /// Of whose senders one is told when a node has nothing to do.
    pub idle: Vec<u16>,
}

impl Duties {
    /// Whether there is nothing to do.
    pub fn is_empty(&self) -> bool {
        self.beats.is_empty() && self.gossip.is_empty() && self.idle.is_empty()
    }
}
