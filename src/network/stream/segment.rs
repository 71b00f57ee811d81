//! What travels: a run of bytes of one direction, an acknowledgement of the other.

/// Bytes of a segment besides those of messages: 20 of IPv4 and 20 of TCP, without options.
pub const HEADER: u64 = 40;

/// A segment. Places count the bytes of one direction from 0; the end of a direction counts as a byte.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Segment {
    /// The place of its first byte.
    pub(super) place: u64,
    /// How many bytes of messages it carries.
    pub(super) len: u32,
    /// Opens the connection.
    pub(super) syn: bool,
    /// Ends its direction behind its bytes.
    pub(super) fin: bool,
    /// Says that there is no such connection.
    pub(super) rst: bool,
    /// Asks what the window is.
    pub(super) probe: bool,
    /// Whether these bytes were sent before.
    pub(super) again: bool,
    /// What its sender has received, if it has heard of the other side.
    pub(super) ack: Option<Acknowledgement>,
}

/// What a receiver says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Acknowledgement {
    /// All bytes before this place arrived.
    pub(super) next: u64,
    /// No byte from this place on may be sent.
    pub(super) limit: u64,
}

impl Segment {
    /// The answer to a segment of a connection that does not exist.
    pub const RESET: Self =
        Self { place: 0, len: 0, syn: false, fin: false, rst: true, probe: false, again: false, ack: None };

    /// Bytes on the wire.
    pub fn size(&self) -> u64 {
        HEADER + u64::from(self.len)
    }

    /// Whether its bytes, or its request to open, were sent before.
    pub fn is_retransmission(&self) -> bool {
        self.again
    }

    /// Whether it asks to open a connection.
    pub fn opens(&self) -> bool {
        self.syn && self.ack.is_none()
    }

    /// Whether it says that there is no such connection.
    pub fn is_reset(&self) -> bool {
        self.rst
    }

    /// The place behind it, its end included if it has one.
    pub(super) fn end(&self) -> u64 {
        self.place + u64::from(self.len) + u64::from(self.fin)
    }
}
