//! A flow in three lines.

use crate::experiment::Results;
use crate::report::human;
use crate::report::style::{Role, Style, clean, left, size};
use crate::report::timeline::{Ends, Timeline};
use crate::report::total::FlowTotal;

use super::flow;

/// The widest sparkline, and the narrowest.
const SPARK: (usize, usize) = (60, 8);

/// How reliable it is; goodput and latency, each beside its course over time.
pub(super) fn lines(flow: &FlowTotal, results: &Results, style: Style) -> Vec<String> {
    let name = flow.heading();
    if flow.offered == 0 {
        let name = style.paint(Role::Heading, &clean(&name, style.width));
        return vec![name, "  nothing was offered while it was measured".into()];
    }
    let (share, ends) = flow::reliability(flow);
    let about = [format!("reliability {share}  {ends}"), format!("reliability {share}")];
    let room = |about: &String| style.width.saturating_sub(size(about.trim_end()) + 2);
    let about = if room(&about[0]) >= size(&name).min(16) { &about[0] } else { &about[1] };
    let heading = style.paint(Role::Heading, &clean(&name, room(about)));
    let mut lines = vec![format!("{heading}  {about}")];
    let goodput = flow.rate(flow.goodput).map_or_else(|| human::NOTHING.into(), human::rate);
    let (what, histogram) = flow::delay(flow);
    let at = |p| histogram.quantile(p).map_or_else(|| human::NOTHING.into(), human::time);
    let latency = format!("p50 {}  p99 {}", left(&at(0.5), 6), left(&at(0.99), 6));
    let width = size(&latency);
    let time = Timeline::of([flow], Ends::of(results), style.width.saturating_sub(2 + 8 + 2 + width + 2).min(SPARK.0));
    let time = time.filter(|time| time.width() >= SPARK.1);
    let spark = |role, cells: &dyn Fn(&Timeline) -> Vec<Option<f64>>| {
        let line = time.as_ref().map(|time| time.sparkline(&cells(time)));
        style.paint(role, &line.unwrap_or_default())
    };
    let row = |name: &str, value: &str, spark: String| format!("  {}  {}  {spark}", left(name, 8), left(value, width));
    lines.push(row("goodput", &goodput, spark(Role::Good, &|time| time.goodput(flow, results.count))));
    lines.push(row(what, &latency, spark(Role::Bar, &|time| time.tail(flow))));
    lines
}
