//! Retries as load, what bounds them, and loops that bound themselves.

use rehearsal::metrics::recovery::After;
use rehearsal::metrics::{Fate, RunResult};

use crate::case::{Case, Quantity};
use crate::study::{flow, named, ratio, station};

/// The cases.
pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        // Everything fails at the bottom, and each layer asks so often: (r + 1)^L.
        layers("3 layers, 4 attempts each", 4, 3, 64.0, ("64", "Site Reliability Engineering, ch. 22")),
        layers("5 layers, 3 attempts each", 3, 5, 243.0, ("243", "AWS Builders' Library")),
        layers("4 layers, 2 attempts each", 2, 4, 16.0, ("", "")),
        // Every attempt fails at once: three times the load, or a tenth more where retries are a tenth of requests.
        outage("an outage, three attempts", "", 3.0, ("just below 3", "Site Reliability Engineering, ch. 21")),
        outage(
            "an outage, a budget of 10 %",
            "retry-budget = { ratio = \"10%\" }\n",
            1.1,
            ("1.1", "Site Reliability Engineering, ch. 21"),
        ),
        // K = 2: sent is twice what is accepted, and of five requests three are not sent. Two minutes fill the window.
        Case {
            name: "adaptive throttling",
            duration: "500s",
            warmup: "300s",
            runs: 2,
            scenario: "[clients.source]\nrate = \"1000/s\"\ncall = \"backend\"\nthrottle = \"adaptive\"\n\
                       [services.backend]\nadmit.rate-limit = { token-bucket = { rate = \"200/s\", burst = 100 } }",
            quantities: vec![
                Quantity::new("sent by accepted", 2.0, 0.04, |run| {
                    ratio(station(run).arrived, flow(run).fate(Fate::Confirmed))
                }),
                Quantity::new("share not sent", 0.6, 0.04, |run| 1.0 - ratio(station(run).arrived, flow(run).offered)),
            ],
        },
        // A hundred at once, then one each 20 ms: the last of a thousand at (1000 - 100) / 50 s.
        Case {
            name: "a token bucket",
            duration: "30s",
            warmup: "0s",
            runs: 1,
            scenario: "[clients.source]\nusers = 1000\ncount = 1000\ncall = \"backend\"\n\
                       rate-limit = { token-bucket = { rate = \"50/s\", burst = 100 } }\n\
                       [services.backend]\nworkers = \"unlimited\"",
            quantities: vec![Quantity::new("the last one passes, in s", 18.0, 1e-9, |run| {
                flow(run).latency.max().map_or(f64::NAN, |max| max.as_secs_f64())
            })],
        },
        // M/M/1 with feedback: 1 / (mu (1 - p) - lambda), visits 1 / (1 - p) (Jackson 1957); c = 7 and sqrt(p), of 1.2 million.
        Case {
            name: "retries as feedback",
            duration: "126s",
            warmup: "1s",
            runs: 16,
            scenario: "[clients.source]\nrate = \"600/s\"\ncall = \"server\"\nmax-attempts = \"unlimited\"\n\
                       [services.server]\nsteps = [{ work = { exponential = \"1ms\" } }, { fail = 0.2 }]",
            quantities: vec![
                Quantity::new("time in ms", 5.0, 0.0256, |run| flow(run).latency.mean().unwrap_or(f64::NAN) / 1e6),
                Quantity::new("visits", 1.25, 0.0016, |run| ratio(flow(run).attempts, flow(run).offered)),
            ],
        },
    ];
    cases.extend(storms());
    cases.extend(loops());
    cases
}

fn layers(
    name: &'static str,
    attempts: u32,
    layers: u32,
    theory: f64,
    (value, source): (&'static str, &'static str),
) -> Case {
    let between = (1..layers).map(|layer| {
        let next = if layer + 1 == layers { "bottom".into() } else { format!("layer{}", layer + 1) };
        format!("[services.layer{layer}]\ncall = \"{next}\"\n")
    });
    let scenario = format!(
        "[policies.default]\nmax-attempts = {attempts}\n[clients.source]\nrate = \"1/s\"\ncount = 10\ncall = \"layer1\"\n\
         [services.bottom]\nfail = 1\n"
    ) + &between.collect::<String>();
    let quantity = Quantity::new("calls at the bottom", theory, 1e-9, |run| {
        ratio(named(run, "bottom").arrived, flow(run).offered)
    });
    let quantity = if source.is_empty() { quantity } else { quantity.published(value, source) };
    Case { name, duration: "60s", warmup: "0s", runs: 1, scenario: scenario.leak(), quantities: vec![quantity] }
}

fn outage(name: &'static str, budget: &str, theory: f64, (value, source): (&'static str, &'static str)) -> Case {
    let scenario = format!(
        "[clients.source]\nrate = \"1000/s\"\ncall = \"backend\"\nmax-attempts = 3\n{budget}[services.backend]\nfail = 1"
    );
    let load = |run: &RunResult| ratio(station(run).arrived, flow(run).offered);
    let quantity = Quantity::new("load by requests", theory, 0.02, load).published(value, source);
    Case { name, duration: "100s", warmup: "0s", runs: 1, scenario: scenario.leak(), quantities: vec![quantity] }
}

/// A database serves 300 evenly spaced requests a second, each 1/300 s; one not answered after 1 s is asked once more. For 10 s it
/// stands still. With lambda requests and retries of a share r of them there wait 10 lambda + what was retried until then, the
/// whole shrinks by 300 - (1 + r) lambda a second until the wait is below 1 s, and the first request that is due then is
/// answered after one more. Where a budget bounds retries, 10 r lambda were retried; where none does, 9 lambda, and r = 1. (The
/// budget remembers the whole run: of one that forgets, a retry is lost each time, whose last payment comes too late.) Tolerances:
/// half a second, and what two requests more or less make in time.
fn storms() -> Vec<Case> {
    let source = "Bronson and others, HotOS 2021, section 2.1";
    let recovery = |theory, tolerance: f64| {
        vec![Quantity::new("recovery in s", theory, tolerance / theory, |run| match run.after(0, &[0])[..] {
            [after] => match after.recovery {
                After::Within(span) => span.as_secs_f64(),
                After::Nothing | After::Never => f64::INFINITY,
            },
            _ => f64::NAN,
        })]
    };
    let never = |load| {
        vec![
            Quantity::new("goodput, in time", 0.0, 0.0, |run| {
                ratio(flow(run).fate(Fate::Confirmed), flow(run).offered)
            })
            .published("0", source),
            Quantity::new("load per second", load, 0.01, |run| station(run).arrived as f64 / station(run).seconds),
        ]
    };
    let stuck = never(560.0);
    let stuck = vec![stuck[0].clone(), stuck[1].clone().published("560", source)];
    vec![
        storm("a retry storm, 100/s", 100, "2", "160s", "0s", recovery(17.0, 0.5)),
        storm("a retry storm, 130/s", 130, "2", "160s", "0s", recovery(55.25, 0.55)),
        storm("a retry storm, 140/s", 140, "2", "160s", "0s", recovery(119.0, 0.6)),
        storm("a retry storm, 160/s", 160, "2", "160s", "20s", never(320.0)),
        storm("a retry storm, 280/s", 280, "2", "160s", "20s", stuck),
        storm("280/s, no retries", 280, "1", "200s", "0s", recovery(126.0, 0.6)),
        storm(
            "280/s, a budget of 2 %",
            280,
            "2\nretry-budget = { ratio = { ratio = \"2%\", ttl = \"1000s\" } }",
            "260s",
            "0s",
            recovery(178.5, 0.64),
        ),
        storm(
            "280/s, a budget of 5 %",
            280,
            "2\nretry-budget = { ratio = { ratio = \"5%\", ttl = \"1000s\" } }",
            "520s",
            "0s",
            recovery(441.0, 0.83),
        ),
    ]
}

fn storm(
    name: &'static str,
    rate: u32,
    attempts: &str,
    duration: &'static str,
    warmup: &'static str,
    quantities: Vec<Quantity>,
) -> Case {
    let scenario = format!(
        "[clients.app]\nrate = \"{rate}/s\"\narrivals = \"even\"\ncall = \"db\"\ntimeout = \"1s\"\nmax-attempts = {attempts}\n\
         [services.db]\nwork = \"3333333ns\"\n[faults.stall]\nat = \"0s\"\nfor = \"10s\"\npause = \"db\""
    );
    Case { name, duration, warmup, runs: 1, scenario: scenario.leak(), quantities }
}

/// Users who think, ask and wait.
fn loops() -> Vec<Case> {
    let visits = "{ call = \"cpu\" }, { call = \"disk-a\" }, { call = \"cpu\" }, { call = \"disk-a\" }, { call = \"cpu\" }, \
                  { call = \"disk-b\" }";
    let central = format!(
        "[clients.terminals]\nusers = 20\nthink = {{ exponential = \"4s\" }}\n\
         steps = [{{ repeat = {{ times = 5, steps = [{visits}] }} }}, {{ call = \"cpu\" }}]\n\
         [services.cpu]\nwork = {{ exponential = \"125ms\" }}\n[services.disk-a]\nwork = {{ exponential = \"300ms\" }}\n\
         [services.disk-b]\nwork = {{ exponential = \"200ms\" }}"
    );
    let source = "Jain 1991, example 34.2";
    vec![
        // A birth-death chain on the number at the server; c = 0.9 and 2.5 of 665 000.
        Case {
            name: "a closed loop of ten users",
            duration: "200s",
            warmup: "0.5s",
            runs: 4,
            scenario: "[clients.users]\nusers = 10\nthink = { exponential = \"9ms\" }\ncall = \"server\"\n\
                       [services.server]\nwork = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity::new("throughput per ms", 0.832_037, 0.0044, |run| {
                    station(run).served as f64 / station(run).seconds / 1e3
                }),
                Quantity::new("response in ms", 3.018_70, 0.0123, |run| {
                    flow(run).latency.mean().unwrap_or(f64::NAN) / 1e6
                }),
            ],
        },
        // Mean value analysis: R_i(n) = S_i (1 + Q_i(n - 1)), X(n) = n / (Z + sum of V_i R_i). The order of visits does not matter
        // (Kelly 1979). c = 0.4, 1.4, 0.5, 0.9, 1.6, 0.3 and 1.3 of 40 000 cycles.
        Case {
            name: "a central server",
            duration: "31000s",
            warmup: "1000s",
            runs: 4,
            scenario: central.leak(),
            quantities: vec![
                Quantity::new("cycles per s", 0.333_247, 0.008, |run| {
                    named(run, "cpu").served as f64 / 16.0 / 30_000.0
                }),
                Quantity::new("cpu, in s", 0.373_339, 0.028, |run| residence_of(run, "cpu")).published("0.373", source),
                Quantity::new("disk A, in s", 4.854_26, 0.01, |run| residence_of(run, "disk-a"))
                    .published("4.854", source),
                Quantity::new("disk B, in s", 0.299_922, 0.018, |run| residence_of(run, "disk-b"))
                    .published("0.300", source),
                Quantity::new("at the cpu", 1.990_62, 0.032, |run| named(run, "cpu").present_mean())
                    .published("1.991", source),
                Quantity::new("at disk A", 16.176_7, 0.006, |run| named(run, "disk-a").present_mean())
                    .published("16.177", source),
                Quantity::new("at disk B", 0.499_740, 0.026, |run| named(run, "disk-b").present_mean())
                    .published("0.500", source),
            ],
        },
    ]
}

fn residence_of(run: &RunResult, name: &str) -> f64 {
    named(run, name).residence.mean().unwrap_or(f64::NAN) / 1e9
}
