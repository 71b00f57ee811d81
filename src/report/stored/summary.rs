//! `summary.json`: which runs they were, what became of the messages, and when faults struck.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use crate::base::time::Span;
use crate::report::style::clean;
use crate::report::summary::SCHEMA;
use crate::report::total::heading;

use super::StoredError;

/// What is told of some runs.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct Summary {
    pub version: String,
    pub title: String,
    pub variant: Option<String>,
    pub seed: u64,
    pub digest: String,
    /// How many there were.
    pub runs_played: u32,
    total: Total,
    runs: Vec<Run>,
}

/// All runs together.
#[derive(Clone, Debug, Deserialize)]
struct Total {
    flows: Vec<Flow>,
    faults: Vec<Fault>,
}

/// When a run was measured.
#[derive(Clone, Debug, Deserialize)]
struct Run {
    measured_from_ns: u64,
    measured_to_ns: u64,
    end_ns: u64,
}

/// A flow.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct Flow {
    pub name: String,
    callee: String,
    metrics: BTreeMap<String, BTreeMap<String, Value>>,
}

/// A fault.
#[derive(Clone, Debug, Deserialize)]
pub(in crate::report) struct Fault {
    pub name: String,
    /// When it struck and healed, as far as all runs agree.
    pub strikes: Option<Vec<Strike>>,
}

/// When a fault struck, and healed if it did before the end of the run.
#[derive(Clone, Copy, Debug, Deserialize)]
pub(in crate::report) struct Strike {
    from_ns: u64,
    to_ns: Option<u64>,
}

/// What tells which schema it is, whatever else there may be.
#[derive(Deserialize)]
struct Schema {
    schema: u32,
}

impl Summary {
    pub(super) fn read(file: &'static str, bytes: &[u8]) -> Result<Self, StoredError> {
        let damaged = |error: serde_json::Error| StoredError::damaged(file, None, clean(&error.to_string(), 200));
        let Schema { schema } = serde_json::from_slice(bytes).map_err(damaged)?;
        if schema != SCHEMA {
            return Err(StoredError::schema(file, schema, SCHEMA));
        }
        let mut summary: Self = serde_json::from_slice(bytes).map_err(damaged)?;
        summary.total.flows.sort_by_key(Flow::is_inner);
        Ok(summary)
    }

    /// The flows: those of clients, and then those of services, each in the order of the scenario.
    pub fn flows(&self) -> &[Flow] {
        &self.total.flows
    }

    /// The faults, in the order of the scenario.
    pub fn faults(&self) -> &[Fault] {
        &self.total.faults
    }

    /// The seconds from which and to which some run was measured.
    pub fn measured(&self) -> Option<(f64, f64)> {
        let from = self.runs.iter().map(|run| run.measured_from_ns).min()?;
        let to = self.runs.iter().map(|run| run.measured_to_ns).max()?;
        Some((seconds(from), seconds(to)))
    }

    /// The seconds at which the first run was over.
    pub fn played(&self) -> Option<f64> {
        self.runs.iter().map(|run| run.end_ns).min().map(seconds)
    }
}

impl Flow {
    /// Whether services send it, for whom clients ask: so it is named after both ends.
    fn is_inner(&self) -> bool {
        self.name.contains("->")
    }

    /// How often this happened; what is not told never did.
    pub fn count(&self, metric: &str) -> u64 {
        self.metrics.get(metric).and_then(|metric| metric.get("count")).and_then(Value::as_u64).unwrap_or(0)
    }

    /// What it is called above its numbers.
    pub fn heading(&self) -> String {
        heading(&self.name, &self.callee)
    }
}

impl Strike {
    /// The seconds from which and to which.
    pub fn span(&self) -> (f64, f64) {
        (seconds(self.from_ns), self.to_ns.map_or(f64::INFINITY, seconds))
    }
}

/// As times in tables are written: so that both are the same number.
fn seconds(nanos: u64) -> f64 {
    Span::from_nanos(nanos).as_secs_f64()
}
