//! `shiviz`: a log with vector clocks, for ShiViz and what else draws happened-before.
//!
//! The first two lines are what ShiViz reads before a log that is opened as a file: the expression by which events are found, and the
//! one by which executions are told apart. Each event of a node makes its own clock one larger; a copy that arrives brings the clock
//! that it left with.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::base::id::NodeId;
use crate::metrics::story::{Cast, Entry, What};
use crate::metrics::tap::Flights;
use crate::process::{Leg, Transit};
use crate::report::style::clean;

use super::fact::{Fact, Field};
use super::text::Quoted;
use super::{Format, Trace};

pub(super) const FORMAT: Format = Format {
    name: "shiviz",
    extension: "log",
    summary: "A log with vector clocks, for ShiViz (happened-before); readable for a few messages",
    write,
};

/// How events are found.
const EVENTS: &str = r"(?<host>\S*) (?<clock>{.*})\n(?<time>\d+) ns (?<event>.*)";

/// How executions are told apart.
const EXECUTIONS: &str = r"^=== (?<trace>.*) ===$";

/// A vector clock.
type Clock = BTreeMap<NodeId, u64>;

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let cast = &trace.traced.cast;
    writeln!(out, "{EVENTS}\n{EXECUTIONS}\n=== {} ===", clean(&trace.origin.line(), 1_000))?;
    let mut entries: Vec<(&Entry, Transit)> = Vec::new();
    for story in &trace.traced.stories {
        entries.extend(story.entries.iter().map(|entry| {
            let message = story.chapters[entry.chapter as usize].message;
            let (attempt, leg) = match entry.what {
                What::Sent { attempt, leg, .. }
                | What::Delivered { attempt, leg, .. }
                | What::NotDelivered { attempt, leg, .. } => (attempt, leg),
                _ => (0, Leg::Out),
            };
            (entry, Transit { message, attempt, leg })
        }));
    }
    // A stable sort: each story keeps its order.
    entries.sort_by_key(|(entry, _)| entry.time);
    let mut clocks: BTreeMap<NodeId, Clock> = BTreeMap::new();
    let mut flights: Flights<Clock> = Flights::default();
    for (entry, transit) in entries {
        let node = entry.node;
        let clock = clocks.entry(node).or_default();
        *clock.entry(node).or_default() += 1;
        match entry.what {
            What::Sent { to, .. } => flights.leaves(entry.time, (node, to, transit), clock.clone()),
            What::Delivered { from, .. } => {
                for (of, count) in flights.arrives((from, node, transit)).into_iter().flatten() {
                    let known = clock.entry(of).or_default();
                    *known = count.max(*known);
                }
            }
            What::NotDelivered { to, .. } => drop(flights.is_dropped(entry.time, (node, to, transit))),
            _ => {}
        }
        let mut separator = "";
        write!(out, "{} {{", host(cast, node))?;
        for (of, count) in &*clock {
            write!(out, "{separator}{}:{count}", Quoted(&host(cast, *of)))?;
            separator = ",";
        }
        let event = clean(&said(entry, transit, cast), 1_000);
        writeln!(out, "}}\n{} ns {event}", entry.time.as_nanos())?;
    }
    Ok(())
}

/// A node's name without any space.
fn host(cast: &Cast, node: NodeId) -> String {
    clean(cast.node(node), 200).chars().map(|c| if c.is_whitespace() { '_' } else { c }).collect()
}

/// What happened, in a line.
fn said(entry: &Entry, transit: Transit, cast: &Cast) -> String {
    let Fact { name, fields } = Fact::of(&entry.what, cast);
    let mut text = format!("{} {name}", cast.message(transit.message));
    for (name, field) in fields {
        match field {
            Field::Text(value) => text.push_str(&format!(", {name} {value}")),
            Field::Number(value) => text.push_str(&format!(", {name} {value}")),
            Field::Flag(true) => text.push_str(&format!(", {name}")),
            Field::Flag(false) => {}
        }
    }
    text
}
