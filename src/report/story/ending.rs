//! How a story ended, in a few words.

use crate::metrics::story::{Story, What};
use crate::process::{Close, Outcome};

use super::words::{closed, span};

/// How the story's own message ended; `is_whole` if the story goes on to the end of the run.
pub(super) fn ending(story: &Story, is_whole: bool) -> String {
    let due = story.root().due;
    let is_confirmed = story.known(0).is_some();
    let is_handled = story.of_chapter(0).any(|entry| entry.what == What::Handled { outcome: Outcome::Done });
    if let Some(latency) = story.latency() {
        let how = if is_confirmed { "confirmed" } else { "received" };
        let but = if is_whole && !is_handled { ", and never processed" } else { "" };
        return format!("{how} after {}{but}", span(latency));
    }
    let all_the_same = if is_handled { "; handled all the same" } else { "" };
    match story.closed(0) {
        Some((Close::Sent, _)) => "never received, and nobody asked".into(),
        Some((why, time)) => {
            let (how, reason) = closed(why).split_once(": ").unwrap_or((closed(why), ""));
            let colon = if reason.is_empty() { "" } else { ": " };
            format!("{how} after {}{colon}{reason}{all_the_same}", span(time.since(due)))
        }
        None if is_handled => "handled, and never confirmed".into(),
        None => "still under way when the run ended".into(),
    }
}
