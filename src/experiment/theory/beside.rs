//! What is measured beside what is predicted, as runs come in.

use crate::experiment::estimate::Estimate;
use crate::experiment::measure::partial;
use crate::experiment::sample::CONFIDENCE;
use crate::metrics::RunResult;
use crate::scenario::plan::Plan;
use crate::scenario::quantity::Statistic;

use super::forecast::{Forecast, Value};
use super::{Prediction, Silence, Theory, forecasts};

/// What is predicted, and what the runs so far say.
#[derive(Debug)]
pub(in super::super) struct Beside {
    lines: Vec<Line>,
    silences: Vec<Silence>,
}

/// Slots of histograms hide so much of a percentile at the most.
const SLOT: f64 = 0.004;

/// A prediction, what is measured of it, and of what it follows from.
#[derive(Debug)]
struct Line {
    forecast: Forecast,
    estimate: Estimate,
    from: Vec<Estimate>,
}

impl Beside {
    /// What formulas say of a plan that is not played yet.
    pub fn new(plan: &Plan) -> Self {
        let (forecasts, silences) = forecasts(plan);
        let line = |forecast: Forecast| {
            let measures = match &forecast.value {
                Value::Known(_) => &[][..],
                Value::From { measures, .. } => measures,
            };
            let from = measures.iter().cloned().map(Estimate::new).collect();
            Line { estimate: Estimate::new(forecast.measure.clone()), from, forecast }
        };
        Self { lines: forecasts.into_iter().map(line).collect(), silences }
    }

    /// Takes in the next run; `is_first` of all.
    pub fn take(&mut self, run: &RunResult, is_first: bool) {
        for Line { estimate, from, .. } in &mut self.lines {
            for estimate in from.iter_mut().chain([&mut *estimate]) {
                estimate.take(&partial(&estimate.measure, run));
            }
            if is_first {
                estimate.take_batches(run);
            }
        }
    }

    /// All of it, when all runs have come in.
    pub fn theory(self) -> Theory {
        let prediction = |Line { forecast, estimate, from }: Line| {
            let predicted = match &forecast.value {
                Value::Known(value) => Some(*value),
                Value::From { known, law, .. } => {
                    let measured: Option<Vec<f64>> = from.iter().map(Estimate::value).collect();
                    measured.map(|measured| law(&measured, known))
                }
            };
            Prediction {
                is_law: matches!(forecast.value, Value::From { .. }),
                quantity: forecast.quantity,
                subject: forecast.subject,
                formula: forecast.formula,
                source: forecast.source,
                relation: forecast.relation,
                predicted: predicted.filter(|value| value.is_finite()),
                measured: estimate.measured(CONFIDENCE),
                grain: if matches!(estimate.measure.statistic, Statistic::Percentile(_)) { SLOT } else { 0.0 },
                note: forecast.note,
            }
        };
        // A law says nothing of numbers that are not there.
        let predictions = self.lines.into_iter().map(prediction).filter(|prediction| prediction.predicted.is_some());
        Theory { predictions: predictions.collect(), silences: self.silences }
    }
}
