//! What waits in queues, and how far groups are behind in topics, over simulated time: one panel each.

use crate::report::human;
use crate::report::stored::{DepthStep, Place, Run, Series};
use crate::report::style::clean;

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::{BLUE, Colour, ORANGE, SKY, VERMILION};
use super::over_time::{MOST, Shown, Window, panels, points, seconds};

/// The curves of a place, with the colours of their most and their mean; what is drawn last lies above.
fn curves(place: &Place) -> impl Iterator<Item = (&Series<DepthStep>, Colour, Colour)> {
    let unacked = place.unacked.as_ref().map(|curve| (curve, ORANGE, VERMILION));
    unacked.into_iter().chain([(&place.waiting, SKY, BLUE)])
}

pub(super) fn plot(run: &Run) -> Option<Canvas> {
    let places = &run.places;
    // A drain may go on for long after nothing waits any more.
    let ends = places
        .iter()
        .flat_map(curves)
        .map(|(curve, ..)| Window::of(&run.summary, curve).until(curve, |step| step.max > 0).all().end);
    let end = ends.max().unwrap_or(0);
    let shown = places.iter().take(MOST).map(|place| {
        let window = Window::of(&run.summary, &place.waiting).to(end);
        Shown { what: place, series: &place.waiting, window }
    });
    let shown: Vec<_> = shown.collect();
    let mut legend = vec![("waiting", BLUE), ("most waiting", SKY)];
    if shown.iter().any(|place| place.what.unacked.is_some()) {
        legend.extend([("unacked", VERMILION), ("most unacked", ORANGE)]);
    }
    let left_out = (places.len() - shown.len(), "queues and groups");
    panels(run, &shown, left_out, "Messages waiting over time", &legend, |canvas, place, room| {
        let steps = |curve: &Series<DepthStep>| {
            let all = place.window.all();
            all.start.min(curve.steps.len())..all.end.min(curve.steps.len())
        };
        let counts =
            curves(place.what).flat_map(|(curve, ..)| curve.steps[steps(curve)].iter().map(|(_, step)| step.max));
        let most = counts.max().unwrap_or(0) as f64;
        let panel = room.panel(|places| Axis::from_zero(most, places, 4));
        bands::draw(canvas, &panel, run.summary.faults());
        let counted = match place.what.unacked {
            Some(_) => "messages, in the mean and at most",
            None => "records that can be read and are not processed, in the mean and at most",
        };
        panel.frame(canvas, &format!("{} — {counted}", clean(&place.what.name, 80)), seconds, human::number);
        for (curve, most, mean) in curves(place.what) {
            panel.line(canvas, points(curve, steps(curve), |step| Some(step.max as f64)), most, 2);
            panel.line(canvas, points(curve, steps(curve), |step| Some(step.mean)), mean, 4);
        }
        panel
    })
}
