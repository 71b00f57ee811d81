//! Whether expectations hold: by the 95 % interval across runs. A single run is judged by its values; the intervals beside them are
//! of batch means.

use crate::metrics::RunResult;
use crate::scenario::condition::{Amount, Condition, Operator};
use crate::scenario::plan::{Expectation, Measure};
use crate::scenario::quantity::Statistic;

use super::estimate::{BATCHES, Estimate};
use super::partial::Partial;
use super::sample::{CONFIDENCE, Sample};
use super::verdict::{Basis, Ground, Judgement, Measured, Unit, Verdict};

/// Judges what is expected of the runs of a scenario, as they come in, in the order of their index.
#[derive(Debug)]
pub(super) struct Judge {
    expected: Vec<Expected>,
}

/// An expectation, and what the runs so far say.
#[derive(Debug)]
struct Expected {
    expectation: Expectation,
    estimate: Estimate,
    /// The first run in which each condition did not hold, if there is one.
    broken: Vec<Option<u32>>,
}

impl Judge {
    /// One who judges these expectations.
    pub(super) fn new(expectations: &[Expectation]) -> Self {
        let expected = expectations.iter().map(|expectation| Expected {
            expectation: expectation.clone(),
            estimate: Estimate::new(expectation.measure.clone()),
            broken: vec![None; expectation.conditions.len()],
        });
        Self { expected: expected.collect() }
    }

    /// Takes in what the next run answers, expectation by expectation.
    pub(super) fn take<'p>(&mut self, answers: impl Iterator<Item = &'p Partial>) {
        for (Expected { expectation, estimate, broken }, answer) in self.expected.iter_mut().zip(answers) {
            let run = estimate.sample.runs();
            let value = estimate.take(answer);
            for (broken, (_, condition)) in broken.iter_mut().zip(&expectation.conditions) {
                if !value.is_some_and(|value| meets(condition, value)) {
                    *broken = broken.or(Some(run));
                }
            }
        }
    }

    /// Takes in the batches of a run that is the only one.
    pub(super) fn take_batches(&mut self, run: &RunResult) {
        self.expected.iter_mut().for_each(|expected| expected.estimate.take_batches(run));
    }

    /// What has become of the expectations.
    pub(super) fn judgements(&self) -> Vec<Judgement> {
        self.expected.iter().map(Expected::judge).collect()
    }

    /// Whether all hold.
    pub(super) fn verdict(&self) -> Verdict {
        gravest(self.expected.iter().map(|expected| expected.judge().verdict))
    }

    /// Whether it is sure that all hold, or that one does not, by intervals of another confidence than 95 %.
    pub(super) fn verdict_at(&self, confidence: f64) -> Verdict {
        gravest(self.expected.iter().map(|expected| expected.verdict_at(confidence)))
    }

    /// How far what is measured is from what is expected, as a share of that: the sum over all that the values do not meet.
    pub(super) fn miss(&self) -> f64 {
        self.expected.iter().map(Expected::miss).sum()
    }
}

/// What several verdicts come to: all have to pass.
pub(super) fn gravest(verdicts: impl Iterator<Item = Verdict>) -> Verdict {
    verdicts.max_by_key(|verdict| verdict.gravity()).unwrap_or(Verdict::Pass)
}

impl Expected {
    fn judge(&self) -> Judgement {
        let Self { expectation, .. } = self;
        let measured = self.estimate.measured(CONFIDENCE);
        let (mut note, mut grounds, mut broken_by) = (None, Vec::new(), None);
        let verdicts = expectation.conditions.iter().zip(&self.broken).map(|((_, condition), broken)| {
            let (verdict, ground) = self.decide(condition, broken.is_none(), &measured);
            grounds.push(ground);
            if ground == Ground::EachRun {
                broken_by = [broken_by, *broken].into_iter().flatten().min();
            }
            if verdict == Verdict::Inconclusive {
                note = note.take().or_else(|| more_runs(condition, &measured));
            }
            verdict
        });
        let verdict = gravest(verdicts.collect::<Vec<_>>().into_iter());
        if measured.value.is_none() {
            note = Some("nothing was measured".into());
        }
        grounds.sort_unstable();
        grounds.dedup();
        let written: Vec<_> = expectation.conditions.iter().map(|(written, _)| written.as_str()).collect();
        Judgement {
            quantity: expectation.quantity.clone(),
            condition: written.join(" and "),
            verdict,
            grounds,
            measured,
            broken_by,
            note,
        }
    }

    /// Whether it is sure that it holds, or that it does not. Values alone are never sure, nor are runs that happen to agree; but what a
    /// run has broken that no run may break stays so.
    fn verdict_at(&self, confidence: f64) -> Verdict {
        let measured = self.estimate.measured(confidence);
        let has_width = measured.interval.is_some_and(|(low, high)| low < high);
        let verdicts = self.expectation.conditions.iter().zip(&self.broken).map(|((_, condition), broken)| match self
            .decide(condition, broken.is_none(), &measured)
        {
            (verdict, Ground::Interval) if has_width => verdict,
            (Verdict::Fail, Ground::EachRun) => Verdict::Fail,
            _ => Verdict::Inconclusive,
        });
        gravest(verdicts)
    }

    fn miss(&self) -> f64 {
        let Some(value) = self.estimate.value() else { return f64::INFINITY };
        let conditions = self.expectation.conditions.iter();
        let miss = conditions.map(|(_, condition)| match condition {
            Condition::Compare { value: amount, .. } if !meets(condition, value) => {
                let demand = number(*amount);
                let scale = if demand == 0.0 { 1.0 } else { demand.abs() };
                // A value that is not to be reached may just be reached.
                ((value - demand).abs() / scale).max(f64::MIN_POSITIVE)
            }
            _ => 0.0,
        });
        miss.sum()
    }

    /// Whether a condition is met, and what says so.
    fn decide(&self, condition: &Condition, held: bool, measured: &Measured) -> (Verdict, Ground) {
        let Condition::Compare { operator, value: amount, tolerance, .. } = condition else {
            return (Verdict::Fail, Ground::Value);
        };
        let Some(value) = measured.value else { return (Verdict::Fail, Ground::Value) };
        let demand = number(*amount);
        let holds = |value: f64| holds(*operator, value, demand, *tolerance);
        let told = |holds| if holds { Verdict::Pass } else { Verdict::Fail };
        let statistic = self.expectation.measure.statistic;
        // A single run is judged by its value; its interval is shown beside it.
        if self.estimate.sample.runs() == 1 {
            return (told(holds(value)), Ground::Value);
        }
        let each_run = matches!(statistic, Statistic::Min | Statistic::Max)
            || statistic == Statistic::Count && matches!(operator, Operator::Equal | Operator::NotEqual);
        if each_run {
            return (told(held), Ground::EachRun);
        }
        let Some((low, high)) = measured.interval else { return (told(holds(value)), Ground::Value) };
        // No number of runs brings the interval up to the end of all there can be.
        let is_all = measured.unit == Unit::Share
            && value == demand
            && matches!((operator, demand), (Operator::AtLeast, 1.0) | (Operator::AtMost, 0.0));
        if is_all {
            return (Verdict::Pass, Ground::Value);
        }
        let verdict = match (operator, tolerance) {
            (Operator::Equal, Some(tolerance)) => {
                let (least, most) = edges(demand, *tolerance);
                match () {
                    () if low >= least && high <= most => Verdict::Pass,
                    () if high < least || low > most => Verdict::Fail,
                    () => Verdict::Inconclusive,
                }
            }
            (Operator::Equal | Operator::NotEqual, _) => return (told(holds(value)), Ground::Value),
            _ => match (holds(low), holds(high)) {
                (true, true) => Verdict::Pass,
                (false, false) => Verdict::Fail,
                _ => Verdict::Inconclusive,
            },
        };
        (verdict, Ground::Interval)
    }
}

impl Measured {
    /// A value of so many runs, and half its interval.
    pub(super) fn of(measure: &Measure, value: Option<f64>, half: Option<f64>, runs: u32) -> Self {
        let interval = value.filter(|value| value.is_finite()).zip(half);
        Self::within(measure, value, interval.map(|(value, half)| (value - half, value + half)), runs)
    }

    /// What a sample says, with an interval of this confidence.
    pub(super) fn of_sample(measure: &Measure, sample: &Sample, confidence: f64) -> Self {
        Self::within(measure, sample.value(measure.statistic), sample.interval_at(measure, confidence), sample.runs())
    }

    fn within(measure: &Measure, value: Option<f64>, interval: Option<(f64, f64)>, runs: u32) -> Self {
        let unit = Unit::of(measure);
        let interval = interval.map(|(low, high)| match unit {
            // Nothing that is measured can be negative.
            Unit::Share => (low.max(0.0), high.min(1.0)),
            Unit::Time | Unit::Rate | Unit::Number => (low.max(0.0), high),
        });
        let basis = match (runs, interval) {
            (_, None) => Basis::Value,
            (1, Some(_)) => Basis::Batches(BATCHES),
            (runs, Some(_)) => Basis::Runs(runs),
        };
        Self { value, interval, basis, unit }
    }
}

/// Whether a value meets a condition.
fn meets(condition: &Condition, value: f64) -> bool {
    match condition {
        Condition::Compare { operator, value: amount, tolerance, .. } => {
            holds(*operator, value, number(*amount), *tolerance)
        }
        _ => false,
    }
}

fn holds(operator: Operator, value: f64, demand: f64, tolerance: Option<f64>) -> bool {
    let equal = match tolerance {
        Some(tolerance) => (value - demand).abs() <= tolerance * demand.abs(),
        None => value == demand,
    };
    match operator {
        Operator::Less => value < demand,
        Operator::AtMost => value <= demand,
        Operator::More => value > demand,
        Operator::AtLeast => value >= demand,
        Operator::Equal => equal,
        Operator::NotEqual => !equal,
    }
}

/// An amount as a number in base units.
pub(super) fn number(amount: Amount) -> f64 {
    match amount {
        Amount::Number(number) | Amount::Share(number) | Amount::Rate(number) => number,
        Amount::Time(span) => span.as_nanos() as f64,
        Amount::Bytes(bytes) => bytes as f64,
    }
}

/// The least and the most that a value with a tolerance may be.
fn edges(demand: f64, tolerance: f64) -> (f64, f64) {
    (demand * (1.0 - tolerance), demand * (1.0 + tolerance))
}

/// How many more runs would decide, if the value stays: the half-width shrinks with the root of their number, and that of Wilson's
/// interval at the end of all there can be, z² / (n + z²), with their number itself.
fn more_runs(condition: &Condition, measured: &Measured) -> Option<String> {
    let (Condition::Compare { value, tolerance, .. }, Basis::Runs(runs)) = (condition, measured.basis) else {
        return None;
    };
    let (low, high) = measured.interval?;
    let (unit, measured) = (measured.unit, measured.value?);
    let (least, most) = edges(number(*value), tolerance.unwrap_or(0.0));
    let distance = (measured - least).abs().min((measured - most).abs());
    // The end that was not cut off where there is nothing.
    let half = (high - measured).max(measured - low);
    if distance <= 0.0 {
        return Some("the measured value is exactly the limit: no number of runs would decide".into());
    }
    let times = match unit {
        Unit::Share if measured == 0.0 || measured == 1.0 => half / (1.0 - half) * (1.0 - distance) / distance,
        _ => (half / distance) * (half / distance),
    };
    let needed = libm::ceil(f64::from(runs) * times);
    let more = (needed - f64::from(runs)).max(1.0);
    Some(format!("about {more:.0} more runs would decide"))
}
