//! What the network knows of a message.

use crate::base::id::NodeId;
use crate::base::time::Span;

/// A message, as far as the network is concerned.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Packet {
    /// Who sends it.
    pub from: NodeId,
    /// Who is to have it.
    pub to: NodeId,
    /// Its size in bytes.
    pub size: u64,
    /// What happens to it besides.
    pub impact: Impact,
}

/// What happens to one message beside what its link does to all.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Impact {
    /// It is lost.
    pub is_lost: bool,
    /// It arrives damaged: the receiver's checksum drops it.
    pub is_corrupt: bool,
    /// It arrives twice.
    pub is_doubled: bool,
    /// Further time on the way.
    pub delay: Span,
    /// Later ones may overtake it, even where order is kept.
    pub is_overtaken: bool,
}

impl Impact {
    /// Nothing.
    pub const NONE: Self =
        Self { is_lost: false, is_corrupt: false, is_doubled: false, delay: Span::ZERO, is_overtaken: false };
}
