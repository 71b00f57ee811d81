//! A number over time: its mean and its most in each step since the run began.

use crate::base::time::{Span, Time};

/// What comes later than this many steps is counted with the last: a drain may take for ever.
pub(super) const LAST_STEP: u64 = 1 << 14;

/// A number that stays the same until it is set anew, in steps of the same length from the start of the run to its end.
#[derive(Clone, Debug, Default)]
pub struct Curve {
    step: Span,
    /// What it was in each step.
    pub steps: Vec<CurveStep>,
    /// What it is since when, and the end of the present step, which is the last one; until the curve is closed.
    level: u64,
    since: Time,
    until: Time,
}

/// A number in one step of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct CurveStep {
    /// The integral of the number over the step's time, in nanoseconds.
    pub integral: u128,
    /// The time that was played of the step, in nanoseconds: less than its length where the run ended in it, and of several runs the
    /// sum.
    pub nanos: u64,
    /// The most that it was.
    pub max: u64,
}

impl CurveStep {
    /// The mean over time.
    pub fn mean(&self) -> f64 {
        self.integral as f64 / self.nanos as f64
    }
}

impl Curve {
    /// A number that is zero when the run begins.
    pub(super) fn new(step: Span) -> Self {
        Self { step, ..Self::default() }
    }

    /// The length of a step.
    pub fn step(&self) -> Span {
        self.step
    }

    /// It is `level` from now on.
    #[inline]
    pub(super) fn set(&mut self, now: Time, level: u64) {
        if self.until <= now {
            self.enter(now);
        }
        self.hold(now);
        self.level = level;
        if let Some(step) = self.steps.last_mut() {
            step.max = step.max.max(level);
        }
    }

    /// The run is over.
    pub(super) fn close(&mut self, end: Time) {
        if self.until <= end {
            self.enter(end);
        }
        self.hold(end);
        // A run that ends where a step does has played nothing of the next one.
        if self.steps.last().is_some_and(|step| step.nanos == 0) {
            self.steps.pop();
        }
    }

    /// It stayed what it was until now, which is in the present step or at its end.
    fn hold(&mut self, now: Time) {
        let nanos = now.since(self.since).as_nanos();
        if let Some(step) = self.steps.last_mut().filter(|_| nanos > 0) {
            step.integral += u128::from(self.level) * u128::from(nanos);
            step.nanos += nanos;
            step.max = step.max.max(self.level);
        }
        self.since = now;
    }

    /// Completes all steps that are over, and begins that of `now`.
    #[cold]
    fn enter(&mut self, now: Time) {
        while self.until <= now && self.steps.len() as u64 <= LAST_STEP {
            self.hold(self.until);
            let number = self.steps.len() as u64;
            self.steps.push(CurveStep::default());
            let end = Time::ZERO + Span::from_nanos(self.step.as_nanos().max(1)).times(number + 1);
            self.until = if number == LAST_STEP { Time::MAX } else { end };
        }
    }

    /// Adds what another number was in the same time: the greater most counts.
    pub(super) fn join(&mut self, other: &Self) {
        self.put_together(other, u64::max);
    }

    /// Adds what it was in another run.
    pub fn add(&mut self, other: &Self) {
        self.put_together(other, u64::saturating_add);
    }

    fn put_together(&mut self, other: &Self, nanos: fn(u64, u64) -> u64) {
        self.step = self.step.max(other.step);
        if self.steps.len() < other.steps.len() {
            self.steps.resize(other.steps.len(), CurveStep::default());
        }
        for (sum, step) in self.steps.iter_mut().zip(&other.steps) {
            sum.integral += step.integral;
            sum.nanos = nanos(sum.nanos, step.nanos);
            sum.max = sum.max.max(step.max);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    fn at(span: Span) -> Time {
        Time::ZERO + span
    }

    fn seen(curve: &Curve) -> Vec<(f64, u64)> {
        curve.steps.iter().map(|step| (step.mean(), step.max)).collect()
    }

    /// Four from 0.25 s, ten from 0.5 s, two from 1.5 s, one from 2 s, to 2.5 s: in the first second 4/4 + 10/2, in the second
    /// 10/2 + 2/2, and in what was played of the third one.
    #[test]
    fn changes_inside_steps_and_across_them() {
        let mut curve = Curve::new(secs(1));
        for (time, level) in [(ms(250), 4), (ms(500), 10), (ms(1_500), 2), (secs(2), 1)] {
            curve.set(at(time), level);
        }
        curve.close(at(ms(2_500)));
        assert_eq!(seen(&curve), [(6.0, 10), (6.0, 10), (1.0, 1)]);
        assert_eq!(curve.steps[2], CurveStep { integral: 500_000_000, nanos: 500_000_000, max: 1 });
    }

    #[test]
    fn what_does_not_change_for_long_is_in_every_step() {
        let mut curve = Curve::new(ms(10));
        curve.set(at(ms(10)), 5);
        curve.set(at(ms(1_010)), 0);
        curve.close(at(ms(1_030)));
        let all = [&[(0.0, 0)][..], &[(5.0, 5); 100], &[(0.0, 0); 2]].concat();
        assert_eq!(seen(&curve), all);
    }

    #[test]
    fn a_number_that_is_never_set_is_zero_to_the_end() {
        let mut curve = Curve::new(secs(1));
        curve.close(at(ms(2_001)));
        assert_eq!(seen(&curve), [(0.0, 0); 3]);
        let mut nothing = Curve::new(secs(1));
        nothing.close(Time::ZERO);
        assert_eq!(nothing.steps, []);
    }

    /// What is there and gone at one instant has no part in the mean, and is the most.
    #[test]
    fn what_is_there_for_no_time_is_the_most_all_the_same() {
        let mut curve = Curve::new(secs(1));
        for level in [1, 0] {
            curve.set(at(ms(1_500)), level);
        }
        curve.close(at(secs(2)));
        assert_eq!(seen(&curve), [(0.0, 0), (0.0, 1)]);
    }

    #[test]
    fn steps_are_no_more_than_memory_allows() {
        let mut curve = Curve::new(Span::from_nanos(1));
        curve.set(at(secs(1)), 3);
        curve.close(at(secs(2)));
        assert_eq!(curve.steps.len() as u64, LAST_STEP + 1);
        assert_eq!(curve.steps.iter().map(|step| step.integral).sum::<u128>(), 3_000_000_000);
        let mut endless = Curve::new(Span::ZERO);
        endless.set(Time::MAX, 1);
        endless.close(Time::MAX);
        assert_eq!(endless.steps.len() as u64, LAST_STEP + 1);
    }

    /// Of two numbers at the same time the mean is the sum; of two runs it is the mean, over those that were still played.
    #[test]
    fn numbers_are_joined_and_runs_are_added() {
        let of = |level, end| {
            let mut curve = Curve::new(secs(1));
            curve.set(Time::ZERO, level);
            curve.close(at(end));
            curve
        };
        let (mut joined, mut added) = (of(3, secs(1)), of(3, secs(1)));
        joined.join(&of(5, secs(1)));
        added.add(&of(5, secs(2)));
        assert_eq!(seen(&joined), [(8.0, 5)]);
        assert_eq!(seen(&added), [(4.0, 5), (5.0, 5)]);
    }
}
