//! Queues in front of servers and links.

use rehearsal::network::Cause;

use crate::case::{Case, Quantity};
use crate::study::{ratio, station};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // Kleinrock, Queueing Systems I (1975), section 3.2. Tolerances: 4 c / sqrt(1.6 million), c = 9, 1.7.
        Case {
            name: "M/M/1, load 0.8",
            duration: "125s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n\
                       [services.server]\nwork = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity {
                    name: "sojourn in ms",
                    theory: 5.0,
                    published: None,
                    tolerance: 0.0285,
                    measure: |run| station(run).residence.mean().unwrap_or(f64::NAN) / 1e6,
                },
                Quantity {
                    name: "utilisation",
                    theory: 0.8,
                    published: None,
                    tolerance: 0.0054,
                    measure: |run| station(run).busy_mean(),
                },
            ],
        },
        // The chain at departures: 1 - 1 / (pi_0 + rho); c = 7.8 of 1.6 million packets of 1 ms.
        Case {
            name: "M/D/1/5: a drop-tail link",
            duration: "125s",
            runs: 16,
            scenario: "network = { bandwidth = \"10Mbit/s\", buffer = { packets = 4 } }\n[clients.source]\nrate = \"800/s\"\n\
                       send = \"sink\"\nsize = \"1250B\"\n[services.sink]",
            quantities: vec![dropped(0.0352904, 0.0247)],
        },
        // A birth-death chain cut at 5; c = 6.1.
        Case {
            name: "M/M/1/5: a drop-tail link",
            duration: "125s",
            runs: 16,
            scenario: "network = { bandwidth = \"10Mbit/s\", buffer = { packets = 4 } }\n[clients.source]\nrate = \"800/s\"\n\
                       send = \"sink\"\nsize = { exponential = \"1250B\" }\n[services.sink]",
            quantities: vec![dropped(0.0888195, 0.0193)],
        },
    ]
}

fn dropped(theory: f64, tolerance: f64) -> Quantity {
    Quantity {
        name: "share dropped",
        theory,
        published: None,
        tolerance,
        measure: |run| {
            let book = run.links[0].book;
            ratio(book.dropped_for(Cause::BufferFull), book.sent)
        },
    }
}
