//! A stream: messages between two nodes as one sequence of bytes, each delivered once and in order, or reset.
//!
//! TCP as its documents describe it: a handshake before the first byte (RFC 9293), segments of at most one MSS, cumulative
//! acknowledgements, retransmission by timer (RFC 6298) and by duplicate acknowledgements (NewReno, RFC 6582), congestion
//! control (Reno, RFC 5681, or CUBIC, RFC 9438) and a receive window. What is left out: selective acknowledgements,
//! Nagle's algorithm, urgent data, simultaneous opening, TIME-WAIT.
//!
//! All of it is arithmetic: (now, segment or timer or write) in, segments and news out. Of a message only its size is known,
//! and a ticket that is given back when its last byte has arrived in order.

mod congestion;
mod connection;
mod end;
mod receiver;
mod rtt;
mod segment;
mod sender;
#[cfg(test)]
mod tests;

use std::num::NonZeroU32;

use crate::base::time::{Span, ms, secs};
use crate::base::units::{Bytes, bytes};

pub use congestion::{Algorithm, CONGESTION_CONTROLS, CongestionEntry};
pub use connection::{Connection, Side};
pub use end::News;
pub use segment::{HEADER, Segment};

/// How messages travel over a link.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Transport {
    /// Each on its own: lost, doubled, reordered as the link will have it.
    #[default]
    Datagram,
    /// As parts of a stream.
    Stream(Box<Stream>),
}

/// What the ends of a stream do: plain data. Defaults are those of Linux 6 where it has a setting, else those of the RFCs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stream {
    /// How the sender finds out how much the network carries. Default: CUBIC (`net.ipv4.tcp_congestion_control`).
    pub congestion_control: Algorithm,
    /// The most bytes of messages in a segment, which has [`HEADER`] bytes more. Default: 1460, what an Ethernet frame of 1500
    /// leaves.
    pub mss: Bytes,
    /// Segments a connection may send before the first acknowledgement. Default: 10 (RFC 6928).
    pub initial_window: NonZeroU32,
    /// Bytes a receiver takes that its process has not read. Default: 64 KiB, the most that a window without scaling can say
    /// (RFC 9293), less one byte there.
    pub receive_window: Bytes,
    /// Bytes that a sender takes over from its process before it says that it is full. Nothing is refused beyond it: the rest
    /// waits with the process, which is told when there is room again. Default: no limit.
    pub send_buffer: Option<Bytes>,
    /// How long a connection waits for its first acknowledgement. Default: 1 s (RFC 6298).
    pub initial_rto: Span,
    /// The least time to wait for an acknowledgement. Default: 200 ms (Linux, `TCP_RTO_MIN`); RFC 6298 demands 1 s.
    pub min_rto: Span,
    /// The most, however often the wait is doubled. Default: 120 s (Linux, `TCP_RTO_MAX`); RFC 6298 demands at least 60 s.
    pub max_rto: Span,
    /// How often data is sent again by timer before the connection is given up. Default: 15 (`net.ipv4.tcp_retries2`).
    pub retries: u32,
    /// How often the handshake is repeated before it is given up. Default: 6 (`net.ipv4.tcp_syn_retries`).
    pub syn_retries: u32,
    /// How long a receiver may wait for a second segment before it acknowledges a first one; zero never waits. Default: zero,
    /// where RFC 1122 allows up to 500 ms and Linux waits from 40 to 200 ms except at the start of a connection.
    pub delayed_ack: Span,
    /// Whether a connection that was idle for longer than its timeout starts slowly again. Default: it does
    /// (`net.ipv4.tcp_slow_start_after_idle`, RFC 5681).
    pub slow_start_after_idle: bool,
    /// How long a connection that nobody uses stays open; none closes never. Default: none.
    pub idle_timeout: Option<Span>,
    /// How many connections two nodes have at most: a message takes the one with the fewest bytes to send, and opens a further
    /// one if all are busy. Default: 1, which keeps messages in order.
    pub connections: NonZeroU32,
}

impl Default for Stream {
    fn default() -> Self {
        Self {
            congestion_control: Algorithm::Cubic,
            mss: bytes(1460),
            initial_window: const { NonZeroU32::new(10).unwrap() },
            receive_window: bytes(65_536),
            send_buffer: None,
            initial_rto: secs(1),
            min_rto: ms(200),
            max_rto: secs(120),
            retries: 15,
            syn_retries: 6,
            delayed_ack: Span::ZERO,
            slow_start_after_idle: true,
            idle_timeout: None,
            connections: NonZeroU32::MIN,
        }
    }
}
