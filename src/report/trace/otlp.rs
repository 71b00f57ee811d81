//! `otlp`: spans as OpenTelemetry exchanges them in JSON, for Jaeger, Tempo and whatever else reads OTLP.
//!
//! A story is a trace. A message is a span of kind client, or producer where nobody waits for an answer or somebody keeps it for others;
//! what a receiver does with a copy is a span of kind server or consumer below it; phases of both are internal spans. Time zero is the
//! beginning of the year 2000, since in OTLP a time of 0 says that there is none.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;

use crate::base::random::mix_all;
use crate::base::time::Time;
use crate::metrics::story::{Cast, Entry, Story, What};
use crate::process::{Close, Leg};

use super::fact::{Fact, Field, end};
use super::stay::{Role, Stay, find, of_entry};
use super::{Format, Trace};

pub(super) const FORMAT: Format = Format {
    name: "otlp",
    extension: "json",
    summary: "OpenTelemetry spans (OTLP in JSON), for Jaeger, Tempo and others; time 0 is 2000-01-01T00:00:00Z",
    write,
};

/// What times count from: 2000-01-01T00:00:00Z.
const EPOCH_NS: u64 = 946_684_800 * 1_000_000_000;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Span {
    trace_id: String,
    span_id: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    parent_span_id: String,
    name: String,
    kind: Kind,
    start_time_unix_nano: String,
    end_time_unix_nano: String,
    attributes: Vec<Attribute>,
    events: Vec<Event>,
    status: Status,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Event {
    time_unix_nano: String,
    name: &'static str,
    attributes: Vec<Attribute>,
}

#[derive(Serialize)]
struct Attribute {
    key: String,
    value: Value,
}

#[derive(Serialize)]
enum Value {
    #[serde(rename = "stringValue")]
    Text(String),
    /// As text, since numbers of JSON hold no 64 bits.
    #[serde(rename = "intValue")]
    Number(String),
    #[serde(rename = "boolValue")]
    Flag(bool),
}

#[derive(Serialize, Default)]
struct Status {
    #[serde(skip_serializing_if = "String::is_empty")]
    message: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<Code>,
}

/// A number of an enumeration of OTLP.
macro_rules! numbered {
    ($Type:ident { $($variant:ident = $number:literal,)* }) => {
        #[derive(Clone, Copy)]
        enum $Type {
            $($variant = $number,)*
        }

        impl Serialize for $Type {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_u8(*self as u8)
            }
        }
    };
}

numbered! { Kind { Internal = 1, Server = 2, Client = 3, Producer = 4, Consumer = 5, } }
numbered! { Code { Ok = 1, Error = 2, } }

fn write(trace: &Trace<'_>, out: &mut dyn Write) -> io::Result<()> {
    let cast = &trace.traced.cast;
    // By the first node of each group, so that groups keep their order.
    let mut groups: BTreeMap<&str, usize> = BTreeMap::new();
    let mut resources: Vec<(&str, Vec<Span>)> = Vec::new();
    for node in cast.nodes() {
        groups.entry(cast.group(node)).or_insert_with(|| {
            resources.push((cast.group(node), Vec::new()));
            resources.len() - 1
        });
    }
    for story in &trace.traced.stories {
        Spans::of(story, cast, trace.origin.seed).tell(|group, span| resources[groups[group]].1.push(span));
    }
    out.write_all(b"{\"resourceSpans\":[")?;
    let scope = serde_json::json!({ "name": "rehearsal", "version": crate::report::VERSION });
    for (index, (group, spans)) in resources.iter().enumerate() {
        let mut attributes = vec![text("service.name", *group)];
        let facts = trace.origin.facts().into_iter();
        attributes.extend(facts.map(|(name, value)| text(&format!("rehearsal.{name}"), value)));
        let attributes = serde_json::to_string(&attributes)?;
        let separator = if index == 0 { "" } else { "," };
        write!(
            out,
            "{separator}\n{{\"resource\":{{\"attributes\":{attributes}}},\"scopeSpans\":[{{\"scope\":{scope},"
        )?;
        out.write_all(b"\"spans\":[")?;
        for (index, span) in spans.iter().enumerate() {
            out.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut *out, span)?;
        }
        out.write_all(b"]}]}")?;
    }
    out.write_all(b"\n]}\n")
}

fn text(key: &str, value: impl Into<String>) -> Attribute {
    Attribute { key: key.into(), value: Value::Text(value.into()) }
}

fn attribute((key, field): (&'static str, Field)) -> Attribute {
    let value = match field {
        Field::Text(text) => Value::Text(text),
        Field::Number(number) => Value::Number(number.to_string()),
        Field::Flag(flag) => Value::Flag(flag),
    };
    Attribute { key: format!("rehearsal.{key}"), value }
}

fn nanos(time: Time) -> String {
    time.as_nanos().saturating_add(EPOCH_NS).to_string()
}

/// The spans of a story.
struct Spans<'a> {
    story: &'a Story,
    cast: &'a Cast,
    stays: Vec<Stay>,
    /// What all identifiers of this trace derive from.
    root: u64,
}

impl<'a> Spans<'a> {
    fn of(story: &'a Story, cast: &'a Cast, seed: u64) -> Self {
        let name = cast.message(story.root().message);
        let root = mix_all(std::iter::once(seed).chain(name.bytes().map(u64::from)));
        Self { story, cast, stays: Stay::all(story), root }
    }

    /// Hands over each span, with the group of its node.
    fn tell(&self, mut take: impl FnMut(&'a str, Span)) {
        let mut events: Vec<Vec<Event>> = self.stays.iter().map(|_| Vec::new()).collect();
        for entry in &self.story.entries {
            let Fact { name, fields } = Fact::of(&entry.what, self.cast);
            let place = of_entry(&self.stays, self.story, entry).filter(|_| is_event(&entry.what));
            let Some(place) = place else { continue };
            let name = if is_retry(self.story, entry) { "retry" } else { name };
            let attributes = fields.into_iter().map(attribute).collect();
            events[place].push(Event { time_unix_nano: nanos(entry.time), name, attributes });
        }
        for ((place, stay), events) in self.stays.iter().enumerate().zip(events) {
            let group = self.cast.group(stay.node);
            let parent = self.above(place).map_or(String::new(), |above| self.id(above, 0));
            let name = stay.name(self.story, self.cast);
            let status = self.status(stay);
            let span = self.span((place, 0), parent, name, self.kind(stay), (stay.begin, stay.end));
            take(group, Span { events, status, ..span });
            for (number, phase) in (1..).zip(&stay.phases) {
                let parent = self.id(place, 0);
                let times = (phase.begin, phase.end);
                let mut span = self.span((place, number), parent, phase.name.clone(), Kind::Internal, times);
                span.attributes.push(text("rehearsal.part", phase.name.clone()));
                take(group, span);
            }
        }
    }

    fn span(&self, id: (usize, u64), parent: String, name: String, kind: Kind, (begin, end): (Time, Time)) -> Span {
        let stay = &self.stays[id.0];
        let chapter = &self.story.chapters[stay.chapter as usize];
        let mut attributes = vec![
            text("rehearsal.message", self.cast.message(chapter.message)),
            text("rehearsal.flow", self.cast.flow(chapter.flow)),
            text("rehearsal.node", self.cast.node(stay.node)),
        ];
        attributes.extend(stay.attempt.map(|attempt| attribute(("attempt", Field::Number(attempt.into())))));
        Span {
            trace_id: format!("{:016x}{:016x}", mix_all([self.root, 1]) | 1, mix_all([self.root, 2])),
            span_id: self.id(id.0, id.1),
            parent_span_id: parent,
            name,
            kind,
            start_time_unix_nano: nanos(begin),
            end_time_unix_nano: nanos(end),
            attributes,
            events: Vec::new(),
            status: Status::default(),
        }
    }

    /// The identifier of a stay's span (phase 0), or of one of its phases. No identifier is 0.
    fn id(&self, place: usize, phase: u64) -> String {
        format!("{:016x}", mix_all([self.root, 3, place as u64, phase]).max(1))
    }

    /// The stay that another one is part of.
    fn above(&self, place: usize) -> Option<usize> {
        let stay = &self.stays[place];
        let owned =
            |chapter: u32| self.stays.iter().position(|stay| (stay.chapter, stay.role) == (chapter, Role::Owner));
        if stay.role != Role::Owner {
            return owned(stay.chapter);
        }
        let parent = self.story.chapters[stay.chapter as usize].parent?;
        let at = (parent, stay.node, stay.begin);
        find(&self.stays, at, |role| role == Role::Receiver, None).or_else(|| owned(parent))
    }

    fn kind(&self, stay: &Stay) -> Kind {
        let is_published = self
            .story
            .of_chapter(stay.chapter)
            .any(|entry| matches!(entry.what, What::Stored { .. } | What::Closed { why: Close::Sent }));
        match (stay.role, is_published) {
            (Role::Owner, true) => Kind::Producer,
            (Role::Owner, false) => Kind::Client,
            (Role::Receiver, true) => Kind::Consumer,
            (Role::Receiver, false) => Kind::Server,
            (Role::Keeper(_) | Role::Passer(_), _) => Kind::Internal,
        }
    }

    fn status(&self, stay: &Stay) -> Status {
        let Some(how) = &stay.how else { return Status::default() };
        let is_well = ["confirmed", "done"].contains(&how.as_str());
        let is_neither = ["sent", "not-needed", "stored", "released", "duplicate", "cancelled"].contains(&how.as_str());
        match (is_well, is_neither) {
            (true, _) => Status { code: Some(Code::Ok), ..Status::default() },
            (_, true) => Status::default(),
            _ if stay.role == Role::Owner => Status { message: end(self.story, stay.chapter), code: Some(Code::Error) },
            _ => Status { message: how.clone(), code: Some(Code::Error) },
        }
    }
}

/// Whether it is an event of a span: what spans begin with is none.
fn is_event(what: &What) -> bool {
    !matches!(what, What::Offered { .. } | What::Turned { .. } | What::Attempted)
}

/// Whether the owner sends a message again.
fn is_retry(story: &Story, entry: &Entry) -> bool {
    let is_owner = story.chapters[entry.chapter as usize].message.owner == entry.node;
    is_owner && matches!(entry.what, What::Sent { leg: Leg::Out, attempt: 2.., .. })
}
