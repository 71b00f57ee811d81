//! `jsonl`: a line for each message, and for each that was sent for it, with all that happened to it.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::report::VERSION;

use super::csv::Row;
use super::fact::{Fact, Field};
use super::{Format, Trace};

pub(super) const FORMAT: Format = Format {
    name: "jsonl",
    extension: "jsonl",
    summary: "A line of JSON for each message: as csv, and all that happened to it, in order",
    write,
};

#[derive(Serialize)]
struct Line<'a> {
    message: String,
    flow: &'a str,
    parent: Option<String>,
    due_ns: u64,
    end: &'a str,
    latency_ns: Option<u64>,
    attempts: u64,
    parts_ns: BTreeMap<&'static str, u64>,
    events: Vec<Event<'a>>,
    one_in: u64,
    scenario: &'a str,
    variant: Option<&'a str>,
    run: u32,
    seed: u64,
    version: &'static str,
}

#[derive(Serialize)]
struct Event<'a> {
    time_ns: u64,
    node: &'a str,
    what: &'static str,
    #[serde(flatten)]
    fields: BTreeMap<&'static str, Field>,
}

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let (cast, origin) = (&trace.traced.cast, &trace.origin);
    for story in &trace.traced.stories {
        for (index, chapter) in (0..).zip(&story.chapters) {
            let row = Row::of(story, index);
            let events = story.of_chapter(index).map(|entry| {
                let Fact { name, fields } = Fact::of(&entry.what, cast);
                let node = cast.node(entry.node);
                Event { time_ns: entry.time.as_nanos(), node, what: name, fields: fields.into_iter().collect() }
            });
            let line = Line {
                message: cast.message(chapter.message),
                flow: cast.flow(chapter.flow),
                parent: chapter.parent.map(|parent| cast.message(story.chapters[parent as usize].message)),
                due_ns: chapter.due.as_nanos(),
                end: &row.end,
                latency_ns: row.latency.map(|latency| latency.as_nanos()),
                attempts: row.attempts,
                parts_ns: row.parts.iter().map(|(part, time)| (part.name(), time.as_nanos())).collect(),
                events: events.collect(),
                one_in: trace.traced.one_in,
                scenario: origin.title,
                variant: origin.variant,
                run: origin.run,
                seed: origin.seed,
                version: VERSION,
            };
            serde_json::to_writer(&mut *out, &line)?;
            out.write_all(b"\n")?;
        }
    }
    Ok(())
}
