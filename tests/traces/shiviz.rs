//! Vector clocks: each event makes its host's own one larger, and one event's clock lies below another's exactly if it happened before.

use std::collections::{BTreeMap, BTreeSet};

use rehearsal::metrics::story::What;

use super::played::{Played, exported, hostile, systems};

type Clock = BTreeMap<String, u64>;

/// The events of a log: host, clock and text, as the expression in its first line finds them.
fn events(played: &Played) -> Vec<(String, Clock, String)> {
    let log = String::from_utf8(exported(played, "shiviz")).unwrap();
    let lines: Vec<&str> = log.strip_suffix('\n').unwrap().split('\n').collect();
    assert_eq!(lines[0], r"(?<host>\S*) (?<clock>{.*})\n(?<time>\d+) ns (?<event>.*)");
    assert_eq!(lines[1], "^=== (?<trace>.*) ===$");
    assert!(lines[2].starts_with("=== ") && lines[2].ends_with(" ==="));
    let event = |pair: &[&str]| {
        let (host, clock) = pair[0].split_once(' ').unwrap();
        assert!(!host.is_empty() && !host.contains(char::is_whitespace));
        let (time, text) = pair[1].split_once(" ns ").unwrap();
        time.parse::<u64>().unwrap();
        (host.to_owned(), serde_json::from_str(clock).unwrap(), text.to_owned())
    };
    assert!(lines[3..].len().is_multiple_of(2));
    lines[3..].chunks(2).map(event).collect()
}

fn lies_below(one: &Clock, other: &Clock) -> bool {
    one != other && one.iter().all(|(host, count)| other.get(host).is_some_and(|known| count <= known))
}

/// Checks the clocks of a log by their own definition, with happened-before worked out from the log alone.
fn check(played: &Played) {
    let events = events(played);
    let mut own: BTreeMap<&str, u64> = BTreeMap::new();
    for (host, clock, _) in &events {
        let count = own.entry(host).or_default();
        *count += 1;
        assert_eq!(clock[host], *count, "an event makes its host's own clock one larger");
    }
    // Whatever a clock says of another host was known there before: that event is in the log, and so is all that it knew.
    let known: BTreeMap<(&str, u64), &Clock> =
        events.iter().map(|(host, clock, _)| ((host.as_str(), clock[host]), clock)).collect();
    for (host, clock, _) in &events {
        for (of, count) in clock.iter().filter(|(of, _)| *of != host) {
            assert!(lies_below(known[&(of.as_str(), *count)], clock), "{host} knows more than it was told");
        }
    }
}

#[test]
fn clocks_grow_by_events_and_copies_alone() {
    for (name, played) in systems() {
        check(&played);
        let hosts: BTreeSet<_> = events(&played).into_iter().map(|(host, ..)| host).collect();
        assert!(hosts.len() > 2, "{name}: {hosts:?}");
    }
}

#[test]
fn what_arrives_happened_after_what_left() {
    for (name, played) in systems() {
        let events = events(&played);
        let find = |host: &str, what: &str| {
            events.iter().find(|(of, _, text)| of == host && text.starts_with(what)).expect("it is in the log")
        };
        let mut checked = 0;
        for story in &played.traced.stories {
            for entry in &story.entries {
                let What::Delivered { leg, attempt, from } = entry.what else { continue };
                let message = played.traced.cast.message(story.chapters[entry.chapter as usize].message);
                let [to, from] = [entry.node, from].map(|node| played.traced.cast.node(node));
                let said = |what| format!("{message} {what}, leg {}, attempt {attempt}", leg.name());
                // Copies that are called the same may overtake each other, so it is the first of each that are surely in order.
                let left = find(from, &format!("{}, to {to},", said("sent")));
                let arrived = find(to, &format!("{}, from {from}", said("delivered")));
                assert!(lies_below(&left.1, &arrived.1), "{name}: {left:?} {arrived:?}");
                checked += 1;
            }
        }
        assert!(checked > 40, "{name}");
    }
}

#[test]
fn hostile_names_stay_within_their_lines() {
    check(&hostile());
}
