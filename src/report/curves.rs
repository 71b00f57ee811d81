//! `timeline.csv`, each flow over time; `depth.csv`, what waits over time; `utilisation.csv`, services at work over time; and
//! `latency.csv`, each flow's distribution.
//!
//! `timeline.csv` has one row per run, flow and step: `offered`, `sent`, `goodput`, `correct` and `processed` count messages in the step,
//! and the percentiles are of messages due in it. In rows whose `run` is `all`, counts are sums over the runs and histograms
//! pooled.
//!
//! `depth.csv` has one row per run, metric and step, for each `queue` and each `reader` (a group that reads topics): the `mean` over
//! the step's time, and the `max` at any instant of it, of the messages that are `ready` or `unacked`, and of the records that a reader
//! `lag`s behind. It begins with the run, as `timeline.csv` does. In rows whose `run` is `all`, the mean is that of the runs that were
//! still played then, and the maximum that of any run. Where nothing waits in queues or topics there is no such file.
//!
//! `utilisation.csv` has one row per run, station and step: the mean number of workers that are `busy` and of requests that are
//! `waiting`, and the most that were waiting at any instant, at all nodes of the group together; `workers` is how many it has, empty
//! if that is not limited. Rows whose `run` is `all` are as in `depth.csv`.
//!
//! `latency.csv` is of all runs together. Its `points` are the ladder's `quantile`s, and the distribution function, `cdf`:
//! `share` of the population is not slower than `latency_ns`. An empty `latency_ns` is slower than any.

use crate::base::time::Span;
use crate::experiment::Results;
use crate::metrics::{Curve, Histogram};

use super::metric::{LADDER, Value};
use super::summary::{Table, field};
use super::total::{FlowTotal, Total};

/// Points of the distribution function in the file follow each other by at most this factor, where so many slots have values.
const NEXT: f64 = 1.02;
/// Times that lie closer together have about so many points all the same,
const POINTS: f64 = 200.0;
/// but none for each slot of a histogram: those are as close as this.
const SLOT: f64 = 1.004;

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
        "latency_p90_ns",
        "latency_p95_ns",
        "latency_p99.9_ns",
        "latency_max_ns",
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
        let (start, length) = (field(Value::Real(start)), field(Value::Real(length)));
        let [p50, p90, p95, p99, p999] = &[0.5, 0.9, 0.95, 0.99, 0.999].map(quantile);
        let max = field(Value::nanos(step.latency.max().map(|max| max.as_nanos() as f64)));
        let head = [run, &flow.name, &start, &length, offered, sent, goodput, correct, p50, p99];
        table.row(head.into_iter().chain([&**processed, p90, p95, p999, &max]));
    }
}

/// `depth.csv`, if there are queues or groups that read topics.
pub(super) fn depth(results: &Results, total: &Total) -> Option<Vec<u8>> {
    if total.queues.is_empty() && total.readers.is_empty() {
        return None;
    }
    let header = ["run", "kind", "name", "metric", "start_s", "step_s", "mean", "max"];
    let mut table = Table::new(results, &header);
    depth_of(&mut table, "all", total);
    for run in &results.runs {
        depth_of(&mut table, &run.run.to_string(), &Total::of([run]));
    }
    Some(table.into_bytes())
}

fn depth_of(table: &mut Table, run: &str, total: &Total) {
    let mut rows = |kind: &str, name: &str, metric: &str, curve: &Curve| {
        let length = field(Value::Real(curve.step().as_secs_f64()));
        for (index, step) in curve.steps.iter().enumerate() {
            let start = field(Value::Real(curve.step().times(index as u64).as_secs_f64()));
            let (mean, max) = (field(Value::Real(step.mean())), field(Value::Whole(step.max)));
            table.row([run, kind, name, metric, &start, &length, &mean, &max]);
        }
    };
    for queue in &total.queues {
        rows("queue", &queue.name, "ready", &queue.book.ready);
        rows("queue", &queue.name, "unacked", &queue.book.unacked);
    }
    total.readers.iter().for_each(|reader| rows("reader", &reader.name, "lag", &reader.book.lag));
}

/// `utilisation.csv`.
pub(super) fn utilisation(results: &Results, total: &Total) -> Vec<u8> {
    let header = ["run", "station", "start_s", "step_s", "busy", "waiting", "waiting_max", "workers", "nodes"];
    let mut table = Table::new(results, &header);
    utilisation_of(&mut table, "all", total);
    for run in &results.runs {
        utilisation_of(&mut table, &run.run.to_string(), &Total::of([run]));
    }
    table.into_bytes()
}

fn utilisation_of(table: &mut Table, run: &str, total: &Total) {
    for station in &total.stations {
        let (busy, waiting, nodes) = (&station.book.busy, &station.book.waiting, station.book.nodes);
        let workers = station.workers.map(|workers| u64::from(workers) * u64::from(nodes));
        let workers = field(workers.map_or(Value::Missing, Value::Whole));
        let (length, nodes) = (field(Value::Real(busy.step().as_secs_f64())), nodes.to_string());
        for (index, (at_work, in_line)) in busy.steps.iter().zip(&waiting.steps).enumerate() {
            let start = field(Value::Real(busy.step().times(index as u64).as_secs_f64()));
            let [at_work, mean] = [at_work, in_line].map(|step| field(Value::Real(step.mean())));
            let most = in_line.max.to_string();
            table.row([run, &station.name, &start, &length, &at_work, &mean, &most, &workers, &nodes]);
        }
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
            for (point, share, value) in distribution(histogram, population) {
                table.row([&flow.name, metric, point, &share, &value]);
            }
        }
    }
    table.into_bytes()
}

/// How times lie among a `population`: the kind of each point, its share, and the time, as fields of a table.
pub(super) fn distribution(histogram: &Histogram, population: u64) -> Vec<(&'static str, String, String)> {
    let point = |kind, share, value| (kind, field(Value::Real(share)), field(Value::nanos(value)));
    let rungs = LADDER.iter().map(|&(_, p)| point("quantile", p, histogram.quantile_among(p, population)));
    let points = cdf(histogram, population, pitch(histogram));
    rungs.chain(points.into_iter().map(|(value, share)| point("cdf", share, Some(value)))).collect()
}

/// The factor by which the points of a histogram's distribution function follow each other in the file.
fn pitch(histogram: &Histogram) -> f64 {
    let nanos = |span: Option<Span>| span.map_or(1.0, |span| span.as_nanos().max(1) as f64);
    let range = nanos(histogram.max()) / nanos(histogram.min());
    libm::pow(range, 1.0 / POINTS).clamp(SLOT, NEXT)
}

/// Points of the distribution function among `population`: nanoseconds, and the share not slower. Values that differ by
/// less than the factor `next` share a point, which lies at the slowest of them.
fn cdf(histogram: &Histogram, population: u64, next: f64) -> Vec<(f64, f64)> {
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

    /// Times over a factor of 2 have some 130 points, as a histogram has slots, over a factor of 10 180, over a factor of 1000 280.
    #[test]
    fn times_that_lie_close_together_have_points_enough() {
        let points = |range: u64| {
            let mut histogram = Histogram::default();
            (0..10_000).for_each(|value| histogram.record(us(1_000 + value * range / 10)));
            cdf(&histogram, 10_000, pitch(&histogram)).len()
        };
        let [narrow, middle, wide] = [1, 9, 1_000].map(points);
        assert!((110..150).contains(&narrow) && (170..210).contains(&middle), "{narrow} {middle}");
        assert!((250..300).contains(&wide), "{wide}");
    }

    /// At the fixture's four workers two are at work, and three from 10 s to 11 s, with three requests waiting.
    #[test]
    fn utilisation_is_what_the_books_say() {
        let results = fixture::replicated();
        let bytes = utilisation(&results, &Total::of(&results.runs));
        let mut reader = csv::Reader::from_reader(&*bytes);
        let rows: Vec<_> = reader.records().map(Result::unwrap).filter(|row| &row[0] == "all").collect();
        let of = |row: usize| rows[row].iter().take(9).collect::<Vec<_>>();
        assert_eq!(of(49), ["all", "api", "9.8", "0.2", "2.0", "0.0", "0", "4", "1"]);
        assert_eq!(of(50), ["all", "api", "10.0", "0.2", "3.0", "3.0", "3", "4", "1"]);
        assert_eq!(rows.len(), 102);
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
    fn depth_is_what_the_books_say() {
        let results = fixture::brokered();
        let bytes = depth(&results, &Total::of(&results.runs)).expect("there is a queue");
        let mut reader = csv::Reader::from_reader(&*bytes);
        let rows: Vec<Vec<String>> =
            reader.records().map(|row| row.unwrap().iter().take(8).map(Into::into).collect()).collect();
        let of = |run: &str, name: &str, metric: &str| -> Vec<(String, f64, u64)> {
            let is_it = |row: &&Vec<String>| (&*row[0], &*row[2], &*row[3]) == (run, name, metric);
            let chosen = rows.iter().filter(is_it);
            chosen.map(|row| (row[4].clone(), row[6].parse().unwrap(), row[7].parse().unwrap())).collect()
        };
        let said = |curve: &Curve| -> Vec<_> {
            let steps = curve.steps.iter().enumerate();
            steps.map(|(index, step)| (field(Value::Real(index as f64)), step.mean(), step.max)).collect()
        };
        for run in &results.runs {
            let (queue, reader, number) = (&run.queues[0].book, &run.readers[0].book, run.run.to_string());
            assert_eq!(of(&number, "orders", "ready"), said(&queue.ready));
            assert_eq!(of(&number, "orders", "unacked"), said(&queue.unacked));
            assert_eq!(of(&number, "billing", "lag"), said(&reader.lag));
        }
        // Four messages wait from the second second on, in the other run eight; one run is longer.
        let all = of("all", "orders", "ready");
        assert_eq!(all[..3].iter().map(|row| (row.1, row.2)).collect::<Vec<_>>(), [(0.0, 0), (6.0, 8), (6.0, 8)]);
        assert_eq!((all[20].1, all[20].2, all.len()), (8.0, 8, 21));
        assert!(rows.iter().all(|row| row[5] == "1.0"), "{:?}", rows[0]);
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
