//! A quantity over several runs, taken in one by one: all of them together, and how much they differ.

use serde::{Deserialize, Serialize};

use crate::base::special::{normal_quantile, student_t_quantile, wilson_interval};
use crate::scenario::plan::Measure;
use crate::scenario::quantity::Statistic;

use super::measure::is_of_things;
use super::partial::Partial;

/// Two-sided confidence.
pub(super) const CONFIDENCE: f64 = 0.95;

/// The mean of some values and how much they scatter, taken in one by one (Welford, Technometrics 4 (3), 1962).
#[derive(Clone, Copy, PartialEq, Default, Debug, Serialize, Deserialize)]
pub struct Moments {
    count: u32,
    mean: f64,
    squares: f64,
    /// Whether one of the values was infinite.
    is_infinite: bool,
}

impl Moments {
    /// Takes in a value.
    pub fn add(&mut self, value: f64) {
        self.count += 1;
        self.is_infinite |= !value.is_finite();
        let distance = value - self.mean;
        self.mean += distance / f64::from(self.count);
        self.squares += distance * (value - self.mean);
    }

    /// How many values there were.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// Their mean; none of none.
    pub fn mean(&self) -> Option<f64> {
        (self.count > 0).then_some(self.mean)
    }

    /// Half the 95 % interval for their mean, by Student's t; none of fewer than two, or where one is infinite.
    pub fn half_width(&self) -> Option<f64> {
        self.half_width_at(CONFIDENCE)
    }

    /// The same with another confidence than 95 %.
    pub fn half_width_at(&self, confidence: f64) -> Option<f64> {
        if self.count < 2 || self.is_infinite {
            return None;
        }
        let (count, degrees) = (f64::from(self.count), f64::from(self.count - 1));
        let variance = self.squares / degrees;
        Some(student_t_quantile(0.5 + confidence / 2.0, degrees) * libm::sqrt(variance / count))
    }
}

impl FromIterator<f64> for Moments {
    fn from_iter<I: IntoIterator<Item = f64>>(values: I) -> Self {
        let mut moments = Self::default();
        values.into_iter().for_each(|value| moments.add(value));
        moments
    }
}

/// A quantity over several runs.
#[derive(Clone, Debug, Default)]
pub struct Sample {
    runs: u32,
    pooled: Partial,
    values: Moments,
}

impl Sample {
    /// Takes in what the next run says; its own value.
    pub fn add(&mut self, partial: &Partial, statistic: Statistic) -> Option<f64> {
        self.runs += 1;
        self.pooled.add(partial);
        let value = partial.value(statistic);
        value.into_iter().for_each(|value| self.values.add(value));
        value
    }

    /// How many runs were taken in.
    pub fn runs(&self) -> u32 {
        self.runs
    }

    /// The value of all runs together.
    pub fn value(&self, statistic: Statistic) -> Option<f64> {
        self.pooled.value(statistic)
    }

    /// What all runs say together.
    pub fn pooled(&self) -> &Partial {
        &self.pooled
    }

    /// Half the 95 % interval of that value, as the runs' own values scatter; none of a single run, or where a run has no value.
    pub fn half_width(&self) -> Option<f64> {
        self.values.half_width().filter(|_| self.values.count() == self.runs)
    }

    /// The interval of that value with this confidence. Runs that all agree leave Student's t without a width, which is no certainty: of a
    /// share of what can be counted it is Wilson's then, over all of it.
    pub(super) fn interval_at(&self, measure: &Measure, confidence: f64) -> Option<(f64, f64)> {
        let value = self.value(measure.statistic).filter(|value| value.is_finite())?;
        let half = self.values.half_width_at(confidence).filter(|_| self.values.count() == self.runs)?;
        match self.pooled.counted(measure.statistic).filter(|_| half == 0.0 && is_of_things(measure)) {
            Some(count) => Some(wilson_interval(value, count, normal_quantile(0.5 + confidence / 2.0))),
            None => Some((value - half, value + half)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scenario::Metric;
    use crate::scenario::plan::Subject;

    /// 2, 4, 4, 4, 5, 5, 7, 9: mean 5, sum of squares 32; t of 7 degrees is 2.3646, so 2.3646 sqrt(32 / 7 / 8) = 1.7874.
    #[test]
    fn the_interval_is_students() {
        let moments: Moments = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0].into_iter().collect();
        assert_eq!(moments.mean, 5.0);
        assert!((moments.half_width().unwrap() - 1.7874).abs() < 1e-4, "{moments:?}");
        assert_eq!(Moments::from_iter([1.0]).half_width(), None);
        assert_eq!(Moments::from_iter([1.0, f64::INFINITY, 2.0]).half_width(), None);
    }

    fn reliability() -> Measure {
        let (subject, metric) = (Subject::Flows(vec![0]), Metric::Reliability);
        Measure { subject, metric, statistic: Statistic::Share, window: None }
    }

    /// n / (n + z²) of 100 messages; of time, nobody can say how often it was looked at.
    #[test]
    fn runs_that_agree_in_a_share_of_messages_are_one_sample() {
        let mut sample = Sample::default();
        sample.add(&Partial::ratio(50.0, 50.0), Statistic::Share);
        assert_eq!(sample.interval_at(&reliability(), CONFIDENCE), None);
        sample.add(&Partial::ratio(50.0, 50.0), Statistic::Share);
        let (low, high) = sample.interval_at(&reliability(), CONFIDENCE).expect("there are two runs");
        assert!((low - 100.0 / 103.841_459).abs() < 1e-6, "{low}");
        assert_eq!(high, 1.0);
        let busy = Measure { metric: Metric::Busy, ..reliability() };
        assert_eq!(sample.interval_at(&busy, CONFIDENCE), Some((1.0, 1.0)));
        sample.add(&Partial::ratio(40.0, 50.0), Statistic::Share);
        let half = sample.half_width().expect("all have a value");
        let value = 140.0 / 150.0;
        assert_eq!(sample.interval_at(&reliability(), CONFIDENCE), Some((value - half, value + half)));
    }

    #[test]
    fn a_run_without_a_value_leaves_the_sample_without_an_interval() {
        let mut sample = Sample::default();
        sample.add(&Partial::ratio(1.0, 2.0), Statistic::Share);
        sample.add(&Partial::ratio(2.0, 2.0), Statistic::Share);
        assert_eq!(sample.value(Statistic::Share), Some(0.75));
        assert!(sample.half_width().is_some());
        sample.add(&Partial::Nothing, Statistic::Share);
        assert_eq!((sample.runs(), sample.half_width()), (3, None));
    }
}
