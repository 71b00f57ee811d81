//! `timeline.csv`, each flow over time, and `latency.csv`, each flow's distribution.
//!
//! `timeline.csv` has one row per run, flow and step: `offered`, `sent`, `goodput`, `correct` and `processed` count messages in the step,
//! and the percentiles are of messages due in it. In rows whose `run` is `all`, counts are sums over the runs and histograms
//! pooled.
//!
//! `latency.csv` is of all runs together. Its `points` are the ladder's `quantile`s, and the distribution function, `cdf`:
//! `share` of the population is not slower than `latency_ns`. An empty `latency_ns` is slower than any.

use crate::experiment::Results;
use crate::metrics::Histogram;

use super::metric::{LADDER, Value};
use super::summary::{Table, field};
use super::total::{FlowTotal, Total};

/// Points of the distribution function in the file follow each other by at least this factor.
const NEXT: f64 = 1.02;

/// `timeline.csv`.
pub(super) fn timeline(results: &Results, total: &Total) -> Vec<u8> {
    let header = [
        "run",
        "flow",
        "start_s",
        "step_s",
        "offered",
        "sent",
        "goodput",
        "correct",
        "latency_p50_ns",
        "latency_p99_ns",
        "processed",
    ];
    let mut table = Table::new(results, &header);
    total.flows.iter().for_each(|flow| timeline_of(&mut table, "all", flow));
    for run in &results.runs {
        let total = Total::of([run]);
        total.flows.iter().for_each(|flow| timeline_of(&mut table, &run.run.to_string(), flow));
    }
    table.into_bytes()
}

fn timeline_of(table: &mut Table, run: &str, flow: &FlowTotal) {
    let length = flow.step.as_secs_f64();
    for (index, step) in flow.steps.iter().enumerate() {
        let quantile = |p| field(Value::nanos(step.latency.quantile(p)));
        // Whole nanoseconds divided once: no sum of rounded steps.
        let start = flow.step.times(index as u64).as_secs_f64();
        let counts = [step.offered, step.sent, step.goodput, step.correct, step.processed];
        let [offered, sent, goodput, correct, processed] = &counts.map(|count| count.to_string());
        let (start, step, p50, p99) =
            (field(Value::Real(start)), field(Value::Real(length)), quantile(0.5), quantile(0.99));
        table.row([run, &flow.name, &start, &step, offered, sent, goodput, correct, &p50, &p99, processed]);
    }
}

/// `latency.csv`.
pub(super) fn latency(results: &Results, total: &Total) -> Vec<u8> {
    let mut table = Table::new(results, &["flow", "metric", "point", "share", "latency_ns"]);
    for flow in &total.flows {
        let confirmed = flow.latency.count();
        for (metric, histogram, population) in [
            ("latency", &flow.latency, confirmed),
            ("latency-all", &flow.latency, flow.offered),
            ("latency-from-send", &flow.from_send, flow.from_send.count()),
            ("latency-one-way", &flow.one_way, flow.one_way.count()),
        ] {
            if population == 0 {
                continue;
            }
            for (_, p) in LADDER {
                let value = field(Value::nanos(histogram.quantile_among(p, population)));
                table.row([&flow.name, metric, "quantile", &field(Value::Real(p)), &value]);
            }
            for (value, share) in cdf(histogram, population, NEXT) {
                let (share, value) = (field(Value::Real(share)), field(Value::nanos(Some(value))));
                table.row([&flow.name, metric, "cdf", &share, &value]);
            }
        }
    }
    table.into_bytes()
}

/// Points of the distribution function among `population`: nanoseconds, and the share not slower. Values that differ by
/// less than the factor `next` share a point, which lies at the slowest of them.
pub(super) fn cdf(histogram: &Histogram, population: u64, next: f64) -> Vec<(f64, f64)> {
    let mut points: Vec<(f64, f64)> = Vec::new();
    let (mut seen, mut anchor) = (0, 0.0);
    for (value, count) in histogram.bars() {
        seen += count;
        let point = (value, seen as f64 / population as f64);
        match points.last_mut() {
            Some(last) if value < anchor * next => *last = point,
            _ => {
                anchor = value;
                points.push(point);
            }
        }
    }
    points
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, us};
    use crate::report::fixture;

    #[test]
    fn a_distribution_function_rises_to_the_share_confirmed() {
        let mut histogram = Histogram::default();
        (0..1_000).for_each(|value| histogram.record(us(1_000 + value)));
        histogram.record(ms(90));
        let points = cdf(&histogram, 2_002, NEXT);
        assert!(points.windows(2).all(|pair| pair[0].0 < pair[1].0 && pair[0].1 < pair[1].1));
        assert_eq!(points.last(), Some(&(90e6, 0.5)));
        assert!((30..60).contains(&points.len()), "{}", points.len());
    }

    #[test]
    fn a_timeline_sums_to_the_totals() {
        let results = fixture::replicated();
        let total = Total::of(&results.runs);
        let bytes = timeline(&results, &total);
        let mut reader = csv::Reader::from_reader(&*bytes);
        let (mut offered, mut correct) = (0, 0);
        for row in reader.records().map(Result::unwrap).filter(|row| &row[0] == "all" && row[1] == *total.flows[0].name)
        {
            offered += row[4].parse::<u64>().unwrap();
            correct += row[7].parse::<u64>().unwrap();
        }
        assert_eq!((offered, correct), (total.flows[0].offered, total.flows[0].correct));
    }

    #[test]
    fn nothing_measured_gives_headers() {
        let results = fixture::empty();
        let total = Total::of(&results.runs);
        for bytes in [timeline(&results, &total), latency(&results, &total)] {
            assert_eq!(bytes.iter().filter(|&&byte| byte == b'\n').count(), 1);
        }
    }
}
