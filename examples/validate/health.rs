//! Finding out who is down.

use rehearsal::metrics::RunResult;
use rehearsal::metrics::recovery::After;

use crate::case::{Case, Quantity};
use crate::study::flow;

/// How long the only fault went unnoticed, in milliseconds.
fn detect(run: &RunResult) -> f64 {
    match run.after(0, &[0])[0].detect {
        After::Within(span) => span.as_secs_f64() * 1e3,
        After::Nothing | After::Never => f64::NAN,
    }
}

/// Every case about failure detection.
pub fn cases() -> Vec<Case> {
    vec![
        // Uniform on (T + d - h, T + d) = (405, 505) ms; a deviation of 28.9 in each of 256 runs. Nothing is sent meanwhile.
        Case {
            name: "heartbeats: a crash is found",
            duration: "4s",
            warmup: "0s",
            runs: 256,
            scenario: "network.latency = \"5ms\"\n\
                       [faults.crash]\ncrash = \"server\"\nat = { uniform = [\"2s\", \"3s\"] }\n\
                       [clients.source]\nrate = \"1/s\"\ncount = 1\nsend = \"server\"\n\
                       health = { heartbeat = { interval = \"100ms\", timeout = \"500ms\" } }\n[services.server]",
            quantities: vec![Quantity::new("found after ms", 455.0, 0.0159, detect)],
        },
        // A timeout of five heartbeats of 1 s: 4.5 s on average, in each of 256 runs with a deviation of 0.289. 100 requests a
        // second are lost meanwhile.
        Case {
            name: "failover: nobody is active",
            duration: "20s",
            warmup: "0s",
            runs: 256,
            scenario: "network.latency = \"1us\"\n\
                       [faults.crash]\ncrash = \"server[0]\"\nat = { uniform = [\"10s\", \"11s\"] }\n\
                       [clients.source]\nrate = \"100/s\"\narrivals = \"even\"\ncall = \"server\"\ntimeout = \"50ms\"\n\
                       health = { heartbeat = { interval = \"1s\", timeout = \"5s\" } }\n\
                       [services.server]\nnodes = 2\nbalance = \"failover\"",
            quantities: vec![Quantity::new("down for s", 4.5, 0.0161, |run| {
                (flow(run).offered - flow(run).confirmed) as f64 / 100.0
            })],
        },
        // phi = 8 at 1 s + 5.612 deviations of 100 ms, the least there is: 1561 ms, less half an interval; the first interval,
        // half a second on average, stays in the window of 101: 5 ms. A deviation of 289 in each of 256 runs.
        Case {
            name: "phi accrual: a crash is found",
            duration: "104s",
            warmup: "0s",
            runs: 256,
            scenario: "[faults.crash]\ncrash = \"server\"\nat = { uniform = [\"100s\", \"101s\"] }\n\
                       [clients.source]\nrate = \"1/s\"\ncount = 1\nsend = \"server\"\n\
                       health = { phi-accrual = { acceptable-pause = \"0s\" } }\n[services.server]",
            quantities: vec![Quantity::new("found after ms", 1_056.3, 0.0685, detect)],
        },
    ]
}
