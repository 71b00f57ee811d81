//! Every number of a summary, in one list from which JSON and CSV are written: they cannot differ.
//!
//! Names are those of the quantities that expectations are written in: a scope has metrics, a metric statistics.

use crate::metrics::{CustodyBook, Fate, GroupBook, Histogram, QueueBook, TopicBook};
use crate::network::Cause;
use crate::process::{GroupFact, Outcome, QueueFact, TopicFact};
use crate::sim::{FaultBook, LinkBook};

use super::aftermath::{FlowAftermath, Values};
use super::total::{FlowTotal, StationTotal, Total};

/// The ladder of percentiles, and what its rungs are called.
pub(super) const LADDER: [(&str, f64); 6] =
    [("p50", 0.5), ("p90", 0.9), ("p95", 0.95), ("p99", 0.99), ("p99.9", 0.999), ("p99.99", 0.9999)];

/// What a number is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Unit {
    Count,
    Number,
    Share,
    PerSecond,
    Nanoseconds,
    Seconds,
    Bytes,
}

impl Unit {
    /// The name in CSV.
    pub fn name(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Number => "",
            Self::Share => "share",
            Self::PerSecond => "per_s",
            Self::Nanoseconds => "ns",
            Self::Seconds => "s",
            Self::Bytes => "bytes",
        }
    }

    /// What a key in JSON ends in.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Count | Self::Number | Self::Share | Self::Bytes => "",
            Self::PerSecond => "_per_s",
            Self::Nanoseconds => "_ns",
            Self::Seconds => "_s",
        }
    }
}

/// A number: whole where it can be.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Value {
    Whole(u64),
    Real(f64),
    Missing,
}

impl Value {
    /// A real number if it is finite.
    pub fn real(value: Option<f64>) -> Self {
        value.filter(|value| value.is_finite()).map_or(Self::Missing, Self::Real)
    }

    /// Nanoseconds, to the nearest whole one.
    pub fn nanos(value: Option<f64>) -> Self {
        match value {
            Some(value) if value.is_finite() && value >= 0.0 => Self::Whole((value + 0.5) as u64),
            _ => Self::Missing,
        }
    }
}

impl serde::Serialize for Value {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match *self {
            Self::Whole(value) => serializer.serialize_u64(value),
            Self::Real(value) => serializer.serialize_f64(value),
            Self::Missing => serializer.serialize_unit(),
        }
    }
}

/// One statistic of a metric.
#[derive(Clone, Copy, Debug)]
pub(super) struct Statistic {
    pub name: &'static str,
    pub value: Value,
    pub unit: Unit,
}

/// What is measured, and its statistics.
#[derive(Clone, Debug)]
pub(super) struct Metric {
    pub name: String,
    pub statistics: Vec<Statistic>,
}

fn statistic(name: &'static str, value: Value, unit: Unit) -> Statistic {
    Statistic { name, value, unit }
}

fn count(value: u64) -> Statistic {
    statistic("count", Value::Whole(value), Unit::Count)
}

fn rate(value: Option<f64>) -> Statistic {
    statistic("rate", Value::real(value), Unit::PerSecond)
}

fn share(value: Option<f64>) -> Statistic {
    statistic("share", Value::real(value), Unit::Share)
}

fn mean(value: Option<f64>) -> Statistic {
    statistic("mean", Value::real(value), Unit::Number)
}

fn metric(name: impl Into<String>, statistics: impl Into<Vec<Statistic>>) -> Metric {
    Metric { name: name.into(), statistics: statistics.into() }
}

/// The system's own metrics.
pub(super) fn of_system(total: &Total) -> Vec<Metric> {
    vec![
        metric("measured", [statistic("sum", Value::real(Some(total.seconds)), Unit::Seconds)]),
        metric("simulated", [statistic("sum", Value::Whole(total.simulated.as_nanos()), Unit::Nanoseconds)]),
        metric("events", [count(total.events)]),
    ]
}

/// A flow's metrics.
pub(super) fn of_flow(flow: &FlowTotal) -> Vec<Metric> {
    let with_rate = |name, events| metric(name, [count(events), rate(flow.rate(events))]);
    let with_share = |name, messages| metric(name, [count(messages), share(flow.per_message(messages))]);
    let with_mean = |name, copies| metric(name, [count(copies), mean(flow.per_message(copies))]);
    let estimate = flow.reliability();
    let end = |name, value| statistic(name, Value::real(value), Unit::Share);
    let mut metrics = vec![
        with_rate("offered", flow.offered),
        with_rate("sent", flow.sent),
        with_rate("goodput", flow.goodput),
        with_rate("processed", flow.processed),
        metric(
            "reliability",
            [
                count(flow.correct),
                share(estimate.map(|estimate| estimate.share)),
                end("low", estimate.map(|estimate| estimate.low)),
                end("high", estimate.map(|estimate| estimate.high)),
            ],
        ),
        with_share("received", flow.received),
    ];
    metrics.extend(Fate::ALL.into_iter().map(|fate| with_share(fate.name(), flow.fate(fate))));
    metrics.extend([
        with_mean("attempts", flow.attempts),
        with_mean("copies", flow.copies),
        with_mean("duplicates", flow.duplicates),
        with_mean("repeated", flow.repeated),
        metric("latency", times(&flow.latency, None)),
        metric("latency-all", times(&flow.latency, Some(flow.offered))),
        metric("latency-from-send", times(&flow.from_send, None)),
        metric("latency-one-way", times(&flow.one_way, None)),
    ]);
    if flow.confirmed_lost > 0 {
        metrics.push(with_share("confirmed-lost", flow.confirmed_lost));
    }
    metrics.extend(flow.losses.happened().map(|(why, messages)| with_rate(why.name(), messages)));
    // Most flows have few guards: what never happened is left out.
    metrics.extend(flow.guards.done().map(|(fact, times)| with_rate(fact.name(), times)));
    metrics.extend(flow.after.iter().flat_map(of_aftermath));
    metrics
}

/// What followed a fault, over all strikes; a mean that is infinite is missing, and `count` says how many strikes have an end.
fn of_aftermath(after: &FlowAftermath) -> [Metric; 4] {
    let named = |name: &str, values: Values, write: &dyn Fn(Option<f64>) -> Value, unit| {
        let each =
            [("mean", values.mean()), ("max", values.max())].map(|(name, value)| statistic(name, write(value), unit));
        metric(format!("{name} after {}", after.fault), [&[count(values.count)][..], &each].concat())
    };
    let times = |name, values| named(name, values, &Value::nanos, Unit::Nanoseconds);
    [
        times("detect", after.detect),
        times("failover", after.failover),
        times("recovery", after.recovery),
        named("goodput-lost", after.goodput_lost, &Value::real, Unit::Number),
    ]
}

/// A histogram's statistics. Among a `population` those not counted are slower than any limit: a percentile that lies among
/// them is missing, and so are the mean, the deviation and the maximum if there are any.
fn times(histogram: &Histogram, population: Option<u64>) -> Vec<Statistic> {
    let counted = histogram.count();
    let population = population.unwrap_or(counted);
    let all = counted == population;
    let time = |name, value| statistic(name, Value::nanos(value), Unit::Nanoseconds);
    let nanos = |span: crate::base::time::Span| span.as_nanos() as f64;
    let mut statistics = vec![
        count(counted),
        time("mean", histogram.mean().filter(|_| all)),
        time("sd", histogram.deviation().filter(|_| all)),
        time("min", histogram.min().map(nanos)),
    ];
    statistics.extend(LADDER.iter().map(|&(name, p)| time(name, histogram.quantile_among(p, population))));
    statistics.push(time("max", histogram.max().map(nanos).filter(|_| all)));
    statistics
}

/// A station's metrics.
pub(super) fn of_station(station: &StationTotal) -> Vec<Metric> {
    let book = &station.book;
    let most = |value: u32| statistic("max", Value::Whole(value.into()), Unit::Count);
    let workers = station.workers.map_or(Value::Missing, |workers| Value::Whole(workers.into()));
    let mut metrics = vec![
        metric("nodes", [count(book.nodes.into())]),
        metric("workers", [statistic("count", workers, Unit::Count)]),
        metric("arrived", [count(book.arrived), rate(station.rate(book.arrived))]),
        metric("served", [count(book.served), rate(station.rate(book.served))]),
    ];
    let refusals = Outcome::ALL.into_iter().filter(|&why| why != Outcome::Done);
    metrics.extend(refusals.map(|why| {
        let refused = station.refused_for(why);
        metric(why.name(), [count(refused), share(super::human::ratio(refused as f64, book.ended() as f64))])
    }));
    let counted = |name, requests| metric(name, [count(requests), rate(station.rate(requests))]);
    metrics.extend(station.turned_away().into_iter().map(|(why, requests)| counted(why.name(), requests)));
    metrics.push(metric("confirmed-lost", [count(book.forgotten)]));
    metrics.extend([
        metric("waiting", [mean(station.waiting_mean()), most(book.waiting_max)]),
        metric("busy", [share(station.utilisation()), mean(station.busy_mean())]),
        metric("present", [mean(station.present_mean()), most(book.present_max)]),
        metric("wait", times(&book.wait, None)),
        metric("work", times(&book.work, None)),
        metric("residence", times(&book.residence, None)),
    ]);
    if book.outbox_max > 0 {
        metrics.push(metric("outbox", [mean(Some(book.outbox_mean())), most(book.outbox_max)]));
    }
    let sagas = &book.sagas;
    if sagas.begun > 0 {
        let of_sagas = |part: u64| share(super::human::ratio(part as f64, sagas.begun as f64));
        metrics.push(counted("sagas", sagas.begun));
        metrics.push(metric("sagas-completed", [count(sagas.completed), of_sagas(sagas.completed)]));
        metrics.push(metric("sagas-compensated", [count(sagas.compensated), of_sagas(sagas.compensated)]));
        metrics.push(metric("sagas-half-done", [count(sagas.half_done()), of_sagas(sagas.half_done())]));
        metrics.push(counted("compensations", sagas.compensations));
    }
    metrics
}

/// A queue's metrics.
pub(super) fn of_queue(book: &QueueBook, custody: &CustodyBook) -> Vec<Metric> {
    let most = |value: u32| statistic("max", Value::Whole(value.into()), Unit::Count);
    let per_second = |events: u64| rate(super::human::ratio(events as f64, book.seconds));
    let mut metrics = vec![
        metric("ready", [mean(Some(book.ready_mean())), most(book.ready_max)]),
        metric("unacked", [mean(Some(book.unacked_mean())), most(book.unacked_max)]),
    ];
    metrics.extend(QueueFact::ALL.iter().map(|&fact| {
        let happened = book.of(fact);
        metric(fact.name(), [count(happened), per_second(happened), share(book.share(fact))])
    }));
    metrics.extend(of_custody(custody, book.seconds));
    metrics
}

/// What became of the messages that a place owes.
fn of_custody(custody: &CustodyBook, seconds: f64) -> Vec<Metric> {
    let per_second = |events: u64| rate(super::human::ratio(events as f64, seconds));
    let of_due = |messages: u64| super::human::ratio(messages as f64, custody.due as f64);
    let with_share = |name, messages| metric(name, [count(messages), share(of_due(messages))]);
    let mut metrics = vec![
        with_share("lost", custody.lost.sum()),
        with_share("confirmed-lost", custody.confirmed_lost.sum()),
        metric("duplicates", [count(custody.duplicates), mean(of_due(custody.duplicates))]),
        metric("out-of-order", [count(custody.out_of_order), per_second(custody.out_of_order)]),
    ];
    // Most reasons never occur: those are left out.
    metrics.extend(custody.lost.happened().map(|(why, messages)| {
        let confirmed = statistic("confirmed", Value::Whole(custody.confirmed_lost.of(why)), Unit::Count);
        metric(why.name(), [count(messages), confirmed, per_second(messages)])
    }));
    metrics
}

/// A topic's metrics.
pub(super) fn of_topic(book: &TopicBook) -> Vec<Metric> {
    let per_second = |events: u64| rate(super::human::ratio(events as f64, book.seconds));
    let of = |&fact: &TopicFact| metric(fact.name(), [count(book.of(fact)), per_second(book.of(fact))]);
    TopicFact::ALL.iter().map(of).collect()
}

/// The metrics of a group that reads topics.
pub(super) fn of_reader(book: &GroupBook, custody: &CustodyBook) -> Vec<Metric> {
    let most = statistic("max", Value::Whole(book.lag_max), Unit::Count);
    let per_second = |events: u64| rate(super::human::ratio(events as f64, book.seconds));
    let of = |&fact: &GroupFact| metric(fact.name(), [count(book.of(fact)), per_second(book.of(fact))]);
    let lag = metric("lag", [mean(Some(book.lag_mean())), most]);
    let of_group = [lag].into_iter().chain(GroupFact::ALL.iter().map(of));
    of_group.chain(of_custody(custody, book.seconds)).collect()
}

/// A link's metrics, or the whole wire's.
pub(super) fn of_link(book: &LinkBook) -> Vec<Metric> {
    let copies = (book.sent + book.duplicated) as f64;
    let with_share =
        |name: String, count_of| metric(name, [count(count_of), share(super::human::ratio(count_of as f64, copies))]);
    let mut metrics = vec![
        metric("sent", [count(book.sent), statistic("size", Value::Whole(book.bytes), Unit::Bytes)]),
        metric("duplicated", [count(book.duplicated)]),
        with_share("carried".into(), book.delivered),
        with_share("dropped".into(), book.dropped.iter().sum()),
    ];
    metrics.extend(
        Cause::ALL.into_iter().map(|cause| with_share(format!("dropped-{}", cause.name()), book.dropped_for(cause))),
    );
    metrics.push(with_share("in-flight".into(), book.in_flight()));
    let segments = book.segments;
    let again = super::human::ratio(segments.retransmitted as f64, segments.sent as f64);
    metrics.push(metric("segments", [count(segments.sent)]));
    metrics.push(metric("retransmitted", [count(segments.retransmitted), share(again)]));
    metrics
}

/// What a fault touched.
pub(super) fn of_fault(book: &FaultBook) -> Vec<Metric> {
    let FaultBook { strikes, nodes, messages, timers } = *book;
    let counts =
        [("strikes", strikes), ("touched-nodes", nodes), ("touched-messages", messages), ("touched-timers", timers)];
    counts.into_iter().map(|(name, number)| metric(name, [count(number)])).collect()
}
