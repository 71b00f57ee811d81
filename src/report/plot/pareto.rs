//! What was to be best beside the first quantity that has to keep to something: a point for each candidate.

use crate::report::stored::Tuning;
use crate::report::style::clean;
use crate::scenario::Better;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{BLUE, Colour, GREY, VERMILION, WHITE, tint};
use super::scale::number;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};

const PANEL: i32 = 640;
/// Half the side of a mark.
const MARK: i32 = 8;

pub(super) fn plot(tuning: &Tuning) -> Option<Canvas> {
    let condition = tuning.winner().conditions.first()?;
    let known: Vec<(usize, f64, f64)> = tuning
        .candidates
        .iter()
        .enumerate()
        .filter_map(|(place, candidate)| {
            let (x, y) = (candidate.conditions.first()?.measured.finite()?, candidate.value.finite()?);
            Some((place, x, y))
        })
        .collect();
    if known.len() < 2 {
        return None;
    }
    let title = format!("{} beside {}", clean(&tuning.objective, 60), clean(&condition.quantity, 60));
    let legend = [
        ("the best".to_owned(), VERMILION),
        ("none is better in both".to_owned(), BLUE),
        ("another is no worse in both".to_owned(), GREY),
        ("hollow: breaks a condition".to_owned(), tint(GREY, 40)),
    ];
    let mut canvas = page(
        tuning.origin.names(),
        &format!("{} · by their values", tuning.played()),
        HEAD + PANEL + 200,
        &title,
        &legend,
    );
    let top = HEAD + 40;
    let panel = Panel {
        top,
        bottom: top + PANEL,
        x: around(known.iter().map(|known| known.1), (LEFT + 20, RIGHT - 20), 8),
        y: around(known.iter().map(|known| known.2), (top + PANEL, top), 6),
    };
    let unit = condition.measured.unit;
    panel.frame(
        &mut canvas,
        &clean(&tuning.objective, 120),
        |x| number(x, unit),
        |y| number(y, tuning.winner().value.unit),
    );
    let below = format!("{}   {}", clean(&condition.quantity, 80), clean(&condition.condition, 40));
    panel.below(&mut canvas, &below);
    let front = front(tuning, &known);
    panel.line(&mut canvas, front.iter().map(|(_, x, y)| (*x, Some(*y))), tint(BLUE, 60), 4);
    let colour = |place: usize| match () {
        () if place == tuning.best => VERMILION,
        () if front.iter().any(|(on_it, ..)| *on_it == place) => BLUE,
        () => GREY,
    };
    // The best one last, so that nothing lies over it.
    let others = known.iter().filter(|(place, ..)| *place != tuning.best);
    for &(place, x, y) in others.chain(known.iter().filter(|(place, ..)| *place == tuning.best)) {
        let candidate = &tuning.candidates[place];
        let at = (panel.x.place(x), panel.y.place(y));
        let size = if place == tuning.best { MARK + 5 } else { MARK };
        mark(&mut canvas, at, size, colour(place), candidate.breaks());
    }
    Some(canvas)
}

/// The points of which no other is better in one of both quantities and no worse in the other, from left to right.
fn front(tuning: &Tuning, known: &[(usize, f64, f64)]) -> Vec<(usize, f64, f64)> {
    let sign = |better: Better| if better == Better::Lower { 1.0 } else { -1.0 };
    // A quantity that has no limit on one side has no front.
    let Some(of_x) = tuning.winner().conditions.first().and_then(|condition| condition.better) else {
        return Vec::new();
    };
    let costs = |&(_, x, y): &(usize, f64, f64)| (x * sign(of_x), y * sign(tuning.better));
    let is_beaten = |own: &(usize, f64, f64)| {
        let own = costs(own);
        known.iter().map(costs).any(|other| other != own && other.0 <= own.0 && other.1 <= own.1)
    };
    let mut front: Vec<_> = known.iter().copied().filter(|point| !is_beaten(point)).collect();
    front.sort_by(|one, other| one.1.total_cmp(&other.1).then(one.2.total_cmp(&other.2)));
    front
}

/// A square; a hollow one has only its rim.
pub(super) fn mark(canvas: &mut Canvas, (x, y): (i32, i32), half: i32, colour: Colour, is_hollow: bool) {
    canvas.block((x - half, y - half), (x + half, y + half), colour);
    if is_hollow {
        let half = half - 3;
        canvas.block((x - half, y - half), (x + half, y + half), WHITE);
    }
}

/// From a little below the least to a little above the greatest; by factors where they are far apart.
pub(super) fn around(values: impl Iterator<Item = f64> + Clone, places: (i32, i32), ticks: usize) -> Axis {
    let (min, max) = values.fold((f64::MAX, f64::MIN), |(min, max), value| (min.min(value), max.max(value)));
    if min >= 1.0 && max > 20.0 * min {
        return Axis::log(min, max, places);
    }
    let air = if max > min { (max - min) * 0.05 } else { max.abs().max(1.0) * 0.05 };
    Axis::between(min - air, max + air, places, ticks)
}
