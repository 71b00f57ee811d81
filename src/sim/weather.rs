//! What faults do to messages on their way: which are impaired, which wait.

use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::random::{Key, mix};
use crate::network::{Address, Impact, LinkId};

use super::fault::{FaultBooks, FaultId, Impairment, Path};

/// The state that faults have put the network in. `P` is what an event holds of a message.
pub(super) struct Weather<P> {
    /// Under which faults draw.
    key: Key,
    impairments: Vec<(FaultId, Path, Arc<dyn Impairment>)>,
    holds: Vec<Hold<P>>,
}

/// A path on which messages wait.
struct Hold<P> {
    by: FaultId,
    on: Path,
    waiting: Vec<Waiting<P>>,
}

/// A message on its way.
#[derive(Clone, Copy)]
pub(super) struct Passage {
    pub(super) link: LinkId,
    pub(super) from: NodeId,
    pub(super) to: NodeId,
    pub(super) size: u64,
    /// Its number among its sender's effects.
    pub(super) count: u32,
}

/// A message that waits in the network.
#[derive(Clone, Copy)]
pub(super) struct Waiting<P> {
    pub(super) passage: Passage,
    pub(super) parcel: P,
}

impl Passage {
    fn is_on(&self, path: &Path) -> bool {
        path.covers(self.link, self.from, self.to)
    }
}

impl<P> Weather<P> {
    pub(super) fn new(key: Key) -> Self {
        Self { key, impairments: Vec::new(), holds: Vec::new() }
    }

    /// Whether no message is touched.
    pub(super) fn is_clear(&self) -> bool {
        self.impairments.is_empty() && self.holds.is_empty()
    }

    pub(super) fn impair(&mut self, id: FaultId, on: Path, with: Arc<dyn Impairment>) {
        self.impairments.push((id, on, with));
    }

    pub(super) fn repair(&mut self, id: FaultId, on: &Path) {
        let found = self.impairments.iter().position(|(by, path, _)| *by == id && path == on);
        found.map(|index| self.impairments.remove(index));
    }

    pub(super) fn hold(&mut self, by: FaultId, on: Path) {
        self.holds.push(Hold { by, on, waiting: Vec::new() });
    }

    /// What waited, in the order in which it was sent.
    pub(super) fn release(&mut self, id: FaultId, on: &Path) -> Vec<Waiting<P>> {
        let found = self.holds.iter().position(|hold| hold.by == id && hold.on == *on);
        found.map(|index| self.holds.remove(index).waiting).unwrap_or_default()
    }

    /// Whether a message has to wait.
    pub(super) fn holds(&self, passage: &Passage) -> bool {
        self.holds.iter().any(|hold| passage.is_on(&hold.on))
    }

    /// Keeps a message that has to wait, on the account of every fault that holds it.
    pub(super) fn keep(&mut self, passage: Passage, parcel: P, books: &mut FaultBooks) {
        let mut keeper = None;
        for hold in self.holds.iter_mut().filter(|hold| passage.is_on(&hold.on)) {
            books.touch_message(&[hold.by]);
            keeper = keeper.or(Some(hold));
        }
        if let Some(hold) = keeper {
            hold.waiting.push(Waiting { passage, parcel });
        }
    }

    /// What faults do to a message; each that makes a difference is told. Their luck is drawn by the names of message and
    /// fault.
    pub(super) fn impact(&self, passage: &Passage, address: &Address<'_>, books: &mut FaultBooks) -> Impact {
        let mut impact = Impact::NONE;
        for (id, path, impairment) in &self.impairments {
            if passage.is_on(path) {
                let luck = Entity::from_bits(mix(address.owner.bits() ^ mix(books.salt(*id))));
                if impairment.impair(&self.key.block(luck, address.position), &mut impact) {
                    books.touch_message(&[*id]);
                }
            }
        }
        impact
    }

    /// Copies that wait.
    pub(super) fn held_messages(&self) -> u64 {
        self.holds.iter().map(|hold| hold.waiting.len() as u64).sum()
    }
}
