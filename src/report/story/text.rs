//! A story for a terminal: how it ended, where its time went, and what happened.

use crate::metrics::story::Share;
use crate::report::bars::bar;
use crate::report::human;
use crate::report::style::{Role, Style, clean};

use super::Told;
use super::steps::{Step, steps};
use super::words::{NAME, span};

/// No story is narrower.
const NARROWEST: usize = 60;
/// The characters of a bar.
const BAR: usize = 24;
/// A story of more steps is told without its middle.
const STEPS: usize = 60;
/// So many of its first steps are told then, and so many of its last.
const ENDS: (usize, usize) = (34, 20);

/// The story as text; with every step of it if `all`.
pub(super) fn text(told: &Told<'_>, style: Style, all: bool) -> String {
    let mut text = String::new();
    for (role, paragraph) in [(Role::Title, told.headline()), (Role::Quiet, told.why.clone())] {
        for line in wrapped(&paragraph, style.width.max(NARROWEST)) {
            text.push_str(&format!("{}\n", style.paint(role, &line)));
        }
    }
    text.push_str(&breakdown(told, style));
    text.push_str(&timeline(told, style, all));
    style.charset.write(text)
}

/// Where its time went, the largest part first.
fn breakdown(told: &Told<'_>, style: Style) -> String {
    let Some(breakdown) = &told.breakdown else { return String::new() };
    let total = breakdown.total().as_nanos() as f64;
    let shares = &breakdown.shares;
    let heading = format!("Where {} went", span(breakdown.total()));
    let mut text = format!("\n{}\n", style.paint(Role::Heading, &heading));
    let place = |share: &Share| clean(told.cast.node(share.node), NAME);
    let width = shares.iter().map(|share| place(share).chars().count()).max().unwrap_or(0);
    let parts: Vec<f64> = shares.iter().map(|share| share.time.as_nanos() as f64 / total).collect();
    for (share, part) in shares.iter().zip(&parts) {
        let percent = if *part < 0.0005 { "<0.1%".into() } else { format!("{:.1}%", part * 100.0) };
        let (name, place, time) = (share.part.name(), place(share), span(share.time));
        let bar = style.paint(Role::Bar, &bar(*part, BAR));
        text.push_str(&format!("  {name:<14}  {place:<width$}  {time:>7}  {percent:>6}  {bar}\n"));
    }
    text
}

/// What happened, step by step.
fn timeline(told: &Told<'_>, style: Style, all: bool) -> String {
    let steps = steps(told.story, told.cast);
    let due = told.story.root().due;
    let heading = format!("What happened since it was due at {}", human::time(due.as_nanos() as f64));
    let mut text = format!("\n{}\n", style.paint(Role::Heading, &heading));
    let width = steps.iter().map(|step| told.cast.node(step.node).chars().count().min(NAME)).max().unwrap_or(0);
    let line = |step: &Step| {
        let (since, node) = (span(step.time.since(due)), clean(told.cast.node(step.node), NAME));
        let indent = 2 * step.depth.min(12);
        let before = 2 + 8 + 2 + width + 2 + indent;
        let mut line = format!("  {since:>8}  {node:<width$}  {:indent$}", "");
        for (index, part) in
            wrapped(&step.text, style.width.max(NARROWEST).saturating_sub(before).max(20)).iter().enumerate()
        {
            if index > 0 {
                line.push_str(&format!("\n{:before$}", ""));
            }
            line.push_str(&step.role.map_or_else(|| part.clone(), |role| style.paint(role, part)));
        }
        line.push('\n');
        line
    };
    if all || steps.len() <= STEPS {
        steps.iter().for_each(|step| text.push_str(&line(step)));
        return text;
    }
    let (first, rest) = steps.split_at(ENDS.0);
    let (middle, last) = rest.split_at(rest.len() - ENDS.1);
    first.iter().for_each(|step| text.push_str(&line(step)));
    let left_out = format!("  {:>8}  {} steps left out", "…", human::count(middle.len() as u64));
    text.push_str(&format!("{}\n", style.paint(Role::Quiet, &left_out)));
    last.iter().for_each(|step| text.push_str(&line(step)));
    text
}

/// Whether something of a story is left out unless all of it is asked for.
pub(super) fn is_long(told: &Told<'_>) -> bool {
    steps(told.story, told.cast).len() > STEPS
}

/// A text in lines of so many characters at the most, broken between words where there are any.
fn wrapped(text: &str, most: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split(' ') {
        let line = lines.last_mut().expect("there is always one");
        let length = line.chars().count();
        if length > 0 && length + 1 + word.chars().count() > most {
            lines.push(word.into());
        } else {
            if length > 0 {
                line.push(' ');
            }
            line.push_str(word);
        }
    }
    lines
}
