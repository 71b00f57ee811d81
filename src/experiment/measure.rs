//! A quantity's value in one run, or in a part of its time.

use crate::base::time::{Span, Time};
use crate::metrics::{
    CustodyBook, Fate, GroupBook, GuardCounts, Histogram, QueueBook, Rates, RunResult, Spans, Tally, TopicBook,
};
use crate::process::Outcome;
use crate::scenario::plan::{Measure, Subject, When};
use crate::scenario::quantity::Statistic;
use crate::scenario::{Metric, MetricKind};
use crate::sim::FaultBook;

use super::verdict::Unit;

/// The unit a measure's values are in.
pub(super) fn unit(measure: &Measure) -> Unit {
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

/// The measure's value over these runs together: histograms are pooled, counts added, never a percentile of percentiles.
/// A count is that of one run, on the average. Infinite where a percentile lies among messages that were never confirmed; none where there is nothing to measure.
pub(super) fn value(measure: &Measure, runs: &[&RunResult]) -> Option<f64> {
    value_within(measure, runs, None)
}

/// As [`value`], of what was due within this part of time only; none also where the quantity has no parts.
pub(super) fn value_within(measure: &Measure, runs: &[&RunResult], part: Option<(Time, Time)>) -> Option<f64> {
    let per_run = |value: f64| match measure.statistic {
        Statistic::Count => value / runs.len() as f64,
        _ => value,
    };
    match &measure.subject {
        Subject::Flows(flows) if measure.metric.is_of_strikes() => {
            if part.is_some() {
                None
            } else {
                strike_value(measure, runs, flows)
            }
        }
        Subject::Flows(flows) => flow_value(measure, runs, flows, part).map(per_run),
        _ if part.is_some() => None,
        Subject::Station(station, flows) => station_value(measure, runs, *station, flows).map(per_run),
        Subject::Subscriber(station, flows, queue) => {
            let of_queue = queue_value(measure, runs, *queue);
            of_queue.or_else(|| station_value(measure, runs, *station, flows)).map(per_run)
        }
        Subject::Queue(queue) => queue_value(measure, runs, *queue).map(per_run),
        Subject::Topic(topic) => topic_value(measure, runs, *topic).map(per_run),
        Subject::Reader(station, flows, reader) => {
            let of_reader = reader_value(measure, runs, *reader);
            of_reader.or_else(|| station_value(measure, runs, *station, flows)).map(per_run)
        }
        Subject::Link(link) => link_value(measure, runs, *link).map(per_run),
        Subject::Fault(fault) => fault_value(measure, runs, *fault),
    }
}

/// When a measure counts, in one run.
fn spans(measure: &Measure, run: &RunResult, part: Option<(Time, Time)>) -> Spans {
    let when = match part {
        Some((from, to)) => When::Between(from, to),
        None => measure.window.unwrap_or(When::Between(Time::ZERO, Time::MAX)),
    };
    when.spans(|fault| &run.faults[fault].strikes, run.measured)
}

/// A statistic of the values after the strikes of a fault, over all strikes of all runs.
fn strike_value(measure: &Measure, runs: &[&RunResult], flows: &[usize]) -> Option<f64> {
    let Some(When::After(fault)) = measure.window else { return None };
    let strikes = runs.iter().flat_map(|run| run.after(fault, flows));
    let values: Vec<f64> = strikes
        .filter_map(|after| match measure.metric {
            Metric::Detect => after.detect.nanos(),
            Metric::Failover => after.failover.nanos(),
            Metric::Recovery => after.recovery.nanos(),
            Metric::GoodputLost => Some(after.goodput_lost),
            _ => None,
        })
        .collect();
    match measure.statistic {
        Statistic::Min => values.into_iter().reduce(f64::min),
        Statistic::Max => values.into_iter().reduce(f64::max),
        _ => (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64),
    }
}

/// What a fault touched in a run, on average.
fn fault_value(measure: &Measure, runs: &[&RunResult], fault: usize) -> Option<f64> {
    let touched = |run: &&RunResult| {
        let FaultBook { strikes, nodes, messages, timers } = run.faults[fault].book;
        match measure.metric {
            Metric::Touched => Some(nodes + messages + timers),
            Metric::TouchedNodes => Some(nodes),
            Metric::TouchedMessages => Some(messages),
            Metric::TouchedTimers => Some(timers),
            Metric::Strikes => Some(strikes),
            _ => None,
        }
    };
    let counts = runs.iter().map(touched).collect::<Option<Vec<_>>>()?;
    (!counts.is_empty()).then(|| counts.iter().sum::<u64>() as f64 / counts.len() as f64)
}

fn flow_value(measure: &Measure, runs: &[&RunResult], flows: &[usize], part: Option<(Time, Time)>) -> Option<f64> {
    let mut tally = Tally::default();
    let (mut from_send, mut one_way) = (Histogram::default(), Histogram::default());
    let (mut happened, mut guards) = (Rates::default(), GuardCounts::default());
    let mut seconds = 0.0;
    for run in runs {
        let spans = spans(measure, run, part);
        seconds += spans.iter().map(|(from, to)| to.since(*from).as_secs_f64()).sum::<f64>();
        for &flow in flows {
            let book = &run.flows[flow].book;
            let (within, rates) = book.within(&spans);
            tally.add(&within);
            happened.add(&rates);
            guards.add(&book.guards_within(&spans));
            from_send.merge(&book.from_send);
            one_way.merge(&book.one_way);
        }
    }
    let offered = tally.offered as f64;
    let count_of = |metric| match metric {
        Metric::Offered => Some(tally.offered),
        Metric::Sent => Some(happened.sent),
        Metric::Goodput => Some(happened.goodput),
        Metric::Processed => Some(happened.processed),
        Metric::Received => Some(tally.received),
        Metric::Confirmed => Some(tally.confirmed),
        Metric::ConfirmedLost => Some(tally.confirmed_lost),
        Metric::Reliability => Some(tally.correct),
        Metric::Guard(fact) => Some(guards.of(fact)),
        Metric::LostBy(why) => Some(tally.losses.as_ref().map_or(0, |losses| losses.of(why))),
        metric => fate(metric).map(|fate| tally.fate(fate)),
    };
    let per_message = |sum: u64| (tally.offered > 0).then(|| sum as f64 / offered);
    match measure.metric {
        Metric::Attempts => per_message(tally.attempts),
        Metric::Copies => per_message(tally.copies),
        Metric::Duplicates => per_message(tally.duplicates),
        Metric::Latency => times(&tally.latency, tally.latency.count(), measure.statistic),
        Metric::LatencyAll => times(&tally.latency, tally.offered, measure.statistic),
        // These two are kept for the whole run only.
        Metric::LatencyFromSend if part.is_none() => times(&from_send, from_send.count(), measure.statistic),
        Metric::LatencyOneWay if part.is_none() => times(&one_way, one_way.count(), measure.statistic),
        metric => {
            let count = count_of(metric)? as f64;
            match measure.statistic {
                Statistic::Count => Some(count),
                Statistic::Rate => (seconds > 0.0).then(|| count / seconds),
                _ => (tally.offered > 0).then(|| count / offered),
            }
        }
    }
}

/// The fate that a metric counts.
fn fate(metric: Metric) -> Option<Fate> {
    Fate::ALL.into_iter().find(|fate| fate.name() == metric.name())
}

fn station_value(measure: &Measure, runs: &[&RunResult], station: usize, flows: &[usize]) -> Option<f64> {
    let books = || runs.iter().map(|run| &run.stations[station].book);
    let sum = |part: &dyn Fn(&crate::metrics::StationBook) -> f64| books().map(part).sum::<f64>();
    let seconds = sum(&|book| book.seconds);
    let arrived = sum(&|book| book.arrived as f64);
    let pooled = |part: &dyn Fn(&crate::metrics::StationBook) -> &Histogram| {
        let mut pooled = Histogram::default();
        books().for_each(|book| pooled.merge(part(book)));
        times(&pooled, pooled.count(), measure.statistic)
    };
    let counted = |count: f64| match measure.statistic {
        Statistic::Count => Some(count),
        Statistic::Rate => (seconds > 0.0).then(|| count / seconds),
        _ => (arrived > 0.0).then(|| count / arrived),
    };
    // A share of those that ended in the measured time: of those that arrived before it, some end in it.
    let ended = sum(&|book| book.ended() as f64);
    let of_ended = |count: f64| match measure.statistic {
        Statistic::Share => (ended > 0.0).then(|| count / ended),
        _ => counted(count),
    };
    let refused = |why| of_ended(sum(&|book| book.refused_for(why) as f64));
    let level = |mean: &dyn Fn(&crate::metrics::StationBook) -> f64,
                 max: &dyn Fn(&crate::metrics::StationBook) -> u32| {
        match measure.statistic {
            Statistic::Max => books().map(|book| f64::from(max(book))).reduce(f64::max),
            _ => Some(sum(mean) / runs.len() as f64),
        }
    };
    let of_sagas = |part: &dyn Fn(&crate::metrics::SagaBook) -> u64| {
        let (begun, count) = (sum(&|book| book.sagas.begun as f64), sum(&|book| part(&book.sagas) as f64));
        match measure.statistic {
            Statistic::Share => (begun > 0.0).then(|| count / begun),
            _ => counted(count),
        }
    };
    match measure.metric {
        Metric::Arrived => counted(arrived),
        Metric::Served => counted(sum(&|book| book.served as f64)),
        Metric::Rejected => {
            of_ended(sum(&|book| (book.refused_for(Outcome::Rejected) + book.refused_for(Outcome::Discarded)) as f64))
        }
        Metric::Expired => refused(Outcome::Expired),
        Metric::TurnedAway(why) => of_ended(sum(&|book| book.turned_away_for(why) as f64)),
        Metric::Failed => refused(Outcome::Failed),
        Metric::ConfirmedLost => counted(sum(&|book| book.forgotten as f64)),
        Metric::Wait => pooled(&|book| &book.wait),
        Metric::Work => pooled(&|book| &book.work),
        Metric::Residence => pooled(&|book| &book.residence),
        Metric::Waiting => level(&|book| book.waiting_mean(), &|book| book.waiting_max),
        Metric::Outbox => level(&|book| book.outbox_mean(), &|book| book.outbox_max),
        Metric::Sagas => counted(sum(&|book| book.sagas.begun as f64)),
        Metric::SagasCompleted => of_sagas(&|sagas| sagas.completed),
        Metric::SagasCompensated => of_sagas(&|sagas| sagas.compensated),
        Metric::SagasHalfDone => of_sagas(&|sagas| sagas.half_done()),
        Metric::Compensations => counted(sum(&|book| book.sagas.compensations as f64)),
        Metric::Present => level(&|book| book.present_mean(), &|book| book.present_max),
        Metric::Busy => {
            let workers = match measure.statistic {
                Statistic::Share => runs.first()?.stations[station].workers?,
                _ => 1,
            };
            Some(sum(&|book| book.busy_mean()) / runs.len() as f64 / f64::from(workers))
        }
        Metric::Amplification => {
            let of_flows = |part: &dyn Fn(&Tally) -> u64| -> u64 {
                runs.iter().flat_map(|run| flows.iter().map(|&flow| part(&run.flows[flow].book.total))).sum()
            };
            let (copies, received) = (of_flows(&|book| book.copies), of_flows(&|book| book.received));
            (received > 0).then(|| copies as f64 / received as f64)
        }
        _ => None,
    }
}

fn queue_value(measure: &Measure, runs: &[&RunResult], queue: usize) -> Option<f64> {
    let (mut book, mut custody) = (QueueBook::default(), CustodyBook::default());
    for run in runs {
        book.add(&run.queues[queue].book);
        custody.add(&run.queues[queue].custody);
    }
    let level = |mean: f64, most: u32| match measure.statistic {
        Statistic::Max => f64::from(most),
        _ => mean,
    };
    let of_custody = custody_value(measure, &custody, book.seconds);
    match (measure.metric, measure.statistic) {
        _ if of_custody.is_some() => of_custody,
        (Metric::Ready, _) => Some(level(book.ready_mean(), book.ready_max)),
        (Metric::Unacked, _) => Some(level(book.unacked_mean(), book.unacked_max)),
        (Metric::Queued(fact), Statistic::Count) => Some(book.of(fact) as f64),
        (Metric::Queued(fact), Statistic::Rate) => (book.seconds > 0.0).then(|| book.of(fact) as f64 / book.seconds),
        (Metric::Queued(fact), _) => book.share(fact),
        _ => None,
    }
}

/// What became of the messages that a place owes.
fn custody_value(measure: &Measure, custody: &CustodyBook, seconds: f64) -> Option<f64> {
    let happened = match measure.metric {
        Metric::LatencyProcessed => {
            let after = &custody.until_processed;
            return times(after, after.count(), measure.statistic);
        }
        Metric::Lost => custody.lost.sum(),
        Metric::LostBy(why) => custody.lost.of(why),
        Metric::ConfirmedLost => custody.confirmed_lost.sum(),
        Metric::Duplicates => custody.duplicates,
        Metric::OutOfOrder => custody.out_of_order,
        _ => return None,
    } as f64;
    match measure.statistic {
        Statistic::Count => Some(happened),
        Statistic::Rate => (seconds > 0.0).then(|| happened / seconds),
        _ => (custody.due > 0).then(|| happened / custody.due as f64),
    }
}

fn topic_value(measure: &Measure, runs: &[&RunResult], topic: usize) -> Option<f64> {
    let mut book = TopicBook::default();
    runs.iter().for_each(|run| book.add(&run.topics[topic].book));
    let Metric::Logged(fact) = measure.metric else { return None };
    match measure.statistic {
        Statistic::Rate => (book.seconds > 0.0).then(|| book.of(fact) as f64 / book.seconds),
        _ => Some(book.of(fact) as f64),
    }
}

fn reader_value(measure: &Measure, runs: &[&RunResult], reader: usize) -> Option<f64> {
    let (mut book, mut custody) = (GroupBook::default(), CustodyBook::default());
    for run in runs {
        book.add(&run.readers[reader].book);
        custody.add(&run.readers[reader].custody);
    }
    match (measure.metric, measure.statistic) {
        (Metric::Lag, Statistic::Max) => Some(book.lag_max as f64),
        (Metric::Lag, _) => Some(book.lag_mean()),
        (Metric::Grouped(fact), Statistic::Rate) => (book.seconds > 0.0).then(|| book.of(fact) as f64 / book.seconds),
        (Metric::Grouped(fact), _) => Some(book.of(fact) as f64),
        _ => custody_value(measure, &custody, book.seconds),
    }
}

fn link_value(measure: &Measure, runs: &[&RunResult], link: usize) -> Option<f64> {
    let mut book = crate::sim::LinkBook::default();
    runs.iter().for_each(|run| book.add(&run.links[link].book));
    let seconds: f64 = runs.iter().map(|run| run.end.as_secs_f64()).sum();
    let of = match measure.metric {
        Metric::Retransmitted => book.segments.sent,
        _ => book.sent + book.duplicated,
    } as f64;
    let count = match measure.metric {
        Metric::Carried => book.delivered,
        Metric::Dropped => book.dropped.iter().sum(),
        Metric::InFlight => book.in_flight(),
        Metric::Segments => book.segments.sent,
        Metric::Retransmitted => book.segments.retransmitted,
        _ => return None,
    } as f64;
    match measure.statistic {
        Statistic::Count => Some(count),
        Statistic::Rate => (seconds > 0.0).then(|| count / seconds),
        _ => (of > 0.0).then(|| count / of),
    }
}

/// A statistic of times, in nanoseconds; `population` counts also those that are slower than any.
fn times(histogram: &Histogram, population: u64, statistic: Statistic) -> Option<f64> {
    use crate::scenario::condition::Amount;
    let limit = |amount: Amount| match amount {
        Amount::Time(limit) => limit,
        _ => Span::ZERO,
    };
    let below = |amount| histogram.below(limit(amount)) as f64 / population as f64;
    let is_whole = histogram.count() == population;
    match statistic {
        Statistic::Count => Some(histogram.count() as f64),
        _ if population == 0 => None,
        Statistic::Percentile(percentile) => {
            Some(histogram.quantile_among(percentile.share(), population).unwrap_or(f64::INFINITY))
        }
        Statistic::Under(amount) => Some(below(amount)),
        Statistic::AtLeast(amount) => Some(1.0 - below(amount)),
        Statistic::Max | Statistic::Mean | Statistic::Sd | Statistic::Cv if !is_whole => Some(f64::INFINITY),
        Statistic::Mean => histogram.mean(),
        Statistic::Sd => histogram.deviation(),
        Statistic::Cv => Some(histogram.deviation()? / histogram.mean()?),
        Statistic::Min => histogram.min().map(|min| min.as_nanos() as f64),
        Statistic::Max => histogram.max().map(|max| max.as_nanos() as f64),
        _ => None,
    }
}
