//! What is kept of a run: an answer to everything that a study asks, and the run's fingerprint. It is all that judging, comparing and
//! drawing need, small enough to keep a hundred thousand of them.

use serde::{Deserialize, Serialize};

use crate::metrics::RunResult;
use crate::scenario::MetricKind;
use crate::scenario::plan::{Measure, Plan};
use crate::scenario::quantity::Statistic;

use super::measure::partial;
use super::partial::Partial;

/// What is asked of each run of a plan. Statistics of the same times share an answer.
#[derive(Clone, Debug)]
pub struct Questions {
    sources: Vec<Measure>,
    /// The answer that each column, expectation and target needs, in the order of the plan.
    pub(super) columns: Vec<usize>,
    pub(super) expectations: Vec<usize>,
    pub(super) targets: Vec<usize>,
}

/// What a run answered.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// Which replicate it was, from 0.
    pub run: u32,
    /// The seed it was played with.
    pub seed: u64,
    /// The fingerprint of everything that happened.
    pub digest: u64,
    /// Inputs handed to processes.
    pub events: u64,
    /// By question.
    pub answers: Vec<Partial>,
}

impl Questions {
    /// What a plan asks.
    pub fn of(plan: &Plan) -> Self {
        let mut sources: Vec<Measure> = Vec::new();
        let mut ask = |measure: &Measure| {
            let known = sources.iter().position(|source| has_same_answer(source, measure));
            known.unwrap_or_else(|| {
                sources.push(measure.clone());
                sources.len() - 1
            })
        };
        let columns = plan.columns.iter().map(|column| ask(&column.measure)).collect();
        let expectations = plan.expectations.iter().map(|expectation| ask(&expectation.measure)).collect();
        let targets = plan.enough.iter().flat_map(|enough| &enough.targets);
        let targets = targets.map(|(column, _)| ask(&column.measure)).collect();
        Self { sources, columns, expectations, targets }
    }

    /// What a run answers.
    pub fn answer(&self, run: &RunResult) -> Record {
        Record {
            run: run.run,
            seed: run.seed,
            digest: run.digest.bits(),
            events: run.events,
            answers: self.sources.iter().map(|measure| partial(measure, run)).collect(),
        }
    }

    /// All that is asked, once each: what studies show, then what is expected, with the place of its answer.
    pub fn all(&self, plan: &Plan) -> Vec<(String, Measure, usize)> {
        let columns = plan.columns.iter().map(|column| (&column.quantity, &column.measure)).zip(&self.columns);
        let expected = plan.expectations.iter().map(|expected| (&expected.quantity, &expected.measure));
        let mut all: Vec<(String, Measure, usize)> = Vec::new();
        for ((quantity, measure), &answer) in columns.chain(expected.zip(&self.expectations)) {
            if all.iter().all(|(known, ..)| known != quantity) {
                all.push((quantity.clone(), measure.clone(), answer));
            }
        }
        all
    }

    /// The value of each of [all](Self::all) in a run, in base units; infinite for a percentile that lies among what never came.
    pub fn values(&self, plan: &Plan, record: &Record) -> Vec<Option<f64>> {
        self.all(plan).iter().map(|(_, measure, answer)| record.answers[*answer].value(measure.statistic)).collect()
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.sources.len()
    }
}

/// Whether two measures differ by nothing but the statistic of the same times.
fn has_same_answer(one: &Measure, other: &Measure) -> bool {
    let is_of_times =
        |measure: &Measure| measure.metric.kind() == MetricKind::Times && measure.statistic != Statistic::Count;
    let same = (&one.subject, one.metric, one.window) == (&other.subject, other.metric, other.window);
    same && (one.statistic == other.statistic || is_of_times(one) && is_of_times(other))
}
