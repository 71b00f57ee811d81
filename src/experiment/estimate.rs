//! What is known of a quantity as runs come in: the value of all of them, and an interval over the runs, or over the batches of the
//! only one.

use crate::base::time::Time;
use crate::metrics::RunResult;
use crate::scenario::plan::Measure;
use crate::scenario::quantity::Statistic;

use super::measure::value_within;
use super::partial::Partial;
use super::sample::{Moments, Sample};
use super::verdict::Measured;

/// Batches a single run is cut into: enough for Student's t to be close to the normal law, few enough for each to be long
/// (Law, "Simulation Modeling and Analysis", sec. 9.5: 20 to 40).
pub(super) const BATCHES: u32 = 20;

/// A quantity, and what the runs so far say about it.
#[derive(Clone, Debug)]
pub(super) struct Estimate {
    pub measure: Measure,
    pub sample: Sample,
    /// Of a single run, the values of its batches.
    batches: Moments,
}

impl Estimate {
    pub fn new(measure: Measure) -> Self {
        Self { measure, sample: Sample::default(), batches: Moments::default() }
    }

    /// Takes in what the next run answers; its own value.
    pub fn take(&mut self, answer: &Partial) -> Option<f64> {
        self.sample.add(answer, self.measure.statistic)
    }

    /// Takes in the batches of a run that is the only one.
    pub fn take_batches(&mut self, run: &RunResult) {
        let measure = &self.measure;
        if measure.window.is_none() {
            // A count of a twentieth of the time stands for a twentieth of the count.
            let scale = if measure.statistic == Statistic::Count { f64::from(BATCHES) } else { 1.0 };
            self.batches = parts(run).filter_map(|part| value_within(measure, run, part)).map(|x| x * scale).collect();
        }
    }

    /// The value of all runs together.
    pub fn value(&self) -> Option<f64> {
        self.sample.value(self.measure.statistic)
    }

    /// The same with an interval of this confidence.
    pub fn measured(&self, confidence: f64) -> Measured {
        if self.sample.runs() != 1 {
            return Measured::of_sample(&self.measure, &self.sample, confidence);
        }
        let half = self.batches.half_width().filter(|_| self.batches.count() == BATCHES);
        Measured::of(&self.measure, self.value(), half, 1)
    }
}

/// The measured time of a run in equal parts.
fn parts(run: &RunResult) -> impl Iterator<Item = (Time, Time)> {
    let (from, to) = run.measured;
    let length = to.since(from).as_nanos();
    let at = move |part: u32| {
        let nanos = u128::from(length) * u128::from(part) / u128::from(BATCHES);
        from + crate::base::time::ns(nanos as u64)
    };
    (0..BATCHES).map(move |part| (at(part), at(part + 1)))
}
