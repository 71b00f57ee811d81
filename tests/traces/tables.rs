//! Tables of messages: a row for each, whose parts add up to its latency, and lines of JSON that say the same.

use std::collections::BTreeMap;

use serde_json::Value;

use super::played::{Played, exported, hostile, systems};

fn rows(played: &Played) -> Vec<BTreeMap<String, String>> {
    let bytes = exported(played, "csv");
    csv::Reader::from_reader(&*bytes).deserialize().map(|row| row.unwrap()).collect()
}

fn lines(played: &Played) -> Vec<Value> {
    let text = String::from_utf8(exported(played, "jsonl")).unwrap();
    text.strip_suffix('\n').unwrap().split('\n').map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn parts_add_up_to_latency_for_messages_and_for_what_was_sent_for_them() {
    for (name, played) in systems() {
        let mut nested = 0;
        for row in rows(&played) {
            let parts = row
                .iter()
                .filter(|(column, _)| column.ends_with("_ns") && !["due_ns", "latency_ns"].contains(&column.as_str()));
            let number = |text: &str| text.parse::<u64>().unwrap();
            match row["latency_ns"].as_str() {
                "" => assert!(parts.clone().all(|(_, time)| time.is_empty())),
                latency => {
                    let sum: u64 = parts.map(|(_, time)| number(time)).sum();
                    assert_eq!(sum, number(latency), "{name}: {row:?}");
                }
            }
            nested += usize::from(!row["parent"].is_empty());
        }
        assert_eq!(nested > 0, name == "calls", "{name}");
    }
}

#[test]
fn lines_say_what_rows_say_and_what_happened() {
    for (_, played) in systems().into_iter().chain([("hostile", hostile())]) {
        let (rows, lines) = (rows(&played), lines(&played));
        assert_eq!(rows.len(), lines.len());
        assert_eq!(rows.len(), played.traced.stories.iter().map(|story| story.chapters.len()).sum::<usize>());
        let mut events = 0;
        for (row, line) in rows.iter().zip(&lines) {
            for column in ["message", "flow", "parent", "due_ns", "end", "latency_ns", "attempts", "one_in", "seed"] {
                let said = match &line[column] {
                    Value::Null => String::new(),
                    Value::String(text) => text.clone(),
                    other => other.to_string(),
                };
                assert_eq!(said, row[column], "{column}");
            }
            events += line["events"].as_array().unwrap().len();
        }
        assert_eq!(events, played.traced.stories.iter().map(|story| story.entries.len()).sum::<usize>());
    }
}
