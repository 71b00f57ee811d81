//! What was to be best along each factor of a tuning: a point with its interval for each candidate.

use crate::experiment::{Tuning, Unit, Verdict};
use crate::report::human;
use crate::report::style::clean;
use crate::report::tune::{in_unit, origin};

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{BLUE, GREY, VERMILION, tint};
use super::pareto::{around, mark};
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};

/// More panels than this are no picture.
const MOST: usize = 6;
const PANEL: i32 = 300;
const GAP: i32 = 160;
const MARK: i32 = 6;
/// So many values stand side by side, each with its name.
const FEW: usize = 8;

pub(super) fn plot(tuning: &Tuning) -> Option<Canvas> {
    let known: Vec<usize> = (0..tuning.candidates.len())
        .filter(|&place| tuning.candidates[place].value.value.is_some_and(f64::is_finite))
        .collect();
    let varied: Vec<usize> = (0..tuning.factors.len()).filter(|&factor| labels(tuning, factor).len() > 1).collect();
    if known.is_empty() || varied.is_empty() {
        return None;
    }
    let shown = &varied[..varied.len().min(MOST)];
    let legend = [
        ("the best".to_owned(), VERMILION),
        ("stayed to the end".to_owned(), BLUE),
        ("was dropped".to_owned(), GREY),
        ("hollow: breaks a condition".to_owned(), tint(GREY, 40)),
    ];
    let mut canvas = page(
        (&tuning.title, tuning.variant.as_deref()),
        &format!("{} · bars: 95 % intervals", origin(tuning)),
        HEAD + shown.len() as i32 * (PANEL + GAP) + 40,
        &format!("{} along what was varied", clean(&tuning.objective, 80)),
        &legend,
    );
    for (index, &factor) in shown.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let values = known.iter().filter_map(|&place| tuning.candidates[place].value.value);
        let panel =
            Panel { top, bottom: top + PANEL, x: horizontal(tuning, factor), y: around(values, (top + PANEL, top), 4) };
        let label = |x: f64| horizontal_label(tuning, factor, x);
        panel.frame(&mut canvas, &clean(&tuning.objective, 120), label, |y| in_unit(tuning, y));
        panel.below(&mut canvas, &clean(&tuning.factors[factor].path, 120));
        // The best one last, so that nothing lies over it.
        let (best, others): (Vec<usize>, Vec<usize>) = known.iter().partition(|&&place| place == tuning.best);
        for place in others.into_iter().chain(best) {
            let candidate = &tuning.candidates[place];
            let colour = match candidate.dropped {
                _ if place == tuning.best => VERMILION,
                None => BLUE,
                Some(_) => GREY,
            };
            let x = panel.x.place(position(tuning, factor, place));
            if let Some((low, high)) = candidate.value.interval {
                canvas.line(vec![(x, panel.y.place(low)), (x, panel.y.place(high))], tint(colour, 60), 3);
            }
            let value = candidate.value.value.unwrap_or(0.0);
            let size = if place == tuning.best { MARK + 4 } else { MARK };
            mark(&mut canvas, (x, panel.y.place(value)), size, colour, candidate.verdict() == Verdict::Fail);
        }
    }
    Some(canvas)
}

/// The labels of a factor: numbers from the least to the greatest, all else in the order in which it comes.
fn labels(tuning: &Tuning, factor: usize) -> Vec<&str> {
    let mut labels: Vec<(&str, f64)> = Vec::new();
    for candidate in &tuning.candidates {
        let label = candidate.labels[factor].as_str();
        if !labels.iter().any(|(known, _)| *known == label) {
            labels.push((label, candidate.numbers[factor].unwrap_or(labels.len() as f64)));
        }
    }
    if tuning.candidates.iter().all(|candidate| candidate.numbers[factor].is_some()) {
        labels.sort_by(|(_, one), (_, other)| one.total_cmp(other));
    }
    labels.into_iter().map(|(label, _)| label).collect()
}

/// Whether its values lie on a scale: many numbers.
fn is_scale(tuning: &Tuning, factor: usize) -> bool {
    let is_of_numbers = tuning.candidates.iter().all(|candidate| candidate.numbers[factor].is_some());
    is_of_numbers && labels(tuning, factor).len() > FEW
}

/// Where a candidate stands: at its number, or at the place of its label in the list.
fn position(tuning: &Tuning, factor: usize, place: usize) -> f64 {
    let candidate = &tuning.candidates[place];
    match candidate.numbers[factor].filter(|_| is_scale(tuning, factor)) {
        Some(number) => number,
        None => {
            let labels = labels(tuning, factor);
            labels.iter().position(|label| *label == candidate.labels[factor]).unwrap_or(0) as f64
        }
    }
}

fn horizontal(tuning: &Tuning, factor: usize) -> Axis {
    let places = (LEFT + 20, RIGHT - 20);
    if !is_scale(tuning, factor) {
        let count = labels(tuning, factor).len();
        return Axis::between(-0.5, count as f64 - 0.5, places, count);
    }
    let numbers = (0..tuning.candidates.len()).map(|place| position(tuning, factor, place));
    let (min, max) = numbers.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    if tuning.factors[factor].is_log && min >= 1.0 {
        return Axis::log(min, max, places);
    }
    let air = (max - min) * 0.03;
    Axis::between(min - air, max + air, places, 8)
}

fn horizontal_label(tuning: &Tuning, factor: usize, x: f64) -> String {
    if !is_scale(tuning, factor) {
        let labels = labels(tuning, factor);
        let place = libm::round(x);
        let label = (place >= 0.0 && (place - x).abs() < 1e-9).then(|| labels.get(place as usize)).flatten();
        return label.map(|label| clean(label, 24)).unwrap_or_default();
    }
    match tuning.factors[factor].unit {
        Unit::Time => human::time(x),
        _ => human::number(x),
    }
}
