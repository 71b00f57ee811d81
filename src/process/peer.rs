//! What a process learns of the streams between its node and others.

/// What has happened to a stream to or from a peer: each is an input of its own, such as
/// [`Process::connected`](super::Process::connected).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PeerEvent {
    /// It is open.
    Connected,
    /// Its send buffer has room again.
    Writable,
    /// It was given up, or the peer knows nothing of it.
    Reset,
    /// It has ended in good order.
    Closed,
}
