//! Services over simulated time: the share of their workers that is at work, and below it what waits for one, where anything does.

use crate::report::human;
use crate::report::stored::{Run, Series, StationStep};
use crate::report::style::clean;

use super::axis::Axis;
use super::bands;
use super::canvas::Canvas;
use super::colour::{BLUE, GREEN, SKY};
use super::over_time::{Shown, Window, panels, points, seconds};

/// More services than this are no picture: each has two panels.
const MOST: usize = 6;

/// What a panel shows of a service.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Aspect {
    /// Workers at work, of so many.
    Busy(Option<u64>),
    Waiting,
}

pub(super) fn plot(run: &Run) -> Option<Canvas> {
    let workers = |series: &Series<StationStep>| series.steps.first().and_then(|(_, step)| step.workers);
    let is_used = |series: &&Series<StationStep>| series.steps.iter().any(|(_, step)| step.busy > 0.0);
    let used: Vec<_> = run.stations.iter().filter(is_used).collect();
    let services = &used[..used.len().min(MOST)];
    let still = |step: &StationStep| step.busy > 0.0 || step.waiting_max > 0;
    let ends = services.iter().map(|series| Window::of(&run.summary, series).until(series, still).all().end);
    let end = ends.max().unwrap_or(0);
    let mut shown = Vec::new();
    for &series in services {
        let window = Window::of(&run.summary, series).to(end.min(series.steps.len()));
        shown.push(Shown { what: Aspect::Busy(workers(series)), series, window });
        if series.steps.iter().any(|(_, step)| step.waiting_max > 0) {
            shown.push(Shown { what: Aspect::Waiting, series, window });
        }
    }
    let mut legend = vec![("workers at work", GREEN)];
    if shown.iter().any(|panel| panel.what == Aspect::Waiting) {
        legend.extend([("requests waiting", BLUE), ("most waiting", SKY)]);
    }
    let left_out = (used.len() - services.len(), "services");
    panels(run, &shown, left_out, "Services at work over time", &legend, |canvas, service, room| {
        let (series, steps) = (service.series, service.window.all());
        let name = clean(&series.name, 80);
        let most = |of: fn(&StationStep) -> f64| {
            series.steps[steps.clone()].iter().map(|(_, step)| of(step)).fold(0.0, f64::max)
        };
        let panel = room.panel(|places| match service.what {
            Aspect::Busy(Some(_)) => Axis::from_zero(1.0, places, 4),
            Aspect::Busy(None) => Axis::from_zero(most(|step| step.busy), places, 4),
            Aspect::Waiting => Axis::from_zero(most(|step| step.waiting_max as f64), places, 4),
        });
        bands::draw(canvas, &panel, run.summary.faults());
        match service.what {
            Aspect::Busy(Some(workers)) => {
                let heading = format!("{name} — share of workers at work (of {})", human::count(workers));
                panel.frame(canvas, &heading, seconds, human::percent_mark);
                panel.line(canvas, points(series, steps, |step| Some(step.busy / workers.max(1) as f64)), GREEN, 4);
            }
            Aspect::Busy(None) => {
                panel.frame(canvas, &format!("{name} — workers at work, of any number"), seconds, human::number);
                panel.line(canvas, points(series, steps, |step| Some(step.busy)), GREEN, 4);
            }
            Aspect::Waiting => {
                let heading = format!("{name} — requests waiting, in the mean and at most");
                panel.frame(canvas, &heading, seconds, human::number);
                panel.line(canvas, points(series, steps.clone(), |step| Some(step.waiting_max as f64)), SKY, 2);
                panel.line(canvas, points(series, steps, |step| Some(step.waiting)), BLUE, 4);
            }
        }
        panel
    })
}
