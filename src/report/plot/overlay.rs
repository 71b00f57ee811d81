//! How the times of several sides lie: one panel for each kind of times, one curve for each side.
//!
//! What is drawn is the share that takes *longer* than a time, as in the plot of a run's tail: sides differ in their slow messages.

use crate::report::human;
use crate::report::stored::{Comparison, Times};
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{Colour, LINES};
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};
use super::tail::{percent, shares, slower};

/// More panels than this are no picture.
const MOST: usize = 4;
const PANEL: i32 = 460;
const GAP: i32 = 150;

pub(super) fn plot(comparison: &Comparison) -> Option<Canvas> {
    let sides = &comparison.sides[..comparison.sides.len().min(LINES.len())];
    let kinds: Vec<&str> = sides.first()?.times.iter().map(|times| times.of.as_str()).take(MOST).collect();
    let of = |kind: &str| sides.iter().map(|side| side.times.iter().find(|times| times.of == kind)).collect::<Vec<_>>();
    let kinds: Vec<_> = kinds.into_iter().filter(|kind| span(&of(kind)).is_some()).collect();
    if kinds.is_empty() {
        return None;
    }
    let legend: Vec<(String, Colour)> =
        sides.iter().zip(LINES).map(|(side, colour)| (clean(&side.name, 40), colour)).collect();
    let left_out = match comparison.sides.len() - sides.len() {
        0 => String::new(),
        more => format!(" · {more} more not shown"),
    };
    let height = HEAD + kinds.len() as i32 * (PANEL + GAP);
    let played = format!("{}{left_out}", comparison.played());
    let title = "Share of messages that take longer";
    let mut canvas = page(comparison.origin.names(), &played, height, title, &legend);
    for (index, kind) in kinds.iter().enumerate() {
        let times = of(kind);
        let (min, max) = span(&times)?;
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let rarest = times.iter().flatten().map(|times| 1.0 / times.population.max(1) as f64).fold(1.0, f64::min);
        let panel = Panel {
            top,
            bottom: top + PANEL,
            x: Axis::log(min, max, (LEFT, RIGHT)),
            y: shares(rarest, (top + PANEL, top)),
        };
        panel.frame(&mut canvas, &clean(kind, 100), human::time, percent);
        // The base lies on top.
        for (times, colour) in times.iter().zip(LINES).rev() {
            let Some(times) = times else { continue };
            panel.line(&mut canvas, slower(&times.points, &panel.y), colour, 4);
        }
        panel.below(&mut canvas, "time (log scale)");
    }
    Some(canvas)
}

/// The shortest and the longest time of any side, in nanoseconds.
fn span(times: &[Option<&Times>]) -> Option<(f64, f64)> {
    let all = || times.iter().flatten().flat_map(|times| times.points.iter().map(|(time, _)| *time));
    let span = (all().fold(f64::MAX, f64::min), all().fold(0.0, f64::max));
    (span.0 <= span.1).then_some(span)
}
