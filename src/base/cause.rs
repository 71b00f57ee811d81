//! Why a copy of a message does not arrive: what the network that drops it and whoever asks for the reason both speak of.

/// Why a copy did not arrive.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Cause {
    /// Lost on the link.
    Loss,
    /// Damaged on the link and dropped by the receiver's checksum.
    Corrupt,
    /// No room in the sender's transmission buffer.
    BufferFull,
    /// The receiver was down, or the node that was to forward it.
    ReceiverDown,
    /// The network was cut between sender and receiver, or at a hop between them.
    Partition,
    /// The stream it was part of was reset.
    Reset,
}

impl Cause {
    /// Every cause, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Loss, Self::Corrupt, Self::BufferFull, Self::ReceiverDown, Self::Partition, Self::Reset];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Loss => "loss",
            Self::Corrupt => "corrupt",
            Self::BufferFull => "buffer-full",
            Self::ReceiverDown => "receiver-down",
            Self::Partition => "partition",
            Self::Reset => "reset",
        }
    }
}
