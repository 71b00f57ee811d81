//! How long messages take: the share confirmed within a time. Messages never confirmed keep a curve below one.

use crate::report::human;
use crate::report::stored::Run;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::LINES;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, sheet};
use super::times::{curves, span};

const HEIGHT: i32 = 1_080;

pub(super) fn plot(run: &Run) -> Option<Canvas> {
    let (curves, left_out) = curves(run);
    let (min, max) = span(&curves)?;
    let legend: Vec<_> = curves.iter().zip(LINES).map(|(curve, colour)| (curve.name.clone(), colour)).collect();
    let title = "Share of messages confirmed within a time";
    let mut canvas = sheet(&run.summary, HEIGHT, title, &legend, (left_out, "flows"));
    let (top, bottom) = (HEAD + 40, HEIGHT - 110);
    let x = Axis::log(min, max, (LEFT, RIGHT));
    let panel = Panel { top, bottom, x, y: Axis::from_zero(1.0, (bottom, top), 5) };
    panel.frame(&mut canvas, "share of messages", human::time, human::percent_mark);
    panel.below(&mut canvas, "time since the message was due (log scale)");
    // The first flow lies on top.
    for (curve, colour) in curves.iter().zip(LINES).rev() {
        let mut last = 0.0;
        let mut points = Vec::new();
        for &(time, share) in &curve.points {
            points.extend([(time, Some(last)), (time, Some(share))]);
            last = share;
        }
        points.push((f64::MAX, Some(last)));
        panel.line(&mut canvas, points.into_iter(), colour, 4);
    }
    Some(canvas)
}
