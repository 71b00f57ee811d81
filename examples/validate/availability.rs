//! Nodes that fail and are repaired.
//!
//! Time runs a thousand times as fast as in the books these are from: what is an hour there is a millisecond here. When
//! nodes are down is known from the strikes of the fault, so that nobody has to probe them.

use rehearsal::base::time::Time;
use rehearsal::metrics::RunResult;

use crate::case::{Case, Quantity};

/// A client that asks for little: a scenario needs one.
macro_rules! probed {
    ($text:literal) => {
        concat!("[clients.probe]\nrate = \"1/s\"\ncall = \"db\"\ntimeout = \"1ms\"\n", $text)
    };
}

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // A birth-death chain: P(fewer than 2 of 3 are up), MTTF 100, MTTR 10, a crew for each; c = 21.5 of 2 million units.
        Case {
            name: "2 of 3 with repair",
            duration: "125s",
            warmup: "0s",
            runs: 16,
            scenario: probed!(
                "[services.db]\nnodes = 3\n[faults.down]\nevery = { exponential = \"100ms\" }\n\
                 for = { exponential = \"10ms\" }\ncrash = \"db[each]\""
            ),
            quantities: vec![Quantity::new("share of time too few up", 0.0232908, 0.061, |run| {
                let (_, seconds) = overlap(run, 2);
                seconds / run.measured.1.as_secs_f64()
            })],
        },
        // MTTF 1000 each, no repair: the second failure comes after (1/3 + 1/2) 1000; sd 601 of 4000 samples.
        Case {
            name: "2 of 3 without repair",
            duration: "30s",
            warmup: "0s",
            runs: 4000,
            scenario: probed!(
                "[services.db]\nnodes = 3\n[faults.down]\nat = { exponential = \"1s\" }\ncrash = \"db[each]\""
            ),
            quantities: vec![Quantity::new("time to failure in ms", 2500.0 / 3.0, 0.0456, |run| {
                overlap(run, 2).0.as_secs_f64() * 1e3
            })],
        },
        // (3 lambda + mu) / (2 lambda^2) with lambda = 0.01 and mu = 0.2; sd 1150 of 4000 samples.
        Case {
            name: "a mirrored pair",
            duration: "30s",
            warmup: "0s",
            runs: 4000,
            scenario: probed!(
                "[services.db]\nnodes = 2\n[faults.down]\nevery = { exponential = \"100ms\" }\n\
                 for = { exponential = \"5ms\" }\ncrash = \"db[each]\""
            ),
            quantities: vec![Quantity::new("time to data loss in ms", 1150.0, 0.0635, |run| {
                overlap(run, 2).0.as_secs_f64() * 1e3
            })],
        },
    ]
}

/// When so many nodes are down at the same time for the first time, and for how many seconds they are in all.
fn overlap(run: &RunResult, nodes: i32) -> (Time, f64) {
    let end = run.measured.1;
    let mut changes: Vec<(Time, i32)> = Vec::new();
    for &(strike, heal) in &run.faults[0].strikes {
        changes.push((strike.min(end), 1));
        changes.extend(heal.map(|heal| (heal.min(end), -1)));
    }
    changes.sort_unstable();
    let (mut down, mut since, mut first, mut seconds) = (0, Time::ZERO, None, 0.0);
    for (time, change) in changes {
        if down >= nodes {
            seconds += time.since(since).as_secs_f64();
        }
        down += change;
        since = time;
        if down >= nodes && first.is_none() {
            first = Some(time);
        }
    }
    (first.unwrap_or(end), seconds)
}
