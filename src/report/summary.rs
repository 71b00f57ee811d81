//! `summary.json` and `summary.csv`: every number, for machines.
//!
//! Both are written from the same list. Names and their order are stable; a new number may be added, none changes its meaning
//! without a new `schema`. Times are nanoseconds (`_ns`), rates per second (`_per_s`), shares fractions of one; a number
//! that does not exist is `null`, and an empty field in CSV: a percentile of `latency-all` that lies among messages never
//! confirmed (infinite), a share of nothing. `sent`, `goodput` and `processed` count events in the measured time, all else messages due in
//! it; a station's `rejected` includes what it `discarded`; what guards did (`breaker-refusals` of a flow, `queue-full` of a station) is
//! left out where it never happened; a link's books are of the whole run. What followed a fault is a
//! metric of the flow (`recovery after outage`): means and maxima over the strikes, with the `count` of those that have a value
//! that is not infinite.
//!
//! ```text
//! schema, version, title, variant, seed, digest, runs_played
//! expectations   quantity, condition, verdict (pass fail inconclusive), judged_by (interval, each run, value; several joined by
//!                "and"), unit, value, low, high, basis (of the interval: runs batches value), sample (how many of them), note
//! warnings       texts
//! total          all runs together: counts summed, histograms pooled
//! runs           one by one, as many as were kept: run, seed, digest, measured_from_ns, measured_to_ns, end_ns, and the same tables as `total`
//!   system       METRIC: { STATISTIC: number }
//!   flows        name, caller, entry, callee, reliability_basis, metrics: { METRIC: { STATISTIC: number } }
//!   stations     name, metrics
//!   queues       name, metrics; of brokers, if there are any
//!   topics       name, metrics; of brokers, if there are any
//!   readers      name, metrics; of groups that read topics, if there are any
//!   links        name, metrics
//!   faults       name, kind, strikes (each with from_ns, and to_ns where it healed; null where runs do not agree), metrics
//!   wire         METRIC: { STATISTIC: number }, the sum over the links
//! ```
//!
//! CSV has one row per number: `run` (`all` or the run's index), `scope` (a flow, station, link or fault; `system`, `wire` or
//! `expectation`), `metric`, `statistic`, `value`, `unit`, and in every row which scenario it is from.

use serde::ser::{Serialize, SerializeMap, Serializer};

use crate::base::time::Time;
use crate::experiment::{Basis, Judgement, Results, Unit as Counted};
use crate::metrics::RunResult;
use crate::metrics::recovery::Strike;

use super::metric::{
    Metric, Unit, Value, of_fault, of_flow, of_link, of_queue, of_reader, of_station, of_system, of_topic,
};
use super::total::Total;
use super::{VERSION, fingerprint, verdict_name};

/// The schema's number.
pub(super) const SCHEMA: u32 = 1;

#[derive(serde::Serialize)]
struct Summary<'a> {
    schema: u32,
    version: &'static str,
    title: &'a str,
    variant: Option<&'a str>,
    seed: u64,
    digest: String,
    runs_played: u32,
    expectations: Vec<Expectation<'a>>,
    warnings: &'a [String],
    total: Tables,
    runs: Vec<Run>,
}

#[derive(serde::Serialize)]
struct Expectation<'a> {
    quantity: &'a str,
    condition: &'a str,
    verdict: &'static str,
    judged_by: String,
    unit: &'static str,
    value: Value,
    low: Value,
    high: Value,
    basis: &'static str,
    sample: Option<u32>,
    note: Option<&'a str>,
}

#[derive(serde::Serialize)]
struct Run {
    run: u32,
    seed: u64,
    digest: String,
    measured_from_ns: u64,
    measured_to_ns: u64,
    end_ns: u64,
    #[serde(flatten)]
    tables: Tables,
}

#[derive(serde::Serialize)]
struct Tables {
    system: Metrics,
    flows: Vec<Flow>,
    stations: Vec<Named>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    queues: Vec<Named>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    topics: Vec<Named>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    readers: Vec<Named>,
    links: Vec<Named>,
    faults: Vec<Fault>,
    wire: Metrics,
}

#[derive(serde::Serialize)]
struct Flow {
    name: String,
    caller: String,
    entry: Option<String>,
    callee: String,
    reliability_basis: Option<&'static str>,
    metrics: Metrics,
}

#[derive(serde::Serialize)]
struct Named {
    name: String,
    metrics: Metrics,
}

#[derive(serde::Serialize)]
struct Fault {
    name: String,
    kind: &'static str,
    strikes: Option<Vec<Struck>>,
    metrics: Metrics,
}

/// When a fault struck, and healed, if it did before the end of the run.
#[derive(serde::Serialize)]
struct Struck {
    from_ns: u64,
    to_ns: Option<u64>,
}

impl From<&Strike> for Struck {
    fn from(&(from, to): &Strike) -> Self {
        Self { from_ns: from.as_nanos(), to_ns: to.map(Time::as_nanos) }
    }
}

/// Metrics, as a map in their order.
struct Metrics(Vec<Metric>);

impl Serialize for Metrics {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.len()))?;
        for metric in &self.0 {
            map.serialize_entry(&metric.name, metric)?;
        }
        map.end()
    }
}

impl Serialize for Metric {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.statistics.len()))?;
        for statistic in &self.statistics {
            map.serialize_entry(&format!("{}{}", statistic.name, statistic.unit.suffix()), &statistic.value)?;
        }
        map.end()
    }
}

impl Tables {
    fn of(total: &Total) -> Self {
        let flows = total.flows.iter().map(|flow| Flow {
            name: flow.name.clone(),
            caller: flow.caller.clone(),
            entry: flow.entry.clone(),
            callee: flow.callee.clone(),
            reliability_basis: flow.reliability().map(|estimate| estimate.basis),
            metrics: Metrics(of_flow(flow)),
        });
        let stations = total
            .stations
            .iter()
            .map(|station| Named { name: station.name.clone(), metrics: Metrics(of_station(station)) });
        let named = |name: &str, metrics| Named { name: name.to_owned(), metrics: Metrics(metrics) };
        let topics = total.topics.iter().map(|topic| named(&topic.name, of_topic(&topic.book)));
        let readers = total.readers.iter().map(|reader| named(&reader.name, of_reader(&reader.book, &reader.custody)));
        let queues = total
            .queues
            .iter()
            .map(|queue| Named { name: queue.name.clone(), metrics: Metrics(of_queue(&queue.book, &queue.custody)) });
        let links =
            total.links.iter().map(|link| Named { name: link.name.clone(), metrics: Metrics(of_link(&link.book)) });
        let faults = total.faults.iter().map(|fault| Fault {
            name: fault.name.clone(),
            kind: fault.kind,
            strikes: fault.strikes.as_ref().map(|strikes| strikes.iter().map(Struck::from).collect()),
            metrics: Metrics(of_fault(&fault.book)),
        });
        Self {
            system: Metrics(of_system(total)),
            flows: flows.collect(),
            stations: stations.collect(),
            queues: queues.collect(),
            topics: topics.collect(),
            readers: readers.collect(),
            links: links.collect(),
            faults: faults.collect(),
            wire: Metrics(of_link(&total.wire())),
        }
    }

    /// The tables by scope, as in CSV.
    fn scopes(&self) -> Vec<(&str, &Metrics)> {
        let flows = self.flows.iter().map(|flow| (flow.name.as_str(), &flow.metrics));
        let named = self
            .stations
            .iter()
            .chain(&self.queues)
            .chain(&self.topics)
            .chain(&self.readers)
            .chain(&self.links)
            .map(|named| (named.name.as_str(), &named.metrics));
        let faults = self.faults.iter().map(|fault| (fault.name.as_str(), &fault.metrics));
        let ends = ([("system", &self.system)], [("wire", &self.wire)]);
        ends.0.into_iter().chain(flows).chain(named).chain(faults).chain(ends.1).collect()
    }
}

impl<'a> Expectation<'a> {
    fn of(judgement: &'a Judgement) -> Self {
        let measured = judgement.measured;
        let (basis, sample) = match measured.basis {
            Basis::Runs(runs) => ("runs", Some(runs)),
            Basis::Batches(batches) => ("batches", Some(batches)),
            Basis::Value => ("value", None),
        };
        Self {
            quantity: &judgement.quantity,
            condition: &judgement.condition,
            verdict: verdict_name(judgement.verdict),
            judged_by: super::judged_by(&judgement.grounds),
            unit: unit_of(measured.unit).name(),
            value: Value::real(measured.value),
            low: Value::real(measured.interval.map(|(low, _)| low)),
            high: Value::real(measured.interval.map(|(_, high)| high)),
            basis,
            sample,
            note: judgement.note.as_deref(),
        }
    }
}

fn unit_of(unit: Counted) -> Unit {
    match unit {
        Counted::Time => Unit::Nanoseconds,
        Counted::Share => Unit::Share,
        Counted::Rate => Unit::PerSecond,
        Counted::Number => Unit::Number,
    }
}

impl<'a> Summary<'a> {
    fn of(results: &'a Results, total: &Total) -> Self {
        let run = |run: &RunResult| Run {
            run: run.run,
            seed: run.seed,
            digest: run.digest.to_string(),
            measured_from_ns: run.measured.0.as_nanos(),
            measured_to_ns: run.measured.1.as_nanos(),
            end_ns: run.end.as_nanos(),
            tables: Tables::of(&Total::of([run])),
        };
        Self {
            schema: SCHEMA,
            version: VERSION,
            title: &results.title,
            variant: results.variant.as_deref(),
            seed: results.seed,
            digest: fingerprint(results),
            runs_played: results.count,
            expectations: results.judgements.iter().map(Expectation::of).collect(),
            warnings: &results.warnings,
            total: Tables::of(total),
            runs: results.runs.iter().map(run).collect(),
        }
    }
}

/// `summary.json`.
pub(super) fn json(results: &Results, total: &Total) -> Vec<u8> {
    super::json(&Summary::of(results, total))
}

/// `summary.csv`.
pub(super) fn csv(results: &Results, total: &Total) -> Vec<u8> {
    let summary = Summary::of(results, total);
    let mut table = Table::new(results, &["run", "scope", "metric", "statistic", "value", "unit"]);
    for expectation in &summary.expectations {
        let mut row = |statistic, value: &str, unit| {
            table.row(["all", "expectation", expectation.quantity, statistic, value, unit]);
        };
        row("verdict", expectation.verdict, "");
        row("judged_by", &expectation.judged_by, "");
        for (name, value) in [("value", expectation.value), ("low", expectation.low), ("high", expectation.high)] {
            row(name, &field(value), expectation.unit);
        }
    }
    let mut write = |run: &str, tables: &Tables| {
        for (scope, metrics) in tables.scopes() {
            for metric in &metrics.0 {
                for statistic in &metric.statistics {
                    let value = field(statistic.value);
                    table.row([run, scope, &metric.name, statistic.name, &value, statistic.unit.name()]);
                }
            }
        }
    };
    write("all", &summary.total);
    summary.runs.iter().for_each(|run| write(&run.run.to_string(), &run.tables));
    table.into_bytes()
}

/// A number as JSON writes it, or nothing.
pub(super) fn field(value: Value) -> String {
    match value {
        Value::Missing => String::new(),
        value => serde_json::to_string(&value).expect("a number is JSON"),
    }
}

/// A CSV file whose every row ends in where it is from.
pub(super) struct Table {
    writer: csv::Writer<Vec<u8>>,
    origin: [String; 5],
}

impl Table {
    pub fn new(results: &Results, header: &[&str]) -> Self {
        let mut writer = csv::Writer::from_writer(Vec::new());
        let all = header.iter().copied().chain(["scenario", "variant", "seed", "version", "digest"]);
        writer.write_record(all).expect("memory can be written");
        let origin = [
            results.title.clone(),
            results.variant.clone().unwrap_or_default(),
            results.seed.to_string(),
            VERSION.into(),
            fingerprint(results),
        ];
        Self { writer, origin }
    }

    pub fn row<'b>(&mut self, fields: impl IntoIterator<Item = &'b str>) {
        for field in fields {
            self.writer.write_field(field).expect("memory can be written");
        }
        self.writer.write_record(&self.origin).expect("every row has the header's fields");
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.writer.into_inner().expect("memory can be written")
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::Value as Json;

    use super::*;
    use crate::report::fixture;

    fn read(results: &Results) -> (Json, Vec<BTreeMap<String, String>>) {
        let total = Total::of(&results.runs);
        let (json, csv) = (json(results, &total), csv(results, &total));
        let rows = csv::Reader::from_reader(&*csv).deserialize().map(|row| row.expect("equally long rows")).collect();
        (serde_json::from_slice(&json).expect("valid JSON"), rows)
    }

    /// The number in JSON that a row names.
    fn found<'a>(json: &'a Json, row: &BTreeMap<String, String>) -> &'a Json {
        let tables = match row["run"].as_str() {
            "all" => &json["total"],
            run => {
                json["runs"].as_array().unwrap().iter().find(|each| each["run"] == run.parse::<u32>().unwrap()).unwrap()
            }
        };
        let named = |kind: &str| {
            let mut all = tables[kind].as_array().unwrap().iter();
            all.find(|each| each["name"] == *row["scope"]).map(|each| &each["metrics"])
        };
        let statistic = row["statistic"].as_str();
        let (metrics, key) = match row["scope"].as_str() {
            "expectation" => {
                let mut all = json["expectations"].as_array().unwrap().iter();
                return &all.find(|each| each["quantity"] == *row["metric"]).unwrap()[statistic];
            }
            "system" => (&tables["system"], statistic),
            "wire" => (&tables["wire"], statistic),
            _ => {
                let kinds = ["flows", "stations", "links", "faults"];
                (kinds.into_iter().find_map(named).unwrap(), statistic)
            }
        };
        let suffix = match row["unit"].as_str() {
            unit @ ("ns" | "per_s" | "s") => format!("_{unit}"),
            _ => String::new(),
        };
        metrics
            .get(&row["metric"])
            .and_then(|metric| metric.get(format!("{key}{suffix}")))
            .expect("every row is in JSON")
    }

    fn leaves(json: &Json) -> usize {
        json.as_object().unwrap().values().map(|metric| metric.as_object().unwrap().len()).sum()
    }

    #[test]
    fn every_number_in_csv_is_in_json_and_the_other_way_round() {
        for results in [fixture::exchange(), fixture::replicated(), fixture::empty()] {
            let (json, rows) = read(&results);
            for row in &rows {
                let text = match found(&json, row) {
                    Json::Null => String::new(),
                    Json::String(text) => text.clone(),
                    number => number.to_string(),
                };
                assert_eq!(text, row["value"], "{row:?}");
            }
            let tables = json["runs"].as_array().unwrap().iter().chain([&json["total"]]);
            let numbers: usize = tables
                .map(|tables| {
                    let named = ["flows", "stations", "links", "faults"].map(|kind| tables[kind].as_array().unwrap());
                    let named: usize = named.into_iter().flatten().map(|each| leaves(&each["metrics"])).sum();
                    named + leaves(&tables["system"]) + leaves(&tables["wire"])
                })
                .sum();
            assert_eq!(rows.len(), numbers + 5 * results.judgements.len());
        }
    }

    #[test]
    fn nothing_is_ever_nan() {
        for results in [fixture::exchange(), fixture::replicated(), fixture::empty(), fixture::silent()] {
            let total = Total::of(&results.runs);
            let (json, csv) = (json(&results, &total), csv(&results, &total));
            for text in [json, csv].map(|bytes| String::from_utf8(bytes).unwrap().to_lowercase()) {
                assert!(!text.contains("nan") && !text.contains("inf"), "{text}");
            }
        }
    }

    #[test]
    fn a_summary_says_where_it_is_from() {
        let results = fixture::exchange();
        let (json, rows) = read(&results);
        assert_eq!(json["title"], *results.title);
        assert_eq!(json["seed"], results.seed);
        assert_eq!(json["digest"], *results.runs[0].digest.to_string());
        assert_eq!(json["expectations"][0]["verdict"], "pass");
        assert!(rows.iter().all(|row| row["scenario"] == results.title && row["version"] == VERSION));
    }

    /// A percentile among messages never confirmed has no value, and `latency` beside it has.
    #[test]
    fn unconfirmed_messages_are_slower_than_any_limit() {
        let (json, _) = read(&fixture::exchange());
        let flow = &json["total"]["flows"][0]["metrics"];
        assert!(flow["latency"]["p99.99_ns"].is_u64() && flow["latency"]["max_ns"].is_u64());
        assert!(flow["latency-all"]["p50_ns"].is_u64());
        assert!(flow["latency-all"]["p99.99_ns"].is_null() && flow["latency-all"]["max_ns"].is_null());
    }
}
