//! How much a sender may have on the way: the congestion window.
//!
//! Below a threshold the window grows by a segment for each one that is acknowledged (slow start: it doubles in a round
//! trip); above it the algorithm decides. A loss that acknowledgements tell of sets threshold and window to what the
//! algorithm leaves; one that only the timer tells of leaves one segment. A window that is not used does not grow (RFC 7661).
//!
//! Source: Allman, Paxson, Blanton, "TCP Congestion Control", RFC 5681, 2009.

mod cubic;
mod reno;

use crate::base::time::{Span, Time};

use cubic::Cubic;
use reno::Reno;

/// A congestion control, as it is explained to users.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct CongestionEntry {
    /// What it is called.
    pub name: &'static str,
    /// What it does, in a line.
    pub summary: &'static str,
    /// Where it is described.
    pub source: &'static str,
    /// Itself.
    pub algorithm: Algorithm,
}

/// Every congestion control.
pub const CONGESTION_CONTROLS: &[CongestionEntry] = &[cubic::ENTRY, reno::ENTRY];

/// Which congestion control a sender uses.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Algorithm {
    /// Additive increase, multiplicative decrease.
    Reno,
    /// A cubic function of the time since the last loss.
    Cubic,
}

impl Algorithm {
    fn growth(self) -> Growth {
        match self {
            Self::Reno => Growth::Reno(Reno::default()),
            Self::Cubic => Growth::Cubic(Cubic::default()),
        }
    }
}

/// The state of an algorithm.
#[derive(Clone, Debug)]
enum Growth {
    Reno(Reno),
    Cubic(Cubic),
}

/// The fewest segments that a loss leaves.
const SEGMENTS_MIN: u64 = 2;

/// A sender's congestion window, in bytes.
#[derive(Clone, Debug)]
pub(super) struct Congestion {
    mss: u64,
    window: u64,
    threshold: u64,
    growth: Growth,
}

impl Congestion {
    /// A window of so many bytes, and no threshold yet.
    pub(super) fn new(algorithm: Algorithm, mss: u64, window: u64) -> Self {
        Self { mss, window, threshold: u64::MAX, growth: algorithm.growth() }
    }

    /// How many bytes may be on the way.
    pub(super) fn window(&self) -> u64 {
        self.window
    }

    /// So many bytes were acknowledged, and the window was all in use.
    pub(super) fn acknowledged(&mut self, now: Time, bytes: u64, trip: Span) {
        if self.window < self.threshold {
            self.window += bytes.min(self.mss);
            return;
        }
        let by = match &mut self.growth {
            Growth::Reno(reno) => reno.increase(self.window, bytes, self.mss),
            Growth::Cubic(cubic) => cubic.increase(now, self.window, bytes, self.mss, trip),
        };
        self.window += by;
    }

    /// Acknowledgements tell that something was lost while so many bytes were on their way.
    pub(super) fn lost(&mut self, flight: u64) {
        self.reduce(flight);
        self.window = self.threshold;
    }

    /// The timer tells that something was lost while so many bytes were on their way; `again` if it is the same as before.
    pub(super) fn timed_out(&mut self, flight: u64, again: bool) {
        if !again {
            self.reduce(flight);
        }
        self.window = self.mss;
    }

    fn reduce(&mut self, flight: u64) {
        let left = match &mut self.growth {
            Growth::Reno(reno) => reno.reduce(flight),
            Growth::Cubic(cubic) => cubic.reduce(self.window, flight),
        };
        self.threshold = left.max(SEGMENTS_MIN * self.mss);
    }

    /// All that was lost has arrived: the window goes on from where the loss has left it, or from what is on the way if that
    /// is less, so that nothing is sent in a burst (RFC 6582, 3.2, step 3).
    pub(super) fn recovered(&mut self, flight: u64) {
        self.window = self.threshold.min(flight.max(self.mss) + self.mss);
    }

    /// Nothing was sent for long, and what the window says is no longer true: at most the first window.
    pub(super) fn was_idle(&mut self, first: u64) {
        self.window = self.window.min(first);
        if let Growth::Cubic(cubic) = &mut self.growth {
            cubic.was_idle();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    const MSS: u64 = 1000;
    const TRIP: Span = ms(100);

    /// Acknowledges a window segment by segment; how many there were.
    fn round(congestion: &mut Congestion, now: Time) -> u64 {
        let segments = congestion.window() / MSS;
        (0..segments).for_each(|_| congestion.acknowledged(now, MSS, TRIP));
        segments
    }

    /// 10, 20, 40 segments in successive round trips.
    #[test]
    fn slow_start_doubles_in_a_round_trip() {
        for algorithm in [Algorithm::Reno, Algorithm::Cubic] {
            let mut congestion = Congestion::new(algorithm, MSS, 10 * MSS);
            let rounds = [(); 4].map(|()| round(&mut congestion, Time::ZERO));
            assert_eq!(rounds, [10, 20, 40, 80], "{algorithm:?}");
        }
    }

    /// The window grows by one in each round trip from 16 to 32 and is halved: 16 + 17 + ... + 32 = 408 segments in 17 round
    /// trips, 24 in each on average.
    #[test]
    fn reno_saws_408_packets_in_17_round_trips() {
        let mut congestion = Congestion::new(Algorithm::Reno, MSS, 32 * MSS);
        for _ in 0..3 {
            congestion.lost(32 * MSS);
            let rounds: Vec<u64> =
                std::iter::from_fn(|| (congestion.window() <= 32 * MSS).then(|| round(&mut congestion, Time::ZERO)))
                    .collect();
            assert_eq!((rounds.len(), rounds.iter().sum::<u64>()), (17, 408));
            assert_eq!(rounds.iter().sum::<u64>() as f64 / rounds.len() as f64, 24.0);
        }
    }

    /// Doubled up to the threshold of 20; on the way there, in the fifth round trip, the other 12 segments are too few for one
    /// more.
    #[test]
    fn a_timeout_leaves_one_segment_and_remembers_half() {
        let mut congestion = Congestion::new(Algorithm::Reno, MSS, 40 * MSS);
        congestion.timed_out(40 * MSS, false);
        assert_eq!(congestion.window(), MSS);
        congestion.timed_out(MSS, true);
        let windows = [(); 6].map(|()| {
            round(&mut congestion, Time::ZERO);
            congestion.window() / MSS
        });
        assert_eq!(windows, [2, 4, 8, 16, 20, 21]);
    }

    #[test]
    fn no_loss_leaves_less_than_two_segments() {
        for algorithm in [Algorithm::Reno, Algorithm::Cubic] {
            let mut congestion = Congestion::new(algorithm, MSS, 10 * MSS);
            congestion.lost(MSS);
            assert_eq!(congestion.window(), 2 * MSS);
        }
    }
}
