//! When something is measured: spans of time, some of which depend on when a run's faults strike.

use crate::base::time::Time;
use crate::metrics::Spans;
use crate::metrics::recovery::Strike;

/// A window, resolved.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum When {
    /// From a time to before another.
    Between(Time, Time),
    /// Before this fault of the plan first strikes.
    Before(usize),
    /// From each of its strikes until that heals.
    During(usize),
    /// When it has healed for the last time.
    After(usize),
}

impl When {
    /// The spans of time in a run, as far as they lie within `measured`; `strikes` gives those of a fault. One that never
    /// strikes has no time during or after it, and all is before it.
    pub fn spans<'a>(self, strikes: impl Fn(usize) -> &'a [Strike], measured: (Time, Time)) -> Spans {
        // Strikes of the drain are nobody's: they would only move what is after the last.
        let of = |fault: usize| {
            let strikes = strikes(fault);
            &strikes[..strikes.partition_point(|strike| strike.0 < measured.1)]
        };
        let end = |strike: &Strike| strike.1.unwrap_or(Time::MAX);
        let spans = match self {
            Self::Between(from, to) => vec![(from, to)],
            Self::Before(fault) => vec![(Time::ZERO, of(fault).first().map_or(Time::MAX, |strike| strike.0))],
            Self::During(fault) => of(fault).iter().map(|strike| (strike.0, end(strike))).collect(),
            Self::After(fault) => of(fault).last().map(|strike| (end(strike), Time::MAX)).into_iter().collect(),
        };
        let within = spans.into_iter().map(|(from, to)| (from.max(measured.0), to.min(measured.1)));
        within.filter(|(from, to)| from < to).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::secs;

    fn at(seconds: u64) -> Time {
        Time::ZERO + secs(seconds)
    }

    #[test]
    fn windows_follow_the_strikes_of_the_run() {
        let strikes = [vec![(at(2), Some(at(3))), (at(6), Some(at(12)))], vec![(at(4), None)], Vec::new()];
        let spans = |when: When| when.spans(|fault| &strikes[fault], (at(1), at(10)));
        assert_eq!(spans(When::Before(0)), [(at(1), at(2))]);
        assert_eq!(spans(When::During(0)), [(at(2), at(3)), (at(6), at(10))]);
        assert_eq!(spans(When::After(0)), []);
        assert_eq!((spans(When::During(1)), spans(When::After(1))), (vec![(at(4), at(10))], vec![]));
        // Nothing ever happens.
        assert_eq!((spans(When::Before(2)), spans(When::During(2))), (vec![(at(1), at(10))], vec![]));
        assert_eq!(spans(When::Between(at(0), Time::MAX)), [(at(1), at(10))]);
    }
}
