//! Streams, beside what is known of TCP.

use rehearsal::base::time::{Time, secs};
use rehearsal::metrics::RunResult;

use crate::case::{Case, Quantity};

/// A transfer with Reno over a round trip of 100 ms that loses a share of the segments.
macro_rules! reno {
    ($loss:literal) => {
        concat!(
            "[network]\nlatency = \"50ms\"\ntransport = { stream = { congestion-control = \"reno\", mss = \"1000B\", ",
            "receive-window = \"100MB\" } }\n[links.out]\nfrom = \"source\"\nto = \"sink\"\nloss = \"",
            $loss,
            "\"\n[clients.source]\nrate = \"60/s\"\nsend = \"sink\"\nsize = \"10kB\"\n[services.sink]"
        )
    };
}

/// The cases.
pub fn cases() -> Vec<Case> {
    // Mathis, Semke, Mahdavi, Ott, CCR 27 (3), 1997: MSS / RTT sqrt(3/2) / sqrt(p) where each segment is acknowledged. The
    // authors find it within 10 to 20 % while timeouts are rare.
    let mathis = |theory, tolerance| {
        Quantity::new("segments per second", theory, tolerance, |run| 10.0 * messages(run, 20, 400) / 380.0)
    };
    vec![
        Case {
            name: "Reno, 0.1 % loss",
            duration: "400s",
            warmup: "0s",
            runs: 4,
            scenario: reno!("0.1%"),
            quantities: vec![mathis(387.298, 0.15)],
        },
        Case {
            name: "Reno, 1 % loss",
            duration: "400s",
            warmup: "0s",
            runs: 4,
            scenario: reno!("1%"),
            quantities: vec![mathis(122.474, 0.2)],
        },
        Case {
            name: "a window of 64 KiB, 100 ms",
            duration: "20s",
            warmup: "0s",
            runs: 1,
            scenario: "[network]\nbandwidth = \"1Gbit/s\"\nlatency = \"50ms\"\n\
                       transport = { stream = { mss = \"1KiB\", receive-window = \"64KiB\" } }\n\
                       [clients.source]\nrate = \"2000/s\"\narrivals = \"even\"\nsend = \"sink\"\nsize = \"1KiB\"\n\
                       [services.sink]",
            quantities: vec![Quantity::new("Mbit per second", 5.24288, 0.01, |run| {
                messages(run, 10, 20) * 8192.0 / 10.0 / 1e6
            })],
        },
        // A round trip for the handshake, 10, 20 and 40 segments in one each, the last 30 half a round trip after that.
        Case {
            name: "a hundred segments, slow start",
            duration: "2s",
            warmup: "0s",
            runs: 1,
            scenario: "[network]\nlatency = \"50ms\"\ntransport = { stream = { mss = \"1000B\", receive-window = \"1MiB\" } }\n\
                       [clients.source]\nrate = \"1/s\"\narrivals = \"even\"\nphase = \"aligned\"\ncount = 1\nsend = \"sink\"\n\
                       size = \"100kB\"\n[services.sink]",
            quantities: vec![Quantity::new("transfer in ms", 450.0, 1e-9, |run| {
                run.flows[0].book.one_way.max().map_or(f64::NAN, |max| max.as_nanos() as f64 / 1e6)
            })],
        },
    ]
}

/// Messages handled between two times, in seconds.
fn messages(run: &RunResult, from: u64, to: u64) -> f64 {
    run.flows[0].book.rates_within(Time::ZERO + secs(from), Time::ZERO + secs(to)).goodput as f64
}
