//! Whoever checks whose health, and whoever picks: what holds for every health check and every balancer there is, under faults.
//!
//! That no balancer ever picks a member that its sender takes for down while another is up is asserted where it picks, in
//! builds with debug assertions such as this one.

use std::collections::BTreeMap;

use rehearsal::base::time::{Time, secs};
use rehearsal::engine::Chain;
use rehearsal::protocol::balance::BALANCERS;
use rehearsal::protocol::health::HEALTH_CHECKS;

use crate::common::spelled;
use crate::common::{plan, play};

/// A scenario with random faults, different in each of `runs` runs.
fn text(runs: u32, nodes: usize, policy: &str) -> String {
    format!(
        r#"
        run = {{ duration = "3s", runs = {runs} }}
        network = {{ latency = {{ uniform = ["1ms", "9ms"] }}, loss = "3%", duplicate = "1%" }}
        [clients.app]
        nodes = 2
        rate = "100/s"
        call = "api"
        key = {{ uniform = 100 }}
        timeout = "40ms"
        max-attempts = 3
        {policy}
        [services.api]
        nodes = {nodes}
        work = {{ exponential = "4ms" }}
        [faults.crash]
        crash = "api[0]"
        every = {{ exponential = "400ms" }}
        for = {{ exponential = "300ms" }}
        [faults.other]
        crash = "api[1]"
        every = {{ exponential = "900ms" }}
        for = {{ exponential = "300ms" }}
        [faults.sender]
        restart = "app[1]"
        at = {{ uniform = ["100ms", "2.5s"] }}
        [faults.pause]
        pause = "api"
        at = {{ uniform = ["100ms", "2.5s"] }}
        for = {{ exponential = "200ms" }}
        [faults.cut]
        partition = [["app[0]"], ["api[1]"]]
        at = {{ uniform = ["100ms", "2s"] }}
        for = {{ exponential = "500ms" }}
        "#
    )
}

/// Every health check, made quick, and none.
fn checks() -> Vec<String> {
    let quick = |name: &str| match name {
        "probe" => "{ probe = { interval = \"30ms\", timeout = \"30ms\" } }",
        "heartbeat" => "{ heartbeat = { interval = \"30ms\", timeout = \"80ms\" } }",
        "phi-accrual" => {
            "{ phi-accrual = { interval = \"30ms\", min-std-deviation = \"5ms\", acceptable-pause = \"0s\", threshold = 3 } }"
        }
        "swim" => "{ swim = { period = \"50ms\", ping-timeout = \"20ms\" } }",
        other => panic!("nothing quick is known of {other}"),
    };
    let written = HEALTH_CHECKS.iter().map(|listing| format!("health = {}", quick(listing.name)));
    written.chain([String::new()]).collect()
}

/// Ten runs of each, thirty for a check with a balancer. Books balance (`play` refuses to go on otherwise), nothing panics, and most requests are answered.
#[test]
fn no_balancer_picks_who_is_known_to_be_down() {
    let ejection = "outlier-detection = { consecutive-errors = 2, interval = \"200ms\", base-ejection-time = \"300ms\", \
                    max-ejection-percent = \"50%\" }";
    for balancer in BALANCERS {
        let balance = spelled(balancer);
        // Weights are said for each member.
        let nodes = if balance.contains('[') { 1 + balance.matches(',').count() } else { 3 };
        for check in checks() {
            for ejection in ["", ejection, "panic-threshold = \"50%\""] {
                if check.is_empty() && ejection.starts_with("panic") {
                    continue;
                }
                let text = text(10, nodes, &format!("balance = {balance}\n{check}\n{ejection}"));
                let results = play(&plan(&text));
                let [offered, confirmed] = results.runs.iter().fold([0, 0], |[offered, confirmed], run| {
                    let total = &run.flows[0].book.total;
                    [offered + total.offered, confirmed + total.confirmed]
                });
                assert!(confirmed * 2 > offered, "{confirmed} of {offered}:\n{text}");
            }
        }
    }
}

/// What every node did, by name.
fn chains(text: &str) -> BTreeMap<String, Chain> {
    let mut cluster = plan(text).cluster(7);
    cluster.run_until(Time::ZERO + secs(3));
    cluster.chains().map(|(node, chain)| (cluster.names().label(node), chain)).collect()
}

/// A run is the same however often it is played, and so is what these nodes do when others stand before them in the scenario.
#[test]
fn checks_do_not_depend_on_who_else_there_is() {
    let others = "[clients.aaa]\nrate = \"9/s\"\ncall = \"aab\"\nhealth = \"swim\"\ntimeout = \"1s\"\n[services.aab]\nnodes = 3\n";
    for check in checks() {
        let text = text(1, 3, &format!("balance = \"join-idle-queue\"\n{check}\noutlier-detection = {{}}"));
        let (run, network) = text.trim_start().split_once('\n').expect("the first line is about the run");
        let (network, rest) = network.trim_start().split_once('\n').expect("the second is about the network");
        let (alone, again) = (chains(&text), chains(&text));
        assert_eq!(alone, again, "{check}");
        let mut beside = chains(&format!("{run}\n{network}\n{others}{rest}"));
        beside.retain(|name, _| alone.contains_key(name));
        assert_eq!(alone, beside, "{check}");
    }
}
