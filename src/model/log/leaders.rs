//! Who leads each partition at present: shown by controllers, for faults that strike leaders.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::base::id::NodeId;

/// The leaders of all partitions of a system, by their slots.
#[derive(Clone, Debug)]
pub struct Leaders(Arc<[AtomicU32]>);

/// Nobody's place.
const NOBODY: u32 = u32::MAX;

impl Leaders {
    /// So many partitions without leaders.
    pub fn new(partitions: usize) -> Self {
        Self((0..partitions).map(|_| AtomicU32::new(NOBODY)).collect())
    }

    /// Who leads, if anybody does.
    pub fn of(&self, slot: usize) -> Option<NodeId> {
        let index = self.0[slot].load(Ordering::Relaxed);
        (index != NOBODY).then(|| NodeId::new(index))
    }

    /// Says who leads. One run is one thread, so whoever looks next sees it.
    pub(super) fn show(&self, slot: usize, leader: Option<NodeId>) {
        self.0[slot].store(leader.map_or(NOBODY, NodeId::index), Ordering::Relaxed);
    }
}
