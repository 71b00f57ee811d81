//! Whether expectations hold: by the 95 % interval across runs. A single run is judged by its values; the intervals beside them are
//! of batch means.

use crate::base::special::student_t_quantile;
use crate::base::time::Time;
use crate::metrics::RunResult;
use crate::scenario::condition::{Amount, Condition, Operator};
use crate::scenario::plan::Expectation;
use crate::scenario::quantity::Statistic;

use super::measure::{unit, value, value_within};
use super::verdict::{Basis, Ground, Judgement, Measured, Unit, Verdict};

/// Batches a single run is cut into: enough for Student's t to be close to the normal law, few enough for each to be long
/// (Law, "Simulation Modeling and Analysis", sec. 9.5: 20 to 40).
const BATCHES: u32 = 20;
/// Two-sided confidence.
const CONFIDENCE: f64 = 0.95;

/// Judges an expectation on the runs of a scenario.
pub(super) fn judge(expectation: &Expectation, runs: &[RunResult]) -> Judgement {
    let measured = measure(expectation, runs);
    let (mut note, mut grounds) = (None, Vec::new());
    let verdicts = expectation.conditions.iter().map(|(_, condition)| {
        let (verdict, ground) = decide(expectation, condition, &measured, runs);
        grounds.push(ground);
        if verdict == Verdict::Inconclusive {
            note = note.take().or_else(|| more_runs(condition, &measured));
        }
        verdict
    });
    let verdict = verdicts.collect::<Vec<_>>().into_iter().max_by_key(|verdict| match verdict {
        Verdict::Pass => 0,
        Verdict::Inconclusive => 1,
        Verdict::Fail => 2,
    });
    if measured.value.is_none() {
        note = Some("nothing was measured".into());
    }
    grounds.sort_unstable();
    grounds.dedup();
    let written: Vec<_> = expectation.conditions.iter().map(|(written, _)| written.as_str()).collect();
    Judgement {
        quantity: expectation.quantity.clone(),
        condition: written.join(" and "),
        verdict: verdict.unwrap_or(Verdict::Pass),
        grounds,
        measured,
        note,
    }
}

fn measure(expectation: &Expectation, runs: &[RunResult]) -> Measured {
    let measure = &expectation.measure;
    let all: Vec<&RunResult> = runs.iter().collect();
    let value = value(measure, &all);
    // A count of a twentieth of the time stands for a twentieth of the count.
    let scale = if measure.statistic == Statistic::Count { f64::from(BATCHES) } else { 1.0 };
    let samples: Vec<f64> = match runs {
        [run] => batches(run).filter_map(|part| value_within(measure, &[run], Some(part))).map(|x| x * scale).collect(),
        _ => runs.iter().filter_map(|run| self::value(measure, &[run])).collect(),
    };
    let complete = match runs {
        [_] => samples.len() == BATCHES as usize && measure.window.is_none(),
        _ => samples.len() == runs.len() && runs.len() > 1,
    };
    let interval = value.filter(|_| complete).and_then(|value| interval(value, &samples));
    let interval = interval.map(|(low, high)| match unit(measure) {
        // Nothing that is measured can be negative.
        Unit::Share => (low.max(0.0), high.min(1.0)),
        Unit::Time | Unit::Rate | Unit::Number => (low.max(0.0), high),
    });
    let basis = match (runs.len(), interval) {
        (_, None) => Basis::Value,
        (1, Some(_)) => Basis::Batches(BATCHES),
        (runs, Some(_)) => Basis::Runs(runs as u32),
    };
    Measured { value, interval, basis, unit: unit(measure) }
}

/// The interval around `value` that samples of the same quantity give, by Student's t.
fn interval(value: f64, samples: &[f64]) -> Option<(f64, f64)> {
    if !value.is_finite() || samples.iter().any(|sample| !sample.is_finite()) {
        return None;
    }
    let count = samples.len() as f64;
    let mean = samples.iter().sum::<f64>() / count;
    let variance = samples.iter().map(|sample| (sample - mean) * (sample - mean)).sum::<f64>() / (count - 1.0);
    let half = student_t_quantile(0.5 + CONFIDENCE / 2.0, count - 1.0) * libm::sqrt(variance / count);
    Some((value - half, value + half))
}

/// The measured time of a run in equal parts.
fn batches(run: &RunResult) -> impl Iterator<Item = (Time, Time)> {
    let (from, to) = run.measured;
    let length = to.since(from).as_nanos();
    let at = move |part: u32| {
        let nanos = u128::from(length) * u128::from(part) / u128::from(BATCHES);
        from + crate::base::time::ns(nanos as u64)
    };
    (0..BATCHES).map(move |part| (at(part), at(part + 1)))
}

/// Whether a condition is met, and what says so.
fn decide(
    expectation: &Expectation,
    condition: &Condition,
    measured: &Measured,
    runs: &[RunResult],
) -> (Verdict, Ground) {
    let Condition::Compare { operator, value: amount, tolerance, .. } = condition else {
        return (Verdict::Fail, Ground::Value);
    };
    let Some(value) = measured.value else { return (Verdict::Fail, Ground::Value) };
    let demand = number(*amount);
    let holds = |value: f64| holds(*operator, value, demand, *tolerance);
    let told = |holds| if holds { Verdict::Pass } else { Verdict::Fail };
    let measure = &expectation.measure;
    // A single run is judged by its value; its interval is shown beside it.
    if runs.len() == 1 {
        return (told(holds(value)), Ground::Value);
    }
    let each_run = matches!(measure.statistic, Statistic::Min | Statistic::Max)
        || measure.statistic == Statistic::Count && matches!(operator, Operator::Equal | Operator::NotEqual);
    if each_run {
        let every = runs.iter().all(|run| self::value(measure, &[run]).is_some_and(holds));
        return (told(every), Ground::EachRun);
    }
    let Some((low, high)) = measured.interval else { return (told(holds(value)), Ground::Value) };
    let verdict = match (operator, tolerance) {
        (Operator::Equal, Some(tolerance)) => {
            let (least, most) = (demand * (1.0 - tolerance), demand * (1.0 + tolerance));
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
fn number(amount: Amount) -> f64 {
    match amount {
        Amount::Number(number) | Amount::Share(number) | Amount::Rate(number) => number,
        Amount::Time(span) => span.as_nanos() as f64,
        Amount::Bytes(bytes) => bytes as f64,
    }
}

/// How many more runs would decide, if the value stays: the half-width shrinks with the root of their number.
fn more_runs(condition: &Condition, measured: &Measured) -> Option<String> {
    let (Condition::Compare { value, .. }, Basis::Runs(runs)) = (condition, measured.basis) else { return None };
    let (low, high) = measured.interval?;
    let measured = measured.value?;
    let distance = (measured - number(*value)).abs();
    // The end that was not cut off where there is nothing.
    let half = (high - measured).max(measured - low);
    if distance <= 0.0 {
        return Some("the measured value is exactly the limit: no number of runs would decide".into());
    }
    let needed = libm::ceil(f64::from(runs) * (half / distance) * (half / distance));
    let more = (needed - f64::from(runs)).max(1.0);
    Some(format!("about {more:.0} more runs would decide"))
}
