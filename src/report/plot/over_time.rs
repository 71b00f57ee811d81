//! Flows over simulated time, one panel each: throughput, and latency; faults lie behind them as bands.

use crate::base::time::{Span, Time};
use crate::experiment::Results;
use crate::report::human;
use crate::report::style::clean;
use crate::report::total::{FaultTotal, FlowTotal, Step};

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::{BLUE, Colour, GREY, ORANGE, SKY, VERMILION};
use super::sheet::{HEAD, LEFT, Panel, RIGHT, sheet};

/// More panels than this are no picture.
pub(super) const MOST: usize = 6;
const PANEL: i32 = 250;
const GAP: i32 = 110;

/// What has a panel of its own.
pub(super) trait OverTime {
    /// What several of them are called.
    const NOUN: &'static str;

    /// The length of its steps, and how many there are.
    fn steps(&self) -> (Span, usize);
}

impl OverTime for FlowTotal {
    const NOUN: &'static str = "flows";

    fn steps(&self) -> (Span, usize) {
        (self.step, self.steps.len())
    }
}

/// The steps that are shown: whole ones from the first that is measured on; with how many runs lie behind them.
pub(super) struct Steps {
    pub first: usize,
    /// Messages are due before this one.
    end_of_load: usize,
    pub end: usize,
    seconds: f64,
    runs: f64,
}

impl Steps {
    fn of(results: &Results, shown: &impl OverTime) -> Self {
        let (length, all) = shown.steps();
        let step = length.as_nanos().max(1);
        let ends = results.runs.iter().map(|run| run.measured);
        let (from, to) = ends.fold((Time::MAX, Time::ZERO), |(from, to), run| (from.min(run.0), to.max(run.1)));
        let from = if from == Time::MAX { Time::ZERO } else { from };
        let (first, last) = (from.as_nanos().div_ceil(step) as usize, (to.as_nanos() / step) as usize);
        // Too short for whole steps: whatever there is.
        let whole = last.min(all) > first + 1;
        let (first, end_of_load) = if whole { (first, last.min(all)) } else { (0, all) };
        Self { first, end_of_load, end: all, seconds: length.as_secs_f64(), runs: f64::from(results.count.max(1)) }
    }

    fn start(&self, index: usize) -> f64 {
        index as f64 * self.seconds
    }

    fn span(&self) -> (f64, f64) {
        (self.start(self.first), self.start(self.end))
    }

    /// Values at the middle of their steps.
    pub fn points<'a>(
        &'a self,
        end: usize,
        value: impl Fn(usize) -> Option<f64> + 'a,
    ) -> impl Iterator<Item = (f64, Option<f64>)> + 'a {
        (self.first..end).map(move |index| (self.start(index) + self.seconds / 2.0, value(index)))
    }
}

/// A sheet with a panel for each of these, one below the other.
pub(super) fn panels<T: OverTime>(
    results: &Results,
    all: &[&T],
    title: &str,
    legend: &[(&str, Colour)],
    faults: &[FaultTotal],
    mut draw: impl FnMut(&mut Canvas, &T, &Steps, (i32, i32), Axis) -> Panel,
) -> Option<Canvas> {
    if all.is_empty() {
        return None;
    }
    let shown = &all[..all.len().min(MOST)];
    let height = HEAD + shown.len() as i32 * (PANEL + GAP) + 60;
    let legend = legend.iter().map(|&(name, colour)| (name.to_owned(), colour));
    let legend: Vec<_> = legend.chain(bands::legend(faults)).collect();
    let mut canvas = sheet(results, height, title, &legend, (all.len() - shown.len(), T::NOUN));
    // One horizontal axis for all, so that panels can be compared.
    let spans = shown.iter().map(|one| Steps::of(results, *one).span());
    let (from, to) = spans.fold((f64::MAX, 0.0_f64), |(from, to), span| (from.min(span.0), to.max(span.1)));
    for (index, one) in shown.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let x = Axis::seconds(from, to, (LEFT, RIGHT), 10);
        let panel = draw(&mut canvas, one, &Steps::of(results, *one), (top, top + PANEL), x);
        if index + 1 == shown.len() {
            panel.below(&mut canvas, "simulated time");
        }
    }
    Some(canvas)
}

/// A time on the horizontal axis.
pub(super) fn seconds(seconds: f64) -> String {
    human::time(libm::round(seconds * 1e9))
}

pub(super) fn throughput(results: &Results, flows: &[FlowTotal], faults: &[FaultTotal]) -> Option<Canvas> {
    let flows: Vec<&FlowTotal> = flows.iter().filter(|flow| !flow.steps.is_empty()).collect();
    // What receivers handled is drawn only where it is not what succeeded: an answer on its way makes no difference.
    let differs = |flow: &FlowTotal| {
        let sum = |count: fn(&Step) -> u64| flow.steps.iter().map(count).sum::<u64>() as f64;
        sum(|step| step.processed) > 1.01 * sum(|step| step.goodput)
    };
    let mut legend = vec![("offered", GREY), ("sent, retries included", ORANGE), ("goodput", BLUE)];
    if flows.iter().take(MOST).any(|flow| differs(flow)) {
        legend.push(("processed", SKY));
    }
    panels(results, &flows, "Throughput over time", &legend, faults, |canvas, flow, steps, (top, bottom), x| {
        let rate = |count: u64| Some(count as f64 / steps.runs / steps.seconds);
        let shown = &flow.steps[steps.first..];
        let most = shown
            .iter()
            .map(|step| step.offered.max(step.sent).max(step.goodput).max(step.processed))
            .max()
            .unwrap_or(0);
        let y = Axis::from_zero(rate(most).unwrap_or(1.0), (bottom, top), 4);
        let panel = Panel { top, bottom, x, y };
        bands::draw(canvas, &panel, faults);
        let heading = format!("{} — messages per second", clean(&flow.heading(), 120));
        panel.frame(canvas, &heading, seconds, human::number);
        panel.line(canvas, steps.points(steps.end_of_load, |index| rate(flow.steps[index].offered)), GREY, 8);
        panel.line(canvas, steps.points(steps.end, |index| rate(flow.steps[index].sent)), ORANGE, 4);
        if differs(flow) {
            panel.line(canvas, steps.points(steps.end, |index| rate(flow.steps[index].processed)), SKY, 2);
        }
        panel.line(canvas, steps.points(steps.end, |index| rate(flow.steps[index].goodput)), BLUE, 4);
        panel
    })
}

pub(super) fn latency(results: &Results, flows: &[FlowTotal], faults: &[FaultTotal]) -> Option<Canvas> {
    let flows: Vec<&FlowTotal> = flows.iter().filter(|flow| flow.latency.count() > 0).collect();
    let legend = [("p50", BLUE), ("p99", VERMILION)];
    let title = "Latency of confirmed messages over time, by when they were due";
    panels(results, &flows, title, &legend, faults, |canvas, flow, steps, (top, bottom), x| {
        let at = |index: usize, p| flow.steps[index].latency.quantile(p);
        let values = (steps.first..steps.end_of_load).flat_map(|index| [at(index, 0.5), at(index, 0.99)]).flatten();
        let (min, max) = values.fold((f64::MAX, 0.0_f64), |(min, max), value| (min.min(value), max.max(value)));
        let y = Axis::log(min.min(max), max, (bottom, top));
        let panel = Panel { top, bottom, x, y };
        bands::draw(canvas, &panel, faults);
        let heading = format!("{} — time until confirmed (log scale)", clean(&flow.heading(), 120));
        panel.frame(canvas, &heading, seconds, human::time);
        for (p, colour) in [(0.99, VERMILION), (0.5, BLUE)] {
            panel.line(canvas, steps.points(steps.end_of_load, |index| at(index, p)), colour, 4);
        }
        panel
    })
}
