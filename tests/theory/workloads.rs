//! Loads: rates over time, arrival processes and traces, beside what is known of them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use rehearsal::base::time::{Span, Time, ms, ns, secs};
use rehearsal::metrics::RunResult;
use rehearsal::process::Observation;
use rehearsal::scenario::plan::Plan;
use rehearsal::sim::Cluster;

use crate::common::{plan, plan_of, play};
use crate::study::{Study, flow, mean_ms, station};
use crate::trace::Trace;

/// When requests were offered, in runs of load from `clients` alone.
fn offered(seed: u64, seconds: u64, clients: &str) -> Vec<Time> {
    let scenario = format!("run.seed = {seed}\n{clients}\nsend = \"sink\"\n[services.sink]\n");
    Trace::of(&scenario, secs(seconds)).times(|stated| matches!(stated, Observation::Offered { .. }))
}

/// How many came in each window of this length.
fn counts(times: &[Time], window: Span, windows: usize) -> Vec<f64> {
    let mut counts = vec![0.0; windows];
    for time in times {
        if let Some(count) = counts.get_mut((time.as_nanos() / window.as_nanos()) as usize) {
            *count += 1.0;
        }
    }
    counts
}

/// From 0 to 1000/s within 10 s, at even distances from the start: the k-th request comes when k of them are due, which is
/// after sqrt(k / 50) seconds. A timer takes a nanosecond at least.
#[test]
fn on_a_ramp_the_kth_request_comes_when_k_are_due() {
    let times = offered(
        1,
        10,
        r#"
        [clients.source]
        rate = { ramp = { from = "0/s", to = "1000/s", over = "10s" } }
        arrivals = "even"
        phase = "aligned"
        "#,
    );
    assert_eq!(times.len(), 5000);
    for (k, time) in times.iter().enumerate() {
        let expected = Time::ZERO + Span::from_secs_f64(libm::sqrt(k as f64 / 50.0));
        let error = time.since(expected).max(expected.since(*time));
        // The clock of arrivals counts nanoseconds at the peak; at a rate of r they last 1000/r real ones.
        let rate = 100.0 * expected.as_secs_f64();
        assert!(error <= ns(2) + Span::from_nanos_f64(1000.0 / rate.max(1.0)), "{k}: {time} for {expected}");
    }
}

/// The same at random: Poisson counts whose means are the areas 100 k + 50 under each second of the ramp.
#[test]
fn counts_on_a_ramp_are_poisson_with_the_area_as_mean() {
    let mut total = vec![0.0; 10];
    let seeds = 40;
    for seed in 0..seeds {
        let times = offered(
            seed,
            10,
            "[clients.source]\nnodes = 3\nrate = { ramp = { from = \"0/s\", to = \"1000/s\", over = \"10s\" } }",
        );
        for (sum, count) in total.iter_mut().zip(counts(&times, secs(1), 10)) {
            *sum += count;
        }
    }
    for (second, count) in total.into_iter().enumerate() {
        let expected = seeds as f64 * (100.0 * second as f64 + 50.0);
        assert!((count - expected).abs() < 4.0 * libm::sqrt(expected), "{second}: {count} for {expected}");
    }
}

/// Steps, and a spike in between: each second has its own rate, and exactly so where arrivals are even. A fault that doubles the
/// load for a second adds as much, and shifts nothing after it.
#[test]
fn steps_spikes_and_faults_add_up() {
    let counted = |rate: &str, more: &str| {
        let clients = format!("[clients.source]\narrivals = \"even\"\nphase = \"aligned\"\nrate = {rate}");
        let scenario = format!("{clients}\nsend = \"sink\"\n[services.sink]\n{more}");
        let times = Trace::of(&scenario, secs(6)).times(|stated| matches!(stated, Observation::Offered { .. }));
        counts(&times, secs(1), 6)
    };
    let steps = "{ steps = [[\"1s\", \"100/s\"], [\"3s\", \"400/s\"], [\"4s\", \"0/s\"]] }";
    assert_eq!(counted(steps, ""), [0.0, 100.0, 100.0, 400.0, 0.0, 0.0]);
    let spike = "{ spike = { base = \"100/s\", peak = \"500/s\", at = \"2s\", for = \"2s\" } }";
    assert_eq!(counted(spike, ""), [100.0, 100.0, 500.0, 500.0, 100.0, 100.0]);
    let surge = "[faults.surge]\nat = \"1s\"\nfor = \"2s\"\nload = { on = \"source\", factor = 2 }";
    let all: Vec<_> = counted(spike, surge);
    for (count, expected) in all.iter().zip([100.0, 200.0, 1000.0, 500.0, 100.0, 100.0]) {
        assert!((count - expected).abs() <= 1.0, "{all:?}");
    }
}

/// A day of a minute that swings by 80 %: 5 s to each side of the peak and of the trough hold 1 ± 0.8 x 0.95493 times the mean,
/// 0.95493 being sin(30°) / (pi / 6): a ratio of 7.47.
#[test]
fn peak_and_trough_of_a_day_stand_in_their_ratio() {
    let [mut peak, mut trough] = [0.0; 2];
    for seed in 0..40 {
        let times = offered(
            seed,
            60,
            "[clients.source]\nnodes = 2\n\
             rate = { diurnal = { mean = \"100/s\", amplitude = \"80%\", period = \"1min\", peak-at = \"45s\" } }",
        );
        let seconds = times.iter().map(|time| time.as_nanos() / 1_000_000_000);
        let between = |start: u64| seconds.clone().filter(move |second| (start..start + 10).contains(second));
        peak += between(40).count() as f64;
        trough += between(10).count() as f64;
    }
    for (found, factor) in [(peak, 1.763_944), (trough, 0.236_056)] {
        let expected = 40.0 * 10.0 * 100.0 * factor;
        assert!((found - expected).abs() < 4.0 * libm::sqrt(expected), "{found} for {expected}");
    }
}

/// Two states with stays of 1 s each and rates that stand 1 to 9, mean 100/s: 20/s and 180/s. The rate has the variance
/// s = 80^2 and the memory 1 / (1 + 1) = 0.5 s, so that counts in windows of t have the index of dispersion
/// 1 + 2 s 0.5 / 100 (1 - 0.5 (1 - e^(-2t)) / t): 37.33 at 1 s, 6.99 at 0.1 s (Fischer, Meier-Hellstern 1993, section 2.3).
/// The state is the group's: four nodes together are as bursty as one.
#[test]
fn bursts_have_their_index_of_dispersion() {
    let mut means = Vec::new();
    for (window, expected) in [(secs(1), 37.331), (ms(100), 6.994)] {
        let windows = (100 * secs(1).as_nanos() / window.as_nanos()) as usize;
        let mut all = Vec::new();
        for seed in 0..80 {
            let times = offered(
                seed,
                100,
                "[clients.source]\nnodes = 4\nrate = \"100/s\"\n\
                 arrivals = { mmpp = { rates = [1, 9], stays = [\"1s\", \"1s\"] } }",
            );
            all.extend(counts(&times, window, windows));
        }
        let mean = all.iter().sum::<f64>() / all.len() as f64;
        let variance = all.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / all.len() as f64;
        println!("dispersion {} for {expected}, mean {mean}", variance / mean);
        assert!((variance / mean / expected - 1.0).abs() < 0.08, "{} for {expected}", variance / mean);
        means.push(mean / window.as_secs_f64());
    }
    // Over 8000 s the count has the index 65: a relative standard error of sqrt(65 / 800000) = 0.9 %.
    assert!(means.iter().all(|mean| (mean / 100.0 - 1.0).abs() < 0.036), "{means:?}");
}

/// On for 1 s and off for 3 s: four times the rate while it is on, with s = 3 x 100^2 and a memory of 0.75 s. Counts in seconds
/// have the index 1 + 2 x 30000 x 0.75 / 100 (1 - 0.75 (1 - e^(-4/3))) = 202.
#[test]
fn load_that_comes_and_goes_is_a_special_case() {
    let mut all = Vec::new();
    for seed in 0..80 {
        let clients =
            "[clients.source]\nrate = \"100/s\"\narrivals = { on-off = { on = \"1s\", off = \"3s\" } }".to_owned();
        all.extend(counts(&offered(seed, 100, &clients), secs(1), 100));
    }
    let mean = all.iter().sum::<f64>() / all.len() as f64;
    let variance = all.iter().map(|count| (count - mean) * (count - mean)).sum::<f64>() / all.len() as f64;
    let expected = 1.0 + 450.0 * (1.0 - 0.75 * (1.0 - libm::exp(-4.0 / 3.0)));
    println!("dispersion {} for {expected}, mean {mean}", variance / mean);
    assert!((variance / mean / expected - 1.0).abs() < 0.08, "{} for {expected}", variance / mean);
    // An index of 451 over 8000 s: a relative standard error of 2.4 %.
    assert!((mean / 100.0 - 1.0).abs() < 0.096, "{mean}");
}

/// M^X/M/1 with work of 1 ms at rho = 0.6: L = rho (1 + E[X^2] / E[X]) / (2 (1 - rho)). Batches of 4: E[X^2] / E[X] = 4,
/// L = 3.75, W = 6.25 ms. Geometric of mean 4: E[X^2] = 28, L = 6, W = 10 ms. Gross and Harris (3rd ed. 1998), section 3.1.
#[test]
fn batches_wait_for_each_other() {
    for (sizes, sojourn, c) in [("constant", 6.25, 16.0), ("geometric", 10.0, 22.0)] {
        let study = Study::of(
            201,
            1,
            &format!(
                "[clients.source]\nrate = \"600/s\"\narrivals = {{ batches = {{ size = 4, sizes = \"{sizes}\" }} }}\n\
                 send = \"server\"\n[services.server]\nwork = {{ exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("W", sojourn, c, |run| mean_ms(&station(run, "server").residence));
        study.mean("utilisation", 0.6, 4.0, |run| station(run, "server").busy_mean());
    }
}

/// GI/M/1 at rho = 0.8: W = 1 / (mu (1 - sigma)), sigma being the root of sigma = E exp(-mu (1 - sigma) A). For gamma gaps of mean
/// 1.25 ms that is (1 + 1.25 cv^2 (1 - sigma))^(-1 / cv^2): W = 11.955 ms at cv = 2 and 3.267 ms at cv = 0.5, beside 5 ms for
/// Poisson. Kleinrock, Queueing Systems I (1975), section 6.4.
#[test]
fn gamma_gaps_wait_as_gi_m_1() {
    for (cv, sojourn, c) in [(2.0, 11.955, 18.0), (0.5, 3.267, 6.0)] {
        let study = Study::of(
            201,
            1,
            &format!(
                "[clients.source]\nrate = \"800/s\"\narrivals = {{ gamma = {cv:?} }}\nsend = \"server\"\n\
                 [services.server]\nwork = {{ exponential = \"1ms\" }}\n"
            ),
        );
        study.mean("W", sojourn, c, |run| mean_ms(&station(run, "server").residence));
        study.mean("rate", 800.0, 2.5, |run| flow(run, "source").offered as f64 / 200.0);
    }
}

/// A scenario beside a trace.
fn with_trace(trace: &str, scenario: &str) -> Plan {
    let files = [("s.toml", scenario), ("t.csv", trace)].map(|(path, text)| (PathBuf::from(path), text.to_owned()));
    plan_of(&BTreeMap::from(files), Path::new("s.toml"))
}

fn traced(plan: &Plan) -> Trace {
    let mut cluster: Cluster<_> = plan.cluster(plan.seed);
    cluster.observe(Trace::default());
    cluster.run_until(Time::ZERO + secs(60));
    let observer: Box<dyn std::any::Any> = cluster.take_observers().remove(0);
    *observer.downcast().expect("the only observer")
}

const REPLAY: &str = r#"
    run = { duration = "10s", runs = 2 }
    network.bandwidth = "8Mbit/s"
    [clients.source]
    nodes = 2
    trace = "t.csv"
    call = "sink"
    reply-size = "0B"
    [services.sink]
"#;

/// Each row starts at its time (the first a nanosecond later, which a timer takes), rows of one time at one time, and dealt in
/// turn. At a byte per microsecond a message takes its size.
#[test]
fn a_trace_is_played_as_it_is_written() {
    let plan = with_trace("time,size\n0.5,1000\n0.5,2000\n0.5,3000\n2s,10\n9.999,500\n10,7\n", REPLAY);
    let trace = traced(&plan);
    let offered: Vec<_> = trace.times(|stated| matches!(stated, Observation::Offered { .. }));
    let at = |seconds: f64| Time::ZERO + Span::from_secs_f64(seconds);
    assert_eq!(offered, [at(0.5), at(0.5), at(0.5), at(2.0), at(9.999)]);
    let runs = play(&plan).runs;
    for run in &runs {
        let latency = &flow(run, "source").latency;
        // The first node sends 1000, 3000 and 500 bytes, the second 2000 and 10; the second of the first waits for 1000.
        let times = [1.0, 2.0, 4.0, 0.01, 0.5];
        let mean = times.iter().sum::<f64>() / 5.0;
        assert!((mean_ms(latency) - mean).abs() < 0.01, "{:?}", latency.mean());
    }
    assert_eq!(offered_in(&runs[0]), offered_in(&runs[1]), "all runs play the same trace");
}

fn offered_in(run: &RunResult) -> u64 {
    flow(run, "source").offered
}

/// A hundred requests a second from one of two nodes, which is down from 2 s to 5 s: what was due then is gone, and what comes
/// later comes at its time. A node that is paused is late instead, and misses nothing.
#[test]
fn a_node_that_is_down_misses_its_rows_and_no_others() {
    let rows: String = (0..2000).map(|row| format!("{}.{:03}\n", row / 200, row % 200 * 5)).collect();
    let scenario = |fault: &str| {
        format!(
            "run.duration = \"10s\"\n[clients.source]\nnodes = 2\ntrace = \"t.csv\"\nsend = \"sink\"\n[services.sink]\n\
             [faults.stop]\nat = \"2.0005s\"\nfor = \"3s\"\n{fault} = \"source[1]\"\n"
        )
    };
    let trace = format!("time\n{rows}");
    for (fault, missed) in [("crash", 300), ("pause", 0)] {
        let plan = with_trace(&trace, &scenario(fault));
        let times = traced(&plan).times(|stated| matches!(stated, Observation::Offered { .. }));
        assert_eq!(times.len(), 2000 - missed, "{fault}");
        let late = times.iter().filter(|time| time.as_nanos() % 5_000_000 > 1).count();
        assert_eq!(late, if fault == "pause" { 300 } else { 0 }, "{fault}");
    }
}

/// A fault that doubles the load plays the trace at twice the speed, and what was skipped ahead stays ahead.
#[test]
fn more_load_plays_a_trace_faster() {
    let rows: String = (0..100).map(|row| format!("{}.{}\n", row / 10, row % 10)).collect();
    let scenario = "run.duration = \"10s\"\n[clients.source]\ntrace = \"t.csv\"\nsend = \"sink\"\n[services.sink]\n\
                    [faults.rush]\nat = \"2s\"\nfor = \"2s\"\nload = { on = \"source\", factor = 2 }\n";
    let times = traced(&with_trace(&format!("time\n{rows}"), scenario))
        .times(|stated| matches!(stated, Observation::Offered { .. }));
    let found = counts(&times, secs(1), 10);
    for (count, expected) in found.iter().zip([10.0, 10.0, 20.0, 20.0, 10.0, 10.0, 10.0, 10.0, 0.0, 0.0]) {
        assert!((count - expected).abs() <= 1.0, "{found:?}");
    }
}

/// `from`, `until` and `count` hold for every kind of load.
#[test]
fn load_begins_and_ends_when_it_is_told_to() {
    let rows: String = (0..100).map(|row| format!("{}.{}\n", row / 10, row % 10)).collect();
    let trace = format!("time\n{rows}");
    let counted = |load: &str, span: &str| {
        let scenario =
            format!("run.duration = \"10s\"\n[clients.source]\n{load}\n{span}\nsend = \"sink\"\n[services.sink]\n");
        let times =
            traced(&with_trace(&trace, &scenario)).times(|stated| matches!(stated, Observation::Offered { .. }));
        (times.first().copied(), times.len())
    };
    let span = "from = \"3s\"\nuntil = \"7s\"";
    assert_eq!(counted("trace = \"t.csv\"", span), (Some(Time::ZERO + secs(3)), 40));
    assert_eq!(counted("trace = \"t.csv\"", "from = \"3s\"\ncount = 7"), (Some(Time::ZERO + secs(3)), 7));
    let even = "arrivals = \"even\"\nphase = \"aligned\"\nrate = { steps = [[\"0s\", \"20/s\"], [\"5s\", \"10/s\"]] }";
    assert_eq!(counted(even, span), (Some(Time::ZERO + secs(3)), 60));
    let (first, count) =
        counted("rate = \"50/s\"\narrivals = { batches = { size = 10 } }", "from = \"3s\"\ncount = 25");
    assert!(first > Some(Time::ZERO + secs(3)));
    assert_eq!(count, 25);
    let bursts = "rate = \"1000/s\"\narrivals = { mmpp = { rates = [1, 10], stays = [\"1s\", \"1s\"] } }";
    let (first, count) = counted(bursts, "from = \"3s\"\nuntil = \"3.5s\"");
    assert!(first > Some(Time::ZERO + secs(3)) && count > 20, "{count}");
}

/// Weights of a mix are shares: 3 to 1 over 16 runs of 10 000 requests.
#[test]
fn a_mix_draws_by_weight() {
    let study = Study::of(
        10,
        0,
        r#"
        [clients.source]
        rate = "1000/s"
        mix.often = { send = "sink", weight = 3 }
        mix.rarely = { send = "sink" }
        [services.sink]
        "#,
    );
    study.share("often", 0.75, |run| {
        let [often, rarely] = ["source/often", "source/rarely"].map(|name| flow(run, name).offered as f64);
        often / (often + rarely)
    });
}

#[test]
fn a_plan_of_a_load_can_be_played_again() {
    let scenario = "run.duration = \"5s\"\n[clients.source]\nrate = { diurnal = { mean = \"100/s\", period = \"5s\" } }\n\
                    arrivals = { mmpp = { rates = [1, 5], stays = [\"1s\", \"500ms\"] } }\nsend = \"sink\"\n[services.sink]\n";
    let [one, other] = [play(&plan(scenario)), play(&plan(scenario))];
    assert_eq!(one.runs[0].digest, other.runs[0].digest);
}
