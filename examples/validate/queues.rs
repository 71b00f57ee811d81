//! Queues in front of servers and links.

use rehearsal::network::Cause;
use rehearsal::process::Outcome;

use crate::case::{Case, Quantity};
use crate::study::{ratio, station};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // Kleinrock, Queueing Systems I (1975), section 3.2. Tolerances: 4 c / sqrt(1.6 million), c = 9, 1.7.
        Case {
            name: "M/M/1, load 0.8",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n\
                       [services.server]\nwork = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity::new("sojourn in ms", 5.0, 0.0285, |run| {
                    station(run).residence.mean().unwrap_or(f64::NAN) / 1e6
                }),
                Quantity::new("utilisation", 0.8, 0.0054, |run| station(run).busy_mean()),
            ],
        },
        // Erlang C with two servers at load 0.9; c = 18.1 of 8.6 million. The package's tests print 1.053 for these rates.
        Case {
            name: "M/M/2, load 0.9",
            duration: "60s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"9000/s\"\nsend = \"server\"\n\
                       [services.server]\nworkers = 2\nwork = { exponential = \"0.2ms\" }",
            quantities: vec![
                Quantity::new("sojourn in ms", 1.052_632, 0.0246, |run| {
                    station(run).residence.mean().unwrap_or(f64::NAN) / 1e6
                })
                .published("1.053", "tests of Octave's queueing package, qsmmm"),
            ],
        },
        // A birth-death chain cut at 5, two servers; c = 5.6 of 2.9 million.
        Case {
            name: "M/M/2/5: a bounded queue",
            duration: "60s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"3000/s\"\nsend = \"server\"\n\
                       [services.server]\nworkers = 2\nqueue.limit = 3\nwork = { exponential = \"0.5ms\" }",
            quantities: vec![
                Quantity::new("share rejected", 0.085_113_8, 0.0132, |run| {
                    let book = station(run);
                    ratio(book.refused_for(Outcome::Rejected), book.arrived)
                })
                .published("0.085113", "tests of Octave's queueing package, qsmmmk"),
            ],
        },
        erlang_b("M/M/15/15: Erlang B", "{ exponential = \"1ms\" }", 12.7),
        erlang_b("M/D/15/15: Erlang B", "\"1ms\"", 7.3),
        // The chain at departures: 1 - 1 / (pi_0 + rho); c = 7.8 of 1.6 million packets of 1 ms.
        Case {
            name: "M/D/1/5: a drop-tail link",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "network = { bandwidth = \"10Mbit/s\", buffer = { packets = 4 } }\n[clients.source]\nrate = \"800/s\"\n\
                       send = \"sink\"\nsize = \"1250B\"\n[services.sink]",
            quantities: vec![dropped(0.0352904, 0.0247)],
        },
        // A birth-death chain cut at 5; c = 6.1.
        Case {
            name: "M/M/1/5: a drop-tail link",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "network = { bandwidth = \"10Mbit/s\", buffer = { packets = 4 } }\n[clients.source]\nrate = \"800/s\"\n\
                       send = \"sink\"\nsize = { exponential = \"1250B\" }\n[services.sink]",
            quantities: vec![dropped(0.0888195, 0.0193)],
        },
    ]
}

fn dropped(theory: f64, tolerance: f64) -> Quantity {
    Quantity::new("share dropped", theory, tolerance, |run| {
        let book = run.links[0].book;
        ratio(book.dropped_for(Cause::BufferFull), book.sent)
    })
}

/// Erlang B: 15 servers and no room to wait for 10 erlang, whatever the law of service (Erlang 1917; Sevastyanov 1957). B_k =
/// a B_(k-1) / (k + a B_(k-1)). Tolerances: 4 c / sqrt(1.6 million).
fn erlang_b(name: &'static str, work: &str, c: f64) -> Case {
    let scenario = format!(
        "[clients.source]\nrate = \"10000/s\"\nsend = \"server\"\n[services.server]\nworkers = 15\nqueue.limit = 0\nwork = {work}"
    );
    let quantity = Quantity::new("share rejected", 0.036_496_9, 4.0 * c / 1265.0, |run| {
        let book = station(run);
        ratio(book.refused_for(Outcome::Rejected), book.arrived)
    });
    Case { name, duration: "11s", warmup: "1s", runs: 16, scenario: scenario.leak(), quantities: vec![quantity] }
}
