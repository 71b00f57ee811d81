//! Quantities along one factor of a sweep, a line for each choice of the others, with the intervals as bands.

use crate::experiment::Unit;
use crate::report::stored::{Point, Sweep};
use crate::report::style::clean;
use crate::report::sweep::plain;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{Colour, LINES, tint};
use super::scale::number;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};

/// More panels than this are no picture.
const MOST: usize = 6;
const PANEL: i32 = 300;
const GAP: i32 = 120;
/// How much of a line's colour its band has.
const BAND: u32 = 18;

/// A line: what the other factors are, and its points from left to right.
struct Series<'a> {
    label: String,
    points: Vec<(f64, &'a Point)>,
}

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
        panel.frame(&mut canvas, &heading, label_x, |y| plain(Some(y), unit));
        for (series, colour) in shown.iter().zip(LINES) {
            let interval = |point: &Point| point.measured[column].interval;
            let ends: Vec<_> = series.points.iter().filter_map(|&(x, point)| Some((x, interval(point)?))).collect();
            let there = ends.iter().map(|&(x, (_, high))| (panel.x.place(x), panel.y.place(high)));
            let back = ends.iter().rev().map(|&(x, (low, _))| (panel.x.place(x), panel.y.place(low)));
            canvas.area(there.chain(back).collect(), tint(colour, BAND));
        }
        for (series, colour) in shown.iter().zip(LINES) {
            let value = |point: &Point| point.measured[column].finite();
            panel.line(&mut canvas, series.points.iter().map(|&(x, point)| (x, value(point))), colour, 5);
            for &(x, point) in &series.points {
                panel.line(&mut canvas, std::iter::once((x, value(point))), colour, 7);
            }
        }
        if index + 1 == panels.len() {
            panel.below(&mut canvas, &clean(&axis.path, 120));
        }
    }
    Some(canvas)
}

/// Whether hardly any two points differ by one factor alone, as where they were drawn to fill a space.
pub(super) fn has_no_lines(sweep: &Sweep) -> bool {
    let lines = along(sweep).map_or(0, |along| series(sweep, along, &places(sweep, along)).len());
    let all: usize = (0..sweep.factors.len()).map(|factor| places(sweep, factor).len()).product();
    let is_sparse = lines * 2 > sweep.points.len() || sweep.points.len() * 2 < all;
    lines > LINES.len() && is_sparse
}

/// The factor to draw along: of those whose values are numbers the one with most of them, else the first with several.
fn along(sweep: &Sweep) -> Option<usize> {
    let count = |factor: usize| places(sweep, factor).len();
    let is_number = |factor: usize| sweep.points.iter().all(|point| point.numbers[factor].is_some());
    let several = || (0..sweep.factors.len()).filter(|&factor| count(factor) > 1);
    let of_numbers = several().filter(|&factor| is_number(factor));
    of_numbers.rev().max_by_key(|&factor| count(factor)).or_else(|| several().next())
}

/// Where the labels of a factor lie: at their numbers, or one after the other.
fn places(sweep: &Sweep, factor: usize) -> Vec<(String, f64)> {
    let mut places: Vec<(String, f64)> = Vec::new();
    for point in &sweep.points {
        let label = &point.labels[factor];
        if !places.iter().any(|(known, _)| known == label) {
            let place = point.numbers[factor].unwrap_or(places.len() as f64);
            places.push((label.clone(), place));
        }
    }
    places.sort_by(|one, other| one.1.total_cmp(&other.1));
    places
}

fn series<'a>(sweep: &'a Sweep, along: usize, places: &[(String, f64)]) -> Vec<Series<'a>> {
    let mut all: Vec<Series<'a>> = Vec::new();
    for point in &sweep.points {
        let others = sweep.factors.iter().zip(&point.labels).enumerate().filter(|(place, _)| *place != along);
        let label = others.map(|(_, (factor, label))| {
            let name = factor.path.rsplit('.').next().unwrap_or(&factor.path);
            format!("{} {}", clean(name, 24), clean(label, 24))
        });
        let label = label.collect::<Vec<_>>().join(", ");
        let x = places.iter().find(|(known, _)| *known == point.labels[along]).map_or(0.0, |(_, place)| *place);
        match all.iter_mut().find(|series| series.label == label) {
            Some(series) => series.points.push((x, point)),
            None => all.push(Series { label, points: vec![(x, point)] }),
        }
    }
    all.iter_mut().for_each(|series| series.points.sort_by(|one, other| one.0.total_cmp(&other.0)));
    all
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
