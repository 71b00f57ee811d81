//! Spans: names and types of fields are those of OTLP's mapping to JSON, and each span's parent is there.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde_json::Value;

use super::played::{Played, exported, hostile, systems};

type Object = serde_json::Map<String, Value>;

fn object<'a>(value: &'a Value, known: &[&str]) -> &'a Object {
    let fields = value.as_object().unwrap();
    let unknown = fields.keys().find(|name| !known.contains(&name.as_str()));
    assert_eq!(unknown, None, "{value}");
    fields
}

fn hex(value: &Value, digits: usize) -> String {
    let text = value.as_str().unwrap();
    let is_hex = |c: char| c.is_ascii_digit() || ('a'..='f').contains(&c);
    assert!(text.len() == digits && text.chars().all(is_hex) && text.chars().any(|c| c != '0'), "{text}");
    text.to_owned()
}

/// What is a number of 64 bits in OTLP is text in JSON.
fn number(value: &Value) -> u64 {
    value.as_str().unwrap().parse().unwrap()
}

fn attributes(value: &Value) -> BTreeMap<String, String> {
    let mut found = BTreeMap::new();
    for attribute in value.as_array().unwrap() {
        let fields = object(attribute, &["key", "value"]);
        let value = object(&fields["value"], &["stringValue", "intValue", "boolValue"]);
        assert_eq!(value.len(), 1);
        let text = match value.iter().next().unwrap() {
            (name, value) if name == "boolValue" => value.as_bool().unwrap().to_string(),
            (name, value) if name == "intValue" => value.as_str().unwrap().parse::<i64>().unwrap().to_string(),
            (_, value) => value.as_str().unwrap().to_owned(),
        };
        let key = fields["key"].as_str().unwrap().to_owned();
        assert_eq!(found.insert(key, text), None, "{attribute} is said twice");
    }
    found
}

/// Checks all spans, and counts them by kind.
fn check(played: &Played) -> BTreeMap<u64, usize> {
    let traces: Value = serde_json::from_slice(&exported(played, "otlp")).unwrap();
    let mut spans = BTreeSet::new();
    let mut parents = Vec::new();
    let mut kinds = BTreeMap::new();
    let mut services = BTreeSet::new();
    for resource in object(&traces, &["resourceSpans"])["resourceSpans"].as_array().unwrap() {
        let resource = object(resource, &["resource", "scopeSpans"]);
        let service = attributes(&object(&resource["resource"], &["attributes"])["attributes"]);
        assert!(services.insert(service["service.name"].clone()), "one resource for each group");
        assert!(service.contains_key("rehearsal.rule") && service.contains_key("rehearsal.seed"));
        for scope in resource["scopeSpans"].as_array().unwrap() {
            let scope = object(scope, &["scope", "spans"]);
            assert_eq!(object(&scope["scope"], &["name", "version"])["name"], "rehearsal");
            for span in scope["spans"].as_array().unwrap() {
                let known = ["traceId", "spanId", "parentSpanId", "name", "kind", "startTimeUnixNano"];
                let known = [&known[..], &["endTimeUnixNano", "attributes", "events", "status"]].concat();
                let span = object(span, &known);
                let trace = hex(&span["traceId"], 32);
                assert!(spans.insert((trace.clone(), hex(&span["spanId"], 16))), "an identifier is given once");
                match span.get("parentSpanId") {
                    Some(parent) => parents.push((trace, hex(parent, 16))),
                    None => assert!([3, 4].contains(&span["kind"].as_u64().unwrap()), "who offers a message begins"),
                }
                assert!(span["name"].is_string());
                let kind = span["kind"].as_u64().unwrap();
                assert!((1..=5).contains(&kind));
                *kinds.entry(kind).or_default() += 1;
                let (begin, end) = (number(&span["startTimeUnixNano"]), number(&span["endTimeUnixNano"]));
                assert!(946_684_800_000_000_000 <= begin && begin <= end);
                assert!(attributes(&span["attributes"]).contains_key("rehearsal.message"));
                for event in span["events"].as_array().unwrap() {
                    let event = object(event, &["timeUnixNano", "name", "attributes"]);
                    assert!((begin..=end).contains(&number(&event["timeUnixNano"])));
                    assert!(event["name"].is_string());
                    attributes(&event["attributes"]);
                }
                let status = object(&span["status"], &["message", "code"]);
                let code = status.get("code").map_or(0, |code| code.as_u64().unwrap());
                assert!(code <= 2 && (code == 2 || !status.contains_key("message")));
            }
        }
    }
    assert_eq!(parents.iter().find(|parent| !spans.contains(*parent)), None, "each parent is there");
    let roots = spans.iter().map(|(trace, _)| trace).collect::<BTreeSet<_>>().len();
    assert_eq!(spans.len() - parents.len(), roots, "each trace has one root");
    assert_eq!(roots, played.traced.stories.len());
    kinds
}

#[test]
fn spans_are_what_opentelemetry_says() {
    for (name, played) in systems() {
        let kinds = check(&played);
        let expected: &[u64] = if name == "calls" { &[1, 2, 3] } else { &[1, 4, 5] };
        assert_eq!(kinds.keys().copied().collect::<Vec<_>>(), expected, "{name}");
    }
    check(&hostile());
}

/// Time that counts for a latency was spent in some phase: nothing that a message waited for or that was done with it is left out.
#[test]
fn phases_hold_what_latencies_are_made_of() {
    for (name, played) in systems() {
        let traces: Value = serde_json::from_slice(&exported(&played, "otlp")).unwrap();
        let all = traces["resourceSpans"].as_array().unwrap().iter().flat_map(|resource| {
            resource["scopeSpans"].as_array().unwrap().iter().flat_map(|scope| scope["spans"].as_array().unwrap())
        });
        let mut roots = BTreeMap::new();
        let mut phases: BTreeMap<(&str, String), u64> = BTreeMap::new();
        for span in all {
            let attributes = attributes(&span["attributes"]);
            let trace = span["traceId"].as_str().unwrap();
            if span.get("parentSpanId").is_none() {
                roots.insert(attributes["rehearsal.message"].clone(), trace);
            }
            if let Some(part) = attributes.get("rehearsal.part") {
                let time = number(&span["endTimeUnixNano"]) - number(&span["startTimeUnixNano"]);
                *phases.entry((trace, part.clone())).or_default() += time;
            }
        }
        let mut checked = 0;
        let rows = exported(&played, "csv");
        for row in csv::Reader::from_reader(&*rows).deserialize() {
            let row: BTreeMap<String, String> = row.unwrap();
            let Some(&trace) = roots.get(&row["message"]) else { continue };
            for part in ["late", "client-queue", "back-off", "held-for-order", "queue", "work"] {
                let time = row[&format!("{}_ns", part.replace('-', "_"))].parse().unwrap_or(0_u64);
                let spent = phases.get(&(trace, part.to_owned())).copied().unwrap_or(0);
                assert!(time <= spent, "{name}: {} of {part} in {row:?}", spent);
                checked += usize::from(time > 0);
            }
        }
        assert!(name != "calls" || checked > 60, "{name}: {checked}");
    }
}

/// The classes that OpenTelemetry generates from its own definitions, where Python has them.
#[test]
fn opentelemetrys_own_classes_read_them() {
    const READ: &str = "import sys\nfrom google.protobuf import json_format\n\
        from opentelemetry.proto.trace.v1 import trace_pb2\n\
        print(sum(len(scope.spans) for resource in json_format.Parse(open(sys.argv[1]).read(), \
        trace_pb2.TracesData()).resource_spans for scope in resource.scope_spans))";
    let python = std::env::var("PYTHON").unwrap_or_else(|_| "python3".into());
    let has = Command::new(&python).args(["-c", "import google.protobuf, opentelemetry.proto.trace.v1"]).output();
    if !has.is_ok_and(|output| output.status.success()) {
        eprintln!("skipped: {python} does not have the package opentelemetry-proto (PYTHON names another one)");
        return;
    }
    let home = tempfile::tempdir().unwrap();
    for (name, played) in systems().into_iter().chain([("hostile", hostile())]) {
        let path = home.path().join("spans.json");
        std::fs::write(&path, exported(&played, "otlp")).unwrap();
        let output = Command::new(&python).args(["-c", READ]).arg(&path).output().unwrap();
        assert!(output.status.success(), "{name}: {}", String::from_utf8_lossy(&output.stderr));
        let count: usize = String::from_utf8_lossy(&output.stdout).trim().parse().unwrap();
        assert_eq!(count, check(&played).values().sum::<usize>(), "{name}");
    }
}
