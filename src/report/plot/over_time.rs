//! What all plots over simulated time share: which steps are shown, and a sheet with panels over one horizontal axis. Faults lie behind
//! the curves as bands.

use std::ops::Range;

use crate::report::human;
use crate::report::stored::{Run, Series, Summary};

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::Colour;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, sheet};

/// More panels than this are no picture.
pub(super) const MOST: usize = 6;
const PANEL: i32 = 250;
const GAP: i32 = 110;
/// Sums of seconds are off by less than this share of them.
const ROUNDING: f64 = 1e-12;

/// The steps of something that are shown: whole ones from the first that is measured on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Window {
    first: usize,
    /// Messages are due before this one.
    end_of_load: usize,
    end: usize,
}

impl Window {
    pub fn of<S>(summary: &Summary, series: &Series<S>) -> Self {
        let all = series.steps.len();
        let (from, to) = summary.measured().unwrap_or_default();
        let begins = |start: f64| start >= from;
        let ends = |start: f64| start + series.length <= to * (1.0 + ROUNDING);
        let first = series.steps.iter().take_while(|(start, _)| !begins(*start)).count();
        let last = series.steps.iter().take_while(|(start, _)| ends(*start)).count();
        // Too short for whole steps: whatever there is.
        let (first, end_of_load) = if last > first + 1 { (first, last) } else { (0, all) };
        // A step in which the run ends looks like a fall to nothing.
        let played = summary.played().unwrap_or(f64::INFINITY) * (1.0 + ROUNDING);
        let whole = series.steps.iter().take_while(|(start, _)| start + series.length <= played).count();
        Self { first, end_of_load, end: whole.max(end_of_load) }
    }

    /// The same up to the last step in which something is `still` there; but not to before the end of the load.
    pub fn until<S>(self, series: &Series<S>, still: impl Fn(&S) -> bool) -> Self {
        let last = series.steps[..self.end].iter().rposition(|(_, step)| still(step)).map_or(0, |last| last + 1);
        Self { end: last.max(self.end_of_load), ..self }
    }

    /// The same up to another step.
    pub fn to(self, end: usize) -> Self {
        Self { end, ..self }
    }

    /// All steps that are shown.
    pub fn all(&self) -> Range<usize> {
        self.first..self.end
    }

    /// Those in which messages are due.
    pub fn load(&self) -> Range<usize> {
        self.first..self.end_of_load.min(self.end)
    }

    /// The seconds at which it begins and ends.
    fn span<S>(&self, series: &Series<S>) -> (f64, f64) {
        let start = |index: usize| series.steps.get(index).map(|(start, _)| *start);
        let end = self.end.checked_sub(1).and_then(start);
        (start(self.first).unwrap_or_default(), end.unwrap_or_default() + series.length)
    }
}

/// Values at the middle of these steps.
pub(super) fn points<S>(
    series: &Series<S>,
    steps: Range<usize>,
    value: impl Fn(&S) -> Option<f64>,
) -> impl Iterator<Item = (f64, Option<f64>)> {
    series.steps[steps].iter().map(move |(start, step)| (start + series.length / 2.0, value(step)))
}

/// Something that has a panel of its own, and the steps that are shown of it.
pub(super) struct Shown<'a, T, S> {
    pub what: T,
    pub series: &'a Series<S>,
    pub window: Window,
}

/// A panel's edges above and below, and its horizontal axis.
pub(super) struct Room {
    pub places: (i32, i32),
    pub x: Axis,
}

impl Room {
    /// A panel here, from the top down, over an axis that is made for places from the bottom up.
    pub fn panel(self, y: impl FnOnce((i32, i32)) -> Axis) -> Panel {
        let (top, bottom) = self.places;
        Panel { top, bottom, x: self.x, y: y((bottom, top)) }
    }
}

/// A sheet with a panel for each of these, one below the other.
pub(super) fn panels<T, S>(
    run: &Run,
    shown: &[Shown<'_, T, S>],
    left_out: (usize, &str),
    title: &str,
    legend: &[(&str, Colour)],
    mut draw: impl FnMut(&mut Canvas, &Shown<'_, T, S>, Room) -> Panel,
) -> Option<Canvas> {
    if shown.is_empty() {
        return None;
    }
    let height = HEAD + shown.len() as i32 * (PANEL + GAP) + 60;
    let legend = legend.iter().map(|&(name, colour)| (name.to_owned(), colour));
    let legend: Vec<_> = legend.chain(bands::legend(run.summary.faults())).collect();
    let mut canvas = sheet(&run.summary, height, title, &legend, left_out);
    // One horizontal axis for all, so that panels can be compared.
    let spans = shown.iter().map(|one| one.window.span(one.series));
    let (from, to) = spans.fold((f64::MAX, 0.0_f64), |(from, to), span| (from.min(span.0), to.max(span.1)));
    for (index, one) in shown.iter().enumerate() {
        let top = HEAD + 40 + index as i32 * (PANEL + GAP);
        let room = Room { places: (top, top + PANEL), x: Axis::seconds(from, to, (LEFT, RIGHT), 10) };
        let panel = draw(&mut canvas, one, room);
        if index + 1 == shown.len() {
            panel.below(&mut canvas, "simulated time");
        }
    }
    Some(canvas)
}

/// A time on the horizontal axis.
pub(super) fn seconds(seconds: f64) -> String {
    human::time(libm::round(seconds * 1e9))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::stored::Stored;
    use crate::report::{Report, fixture};

    /// Measured from 2 s to 20 s in steps of 0.2 s, and played to 20.4 s.
    #[test]
    fn whole_steps_are_shown_from_the_first_that_is_measured_on() {
        let results = fixture::exchange();
        let Ok(Stored::Run(run)) = Stored::of(&Report::from(&results).tables()) else { panic!("it is a run's report") };
        let series = &run.flows[0];
        let window = Window::of(&run.summary, series);
        assert_eq!((window.load(), window.all().start, window.span(series).0), (10..100, 10, 2.0));
        assert_eq!(window.until(series, |step| step.offered > 0).all(), 10..100);
        assert_eq!(window.until(series, |_| true).all().end, series.steps.len());
    }
}
