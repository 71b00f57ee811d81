//! Several servers, and who chooses among them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crate::common::{plan_of, play};
use crate::study::{Study, flow, mean_ms, ratio, station, waited};

fn cluster(nodes: u32, rate: &str, balance: &str) -> String {
    format!(
        "[clients.source]\nrate = \"{rate}\"\nsend = \"server\"\n[services.server]\nnodes = {nodes}\nbalance = {balance}\n\
         work = {{ exponential = \"1ms\" }}\n"
    )
}

/// Ten servers at rho = 0.8, each request to any of them: ten M/M/1, T = 5, p99 = 23.0259 (thinning of Poisson).
#[test]
fn random_dispatch_gives_queues_of_their_own() {
    let study = Study::of(11, 1, &cluster(10, "8000/s", "\"random\""));
    study.mean("T", 5.0, 10.9, |run| mean_ms(&station(run, "server").residence));
    study.tail("p99", 0.99, (23.0259, 0.2), 22.0, |run| &station(run, "server").residence);
    study.littles_law();
}

/// Ten servers in turn: each is an E_10/M/1. With k = 10 and k lambda' = 8 the root of
/// sigma = (8 / (8 + 1 - sigma))^10 is 0.6578: that share waits, T = 1 / (1 - sigma) = 2.92227, exponential. Kleinrock,
/// Queueing Systems I (1975), chapter 6.
#[test]
fn round_robin_gives_erlang_arrivals() {
    let study = Study::of(11, 1, &cluster(10, "8000/s", "\"round-robin\""));
    study.mean("T", 2.92227, 7.0, |run| mean_ms(&station(run, "server").residence));
    study.mean("waits", 0.6578, 2.5, |run| waited(station(run, "server")));
    study.tail("p99", 0.99, (13.4575, 0.3422), 16.0, |run| &station(run, "server").residence);
    study.littles_law();
}

/// The better of two different ones out of 100, by requests present: 1.2673, 1.6202 and 2.6454 at rho = 0.5, 0.7 and 0.9
/// (Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001, table 1, n = 100; the limit of
/// many servers, sum over i of rho^(2^i - 2), is 1.26569, 1.61445, 2.61406). c from the tolerance the table's own numbers
/// carry: 0.6 %, 0.6 % and 1.2 % at 10^7 requests.
#[test]
fn two_choices() {
    for (rate, expected, c) in [("50000/s", 1.2673, 4.7), ("70000/s", 1.6202, 4.7), ("90000/s", 2.6454, 9.5)] {
        let balance = r#"{ choices = { d = 2, load = "true" } }"#;
        let study = Study::seeds(8, 2, 1, &cluster(100, rate, balance));
        study.mean(rate, expected, c, |run| mean_ms(&station(run, "server").residence));
        study.littles_law();
    }
}

/// The shorter of two queues, total arrivals 1.4: T = 2.1082 (Haight 1958; the quasi-birth-death process over shorter queue and
/// difference, solved exactly).
#[test]
fn the_shortest_queue_of_two() {
    let study = Study::of(46, 1, &cluster(2, "1400/s", r#"{ least-requests = { load = "true" } }"#));
    study.mean("T", 2.1082, 4.3, |run| mean_ms(&station(run, "server").residence));
    study.littles_law();
}

/// Servers of rates 1, 2, 4 and a total of 2.4, split at random. Each is an M/M/1: T = sum of (lambda_i / lambda) /
/// (mu_i - lambda_i) is 2.04861 if each gets a third, 0.652174 in proportion to the rates, and 0.51584 at the best split
/// lambda_i = mu_i - sqrt(mu_i) (sum mu - lambda) / sum sqrt(mu): 0, 0.5088, 1.8912 (Bell and Stidham 1983). A mix draws its
/// entries at random by weight, and so splits a Poisson stream into Poisson streams. c from Daley's variance of the mean wait at
/// each server, and that of the service: 12.5, 2.4 and 2.9.
#[test]
fn random_splits_over_unequal_servers() {
    let splits =
        [([1.0, 1.0, 1.0], 2.04861, 12.5), ([1.0, 2.0, 4.0], 0.652174, 2.4), ([0.0, 0.5088, 1.8912], 0.51584, 2.9)];
    for (weights, expected, c) in splits {
        let mut text = String::from("clients.source.rate = \"2400/s\"\n");
        for (name, (weight, mean)) in
            ["slow", "good", "fast"].iter().zip(weights.iter().zip(["1ms", "0.5ms", "0.25ms"]))
        {
            text += &format!("[services.{name}]\nwork = {{ exponential = \"{mean}\" }}\n");
            if *weight > 0.0 {
                text += &format!("[clients.source.mix.{name}]\nweight = {weight}\nsend = \"{name}\"\n");
            }
        }
        let study = Study::of(22, 1, &text);
        study.mean("T", expected, c, |run| {
            let books = || run.stations.iter().map(|station| &station.book);
            let spent: f64 = books().map(|book| book.residence.mean().unwrap_or(0.0) * book.served as f64).sum();
            spent / 1e6 / books().map(|book| book.served as f64).sum::<f64>()
        });
    }
}

/// A third each can also be said by speeds and random choice: 2.04861 again.
#[test]
fn random_dispatch_over_unequal_speeds() {
    let text = cluster(3, "2400/s", "\"random\"") + "speed = [1, 2, 4]\n";
    let study = Study::of(22, 1, &text);
    study.mean("T", 2.04861, 7.0, |run| mean_ms(&station(run, "server").residence));
}

/// At rho = 0.9 over 100 servers, the more a choice knows the shorter the wait: 10 at random, 5.23 in turn (E_100/M/1), 2.64,
/// 2.06 and 1.67 for the best of 2, 3 and 5, 1.07 for the shortest queue.
#[test]
fn policies_stand_in_the_order_of_what_they_know() {
    let choices = |d| format!("{{ choices = {{ d = {d}, load = \"true\" }} }}");
    let policies = [
        ("\"random\"".to_owned(), 10.0),
        ("\"round-robin\"".to_owned(), 5.23),
        (choices(2), 2.64),
        (choices(3), 2.06),
        (choices(5), 1.67),
        (r#"{ least-requests = { load = "true" } }"#.to_owned(), 1.07),
    ];
    let mut last = f64::INFINITY;
    for (balance, about) in policies {
        let study = Study::seeds(1, 2, 1, &cluster(100, "90000/s", &balance));
        let mean = mean_ms(&station(&study.runs[0], "server").residence);
        println!("{balance}: {mean} for about {about}");
        // 90 000 requests over 100 queues of rho = 0.9 leave a random split about 10 % of noise; it is the noisiest.
        assert!(mean < last && (mean / about - 1.0).abs() < 0.2, "{balance}: {mean} for about {about}");
        last = mean;
    }
}

/// A front asks the less busy of two, one of which is too slow for its clients, who take their requests back. What they took back
/// is no load any more, so the slow one is as idle as the other and gets every second request by lot.
#[test]
fn what_was_cancelled_is_no_load() {
    let study = Study::of(
        100,
        0,
        r#"
        [clients.source]
        rate = "10/s"
        arrivals = "even"
        call = "front"
        timeout = "20ms"
        cancel = "running"
        [services.front]
        workers = "unlimited"
        call = "back"
        [services.back]
        nodes = 2
        speed = [1, 100]
        workers = "unlimited"
        balance = "least-requests"
        work = "90ms"
        "#,
    );
    study.share("answered", 0.5, |run| ratio(flow(run, "source").confirmed, flow(run, "source").offered));
}

/// A request each millisecond is about a number, and a balancer hands that down: four servers of 3 ms share them by a hash of each,
/// none above 83 % of its time, and nobody waits for long. Were they all about one thing, one server would get them all and be
/// 2 ms behind with each, 3 s in the mean.
#[test]
fn numbers_of_a_trace_are_told_apart_behind_a_balancer() {
    let rows: String = (0..3000).map(|row| format!("{}.{:03},{row}\n", row / 1000, row % 1000)).collect();
    let text = "run.duration = \"3s\"\n[clients.c]\ntrace = \"t.csv\"\ncall = \"lb\"\n[balancers.lb]\nto = \"s\"\n[services.s]\n\
                nodes = 4\nbalance = \"rendezvous\"\nworkers = 1\nwork = \"3ms\"\n";
    let files = [("s.toml", text.to_owned()), ("t.csv", format!("time,key\n{rows}"))];
    let files: BTreeMap<PathBuf, String> = files.map(|(path, text)| (path.into(), text)).into();
    let run = &play(&plan_of(&files, Path::new("s.toml"))).runs[0];
    let book = station(run, "s");
    assert_eq!(flow(run, "c").confirmed, 3000);
    assert!(mean_ms(&book.residence) < 50.0, "{}", mean_ms(&book.residence));
}
