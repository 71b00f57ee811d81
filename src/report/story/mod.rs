//! Stories of messages, told: as text, as a picture and as JSON.

mod ending;
#[cfg(test)]
pub(super) mod fixture;
mod flights;
mod json;
mod stays;
mod steps;
mod text;
mod words;

use std::cmp::Reverse;

use crate::experiment::{Results, Traced, Wish};
use crate::metrics::story::{Breakdown, Cast, Quest, Story};

use super::plot::story::{Origin, diagram};
use super::style::{Style, clean};
use super::{File, human};

pub(super) use flights::{Flight, Landing, flights};
pub(super) use stays::{Stay, Staying, stays};
pub(super) use words::closed;

/// A story, and what is said about it.
pub(super) struct Told<'a> {
    pub story: &'a Story,
    pub cast: &'a Cast,
    /// Why this one is told.
    pub why: String,
    /// Whether it is told to the end of the run, and not only until its owner knew.
    pub is_whole: bool,
    /// Where its time went, the largest part first, if it came to an end.
    pub breakdown: Option<Breakdown>,
}

impl<'a> Told<'a> {
    fn new(story: &'a Story, cast: &'a Cast, why: String) -> Self {
        let mut breakdown = Breakdown::of(story);
        if let Some(breakdown) = &mut breakdown {
            breakdown.shares.sort_by_key(|share| Reverse(share.time));
        }
        Self { story, cast, why, is_whole: false, breakdown }
    }

    /// The message's name, and that of its stream.
    pub fn name(&self) -> String {
        let root = self.story.root();
        let (name, flow) = (self.cast.message(root.message), self.cast.flow(root.flow));
        format!("{} ({})", clean(&name, 48), clean(flow, 48))
    }

    /// Which message it is, and how it ended.
    pub fn headline(&self) -> String {
        format!("{}: {}", self.name(), ending::ending(self.story, self.is_whole))
    }
}

/// Stories of a run that were asked for.
#[derive(Clone, Debug)]
pub struct StoryReport<'a> {
    title: &'a str,
    variant: Option<&'a str>,
    run: u32,
    traced: &'a Traced,
    reasons: Vec<String>,
    rule: String,
}

impl<'a> StoryReport<'a> {
    /// What was found in a `run` of the scenario with this title and variant, as it was wished.
    pub fn new(title: &'a str, variant: Option<&'a str>, run: u32, wish: &Wish, traced: &'a Traced) -> Self {
        let reasons = (0..traced.stories.len()).map(|index| reason(wish, traced, index)).collect();
        Self { title, variant, run, traced, reasons, rule: rule(wish, traced) }
    }

    fn told(&self) -> impl Iterator<Item = Told<'a>> + '_ {
        let all = self.traced.stories.iter().zip(&self.reasons);
        all.map(|(story, why)| Told { is_whole: true, ..Told::new(story, &self.traced.cast, why.clone()) })
    }

    fn origin(&self) -> Origin<'a> {
        let played = format!("seed {} · run {}", self.traced.seed, self.run);
        Origin { title: self.title, variant: self.variant, played }
    }

    /// Every story for a terminal, at most 100 columns wide; with every step if `all`.
    pub fn text(&self, style: Style, all: bool) -> String {
        let texts: Vec<String> = self.told().map(|told| text::text(&told, style, all)).collect();
        texts.join("\n\n")
    }

    /// Whether a story is longer than its text, unless all of it is asked for.
    pub fn leaves_out(&self) -> bool {
        self.told().any(|told| text::is_long(&told))
    }

    /// The picture of each story, as SVG.
    pub fn pictures(&self) -> Vec<Vec<u8>> {
        self.told().map(|told| diagram(&told, &self.origin())).collect()
    }

    /// All stories as one JSON document, which is also what a report keeps of its first run.
    pub fn json(&self) -> Vec<u8> {
        json::document(&self.rule, self.told(), &self.origin())
    }

    /// The files: `stories.json`, and of each story its text and its picture.
    pub fn files(&self, all: bool) -> Vec<File> {
        let mut files = vec![File { name: "stories.json".into(), bytes: self.json() }];
        for (number, told) in (1..).zip(self.told()) {
            let name = format!("stories/{number}-{}", file_name(&told));
            let text = text::text(&told, Style::PLAIN, all).into_bytes();
            files.push(File { name: format!("{name}.txt"), bytes: text });
            files.push(File { name: format!("{name}.svg"), bytes: diagram(&told, &self.origin()) });
        }
        files
    }
}

/// The message's name, as a file may be called on any system.
fn file_name(told: &Told<'_>) -> String {
    let message = told.story.root().message;
    let harmless = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    let node: String = told.cast.node(message.owner).chars().take(40).map(harmless).collect();
    format!("{}-{}", node.trim_matches('-'), message.number)
}

/// Why a story of a wish is told.
fn reason(wish: &Wish, traced: &Traced, index: usize) -> String {
    let among = traced.among.map(|among| format!("{} messages", human::count(among))).unwrap_or_default();
    let sampled = if traced.one_in > 1 { format!(", one in {} looked at", traced.one_in) } else { String::new() };
    match wish {
        Wish::Named(_) => "asked for by name".into(),
        Wish::Quest(Quest::Number(number)) => format!("message {number} of {among}, counted from 0"),
        Wish::Quest(Quest::Slowest(_)) if index == 0 => format!("the slowest of {among}"),
        Wish::Quest(Quest::Slowest(_)) => format!("the {} slowest of {among}", ordinal(index + 1)),
        Wish::Quest(Quest::Lost(_)) => format!("the {} of {among} that did not end well", ordinal(index + 1)),
        Wish::Quest(Quest::Percentile(share)) => {
            format!("at percentile {} of {among}{sampled}", human::number(share * 100.0))
        }
        Wish::Quest(Quest::Sample(_)) => format!("one in {} of {among}", traced.one_in),
    }
}

/// How the stories of a wish were chosen.
fn rule(wish: &Wish, traced: &Traced) -> String {
    let count = traced.stories.len();
    match wish {
        Wish::Named(_) => "The message with this name.".into(),
        Wish::Quest(Quest::Number(_)) => {
            "The message with this number, in the order in which they were offered.".into()
        }
        Wish::Quest(Quest::Slowest(_)) => format!("The {count} with the longest latency, the longest first."),
        Wish::Quest(Quest::Lost(_)) => format!("The first {count} that did not end well."),
        Wish::Quest(Quest::Percentile(_)) => "The one whose latency is this percentile of all.".into(),
        Wish::Quest(Quest::Sample(_)) => format!("One of {} messages, chosen by their names.", traced.one_in),
    }
}

fn ordinal(number: usize) -> String {
    let end = match (number % 10, number % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    if number == 1 { "first".into() } else { format!("{number}{end}") }
}

/// So many of the slowest are told in a report, and so many of those that did not end well.
const TOLD: usize = 3;

/// The stories of the first run, as JSON: the slowest, one in the middle, and the first that did not end well.
pub(super) fn of_run(results: &Results) -> Option<Vec<u8>> {
    let run = results.runs.first()?;
    let explained = run.explained.as_deref()?;
    let one_in = explained.attribution.one_in.max(1);
    let followed = if one_in > 1 { format!(" of those followed, one in {one_in}") } else { String::new() };
    let told = |story, why: String| Told::new(story, &explained.cast, why);
    let slowest = explained.slowest.iter().take(TOLD).enumerate().map(|(index, story)| {
        let which = if index == 0 { "the slowest".into() } else { format!("the {} slowest", ordinal(index + 1)) };
        told(story, format!("{which}{followed}"))
    });
    let typical =
        explained.typical.iter().take(1).map(|story| told(story, format!("in the middle by latency{followed}")));
    let unconfirmed = explained
        .unconfirmed
        .iter()
        .take(TOLD)
        .enumerate()
        .map(|(index, story)| told(story, format!("the {} that did not end well{followed}", ordinal(index + 1))));
    let all: Vec<_> = slowest.chain(typical).chain(unconfirmed).collect();
    if all.is_empty() {
        return None;
    }
    let followed = if one_in > 1 {
        format!("One of {one_in} messages of run {} was followed", run.run)
    } else {
        format!("All messages of run {} were followed", run.run)
    };
    let rule = format!(
        "{followed}. These are the {TOLD} slowest of them, one in the middle, and the first {TOLD} that did not end well, as \
         far as there are so many."
    );
    let played = format!("seed {} · run {}", run.seed, run.run);
    let origin = Origin { title: &results.title, variant: results.variant.as_deref(), played };
    Some(json::document(&rule, all.into_iter(), &origin))
}

#[cfg(test)]
mod tests;
