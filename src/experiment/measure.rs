//! A quantity in one run, or in a part of its time.

use crate::base::time::Time;
use crate::metrics::{
    CustodyBook, Fate, FlowBook, GuardCounts, Histogram, Rates, RunResult, Spans, StationBook, Tally,
};
use crate::process::Outcome;
use crate::scenario::plan::{Measure, Subject, When};
use crate::scenario::quantity::Statistic;
use crate::scenario::{Metric, MetricKind};
use crate::sim::FaultBook;

use super::partial::Partial;
use super::verdict::Unit;

impl Unit {
    /// The unit a measure's values are in.
    pub fn of(measure: &Measure) -> Self {
        match (measure.metric.kind(), measure.statistic) {
            (_, Statistic::Count) => Unit::Number,
            (MetricKind::Strike, _) if measure.metric != Metric::GoodputLost => Unit::Time,
            (MetricKind::Times, Statistic::Under(_) | Statistic::AtLeast(_)) => Unit::Share,
            (MetricKind::Times, Statistic::Cv) => Unit::Number,
            (MetricKind::Times, _) => Unit::Time,
            (MetricKind::Rate | MetricKind::Events, _) => Unit::Rate,
            (MetricKind::Share, Statistic::Share) => Unit::Share,
            _ => Unit::Number,
        }
    }
}

/// Whether a measure is a share of messages or the like, and not of time.
pub(super) fn is_of_things(measure: &Measure) -> bool {
    let is_of_time = matches!(measure.metric, Metric::Busy | Metric::Availability | Metric::Up);
    Unit::of(measure) == Unit::Share && !is_of_time
}

/// What a run has to say about a quantity. A count is that of one run, on the average.
pub(super) fn partial(measure: &Measure, run: &RunResult) -> Partial {
    partial_within(measure, run, None)
}

/// As [`value`], of what was due within this part of time only; none where the quantity has no parts.
pub(super) fn value_within(measure: &Measure, run: &RunResult, part: (Time, Time)) -> Option<f64> {
    partial_within(measure, run, Some(part)).value(measure.statistic)
}

fn partial_within(measure: &Measure, run: &RunResult, part: Option<(Time, Time)>) -> Partial {
    let has_parts = matches!(measure.subject, Subject::Flows(_)) && !measure.metric.is_of_strikes();
    if part.is_some() && !has_parts {
        return Partial::Nothing;
    }
    let partial = match &measure.subject {
        Subject::Flows(flows) if measure.metric.is_of_strikes() => of_strikes(measure, run, flows),
        Subject::Flows(flows) => of_flows(measure, run, flows, part),
        Subject::Station(station, flows) => of_station(measure, run, *station, flows),
        Subject::Subscriber(station, flows, queue) => {
            of_queue(measure, run, *queue).or_else(|| of_station(measure, run, *station, flows))
        }
        Subject::Queue(queue) => of_queue(measure, run, *queue),
        Subject::Topic(topic) => of_topic(measure, run, *topic),
        Subject::Reader(station, flows, reader) => {
            of_reader(measure, run, *reader).or_else(|| of_station(measure, run, *station, flows))
        }
        Subject::Link(link) => of_link(measure, run, *link),
        Subject::Fault(fault) => of_fault(measure, run, *fault),
    };
    partial.unwrap_or_default()
}

/// A count, as the statistic wants it: as it is, per second, or per `whole`.
fn counted(statistic: Statistic, count: f64, seconds: f64, whole: f64) -> Partial {
    match statistic {
        Statistic::Count => Partial::ratio(count, 1.0),
        Statistic::Rate => Partial::ratio(count, seconds),
        _ => Partial::ratio(count, whole),
    }
}

/// Times of which the statistic says what is meant.
fn timed(statistic: Statistic, times: &Histogram, population: u64) -> Partial {
    match statistic {
        Statistic::Count => Partial::ratio(times.count() as f64, 1.0),
        _ => Partial::Times { times: times.clone(), population },
    }
}

/// A level: its largest value, or its integral over time and what that is divided by.
fn level(statistic: Statistic, most: f64, integral: f64, over: f64) -> Partial {
    match statistic {
        Statistic::Max => Partial::Most(most),
        _ => Partial::ratio(integral, over),
    }
}

/// What came after the strikes of a fault.
fn of_strikes(measure: &Measure, run: &RunResult, flows: &[usize]) -> Option<Partial> {
    let Some(When::After(fault)) = measure.window else { return None };
    let strikes = run.after(fault, flows);
    let values = strikes.iter().filter_map(|after| match measure.metric {
        Metric::Detect => after.detect.nanos(),
        Metric::Failover => after.failover.nanos(),
        Metric::Recovery => after.recovery.nanos(),
        Metric::GoodputLost => Some(after.goodput_lost),
        _ => None,
    });
    match measure.statistic {
        Statistic::Min => values.reduce(f64::min).map(Partial::Least),
        Statistic::Max => values.reduce(f64::max).map(Partial::Most),
        _ => Some(values.fold(Partial::Nothing, |mut sum, value| {
            sum.add(&Partial::ratio(value, 1.0));
            sum
        })),
    }
}

/// What a fault touched.
fn of_fault(measure: &Measure, run: &RunResult, fault: usize) -> Option<Partial> {
    let FaultBook { strikes, nodes, messages, timers } = run.faults[fault].book;
    let touched = match measure.metric {
        Metric::Touched => nodes + messages + timers,
        Metric::TouchedNodes => nodes,
        Metric::TouchedMessages => messages,
        Metric::TouchedTimers => timers,
        Metric::Strikes => strikes,
        _ => return None,
    };
    Some(Partial::ratio(touched as f64, 1.0))
}

/// What became of some messages, and what happened meanwhile.
#[derive(Default)]
struct Happened {
    tally: Tally,
    rates: Rates,
    guards: GuardCounts,
    seconds: f64,
}

/// What happened to some flows together.
fn happened(measure: &Measure, run: &RunResult, flows: &[usize], part: Option<(Time, Time)>) -> Happened {
    let mut sum = Happened::default();
    let books = || flows.iter().map(|&flow| &run.flows[flow].book);
    let mut add = |book: &FlowBook, tally: &Tally, rates: &Rates, spans: &Spans| {
        sum.tally.add(tally);
        sum.rates.add(rates);
        sum.guards.add(&book.guards_within(spans));
    };
    let when = match part {
        Some((from, to)) => When::Between(from, to),
        None => measure.window.unwrap_or(When::Between(Time::ZERO, Time::MAX)),
    };
    let spans = when.spans(|fault| &run.faults[fault].strikes, run.measured);
    for book in books() {
        if part.is_none() && measure.window.is_none() {
            add(book, &book.total, &book.rates_within(run.measured.0, run.measured.1), &spans);
        } else {
            let (tally, rates) = book.within(&spans);
            add(book, &tally, &rates, &spans);
        }
    }
    sum.seconds = spans.iter().map(|(from, to)| to.since(*from).as_secs_f64()).sum();
    sum
}

fn of_flows(measure: &Measure, run: &RunResult, flows: &[usize], part: Option<(Time, Time)>) -> Option<Partial> {
    let pooled = |of: fn(&FlowBook) -> &Histogram| {
        // These are kept for the whole run only.
        let mut times = Histogram::default();
        flows.iter().for_each(|&flow| times.merge(of(&run.flows[flow].book)));
        let population = times.count();
        part.is_none().then(|| timed(measure.statistic, &times, population))
    };
    match measure.metric {
        Metric::LatencyFromSend => return pooled(|book| &book.from_send),
        Metric::LatencyOneWay => return pooled(|book| &book.one_way),
        _ => {}
    }
    let Happened { tally, rates, guards, seconds } = happened(measure, run, flows, part);
    let offered = tally.offered as f64;
    let count = match measure.metric {
        Metric::Latency => return Some(timed(measure.statistic, &tally.latency, tally.latency.count())),
        Metric::LatencyAll => return Some(timed(measure.statistic, &tally.latency, tally.offered)),
        Metric::Attempts => return Some(Partial::ratio(tally.attempts as f64, offered)),
        Metric::Copies => return Some(Partial::ratio(tally.copies as f64, offered)),
        Metric::Duplicates => return Some(Partial::ratio(tally.duplicates as f64, offered)),
        Metric::Offered => tally.offered,
        Metric::Sent => rates.sent,
        Metric::Goodput => rates.goodput,
        Metric::Processed => rates.processed,
        Metric::Received => tally.received,
        Metric::Confirmed => tally.confirmed,
        Metric::ConfirmedLost => tally.confirmed_lost,
        Metric::Reliability => tally.correct,
        Metric::Guard(fact) => guards.of(fact),
        Metric::LostBy(why) => tally.losses.as_ref().map_or(0, |losses| losses.of(why)),
        metric => tally.fate(fate(metric)?),
    };
    Some(counted(measure.statistic, count as f64, seconds, offered))
}

/// The fate that a metric counts.
fn fate(metric: Metric) -> Option<Fate> {
    Fate::ALL.into_iter().find(|fate| fate.name() == metric.name())
}

fn of_station(measure: &Measure, run: &RunResult, station: usize, flows: &[usize]) -> Option<Partial> {
    let StationBook { seconds, nodes, .. } = run.stations[station].book;
    let (book, statistic) = (&run.stations[station].book, measure.statistic);
    let node_seconds = seconds * f64::from(nodes);
    // A share of those that ended in the measured time: of those that arrived before it, some end in it.
    let of_ended = |count: u64| match statistic {
        Statistic::Share => Partial::ratio(count as f64, book.ended() as f64),
        _ => counted(statistic, count as f64, seconds, book.arrived as f64),
    };
    let of_arrived = |count: u64| counted(statistic, count as f64, seconds, book.arrived as f64);
    let of_sagas = |count: u64| match statistic {
        Statistic::Share => Partial::ratio(count as f64, book.sagas.begun as f64),
        _ => counted(statistic, count as f64, seconds, book.arrived as f64),
    };
    let times = |times: &Histogram| timed(statistic, times, times.count());
    Some(match measure.metric {
        Metric::Arrived => of_arrived(book.arrived),
        Metric::Served => of_arrived(book.served),
        Metric::ConfirmedLost => of_arrived(book.forgotten),
        Metric::Rejected => of_ended(book.refused_for(Outcome::Rejected) + book.refused_for(Outcome::Discarded)),
        Metric::Expired => of_ended(book.refused_for(Outcome::Expired)),
        Metric::Failed => of_ended(book.refused_for(Outcome::Failed)),
        Metric::TurnedAway(why) => of_ended(book.turned_away_for(why)),
        Metric::Wait => times(&book.wait),
        Metric::Work => times(&book.work),
        Metric::Residence => times(&book.residence),
        Metric::Waiting => level(statistic, book.waiting_max.into(), book.waiting_seconds, node_seconds),
        Metric::Sagas => of_arrived(book.sagas.begun),
        Metric::Compensations => of_arrived(book.sagas.compensations),
        Metric::SagasCompleted => of_sagas(book.sagas.completed),
        Metric::SagasCompensated => of_sagas(book.sagas.compensated),
        Metric::SagasHalfDone => of_sagas(book.sagas.half_done()),
        Metric::Outbox => level(statistic, book.outbox_max.into(), book.outbox_seconds, node_seconds),
        Metric::Present => {
            level(statistic, book.present_max.into(), book.waiting_seconds + book.busy_seconds, node_seconds)
        }
        Metric::Busy => {
            let workers = match statistic {
                Statistic::Share => run.stations[station].workers?,
                _ => 1,
            };
            Partial::ratio(book.busy_seconds, node_seconds * f64::from(workers))
        }
        Metric::Amplification => {
            let of_flows = |part: &dyn Fn(&Tally) -> u64| -> u64 {
                flows.iter().map(|&flow| part(&run.flows[flow].book.total)).sum()
            };
            Partial::ratio(of_flows(&|book| book.copies) as f64, of_flows(&|book| book.received) as f64)
        }
        _ => return None,
    })
}

fn of_queue(measure: &Measure, run: &RunResult, queue: usize) -> Option<Partial> {
    let (book, statistic) = (&run.queues[queue].book, measure.statistic);
    let seconds = book.seconds;
    Some(match measure.metric {
        Metric::Ready => level(statistic, book.ready_max.into(), book.ready_seconds, seconds),
        Metric::Unacked => level(statistic, book.unacked_max.into(), book.unacked_seconds, seconds),
        Metric::Queued(fact) => counted(statistic, book.of(fact) as f64, seconds, book.whole(fact) as f64),
        _ => return of_custody(measure, &run.queues[queue].custody, seconds),
    })
}

/// What became of the messages that a place owes.
fn of_custody(measure: &Measure, custody: &CustodyBook, seconds: f64) -> Option<Partial> {
    let happened = match measure.metric {
        Metric::LatencyProcessed => {
            let times = &custody.until_processed;
            return Some(timed(measure.statistic, times, times.count()));
        }
        Metric::Lost => custody.lost.sum(),
        Metric::LostBy(why) => custody.lost.of(why),
        Metric::ConfirmedLost => custody.confirmed_lost.sum(),
        Metric::Duplicates => custody.duplicates,
        Metric::OutOfOrder => custody.out_of_order,
        _ => return None,
    };
    Some(counted(measure.statistic, happened as f64, seconds, custody.due as f64))
}

fn of_topic(measure: &Measure, run: &RunResult, topic: usize) -> Option<Partial> {
    let Metric::Logged(fact) = measure.metric else { return None };
    let book = &run.topics[topic].book;
    Some(counted(measure.statistic, book.of(fact) as f64, book.seconds, 1.0))
}

fn of_reader(measure: &Measure, run: &RunResult, reader: usize) -> Option<Partial> {
    let (book, statistic) = (&run.readers[reader].book, measure.statistic);
    Some(match measure.metric {
        Metric::Lag => level(statistic, book.lag_max as f64, book.lag_seconds, book.seconds),
        Metric::Grouped(fact) => counted(statistic, book.of(fact) as f64, book.seconds, 1.0),
        _ => return of_custody(measure, &run.readers[reader].custody, book.seconds),
    })
}

fn of_link(measure: &Measure, run: &RunResult, link: usize) -> Option<Partial> {
    let book = &run.links[link].book;
    let of = match measure.metric {
        Metric::Retransmitted => book.segments.sent,
        _ => book.sent + book.duplicated,
    };
    let count = match measure.metric {
        Metric::Carried => book.delivered,
        Metric::Dropped => book.dropped.iter().sum(),
        Metric::InFlight => book.in_flight(),
        Metric::Segments => book.segments.sent,
        Metric::Retransmitted => book.segments.retransmitted,
        _ => return None,
    };
    Some(counted(measure.statistic, count as f64, run.end.as_secs_f64(), of as f64))
}
