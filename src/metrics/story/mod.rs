//! One message's story: all that was stated about it, and about what was sent for it, in the order of events.
//!
//! A story is a tree of *chapters*: the message that somebody offered of his own accord, and those that were offered on behalf of it,
//! each below the one that it was for. Its entries are what processes and the driver stated, and nothing else, so it cannot say
//! what did not happen.

mod attribution;
mod breakdown;
mod cast;
mod draws;
mod entry;
mod open;
mod part;
mod recorder;
mod sample;
mod search;

use crate::base::time::{Span, Time};
use crate::process::{Close, Flow, MessageId, Outcome};

pub use attribution::{Attribution, FlowAttribution, Point, Slice};
pub use breakdown::{Breakdown, Share};
pub use cast::Cast;
pub use entry::{Entry, What};
pub use part::Part;
pub use recorder::{Recorder, Subjects};
pub use sample::{Sample, Sampled};
pub use search::{Found, Quest, Search};

/// What is known of one message and of all that was sent for it.
#[derive(Clone, PartialEq, Debug)]
pub struct Story {
    /// The message itself, then those that were sent for it, in the order in which they were offered.
    pub chapters: Vec<Chapter>,
    /// What happened to any of them, in the order of events.
    pub entries: Vec<Entry>,
}

/// One message of a story.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Chapter {
    /// The message.
    pub message: MessageId,
    /// Its stream.
    pub flow: Flow,
    /// When it was due.
    pub due: Time,
    /// The chapter it was sent for; none for the first.
    pub parent: Option<u32>,
}

impl Story {
    /// A story that begins with this message.
    pub(super) fn of(message: MessageId, flow: Flow, due: Time) -> Self {
        Self { chapters: vec![Chapter { message, flow, due, parent: None }], entries: Vec::new() }
    }

    /// The message that it is about.
    pub fn root(&self) -> &Chapter {
        &self.chapters[0]
    }

    /// What happened to one of its messages, in the order of events.
    pub fn of_chapter(&self, chapter: u32) -> impl DoubleEndedIterator<Item = &Entry> {
        self.entries.iter().filter(move |entry| entry.chapter == chapter)
    }

    /// When the owner of one of its messages knew that it was handled well, if it ever did.
    pub fn known(&self, chapter: u32) -> Option<Time> {
        self.of_chapter(chapter).find(|entry| entry.what == What::Confirmed).map(|entry| entry.time)
    }

    /// Why and when the owner of one of its messages stopped waiting for it, if it did before it knew; a crash makes it forget.
    pub fn closed(&self, chapter: u32) -> Option<(Close, Time)> {
        let owner = self.chapters[chapter as usize].message.owner;
        let ends = self.of_chapter(chapter).filter_map(|entry| match entry.what {
            What::Confirmed => Some(None),
            What::Closed { why } => Some(Some((why, entry.time))),
            What::Down if entry.node == owner => Some(Some((Close::Forgotten, entry.time))),
            _ => None,
        });
        ends.into_iter().next().flatten()
    }

    /// When one of its messages was first received or handled, if it ever was.
    pub fn received(&self, chapter: u32) -> Option<Time> {
        let reached = |what: &What| matches!(what, What::Received { .. } | What::Handled { outcome: Outcome::Done });
        self.of_chapter(chapter).find(|entry| reached(&entry.what)).map(|entry| entry.time)
    }

    /// From due to known, or, where its owner asked for no confirmation, to first received.
    pub fn latency(&self) -> Option<Span> {
        let is_sent = |entry: &Entry| matches!(entry.what, What::Closed { why: Close::Sent });
        let end = self.known(0).or_else(|| self.of_chapter(0).any(is_sent).then(|| self.received(0)).flatten())?;
        Some(end.since(self.root().due))
    }

    /// When the last thing happened.
    pub fn end(&self) -> Time {
        self.entries.last().map_or(self.root().due, |entry| entry.time)
    }
}

#[cfg(test)]
mod tests;
