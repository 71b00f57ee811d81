//! `csv`: a row for each message, and for each that was sent for it, with where its time went.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::base::time::Span;
use crate::metrics::story::{Breakdown, Chapter, Entry, Part, Story};
use crate::report::VERSION;

use super::fact::end;
use super::stay::attempts;
use super::{Format, Trace};

pub(super) const FORMAT: Format = Format {
    name: "csv",
    extension: "csv",
    summary: "A table with a row for each message: how it ended, its latency and the parts of it",
    write,
};

/// What is known of one message of a story.
pub(super) struct Row {
    pub latency: Option<Span>,
    pub attempts: u64,
    pub end: String,
    /// The parts of its latency, in the order of [`Part::ALL`].
    pub parts: BTreeMap<Part, Span>,
}

impl Row {
    pub fn of(story: &Story, chapter: u32) -> Self {
        let own = below(story, chapter);
        let mut parts = BTreeMap::new();
        for share in Breakdown::of(&own).unwrap_or_default().shares {
            *parts.entry(share.part).or_insert(Span::ZERO) += share.time;
        }
        Self { latency: own.latency(), attempts: attempts(story, chapter), end: end(story, chapter), parts }
    }
}

/// The story of one of a story's messages: of itself, and of what was sent for it.
fn below(story: &Story, chapter: u32) -> Story {
    if chapter == 0 {
        return story.clone();
    }
    let mut places = BTreeMap::from([(chapter, 0)]);
    let mut chapters = vec![story.chapters[chapter as usize]];
    chapters[0].parent = None;
    // Whatever was sent for a message was offered after it.
    for (index, child) in story.chapters.iter().enumerate().skip(chapter as usize + 1) {
        if let Some(&parent) = child.parent.and_then(|parent| places.get(&parent)) {
            places.insert(index as u32, chapters.len() as u32);
            chapters.push(Chapter { parent: Some(parent), ..*child });
        }
    }
    let own = story.entries.iter().filter_map(|entry| {
        let chapter = *places.get(&entry.chapter)?;
        Some(Entry { chapter, ..*entry })
    });
    Story { entries: own.collect(), chapters }
}

/// What went wrong, as whoever writes to a pipe looks for it.
fn plain(error: ::csv::Error) -> io::Error {
    match error.into_kind() {
        ::csv::ErrorKind::Io(error) => error,
        kind => io::Error::other(format!("{kind:?}")),
    }
}

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let mut writer = ::csv::Writer::from_writer(out);
    let parts = Part::ALL.iter().map(|part| format!("{}_ns", part.name().replace('-', "_")));
    let first = ["message", "flow", "parent", "due_ns", "end", "latency_ns", "attempts"].map(String::from);
    let last = ["one_in", "scenario", "variant", "run", "seed", "version"].map(String::from);
    writer.write_record(first.into_iter().chain(parts).chain(last)).map_err(plain)?;
    let (cast, origin) = (&trace.traced.cast, &trace.origin);
    for story in &trace.traced.stories {
        for (index, chapter) in (0..).zip(&story.chapters) {
            let row = Row::of(story, index);
            let parent = chapter.parent.map(|parent| cast.message(story.chapters[parent as usize].message));
            let nanos = |span: Option<Span>| span.map_or(String::new(), |span| span.as_nanos().to_string());
            let parts = Part::ALL.iter().map(|part| {
                let of_part = row.latency.map(|_| row.parts.get(part).copied().unwrap_or(Span::ZERO));
                nanos(of_part)
            });
            let first = [
                cast.message(chapter.message),
                cast.flow(chapter.flow).into(),
                parent.unwrap_or_default(),
                chapter.due.as_nanos().to_string(),
                row.end.clone(),
                nanos(row.latency),
                row.attempts.to_string(),
            ];
            let last = [
                trace.traced.one_in.to_string(),
                origin.title.into(),
                origin.variant.unwrap_or_default().into(),
                origin.run.to_string(),
                origin.seed.to_string(),
                VERSION.into(),
            ];
            writer.write_record(first.into_iter().chain(parts).chain(last)).map_err(plain)?;
        }
    }
    writer.flush()
}
