//! The ladder of percentiles, and the shape of the distribution below it.

use crate::metrics::Histogram;

use super::bars::{bar, bins};
use super::human;
use super::metric::LADDER;
use super::style::{Role, Style};
use super::total::FlowTotal;

const LABEL: usize = 18;
const RUNG: usize = 10;
const BINS: usize = 12;
const BAR: usize = 40;

/// The flow's percentiles as lines, and a histogram of what its owner sees: the time until confirmed, or the way one way
/// where nothing is ever confirmed.
pub(super) fn lines(flow: &FlowTotal, style: Style) -> Vec<String> {
    let mut lines = Vec::new();
    let confirmed = flow.latency.count();
    let mut rows: Vec<(&str, Vec<String>)> = Vec::new();
    if confirmed > 0 {
        rows.push(("latency", rungs(&flow.latency, confirmed)));
        rows.push(("latency-all", rungs(&flow.latency, flow.offered)));
        let from_send = rungs(&flow.from_send, flow.from_send.count());
        // Sent when due: nothing to tell apart.
        if from_send != rows[0].1 {
            rows.push(("latency-from-send", from_send));
        }
    }
    if flow.one_way.count() > 0 {
        rows.push(("latency-one-way", rungs(&flow.one_way, flow.one_way.count())));
    }
    if rows.is_empty() {
        return lines;
    }
    let names = LADDER.iter().map(|&(name, _)| name).chain(["max"]);
    let header: String = names.map(|name| format!("{name:>RUNG$}")).collect();
    lines.push(style.paint(Role::Quiet, &format!("  {:LABEL$}{header}", "")));
    for (name, rungs) in rows {
        let rungs: String = rungs.iter().map(|rung| format!("{rung:>RUNG$}")).collect();
        lines.push(format!("  {name:LABEL$}{rungs}"));
    }
    let (name, histogram) = if confirmed > 0 { ("latency", &flow.latency) } else { ("latency-one-way", &flow.one_way) };
    lines.push(String::new());
    lines.extend(shape(name, histogram, style));
    lines
}

/// The percentiles among a population, and the slowest of it.
fn rungs(histogram: &Histogram, population: u64) -> Vec<String> {
    let quantiles = LADDER.iter().map(|&(_, p)| histogram.quantile_among(p, population));
    let max = histogram.max().map(|max| max.as_nanos() as f64).filter(|_| histogram.count() == population);
    quantiles.chain([max]).map(human::time_or_forever).collect()
}

fn shape(name: &str, histogram: &Histogram, style: Style) -> Vec<String> {
    let bins = bins(histogram, BINS);
    let most = bins.iter().map(|bin| bin.count).max().unwrap_or(0) as f64;
    let width = bins.iter().map(|bin| human::count(bin.count).len()).max().unwrap_or(0);
    let row = |(index, bin): (usize, &super::bars::Bin)| {
        let name = if index == 0 { name } else { "" };
        let from = if bin.from == 0.0 { "0".into() } else { human::time(bin.from) };
        let to = human::time(bin.to);
        // Times that differ by less than three digits tell: one time.
        let range = if from == to { format!("{from:>7}   {:7}", "") } else { format!("{from:>7} – {to:<7}") };
        let bar = bar(bin.count as f64 / most, BAR);
        format!("  {name:16}{range} {:>width$} {}", human::count(bin.count), style.paint(Role::Bar, &bar))
    };
    bins.iter().enumerate().map(row).map(|line| line.trim_end().to_owned()).collect()
}
