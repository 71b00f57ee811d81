//! The tables as they are embedded: numbers as the very texts that they are in the tables, so that nothing is rounded.

use std::collections::{BTreeMap, BTreeSet};

use serde::de::DeserializeOwned;
use serde_json::{Map, Value as Json};

use crate::scenario::plan::System;

use super::error::PageError;
use super::markup;

/// What every row of a table says again.
const REPEATED: [&str; 5] = ["scenario", "variant", "seed", "version", "digest"];

/// So many flows, stations or queues have curves; of those that follow, the tables tell.
const CURVES_MAX: usize = 40;

/// No more rows of a table are embedded; the table has them all.
const ROWS_MAX: usize = 20_000;

/// No more flows, stations, links and the like are shown; `summary.json` has them all.
const SCOPES_MAX: usize = 400;

/// Tables that hold curves, and the column that says whose they are.
const CURVES: [(&str, &str); 5] = [
    ("timeline.csv", "flow"),
    ("latency.csv", "flow"),
    ("utilisation.csv", "station"),
    ("depth.csv", "name"),
    ("attribution.csv", "flow"),
];

/// `summary.json`, and of its runs only what tells one from the other.
#[derive(serde::Deserialize)]
struct Summary {
    #[serde(default)]
    runs: Vec<Run>,
    #[serde(flatten)]
    rest: Map<String, Json>,
}

/// What tells a run from others.
#[derive(serde::Deserialize, serde::Serialize)]
struct Run {
    run: u32,
    seed: u64,
    digest: String,
    measured_from_ns: u64,
    measured_to_ns: u64,
    end_ns: u64,
}

/// A file of JSON, all numbers as texts.
pub(super) fn json(name: &str, bytes: &[u8]) -> Result<Json, PageError> {
    embeddable(name, read(name, bytes)?)
}

fn read<T: DeserializeOwned>(name: &str, bytes: &[u8]) -> Result<T, PageError> {
    serde_json::from_slice(bytes).map_err(|error| PageError::Damaged(name.into(), error.to_string()))
}

fn embeddable(name: &str, whole: Map<String, Json>) -> Result<Json, PageError> {
    match whole.get("schema") {
        Some(schema) if schema.as_u64() != Some(1) => Err(PageError::OtherSchema(name.into(), schema.to_string())),
        _ => {
            let mut whole = Json::Object(whole);
            as_texts(&mut whole);
            Ok(whole)
        }
    }
}

/// `summary.json`, of long lists the beginning; `left_out` says of how many no word is said.
pub(super) fn summary(name: &str, bytes: &[u8]) -> Result<Json, PageError> {
    let Summary { runs, mut rest } = read(name, bytes)?;
    rest.insert("runs".into(), serde_json::to_value(runs).expect("plain data is JSON"));
    let mut whole = embeddable(name, rest)?;
    let Some(total) = whole.get_mut("total").and_then(Json::as_object_mut) else {
        return Err(PageError::Damaged(name.into(), "it has no `total`".into()));
    };
    let mut left_out = 0;
    for list in total.values_mut().filter_map(Json::as_array_mut) {
        left_out += list.len().saturating_sub(SCOPES_MAX);
        list.truncate(SCOPES_MAX);
    }
    whole["left_out"] = left_out.to_string().into();
    Ok(whole)
}

/// `system.json`.
pub(super) fn system(name: &str, bytes: &[u8]) -> Result<System, PageError> {
    read(name, bytes)
}

/// How many messages a second go from whom to whom.
pub(super) fn rates(summary: &Json) -> BTreeMap<(String, String), f64> {
    let mut rates = BTreeMap::new();
    for flow in summary["total"]["flows"].as_array().into_iter().flatten() {
        let rate = flow["metrics"]["offered"]["rate_per_s"].as_str().and_then(|rate| rate.parse::<f64>().ok());
        let ends = (text(flow, "caller"), text(flow, "callee"));
        *rates.entry(ends).or_default() += rate.unwrap_or(0.0);
    }
    rates
}

/// A text under a name, if there is one.
pub(super) fn text(whole: &Json, name: &str) -> String {
    whole.get(name).and_then(Json::as_str).unwrap_or_default().to_owned()
}

/// Any table of a run.
pub(super) fn table(name: &str, bytes: &[u8]) -> Result<Json, PageError> {
    match name.rsplit_once('.') {
        Some((_, "csv")) => columns(name, bytes),
        Some((_, "json")) => json(name, bytes),
        _ => Ok(String::from_utf8_lossy(bytes).into_owned().into()),
    }
}

/// A table of CSV by columns, without those that are the same in all tables of a report, and without single runs.
fn columns(name: &str, bytes: &[u8]) -> Result<Json, PageError> {
    let damaged = |error: csv::Error| PageError::Damaged(name.into(), error.to_string());
    let mut reader = csv::Reader::from_reader(bytes);
    let header = reader.headers().map_err(damaged)?.clone();
    let kept: Vec<usize> = (0..header.len()).filter(|&place| !REPEATED.contains(&&header[place])).collect();
    let place = |wanted: &str| header.iter().position(|name| name == wanted);
    let run = place("run");
    let owner = CURVES.iter().find(|(known, _)| *known == name).and_then(|(_, owner)| place(owner));
    let owners = owner.map(|owner| owners(bytes, owner)).transpose().map_err(damaged)?;
    let mut columns: Vec<Vec<String>> = vec![Vec::new(); kept.len()];
    let mut left_out = 0_u64;
    for row in reader.records() {
        let row = row.map_err(damaged)?;
        if run.is_some_and(|run| &row[run] != "all") {
            continue;
        }
        let has_curve = owner.zip(owners.as_ref()).is_none_or(|(owner, owners)| owners.contains(&row[owner]));
        if !has_curve || columns.first().is_some_and(|first| first.len() >= ROWS_MAX) {
            left_out += 1;
            continue;
        }
        columns.iter_mut().zip(&kept).for_each(|(column, &place)| column.push(row[place].to_owned()));
    }
    let names: Vec<Json> = kept.iter().map(|&place| header[place].into()).collect();
    let columns: Vec<Json> = columns.into_iter().map(packed).collect();
    Ok(serde_json::json!({ "names": names, "columns": columns, "left_out": left_out.to_string() }))
}

/// Whose curves are shown: what clients ask for comes before what follows from that.
fn owners(bytes: &[u8], column: usize) -> Result<BTreeSet<String>, csv::Error> {
    let mut known = BTreeSet::new();
    let mut all: Vec<String> = Vec::new();
    for row in csv::Reader::from_reader(bytes).records() {
        let owner = &row?[column];
        if !known.contains(owner) {
            known.insert(owner.to_owned());
            all.push(owner.to_owned());
        }
    }
    all.sort_by_key(|owner| owner.contains("->"));
    Ok(all.into_iter().take(CURVES_MAX).collect())
}

/// A column: its texts, or, where few are told over and over, those and which stands where.
fn packed(column: Vec<String>) -> Json {
    let mut words: BTreeMap<&str, usize> = BTreeMap::new();
    for text in &column {
        let next = words.len();
        words.entry(text).or_insert(next);
        if words.len() * 4 > column.len() {
            return column.into();
        }
    }
    let at: Vec<Json> = column.iter().map(|text| words[text.as_str()].into()).collect();
    let mut texts = vec![""; words.len()];
    words.iter().for_each(|(text, &place)| texts[place] = text);
    serde_json::json!({ "words": texts, "at": at })
}

/// Numbers become the texts that stand for them.
fn as_texts(value: &mut Json) {
    match value {
        Json::Number(number) => *value = number.to_string().into(),
        Json::Array(items) => items.iter_mut().for_each(as_texts),
        Json::Object(entries) => entries.values_mut().for_each(as_texts),
        Json::Null | Json::Bool(_) | Json::String(_) => {}
    }
}

/// Everything that a page is about, as it may stand in a `<script>`.
pub(super) fn embedded(kind: &str, tables: Vec<(&str, Json)>) -> String {
    let tables: Map<String, Json> = tables.into_iter().map(|(name, table)| (name.to_owned(), table)).collect();
    let whole = serde_json::json!({ "kind": kind, "tables": tables });
    markup::inert(&whole.to_string())
}
