//! What clients saw over time, and below it, on the same axis, when faults struck.

use crate::experiment::Results;
use crate::report::human;
use crate::report::style::{Role, Style, clean, left, size};
use crate::report::timeline::{Ends, Timeline, largest};
use crate::report::total::{FaultTotal, Total};

/// Names take a fifth of the width, and never less or more than this.
const NAME: (usize, usize) = (8, 24);
/// `goodput`, and the longest kinds of faults: `partition`, `duplicate`, `bandwidth`.
const KIND: (usize, usize) = (7, 9);
/// `  max 12.3k/s`, and how wide a summary has to be for it.
const SCALE: (usize, usize) = (14, 60);
/// So many faults are shown.
const FAULTS: usize = 12;

/// Sparklines of goodput and latency for each flow of a client, marks for each fault, and the axis.
pub(super) fn lines(results: &Results, total: &Total, style: Style) -> Vec<String> {
    let flows: Vec<_> = total.flows.iter().filter(|flow| flow.is_client && flow.offered > 0).collect();
    let faults = &total.faults[..total.faults.len().min(FAULTS)];
    let names = flows.iter().map(|flow| flow.name.as_str()).chain(faults.iter().map(|fault| fault.name.as_str()));
    let kinds = faults.iter().map(|fault| fault.kind);
    let margin = Margin::of(names.chain(["measured"]), kinds, style);
    let Some(time) = Timeline::of(flows.iter().copied(), Ends::of(results), margin.room()) else { return Vec::new() };
    let step = human::time(time.cell().as_nanos() as f64);
    let about = format!("in steps of {step}; heights are from zero to the largest");
    let mut lines = vec![format!("{}  {}", style.paint(Role::Heading, "Over time"), style.paint(Role::Quiet, &about))];
    let spark = |cells: &[Option<f64>], role, written: fn(f64) -> String| {
        let line = style.paint(role, &left(&time.sparkline(cells), time.width()));
        let most = largest(cells).filter(|_| margin.scale > 0).map(|most| format!("  max {}", written(most)));
        line + &style.paint(Role::Quiet, &most.unwrap_or_default())
    };
    for flow in flows {
        let (goodput, tail) = (time.goodput(flow, results.count), time.tail(flow));
        lines.push(margin.row(&flow.name, "goodput", &spark(&goodput, Role::Good, human::rate)));
        if largest(&tail).is_some() {
            lines.push(margin.row("", "p99", &spark(&tail, Role::Bar, human::time)));
        }
    }
    lines.extend(faults.iter().map(|fault| margin.row(&fault.name, fault.kind, &marks(fault, &time, style))));
    if total.faults.len() > FAULTS {
        lines.push(format!("  … {} more faults", total.faults.len() - FAULTS));
    }
    if let Some(run) = results.runs.first() {
        let (from, to) = run.measured;
        lines.push(style.paint(Role::Quiet, &margin.row("measured", "", &time.strikes(&[(from, Some(to))]))));
    }
    let end = human::time(time.end().as_nanos() as f64);
    let axis = format!("0s{end:>width$}", width = time.width().saturating_sub(2));
    lines.push(style.paint(Role::Quiet, &margin.row("", "", &axis)));
    lines
}

/// Where a fault stands on the axis, or why it does not.
fn marks(fault: &FaultTotal, time: &Timeline, style: Style) -> String {
    match fault.strikes.as_deref() {
        None => style.paint(Role::Quiet, "at other times in each run"),
        Some([]) => style.paint(Role::Quiet, "never struck"),
        Some(strikes) => style.paint(Role::Unsure, &time.strikes(strikes)),
    }
}

/// What stands beside the cells: to the left a name and what is shown of it, to the right the scale.
struct Margin {
    name: usize,
    kind: usize,
    scale: usize,
    width: usize,
}

impl Margin {
    fn of<'a>(names: impl Iterator<Item = &'a str>, kinds: impl Iterator<Item = &'a str>, style: Style) -> Self {
        let width = style.width;
        let (name, kind) = (names.map(size).max().unwrap_or(0), kinds.map(size).max().unwrap_or(0));
        let name = name.min((width / 5).clamp(NAME.0, NAME.1)).max(NAME.0);
        let is_wide = width >= SCALE.1;
        let kind = if is_wide { kind.clamp(KIND.0, KIND.1) } else { KIND.0 };
        Self { name, kind, scale: if is_wide { SCALE.0 } else { 0 }, width }
    }

    /// The columns that are left.
    fn room(&self) -> usize {
        self.width.saturating_sub(2 + self.name + 2 + self.kind + 2 + self.scale)
    }

    fn row(&self, name: &str, kind: &str, cells: &str) -> String {
        let (name, kind) = (left(&clean(name, self.name), self.name), left(&clean(kind, self.kind), self.kind));
        format!("  {name}  {kind}  {cells}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::fixture;

    /// The outage of the fixture is from 8 s to 11 s; 20 s of load and 0.4 s of drain are 51 cells of 400 ms. It is measured from 2 s on.
    #[test]
    fn faults_stand_below_what_happened_when_they_struck() {
        let results = fixture::exchange();
        let lines = lines(&results, &Total::of(&results.runs), Style::PLAIN);
        let cells = |name: &str| {
            let line = lines.iter().find(|line| line.contains(name)).expect("there is a line");
            line.chars().skip(2 + 12 + 2 + 7 + 2).collect::<String>()
        };
        let column = |cells: &str, sign| cells.chars().position(|c| c == sign);
        assert_eq!(
            (column(&cells("outage"), '├'), column(&cells("outage"), '┤')),
            (Some(8_000 / 400), Some(10_999 / 400))
        );
        assert_eq!(column(&cells("measured"), '├'), Some(2_000 / 400));
        assert_eq!(cells("0s").trim_end().chars().count(), 51);
        assert!(cells("goodput").starts_with(['▇', '█']), "{lines:?}");
    }

    #[test]
    fn faults_that_cannot_be_shown_say_why() {
        let results = fixture::exchange();
        let mut total = Total::of(&results.runs);
        let said = |strikes, total: &mut Total| {
            total.faults[0].strikes = strikes;
            lines(&results, total, Style::PLAIN).into_iter().find(|line| line.contains("outage")).expect("it is named")
        };
        assert!(said(None, &mut total).ends_with("at other times in each run"));
        assert!(said(Some(Vec::new()), &mut total).ends_with("never struck"));
    }
}
