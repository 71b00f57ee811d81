//! The mean and the ladder of percentiles, and beside them the shape of the distribution.

use crate::metrics::Histogram;

use crate::report::bars::{Bin, bar, bins};
use crate::report::human;
use crate::report::metric::LADDER;
use crate::report::style::{Role, Style, left, right, size};
use crate::report::total::FlowTotal;

use super::table::table;
use super::wrap::{self, beside};

const BINS: usize = 12;
/// A bar at its longest, and what is left of it where there is little room.
const BAR: (usize, usize) = (40, 10);
const GAP: usize = 4;

/// The flow's percentiles, and a histogram of what its owner sees: the time until confirmed, or the way one way where nothing is
/// ever confirmed.
pub(super) fn lines(flow: &FlowTotal, style: Style) -> Vec<String> {
    let confirmed = flow.latency.count();
    let mut names = vec![""];
    let mut rungs: Vec<Vec<String>> = vec![
        ["mean"].into_iter().chain(LADDER.iter().map(|&(name, _)| name)).chain(["max"]).map(str::to_owned).collect(),
    ];
    let mut add = |name, column: Vec<String>| {
        names.push(name);
        rungs.push(column);
    };
    if confirmed > 0 {
        add("latency", climb(&flow.latency, confirmed));
        add("-all", climb(&flow.latency, flow.offered));
        let from_send = climb(&flow.from_send, flow.from_send.count());
        // Sent when due: nothing to tell apart.
        if from_send != climb(&flow.latency, confirmed) {
            add("-from-send", from_send);
        }
    }
    if flow.one_way.count() > 0 {
        let name = if confirmed > 0 { "-one-way" } else { "latency-one-way" };
        add(name, climb(&flow.one_way, flow.one_way.count()));
    }
    if names.len() == 1 {
        return Vec::new();
    }
    let row = |rung: usize| rungs.iter().map(|column| column[rung].clone()).collect();
    let rows = (0..rungs[0].len()).map(row).collect();
    let ladder = table(names.iter().map(|&name| name.into()).collect(), rows, style);
    let (what, histogram) = if confirmed > 0 { ("were confirmed", &flow.latency) } else { ("arrived", &flow.one_way) };
    let taken = ladder.iter().map(|line| wrap::size(line)).max().unwrap_or(0) + GAP;
    let shape = Shape::of(histogram);
    let (room, indent) = match style.width.saturating_sub(taken) {
        room if room >= shape.width(BAR.1) => (room, ""),
        _ => (style.width - 2, "  "),
    };
    let shape: Vec<_> = shape.lines(what, room, style).into_iter().map(|line| format!("{indent}{line}")).collect();
    beside(&[ladder, shape], GAP, style.width)
}

/// The mean of a population, its percentiles, and the slowest of it. Whoever has no end is slower than any.
fn climb(histogram: &Histogram, population: u64) -> Vec<String> {
    let quantiles = LADDER.iter().map(|&(_, p)| histogram.quantile_among(p, population));
    let is_whole = histogram.count() == population;
    let mean = histogram.mean().filter(|_| is_whole);
    let max = histogram.max().map(|max| max.as_nanos() as f64).filter(|_| is_whole);
    [mean].into_iter().chain(quantiles).chain([max]).map(human::time_or_forever).collect()
}

/// The rows of a histogram: from, to, how many.
struct Shape {
    bins: Vec<Bin>,
    rows: Vec<[String; 3]>,
    widths: [usize; 3],
}

impl Shape {
    fn of(histogram: &Histogram) -> Self {
        let bins = bins(histogram, BINS);
        let row = |bin: &Bin| {
            let from = if bin.from == 0.0 { "0".into() } else { human::time(bin.from) };
            let to = human::time(bin.to);
            // Times that differ by less than three digits tell: one time.
            let to = if from == to { String::new() } else { format!("– {to}") };
            [from, to, human::count(bin.count)]
        };
        let rows: Vec<_> = bins.iter().map(row).collect();
        let widths = [0, 1, 2].map(|cell| rows.iter().map(|row: &[String; 3]| size(&row[cell])).max().unwrap_or(0));
        Self { bins, rows, widths }
    }

    /// With bars of this width.
    fn width(&self, bar: usize) -> usize {
        self.widths.iter().sum::<usize>() + 4 + bar
    }

    fn lines(&self, what: &str, room: usize, style: Style) -> Vec<String> {
        let most = self.bins.iter().map(|bin| bin.count).max().unwrap_or(0) as f64;
        let length = room.saturating_sub(self.width(0)).min(BAR.0);
        let total: u64 = self.bins.iter().map(|bin| bin.count).sum();
        let mut lines = vec![style.paint(Role::Quiet, &format!("{} {what} within", human::count(total)))];
        lines.extend(self.bins.iter().zip(&self.rows).map(|(bin, [from, to, count])| {
            let [first, second, third] = self.widths;
            let bar = style.paint(Role::Bar, &bar(bin.count as f64 / most, length));
            let line = format!("{} {}  {} {bar}", right(from, first), left(to, second), right(count, third));
            line.trim_end().to_owned()
        }));
        lines
    }
}
