//! Throughput against offered load, and the knee: beyond it, more load costs more latency than it brings throughput.
//!
//! The knee is where *power*, throughput over latency, is greatest: there a line from the origin just touches the curve of latency over
//! throughput (L. Kleinrock, "Power and deterministic rules of thumb for probabilistic problems in computer communications", Proc. ICC
//! 1979). It is found among the points that were played, and marked where there are points on both of its sides.

use crate::experiment::Unit;
use crate::report::human;
use crate::report::stored::{Measured, Point, Sweep};
use crate::report::style::clean;

use super::axis::Axis;
use super::canvas::Canvas;
use super::colour::{GREY, LINES};
use super::file_name;
use super::lines::{draw, places, series};
use super::pareto::{around, mark};
use super::scale::number;
use super::sheet::{HEAD, LEFT, Panel, RIGHT, page};

const THROUGHPUT: i32 = 520;
const LATENCY: i32 = 260;
const GAP: i32 = 160;
const MARK: i32 = 14;
/// Loads that differ by less than this factor are one load.
const VARIED: f64 = 1.2;
/// Of latency, the statistics that have panels.
const SHOWN: [&str; 5] = ["mean", "p50", "p90", "p99", "p99.9"];

/// A flow whose load is known at each point, and the places of its quantities.
struct Load<'s> {
    scope: &'s str,
    offered: usize,
    goodput: usize,
    /// Statistics of its latency.
    latency: Vec<(&'static str, usize)>,
}

/// A line: what the other factors are, and its points from the least load to the greatest.
struct Line<'s> {
    label: String,
    points: Vec<(f64, &'s Point)>,
    /// The place of the greatest power.
    best: Option<usize>,
}

impl Line<'_> {
    /// The knee: where power is greatest, if there are points on both sides of it.
    fn knee(&self) -> Option<(f64, &Point)> {
        let inner = |place: &usize| 0 < *place && place + 1 < self.points.len();
        self.best.filter(inner).map(|place| self.points[place])
    }

    /// What it is, and where its knee lies.
    fn entry(&self) -> String {
        let knee = match (self.best, self.knee()) {
            (_, Some((offered, _))) => format!("knee at {}", human::rate(offered)),
            (Some(0), None) => format!("knee below {}", human::rate(self.points[0].0)),
            (Some(last), None) => format!("knee above {}", human::rate(self.points[last].0)),
            (None, None) => return self.label.clone(),
        };
        if self.label.is_empty() { knee } else { format!("{}: {knee}", self.label) }
    }
}

/// A sheet for each flow, called `knee` where there is one.
pub(super) fn plots(sweep: &Sweep) -> Vec<(String, Canvas)> {
    let sheets = loads(sweep).into_iter().filter_map(|load| Some((load.scope, plot(sweep, &load)?)));
    let sheets: Vec<_> = sheets.collect();
    let is_alone = sheets.len() == 1;
    let name = |scope| if is_alone { "knee".to_owned() } else { format!("knee-{}", file_name(scope)) };
    sheets.into_iter().map(|(scope, canvas)| (name(scope), canvas)).collect()
}

/// The flows of which a sweep shows what was offered and what succeeded.
fn loads(sweep: &Sweep) -> Vec<Load<'_>> {
    let find = |name: String| sweep.quantities.iter().position(|quantity| *quantity == name);
    let rate = |scope: &str, metric: &str| {
        let place = find(format!("{scope}.{metric}")).or_else(|| find(format!("{scope}.{metric}.rate")))?;
        let is_rate = sweep.points.iter().all(|point| point.measured[place].unit == Unit::Rate);
        is_rate.then_some(place)
    };
    let scopes = sweep
        .quantities
        .iter()
        .filter_map(|quantity| quantity.strip_suffix(".goodput").or_else(|| quantity.strip_suffix(".goodput.rate")));
    let load = |scope| {
        let latency = SHOWN.iter().filter_map(|name| Some((*name, find(format!("{scope}.latency.{name}"))?)));
        let (offered, goodput) = (rate(scope, "offered")?, rate(scope, "goodput")?);
        Some(Load { scope, offered, goodput, latency: latency.collect() })
    };
    scopes.filter_map(load).collect()
}

impl Load<'_> {
    /// How a point stands: what was offered, and what succeeded.
    fn at(&self, point: &Point) -> Option<(f64, f64)> {
        point.measured[self.offered].finite().zip(point.measured[self.goodput].finite())
    }

    /// The lines along the factor that changes the load most.
    fn lines<'s>(&self, sweep: &'s Sweep) -> Option<Vec<Line<'s>>> {
        let along = |factor: usize| -> Vec<Line<'s>> {
            let lines = series(sweep, factor, &places(sweep, factor)).into_iter().map(|series| {
                let points = series.points.into_iter().map(|(_, point)| point);
                let known = points.filter_map(|point| Some((self.at(point)?.0, point)));
                let mut points: Vec<_> = known.collect();
                points.sort_by(|one, other| one.0.total_cmp(&other.0));
                Line { label: series.label, best: self.best(&points), points }
            });
            lines.collect()
        };
        let change = |lines: &[Line<'_>]| {
            let ends = lines.iter().filter_map(|line| Some((line.points.first()?.0, line.points.last()?.0)));
            ends.filter(|(least, _)| *least > 0.0).map(|(least, most)| most / least).fold(0.0, f64::max)
        };
        let all = (0..sweep.factors.len()).map(along).map(|lines| (change(&lines), lines));
        let most = all.max_by(|one, other| one.0.total_cmp(&other.0));
        most.filter(|(change, _)| *change >= VARIED).map(|(_, lines)| lines)
    }

    /// Where power is greatest.
    fn best(&self, points: &[(f64, &Point)]) -> Option<usize> {
        let &(_, latency) = self.latency.first()?;
        let power = |point: &Point| {
            let (_, goodput) = self.at(point)?;
            point.measured[latency].finite().filter(|time| *time > 0.0).map(|time| goodput / time)
        };
        let all = points.iter().enumerate().filter_map(|(place, (_, point))| Some((place, power(point)?)));
        let best = all.reduce(|best, next| if next.1 > best.1 { next } else { best });
        best.map(|(place, _)| place)
    }
}

fn plot(sweep: &Sweep, load: &Load<'_>) -> Option<Canvas> {
    let all = load.lines(sweep)?;
    let lines = &all[..all.len().min(LINES.len())];
    let offered = || lines.iter().flat_map(|line| line.points.iter().map(|(offered, _)| *offered));
    let has_knee = lines.iter().any(|line| line.knee().is_some());
    let scope = clean(load.scope, 60);
    let title = match has_knee {
        true => format!("Throughput of {scope} against offered load, and the knee"),
        false => format!("Throughput of {scope} against offered load"),
    };
    let mut legend: Vec<_> = lines.iter().map(Line::entry).zip(LINES).collect();
    legend.push(("all that is offered".to_owned(), GREY));
    let left_out = if all.len() > lines.len() {
        format!(" · {} more lines not shown", all.len() - lines.len())
    } else {
        String::new()
    };
    let height = HEAD + THROUGHPUT + GAP + load.latency.len() as i32 * (LATENCY + GAP) + 20;
    let played = format!("{} · bands: 95 % intervals{left_out}", sweep.played());
    let mut canvas = page(sweep.origin.names(), &played, height, &title, &legend);
    let horizontal = || Axis::from_zero(offered().fold(0.0, f64::max), (LEFT, RIGHT), 10);
    let measured = |column: usize| {
        lines.iter().map(move |line| {
            line.points.iter().map(|&(x, point)| (x, point.measured[column])).collect::<Vec<(f64, Measured)>>()
        })
    };
    let knees = |canvas: &mut Canvas, panel: &Panel, column: usize| {
        for (line, colour) in lines.iter().zip(LINES) {
            let Some((offered, point)) = line.knee() else { continue };
            let Some(value) = point.measured[column].finite() else { continue };
            mark(canvas, (panel.x.place(offered), panel.y.place(value)), MARK, colour, true);
        }
    };

    let top = HEAD + 40;
    let most = measured(load.goodput).flatten().filter_map(|(_, measured)| measured.finite()).fold(0.0, f64::max);
    let y = Axis::from_zero(most, (top + THROUGHPUT, top), 5);
    let panel = Panel { top, bottom: top + THROUGHPUT, x: horizontal(), y };
    panel.frame(&mut canvas, "goodput: messages that succeed per second", human::rate, human::rate);
    let end = panel.x.span().1.min(panel.y.span().1);
    panel.line(&mut canvas, [(0.0, Some(0.0)), (end, Some(end))].into_iter(), GREY, 3);
    draw(&mut canvas, &panel, measured(load.goodput));
    knees(&mut canvas, &panel, load.goodput);
    let caption = match (has_knee, load.latency.first()) {
        (true, Some((name, _))) => {
            format!(
                "offered load · hollow marks: the knee, where goodput / {name} latency is greatest (power, Kleinrock 1979)"
            )
        }
        _ => "offered load".to_owned(),
    };
    panel.below(&mut canvas, &caption);

    for (index, &(name, column)) in load.latency.iter().enumerate() {
        let top = top + THROUGHPUT + GAP + index as i32 * (LATENCY + GAP);
        let times = measured(column).flatten().filter_map(|(_, measured)| measured.finite()).collect::<Vec<_>>();
        let most = times.iter().copied().fold(0.0, f64::max);
        let y = around(times.into_iter(), (top + LATENCY, top), 4);
        let y = if y.is_log() { y } else { Axis::from_zero(most, (top + LATENCY, top), 4) };
        let scale = if y.is_log() { " (log scale)" } else { "" };
        let panel = Panel { top, bottom: top + LATENCY, x: horizontal(), y };
        panel.frame(&mut canvas, &format!("{name} of latency{scale}"), human::rate, |y| number(y, Unit::Time));
        draw(&mut canvas, &panel, measured(column));
        knees(&mut canvas, &panel, column);
        panel.below(&mut canvas, "offered load");
    }
    Some(canvas)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::File;
    use crate::report::stored::Stored;

    /// A sweep over the loads of one server that serves one message a second, with a `mean` time in milliseconds at each.
    fn sweep(loads: &[f64], mean: impl Fn(f64) -> Option<f64>) -> Sweep {
        let point = |load: &f64| {
            let measured = |value: Option<f64>, unit: &str| serde_json::json!({ "value": value, "low": null, "high": null, "unit": unit });
            serde_json::json!({
                "factors": { "load": load.to_string() }, "numbers": { "load": load }, "digest": "0",
                "quantities": {
                    "app.offered": measured(Some(*load), "per_s"), "app.goodput": measured(Some(load.min(1.0)), "per_s"),
                    "app.latency.mean": measured(mean(*load).map(|ms| ms * 1e6), "ns"),
                },
            })
        };
        let whole = serde_json::json!({
            "schema": 1, "version": "0", "title": "One server", "seed": 1,
            "factors": [{ "path": "load", "unit": "per_s", "scale": "linear" }],
            "quantities": ["app.goodput", "app.offered", "app.latency.mean"],
            "points": loads.iter().map(point).collect::<Vec<_>>(),
        });
        let file = File { name: "sweep.json".into(), bytes: whole.to_string().into_bytes() };
        match Stored::of(&[file]) {
            Ok(Stored::Sweep(sweep)) => sweep,
            other => panic!("{other:?}"),
        }
    }

    fn knee(sweep: &Sweep) -> (Option<f64>, String) {
        let loads = loads(sweep);
        let lines = loads[0].lines(sweep).expect("the load differs");
        (lines[0].knee().map(|(offered, _)| offered), lines[0].entry())
    }

    /// In M/M/1 the mean time is 1/(1 - load), so power is load (1 - load): greatest at a half (Kleinrock 1979).
    #[test]
    fn the_knee_of_a_single_server_is_at_half_its_capacity() {
        let mm1 = |load: f64| (load < 1.0).then(|| 1_000.0 / (1.0 - load));
        let loads = [0.9, 0.1, 0.3, 0.4, 0.5, 0.6, 0.8, 1.1];
        assert_eq!(knee(&sweep(&loads, mm1)), (Some(0.5), "knee at 0.5/s".into()));
        // Below it, each further message costs less time than it brings.
        assert_eq!(knee(&sweep(&loads[1..4], mm1)), (None, "knee above 0.4/s".into()));
        assert_eq!(knee(&sweep(&[0.6, 0.9], mm1)), (None, "knee below 0.6/s".into()));
        assert_eq!(knee(&sweep(&loads, |_| None)), (None, String::new()));
        assert_eq!(plots(&sweep(&loads, mm1)).len(), 1);
    }

    #[test]
    fn one_load_has_no_knee() {
        assert_eq!(plots(&sweep(&[0.5, 0.55], |_| Some(1.0))).len(), 0);
        assert_eq!(plots(&sweep(&[], |_| Some(1.0))).len(), 0);
    }
}
