//! Requests that wait for the slowest of many, and copies of those that take long.

use rehearsal::metrics::RunResult;

use crate::case::{Case, Quantity};
use crate::study::{above, flow, ratio, tail};

/// The cases.
pub fn cases() -> Vec<Case> {
    vec![
        // A leaf takes 1 ms, or 10 ms with probability p: of n leaves one is slow with 1 - (1 - p)^n. The proportion's own
        // deviation, of 10 000, 10 000 and 1 000.
        slow("100 leaves, one of 100 slow", ("0.99", "0.01", 100), ("2500/s", 0.633_968, 0.0304), "63 %"),
        slow("100 leaves, one of 1000 slow", ("0.999", "0.001", 100), ("2500/s", 0.095_207_9, 0.1234), ""),
        slow(
            "2000 leaves, one of 10000 slow",
            ("0.9999", "0.0001", 2000),
            ("250/s", 0.181_276_9, 0.2689),
            "almost 1/5",
        ),
        // The slowest of n exponential leaves: the mean is the n-th harmonic number, F(t) = (1 - e^-t)^n. Standard deviations of
        // one: 1.25 and 1.28. Where p99 of the hundred is 1 % longer, the share above it is 9.2 % smaller.
        leaves(10, "10000/s", vec![Quantity::new("mean in leaves", 2.928_968, 0.0086, mean)]),
        leaves(
            100,
            "5000/s",
            vec![
                Quantity::new("mean in leaves", 5.187_378, 0.007, mean),
                Quantity::new("share above p99", 0.01, tail(0.01, 20e3, 9.2), |run| {
                    above(&flow(run).latency, 92_053_740.0)
                }),
            ],
        ),
        // A second copy at D = ln 20, the 95th percentile: P(T > t) = e^-t up to D, e^(-t - (t - D)) after it. The mean is
        // (1 - e^-D) + e^-D / 2, p99 = (D + ln 100) / 2, p99.9 = (D + ln 1000) / 2; a share of e^-D is sent twice. 200 000.
        Case {
            name: "hedged after p95",
            duration: "50s",
            warmup: "0s",
            runs: 4,
            scenario: "[clients.source]\nrate = \"1000/s\"\ncall = \"server\"\nhedge = { delay = \"299573227ns\" }\n\
                       [services.server]\nnodes = 2\nworkers = \"unlimited\"\nwork = { exponential = \"100ms\" }",
            quantities: vec![
                Quantity::new("copies", 1.05, 0.0390 * 0.05 / 1.05, |run| ratio(flow(run).attempts, flow(run).offered))
                    .published("+5 %", "Dean and Barroso 2013"),
                Quantity::new("mean", 0.975, 0.0087, |run| flow(run).latency.mean().unwrap_or(f64::NAN) / 1e8),
                Quantity::new("share above p99", 0.01, tail(0.01, 200e3, 7.6), |run| {
                    above(&flow(run).latency, 380_045_122.0)
                }),
                Quantity::new("share above p99.9", 0.001, tail(0.001, 200e3, 9.9), |run| {
                    above(&flow(run).latency, 495_174_377.0)
                }),
            ],
        },
    ]
}

fn mean(run: &RunResult) -> f64 {
    flow(run).latency.mean().unwrap_or(f64::NAN) / 1e7
}

fn slow(
    name: &'static str,
    (quick, late, leaves): (&str, &str, u32),
    (rate, theory, tolerance): (&str, f64, f64),
    published: &'static str,
) -> Case {
    let work = format!("{{ mixture = [[{quick}, \"1ms\"], [{late}, \"10ms\"]] }}");
    let quantity = Quantity::new("share of slow requests", theory, tolerance, |run| above(&flow(run).latency, 5e6));
    let quantity = if published.is_empty() { quantity } else { quantity.published(published, "Dean and Barroso 2013") };
    Case {
        name,
        duration: "1s",
        warmup: "0s",
        runs: 4,
        scenario: gathered(leaves, rate, &work),
        quantities: vec![quantity],
    }
}

fn leaves(leaves: u32, rate: &str, quantities: Vec<Quantity>) -> Case {
    let name = if leaves == 10 { "the slowest of 10" } else { "the slowest of 100" };
    let scenario = gathered(leaves, rate, "{ exponential = \"10ms\" }");
    Case { name, duration: "1s", warmup: "0s", runs: 4, scenario, quantities }
}

/// A root that asks so many leaves at once, and waits for all.
fn gathered(leaves: u32, rate: &str, work: &str) -> &'static str {
    format!(
        "[clients.source]\nrate = \"{rate}\"\narrivals = \"even\"\ncall = \"root\"\n\
         [services.root]\nworkers = \"unlimited\"\nsteps = [{{ call = \"leaf\", fan-out = \"all\" }}]\n\
         [services.leaf]\nnodes = {leaves}\nworkers = \"unlimited\"\nwork = {work}"
    )
    .leak()
}
