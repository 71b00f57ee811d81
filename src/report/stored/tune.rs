//! `tune.json`: what was tried, and what has become of it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::experiment::Axis;
use crate::scenario::Better;

use super::StoredError;
use super::study::{Factor, Measured, Origin, better, digest, in_order, read};

/// A tuning.
#[derive(Clone, Debug)]
pub(in crate::report) struct Tuning {
    pub origin: Origin,
    /// What was varied.
    pub factors: Vec<Axis>,
    /// What was to be best.
    pub objective: String,
    /// Which values of it are better.
    pub better: Better,
    /// All that were tried.
    pub candidates: Vec<Candidate>,
    /// The place of the best one.
    pub best: usize,
}

/// A setting that was tried.
#[derive(Clone, Debug)]
pub(in crate::report) struct Candidate {
    /// What each factor is, as it would be written.
    pub labels: Vec<String>,
    /// The same as numbers, where they are numbers.
    pub numbers: Vec<Option<f64>>,
    /// What was to be best.
    pub value: Measured,
    /// What had to hold.
    pub conditions: Vec<Condition>,
    /// Whether it was dropped before the end.
    pub is_dropped: bool,
    digest: u64,
}

/// What had to hold, and whether it does.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct Condition {
    pub quantity: String,
    pub condition: String,
    /// Which values are better, where there is a limit on one side only.
    #[serde(deserialize_with = "better")]
    pub better: Option<Better>,
    verdict: String,
    pub measured: Measured,
}

#[derive(Deserialize)]
struct Raw {
    factors: Vec<Factor>,
    objective: Objective,
    best: usize,
    candidates: Vec<RawCandidate>,
}

#[derive(Deserialize)]
struct Objective {
    quantity: String,
    aim: Aim,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Aim {
    Minimise,
    Maximise,
}

#[derive(Deserialize)]
struct RawCandidate {
    settings: BTreeMap<String, String>,
    numbers: BTreeMap<String, Option<f64>>,
    objective: Measured,
    conditions: Vec<Condition>,
    dropped_after: Option<u32>,
    #[serde(deserialize_with = "digest")]
    digest: u64,
}

impl Candidate {
    /// Whether it surely breaks a condition.
    pub fn breaks(&self) -> bool {
        self.conditions.iter().any(|condition| condition.verdict == "fail")
    }
}

impl Tuning {
    /// Reads it.
    pub fn read(file: &'static str, bytes: &[u8]) -> Result<Self, StoredError> {
        let (origin, Raw { factors, objective, best, candidates }) = read(file, bytes)?;
        let factors: Vec<Axis> = factors.into_iter().map(|Factor(axis)| axis).collect();
        let paths = || factors.iter().map(|factor| factor.path.as_str());
        let candidate = |candidate: RawCandidate| {
            Ok(Candidate {
                labels: in_order(file, paths(), candidate.settings)?,
                numbers: in_order(file, paths(), candidate.numbers)?,
                value: candidate.objective,
                conditions: candidate.conditions,
                is_dropped: candidate.dropped_after.is_some(),
                digest: candidate.digest,
            })
        };
        let candidates = candidates.into_iter().map(candidate).collect::<Result<Vec<_>, _>>()?;
        if best >= candidates.len() {
            return Err(StoredError::damaged(file, None, "the best of the candidates is none of them"));
        }
        let better = match objective.aim {
            Aim::Minimise => Better::Lower,
            Aim::Maximise => Better::Higher,
        };
        Ok(Self { origin, factors, objective: objective.quantity, better, candidates, best })
    }

    /// The best one.
    pub fn winner(&self) -> &Candidate {
        &self.candidates[self.best]
    }

    /// How it was played, for the head of its plots.
    pub fn played(&self) -> String {
        let digests = self.candidates.iter().map(|candidate| candidate.digest);
        self.origin.line(&format!("{} candidates", self.candidates.len()), digests)
    }
}
