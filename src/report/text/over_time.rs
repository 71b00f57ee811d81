//! What clients saw over time, and below it, on the same axis, when faults struck.

use crate::experiment::Results;
use crate::report::human;
use crate::report::style::{Role, Style, clean, left};
use crate::report::timeline::{Timeline, largest};
use crate::report::total::{FaultTotal, Total};

/// The widest name, and the narrowest line of cells beside it.
const NAME: (usize, usize) = (24, 8);
const KIND: usize = 7;
/// ` max 12.3k/s`, and how wide a summary has to be for it.
const SCALE: (usize, usize) = (14, 60);
/// So many faults are shown.
const FAULTS: usize = 12;

/// Sparklines of goodput and latency for each flow of a client, marks for each fault, and the axis.
pub(super) fn lines(results: &Results, total: &Total, style: Style) -> Vec<String> {
    let flows: Vec<_> = total.flows.iter().filter(|flow| flow.is_client && flow.offered > 0).collect();
    let names = flows.iter().map(|flow| &flow.name).chain(total.faults.iter().map(|fault| &fault.name));
    let most = NAME.0.min(style.width / 5).max(NAME.1);
    let name = names.map(|name| crate::report::style::size(name).min(most)).max().unwrap_or(0).max(8);
    let scale = if style.width < SCALE.1 { 0 } else { SCALE.0 };
    let margin = 2 + name + 2 + KIND + 2;
    let room = style.width.saturating_sub(margin + scale);
    let Some(time) = Timeline::of(flows.iter().copied(), room) else { return Vec::new() };
    let row = |first: &str, kind: &str, cells: &str| format!("  {}  {}  {cells}", left(first, name), left(kind, KIND));
    let step = human::time(time.cell().as_nanos() as f64);
    let about = format!("in steps of {step}; heights are from zero to the largest");
    let mut lines = vec![format!("{}  {}", style.paint(Role::Heading, "Over time"), style.paint(Role::Quiet, &about))];
    let spark = |cells: &[Option<f64>], role, written: fn(f64) -> String| {
        let line = left(&time.sparkline(cells), time.width());
        let most = largest(cells).filter(|_| scale > 0).map(|most| format!("  max {}", written(most)));
        style.paint(role, &line) + &style.paint(Role::Quiet, &most.unwrap_or_default())
    };
    for flow in flows {
        let (goodput, tail) = (time.goodput(flow, results.count), time.tail(flow));
        lines.push(row(&clean(&flow.name, name), "goodput", &spark(&goodput, Role::Good, human::rate)));
        if largest(&tail).is_some() {
            lines.push(row("", "p99", &spark(&tail, Role::Bar, human::time)));
        }
    }
    for fault in total.faults.iter().take(FAULTS) {
        let marks = match marks(fault, &time) {
            Ok(marks) => style.paint(Role::Unsure, &marks),
            Err(why) => style.paint(Role::Quiet, why),
        };
        lines.push(row(&clean(&fault.name, name), &clean(fault.kind, KIND), &marks));
    }
    if total.faults.len() > FAULTS {
        lines.push(format!("  … {} more faults", total.faults.len() - FAULTS));
    }
    if let Some(run) = results.runs.first() {
        let (from, to) = run.measured;
        let measured = time.strikes(&[(from, Some(to))]);
        lines.push(style.paint(Role::Quiet, &row("measured", "", &measured)));
    }
    let end = human::time(time.end().as_nanos() as f64);
    let axis = format!("0s{end:>width$}", width = time.width().saturating_sub(2));
    lines.push(style.paint(Role::Quiet, &row("", "", &axis)));
    lines
}

/// Where a fault stands on the axis, or why it does not.
fn marks(fault: &FaultTotal, time: &Timeline) -> Result<String, &'static str> {
    match fault.strikes.as_deref() {
        None => Err("at other times in each run"),
        Some([]) => Err("never struck"),
        Some(strikes) => Ok(time.strikes(strikes)),
    }
}
