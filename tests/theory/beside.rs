//! What the report predicts beside what it measures: where a formula is said to apply, it does.

use rehearsal::experiment::{Relation, Theory};

use crate::common::{plan, play};

/// The theory of ten runs of a scenario, all of whose predictions lie within twice the interval of what was measured, which is narrow.
fn theory(formula: &str, seconds: u32, scenario: &str) -> Theory {
    let warmup = seconds * 100;
    let run = format!("run = {{ seed = 2, duration = \"{seconds}s\", warmup = \"{warmup}ms\", runs = 10 }}\n");
    let theory = play(&plan(&(run + scenario))).theory;
    let of_formula = || theory.predictions.iter().filter(|prediction| prediction.formula == formula);
    assert!(of_formula().count() > 0, "{formula} is not said to apply: {theory:#?}");
    for prediction in theory.predictions.iter().filter(|prediction| prediction.relation == Relation::Equal) {
        let name = format!("{} by {}", prediction.quantity, prediction.formula);
        let predicted = prediction.predicted.expect("there is a prediction");
        let measured = prediction.measured.value.expect("it was measured");
        let distance = (measured - predicted).abs();
        if prediction.is_law {
            assert!(distance <= 0.01 * predicted, "{name}: {measured} instead of {predicted}");
            continue;
        }
        let (low, high) = prediction.measured.interval.expect("there are several runs");
        let grain = prediction.grain * predicted;
        assert!(
            distance <= high - low + grain + 1e-9 * predicted,
            "{name}: {measured} instead of {predicted}, {low} to {high}"
        );
        assert!(high - low <= 0.5 * predicted, "{name}: {low} to {high} says nothing");
    }
    theory
}

const CLIENT: &str = "[clients.app]\nrate = \"800/s\"\ncall = \"server\"\n";

#[test]
fn queues_with_as_much_room_as_is_needed() {
    let of = |formula: &str, server: &str| theory(formula, 50, &format!("{CLIENT}[services.server]\n{server}\n"));
    of("M/M/1", "work = { exponential = \"1ms\" }");
    of("M/M/3", "workers = 3\nspeed = 0.4\nwork = { exponential = \"1ms\" }");
    of("M/D/1", "work = \"1ms\"");
    of("M/G/1", "steps = [{ work = { uniform = [\"0s\", \"1ms\"] } }, { work = \"0.4ms\" }, { fail = \"10%\" }]");
    of("M/G/∞", "workers = \"unlimited\"\nwork = { uniform = [\"0s\", \"10ms\"] }");
    of("M/G/1-PS", "discipline = \"processor-sharing\"\nwork = { uniform = [\"0s\", \"2ms\"] }");
    of("M/M/1", "queue.discipline = \"random\"\nwork = { exponential = \"1ms\" }");
}

#[test]
fn queues_with_limited_room() {
    let of = |formula: &str, server: &str| theory(formula, 30, &format!("{CLIENT}[services.server]\n{server}\n"));
    of("M/M/2/5", "workers = 2\nqueue = { limit = 5, counts = \"present\" }\nwork = { exponential = \"2ms\" }");
    of("M/D/1/4", "queue = { limit = 3 }\nwork = \"1ms\"");
    of("M/G/4/4", "workers = 4\nqueue = { limit = 0 }\nwork = { uniform = [\"0s\", \"8ms\"] }");
    of("M/D/1/4-PS", "discipline = \"processor-sharing\"\nqueue = { limit = 3 }\nwork = \"1ms\"");
}

#[test]
fn arrivals_that_are_split_and_merged() {
    theory(
        "M/M/1",
        60,
        "[clients.app]\nnodes = 7\nrate = \"3000/s\"\ncall = \"server\"\nbalance = \"random\"\n[services.server]\n\
        nodes = 3\nspeed = [1, 1, 2]\nwork = { exponential = \"0.8ms\" }",
    );
    theory(
        "M/M/1",
        60,
        "[clients.app]\nrate = \"2100/s\"\ncall = \"server\"\nbalance = { weighted-random = [1, 2, 4] }\n\
        [services.server]\nnodes = 3\nspeed = [1, 2, 4]\nwork = { exponential = \"2ms\" }",
    );
    theory(
        "E4/M/1",
        60,
        "[clients.app]\nrate = \"3200/s\"\ncall = \"server\"\n[services.server]\nnodes = 4\n\
        work = { exponential = \"1ms\" }",
    );
    // Two kinds of requests of two clients, over a network that delays and loses, and some go elsewhere.
    theory(
        "M/G/1",
        60,
        "network = { latency = { exponential = \"5ms\" }, loss = \"10%\" }\n\
        [clients.app]\nrate = \"800/s\"\nmix.short = { call = \"server/short\", weight = 3 }\nmix.long = { call = \"server/long\" }\n\
        mix.other = { call = \"other\", weight = 4 }\n[clients.late]\nrate = \"300/s\"\nsteps = [{ sleep = { uniform = [\"0s\", \"1s\"] } }, \
        { call = \"server/short\" }]\n[services.server.ops]\nshort = { work = { exponential = \"0.5ms\" } }\n\
        long = { work = { exponential = \"4ms\" } }\n[services.other]\nwork = \"0.1ms\"\n",
    );
}

#[test]
fn callers_who_give_up_so_late_that_nobody_does() {
    theory(
        "M/M/1",
        60,
        &format!(
            "{CLIENT}timeout = \"200ms\"\nmax-attempts = 3\ndeadline = \"500ms\"\n[services.server]\n\
        work = {{ exponential = \"1ms\" }}\n"
        ),
    );
}

#[test]
fn users_who_wait_for_their_answers() {
    let users = "network.latency = \"5ms\"\n[clients.app]\nusers = 30\nthink = { uniform = [\"0s\", \"20ms\"] }\ncall = \"server\"\n";
    let of = |formula: &str, server: &str| theory(formula, 30, &format!("{users}[services.server]\n{server}\n"));
    of("machine repairman", "workers = 2\nwork = { exponential = \"1ms\" }");
    of("machine repairman", "discipline = \"processor-sharing\"\nwork = \"0.6ms\"");
    let bounds = of("asymptotic bounds", "work = \"1ms\"");
    let known = bounds.predictions.iter().filter(|prediction| prediction.relation != Relation::Equal);
    assert!(
        known.clone().count() == 2 && known.clone().all(|prediction| prediction.agrees() == Some(true)),
        "{bounds:#?}"
    );
}

#[test]
fn messages_that_are_sent_again() {
    let lossy = |client: &str, server: &str| {
        format!(
            "network = {{ latency = {{ uniform = [\"10ms\", \"30ms\"] }}, loss = \"10%\" }}\n[clients.app]\nrate = \"500/s\"\n\
            {client}\n[services.server]\n{server}\n"
        )
    };
    let policy = "timeout = \"100ms\"\nmax-attempts = 3\nbackoff = \"50ms\"\n";
    theory("ARQ, 3 attempts", 100, &lossy(&format!("send = \"server\"\ndelivery = \"at-least-once\"\n{policy}"), ""));
    theory(
        "ARQ, 3 attempts",
        100,
        &lossy(&format!("call = \"server\"\n{policy}"), "nodes = 3\nworkers = \"unlimited\"\nwork = \"5ms\""),
    );
    theory("one attempt", 30, &lossy("send = \"server\"", "work = \"1ms\""));
}

/// A hundred servers are very many: the mean stay is within two per cent of the limit.
#[test]
fn two_choices_among_many() {
    let theory = theory(
        "2 choices",
        1,
        "[clients.app]\nnodes = 9\nrate = \"70000/s\"\ncall = \"server\"\n[services.server]\nnodes = 100\n\
        work = { exponential = \"1ms\" }\nbalance = { choices = { load = \"true\" } }",
    );
    let near = theory.predictions.iter().filter(|prediction| prediction.relation == Relation::Near);
    let differences: Vec<f64> = near.map(|prediction| prediction.difference().expect("both are known")).collect();
    assert!(differences.len() == 3 && differences.iter().all(|difference| difference.abs() < 0.02), "{differences:?}");
}
