//! Reliability with its 95 % interval.
//!
//! One run: Wilson's score interval (E. B. Wilson, 1927) on correct / offered; its lower end takes what is still in flight as
//! lost, its upper end as correct. Several runs: Student's t over the runs' shares, widened in the same way. Runs that all
//! agree leave t without a width, and then Wilson's interval on their sum stands in.

use crate::base::special::wilson_interval;
use crate::experiment::Moments;

/// The normal law's 97.5 % quantile.
const Z: f64 = 1.959_963_984_540_054;

/// What one run says about a share.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Trial {
    pub offered: u64,
    pub correct: u64,
    pub in_flight: u64,
}

/// A share and its interval.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) struct Estimate {
    pub share: f64,
    pub low: f64,
    pub high: f64,
    pub basis: &'static str,
}

impl Trial {
    fn plus(self, other: Self) -> Self {
        Self {
            offered: self.offered + other.offered,
            correct: self.correct + other.correct,
            in_flight: self.in_flight + other.in_flight,
        }
    }

    /// The share if all that is in flight is lost, and if all of it comes out right.
    fn shares(self) -> (f64, f64) {
        let offered = self.offered as f64;
        let most = (self.correct + self.in_flight).min(self.offered);
        (self.correct as f64 / offered, most as f64 / offered)
    }
}

/// What several runs say, taken in one by one.
#[derive(Clone, Debug, Default)]
pub(super) struct Trials {
    sum: Trial,
    /// The runs' shares if all that is in flight is lost.
    least: Moments,
    /// The runs' shares if all of it comes out right.
    most: Moments,
}

impl Trials {
    /// Takes in the next run; one that offered nothing says nothing.
    pub fn add(&mut self, run: Trial) {
        if run.offered > 0 {
            let (least, most) = run.shares();
            self.least.add(least);
            self.most.add(most);
            self.sum = self.sum.plus(run);
        }
    }

    /// Reliability over all of them, if anything was offered.
    pub fn reliability(&self) -> Option<Estimate> {
        if self.sum.offered == 0 {
            return None;
        }
        let (share, most) = self.sum.shares();
        if let (Some(below), Some(above)) = (self.least.half_width(), self.most.half_width())
            && let (Some(least), Some(best)) = (self.least.mean(), self.most.mean())
            && (below > 0.0 || above > 0.0)
        {
            let low = (least - below).clamp(0.0, 1.0);
            let high = (best + above).clamp(0.0, 1.0);
            // Runs of unequal size may leave the share of the sum outside the interval of their mean.
            return Some(Estimate { share, low: low.min(share), high: high.max(most), basis: "student-t" });
        }
        let (low, high) = (wilson_interval(share, self.sum.offered, Z).0, wilson_interval(most, self.sum.offered, Z).1);
        Some(Estimate { share, low, high, basis: "wilson" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trial(offered: u64, correct: u64, in_flight: u64) -> Trial {
        Trial { offered, correct, in_flight }
    }

    fn reliability(runs: &[Trial]) -> Option<Estimate> {
        let mut trials = Trials::default();
        runs.iter().for_each(|&run| trials.add(run));
        trials.reliability()
    }

    /// 81 of 263, from the literature (Newcombe 1998, table I): 0.2553 to 0.3662.
    #[test]
    fn wilson_matches_the_published_example() {
        let estimate = reliability(&[trial(263, 81, 0)]).unwrap();
        assert!((estimate.low - 0.2553).abs() < 5e-5 && (estimate.high - 0.3662).abs() < 5e-5, "{estimate:?}");
        assert_eq!(estimate.basis, "wilson");
    }

    #[test]
    fn what_is_in_flight_widens_both_ways() {
        let sure = reliability(&[trial(100, 90, 0)]).unwrap();
        let open = reliability(&[trial(100, 90, 10)]).unwrap();
        assert_eq!(open.low, sure.low);
        assert_eq!((open.high, open.share), (1.0, 0.9));
    }

    /// Shares 0.9, 0.8, 1.0: mean 0.9, sd 0.1, t(2) = 4.3027, half-width 0.24841.
    #[test]
    fn several_runs_use_student() {
        let estimate = reliability(&[trial(10, 9, 0), trial(10, 8, 0), trial(10, 10, 0)]).unwrap();
        assert!((estimate.low - 0.651_59).abs() < 1e-5, "{estimate:?}");
        assert_eq!((estimate.high, estimate.basis), (1.0, "student-t"));
    }

    #[test]
    fn runs_that_agree_are_one_sample() {
        let estimate = reliability(&[trial(50, 50, 0), trial(50, 50, 0)]).unwrap();
        assert_eq!((estimate.share, estimate.high, estimate.basis), (1.0, 1.0, "wilson"));
        // n / (n + z²) at n = 100.
        assert!((estimate.low - 100.0 / 103.841_459).abs() < 1e-6);
    }

    #[test]
    fn nothing_offered_has_no_reliability() {
        assert_eq!(reliability(&[]), None);
        assert_eq!(reliability(&[trial(0, 0, 0)]), None);
    }
}
