//! `transport`: how messages travel over a link.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantity_text::{Bytes, Duration};
use crate::scenario::document::Located;

/// How messages travel over a link.
#[allow(clippy::large_enum_variant, reason = "a scenario has a few")]
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub enum Transport {
    /// Each message on its own: what is lost is lost, and messages may overtake each other.
    Datagram,
    /// As parts of a stream, as TCP has it: each message arrives once and in order, or the stream is reset. What the link does,
    /// it does to segments, each with 40 bytes of headers. A caller learns of a reset at once: its attempts under way to that
    /// peer have failed (`retry-on = "reset"`). Beside a latency that varies, `order = "fifo"` keeps segments from
    /// overtaking each other, which TCP takes for losses.
    #[serde(rename_all = "kebab-case")]
    Stream {
        /// How a sender finds out how much the network carries. The default is that of Linux (`tcp_congestion_control`).
        #[serde(default)]
        congestion_control: CongestionControl,
        /// The most bytes of messages in a segment. By default what a frame of Ethernet leaves: 1500 less 40 of headers.
        #[schemars(extend("default" = "1460B"))]
        mss: Option<Located<Bytes>>,
        /// How many segments may leave before the first acknowledgement (RFC 6928).
        #[schemars(extend("default" = 10))]
        initial_window: Option<NonZeroU32>,
        /// How many bytes a receiver takes that its process has not read: one that is paused reads nothing, and its window
        /// closes. The default is what RFC 9293 can say without scaling.
        #[schemars(extend("default" = "64KiB"))]
        receive_window: Option<Located<Bytes>>,
        /// How long to wait for the first acknowledgement (RFC 6298).
        #[schemars(extend("default" = "1s"))]
        initial_rto: Option<Located<Duration>>,
        /// How long to wait for an acknowledgement at least. The default is that of Linux; RFC 6298 demands 1 s.
        #[schemars(extend("default" = "200ms"))]
        min_rto: Option<Located<Duration>>,
        /// How long to wait at most, as the wait doubles each time. The default is that of Linux.
        #[schemars(extend("default" = "2min"))]
        max_rto: Option<Located<Duration>>,
        /// How often data is sent again for want of an acknowledgement before the stream is reset. The default is that of
        /// Linux (`tcp_retries2`): about a quarter of an hour.
        #[schemars(extend("default" = 15))]
        retries: Option<u32>,
        /// How often a handshake is tried again before the stream is reset. The default is that of Linux
        /// (`tcp_syn_retries`): 127 s.
        #[schemars(extend("default" = 6))]
        syn_retries: Option<u32>,
        /// How long a receiver waits for a second segment before it acknowledges a first one. By default it never waits; Linux
        /// waits for 40 to 200 ms, RFC 1122 allows 500 ms.
        #[schemars(extend("default" = "0s"))]
        delayed_ack: Option<Duration>,
        /// Whether a stream that was idle for longer than its timeout starts slowly again (`tcp_slow_start_after_idle`).
        #[schemars(extend("default" = true))]
        slow_start_after_idle: Option<bool>,
        /// After how long a stream that nobody uses is closed; the next message opens another. By default never.
        idle_timeout: Option<Located<Duration>>,
        /// How many streams two nodes keep open at most. A message takes the one with the fewest bytes to send, and opens a
        /// further one if all are busy; with more than one, messages may overtake each other.
        #[schemars(extend("default" = 1))]
        connections: Option<NonZeroU32>,
    },
}

/// How a sender finds out how much the network carries.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize, Serialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum CongestionControl {
    /// By a cubic function of the time since the last loss (RFC 9438).
    #[default]
    Cubic,
    /// By a segment more in each round trip, and half as much after a loss (RFC 5681).
    Reno,
}
