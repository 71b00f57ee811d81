//! Runs put together: sums of counts and pooled histograms, flow by flow, station by station, link by link. Never a mean of
//! percentiles.

use std::collections::BTreeMap;

use crate::base::time::{Span, Time};
use crate::experiment::Moments;
use crate::metrics::recovery::Strike;
use crate::metrics::{
    Fate, FlowBook, GuardCounts, Histogram, LossCounts, QueueResult, ReaderResult, RunResult, Setback, StationBook,
    TopicResult,
};
use crate::process::{Outcome, TurnedAway};
use crate::sim::{FaultBook, LinkBook};

use super::aftermath::FlowAftermath;
use super::human::ratio;
use super::interval::{Estimate, Trial, Trials};

/// Some runs as one, taken in one by one: what a [`Report`](super::Report) says of all runs together.
#[derive(Clone, Debug, Default)]
pub struct Total {
    /// Measured time, summed over the runs.
    pub(super) seconds: f64,
    /// Simulated time, summed over the runs.
    pub(super) simulated: Span,
    pub(super) events: u64,
    pub(super) flows: Vec<FlowTotal>,
    pub(super) stations: Vec<StationTotal>,
    pub(super) queues: Vec<QueueResult>,
    /// The topics' books.
    pub(super) topics: Vec<TopicResult>,
    /// The books of the groups that read topics.
    pub(super) readers: Vec<ReaderResult>,
    pub(super) links: Vec<LinkTotal>,
    pub(super) faults: Vec<FaultTotal>,
}

/// One flow of all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct FlowTotal {
    pub name: String,
    pub caller: String,
    pub entry: Option<String>,
    pub callee: String,
    pub seconds: f64,
    pub offered: u64,
    pub fates: [u64; Fate::ALL.len()],
    pub correct: u64,
    pub received: u64,
    pub confirmed: u64,
    /// Confirmed, handled by nobody, and no copy left.
    pub confirmed_lost: u64,
    /// What was lost of it at queues or on the way there.
    pub losses: LossCounts,
    /// What stood in the way of messages that did not end well, by the fate that they had.
    pub setbacks: BTreeMap<(Fate, Setback), u64>,
    /// Attempts sent while it was measured, by whichever message.
    pub sent: u64,
    /// Messages that succeeded while it was measured.
    pub goodput: u64,
    /// Messages that receivers handled well for the first time while it was measured.
    pub processed: u64,
    /// What guards did while it was measured.
    pub guards: GuardCounts,
    /// Attempts of the messages that count.
    pub attempts: u64,
    pub copies: u64,
    pub duplicates: u64,
    pub repeated: u64,
    pub latency: Histogram,
    pub from_send: Histogram,
    pub one_way: Histogram,
    pub step: Span,
    /// What happened over time, from the start of the run.
    pub steps: Vec<Step>,
    pub is_client: bool,
    /// What followed each of the faults.
    pub after: Vec<FlowAftermath>,
    /// What single runs gave.
    pub of_runs: OfRuns,
    trials: Trials,
}

/// How much a flow's values differ from run to run.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct OfRuns {
    /// Messages that succeeded per second.
    pub goodput: Moments,
    /// The median of what its owner sees of time.
    pub median: Moments,
    /// The 99 % quantile of that.
    pub tail: Moments,
}

/// A flow in one step of time.
#[derive(Clone, Debug, Default)]
pub(super) struct Step {
    /// Messages due in the step that count.
    pub offered: u64,
    /// Attempts sent in the step.
    pub sent: u64,
    /// Messages that succeeded in the step.
    pub goodput: u64,
    /// Messages that receivers handled well for the first time in the step.
    pub processed: u64,
    /// Messages due in the step that came out right.
    pub correct: u64,
    /// Latencies of messages due in the step.
    pub latency: Histogram,
}

/// One group of stations of all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct StationTotal {
    pub name: String,
    pub workers: Option<u32>,
    pub book: StationBook,
}

/// One link of all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct LinkTotal {
    pub name: String,
    pub book: LinkBook,
}

/// One fault of all runs.
#[derive(Clone, Debug, Default)]
pub(super) struct FaultTotal {
    pub name: String,
    pub kind: &'static str,
    pub book: FaultBook,
    /// When it struck and healed, as far as all runs agree.
    pub strikes: Option<Vec<Strike>>,
}

impl Total {
    /// These runs together.
    pub fn of<'a>(runs: impl IntoIterator<Item = &'a RunResult>) -> Self {
        let mut total = Self::default();
        runs.into_iter().for_each(|run| total.add(run));
        total
    }

    /// Takes in the next run of the same plan, in the order of their index.
    pub fn add(&mut self, run: &RunResult) {
        let (from, to) = run.measured;
        let seconds = to.since(from).as_secs_f64();
        self.seconds += seconds;
        self.simulated += run.end.since(Time::ZERO);
        self.events += run.events;
        for (index, flow) in run.flows.iter().enumerate() {
            let name = flow.name();
            let total = entry(&mut self.flows, |total| total.name == name);
            if total.name.is_empty() {
                total.name = name;
                total.caller.clone_from(&flow.caller);
                total.entry.clone_from(&flow.entry);
                total.callee.clone_from(&flow.callee);
                total.is_client = flow.is_client;
            }
            total.seconds += seconds;
            total.add(&flow.book, (from, to));
            total.add_aftermath(run, index);
        }
        for station in &run.stations {
            let total = entry(&mut self.stations, |total| total.name == station.name);
            if total.name.is_empty() {
                total.name.clone_from(&station.name);
                total.workers = station.workers;
            }
            add_station(&mut total.book, &station.book);
        }
        for topic in &run.topics {
            let total = entry(&mut self.topics, |total| total.name == topic.name);
            total.name.clone_from(&topic.name);
            total.book.add(&topic.book);
        }
        for reader in &run.readers {
            let total = entry(&mut self.readers, |total| total.name == reader.name);
            total.name.clone_from(&reader.name);
            total.book.add(&reader.book);
            total.custody.add(&reader.custody);
        }
        for queue in &run.queues {
            let total = entry(&mut self.queues, |total| total.name == queue.name);
            total.name.clone_from(&queue.name);
            total.book.add(&queue.book);
            total.custody.add(&queue.custody);
        }
        for link in &run.links {
            let total = entry(&mut self.links, |total| total.name == link.name);
            total.name.clone_from(&link.name);
            total.book.add(&link.book);
        }
        for fault in &run.faults {
            let total = entry(&mut self.faults, |total| total.name == fault.name);
            total.strikes = match &total.strikes {
                None if total.name.is_empty() => Some(fault.strikes.clone()),
                Some(strikes) if *strikes == fault.strikes => Some(fault.strikes.clone()),
                _ => None,
            };
            total.name.clone_from(&fault.name);
            total.kind = fault.kind;
            total.book.add(&fault.book);
        }
    }

    /// The book of all copies.
    pub(super) fn wire(&self) -> LinkBook {
        let mut wire = LinkBook::default();
        self.links.iter().for_each(|link| wire.add(&link.book));
        wire
    }
}

/// What a flow is called above its numbers: `caller/entry → callee`, without saying the callee twice; `caller/entry` alone for whole
/// requests of several messages.
pub(super) fn heading(name: &str, callee: &str) -> String {
    if name.contains("->") {
        name.replace("->", " → ")
    } else if callee.is_empty() {
        name.to_owned()
    } else {
        format!("{name} → {callee}")
    }
}

/// The total that `is` it, or a new one.
fn entry<T: Default>(totals: &mut Vec<T>, is: impl Fn(&T) -> bool) -> &mut T {
    let index = totals.iter().position(is).unwrap_or_else(|| {
        totals.push(T::default());
        totals.len() - 1
    });
    &mut totals[index]
}

fn add_all<const N: usize>(sums: &mut [u64; N], counts: &[u64; N]) {
    sums.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
}

fn add_station(total: &mut StationBook, book: &StationBook) {
    total.nodes = total.nodes.max(book.nodes);
    total.arrived += book.arrived;
    total.served += book.served;
    add_all(&mut total.refused, &book.refused);
    add_all(&mut total.turned_away, &book.turned_away);
    total.forgotten += book.forgotten;
    total.wait.merge(&book.wait);
    total.work.merge(&book.work);
    total.residence.merge(&book.residence);
    total.waiting_seconds += book.waiting_seconds;
    total.busy_seconds += book.busy_seconds;
    total.waiting.add(&book.waiting);
    total.busy.add(&book.busy);
    total.sagas.add(&book.sagas);
    total.outbox_seconds += book.outbox_seconds;
    total.outbox_max = total.outbox_max.max(book.outbox_max);
    total.outbox_refused += book.outbox_refused;
    total.waiting_max = total.waiting_max.max(book.waiting_max);
    total.present_max = total.present_max.max(book.present_max);
    total.seconds += book.seconds;
}

impl FlowTotal {
    fn add(&mut self, book: &FlowBook, (from, to): (Time, Time)) {
        let tally = &book.total;
        self.trials.add(Trial {
            offered: tally.offered,
            correct: tally.correct,
            in_flight: tally.fate(Fate::InFlight),
        });
        self.offered += tally.offered;
        add_all(&mut self.fates, &tally.fates);
        self.correct += tally.correct;
        self.received += tally.received;
        self.confirmed += tally.confirmed;
        self.confirmed_lost += tally.confirmed_lost;
        for (&setback, count) in &book.setbacks {
            *self.setbacks.entry(setback).or_default() += count;
        }
        tally.losses.iter().for_each(|losses| self.losses.add(losses));
        self.attempts += tally.attempts;
        self.copies += tally.copies;
        self.duplicates += tally.duplicates;
        self.repeated += tally.repeated;
        self.latency.merge(&tally.latency);
        self.from_send.merge(&book.from_send);
        self.one_way.merge(&book.one_way);
        let measured = book.rates_within(from, to);
        self.sent += measured.sent;
        self.goodput += measured.goodput;
        let per_second = ratio(measured.goodput as f64, to.since(from).as_secs_f64());
        per_second.into_iter().for_each(|rate| self.of_runs.goodput.add(rate));
        let delay = if tally.latency.count() > 0 { &tally.latency } else { &book.one_way };
        delay.quantile(0.5).into_iter().for_each(|median| self.of_runs.median.add(median));
        delay.quantile(0.99).into_iter().for_each(|tail| self.of_runs.tail.add(tail));
        self.processed += measured.processed;
        self.guards.add(&book.guards_within(&[(from, to)]));
        self.step = book.step();
        for (index, rates) in book.rates.iter().enumerate() {
            let step = self.step_at(index);
            step.sent += rates.sent;
            step.goodput += rates.goodput;
            step.processed += rates.processed;
        }
        for (index, tally) in book.steps.iter().enumerate() {
            let step = self.step_at(index);
            step.offered += tally.offered;
            step.correct += tally.correct;
            step.latency.merge(&tally.latency);
        }
    }

    /// What followed the faults of a run, for its flow of this index.
    fn add_aftermath(&mut self, run: &RunResult, flow: usize) {
        for (fault, result) in run.faults.iter().enumerate() {
            if self.after.len() <= fault {
                self.after.push(FlowAftermath::of(&result.name));
            }
            run.after(fault, &[flow]).iter().for_each(|after| self.after[fault].add(after));
        }
    }

    fn step_at(&mut self, index: usize) -> &mut Step {
        if index >= self.steps.len() {
            self.steps.resize_with(index + 1, Step::default);
        }
        &mut self.steps[index]
    }

    /// As [`heading`].
    pub fn heading(&self) -> String {
        heading(&self.name, &self.callee)
    }

    /// Messages with this fate.
    pub fn fate(&self, fate: Fate) -> u64 {
        self.fates[fate as usize]
    }

    /// Events per measured second.
    pub fn rate(&self, events: u64) -> Option<f64> {
        ratio(events as f64, self.seconds)
    }

    /// A share of the messages offered, or a mean per message.
    pub fn per_message(&self, count: u64) -> Option<f64> {
        ratio(count as f64, self.offered as f64)
    }

    /// Correct / offered with its interval.
    pub fn reliability(&self) -> Option<Estimate> {
        self.trials.reliability()
    }
}

impl StationTotal {
    /// Events per measured second.
    pub fn rate(&self, events: u64) -> Option<f64> {
        ratio(events as f64, self.book.seconds)
    }

    /// A number integrated over time and nodes, as its mean at one node.
    fn mean(&self, seconds: f64) -> Option<f64> {
        ratio(seconds, self.book.seconds * f64::from(self.book.nodes))
    }

    /// The mean number waiting at a node.
    pub fn waiting_mean(&self) -> Option<f64> {
        self.mean(self.book.waiting_seconds)
    }

    /// The mean number of workers at work at a node.
    pub fn busy_mean(&self) -> Option<f64> {
        self.mean(self.book.busy_seconds)
    }

    /// The mean number present at a node.
    pub fn present_mean(&self) -> Option<f64> {
        self.mean(self.book.waiting_seconds + self.book.busy_seconds)
    }

    /// The share of the workers' time at work, where their number is limited.
    pub fn utilisation(&self) -> Option<f64> {
        ratio(self.busy_mean()?, f64::from(self.workers?))
    }

    /// Requests refused: with an answer for this reason, or, for want of room, without one.
    pub fn refused_for(&self, why: Outcome) -> u64 {
        let silent = if why == Outcome::Rejected { self.book.refused_for(Outcome::Discarded) } else { 0 };
        self.book.refused_for(why) + silent
    }

    /// Requests that the station let go unserved, with the reasons that occurred.
    pub fn turned_away(&self) -> Vec<(TurnedAway, u64)> {
        let all = TurnedAway::ALL.iter().map(|&why| (why, self.book.turned_away_for(why)));
        all.filter(|&(_, count)| count > 0).collect()
    }

    /// Requests that the station took on and that did not end well, with how they ended.
    pub fn ended_badly(&self) -> Vec<(&'static str, u64)> {
        let expired = self.book.turned_away_for(TurnedAway::ExpiredUnserved);
        let rejected = self.book.turned_away.iter().sum::<u64>() - expired;
        // A request may wait across the start of the measured time: what is left cannot be less than nothing.
        let further_on = |why, here: u64| self.refused_for(why).saturating_sub(here);
        let all = [
            ("with an error", self.book.refused_for(Outcome::Failed)),
            ("turned away further on", further_on(Outcome::Rejected, rejected)),
            ("too late further on", further_on(Outcome::Expired, expired)),
            ("taken back", self.book.refused_for(Outcome::Cancelled)),
        ];
        all.into_iter().filter(|&(_, count)| count > 0).collect()
    }
}
