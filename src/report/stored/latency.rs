//! `latency.csv`: how long messages take.

use serde::Deserialize;

use super::StoredError;
use super::rows::{each, finite};

/// One kind of times of a flow.
#[derive(Clone, Debug)]
pub(in crate::report) struct Latencies {
    pub flow: String,
    /// `latency`, `latency-all` and so on.
    pub metric: String,
    /// The distribution function: nanoseconds, and the share of the messages that are not slower.
    pub points: Vec<(f64, f64)>,
}

#[derive(Deserialize)]
struct Point {
    flow: String,
    metric: String,
    #[serde(deserialize_with = "finite")]
    share: f64,
    latency_ns: u64,
}

/// Reads the distribution functions of a table.
pub(super) fn read(file: &'static str, bytes: &[u8]) -> Result<Vec<Latencies>, StoredError> {
    let mut all: Vec<Latencies> = Vec::new();
    each(file, bytes, ("point", "cdf"), |row| {
        let Point { flow, metric, share, latency_ns } = row.read()?;
        let point = (latency_ns as f64, share);
        match all.last_mut().filter(|last| last.flow == flow && last.metric == metric) {
            Some(last) => last.points.push(point),
            None => all.push(Latencies { flow, metric, points: vec![point] }),
        }
        Ok(())
    })?;
    Ok(all)
}
