//! Trace events: each kind of event has the fields that it needs, slices of a thread lie within each other, arrows have ends, and time
//! goes on.

use std::collections::BTreeMap;

use serde_json::Value;

use super::played::{Played, exported, hostile, systems};

/// A time in microseconds with three decimals, as whole nanoseconds.
fn nanos(value: &Value) -> u64 {
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    whole.parse::<u64>().unwrap() * 1_000 + format!("{part:0<3}").parse::<u64>().unwrap()
}

fn check(played: &Played) -> BTreeMap<String, usize> {
    let trace: Value = serde_json::from_slice(&exported(played, "perfetto")).unwrap();
    let trace = trace.as_object().unwrap();
    assert_eq!(trace.keys().collect::<Vec<_>>(), ["displayTimeUnit", "otherData", "traceEvents"]);
    assert!(trace["otherData"]["rule"].is_string() && trace["otherData"]["seed"].is_string());
    let mut counts = BTreeMap::new();
    let mut threads = BTreeMap::new();
    let mut processes = Vec::new();
    let mut slices: BTreeMap<u64, Vec<(u64, u64)>> = BTreeMap::new();
    let mut arrows: BTreeMap<u64, String> = BTreeMap::new();
    let mut last = 0;
    for event in trace["traceEvents"].as_array().unwrap() {
        let fields = event.as_object().unwrap();
        let phase = fields["ph"].as_str().unwrap();
        let (process, thread) = (fields["pid"].as_u64().unwrap(), fields["tid"].as_u64().unwrap());
        let has = |names: &[&str]| {
            let mut names = names.to_vec();
            names.sort_unstable();
            let mut found: Vec<_> = fields.keys().filter(|name| *name != "args").collect();
            found.sort_unstable();
            assert_eq!(found, names, "{event}");
        };
        *counts.entry(phase.to_owned()).or_default() += 1;
        if phase == "M" {
            has(&["ph", "name", "pid", "tid"]);
            match fields["name"].as_str().unwrap() {
                "process_name" => processes.push(process),
                "thread_name" => {
                    assert!(processes.contains(&process) && !processes.contains(&thread));
                    assert_eq!(threads.insert(thread, process), None, "a thread has one name");
                }
                "process_sort_index" | "thread_sort_index" => assert!(fields["args"]["sort_index"].is_u64()),
                other => panic!("{other}"),
            }
            continue;
        }
        assert_eq!(threads.get(&thread), Some(&process), "{event}");
        let time = nanos(&fields["ts"]);
        assert!(time >= last, "time runs backwards");
        last = time;
        let open = slices.entry(thread).or_default();
        match phase {
            "X" => {
                has(&["cat", "dur", "name", "ph", "pid", "tid", "ts"]);
                // A phase belongs to the slice that stands open, also if that one is over at once.
                let is_phase = fields["cat"] == "phase";
                let end = time + nanos(&fields["dur"]);
                open.retain(|slice| slice.1 > time || is_phase && slice.0 == slice.1 && slice.0 == time);
                assert!(open.last().is_none_or(|outer| end <= outer.1), "{event} does not lie within another");
                assert!(is_phase || open.is_empty(), "{event} shares a thread with another");
                open.push((time, end));
            }
            "s" | "t" | "f" => {
                let bound: &[&str] = if phase == "f" { &["bp"] } else { &[] };
                has(&[&["cat", "id", "name", "ph", "pid", "tid", "ts"], bound].concat());
                let is_inside = open.last().is_some_and(|slice| slice.0 <= time && time <= slice.1);
                assert!(is_inside, "{event} is bound to nothing");
                arrows.entry(fields["id"].as_u64().unwrap()).or_default().push_str(phase);
            }
            "i" => {
                has(&["cat", "name", "ph", "pid", "s", "tid", "ts"]);
                assert_eq!(fields["s"], "t");
            }
            other => panic!("{other}"),
        }
    }
    for (arrow, ends) in arrows {
        let between = ends.strip_prefix('s').and_then(|ends| ends.strip_suffix('f')).unwrap_or("-");
        assert!(between.chars().all(|end| end == 't'), "arrow {arrow} is {ends}");
    }
    counts
}

#[test]
fn events_are_what_their_viewers_expect() {
    for (name, played) in systems() {
        let counts = check(&played);
        assert!(counts["X"] > 100 && counts["s"] >= 40, "{name}: {counts:?}");
        // What the network doubled is an arrow with two ends.
        assert_eq!(counts.contains_key("t"), name == "calls", "{counts:?}");
    }
}

#[test]
fn hostile_names_are_texts_like_any_others() {
    check(&hostile());
}
