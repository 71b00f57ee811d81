//! What was to be best along each factor of a tuning: a point with its interval for each candidate.

use crate::report::stored::Tuning;
use crate::report::style::clean;

use super::canvas::Canvas;
use super::colour::{BLUE, GREY, VERMILION, tint};
use super::pareto::{around, mark};
use super::scale::{Scale, number};
use super::sheet::{HEAD, Panel, page};

/// More panels than this are no picture.
const MOST: usize = 6;
const PANEL: i32 = 300;
const GAP: i32 = 160;
const MARK: i32 = 6;

pub(super) fn plot(tuning: &Tuning) -> Option<Canvas> {
    let known: Vec<usize> =
        (0..tuning.candidates.len()).filter(|&place| tuning.candidates[place].value.finite().is_some()).collect();
    let values = |factor: usize| {
        tuning.candidates.iter().map(move |candidate| (candidate.labels[factor].as_str(), candidate.numbers[factor]))
    };
    let scales = tuning.factors.iter().enumerate().map(|(factor, axis)| (factor, Scale::of(axis, values(factor))));
    let varied: Vec<(usize, Scale<'_>)> = scales.filter(|(_, scale)| scale.count() > 1).collect();
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
        tuning.origin.names(),
        &format!("{} · bars: 95 % intervals", tuning.played()),
        HEAD + shown.len() as i32 * (PANEL + GAP) + 40,
        &format!("{} along what was varied", clean(&tuning.objective, 80)),
        &legend,
    );
    for (index, (factor, scale)) in shown.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let values = known.iter().filter_map(|&place| tuning.candidates[place].value.value);
        let panel = Panel { top, bottom: top + PANEL, x: scale.axis(), y: around(values, (top + PANEL, top), 4) };
        panel.frame(
            &mut canvas,
            &clean(&tuning.objective, 120),
            |x| scale.label(x),
            |y| number(y, tuning.winner().value.unit),
        );
        panel.below(&mut canvas, &clean(&tuning.factors[*factor].path, 120));
        // The best one last, so that nothing lies over it.
        let (best, others): (Vec<usize>, Vec<usize>) = known.iter().partition(|&&place| place == tuning.best);
        for place in others.into_iter().chain(best) {
            let candidate = &tuning.candidates[place];
            let colour = match candidate.is_dropped {
                _ if place == tuning.best => VERMILION,
                false => BLUE,
                true => GREY,
            };
            let x = panel.x.place(scale.position(&candidate.labels[*factor]));
            if let Some((low, high)) = candidate.value.interval {
                canvas.line(vec![(x, panel.y.place(low)), (x, panel.y.place(high))], tint(colour, 60), 3);
            }
            let value = candidate.value.value.unwrap_or(0.0);
            let size = if place == tuning.best { MARK + 4 } else { MARK };
            mark(&mut canvas, (x, panel.y.place(value)), size, colour, candidate.breaks());
        }
    }
    Some(canvas)
}
