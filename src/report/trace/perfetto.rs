//! `perfetto`: trace events in JSON, for ui.perfetto.dev and chrome://tracing.
//!
//! A group of nodes is a process, a node a thread. As a node has many messages in hand at a time and slices of a thread may only lie
//! within each other, a node has as many threads as it takes. Copies on their way are arrows (flow events) between the stays that they
//! left from and came to; what is no interval is an instant.

use std::collections::BTreeMap;
use std::io::{self, Write};

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::metrics::story::{Cast, Chapter, Story, What};
use crate::metrics::tap::{Packet, packets_of};
use crate::process::Leg;

use super::fact::{Fact, Field};
use super::stay::{Role, Stay, find, of_copy, of_entry};
use super::text::{Micros, Quoted};
use super::{Format, Trace};

pub(super) const FORMAT: Format = Format {
    name: "perfetto",
    extension: "json",
    summary: "Trace events, for ui.perfetto.dev and chrome://tracing: a process for each group, threads for each node",
    write,
};

/// An event: when, its rank among those of the same time (slices, then arrows, then instants), and its text.
type Event = (Time, u8, String);

/// A story with what is drawn of it.
struct Drawn<'a> {
    story: &'a Story,
    stays: Vec<Stay>,
    packets: Vec<Packet>,
    /// The thread of each stay.
    threads: Vec<Thread>,
}

/// A thread: the number of its process, and its own.
#[derive(Clone, Copy, Default)]
struct Thread {
    process: usize,
    number: usize,
}

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let cast = &trace.traced.cast;
    let mut drawn: Vec<Drawn<'_>> = trace.traced.stories.iter().map(draw).collect();
    out.write_all(b"{\"displayTimeUnit\":\"ns\",\"otherData\":{")?;
    for (index, (name, value)) in trace.origin.facts().iter().enumerate() {
        let separator = if index == 0 { "" } else { "," };
        write!(out, "{separator}{}:{}", Quoted(name), Quoted(value))?;
    }
    out.write_all(b"},\"traceEvents\":[\n")?;
    let mut separator = "";
    for line in threads(&mut drawn, cast) {
        write!(out, "{separator}{line}")?;
        separator = ",\n";
    }
    let mut events = Vec::new();
    let mut arrows = 0;
    for drawn in &drawn {
        slices(drawn, cast, &mut events);
        flows(drawn, &mut arrows, &mut events);
        instants(drawn, cast, &mut events);
    }
    // A stable sort: what encloses stands before what it encloses.
    events.sort_by_key(|(time, rank, _)| (*time, *rank));
    for (.., line) in events {
        write!(out, "{separator}{line}")?;
        separator = ",\n";
    }
    out.write_all(b"\n]}\n")
}

/// The stays of a story, with one for each copy that came or left where there was none.
fn draw(story: &Story) -> Drawn<'_> {
    let mut stays = Stay::all(story);
    let packets = packets_of(story);
    for packet in &packets {
        let arrived = packet.ends.iter().filter(|end| end.cause.is_none());
        let ends = std::iter::once((packet.from, packet.sent)).chain(arrived.map(|end| (packet.to, end.time)));
        for (node, time) in ends {
            let chapter = chapter_of(story, packet);
            if find(&stays, (chapter, node, time), |_| true, None).is_none() {
                let role = Role::Passer(packet.transit.leg);
                let attempt = Some(packet.transit.attempt as u8);
                stays.push(Stay { chapter, node, role, attempt, begin: time, end: time, how: None, phases: vec![] });
            }
        }
    }
    stays.sort_by_key(|stay| stay.begin);
    let threads = vec![Thread::default(); stays.len()];
    Drawn { story, stays, packets, threads }
}

fn chapter_of(story: &Story, packet: &Packet) -> u32 {
    let of = |chapter: &Chapter| chapter.message == packet.transit.message;
    story.chapters.iter().position(of).map_or(0, |place| place as u32)
}

/// Gives each stay a thread of its node, so that no two that overlap share one, and returns the events that name them.
fn threads(drawn: &mut [Drawn<'_>], cast: &Cast) -> Vec<String> {
    let mut of_node: BTreeMap<NodeId, Vec<(Time, Time, usize, usize)>> = BTreeMap::new();
    for (story, drawn) in drawn.iter().enumerate() {
        for (index, stay) in drawn.stays.iter().enumerate() {
            of_node.entry(stay.node).or_default().push((stay.begin, stay.end, story, index));
        }
    }
    let mut groups: Vec<&str> = Vec::new();
    for node in cast.nodes() {
        if groups.last() != Some(&cast.group(node)) {
            groups.push(cast.group(node));
        }
    }
    let mut lines = Vec::new();
    for (index, group) in groups.iter().enumerate() {
        lines.push(named("process_name", index + 1, 0, group));
        lines.push(sorted("process_sort_index", index + 1, 0, index));
    }
    // No thread has the number of a process, as it would count as that one's main thread.
    let mut number = groups.len();
    for (node, mut stays) in of_node {
        stays.sort();
        let process = groups.iter().position(|group| *group == cast.group(node)).map_or(0, |index| index + 1);
        let first = number + 1;
        let mut ends: Vec<Time> = Vec::new();
        for (begin, end, story, index) in stays {
            let lane = ends.iter().position(|last| *last < begin).unwrap_or(ends.len());
            if lane == ends.len() {
                ends.push(end);
                number += 1;
                let name = if lane == 0 { cast.node(node).into() } else { format!("{} +{lane}", cast.node(node)) };
                lines.push(named("thread_name", process, number, &name));
                lines.push(sorted("thread_sort_index", process, number, number));
            }
            ends[lane] = end;
            drawn[story].threads[index] = Thread { process, number: first + lane };
        }
    }
    lines
}

fn named(what: &str, process: usize, thread: usize, name: &str) -> String {
    let name = Quoted(name);
    format!(r#"{{"ph":"M","name":"{what}","pid":{process},"tid":{thread},"args":{{"name":{name}}}}}"#)
}

fn sorted(what: &str, process: usize, thread: usize, place: usize) -> String {
    format!(r#"{{"ph":"M","name":"{what}","pid":{process},"tid":{thread},"args":{{"sort_index":{place}}}}}"#)
}

/// The beginning of an event that is not about the trace itself.
fn head(phase: char, kind: &str, name: &str, thread: Thread, time: Time) -> String {
    let Thread { process, number } = thread;
    let (name, time) = (Quoted(name), Micros(time.as_nanos()));
    format!(r#"{{"ph":"{phase}","cat":"{kind}","name":{name},"pid":{process},"tid":{number},"ts":{time}"#)
}

fn slices(drawn: &Drawn<'_>, cast: &Cast, events: &mut Vec<Event>) {
    for (stay, &thread) in drawn.stays.iter().zip(&drawn.threads) {
        let chapter = &drawn.story.chapters[stay.chapter as usize];
        let mut args = vec![("message", cast.message(chapter.message)), ("flow", cast.flow(chapter.flow).into())];
        args.extend(chapter.parent.map(|of| ("for", cast.message(drawn.story.chapters[of as usize].message))));
        args.extend(stay.attempt.map(|attempt| ("attempt", attempt.to_string())));
        args.extend(stay.how.as_ref().map(|how| ("end", how.clone())));
        let args: Vec<_> = args.iter().map(|(name, value)| format!("{}:{}", Quoted(name), Quoted(value))).collect();
        let kind = match stay.role {
            Role::Owner => "message",
            Role::Receiver => "handling",
            Role::Keeper(_) => "place",
            Role::Passer(_) => "passing",
        };
        let name = stay.name(drawn.story, cast);
        let head_of = |kind: &str, name: &str, begin: Time, end: Time| {
            let length = Micros(end.since(begin).as_nanos());
            format!(r#"{},"dur":{length}"#, head('X', kind, name, thread, begin))
        };
        let slice = head_of(kind, &name, stay.begin, stay.end);
        events.push((stay.begin, 0, format!(r#"{slice},"args":{{{}}}}}"#, args.join(","))));
        for phase in &stay.phases {
            events.push((phase.begin, 0, head_of("phase", &phase.name, phase.begin, phase.end) + "}"));
        }
    }
}

/// An arrow for each copy that arrived.
fn flows(drawn: &Drawn<'_>, arrows: &mut u64, events: &mut Vec<Event>) {
    for packet in &drawn.packets {
        let chapter = chapter_of(drawn.story, packet);
        let thread = |node: NodeId, time: Time, is_departure: bool| {
            let place = of_copy(&drawn.stays, (chapter, node, time), packet.transit, is_departure);
            place.map(|place| drawn.threads[place])
        };
        let arrived: Vec<Time> = packet.ends.iter().filter(|end| end.cause.is_none()).map(|end| end.time).collect();
        let (Some(last), Some(from)) = (arrived.len().checked_sub(1), thread(packet.from, packet.sent, true)) else {
            continue;
        };
        *arrows += 1;
        let name = packet.transit.leg.name();
        events.push((packet.sent, 1, format!(r#"{},"id":{arrows}}}"#, head('s', "copy", name, from, packet.sent))));
        for (index, &time) in arrived.iter().enumerate() {
            let Some(to) = thread(packet.to, time, false) else { continue };
            let (phase, end) = if index == last { ('f', r#","bp":"e""#) } else { ('t', "") };
            let head = head(phase, "copy", name, to, time);
            events.push((time, 1, format!(r#"{head},"id":{arrows}{end}}}"#)));
        }
    }
}

/// What is no interval, and was not to be expected.
fn instants(drawn: &Drawn<'_>, cast: &Cast, events: &mut Vec<Event>) {
    for entry in &drawn.story.entries {
        let is_shown = match entry.what {
            What::NotDelivered { leg, .. } => leg != Leg::Cancel,
            What::AttemptFailed | What::LetGo { .. } | What::Down | What::PassedOver { .. } => true,
            _ => false,
        };
        if !is_shown {
            continue;
        }
        let place = of_entry(&drawn.stays, drawn.story, entry);
        let same = || drawn.stays.iter().position(|stay| (stay.chapter, stay.node) == (entry.chapter, entry.node));
        let Some(place) = place.or_else(same) else { continue };
        let Fact { name, fields } = Fact::of(&entry.what, cast);
        let message = cast.message(drawn.story.chapters[entry.chapter as usize].message);
        let mut args = format!(r#""message":{}"#, Quoted(&message));
        for (name, field) in fields {
            let value = match field {
                Field::Text(text) => Quoted(&text).to_string(),
                Field::Number(number) => number.to_string(),
                Field::Flag(flag) => flag.to_string(),
            };
            args.push_str(&format!(",{}:{value}", Quoted(name)));
        }
        let head = head('i', "event", name, drawn.threads[place], entry.time);
        events.push((entry.time, 2, format!(r#"{head},"s":"t","args":{{{args}}}}}"#)));
    }
}
