//! What happened step by step: `timeline.csv`, `utilisation.csv`, `depth.csv`.

use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::StoredError;
use super::rows::{each, finite};

/// Rows of all runs together.
const ALL: (&str, &str) = ("run", "all");

/// Something over time.
#[derive(Clone, Debug)]
pub(in crate::report) struct Series<S> {
    pub name: String,
    /// The length of its steps in seconds.
    pub length: f64,
    /// The steps, with the seconds at which they begin.
    pub steps: Vec<(f64, S)>,
}

// A column has to be there, even where its fields are empty: by itself serde lets an `Option` be missing.

/// A flow in one step of time.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct FlowStep {
    pub offered: u64,
    pub sent: u64,
    pub goodput: u64,
    pub correct: u64,
    pub processed: u64,
    #[serde(rename = "latency_p50_ns", deserialize_with = "Option::deserialize")]
    pub p50: Option<u64>,
    #[serde(rename = "latency_p90_ns", deserialize_with = "Option::deserialize")]
    pub p90: Option<u64>,
    #[serde(rename = "latency_p99_ns", deserialize_with = "Option::deserialize")]
    pub p99: Option<u64>,
    #[serde(rename = "latency_p99.9_ns", deserialize_with = "Option::deserialize")]
    pub p999: Option<u64>,
}

/// A service in one step of time, all its nodes together.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct StationStep {
    /// Workers at work in the mean.
    #[serde(deserialize_with = "finite")]
    pub busy: f64,
    /// Requests waiting in the mean.
    #[serde(deserialize_with = "finite")]
    pub waiting: f64,
    /// Requests waiting at most.
    pub waiting_max: u64,
    /// How many workers there are, if that is limited.
    #[serde(deserialize_with = "Option::deserialize")]
    pub workers: Option<u64>,
}

/// What waits in one step of time.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::report) struct DepthStep {
    #[serde(deserialize_with = "finite")]
    pub mean: f64,
    pub max: u64,
}

/// A queue, or a group that reads topics.
#[derive(Clone, Debug)]
pub(in crate::report) struct Place {
    pub name: String,
    /// What waits, in a queue or before a group.
    pub waiting: Series<DepthStep>,
    /// What consumers of a queue have and have not acknowledged.
    pub unacked: Option<Series<DepthStep>>,
}

/// Whose step a row is, and when.
#[derive(Deserialize)]
struct Head {
    #[serde(alias = "flow", alias = "station")]
    name: String,
    #[serde(deserialize_with = "finite")]
    start_s: f64,
    #[serde(deserialize_with = "finite")]
    step_s: f64,
}

/// Which number of what a row of `depth.csv` is.
#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
struct Number {
    kind: Kind,
    metric: Metric,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Kind {
    Queue,
    Reader,
}

#[derive(Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Metric {
    Ready,
    Unacked,
    Lag,
}

impl<S> Series<S> {
    fn new(head: Head) -> Self {
        Self { name: head.name, length: head.step_s, steps: Vec::new() }
    }
}

/// Reads `timeline.csv`.
pub(super) fn flows(file: &'static str, bytes: &[u8]) -> Result<Vec<Series<FlowStep>>, StoredError> {
    all_of(file, bytes)
}

/// Reads `utilisation.csv`.
pub(super) fn stations(file: &'static str, bytes: &[u8]) -> Result<Vec<Series<StationStep>>, StoredError> {
    all_of(file, bytes)
}

fn all_of<S: DeserializeOwned>(file: &'static str, bytes: &[u8]) -> Result<Vec<Series<S>>, StoredError> {
    let mut all: Vec<Series<S>> = Vec::new();
    each(file, bytes, ALL, |row| {
        let head: Head = row.read()?;
        let step = (head.start_s, row.read()?);
        if all.last().is_none_or(|last| last.name != head.name) {
            all.push(Series::new(head));
        }
        all.last_mut().expect("one was put there").steps.push(step);
        Ok(())
    })?;
    Ok(all)
}

/// Reads `depth.csv`.
pub(super) fn places(file: &'static str, bytes: &[u8]) -> Result<Vec<Place>, StoredError> {
    let mut all: Vec<(Number, Series<DepthStep>)> = Vec::new();
    each(file, bytes, ALL, |row| {
        let (head, number): (Head, Number) = (row.read()?, row.read()?);
        let step = (head.start_s, row.read()?);
        if all.last().is_none_or(|(last, series)| (*last, &series.name) != (number, &head.name)) {
            all.push((number, Series::new(head)));
        }
        all.last_mut().expect("one was put there").1.steps.push(step);
        Ok(())
    })?;
    let mut places: Vec<Place> = Vec::new();
    for (number, series) in all {
        match places.last_mut() {
            Some(place) if number.metric == Metric::Unacked && place.name == series.name => {
                place.unacked = Some(series)
            }
            _ => places.push(Place { name: series.name.clone(), waiting: series, unacked: None }),
        }
    }
    Ok(places)
}
