//! What faults do to those who are struck.

use rehearsal::metrics::Fate;

use crate::case::{Case, Quantity};
use crate::study::{flow, ratio};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // Users have no deadline: what is cut off is tried again 100 ms after each attempt. The cut of 10 s begins at 20.05 s,
        // so the request of 20.1 s is through with its attempt of 30.1 s, after 10 s and 20 ms.
        Case {
            name: "a partition heals",
            duration: "60s",
            warmup: "0s",
            runs: 1,
            scenario: "network.latency = \"10ms\"\n[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\nphase = \"aligned\"\n\
                       call = \"db\"\ntimeout = \"100ms\"\nmax-attempts = \"unlimited\"\n[services.db]\n\
                       [faults.cut]\nat = \"20.05s\"\nfor = \"10s\"\npartition = [\"app\", \"db\"]",
            quantities: vec![
                Quantity::new("longest latency in s", 10.02, 0.0021, |run| {
                    flow(run).latency.max().map_or(f64::NAN, |max| max.as_secs_f64())
                }),
                Quantity::new("share confirmed", 1.0, 1e-9, |run| {
                    ratio(flow(run).fate(Fate::Confirmed), flow(run).offered)
                }),
            ],
        },
        // Arrivals of a Poisson process at three times the rate for a fifth of the time: 100 (0.8 + 3 x 0.2) per second.
        // 4 / sqrt(224 000).
        Case {
            name: "three times the load",
            duration: "100s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.app]\nrate = \"100/s\"\nsend = \"db\"\n[services.db]\n\
                       [faults.rush]\nat = \"40s\"\nfor = \"20s\"\nload = { on = \"app\", factor = 3 }",
            quantities: vec![Quantity::new("offered per second", 140.0, 0.0085, |run| {
                flow(run).offered as f64 / 100.0
            })],
        },
        // A clock that runs 1.25 times as fast gives up after 8 of 10 ms: of answers after 1 ms + Exp(4 ms) it misses
        // exp(-7 / 4); the proportion's own deviation, of 160 000 requests.
        Case {
            name: "a fast clock gives up early",
            duration: "100s",
            warmup: "0s",
            runs: 16,
            scenario: "network.latency = \"0.5ms\"\n[clients.app]\nrate = \"100/s\"\ncall = \"db\"\ntimeout = \"10ms\"\n\
                       [services.db]\nworkers = \"unlimited\"\nwork = { exponential = \"4ms\" }\n\
                       [faults.fast]\nat = \"0s\"\nskew = { on = \"app\", rate = 1.25 }",
            quantities: vec![Quantity::new("share given up", 0.173_773_943_450_445_1, 0.0219, |run| {
                1.0 - ratio(flow(run).fate(Fate::Confirmed), flow(run).offered)
            })],
        },
    ]
}
