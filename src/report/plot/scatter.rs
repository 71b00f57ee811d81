//! A quantity of a sweep along each factor, a point with its interval for each of its points: where they were drawn to fill a space, no two
//! of them differ by one factor alone, and there is no line to draw through them.

use crate::report::stored::Sweep;
use crate::report::style::clean;

use super::canvas::Canvas;
use super::colour::{BLUE, tint};
use super::pareto::{around, mark};
use super::scale::{Scale, number};
use super::sheet::{HEAD, Panel, page};

/// More panels than this are no picture.
const MOST: usize = 6;
const PANEL: i32 = 300;
const GAP: i32 = 160;
const MARK: i32 = 6;

/// A sheet for each quantity: what it is called, and the picture.
pub(super) fn plots(sweep: &Sweep) -> Vec<(String, Canvas)> {
    let sheets = sweep.quantities.iter().enumerate();
    sheets.filter_map(|(place, quantity)| Some((quantity.clone(), plot(sweep, place, quantity)?))).collect()
}

fn plot(sweep: &Sweep, place: usize, quantity: &str) -> Option<Canvas> {
    let known = || {
        let points = sweep.points.iter().map(|point| (point, &point.measured[place]));
        points.filter_map(|(point, measured)| Some((point, measured.finite()?, measured)))
    };
    let unit = known().next()?.2.unit;
    let values =
        |factor: usize| sweep.points.iter().map(move |point| (point.labels[factor].as_str(), point.numbers[factor]));
    let scales = sweep.factors.iter().enumerate().map(|(factor, axis)| (factor, Scale::of(axis, values(factor))));
    let varied: Vec<(usize, Scale<'_>)> = scales.filter(|(_, scale)| scale.count() > 1).take(MOST).collect();
    if varied.is_empty() {
        return None;
    }
    let mut canvas = page(
        sweep.origin.names(),
        &format!("{} · bars: 95 % intervals", sweep.played()),
        HEAD + varied.len() as i32 * (PANEL + GAP) + 40,
        &format!("{} along what was varied", clean(quantity, 80)),
        &[],
    );
    for (index, (factor, scale)) in varied.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let y = around(known().map(|(_, value, _)| value), (top + PANEL, top), 4);
        let panel = Panel { top, bottom: top + PANEL, x: scale.axis(), y };
        panel.frame(&mut canvas, &clean(quantity, 120), |x| scale.label(x), |y| number(y, unit));
        panel.below(&mut canvas, &clean(&sweep.factors[*factor].path, 120));
        for (point, value, measured) in known() {
            let x = panel.x.place(scale.position(&point.labels[*factor]));
            if let Some((low, high)) = measured.interval {
                canvas.line(vec![(x, panel.y.place(low)), (x, panel.y.place(high))], tint(BLUE, 60), 3);
            }
            mark(&mut canvas, (x, panel.y.place(value)), MARK, BLUE, false);
        }
    }
    Some(canvas)
}
