//! What followed the faults: who noticed, got around, recovered, and what it cost.

use crate::report::aftermath::Values;
use crate::report::human;
use crate::report::style::{Role, Style, clean};
use crate::report::total::FlowTotal;

use super::table::{ranked, words};

/// One row for each fault and client flow, in the order of the faults.
pub(super) fn lines(flows: &[FlowTotal], style: Style) -> Vec<String> {
    let clients: Vec<_> = flows.iter().filter(|flow| flow.is_client).collect();
    let Some(first) = clients.first() else { return Vec::new() };
    let mut rows = Vec::new();
    for fault in 0..first.after.len() {
        for flow in &clients {
            let after = &flow.after[fault];
            if after.strikes == 0 {
                continue;
            }
            let mut cells = vec![clean(&after.fault, 20), clean(&flow.name, 28)];
            cells.extend([after.detect, after.failover, after.recovery].map(time));
            let lost = after.goodput_lost.mean().unwrap_or(0.0);
            cells.push(human::count((lost + 0.5) as u64));
            rows.push(cells);
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    let about = "a mean over all strikes: until noticed, got around, and, once healed, as before";
    let mut lines =
        vec![format!("{}  {}", style.paint(Role::Heading, "After the faults"), style.paint(Role::Quiet, about))];
    let header = words(&["fault", "flow", "detect", "failover", "recovery", "goodput lost"]);
    lines.extend(ranked(header, rows, &[2, 5, 3], style));
    lines
}

fn time(values: Values) -> String {
    match values.mean() {
        None => human::NOTHING.into(),
        Some(mean) if mean.is_infinite() => human::FOREVER.into(),
        Some(mean) => human::time(mean),
    }
}
