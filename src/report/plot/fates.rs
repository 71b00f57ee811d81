//! Where messages went: one bar per flow, cut by fate, with the rare fates in words below it.

use crate::metrics::Fate;
use crate::report::human;
use crate::report::stored::{Flow, Summary};
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::{Anchor, Canvas};
use super::colour::{WHITE, of_fate};
use super::font;
use super::sheet::{HEAD, LABEL, RIGHT, SMALL, sheet};

const MOST: usize = 16;
const START: i32 = 48;
const ROW: i32 = 150;
const BAR: i32 = 44;

pub(super) fn plot(summary: &Summary) -> Option<Canvas> {
    let flows: Vec<&Flow> = summary.flows().iter().filter(|flow| flow.count("offered") > 0).collect();
    if flows.is_empty() {
        return None;
    }
    let shown = &flows[..flows.len().min(MOST)];
    let occurs = |fate: &Fate| shown.iter().any(|flow| flow.count(fate.name()) > 0);
    let legend: Vec<_> =
        Fate::ALL.into_iter().filter(occurs).map(|fate| (fate.name().to_owned(), of_fate(fate))).collect();
    let height = HEAD + shown.len() as i32 * ROW + 20;
    let title = "Where the messages went";
    let mut canvas = sheet(summary, height, title, &legend, (flows.len() - shown.len(), "flows"));
    for (index, flow) in shown.iter().enumerate() {
        row(&mut canvas, flow, HEAD + index as i32 * ROW);
    }
    Some(canvas)
}

fn row(canvas: &mut Canvas, flow: &Flow, top: i32) {
    let all = flow.count("offered");
    let offered = format!("{} messages offered", human::count(all));
    let room = RIGHT - START - font::length(&offered, SMALL.size) * 11 / 10 - 24;
    let name = font::fit(&clean(&flow.heading(), 120), LABEL.size, room * 10 / 11);
    canvas.text((START, top + 18), &name, LABEL, Anchor::Start);
    canvas.text((RIGHT, top + 18), &offered, SMALL, Anchor::End);
    let axis = Axis::between(0.0, all as f64, (START, RIGHT), 1);
    let mut seen = 0;
    let mut words = Vec::new();
    for fate in Fate::ALL {
        let count = flow.count(fate.name());
        if count == 0 {
            continue;
        }
        let (from, to) = (axis.place(seen as f64), axis.place((seen + count) as f64));
        seen += count;
        // What is rare still shows, as a line.
        let from = from.min(to - 3);
        canvas.block((from, top + 42), (to, top + 42 + BAR), of_fate(fate));
        if to < RIGHT {
            canvas.line(vec![(to, top + 42), (to, top + 42 + BAR)], WHITE, 1);
        }
        words.push(format!("{} {} ({})", human::count(count), fate.name(), human::share(count as f64 / all as f64)));
    }
    let words = font::fit(&words.join(" · "), SMALL.size, (RIGHT - START) * 10 / 11);
    canvas.text((START, top + 42 + BAR + 22), &words, SMALL, Anchor::Start);
}
