//! Additive increase, multiplicative decrease.
//!
//! Each time a whole window is acknowledged it grows by one segment; a loss halves what is on the way.
//!
//! Source: RFC 5681, 3.1 (equations 3 and 4, by counting acknowledged bytes as in RFC 3465).

use super::{Algorithm, CongestionEntry};

/// How it is explained.
pub(super) const ENTRY: CongestionEntry = CongestionEntry {
    name: "reno",
    summary: "The window grows by a segment in each round trip, and a loss halves it.",
    source: "RFC 5681, with NewReno's recovery, RFC 6582",
    algorithm: Algorithm::Reno,
};

/// The state of Reno.
#[derive(Clone, Debug, Default)]
pub(super) struct Reno {
    /// Bytes acknowledged since the window last grew.
    acknowledged: u64,
}

impl Reno {
    /// By how much a window grows when so many bytes of it are acknowledged.
    pub(super) fn increase(&mut self, window: u64, bytes: u64, mss: u64) -> u64 {
        self.acknowledged += bytes;
        if self.acknowledged < window {
            return 0;
        }
        self.acknowledged -= window;
        mss
    }

    /// What a loss leaves of so many bytes on their way.
    pub(super) fn reduce(&mut self, flight: u64) -> u64 {
        self.acknowledged = 0;
        flight / 2
    }
}
