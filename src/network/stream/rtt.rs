//! How long to wait for an acknowledgement.
//!
//! The first round trip R sets SRTT = R and RTTVAR = R / 2; each further one RTTVAR = 3/4 RTTVAR + 1/4 |SRTT - R|, then SRTT =
//! 7/8 SRTT + 1/8 R. The timeout is SRTT + max(G, 4 RTTVAR), within bounds, and doubles whenever it fires, until a round trip
//! is measured again: that of a segment sent once (Karn's algorithm).
//!
//! Source: Paxson, Allman, Chu, Sargent, "Computing TCP's Retransmission Timer", RFC 6298, 2011.

use crate::base::time::{Span, ms, secs};

/// G, the granularity of the timer: simulated time has none, but round trips that are all the same must not time out.
const GRANULARITY: Span = ms(1);
/// The timeout after a handshake whose request was lost (RFC 6298, 5.7).
const AFTER_LOST_SYN: Span = secs(3);

/// The estimate of a connection's round trips.
#[derive(Clone, Debug)]
pub(super) struct Rtt {
    smoothed: Option<Span>,
    variation: Span,
    timeout: Span,
    doublings: u32,
    bounds: (Span, Span),
}

impl Rtt {
    /// Nothing measured yet: wait for `initial`, then from `min` to `max`.
    pub(super) fn new(initial: Span, min: Span, max: Span) -> Self {
        let max = max.max(min);
        Self { smoothed: None, variation: Span::ZERO, timeout: initial, doublings: 0, bounds: (min, max) }
    }

    /// A segment that was sent once took so long to be acknowledged.
    pub(super) fn measured(&mut self, trip: Span) {
        let smoothed = match self.smoothed {
            None => {
                self.variation = Span::from_nanos(trip.as_nanos() / 2);
                trip
            }
            Some(smoothed) => {
                let error = if trip > smoothed { trip - smoothed } else { smoothed - trip };
                self.variation = weighted(self.variation, 3, error);
                weighted(smoothed, 7, trip)
            }
        };
        self.smoothed = Some(smoothed);
        self.timeout = (smoothed + self.variation.times(4).max(GRANULARITY)).max(self.bounds.0);
        self.doublings = 0;
    }

    /// The request to open was lost: as little is known as before, and it had better be patient.
    pub(super) fn lost_syn(&mut self) {
        self.timeout = self.timeout.max(AFTER_LOST_SYN);
        self.doublings = 0;
    }

    /// Nothing came in time.
    pub(super) fn timed_out(&mut self) {
        self.doublings = self.doublings.saturating_add(1);
    }

    /// How long to wait now.
    pub(super) fn timeout(&self) -> Span {
        self.doubled(self.doublings)
    }

    /// How long to wait after so many doublings.
    pub(super) fn doubled(&self, doublings: u32) -> Span {
        self.timeout.times(1 << doublings.min(63)).min(self.bounds.1)
    }

    /// The smoothed round trip; zero before the first was measured.
    pub(super) fn smoothed(&self) -> Span {
        self.smoothed.unwrap_or(Span::ZERO)
    }
}

/// The mean of `old`, `weight` times, and `new`, once.
fn weighted(old: Span, weight: u64, new: Span) -> Span {
    Span::from_nanos(
        ((u128::from(old.as_nanos()) * u128::from(weight) + u128::from(new.as_nanos())) / u128::from(weight + 1))
            as u64,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::us;

    /// By hand. R = 100: SRTT 100, RTTVAR 50, RTO 300. R = 140: RTTVAR 37.5 + 10 = 47.5, SRTT 87.5 + 17.5 = 105, RTO 295. R = 105:
    /// RTTVAR 35.625 + 0, SRTT 105, RTO 247.5. R = 65: RTTVAR 26.71875 + 10 = 36.71875, SRTT 91.875 + 8.125 = 100, RTO 246.875.
    #[test]
    fn timeouts_follow_a_trace_worked_out_by_hand() {
        let mut rtt = Rtt::new(secs(1), Span::ZERO, secs(60));
        assert_eq!(rtt.timeout(), secs(1));
        let timeouts = [100, 140, 105, 65].map(|trip| {
            rtt.measured(ms(trip));
            rtt.timeout()
        });
        assert_eq!(timeouts, [ms(300), ms(295), us(247_500), us(246_875)]);
        assert_eq!(rtt.smoothed(), ms(100));
    }

    #[test]
    fn a_timeout_stays_within_its_bounds_and_doubles_until_a_round_trip_is_measured() {
        let mut rtt = Rtt::new(secs(1), ms(200), secs(60));
        rtt.measured(ms(10));
        assert_eq!(rtt.timeout(), ms(200));
        let doubled = [(); 10].map(|()| {
            rtt.timed_out();
            rtt.timeout()
        });
        assert_eq!(doubled[..8], [400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200].map(ms));
        assert_eq!(doubled[8..], [secs(60); 2]);
        rtt.measured(ms(10));
        assert_eq!(rtt.timeout(), ms(200));
    }

    /// RTTVAR shrinks to nothing, and what is left is the granularity.
    #[test]
    fn round_trips_that_are_all_the_same_leave_a_millisecond() {
        let mut rtt = Rtt::new(secs(1), Span::ZERO, secs(60));
        (0..200).for_each(|_| rtt.measured(ms(50)));
        assert_eq!(rtt.timeout(), ms(51));
    }

    #[test]
    fn a_lost_request_makes_patient() {
        let mut rtt = Rtt::new(secs(1), ms(200), secs(60));
        rtt.timed_out();
        rtt.lost_syn();
        assert_eq!(rtt.timeout(), secs(3));
    }
}
