//! The lines of a sweep: its points along one factor, a line for each choice of the others.

use crate::report::stored::{Measured, Point, Sweep};
use crate::report::style::clean;

use super::canvas::Canvas;
use super::colour::{LINES, tint};
use super::sheet::Panel;

/// How much of a line's colour its band has.
const BAND: u32 = 18;

/// A line: what the other factors are, and its points from left to right.
pub(super) struct Series<'a> {
    pub label: String,
    pub points: Vec<(f64, &'a Point)>,
}

/// Draws lines, each in its colour, with the intervals as bands behind all of them.
pub(super) fn draw(canvas: &mut Canvas, panel: &Panel, lines: impl Iterator<Item = Vec<(f64, Measured)>>) {
    let lines: Vec<_> = lines.zip(LINES).collect();
    for (points, colour) in &lines {
        let ends: Vec<_> = points.iter().filter_map(|(x, measured)| Some((*x, measured.interval?))).collect();
        let there = ends.iter().map(|&(x, (_, high))| (panel.x.place(x), panel.y.place(high)));
        let back = ends.iter().rev().map(|&(x, (low, _))| (panel.x.place(x), panel.y.place(low)));
        canvas.area(there.chain(back).collect(), tint(*colour, BAND));
    }
    for (points, colour) in &lines {
        panel.line(canvas, points.iter().map(|(x, measured)| (*x, measured.finite())), *colour, 5);
        for (x, measured) in points {
            panel.line(canvas, std::iter::once((*x, measured.finite())), *colour, 7);
        }
    }
}

/// Whether hardly any two points differ by one factor alone, as where they were drawn to fill a space.
pub(super) fn has_no_lines(sweep: &Sweep) -> bool {
    let lines = along(sweep).map_or(0, |along| series(sweep, along, &places(sweep, along)).len());
    let all: usize = (0..sweep.factors.len()).map(|factor| places(sweep, factor).len()).product();
    let is_sparse = lines * 2 > sweep.points.len() || sweep.points.len() * 2 < all;
    lines > LINES.len() && is_sparse
}

/// The factor to draw along: of those whose values are numbers the one with most of them, else the first with several.
pub(super) fn along(sweep: &Sweep) -> Option<usize> {
    let count = |factor: usize| places(sweep, factor).len();
    let is_number = |factor: usize| sweep.points.iter().all(|point| point.numbers[factor].is_some());
    let several = || (0..sweep.factors.len()).filter(|&factor| count(factor) > 1);
    let of_numbers = several().filter(|&factor| is_number(factor));
    of_numbers.rev().max_by_key(|&factor| count(factor)).or_else(|| several().next())
}

/// Where the labels of a factor lie: at their numbers, or one after the other.
pub(super) fn places(sweep: &Sweep, factor: usize) -> Vec<(String, f64)> {
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

/// The lines along a factor whose values lie at these places.
pub(super) fn series<'a>(sweep: &'a Sweep, along: usize, places: &[(String, f64)]) -> Vec<Series<'a>> {
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
