//! Flows over simulated time, one panel each: throughput, and latency.

use crate::report::human;
use crate::report::stored::{Flow, FlowStep, Run};
use crate::report::style::clean;

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::{BLUE, Colour, GREEN, GREY, ORANGE, PURPLE, SKY, VERMILION};
use super::over_time::{MOST, Shown, Window, panels, points, seconds};

/// So many messages must come out right in a step for a percentile beyond all but a thousandth of them.
const ENOUGH: u64 = 1_000;

/// The first flows that are `wanted`, and how many others are.
fn shown(run: &Run, wanted: impl Fn(&Flow) -> bool) -> (Vec<Shown<'_, &Flow, FlowStep>>, usize) {
    let flows = run.summary.flows().iter().filter(|flow| wanted(flow));
    let all = flows.filter_map(|flow| {
        let series = run.flows.iter().find(|series| series.name == flow.name)?;
        Some(Shown { what: flow, series, window: Window::of(&run.summary, series) })
    });
    let mut all: Vec<_> = all.collect();
    let left_out = all.len().saturating_sub(MOST);
    all.truncate(MOST);
    (all, left_out)
}

pub(super) fn throughput(run: &Run) -> Option<Canvas> {
    let (shown, left_out) = shown(run, |_| true);
    // What receivers handled is drawn only where it is not what succeeded: an answer on its way makes no difference.
    let differs = |flow: &Shown<'_, &Flow, FlowStep>| {
        let sum =
            |count: fn(&FlowStep) -> u64| flow.series.steps.iter().map(|(_, step)| count(step)).sum::<u64>() as f64;
        sum(|step| step.processed) > 1.01 * sum(|step| step.goodput)
    };
    let mut legend = vec![("offered", GREY), ("sent, retries included", ORANGE), ("goodput", BLUE)];
    if shown.iter().any(differs) {
        legend.push(("processed", SKY));
    }
    let runs = f64::from(run.summary.runs_played.max(1));
    panels(run, &shown, (left_out, "flows"), "Throughput over time", &legend, |canvas, flow, room| {
        let (series, window) = (flow.series, flow.window);
        let rate = |count: u64| Some(count as f64 / runs / series.length);
        let counts = series.steps[window.all()]
            .iter()
            .flat_map(|(_, step)| [step.offered, step.sent, step.goodput, step.processed]);
        let most = counts.max().and_then(rate).unwrap_or(1.0);
        let panel = room.panel(|places| Axis::from_zero(most, places, 4));
        bands::draw(canvas, &panel, run.summary.faults());
        let heading = format!("{} — messages per second", clean(&flow.what.heading(), 120));
        panel.frame(canvas, &heading, seconds, human::number);
        panel.line(canvas, points(series, window.load(), |step| rate(step.offered)), GREY, 8);
        panel.line(canvas, points(series, window.all(), |step| rate(step.sent)), ORANGE, 4);
        if differs(flow) {
            panel.line(canvas, points(series, window.all(), |step| rate(step.processed)), SKY, 2);
        }
        panel.line(canvas, points(series, window.all(), |step| rate(step.goodput)), BLUE, 4);
        panel
    })
}

/// A percentile, its colour, and where it stands in a step.
type Percentile = (&'static str, Colour, fn(&FlowStep) -> Option<u64>);

const PERCENTILES: [Percentile; 4] = [
    ("p50", BLUE, |step| step.p50),
    ("p90", GREEN, |step| step.p90),
    ("p99", VERMILION, |step| step.p99),
    ("p99.9", PURPLE, |step| step.p999.filter(|_| step.correct >= ENOUGH)),
];

pub(super) fn latency(run: &Run) -> Option<Canvas> {
    let (shown, left_out) = shown(run, |flow| flow.count("latency") > 0);
    let is_known = |of: fn(&FlowStep) -> Option<u64>| {
        shown.iter().any(|flow| flow.series.steps[flow.window.load()].iter().any(|(_, step)| of(step).is_some()))
    };
    let known: Vec<Percentile> = PERCENTILES.into_iter().filter(|(.., of)| is_known(*of)).collect();
    let legend: Vec<_> = known.iter().map(|&(name, colour, _)| (name, colour)).collect();
    let title = "Latency of confirmed messages over time, by when they were due";
    panels(run, &shown, (left_out, "flows"), title, &legend, |canvas, flow, room| {
        let (series, steps) = (flow.series, flow.window.load());
        let values =
            series.steps[steps.clone()].iter().flat_map(|(_, step)| known.iter().filter_map(|(.., of)| of(step)));
        let (min, max) = values.fold((u64::MAX, 0), |(min, max), value| (min.min(value), max.max(value)));
        let panel = room.panel(|places| Axis::log(min.min(max) as f64, max as f64, places));
        bands::draw(canvas, &panel, run.summary.faults());
        let heading = format!("{} — time until confirmed (log scale)", clean(&flow.what.heading(), 120));
        panel.frame(canvas, &heading, seconds, human::time);
        for &(_, colour, of) in known.iter().rev() {
            let time = |step: &FlowStep| of(step).map(|nanos| nanos as f64);
            panel.line(canvas, points(series, steps.clone(), time), colour, 4);
        }
        panel
    })
}
