//! Which messages somebody follows on the wire and at stations: so that of all others nothing need be stated.
//!
//! A table of counts by a number that is made of a message's name: where it has none, nobody follows a message with that number. It is
//! shared between the driver, who asks, and the one observer who follows; both are on one thread, and no order between them is needed.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};

use super::message::MessageId;

/// Messages that are followed, and perhaps some others.
#[derive(Clone, Debug)]
pub struct Followed(Arc<[AtomicU32; CLASSES]>);

/// As many as fit into the fastest cache beside other things.
const CLASSES: usize = 2_048;

impl Default for Followed {
    fn default() -> Self {
        Self(Arc::new([const { AtomicU32::new(0) }; CLASSES]))
    }
}

impl Followed {
    /// Whether a message may be among them.
    #[inline(always)]
    pub fn has(&self, message: MessageId) -> bool {
        self.0[class(message)].load(Relaxed) > 0
    }

    /// It is followed from now on.
    pub fn add(&self, message: MessageId) {
        let count = &self.0[class(message)];
        count.store(count.load(Relaxed) + 1, Relaxed);
    }

    /// It is followed no longer.
    pub fn remove(&self, message: MessageId) {
        let count = &self.0[class(message)];
        count.store(count.load(Relaxed) - 1, Relaxed);
    }
}

/// The class of a message: the uppermost bits of a product that mixes its name.
#[inline(always)]
fn class(message: MessageId) -> usize {
    let name = message.number ^ message.owner.index().wrapping_mul(0x9e37_79b9);
    (name.wrapping_mul(0x85eb_ca6b) >> (u32::BITS - CLASSES.trailing_zeros())) as usize
}
