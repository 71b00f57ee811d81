//! Loss and latency on the way.

use rehearsal::metrics::{Fate, Histogram, RunResult};
use rehearsal::network::Cause;

use crate::case::{Case, Quantity};
use crate::study::{flow, ratio};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // Good to bad with 0.01, bad to good with 0.25; c = 14 for the share, 9 for the bursts, of 4 million packets.
        Case {
            name: "Gilbert's channel",
            duration: "250s",
            warmup: "0s",
            runs: 16,
            scenario: "network.loss = { bursty = { loss = 0.038461538, mean-burst = 4 } }\n[clients.source]\n\
                       rate = \"1000/s\"\nsend = \"sink\"\n[services.sink]",
            quantities: vec![Quantity::new("share lost", 1.0 / 26.0, 0.028, |run| {
                ratio(run.links[0].book.dropped_for(Cause::Loss), run.links[0].book.sent)
            })],
        },
        // Three attempts in a row on a channel that goes bad with a = 0.05 / (4 x 0.95) and good with 1/4: after a message that
        // got through, all are lost with 0.75^2 a, after one that did not, with 0.75^3. So x = 0.5625 a / (1 - 0.75^3 + 0.5625 a).
        // Successive messages are correlated by 0.41; of 1.6 million, 4 sqrt((1 - x) / x / n) sqrt(1.41 / 0.59).
        Case {
            name: "three attempts, bursts of four",
            duration: "1000s",
            warmup: "0s",
            runs: 16,
            scenario: "network.latency = \"0.1ms\"\n[links.out]\nfrom = \"source\"\nto = \"sink\"\n\
                       loss = { bursty = { loss = \"5%\", mean-burst = 4 } }\n[clients.source]\nrate = \"100/s\"\n\
                       arrivals = \"even\"\ncall = \"sink\"\ntimeout = \"1ms\"\nmax-attempts = 3\n[services.sink]",
            quantities: vec![Quantity::new("share lost", 0.012_640_45, 0.0434, |run| {
                ratio(flow(run).fate(Fate::Lost), flow(run).offered)
            })],
        },
        // Success at try i with s (1 - s)^(i - 1), s = 0.81, after (i - 1) 100 ms + 20 ms; c = 1.25 of 160 000 requests.
        Case {
            name: "four attempts, 10 % loss",
            duration: "100s",
            warmup: "0s",
            runs: 16,
            scenario: "network = { latency = \"10ms\", loss = \"10%\" }\n[clients.source]\nrate = \"100/s\"\ncall = \"api\"\n\
                       timeout = \"100ms\"\nmax-attempts = 4\n[services.api]",
            quantities: vec![
                Quantity::new("latency in ms", 42.9348, 0.0125, |run| {
                    flow(run).latency.mean().unwrap_or(f64::NAN) / 1e6
                }),
                Quantity::new("share confirmed", 0.998697, 0.00037, |run| {
                    ratio(flow(run).fate(Fate::Confirmed), flow(run).offered)
                }),
            ],
        },
        // (100 packets + 3 hops - 1) of 1 ms and 3 of 5 ms; Kurose and Ross, chapter 1. Load of time zero is due one
        // nanosecond later, and the packets are due a microsecond apart.
        Case {
            name: "three hops, store and forward",
            duration: "1s",
            warmup: "0s",
            runs: 1,
            scenario: "network = { latency = \"5ms\", bandwidth = \"10Mbit/s\" }\ntopology.edges = [[\"source\", \"a\"], \
                       [\"a\", \"b\"], [\"b\", \"sink\"]]\nrouters = { a = {}, b = {} }\n[clients.source]\n\
                       rate = \"1000000/s\"\narrivals = \"even\"\nphase = \"aligned\"\ncount = 100\nsend = \"sink\"\n\
                       size = \"1250B\"\n[services.sink]",
            quantities: vec![
                Quantity::new("first in ms", 18.0, 1e-6, |run| {
                    book(run).min().map_or(f64::NAN, |min| min.as_nanos() as f64 / 1e6)
                }),
                Quantity::new("last in ms", 117.0 - 0.099, 1e-6, |run| {
                    book(run).max().map_or(f64::NAN, |max| max.as_nanos() as f64 / 1e6)
                }),
            ],
        },
        // M/G/infinity: the number on their way is Poisson with the mean of rate times delay; Little's law gives the delay.
        Case {
            name: "lognormal latency",
            duration: "1000s",
            warmup: "0s",
            runs: 16,
            scenario: "network.latency = { lognormal = { mean = \"250ms\", sd = \"250ms\" } }\n[clients.source]\n\
                       rate = \"40/s\"\nsend = \"sink\"\n[services.sink]",
            quantities: vec![Quantity::new("one way in ms", 250.0, 0.005, |run| {
                book(run).mean().unwrap_or(f64::NAN) / 1e6
            })],
        },
    ]
}

/// Times from due to received.
fn book(run: &RunResult) -> &Histogram {
    let flow = run.flows.iter().find(|flow| flow.is_client);
    &flow.expect("a scenario has a client").book.one_way
}
