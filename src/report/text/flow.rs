//! One flow: headline, ladder, and where its messages went.

use crate::metrics::Fate;
use crate::report::bars::bar;
use crate::report::style::{Role, Style, clean};
use crate::report::total::FlowTotal;
use crate::report::{human, ladder};

const BAR: usize = 40;

pub(super) fn lines(flow: &FlowTotal, runs: u32, style: Style) -> Vec<String> {
    let time = human::time(flow.seconds * 1e9);
    let over = if runs > 1 { format!("{time} over {runs} runs") } else { time };
    let about = format!("{} messages in {over}", human::count(flow.offered));
    let mut lines = vec![format!(
        "{}  {}",
        style.paint(Role::Heading, &clean(&flow.heading(), 68)),
        style.paint(Role::Quiet, &about)
    )];
    if flow.offered == 0 {
        lines.push("  nothing was offered while it was measured".into());
        return lines;
    }
    lines.extend(headline(flow, style));
    let ladder = ladder::lines(flow, style);
    if !ladder.is_empty() {
        lines.push(String::new());
        lines.extend(ladder);
    }
    lines.push(String::new());
    lines.extend(fates(flow, style));
    lines
}

fn headline(flow: &FlowTotal, style: Style) -> Vec<String> {
    let rate = |events| flow.rate(events).map_or_else(|| human::NOTHING.into(), human::rate);
    let share = |count| flow.per_message(count).map_or_else(|| human::NOTHING.into(), human::share);
    let mean = |count| flow.per_message(count).map_or_else(|| human::NOTHING.into(), human::number);
    let reliability = flow.reliability().map_or_else(String::new, |estimate| {
        let ends = human::shares(&[estimate.low, estimate.high]).join(" – ");
        let basis = match estimate.basis {
            "student-t" => "95 %, over runs",
            _ => "95 %",
        };
        let about = style.paint(Role::Quiet, &format!("{ends} ({basis})"));
        format!("{:>9}  {about}", human::share(estimate.share))
    });
    let in_doubt = flow.fate(Fate::InDoubt);
    let row = |name: &str, value: String, second: &str, rest: String| {
        format!("  {name:<10}{value:>9}     {second:<12}{rest}")
    };
    let third = |value: String, name: &str, more: String| format!("{value:>9}     {name:<13}{more:>9}");
    // What receivers handled is what succeeded, unless callers give up first.
    let (wasted, processed) = match rate(flow.processed) {
        processed if processed == rate(flow.goodput) => ("", String::new()),
        processed => ("processed", processed),
    };
    vec![
        row("offered", rate(flow.offered), "reliability", reliability),
        row("sent", rate(flow.sent), "received", third(share(flow.received), "attempts", per(mean(flow.attempts)))),
        row("goodput", rate(flow.goodput), "confirmed", third(share(flow.confirmed), "copies", per(mean(flow.copies)))),
        row(wasted, processed, "in-doubt", third(share(in_doubt), "duplicates", per(mean(flow.duplicates)))),
    ]
}

fn per(mean: String) -> String {
    format!("{mean:>6} per message")
}

/// Fates that occurred, and that they are all.
fn fates(flow: &FlowTotal, style: Style) -> Vec<String> {
    let occurred: Vec<(Fate, u64)> =
        Fate::ALL.into_iter().map(|fate| (fate, flow.fate(fate))).filter(|&(_, count)| count > 0).collect();
    let offered = flow.offered as f64;
    let shares = human::shares(&occurred.iter().map(|&(_, count)| count as f64 / offered).collect::<Vec<_>>());
    let width = human::count(flow.offered).len();
    let line = |((fate, count), share): (&(Fate, u64), &String)| {
        let role = match fate {
            Fate::Confirmed | Fate::Handled => Role::Good,
            Fate::InDoubt | Fate::InFlight => Role::Unsure,
            _ => Role::Bad,
        };
        let bar = bar(*count as f64 / offered, BAR);
        format!("  {:<18}{:>width$}  {share:>9}  {}", fate.name(), human::count(*count), style.paint(role, &bar))
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
        let lost = human::count(flow.confirmed_lost);
        let about = style.paint(Role::Bad, "confirmed by a broker that has lost or dropped them since");
        lines.push(format!("  {:<18}{lost:>width$}  {share:>9}  {about}", "confirmed-lost"));
    }
    lines.push(format!("  {:<18}{:>width$}  {}", "sum", human::count(sum), style.paint(Role::Quiet, &verdict)));
    lines
}
