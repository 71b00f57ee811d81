//! What guards did: which of them, between whom, how often.

use crate::metrics::GuardCounts;
use crate::report::human;
use crate::report::style::{Role, Style, clean, left, size};
use crate::report::total::FlowTotal;

use super::table::table;

/// One row for each caller, callee and guard that did something.
pub(super) fn lines(flows: &[FlowTotal], style: Style) -> Vec<String> {
    let mut pairs: Vec<(&str, &str, f64, GuardCounts)> = Vec::new();
    for flow in flows {
        let known = pairs.iter_mut().find(|(caller, callee, ..)| (*caller, *callee) == (&flow.caller, &flow.callee));
        match known {
            Some((.., sum)) => sum.add(&flow.guards),
            None => pairs.push((&flow.caller, &flow.callee, flow.seconds, flow.guards)),
        }
    }
    let mut rows = Vec::new();
    for (caller, callee, seconds, counts) in pairs {
        let mut name = format!("{} → {}", clean(caller, 24), clean(callee, 24));
        for (fact, count) in counts.done() {
            let rate = human::ratio(count as f64, seconds).map_or_else(|| human::NOTHING.into(), human::rate);
            rows.push(vec![std::mem::take(&mut name), fact.name().into(), human::count(count), rate]);
        }
    }
    if rows.is_empty() {
        return Vec::new();
    }
    // Names to the left, as the first column.
    let width = rows.iter().map(|row| size(&row[1])).max().unwrap_or(0);
    rows.iter_mut().for_each(|row| row[1] = left(&row[1], width));
    let about = "how often they did what while it was measured; `explain NAME` tells more";
    let mut lines = vec![format!("{}  {}", style.paint(Role::Heading, "Guards"), style.paint(Role::Quiet, about))];
    lines.extend(table(
        vec!["between".into(), format!("{:<width$}", "what"), "times".into(), "per second".into()],
        rows,
        style,
    ));
    lines
}
