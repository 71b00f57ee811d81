//! Scenario texts to results, and results to numbers.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use rehearsal::base::time::Span;
use rehearsal::experiment;
use rehearsal::metrics::{Histogram, RunResult, StationBook, Tally};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Overrides, Scenario, Style};

/// All runs of a scenario.
///
/// # Panics
/// When there is something wrong with it: the scenarios are ours.
pub fn play(text: &str) -> Vec<RunResult> {
    let source: BTreeMap<PathBuf, String> = [(PathBuf::from("scenario.toml"), text.to_owned())].into();
    let plan = Scenario::load(&source, Path::new("scenario.toml"), &Overrides::default()).and_then(Plan::new);
    let plan = plan.unwrap_or_else(|mistakes| panic!("{}\n{text}", mistakes.render(Style::Plain)));
    experiment::run(&plan, &mut |_| ControlFlow::Continue(())).unwrap_or_else(|error| panic!("{error}")).runs
}

/// The book of the first station.
pub fn station(run: &RunResult) -> &StationBook {
    &run.stations[0].book
}

/// What became of the first client's messages.
pub fn flow(run: &RunResult) -> &Tally {
    let flow = run.flows.iter().find(|flow| flow.is_client);
    &flow.expect("a scenario has a client").book.total
}

/// Two counts as a share.
pub fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// The book of a station, by its name.
pub fn named<'a>(run: &'a RunResult, name: &str) -> &'a StationBook {
    let found = run.stations.iter().find(|station| station.name == name);
    &found.unwrap_or_else(|| panic!("a station `{name}`")).book
}

/// How much the share above a quantile may be off, relative to itself, of so many that are independent: four standard errors,
/// and half a slot of the histogram, whose values count as a whole where it lies across the quantile. `steepness` is by how many
/// percent the share changes there when the quantile changes by one.
pub fn tail(share: f64, count: f64, steepness: f64) -> f64 {
    4.0 * libm::sqrt((1.0 - share) / share / count) + 0.002 * steepness
}

/// The share of times above a limit in nanoseconds.
pub fn above(times: &Histogram, limit: f64) -> f64 {
    1.0 - ratio(times.below(Span::from_nanos_f64(limit)), times.count())
}
