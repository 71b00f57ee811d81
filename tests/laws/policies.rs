//! Whatever a sender does about slowness and failure: what holds for every policy in every registry, under faults.

use rehearsal::base::settings::Listing;
use rehearsal::experiment::Results;
use rehearsal::protocol::balance::BALANCERS;
use rehearsal::protocol::breaker::CIRCUIT_BREAKER;
use rehearsal::protocol::concurrency::CONCURRENCY_LIMITS;
use rehearsal::protocol::hedge::HEDGE;
use rehearsal::protocol::keys::KEYS;
use rehearsal::protocol::rate_limit::RATE_LIMITS;
use rehearsal::protocol::retry_budget::RETRY_BUDGETS;
use rehearsal::protocol::throttle::THROTTLES;
use rehearsal::protocol::timeout::TIMEOUTS;
use rehearsal::protocol::workload::arrivals::ARRIVALS;
use rehearsal::protocol::workload::rate::RATES;

use crate::common::{plan, play, spelled};

/// Systems for each policy.
const SEEDS: u64 = 8;

/// What is written for every policy of a family under this key.
fn each<P>(key: &str, registry: &[Listing<P>]) -> Vec<String> {
    registry.iter().map(|listing| format!("{key} = {}", spelled(listing))).collect()
}

/// Every policy of a sender, written beside its step.
fn policies() -> Vec<String> {
    let weighted = |line: &String| !line.contains("weighted = [") && !line.contains("weighted-random = [");
    let groups = [
        each("balance", BALANCERS).into_iter().filter(weighted).collect(),
        vec!["balance = { weighted = [1, 2, 3] }".into(), "balance = { weighted-random = [3, 2, 1] }".into()],
        each("retry-budget", RETRY_BUDGETS),
        each("rate-limit", RATE_LIMITS),
        each("concurrency-limit", CONCURRENCY_LIMITS),
        each("throttle", THROTTLES),
        each("timeout", TIMEOUTS),
        each("key", KEYS),
        vec!["circuit-breaker = { minimum-number-of-calls = 10, wait-duration-in-open-state = \"50ms\" }".into()],
        vec![
            "hedge = { delay = \"10ms\" }".into(),
            "hedge = { delay = \"p90\", window = 200, max-attempts = 3 }".into(),
            "hedge = { delay = \"1ms\", tied = true }".into(),
            "hedge = { delay = \"5ms\" }\nbalance = \"ring-hash\"\nretry-budget = { ratio = \"20%\" }".into(),
        ],
    ];
    groups.concat()
}

/// What brings load, and all other keys of the client left out.
fn loads() -> Vec<String> {
    let arrivals = each("arrivals", ARRIVALS).into_iter().map(|line| format!("rate = \"300/s\"\n{line}"));
    each("rate", RATES).into_iter().chain(arrivals).collect()
}

/// Three members, of which some crash, pause, slow down or are cut off now and then; messages get lost.
fn system(seed: u64, load: &str, policy: &str) -> String {
    let key = if policy.contains("key =") { "" } else { "key = { zipf = { keys = 50 } }" };
    let timeout = if policy.contains("timeout =") { "" } else { "timeout = { list = [\"30ms\", \"60ms\"] }" };
    format!(
        r#"
        [run]
        seed = {seed}
        duration = "2s"
        drain = "3s"
        runs = 1
        [network]
        latency = {{ exponential = "1ms" }}
        loss = "1%"
        [clients.app]
        nodes = 2
        {load}
        call = "api"
        deadline = "1s"
        max-attempts = 3
        backoff = {{ exponential = {{ initial = "5ms" }} }}
        jitter = "full"
        cancel = "running"
        {key}
        {timeout}
        {policy}
        [services.api]
        nodes = 3
        workers = 2
        queue = {{ limit = 12 }}
        steps = [{{ work = {{ exponential = "8ms" }} }}, {{ fail = "2%" }}]
        [faults.crash]
        every = {{ exponential = "600ms" }}
        for = {{ exponential = "100ms" }}
        crash = "api[any 1]"
        [faults.pause]
        every = {{ exponential = "500ms" }}
        for = {{ exponential = "60ms" }}
        pause = "api[any 1]"
        [faults.slow]
        at = "700ms"
        for = "400ms"
        slow = {{ on = "api[1]", factor = 5 }}
        [faults.cut]
        at = "1300ms"
        for = "150ms"
        partition = ["app[0]", "rest"]
        "#
    )
}

/// The books balance, which every run checks by itself; no message has more effects than copies, and none is confirmed that was
/// not handled; the same seed is the same run. How many messages there were.
fn keeps_the_laws(text: &str) -> u64 {
    let plan = plan(text);
    let [one, other]: [Results; 2] = [0, 1].map(|_| play(&plan));
    let (one, other) = (&one.runs[0], &other.runs[0]);
    assert_eq!(one.digest, other.digest, "{text}");
    for flow in &one.flows {
        let book = &flow.book.total;
        assert_eq!(book.offered, book.fates.iter().sum::<u64>(), "{}: {text}", flow.name());
        assert!(book.handled + book.repeated <= book.copies, "{}: {text}", flow.name());
        assert!(book.confirmed <= book.handled, "{}: {text}", flow.name());
        assert!(book.correct <= book.offered, "{}: {text}", flow.name());
    }
    one.flows.iter().map(|flow| flow.book.total.offered).sum()
}

#[test]
fn every_policy_of_a_sender_keeps_the_books_under_faults() {
    for policy in policies() {
        let offered: u64 = (0..SEEDS).map(|seed| keeps_the_laws(&system(seed, "rate = \"400/s\"", &policy))).sum();
        assert!(offered > 1000, "{policy}: {offered}");
    }
}

#[test]
fn every_load_keeps_the_books_under_faults() {
    for load in loads() {
        let offered: u64 =
            (0..SEEDS).map(|seed| keeps_the_laws(&system(seed, &load, "balance = \"two-choices\""))).sum();
        assert!(offered > 20, "{load}: {offered}");
    }
}

/// What has no registry of its own is looked at all the same.
#[test]
fn single_policies_are_listed() {
    assert_eq!((CIRCUIT_BREAKER.name, HEDGE.name), ("circuit-breaker", "hedge"));
}
