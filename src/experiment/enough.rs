//! When there are enough runs: once some quantities are known as well as is asked.
//!
//! Runs are taken in by index and counted one by one, so that where it ends depends on nothing but the runs. An interval that is
//! looked at again and again is at some time too narrow by chance; so there are never enough runs before a least number, and the
//! interval has to be narrow enough after several runs in a row (Law, Simulation Modeling and Analysis, sec. 9.4.1, on such rules).

use crate::scenario::plan;

use super::partial::Partial;
use super::sample::{CONFIDENCE, Sample};

/// For so many runs in a row all intervals have to be narrow enough.
const IN_A_ROW: u32 = 3;

/// What is known so far.
#[derive(Debug)]
pub(super) struct Enough {
    spec: plan::Enough,
    samples: Vec<Sample>,
    in_a_row: u32,
}

impl Enough {
    /// Nothing is known yet.
    pub(super) fn new(spec: &plan::Enough) -> Self {
        Self { spec: spec.clone(), samples: vec![Sample::default(); spec.targets.len()], in_a_row: 0 }
    }

    /// Takes in what the next run answers, target by target; whether that is enough.
    pub(super) fn take<'p>(&mut self, answers: impl Iterator<Item = &'p Partial>) -> bool {
        let mut is_narrow = true;
        let mut runs = 0;
        for ((sample, (column, share)), answer) in self.samples.iter_mut().zip(&self.spec.targets).zip(answers) {
            let statistic = column.measure.statistic;
            sample.add(answer, statistic);
            runs = sample.runs();
            let interval = sample.value(statistic).zip(sample.interval_at(&column.measure, CONFIDENCE));
            is_narrow &= interval.is_some_and(|(value, (low, high))| {
                let half = (high - value).max(value - low);
                half <= share * value.abs()
            });
        }
        self.in_a_row = if is_narrow { self.in_a_row + 1 } else { 0 };
        runs >= self.spec.at_least && self.in_a_row >= IN_A_ROW
    }
}
