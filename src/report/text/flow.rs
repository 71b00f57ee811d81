//! One flow: headline, ladder, and where its messages went.

use crate::experiment::Moments;
use crate::metrics::{Fate, Histogram};
use crate::report::bars::bar;
use crate::report::human;
use crate::report::style::{Role, Style, clean, left, right, size};
use crate::report::total::FlowTotal;

use super::ladder;
use super::wrap::{self, beside};

/// The longest names: `reliability`, `latency p99`.
const NAME: usize = 11;
/// The longest value, `99.9999%`, and a space.
const VALUE: usize = 9;
/// A bar at its longest, and no bar that is shorter.
const BAR: (usize, usize) = (40, 8);

pub(super) fn lines(flow: &FlowTotal, runs: u32, style: Style) -> Vec<String> {
    let time = human::time(flow.seconds * 1e9);
    let over = if runs > 1 { format!("{time} over {runs} runs") } else { time };
    let noun = if flow.offered == 1 { "message" } else { "messages" };
    let about = format!("{} {noun} in {over}", human::count(flow.offered));
    let heading = style.paint(Role::Heading, &clean(&flow.heading(), 68));
    let mut lines = vec![format!("{heading}  {}", style.paint(Role::Quiet, &about))];
    if flow.offered == 0 {
        lines.push("  nothing was offered while it was measured".into());
        return lines;
    }
    lines.extend(headline(flow, style));
    lines.push(String::new());
    lines.extend(counts(flow, style));
    let ladder = ladder::lines(flow, style);
    if !ladder.is_empty() {
        lines.push(String::new());
        lines.extend(ladder);
    }
    lines.push(String::new());
    lines.extend(fates(flow, style));
    lines
}

/// The share that came out right, and its interval.
pub(super) fn reliability(flow: &FlowTotal) -> (String, String) {
    flow.reliability().map_or_else(
        || (human::NOTHING.into(), String::new()),
        |estimate| (human::share(estimate.share), human::shares(&[estimate.low, estimate.high]).join(" – ")),
    )
}

/// What its owner sees of time: until confirmed, or the way one way where nothing is ever confirmed.
pub(super) fn delay(flow: &FlowTotal) -> (&'static str, &Histogram) {
    if flow.latency.count() > 0 { ("latency", &flow.latency) } else { ("one-way", &flow.one_way) }
}

/// What matters most, and how sure it is.
fn headline(flow: &FlowTotal, style: Style) -> Vec<String> {
    let (share, ends) = reliability(flow);
    let (what, histogram) = delay(flow);
    let of_runs = &flow.of_runs;
    let mut rows = vec![("reliability".to_owned(), share, ends)];
    let mut add = |name: String, value: Option<f64>, runs: &Moments, written: fn(f64) -> String| {
        let Some(value) = value else { return };
        let ends =
            runs.half_width().map(|half| format!("{} – {}", written((value - half).max(0.0)), written(value + half)));
        rows.push((name, written(value), ends.unwrap_or_default()));
    };
    add("goodput".into(), flow.rate(flow.goodput), &of_runs.goodput, human::rate);
    add(format!("{what} p50"), histogram.quantile(0.5), &of_runs.median, human::time);
    add(format!("{what} p99"), histogram.quantile(0.99), &of_runs.tail, human::time);
    let lines = rows.into_iter().flat_map(|(name, value, ends)| {
        let about = if ends.is_empty() { ends } else { style.paint(Role::Quiet, &format!("{ends} (95 %)")) };
        wrap::with(format!("  {}{}", left(&name, NAME), right(&value, VALUE)), &about, style.width)
    });
    lines.collect()
}

/// Rates, shares of messages and means per message, side by side.
fn counts(flow: &FlowTotal, style: Style) -> Vec<String> {
    let rate = |events| flow.rate(events).map_or_else(|| human::NOTHING.into(), human::rate);
    let share = |count| flow.per_message(count).map_or_else(|| human::NOTHING.into(), human::share);
    let mean = |count| flow.per_message(count).map_or_else(|| human::NOTHING.into(), human::number);
    let mut rates = vec![("offered", rate(flow.offered)), ("sent", rate(flow.sent))];
    // What receivers handled is what succeeded, unless callers give up first.
    let processed = rate(flow.processed);
    if processed != rate(flow.goodput) {
        rates.push(("processed", processed));
    }
    let shares = [
        ("received", share(flow.received)),
        ("confirmed", share(flow.confirmed)),
        ("in-doubt", share(flow.fate(Fate::InDoubt))),
    ];
    let means =
        [("attempts", mean(flow.attempts)), ("copies", mean(flow.copies)), ("duplicates", mean(flow.duplicates))];
    let block = |rows: &[(&str, String)], unit: &str| {
        let row = |(name, value): &(&str, String)| format!("  {}{}{unit}", left(name, NAME), right(value, VALUE));
        rows.iter().map(row).collect::<Vec<_>>()
    };
    beside(&[block(&rates, ""), block(&shares, ""), block(&means, " per message")], 1, style.width)
}

/// Fates that occurred, and that they are all.
fn fates(flow: &FlowTotal, style: Style) -> Vec<String> {
    let occurred: Vec<(Fate, u64)> =
        Fate::ALL.into_iter().map(|fate| (fate, flow.fate(fate))).filter(|&(_, count)| count > 0).collect();
    let offered = flow.offered as f64;
    let shares = human::shares(&occurred.iter().map(|&(_, count)| count as f64 / offered).collect::<Vec<_>>());
    let width = human::count(flow.offered).len();
    let row = |name: &str, count: u64| format!("  {}{}", left(name, 15), right(&human::count(count), width));
    let room = style.width.saturating_sub(size(&row("", 0)) + 2 + 9 + 2).min(BAR.0);
    let line = |((fate, count), share): (&(Fate, u64), &String)| {
        let role = match fate {
            Fate::Confirmed | Fate::Handled => Role::Good,
            Fate::InDoubt | Fate::InFlight => Role::Unsure,
            _ => Role::Bad,
        };
        let bar = if room < BAR.1 { String::new() } else { bar(*count as f64 / offered, room) };
        format!("{}  {share:>9}  {}", row(fate.name(), *count), style.paint(role, &bar))
    };
    let mut lines: Vec<String> = occurred.iter().zip(&shares).map(line).collect();
    let sum: u64 = flow.fates.iter().sum();
    let verdict = if sum == flow.offered {
        "= offered, the books balance".into()
    } else {
        format!("≠ {} offered: the books do not balance", human::count(flow.offered))
    };
    if flow.confirmed_lost > 0 {
        let share = human::share(flow.confirmed_lost as f64 / offered);
        let about = style.paint(Role::Bad, "confirmed by a broker that has lost or dropped them since");
        lines.push(format!("{}  {share:>9}  {about}", row("confirmed-lost", flow.confirmed_lost)));
    }
    lines.push(format!("{}  {}", row("sum", sum), style.paint(Role::Quiet, &verdict)));
    lines
}
