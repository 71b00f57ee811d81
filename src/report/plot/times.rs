//! The times of a run's messages, as shares: of which flow which times are drawn, in all plots of them.

use crate::report::stored::{Flow, Latencies, Run};
use crate::report::style::clean;

use super::colour::LINES;

/// The times of a flow.
pub(super) struct Curve {
    pub name: String,
    /// Nanoseconds, and the share of the messages offered that are known to be no slower.
    pub points: Vec<(f64, f64)>,
    /// How many messages were offered.
    pub offered: u64,
}

/// The curves of the first flows that have any, and how many others have.
pub(super) fn curves(run: &Run) -> (Vec<Curve>, usize) {
    let mut all: Vec<_> = run.summary.flows().iter().filter_map(|flow| curve(run, flow)).collect();
    let left_out = all.len().saturating_sub(LINES.len());
    all.truncate(LINES.len());
    (all, left_out)
}

/// The shortest and the longest time of these.
pub(super) fn span(curves: &[Curve]) -> Option<(f64, f64)> {
    let times = || curves.iter().flat_map(|curve| curve.points.iter().map(|(time, _)| *time));
    let span = (times().fold(f64::MAX, f64::min), times().fold(0.0, f64::max));
    (span.0 <= span.1).then_some(span)
}

/// What a flow's owner sees, or where nothing is ever confirmed, what its receiver does.
fn curve(run: &Run, flow: &Flow) -> Option<Curve> {
    let is_it = |metric: &'static str| {
        move |known: &&Latencies| known.flow == flow.name && known.metric == metric && !known.points.is_empty()
    };
    let find = |metric| run.latencies.iter().find(is_it(metric));
    let (name, offered) = (clean(&flow.name, 60), flow.count("offered"));
    if let Some(seen) = find("latency-all") {
        return Some(Curve { name, points: seen.points.clone(), offered });
    }
    // These are shares of what was received.
    let received = find("latency-one-way")?;
    let share = flow.count("latency-one-way") as f64 / offered.max(1) as f64;
    let points = received.points.iter().map(|&(time, of_received)| (time, of_received * share)).collect();
    Some(Curve { name: format!("{name} (received)"), points, offered })
}
