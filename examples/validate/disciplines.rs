//! Who is next, who shares, who waits in vain.

use rehearsal::process::Outcome;

use crate::case::{Case, Quantity};
use crate::study::{ratio, station};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // Cobham 1954; c = 2.1 and 9.5 of the samples of each class (0.32 and 0.96 million), and the work's own variance.
        Case {
            name: "M/M/1, two priorities",
            duration: "101s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.high]\nrate = \"200/s\"\ncall = \"server\"\npriority = 1\n[clients.low]\nrate = \"600/s\"\n\
                       call = \"server\"\n[services.server]\nqueue.discipline = \"priority\"\nwork = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity::new("sojourn of the high in ms", 2.0, 0.0083, |run| latency(run, "high"))
                    .published("2.0", "tests of Ciw, test_simulation.py"),
                Quantity::new("sojourn of the low in ms", 6.0, 0.0324, |run| latency(run, "low"))
                    .published("6.0", "tests of Ciw, test_simulation.py"),
            ],
        },
        // E[S] / (1 - rho), Kleinrock 1967; c = 9 sqrt(E[S^2] / 2) of 1.6 million.
        sharing("processor sharing, exponential", 0.0285, SHARED_EXPONENTIAL),
        sharing("processor sharing, constant", 0.0285, SHARED_CONSTANT),
        sharing("processor sharing, hyperexp.", 0.0513, SHARED_HYPEREXPONENTIAL),
        // Pollaczek 1930, Khinchine 1932: lambda E[S^2] / (2 (1 - rho)); c = 16 and 6.6 of 1.4 million.
        Case {
            name: "M/G/1, hyperexponential",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"700/s\"\nsend = \"server\"\n[services.server]\n\
                       work = { mixture = [[0.9, { exponential = \"0.5ms\" }], [0.1, { exponential = \"5.5ms\" }]] }",
            quantities: vec![waiting(7.583_333, 0.0541)],
        },
        Case {
            name: "M/G/1, uniform",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"700/s\"\nsend = \"server\"\n[services.server]\n\
                       work = { uniform = [\"0ms\", \"2ms\"] }",
            quantities: vec![waiting(1.555_556, 0.0223)],
        },
        // Barrer 1957, Baccelli and Hebuterne 1981; c = 4, 2.2 and 1.6 of 1.6 million.
        Case {
            name: "M/M/1+D: a message TTL",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\n\
                       queue.time-to-live = \"3ms\"\nwork = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity::new("share expired", 0.135_350, 0.0127, |run| {
                    let book = station(run);
                    ratio(book.refused_for(Outcome::Expired), book.arrived)
                }),
                waiting(0.869_248, 0.0070),
                Quantity::new("utilisation", 0.691_720, 0.0051, |run| station(run).busy_mean()),
            ],
        },
    ]
}

const SHARED_EXPONENTIAL: &str = "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\n\
                                  discipline = \"processor-sharing\"\nwork = { exponential = \"1ms\" }";
const SHARED_CONSTANT: &str = "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\n\
                               discipline = \"processor-sharing\"\nwork = \"1ms\"";
const SHARED_HYPEREXPONENTIAL: &str = "[clients.source]\nrate = \"800/s\"\nsend = \"server\"\n[services.server]\n\
                                       discipline = \"processor-sharing\"\nwork = { mixture = [[0.9, { exponential = \
                                       \"0.5ms\" }], [0.1, { exponential = \"5.5ms\" }]] }";

fn sharing(name: &'static str, tolerance: f64, scenario: &'static str) -> Case {
    let sojourn =
        Quantity::new("sojourn in ms", 5.0, tolerance, |run| station(run).residence.mean().unwrap_or(f64::NAN) / 1e6);
    Case { name, duration: "125s", warmup: "0s", runs: 16, scenario, quantities: vec![sojourn] }
}

fn waiting(theory: f64, tolerance: f64) -> Quantity {
    Quantity::new("wait in ms", theory, tolerance, |run| station(run).wait.mean().unwrap_or(f64::NAN) / 1e6)
}

/// The mean latency of a client's messages in milliseconds.
fn latency(run: &rehearsal::metrics::RunResult, client: &str) -> f64 {
    let flow = run.flows.iter().find(|flow| flow.caller == client);
    flow.and_then(|flow| flow.book.total.latency.mean()).unwrap_or(f64::NAN) / 1e6
}
