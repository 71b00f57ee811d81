//! Stories for other tools: each format is one file here, and one line in [`FORMATS`].
//!
//! An export is a pure function of a [`Trace`], written as it is made. Times are exact to the nanosecond everywhere, and every
//! name that a user chose is escaped as its format asks for it.

mod csv;
mod fact;
mod jsonl;
mod otlp;
mod pcapng;
mod perfetto;
mod shiviz;
mod stay;
mod text;

use std::io::{self, Write};

use crate::experiment::{Captured, Traced, Wish};
use crate::metrics::story::Quest;
use crate::scenario::plan::Plan;

use text::grouped;

/// Stories of a run, with what they are of.
#[derive(Clone, Debug)]
pub struct Trace<'a> {
    /// The run.
    pub origin: Origin<'a>,
    /// The stories, and who is who in them.
    pub traced: &'a Traced,
}

/// The run that something is of, and the rule by which it was chosen.
#[derive(Clone, Debug)]
pub struct Origin<'a> {
    /// The scenario's title.
    pub title: &'a str,
    /// The variant that was played, if any.
    pub variant: Option<&'a str>,
    /// The run, counted from 0.
    pub run: u32,
    /// Its seed.
    pub seed: u64,
    /// How the messages were chosen.
    pub rule: String,
}

/// A format that stories can be written in.
#[derive(Debug)]
pub struct Format {
    /// Its name.
    pub name: &'static str,
    /// How names of its files end.
    pub extension: &'static str,
    /// What it is, and what reads it.
    pub summary: &'static str,
    write: fn(&Trace<'_>, &mut dyn Write) -> io::Result<()>,
}

/// All formats.
pub const FORMATS: &[Format] =
    &[perfetto::FORMAT, otlp::FORMAT, pcapng::FORMAT, shiviz::FORMAT, csv::FORMAT, jsonl::FORMAT];

impl Format {
    /// The format of this name.
    pub fn named(name: &str) -> Option<&'static Self> {
        FORMATS.iter().find(|format| format.name == name)
    }

    /// Writes stories in this format.
    ///
    /// # Errors
    /// When they cannot be written.
    pub fn write(&self, trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
        (self.write)(trace, out)
    }
}

impl<'a> Trace<'a> {
    /// The stories that were wished for, of one run of a plan.
    pub fn of(plan: &'a Plan, run: u32, wish: &Wish, traced: &'a Traced) -> Self {
        Self { origin: Origin::of(plan, run, rule(wish, traced)), traced }
    }
}

impl<'a> Origin<'a> {
    /// One run of a plan, of which something was chosen by this rule.
    pub fn of(plan: &'a Plan, run: u32, rule: String) -> Self {
        Self { title: &plan.title, variant: plan.variant.as_deref(), run, seed: plan.seed_of(run), rule }
    }

    /// The run in one line of text.
    fn line(&self) -> String {
        let variant = self.variant.map_or(String::new(), |variant| format!(", variant {variant}"));
        format!("{}{variant}, run {}, seed {}: {}", self.title, self.run, self.seed, self.rule)
    }

    /// What is said of the run, by name.
    fn facts(&self) -> Vec<(&'static str, String)> {
        let mut facts = vec![("scenario", self.title.to_owned())];
        facts.extend(self.variant.map(|variant| ("variant", variant.to_owned())));
        facts.push(("run", self.run.to_string()));
        facts.push(("seed", self.seed.to_string()));
        facts.push(("rule", self.rule.clone()));
        facts.push(("version", super::VERSION.to_owned()));
        facts
    }
}

/// How the messages of some stories were chosen, in words.
fn rule(wish: &Wish, traced: &Traced) -> String {
    let told = traced.stories.len() as u64;
    let among = traced.among.map_or(String::new(), |among| format!(" of {}", grouped(among)));
    match wish {
        Wish::Named(name) => format!("the message {name}"),
        Wish::Quest(Quest::Number(number)) => format!("message {number}{among}, counted from 0"),
        Wish::Quest(Quest::Slowest(_)) => format!("the {} slowest{among} messages", grouped(told)),
        Wish::Quest(Quest::Lost(_)) if told == 0 => format!("messages that did not end well{among}: none"),
        Wish::Quest(Quest::Lost(_)) => format!("the first {}{among} messages that did not end well", grouped(told)),
        Wish::Quest(Quest::Percentile(share)) => {
            // Shares such as 0.07 are no exact percentages.
            let percentile = (share * 1e8).round() / 1e6;
            format!("the message at the {percentile} percentile of latency{among}")
        }
        Wish::Quest(Quest::Sample(_)) if traced.one_in == 1 => format!("all {} messages", grouped(told)),
        Wish::Quest(Quest::Sample(_)) => {
            let share = grouped(traced.one_in);
            format!("one of {share}{among} messages, by their names: {}", grouped(told))
        }
    }
}

/// Writes captured packets as a file for Wireshark.
///
/// # Errors
/// When they cannot be written.
pub fn write_packets(origin: &Origin<'_>, captured: &Captured, out: &mut dyn Write) -> io::Result<()> {
    pcapng::write_captured(origin, captured, out)
}

/// How packets were chosen, in words.
pub fn rule_of_packets(captured: &Captured) -> String {
    let taken = captured.packets.len() as u64;
    match captured.left_out {
        0 => format!("all {} packets", grouped(taken)),
        left_out => format!("the first {} of {} packets", grouped(taken), grouped(taken + left_out)),
    }
}
