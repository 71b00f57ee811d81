//! Stories as one JSON document: `stories.json`.
//!
//! ```text
//! rule       how they were chosen
//! stories    title, why, latency_ns (null if it has none), text, svg, parts: part, place, time_ns, which add up to the latency
//! ```

use crate::report::plot::story::{Origin, diagram};
use crate::report::style::Style;

use super::{Told, text};

#[derive(serde::Serialize)]
struct Document<'a> {
    rule: &'a str,
    stories: Vec<Telling>,
}

#[derive(serde::Serialize)]
struct Telling {
    title: String,
    why: String,
    latency_ns: Option<u64>,
    parts: Vec<PartOf>,
    text: String,
    svg: String,
}

#[derive(serde::Serialize)]
struct PartOf {
    part: &'static str,
    place: String,
    time_ns: u64,
}

/// The document.
pub(super) fn document<'a>(rule: &str, all: impl Iterator<Item = Told<'a>>, origin: &Origin<'_>) -> Vec<u8> {
    let stories = all.map(|told| telling(&told, origin)).collect();
    let mut bytes = serde_json::to_vec_pretty(&Document { rule, stories }).expect("texts and numbers are JSON");
    bytes.push(b'\n');
    bytes
}

fn telling(told: &Told<'_>, origin: &Origin<'_>) -> Telling {
    let part = |share: &crate::metrics::story::Share| PartOf {
        part: share.part.name(),
        place: told.cast.node(share.node).to_owned(),
        time_ns: share.time.as_nanos(),
    };
    Telling {
        title: told.headline(),
        why: told.why.clone(),
        latency_ns: told.story.latency().map(|latency| latency.as_nanos()),
        parts: told.breakdown.iter().flat_map(|breakdown| breakdown.shares.iter().map(part)).collect(),
        text: text::text(told, Style::Plain, false),
        svg: String::from_utf8(diagram(told, origin)).expect("a picture is text"),
    }
}
