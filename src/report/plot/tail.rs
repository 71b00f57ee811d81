//! The slow messages: the share that takes *longer* than a time, on two log scales.
//!
//! There a tenth, a hundredth and a thousandth of the messages are equally far apart, where a distribution function has only its last
//! hair's breadth for them. A straight line is a power law, a curve that falls ever more steeply has a thin tail, and a floor is made of
//! messages that are slower than any.

use crate::report::human;
use crate::report::stored::Run;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::LINES;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, sheet};
use super::times::{curves, span};

const HEIGHT: i32 = 1_080;
/// The smallest share that is drawn.
const SMALLEST: f64 = 1e-5;
/// Axes on a log scale begin at one.
const WHOLE: f64 = 1e6;

pub(super) fn plot(run: &Run) -> Option<Canvas> {
    let (curves, left_out) = curves(run);
    let (min, max) = span(&curves)?;
    let legend: Vec<_> = curves.iter().zip(LINES).map(|(curve, colour)| (curve.name.clone(), colour)).collect();
    let title = "Share of messages that take longer than a time";
    let mut canvas = sheet(&run.summary, HEIGHT, title, &legend, (left_out, "flows"));
    let (top, bottom) = (HEAD + 40, HEIGHT - 110);
    let rarest = curves.iter().map(|curve| 1.0 / curve.offered.max(1) as f64).fold(1.0, f64::min);
    let (x, y) = (Axis::log(min, max, (LEFT, RIGHT)), shares(rarest, (bottom, top)));
    let panel = Panel { top, bottom, x, y };
    panel.frame(&mut canvas, "share of messages (log scale)", human::time, percent);
    panel.below(&mut canvas, "time since the message was due (log scale)");
    // The first flow lies on top.
    for (curve, colour) in curves.iter().zip(LINES).rev() {
        panel.line(&mut canvas, slower(&curve.points, &panel.y), colour, 4);
    }
    Some(canvas)
}

/// An axis of shares up to all, down to about the rarest that there can be.
pub(super) fn shares(rarest: f64, places: (i32, i32)) -> Axis {
    Axis::log(rarest.max(SMALLEST) * WHOLE, WHOLE, places)
}

/// A share on such an axis in percent.
pub(super) fn percent(share: f64) -> String {
    human::percent_mark(share / WHOLE)
}

/// Points on such an axis of the share that takes longer, from those of a distribution function.
pub(super) fn slower(points: &[(f64, f64)], shares: &Axis) -> impl Iterator<Item = (f64, Option<f64>)> {
    let (least, _) = shares.span();
    let mut last = WHOLE;
    let mut longer = Vec::new();
    for &(time, share) in points {
        longer.push((time, Some(last)));
        last = ((1.0 - share) * WHOLE).max(least);
        longer.push((time, Some(last)));
    }
    if last > least {
        // Some take longer than any that is known.
        longer.push((f64::MAX, Some(last)));
    }
    longer.into_iter()
}
