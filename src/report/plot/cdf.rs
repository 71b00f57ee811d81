//! How long messages take: the share confirmed within a time. Messages never confirmed keep a curve below one.

use crate::experiment::Results;
use crate::metrics::Histogram;
use crate::report::style::clean;
use crate::report::total::FlowTotal;
use crate::report::{curves, human};

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::LINES;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, sheet};

/// The slots of a histogram lie this close; the eye sees no steps.
const NEXT: f64 = 1.004;
const HEIGHT: i32 = 1_080;

pub(super) fn plot(results: &Results, flows: &[FlowTotal]) -> Option<Canvas> {
    let seen: Vec<(String, &Histogram, u64)> = flows.iter().filter_map(curve).collect();
    let shown = &seen[..seen.len().min(LINES.len())];
    let min = shown.iter().filter_map(|(_, histogram, _)| histogram.min()).min()?;
    let max = shown.iter().filter_map(|(_, histogram, _)| histogram.max()).max()?;
    let legend: Vec<_> = shown.iter().zip(LINES).map(|((name, ..), colour)| (name.clone(), colour)).collect();
    let title = "Share of messages confirmed within a time";
    let mut canvas = sheet(results, HEIGHT, title, &legend, (seen.len() - shown.len(), "flows"));
    let (top, bottom) = (HEAD + 40, HEIGHT - 110);
    let panel = Panel {
        top,
        bottom,
        x: Axis::log(min.as_nanos() as f64, max.as_nanos() as f64, (LEFT, RIGHT)),
        y: Axis::from_zero(1.0, (bottom, top), 5),
    };
    panel.frame(&mut canvas, "share of messages", human::time, |share| format!("{:.0}%", share * 100.0));
    panel.below(&mut canvas, "time since the message was due (log scale)");
    // The first flow lies on top.
    for ((_, histogram, population), colour) in shown.iter().zip(LINES).rev() {
        let mut last = 0.0;
        let mut points = Vec::new();
        for (value, share) in curves::cdf(histogram, *population, NEXT) {
            points.extend([(value, Some(last)), (value, Some(share))]);
            last = share;
        }
        points.push((f64::MAX, Some(last)));
        panel.line(&mut canvas, points.into_iter(), colour, 4);
    }
    Some(canvas)
}

/// What a flow's owner sees, or where nothing is ever confirmed, what its receiver does.
fn curve(flow: &FlowTotal) -> Option<(String, &Histogram, u64)> {
    let name = clean(&flow.name, 60);
    if flow.latency.count() > 0 {
        Some((name, &flow.latency, flow.offered))
    } else if flow.one_way.count() > 0 {
        Some((format!("{name} (received)"), &flow.one_way, flow.offered))
    } else {
        None
    }
}
