use super::fixture::{HOSTILE, endless, retried};
use super::*;

#[test]
fn a_story_is_told_step_by_step() {
    let fixture = retried(["shoppers", "api", "store"]);
    let text = text::text(&fixture.told(), Style::PLAIN, false);
    let expected = "\
shoppers[0]#17 (shoppers): confirmed after 175ms
the slowest of 1,234 messages

Where 175ms went
  failed-attempt  api[0]         100ms   57.1%  █████████████▊
  back-off        shoppers[0]     20ms   11.4%  ██▊
  work            store[0]        20ms   11.4%  ██▊
  link            api[0]          10ms    5.7%  █▍
  work            api[0]          10ms    5.7%  █▍
  link            store[0]        10ms    5.7%  █▍
  queue           api[0]           5ms    2.9%  ▋

What happened since it was due at 1s
        0s  shoppers[0]  attempt 1 sent to api[0]; lost on the way
     100ms  shoppers[0]  attempt 1 timed out after 100ms, next attempt in 20ms
     120ms  shoppers[0]  attempt 2 sent to api[0]
     125ms  api[0]       attempt 2 arrives; waits for a worker
     130ms  api[0]       a worker is on it
     140ms  api[0]       waits for what is sent for it
     140ms  api[0]         (1) api->store: sent to store[0]
     145ms  store[0]       (1) arrives; a worker is on it
     165ms  store[0]       (1) done; answer leaves for api[0]
     170ms  api[0]         (1) answer arrives; confirmed after 30ms
     170ms  api[0]       done; answer to attempt 2 leaves for shoppers[0]
     175ms  shoppers[0]  answer to attempt 2 arrives; confirmed after 175ms
";
    assert_eq!(text, expected);
}

#[test]
fn names_cannot_drive_a_terminal_and_lines_stay_short() {
    for fixture in [retried(HOSTILE), endless()] {
        for all in [false, true] {
            let text = text::text(&fixture.told(), Style::PLAIN, all);
            for line in text.lines() {
                assert!(!line.chars().any(|c| c.is_control() || ('\u{202a}'..='\u{2069}').contains(&c)), "{line:?}");
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }
}

#[test]
fn a_long_story_is_told_without_its_middle() {
    let fixture = endless();
    let text = text::text(&fixture.told(), Style::PLAIN, false);
    assert!(text.contains("3,946 steps left out") && text.lines().count() < 90, "{text}");
    assert!(text.contains("given up after 100s: the last attempt failed"), "{text}");
    assert!(text::is_long(&fixture.told()));
    assert!(text::text(&fixture.told(), Style::PLAIN, true).lines().count() > 4_000);
}

#[test]
fn copies_and_stays_are_put_together() {
    let fixture = retried(["shoppers", "api", "store"]);
    let flights = flights(fixture.told().story);
    let landings: Vec<bool> = flights.iter().map(|flight| matches!(flight.landing, Landing::Arrived(_))).collect();
    assert_eq!(landings, [false, true, true, true, true]);
    let stays = stays(fixture.told().story);
    let length: Vec<u64> = stays.iter().map(|stay| stay.to.since(stay.from).as_nanos() / 1_000_000).collect();
    // Back-off, queue, work, the wait for the store and its work.
    assert_eq!(length, [20, 5, 10, 30, 20]);
}

#[test]
fn the_document_is_json_and_its_parts_add_up() {
    let fixture = retried(HOSTILE);
    let origin = Origin { title: HOSTILE[0], variant: Some(HOSTILE[1]), played: "seed 1 · run 0".into() };
    let document = json::document("all of them", [fixture.told()].into_iter(), &origin);
    let document: serde_json::Value = serde_json::from_slice(&document).expect("it is JSON");
    let story = &document["stories"][0];
    let parts = story["parts"].as_array().expect("a list");
    let sum: u64 = parts.iter().map(|part| part["time_ns"].as_u64().expect("a number")).sum();
    assert_eq!((Some(sum), sum), (story["latency_ns"].as_u64(), 175_000_000));
    assert!(story["svg"].as_str().is_some_and(|svg| svg.starts_with("<svg ")));
}
