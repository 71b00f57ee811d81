//! Quantities along one factor of a sweep, a line for each choice of the others, with the intervals as bands.

use crate::experiment::Unit;
use crate::report::stored::Sweep;
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{Colour, LINES};
use super::lines::{Series, along, draw, places, series};
use super::scale::number;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};

/// More panels than this are no picture.
const MOST: usize = 6;
const PANEL: i32 = 300;
const GAP: i32 = 120;

pub(super) fn plot(sweep: &Sweep) -> Option<Canvas> {
    let along = along(sweep)?;
    let places = places(sweep, along);
    let all = series(sweep, along, &places);
    let shown = &all[..all.len().min(LINES.len())];
    let panels: Vec<usize> =
        (0..sweep.quantities.len()).filter(|&column| has_values(sweep, column)).take(MOST).collect();
    if panels.is_empty() {
        return None;
    }
    let legend: Vec<(String, Colour)> = shown
        .iter()
        .zip(LINES)
        .filter(|(series, _)| !series.label.is_empty())
        .map(|(series, colour)| (series.label.clone(), colour))
        .collect();
    let axis = &sweep.factors[along];
    let left_out = if all.len() > shown.len() {
        format!(" · {} more lines not shown", all.len() - shown.len())
    } else {
        String::new()
    };
    let height = HEAD + panels.len() as i32 * (PANEL + GAP) + 60;
    let title = format!("What {} does", clean(&axis.path, 80));
    let mut canvas = page(
        sweep.origin.names(),
        &format!("{} · bands: 95 % intervals{left_out}", sweep.played()),
        height,
        &title,
        &legend,
    );
    for (index, &column) in panels.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let unit = sweep.points[0].measured[column].unit;
        let panel = Panel {
            top,
            bottom: top + PANEL,
            x: horizontal(sweep, along, &places),
            y: vertical(shown, column, (top + PANEL, top)),
        };
        let label_x = |x: f64| horizontal_label(sweep, along, &places, x);
        let scale = if panel.y.is_log() { " (log scale)" } else { "" };
        let heading = format!("{}{scale}", clean(&sweep.quantities[column], 120));
        panel.frame(&mut canvas, &heading, label_x, |y| number(y, unit));
        let lines = shown.iter().map(|series| series.points.iter().map(|&(x, point)| (x, point.measured[column])));
        draw(&mut canvas, &panel, lines.map(Iterator::collect));
        if index + 1 == panels.len() {
            panel.below(&mut canvas, &clean(&axis.path, 120));
        }
    }
    Some(canvas)
}

fn has_values(sweep: &Sweep, column: usize) -> bool {
    sweep.points.iter().any(|point| point.measured[column].finite().is_some())
}

fn is_of_numbers(sweep: &Sweep, factor: usize) -> bool {
    sweep.points.iter().all(|point| point.numbers[factor].is_some())
}

fn horizontal(sweep: &Sweep, along: usize, places: &[(String, f64)]) -> Axis {
    let (from, to) = (places[0].1, places[places.len() - 1].1);
    // A little air at both ends.
    let air = (to - from) * 0.03;
    let (left, right) = (LEFT + 20, RIGHT - 20);
    match () {
        () if !is_of_numbers(sweep, along) => Axis::between(from - 0.5, to + 0.5, (left, right), places.len()),
        () if sweep.factors[along].is_log && from >= 1.0 => Axis::log(from, to, (left, right)),
        () => Axis::between(from - air, to + air, (left, right), 8),
    }
}

fn horizontal_label(sweep: &Sweep, along: usize, places: &[(String, f64)], x: f64) -> String {
    if is_of_numbers(sweep, along) {
        return number(x, sweep.factors[along].unit);
    }
    places.iter().find(|(_, place)| (place - x).abs() < 1e-9).map(|(label, _)| clean(label, 24)).unwrap_or_default()
}

/// Times that are so many times each other are drawn by factors: or else the longest would be all there is to see.
pub(super) const WIDE: f64 = 30.0;

/// From zero, unless all lies far from it, or is times that differ by factors.
fn vertical(shown: &[Series<'_>], column: usize, places: (i32, i32)) -> Axis {
    let measured = shown.iter().flat_map(|series| &series.points).map(|(_, point)| &point.measured[column]);
    let values = measured.flat_map(|measured| {
        let (low, high) = measured.interval.unzip();
        [measured.value, low, high].into_iter().flatten().filter(|value| value.is_finite())
    });
    let (min, max) = values.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    let is_of_times =
        shown.iter().flat_map(|series| &series.points).all(|(_, point)| point.measured[column].unit == Unit::Time);
    let values =
        || shown.iter().flat_map(|series| &series.points).filter_map(|(_, point)| point.measured[column].value);
    let least = values().fold(f64::MAX, f64::min);
    if is_of_times && least >= 1.0 && max > least * WIDE {
        return Axis::log(least, max, places);
    }
    if min > max * 0.7 && max > min {
        let air = (max - min) * 0.1;
        return Axis::between(min - air, max + air, places, 4);
    }
    Axis::from_zero(max.max(0.0), places, 4)
}
