//! `compare.json` and `times.csv`: what was measured of each side, how it differs from the base, and how the times lie.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::report::compare::{News, how};
use crate::scenario::Better;

use super::StoredError;
use super::rows::{each, finite};
use super::study::{Measured, Origin, better, read};

/// A comparison.
#[derive(Clone, Debug)]
pub(in crate::report) struct Comparison {
    pub origin: Origin,
    /// The base first.
    pub sides: Vec<Side>,
    runs: u32,
    is_paired: bool,
}

/// One of those that are compared.
#[derive(Clone, Debug)]
pub(in crate::report) struct Side {
    pub name: String,
    runs: u32,
    /// What was measured, by name, and how it differs from the base.
    pub quantities: Vec<(String, Quantity)>,
    /// How its times lie.
    pub times: Vec<Times>,
}

/// A quantity of a side.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct Quantity {
    #[serde(flatten)]
    pub measured: Measured,
    /// By how much it is more than that of the base.
    #[serde(default)]
    pub difference: Option<f64>,
    /// Half the interval of that.
    #[serde(default)]
    pub half_width: Option<f64>,
    #[serde(default)]
    verdict: Option<String>,
    #[serde(deserialize_with = "better")]
    better: Option<Better>,
}

impl Quantity {
    /// Whether the difference is good news.
    pub fn news(&self) -> News {
        match (self.better, self.verdict.as_deref()) {
            (Some(Better::Lower), Some("lower")) | (Some(Better::Higher), Some("higher")) => News::Good,
            (Some(_), Some("lower" | "higher")) => News::Bad,
            _ => News::Neither,
        }
    }
}

/// Times of a side.
#[derive(Clone, Debug)]
pub(in crate::report) struct Times {
    /// Whose times of what.
    pub of: String,
    /// How many there are, with those that are slower than any.
    pub population: u64,
    /// The distribution function: nanoseconds, and the share that is not slower.
    pub points: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Raw {
    runs: u32,
    is_paired: bool,
    quantities: Vec<String>,
    sides: Vec<RawSide>,
}

#[derive(Deserialize)]
struct RawSide {
    name: String,
    runs: u32,
    quantities: BTreeMap<String, Quantity>,
}

#[derive(Deserialize)]
struct Row {
    side: usize,
    times: String,
    population: u64,
    #[serde(deserialize_with = "finite")]
    share: f64,
    time_ns: u64,
}

impl Comparison {
    /// Reads both files.
    pub fn read(
        (file, bytes): (&'static str, &[u8]),
        times: Option<(&'static str, &[u8])>,
    ) -> Result<Self, StoredError> {
        let (origin, Raw { runs, is_paired, quantities, sides }) = read(file, bytes)?;
        let side = |mut side: RawSide| {
            let own = quantities.iter().filter_map(|name| side.quantities.remove_entry(name));
            Side { quantities: own.collect(), name: side.name, runs: side.runs, times: Vec::new() }
        };
        let mut sides: Vec<Side> = sides.into_iter().map(side).collect();
        if sides.is_empty() {
            return Err(StoredError::damaged(file, None, "nothing is compared"));
        }
        let Some((name, bytes)) = times else {
            return Ok(Self { origin, sides, runs, is_paired });
        };
        each(name, bytes, ("point", "cdf"), |row| {
            let Row { side, times, population, share, time_ns } = row.read()?;
            let Some(side) = sides.get_mut(side) else {
                return Err(row.wrong(&format!("there is no side {side}")));
            };
            let point = (time_ns as f64, share);
            match side.times.last_mut().filter(|last| last.of == times) {
                Some(last) => last.points.push(point),
                None => side.times.push(Times { of: times, population, points: vec![point] }),
            }
            Ok(())
        })?;
        Ok(Self { origin, sides, runs, is_paired })
    }

    /// How it was played, for the head of its plots.
    pub fn played(&self) -> String {
        self.origin.played(&how(self.sides[0].runs, self.runs, self.is_paired))
    }
}
