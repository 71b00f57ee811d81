//! What messages are drawn by: which of them belong to a sample follows from their names alone.

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::random::mix;
use crate::process::MessageId;

/// Draws of messages.
#[derive(Debug)]
pub(super) struct Draws {
    /// The names of nodes, by their index.
    names: Vec<u64>,
}

impl Draws {
    /// Those of messages that these nodes own.
    pub fn of(names: &Names) -> Self {
        let mut bits = vec![0; names.span()];
        for node in names.groups().flat_map(|group| names.members(group)) {
            bits[node.index() as usize] = names.entity(node).bits();
        }
        Self { names: bits }
    }

    /// A node's name.
    pub fn name(&self, node: NodeId) -> u64 {
        self.names[node.index() as usize]
    }

    /// What a message is drawn by.
    pub fn draw(&self, message: MessageId) -> u64 {
        mix(self.name(message.owner) ^ mix(message.number.into()))
    }
}

/// Which draws belong to a sample: those that end in so many zeros.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Rule {
    /// What has to be zero in a draw.
    mask: u64,
}

impl Rule {
    /// Whether a message with this draw belongs to the sample.
    #[inline]
    pub fn has(self, draw: u64) -> bool {
        draw & self.mask == 0
    }

    /// Asks for one more zero: about half of the sample leave.
    pub fn halve(&mut self) {
        self.mask = self.mask << 1 | 1;
    }

    /// One of so many belongs to it.
    pub fn one_in(self) -> u64 {
        self.mask + 1
    }
}
