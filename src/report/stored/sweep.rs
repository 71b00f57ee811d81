//! `sweep.json`: what was varied, and what was measured at each point.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::experiment::Axis;

use super::StoredError;
use super::study::{Factor, Measured, Origin, digest, in_order, read};

/// A sweep.
#[derive(Clone, Debug)]
pub(in crate::report) struct Sweep {
    pub origin: Origin,
    /// What was varied.
    pub factors: Vec<Axis>,
    /// What was measured.
    pub quantities: Vec<String>,
    pub points: Vec<Point>,
}

/// A point of a sweep.
#[derive(Clone, Debug)]
pub(in crate::report) struct Point {
    /// What each factor is, as it would be written.
    pub labels: Vec<String>,
    /// The same as numbers, where they are numbers.
    pub numbers: Vec<Option<f64>>,
    /// Each quantity.
    pub measured: Vec<Measured>,
    digest: u64,
}

#[derive(Deserialize)]
struct Raw {
    factors: Vec<Factor>,
    quantities: Vec<String>,
    points: Vec<RawPoint>,
}

#[derive(Deserialize)]
struct RawPoint {
    factors: BTreeMap<String, String>,
    numbers: BTreeMap<String, Option<f64>>,
    quantities: BTreeMap<String, Measured>,
    #[serde(deserialize_with = "digest")]
    digest: u64,
}

impl Sweep {
    /// Reads it.
    pub fn read(file: &'static str, bytes: &[u8]) -> Result<Self, StoredError> {
        let (origin, Raw { factors, quantities, points }) = read(file, bytes)?;
        let factors: Vec<Axis> = factors.into_iter().map(|Factor(axis)| axis).collect();
        let paths = || factors.iter().map(|factor| factor.path.as_str());
        let point = |point: RawPoint| {
            Ok(Point {
                labels: in_order(file, paths(), point.factors)?,
                numbers: in_order(file, paths(), point.numbers)?,
                measured: in_order(file, quantities.iter().map(String::as_str), point.quantities)?,
                digest: point.digest,
            })
        };
        let points = points.into_iter().map(point).collect::<Result<_, _>>()?;
        Ok(Self { origin, factors, quantities, points })
    }

    /// How it was played, for the head of its plots.
    pub fn played(&self) -> String {
        let digests = self.points.iter().map(|point| point.digest);
        self.origin.line(&format!("{} points", self.points.len()), digests)
    }
}
