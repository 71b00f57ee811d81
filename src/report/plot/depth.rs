//! What waits in queues, and how far groups are behind in topics, over simulated time: one panel each.

use crate::base::time::Span;
use crate::experiment::Results;
use crate::metrics::Curve;
use crate::report::human;
use crate::report::style::clean;
use crate::report::total::{FaultTotal, Total};

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::{BLUE, Colour, ORANGE, SKY, VERMILION};
use super::over_time::{MOST, OverTime, panels, seconds};
use super::sheet::Panel;

/// A queue, or a group that reads topics.
struct Place<'a> {
    name: &'a str,
    /// What the panel counts.
    counted: &'static str,
    waiting: &'a Curve,
    /// What consumers of a queue have and have not acknowledged.
    unacked: Option<&'a Curve>,
    /// How many steps are shown.
    shown: usize,
}

impl Place<'_> {
    /// The curves, with the colours of their most and their mean; what is drawn last lies above.
    fn curves(&self) -> impl Iterator<Item = (&Curve, Colour, Colour)> {
        self.unacked.map(|curve| (curve, ORANGE, VERMILION)).into_iter().chain([(self.waiting, SKY, BLUE)])
    }
}

impl OverTime for Place<'_> {
    const NOUN: &'static str = "queues and groups";

    fn steps(&self) -> (Span, usize) {
        (self.waiting.step(), self.shown)
    }
}

/// Up to where something waits; and up to the end of the load in any case.
fn end(results: &Results, place: &Place<'_>) -> usize {
    let step = place.waiting.step().as_nanos().max(1);
    let load = results.runs.iter().map(|run| run.measured.1.as_nanos().div_ceil(step)).max().unwrap_or(0) as usize;
    let ends =
        place.curves().map(|(curve, ..)| curve.steps.iter().rposition(|step| step.max > 0).map_or(0, |last| last + 1));
    ends.fold(load, usize::max).min(place.waiting.steps.len())
}

pub(super) fn plot(results: &Results, total: &Total, faults: &[FaultTotal]) -> Option<Canvas> {
    let queues = total.queues.iter().map(|queue| Place {
        name: &queue.name,
        counted: "messages, in the mean and at most",
        waiting: &queue.book.ready,
        unacked: Some(&queue.book.unacked),
        shown: 0,
    });
    let readers = total.readers.iter().map(|reader| Place {
        name: &reader.name,
        counted: "records that can be read and are not processed, in the mean and at most",
        waiting: &reader.book.lag,
        unacked: None,
        shown: 0,
    });
    let mut places: Vec<_> = queues.chain(readers).filter(|place| !place.waiting.steps.is_empty()).collect();
    // A drain may go on for long after that.
    let shown = places.iter().map(|place| end(results, place)).max().unwrap_or(0);
    places.iter_mut().for_each(|place| place.shown = shown.min(place.waiting.steps.len()));
    let places: Vec<_> = places.iter().collect();
    let mut legend = vec![("waiting", BLUE), ("most waiting", SKY)];
    if places.iter().take(MOST).any(|place| place.unacked.is_some()) {
        legend.extend([("unacked", VERMILION), ("most unacked", ORANGE)]);
    }
    panels(results, &places, "Messages waiting over time", &legend, faults, |canvas, place, steps, (top, bottom), x| {
        let shown = place.curves().flat_map(|(curve, ..)| curve.steps[steps.first..steps.end].iter());
        let y = Axis::from_zero(shown.map(|step| step.max).max().unwrap_or(0) as f64, (bottom, top), 4);
        let panel = Panel { top, bottom, x, y };
        bands::draw(canvas, &panel, faults);
        panel.frame(canvas, &format!("{} — {}", clean(place.name, 80), place.counted), seconds, human::number);
        for (curve, most, mean) in place.curves() {
            panel.line(canvas, steps.points(steps.end, |index| Some(curve.steps[index].max as f64)), most, 2);
            panel.line(canvas, steps.points(steps.end, |index| Some(curve.steps[index].mean())), mean, 4);
        }
        panel
    })
}
