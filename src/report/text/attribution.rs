//! What latency is made of, flow by flow, and why messages did not end well.

use crate::experiment::Results;
use crate::metrics::Fate;
use crate::metrics::story::{FlowAttribution, Part, Slice};
use crate::report::attribution::{mean, of, share};
use crate::report::human;
use crate::report::style::{Role, Style, clean};
use crate::report::total::FlowTotal;

use super::table::{columns, table};

/// What has less than this share at every point is put together.
const LEAST: f64 = 0.01;

/// The most rows of a flow.
const ROWS: usize = 8;

/// The most rows of causes.
const CAUSES: usize = 12;

/// A table for each flow, in the order of these: the points of its latency, and what they are made of.
pub(super) fn lines(results: &Results, told: &[&FlowTotal], style: Style) -> Vec<String> {
    let Some((attribution, names)) = of(results) else { return Vec::new() };
    if attribution.flows.is_empty() {
        return Vec::new();
    }
    let run = match results.runs.first().map(|run| run.run) {
        None | Some(0) => "the first run".to_owned(),
        Some(run) => format!("run {run}"),
    };
    let among = match attribution.one_in {
        1 => format!("of {run}, around each point"),
        one_in => format!("of one in {one_in} messages of {run}, around each point"),
    };
    let heading = style.paint(Role::Heading, "What latency is made of");
    let mut lines = vec![format!("{heading}  {}", style.paint(Role::Quiet, &among))];
    let name = |flow: &FlowAttribution| names[usize::from(flow.flow.0)].as_str();
    let mut flows: Vec<_> = attribution.flows.iter().collect();
    flows.sort_by_key(|flow| told.iter().position(|one| one.name == name(flow)));
    for flow in flows {
        let mut rows = rows(flow, &clean(name(flow), 40));
        let header = rows.remove(0);
        lines.extend(table(header, rows, style));
    }
    lines
}

fn rows(flow: &FlowAttribution, name: &str) -> Vec<Vec<String>> {
    let header = |point: &str| vec![point.to_owned()];
    let points = &flow.points;
    let mut rows = vec![header(name), header("latency")];
    for point in points {
        rows[0].push(point.name.into());
        rows[1].push(human::time(mean(point, point.time.as_nanos())));
    }
    // Every part that occurs at some point, by its largest share.
    let mut parts: Vec<(f64, &Slice)> = Vec::new();
    for point in points {
        for slice in &point.slices {
            let share = share(point, slice.time.as_nanos());
            match parts.iter_mut().find(|(_, known)| is_same(known, slice)) {
                Some((largest, _)) => *largest = largest.max(share),
                None => parts.push((share, slice)),
            }
        }
    }
    parts.sort_by(|one, other| other.0.total_cmp(&one.0));
    let shown = parts.iter().filter(|(largest, _)| *largest >= LEAST).take(ROWS).count();
    for (_, part) in &parts[..shown] {
        let at = if part.part == Part::Link { "to" } else { "at" };
        let mut row = vec![format!("{} {at} {}", part.part.name(), clean(&part.place, 24))];
        for point in points {
            let found = point.slices.iter().find(|slice| is_same(slice, part));
            row.push(found.map_or_else(String::new, |slice| human::share(share(point, slice.time.as_nanos()))));
        }
        rows.push(row);
    }
    if shown < parts.len() {
        let mut row = vec!["all else".to_owned()];
        for point in points {
            let rest = point.slices.iter().filter(|slice| parts[shown..].iter().any(|(_, part)| is_same(part, slice)));
            row.push(human::share(share(point, rest.map(|slice| slice.time.as_nanos()).sum())));
        }
        rows.push(row);
    }
    rows
}

fn is_same(one: &Slice, other: &Slice) -> bool {
    (one.part, &one.place) == (other.part, &other.place)
}

/// Why messages did not end well, most frequent first.
pub(super) fn causes(flows: &[FlowTotal], style: Style) -> Vec<String> {
    let of_flow = |flow: &FlowTotal| -> Vec<_> {
        let all = flow.setbacks.iter().filter(|((fate, _), _)| *fate != Fate::InFlight);
        all.map(|(&(fate, setback), &count)| (count, flow.name.clone(), fate, setback)).collect()
    };
    let mut all: Vec<_> = flows.iter().flat_map(of_flow).collect();
    if all.is_empty() {
        return Vec::new();
    }
    all.sort_by_key(|&(count, ..)| std::cmp::Reverse(count));
    let is_one = flows.len() == 1;
    let rows: Vec<Vec<String>> = all
        .iter()
        .take(CAUSES)
        .map(|(count, flow, fate, _)| {
            let mut row = vec![if is_one { String::new() } else { clean(flow, 28) }];
            row.extend([human::count(*count), fate.name().into()]);
            row
        })
        .collect();
    let mut lines = vec![style.paint(Role::Heading, "Why messages did not end well")];
    for (row, (.., setback)) in columns(&rows).into_iter().zip(&all) {
        lines.push(format!("{row}  {}", style.paint(Role::Quiet, &setback.meaning())));
    }
    if all.len() > CAUSES {
        lines.push(style.paint(Role::Quiet, &format!("  and {} more, in lost.csv", all.len() - CAUSES)));
    }
    lines
}
