//! Rates that change along straight lines: what ramps, steps and spikes are made of.
//!
//! Between two corners the rate is r + s t, so r t + s t^2 / 2 requests are due after t, and x of them after
//! 2 x / (r + sqrt(r^2 + 2 s x)): the root of the quadratic that does not cancel, for slopes of either sign.

use super::Profile;
use crate::base::time::{Span, Time};

/// A rate that is a straight line between corners, and jumps there if it has to.
#[derive(Clone, PartialEq, Debug)]
pub struct Piecewise {
    pieces: Vec<Piece>,
    peak: f64,
}

/// A stretch of time, up to the next one.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Piece {
    start: Time,
    /// Requests due before it.
    due: f64,
    /// The rate at its start, in requests per second.
    rate: f64,
    /// How that changes, per second.
    slope: f64,
}

impl Piece {
    fn due(&self, at: Time) -> f64 {
        let seconds = at.since(self.start).as_nanos() as f64 / 1e9;
        self.due + (self.rate + self.slope * seconds / 2.0) * seconds
    }

    /// The moment after which more than `count` are due, if the piece goes on for long enough.
    fn when(&self, count: f64) -> Option<Time> {
        let more = count - self.due;
        if more <= 0.0 {
            return (self.rate > 0.0 || self.slope > 0.0).then_some(self.start);
        }
        let square = (self.rate * self.rate + 2.0 * self.slope * more).max(0.0);
        let seconds = 2.0 * more / (self.rate + libm::sqrt(square));
        // At no rate at all the division gives infinity.
        seconds.is_finite().then(|| self.start + Span::from_secs_f64(seconds))
    }
}

impl Piecewise {
    /// The rate that is `first` requests per second until the first corner. A corner is a time, the rate from then on, and how
    /// much it changes per second; corners come in the order of their times.
    pub fn new(first: f64, corners: &[(Span, f64, f64)]) -> Self {
        let mut pieces = vec![Piece { start: Time::ZERO, due: 0.0, rate: first, slope: 0.0 }];
        let mut peak = first;
        for &(at, rate, slope) in corners {
            let start = Time::ZERO + at;
            let last = pieces[pieces.len() - 1];
            let end = last.rate + last.slope * start.since(last.start).as_secs_f64();
            peak = peak.max(end).max(rate);
            if start == last.start {
                pieces.pop();
            }
            pieces.push(Piece { start, due: last.due(start), rate, slope });
        }
        Self { pieces, peak }
    }
}

impl Profile for Piecewise {
    fn due(&self, at: Time) -> f64 {
        let piece = self.pieces.partition_point(|piece| piece.start <= at) - 1;
        let due = self.pieces[piece].due(at);
        // Rounding may not pass the next corner.
        self.pieces.get(piece + 1).map_or(due, |next| due.min(next.due))
    }

    fn when(&self, count: f64) -> Option<Time> {
        // The last piece with no more due before it: pieces that bring nothing are passed over.
        let piece = self.pieces.partition_point(|piece| piece.due <= count).max(1) - 1;
        let end = self.pieces.get(piece + 1).map(|next| next.start);
        let time = self.pieces[piece].when(count);
        match (time, end) {
            (Some(time), Some(end)) => Some(time.min(end)),
            (time, end) => time.or(end),
        }
    }

    fn peak(&self) -> f64 {
        self.peak
    }
}

/// A rate that is nothing but lines.
macro_rules! of_lines {
    ($(#[$about:meta])* $rate:ident) => {
        $(#[$about])*
        #[derive(Clone, PartialEq, Debug)]
        pub struct $rate($crate::protocol::workload::rate::Piecewise);

        impl $crate::protocol::workload::rate::Profile for $rate {
            fn due(&self, at: $crate::base::time::Time) -> f64 {
                self.0.due(at)
            }

            fn when(&self, count: f64) -> Option<$crate::base::time::Time> {
                self.0.when(count)
            }

            fn peak(&self) -> f64 {
                self.0.peak()
            }
        }
    };
}

pub(super) use of_lines;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    fn at(seconds: f64) -> Time {
        Time::ZERO + Span::from_secs_f64(seconds)
    }

    /// 10/s for 2 s, then up by 5/s each second for 4 s, then none: 20 + (10 + 30) / 2 x 4 = 100 requests. The sixtieth comes
    /// when 10 t + 2.5 t^2 = 40: t = 2 sqrt(5) - 2.
    #[test]
    fn requests_are_the_area_under_the_rate() {
        let profile = Piecewise::new(10.0, &[(secs(2), 10.0, 5.0), (secs(6), 0.0, 0.0)]);
        assert_eq!(profile.due(at(1.0)), 10.0);
        assert_eq!(profile.due(at(4.0)), 50.0);
        assert_eq!((profile.due(at(6.0)), profile.due(at(60.0))), (100.0, 100.0));
        assert_eq!(profile.peak(), 30.0);
        assert_eq!(profile.when(0.0), Some(Time::ZERO));
        assert_eq!(profile.when(60.0), Some(at(2.0 * libm::sqrt(5.0))));
        assert_eq!((profile.when(100.0), profile.when(101.0)), (None, None));
    }

    /// Down from 10/s to nothing within 10 s: 50 requests, half of them after 10 - sqrt(50) s.
    #[test]
    fn a_rate_may_fall_to_nothing() {
        let profile = Piecewise::new(10.0, &[(secs(0), 10.0, -1.0), (secs(10), 0.0, 0.0)]);
        assert_eq!(profile.due(at(10.0)), 50.0);
        assert_eq!(profile.when(25.0), Some(at(10.0 - libm::sqrt(50.0))));
        assert_eq!((profile.when(50.0), profile.when(50.1)), (None, None));
    }

    #[test]
    fn where_nothing_comes_the_wait_is_passed_over() {
        let profile = Piecewise::new(0.0, &[(secs(5), 2.0, 0.0)]);
        assert_eq!(profile.due(at(5.0)), 0.0);
        assert_eq!((profile.when(0.0), profile.when(1.0)), (Some(at(5.0)), Some(at(5.5))));
    }
}
