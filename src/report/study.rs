//! What the JSON of all studies has in common: what was varied, what each is, and what was measured.

use serde_json::{Map, Value as Json, json};

use crate::experiment::{Axis, Measured};
use crate::scenario::Better;

use super::metric::Value;
use super::sweep::unit_name;

/// A number, or null where there is none, or none that is finite.
pub(super) fn number(value: Option<f64>) -> Json {
    serde_json::to_value(Value::real(value)).expect("a number is JSON")
}

/// A value with the ends of its interval, and its unit; JSON has no infinity, so it is said where a value is infinite.
pub(super) fn measured(measured: &Measured) -> Json {
    let (low, high) = measured.interval.unzip();
    let mut said = json!({
        "value": number(measured.value), "low": number(low), "high": number(high), "unit": unit_name(measured.unit),
    });
    if measured.value == Some(f64::INFINITY) {
        said["is_infinite"] = true.into();
    }
    said
}

/// What was varied, in order, with how its numbers lie.
pub(super) fn factors(factors: &[Axis]) -> Json {
    let factor = |axis: &Axis| {
        let scale = if axis.is_log { "log" } else { "linear" };
        json!({ "path": axis.path, "unit": unit_name(axis.unit), "scale": scale })
    };
    factors.iter().map(factor).collect()
}

/// What each factor is, as it would be written.
pub(super) fn labels(factors: &[Axis], labels: &[String]) -> Map<String, Json> {
    factors.iter().zip(labels).map(|(factor, label)| (factor.path.clone(), label.as_str().into())).collect()
}

/// What each factor is as a number in its unit; null where it is none.
pub(super) fn numbers(factors: &[Axis], numbers: &[Option<f64>]) -> Map<String, Json> {
    factors.iter().zip(numbers).map(|(factor, value)| (factor.path.clone(), number(*value))).collect()
}

/// Which values are better: `lower`, `higher`, or null where neither is.
pub(super) fn better(better: Option<Better>) -> Json {
    match better {
        Some(Better::Lower) => "lower".into(),
        Some(Better::Higher) => "higher".into(),
        None => Json::Null,
    }
}
