//! Faults: what happens to a system from outside, each with its own account of what it touched.
//!
//! A fault strikes and, perhaps, heals. Faults that overlap compose: a node is down, paused or cut off as long as any fault
//! keeps it so, and slower by the product of all factors that hold; a message suffers from all that concern it.

mod corrupt;
mod crash;
mod cut;
mod delay;
mod duplicate;
mod full;
mod hold;
mod impair;
mod loss;
mod pace;
mod path;
mod pause;
mod reorder;
mod restart;
mod skew;
mod slow;
mod surge;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::id::{NodeId, hash_name};
use crate::process::Message;

use super::control::Controls;

pub use corrupt::Corrupt;
pub use crash::Crash;
pub use cut::{Cut, Severed};
pub use delay::Delay;
pub use duplicate::Duplicate;
pub use full::DiskFull;
pub use hold::Hold;
pub use impair::{Impair, Impairment};
pub use loss::Loss;
pub use pace::Pace;
pub use path::Path;
pub use pause::Pause;
pub use reorder::Reorder;
pub use skew::Skew;
pub use slow::Slow;
pub use surge::Surge;

/// A kind of fault, as it is explained to users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FaultEntry {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// All else, in a paragraph.
    pub explanation: &'static str,
    /// Where it is described.
    pub source: &'static str,
}

/// Every kind of fault.
pub const FAULTS: &[&FaultEntry] = &[
    &crash::ENTRY,
    &restart::ENTRY,
    &pause::ENTRY,
    &slow::ENTRY,
    &skew::ENTRY,
    &full::ENTRY,
    &cut::PARTITION,
    &cut::ISOLATE,
    &cut::CUT,
    &hold::ENTRY,
    &loss::ENTRY,
    &delay::ENTRY,
    &pace::ENTRY,
    &duplicate::ENTRY,
    &corrupt::ENTRY,
    &reorder::ENTRY,
    &surge::ENTRY,
];

/// A fault's place among those of a run.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FaultId(pub(super) u32);

impl FaultId {
    /// The dense index, in the order in which faults were added.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Something that happens to a system. A fault may strike several times, but not before it has healed.
pub trait Fault<M: Message>: Send + Sync + 'static {
    /// It begins.
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId);
    /// It ends.
    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId);
}

impl<M: Message> Fault<M> for Arc<dyn Fault<M>> {
    fn strike(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        (**self).strike(controls, id);
    }

    fn heal(&self, controls: &mut Controls<'_, M>, id: FaultId) {
        (**self).heal(controls, id);
    }
}

/// What a fault touched.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct FaultBook {
    /// Times it struck.
    pub strikes: u64,
    /// Nodes that it found in a state it could worsen, each counted once.
    pub nodes: u64,
    /// Copies that were dropped or delayed because of it; of a stream, segments that were lost and messages that a crash took.
    pub messages: u64,
    /// Timers that were lost or delayed because of it.
    pub timers: u64,
}

impl FaultBook {
    /// Adds another run's counts.
    pub fn add(&mut self, other: &Self) {
        self.strikes += other.strikes;
        self.nodes += other.nodes;
        self.messages += other.messages;
        self.timers += other.timers;
    }

    /// Whether it made no difference to anything.
    pub fn is_idle(&self) -> bool {
        self.nodes == 0 && self.messages == 0 && self.timers == 0
    }
}

/// The accounts of all faults of a run.
#[derive(Default, Debug)]
pub(super) struct FaultBooks {
    names: Vec<String>,
    books: Vec<FaultBook>,
    nodes: Vec<BTreeSet<NodeId>>,
}

impl FaultBooks {
    /// The account of this name, an empty one if there is none.
    pub(super) fn named(&mut self, name: &str) -> FaultId {
        let index = self.names.iter().position(|known| known == name).unwrap_or_else(|| {
            self.names.push(name.to_owned());
            self.books.push(FaultBook::default());
            self.nodes.push(BTreeSet::new());
            self.names.len() - 1
        });
        FaultId(u32::try_from(index).expect("fewer than 2^32 faults"))
    }

    /// What the fault's draws are told apart by.
    pub(super) fn salt(&self, id: FaultId) -> u64 {
        hash_name(&self.names[id.index()]).into()
    }

    pub(super) fn of_name(&self, name: &str) -> Option<&FaultBook> {
        let index = self.names.iter().position(|known| known == name)?;
        self.books.get(index)
    }

    pub(super) fn of(&mut self, id: FaultId) -> &mut FaultBook {
        &mut self.books[id.index()]
    }

    pub(super) fn touch_node(&mut self, id: FaultId, node: NodeId) {
        if self.nodes[id.index()].insert(node) {
            self.books[id.index()].nodes += 1;
        }
    }

    /// A copy suffered from all these.
    pub(super) fn touch_message(&mut self, ids: &[FaultId]) {
        ids.iter().for_each(|&id| self.of(id).messages += 1);
    }

    /// So many timers suffered from all these.
    pub(super) fn touch_timers(&mut self, ids: &[FaultId], count: u64) {
        ids.iter().for_each(|&id| self.of(id).timers += count);
    }
}
