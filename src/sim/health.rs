//! What keeps nodes from working: by which faults they are down, paused or cut off, and what waits for them meanwhile.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::process::{PeerEvent, TimerId};

use super::event::Delivery;
use super::fault::{FaultBooks, FaultId, Severed};
use super::hop::Hop;
use super::segment::Flight;
use super::storage::Word;

/// The state that faults have put a system in. `P` is what an event holds of a message.
pub(super) struct Health<P> {
    pub(super) books: FaultBooks,
    down: BTreeMap<NodeId, Vec<FaultId>>,
    paused: BTreeMap<NodeId, Paused<P>>,
    severed: Vec<(FaultId, Severed)>,
}

/// A node that does nothing for a while.
struct Paused<P> {
    by: Vec<FaultId>,
    held: Vec<Held<P>>,
}

/// What waits for a paused node.
pub(super) enum Held<P> {
    /// To be started.
    Boot,
    Message(Delivery<P>),
    /// A message that is to be handed over or forwarded there.
    Hop(Hop<P>),
    /// A segment that is to be forwarded.
    Segment(Flight),
    /// With its number among its node's effects.
    Timer(TimerId, u32),
    Word(Word),
    /// Another load.
    Load,
    /// What has happened to a stream to or from that peer.
    Peer(NodeId, PeerEvent),
}

impl<P> Default for Health<P> {
    fn default() -> Self {
        Self { books: FaultBooks::default(), down: BTreeMap::new(), paused: BTreeMap::new(), severed: Vec::new() }
    }
}

impl<P> Health<P> {
    /// One more fault keeps the node down.
    pub(super) fn bring_down(&mut self, node: NodeId, id: FaultId) {
        self.down.entry(node).or_default().push(id);
    }

    /// This fault no longer keeps the node down; whether it may start.
    pub(super) fn bring_back(&mut self, node: NodeId, id: FaultId) -> bool {
        let Some(by) = self.down.get_mut(&node) else { return true };
        by.retain(|&other| other != id);
        if by.is_empty() {
            self.down.remove(&node);
        }
        !self.is_down(node)
    }

    pub(super) fn is_down(&self, node: NodeId) -> bool {
        self.down.contains_key(&node)
    }

    /// A copy reached a node that is down.
    pub(super) fn lost_at(&mut self, node: NodeId) {
        if let Some(by) = self.down.get(&node) {
            self.books.touch_message(by);
        }
    }

    /// One more fault pauses the node; whether it is the first.
    pub(super) fn pause(&mut self, node: NodeId, id: FaultId) -> bool {
        let paused = self.paused.entry(node).or_insert_with(|| Paused { by: Vec::new(), held: Vec::new() });
        paused.by.push(id);
        paused.by.len() == 1
    }

    /// This fault no longer pauses the node; what waits for it, if it may go on.
    pub(super) fn resume(&mut self, node: NodeId, id: FaultId) -> Option<Vec<Held<P>>> {
        let paused = self.paused.get_mut(&node)?;
        paused.by.retain(|&other| other != id);
        if !paused.by.is_empty() {
            return None;
        }
        Some(self.paused.remove(&node)?.held)
    }

    /// The faults that pause the node.
    pub(super) fn paused_by(&self, node: NodeId) -> &[FaultId] {
        self.paused.get(&node).map(|paused| paused.by.as_slice()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn is_paused(&self, node: NodeId) -> bool {
        !self.paused.is_empty() && self.paused.contains_key(&node)
    }

    /// Keeps something for a paused node.
    pub(super) fn hold(&mut self, node: NodeId, held: Held<P>) {
        let Some(paused) = self.paused.get_mut(&node) else { return };
        if matches!(held, Held::Boot) && paused.held.iter().any(|held| matches!(held, Held::Boot)) {
            return;
        }
        match held {
            Held::Message(_) | Held::Hop(_) | Held::Segment(_) => self.books.touch_message(&paused.by),
            Held::Timer(..) => self.books.touch_timers(&paused.by, 1),
            Held::Boot | Held::Word(_) | Held::Load | Held::Peer(..) => {}
        }
        paused.held.push(held);
    }

    /// What waits for a paused node that crashes.
    pub(super) fn forget(&mut self, node: NodeId) -> Vec<Held<P>> {
        self.paused.get_mut(&node).map(|paused| std::mem::take(&mut paused.held)).unwrap_or_default()
    }

    /// The keys of writes that were synced while a node is paused, in order.
    pub(super) fn synced(&self, node: NodeId) -> Vec<u64> {
        let held = self.paused.get(&node).into_iter().flat_map(|paused| &paused.held);
        let synced = held.filter_map(|held| match held {
            Held::Word(Word::Synced(key)) => Some(*key),
            _ => None,
        });
        synced.collect()
    }

    /// Segments that wait for paused nodes.
    pub(super) fn held_segments(&self) -> u64 {
        let held = self.paused.values().flat_map(|paused| &paused.held);
        held.filter(|held| matches!(held, Held::Segment(_))).count() as u64
    }

    /// Copies that wait for paused nodes.
    pub(super) fn held_messages(&self) -> u64 {
        let held = self.paused.values().flat_map(|paused| &paused.held);
        held.filter(|held| matches!(held, Held::Message(_) | Held::Hop(_))).count() as u64
    }

    pub(super) fn sever(&mut self, id: FaultId, severed: Severed) {
        severed.nodes().for_each(|node| self.books.touch_node(id, node));
        self.severed.push((id, severed));
    }

    pub(super) fn mend(&mut self, id: FaultId, severed: &Severed) {
        let found = self.severed.iter().position(|(by, what)| *by == id && what == severed);
        found.map(|index| self.severed.remove(index));
    }

    #[inline(always)]
    pub(super) fn is_severed(&self) -> bool {
        !self.severed.is_empty()
    }

    /// Whether a message from one node to another does not pass; every fault that stops it is told.
    pub(super) fn stops(&mut self, from: NodeId, to: NodeId) -> bool {
        let mut is_stopped = false;
        for (id, severed) in &self.severed {
            if severed.stops(from, to) {
                is_stopped = true;
                self.books.touch_message(&[*id]);
            }
        }
        is_stopped
    }
}
