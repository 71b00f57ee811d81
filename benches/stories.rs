//! What it costs to be told where the time of messages went: a run that is followed beside the same run that is not, in pairs.
//!
//! `cargo bench --bench stories`
//!
//! Checked is that being followed costs a run of a million messages at most 20 % of its time, in the middle of several pairs. Without
//! `--bench` (which `cargo bench` passes, `cargo test` does not) everything is small, and nothing of this is checked.

#[path = "../tests/common/mod.rs"]
mod common;

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use common::plan;
use rehearsal::experiment::{play, play_explained};
use rehearsal::scenario::plan::Plan;

/// The most that being followed may cost, as a factor.
const MOST: f64 = 1.2;

/// Requests through three tiers of services, with timeouts and retries.
fn tiers(seconds: u32) -> Plan {
    plan(&format!(
        "run = {{ duration = \"{seconds}s\", runs = 1 }}\nnetwork = {{ latency = \"1ms\", loss = \"0.1%\" }}\n\
         policies.default = {{ timeout = \"200ms\", max-attempts = 3 }}\n\
         clients.shoppers = {{ nodes = 10, rate = \"10000/s\", call = \"web\" }}\n\
         services.web = {{ nodes = 4, workers = 64, steps = [{{ work = {{ exponential = \"1ms\" }} }}, {{ call = \"api\" }}] }}\n\
         services.api = {{ nodes = 4, workers = 64, steps = [{{ work = {{ exponential = \"1ms\" }} }}, {{ call = \"store\" }}] }}\n\
         services.store = {{ nodes = 4, workers = 16, work = {{ exponential = \"2ms\" }} }}\n"
    ))
}

/// An acknowledged exchange without any work: the least that a message can cost.
fn exchange(seconds: u32) -> Plan {
    plan(&format!(
        "run = {{ duration = \"{seconds}s\", runs = 1, drain = \"0s\" }}\n\
         network = {{ latency = {{ uniform = [\"0.5ms\", \"1.5ms\"] }}, loss = \"1%\" }}\n\
         policies.default = {{ timeout = \"10ms\", max-attempts = \"unlimited\" }}\n\
         [clients.client]\nnodes = 1000\nusers = 1000\nsend = \"server\"\ndelivery = \"at-least-once\"\nbalance = \"random\"\n\
         [services.server]\nnodes = 100\nworkers = \"unlimited\"\n"
    ))
}

fn main() {
    let is_measured = std::env::args().any(|option| option == "--bench");
    let (long, short, pairs) = if is_measured { (100, 3, 7) } else { (1, 1, 1) };
    for (name, plan) in [("three tiers", tiers(long)), ("exchange", exchange(short))] {
        let mut ratios = Vec::new();
        let mut messages = 0;
        for _ in 0..pairs {
            let watch = &mut |_| ControlFlow::Continue(());
            let (plain, result) = timed(|| play(&plan, 0, watch).expect("it can be played"));
            let (followed, explained) = timed(|| play_explained(&plan, 0, watch).expect("it can be played"));
            assert_eq!(result.digest, explained.digest, "being followed changes nothing");
            assert!(explained.explained.is_some_and(|explained| !explained.attribution.flows.is_empty()));
            messages = result.flows[0].book.total.offered;
            ratios.push(followed.as_secs_f64() / plain.as_secs_f64());
        }
        ratios.sort_by(f64::total_cmp);
        let (least, middle, most) = (ratios[0], ratios[pairs / 2], ratios[pairs - 1]);
        println!(
            "{name}, {messages} messages: followed takes {least:.3} / {middle:.3} / {most:.3} of the time (min / median / max)"
        );
        assert!(!is_measured || middle <= MOST, "{name}: being followed takes {middle:.3} of the time");
    }
}

#[allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]
fn timed<T>(work: impl FnOnce() -> T) -> (Duration, T) {
    let began = Instant::now();
    let done = work();
    (began.elapsed(), done)
}
