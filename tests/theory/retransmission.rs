//! Automatic repeat request: acknowledgements, timeouts, windows.
//!
//! An attempt succeeds with s = (1 - p)(1 - q) if messages are lost with p and acknowledgements with q. All times and shares
//! follow from the geometric law of the number of attempts.

use rehearsal::base::time::{Span, Time, ms, secs};
use rehearsal::metrics::{Fate, RunResult};
use rehearsal::process::{Close, Observation};

use crate::study::{Study, flow, mean_ms, ratio};
use crate::trace::Trace;

fn per_message(run: &RunResult, count: u64) -> f64 {
    ratio(count, flow(run, "source").offered)
}

/// Three attempts at most, p = q = 0.1, s = 0.81: the receiver gets 1 - p^3 = 0.999, the sender learns of 1 - (1 - s)^3 =
/// 0.993141, the difference of 0.005859 stays in doubt; (1 - (1 - s)^3) / s = 1.2261 attempts (sd 0.538), of which 1 - p arrive:
/// 1.10349 copies, 0.10449 of them once too often.
#[test]
fn three_attempts_over_a_lossy_link() {
    let study = Study::of(
        30,
        0,
        r#"
        [network]
        latency = "20ms"
        loss = "10%"
        [clients.source]
        rate = "1000/s"
        send = "sink"
        delivery = "at-least-once"
        timeout = "100ms"
        max-attempts = 3
        [services.sink]
        "#,
    );
    study.share("received", 0.999, |run| per_message(run, flow(run, "source").received));
    study.share("confirmed", 0.993141, |run| per_message(run, flow(run, "source").confirmed));
    study.share("in doubt", 0.005859, |run| per_message(run, flow(run, "source").fate(Fate::InDoubt)));
    study.mean("attempts", 1.2261, 0.538 / 1.2261, |run| per_message(run, flow(run, "source").attempts));
    study.mean("copies", 1.10349, 0.538 / 1.10349, |run| per_message(run, flow(run, "source").copies));
    study.mean("duplicates", 0.10449, 0.538 / 0.10449, |run| per_message(run, flow(run, "source").duplicates));
}

/// Attempts without limit, p = 0.2, q = 0.05, s = 0.76: everything arrives and is known to have; 1 / s = 1.31579 attempts
/// (sd 0.645), 1.05263 copies, 0.0526316 of them once too often.
#[test]
fn attempts_without_limit_lose_nothing() {
    let study = Study::of(
        30,
        0,
        r#"
        [network]
        latency = "20ms"
        [links.there]
        from = "source"
        to = "sink"
        loss = "20%"
        [links.back]
        from = "sink"
        to = "source"
        loss = "5%"
        [clients.source]
        rate = "1000/s"
        send = "sink"
        delivery = "at-least-once"
        timeout = "100ms"
        max-attempts = "unlimited"
        [services.sink]
        "#,
    );
    for run in &study.runs {
        let book = flow(run, "source");
        assert_eq!((book.received, book.confirmed, book.fate(Fate::InDoubt)), (book.offered, book.offered, 0));
    }
    study.mean("attempts", 1.31579, 0.645 / 1.31579, |run| per_message(run, flow(run, "source").attempts));
    study.mean("copies", 1.05263, 0.645 / 1.05263, |run| per_message(run, flow(run, "source").copies));
    study.mean("duplicates", 0.0526316, 0.645 / 0.0526316, |run| per_message(run, flow(run, "source").duplicates));
}

/// Success at attempt i costs the timeouts before it and one round trip, with probability s (1 - s)^(i - 1).
fn completion(timeouts: &str, attempts: u32, rtt: u64, (out, back): (&str, &str)) -> String {
    format!(
        "network.latency = \"{}ms\"\n\
         [links.there]\nfrom = \"source\"\nto = \"sink\"\nloss = \"{out}\"\n\
         [links.back]\nfrom = \"sink\"\nto = \"source\"\nloss = \"{back}\"\n\
         [clients.source]\nrate = \"1000/s\"\nsend = \"sink\"\ndelivery = \"at-least-once\"\ntimeout = {timeouts}\n\
         max-attempts = {attempts}\n[services.sink]\n",
        rtt / 2
    )
}

/// How long those take that are given up.
fn give_up_times(scenario: &str) -> Vec<Span> {
    let trace = Trace::of(scenario, secs(100));
    let mut offered = std::collections::BTreeMap::new();
    let mut times = Vec::new();
    for (now, _, stated) in trace.0 {
        match stated {
            Observation::Offered { message, .. } => drop(offered.insert(message, now)),
            Observation::Closed { message, why: Close::TimedOut } => times.push(now.since(offered[&message])),
            _ => {}
        }
    }
    times.sort_unstable();
    times.dedup();
    times
}

/// Round trip 20 ms, timeout 100 ms, four attempts, p = q = 0.1: 20, 120, 220 or 320 ms and nothing else, 42.9348 ms in the
/// mean; 0.998697 succeed, the others end after exactly 400 ms.
#[test]
fn completion_with_a_constant_timeout() {
    let scenario = completion("\"100ms\"", 4, 20, ("10%", "10%"));
    let study = Study::of(30, 0, &scenario);
    study.mean("latency", 42.9348, 1.25, |run| mean_ms(&flow(run, "source").latency));
    study.share("success", 0.998697, |run| per_message(run, flow(run, "source").confirmed));
    for run in &study.runs {
        let times: Vec<f64> = flow(run, "source").latency.bars().map(|(time, _)| time).collect();
        assert_eq!(times, [2e7, 1.2e8, 2.2e8, 3.2e8]);
    }
    assert_eq!(give_up_times(&scenario), [ms(400)]);
}

/// Round trip 50 ms, timeouts of 200, 400, 800, 1600 and 3200 ms, five attempts, p = 0.2, q = 0.1: 159.782 ms in the mean,
/// 0.998279 succeed, the others end after exactly 6200 ms.
#[test]
fn completion_with_a_list_of_timeouts() {
    let timeouts = r#"["200ms", "400ms", "800ms", "1600ms", "3200ms"]"#;
    let scenario = completion(timeouts, 5, 50, ("20%", "10%"));
    let study = Study::of(30, 0, &scenario);
    study.mean("latency", 159.782, 1.9, |run| mean_ms(&flow(run, "source").latency));
    study.share("success", 0.998279, |run| per_message(run, flow(run, "source").confirmed));
    for run in &study.runs {
        let times: Vec<f64> = flow(run, "source").latency.bars().map(|(time, _)| time).collect();
        assert_eq!(times, [5e7, 2.5e8, 6.5e8, 1.45e9, 3.05e9]);
    }
    assert_eq!(give_up_times(&scenario), [ms(6200)]);
}

/// Stop and wait: a packet takes 1, its acknowledgement comes 6 after its end, the timer runs for 10 from its end (11 from its
/// start), p = 0.1, q = 0.05, s = 0.855: a packet takes (1 / s - 1) (1 + 10) + 1 + 6 = 8.8655. Kurose and Ross, section 3.4.
#[test]
fn stop_and_wait_with_loss() {
    let study = Study::of(
        200,
        0,
        r#"
        [network]
        latency = "3ms"
        bandwidth = "10Mbit/s"
        [links.there]
        from = "source"
        to = "sink"
        loss = "10%"
        [links.back]
        from = "sink"
        to = "source"
        loss = "5%"
        [clients.source]
        users = 1
        send = "sink"
        size = "1250B"
        delivery = "at-least-once"
        timeout = "11ms"
        max-attempts = "unlimited"
        [services.sink]
        "#,
    );
    study.mean("cycle", 8.8655, 0.6, |run| mean_ms(&flow(run, "source").latency));
    study.mean("utilisation", 0.112797, 0.6, |run| flow(run, "source").confirmed as f64 / 200_000.0);
}

/// Kurose and Ross, section 3.4: packets of 8000 bits at 1 Gbit/s over 30 ms, one at a time: each takes 30.008 ms, so the link
/// is busy for 0.008 / 30.008 = 0.000266596 and carries 266.6 kbit/s.
#[test]
fn stop_and_wait_over_a_long_link() {
    let trace = Trace::of(
        r#"
        [network]
        latency = "15ms"
        bandwidth = "1Gbit/s"
        [clients.source]
        rate = "1000000/s"
        arrivals = "even"
        phase = "aligned"
        count = 100
        send = "sink"
        size = "1000B"
        delivery = "at-least-once"
        window = 1
        [services.sink]
        "#,
        secs(10),
    );
    let confirmed = trace.times(|stated| matches!(stated, Observation::Confirmed { .. }));
    let cycle = ms(30) + Span::from_nanos(8_000);
    let start = Time::ZERO + Span::from_nanos(1);
    assert_eq!(confirmed, (1..=100).map(|count| start + cycle.times(count)).collect::<Vec<_>>());
    assert!((8_000.0 / cycle.as_nanos() as f64 - 0.000266596).abs() < 5e-10);
}

/// Error-free sliding windows over a = 10 frame times each way: a share min(1, W / (1 + 2 a)) of the link is used (Stallings,
/// Data and Computer Communications). 21 s are a whole number of cycles of 21 ms, so the share is exact.
#[test]
fn a_window_fills_the_link_as_far_as_it_reaches() {
    for (window, expected) in [(1, 1.0 / 21.0), (7, 7.0 / 21.0), (21, 1.0), (63, 1.0)] {
        let run = Study::exact(
            22,
            &format!(
                "network = {{ latency = \"10ms\", bandwidth = \"10Mbit/s\" }}\n[services.sink]\n[clients.source]\nrate = \
                 \"1100/s\"\narrivals = \"even\"\nsend = \"sink\"\nsize = \"1250B\"\ndelivery = \"at-least-once\"\n\
                 window = {window}\n"
            ),
        );
        let rates = run.flows[0].book.rates_within(Time::ZERO + secs(1), Time::ZERO + secs(22));
        let share = rates.goodput as f64 / 21_000.0;
        println!("window {window}: {share} for {expected}");
        assert!((share - expected).abs() < 1e-4, "window {window}: {share} for {expected}");
    }
}
