//! When formulas apply, and what is said where they do not.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::forecast::Value;
use super::*;
use crate::scenario::{Overrides, Scenario};

fn plan(text: &str) -> Plan {
    let source: BTreeMap<PathBuf, String> = [(PathBuf::from("s.toml"), text.to_owned())].into();
    let loaded = Scenario::load(&source, Path::new("s.toml"), &Overrides::default()).expect("it is a scenario");
    Plan::new(loaded).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(crate::scenario::Style::Plain)))
}

/// A client that asks a server 80 times a second, with more keys of each, and of all.
fn scene(client: &str, server: &str, all: &str) -> Plan {
    plan(&format!(
        "run = {{ duration = \"600s\", warmup = \"20s\" }}\n{all}\n[clients.app]\n{client}\n[services.server]\n{server}\n"
    ))
}

const CLIENT: &str = "rate = \"80/s\"\ncall = \"server\"";
const SERVER: &str = "work = { exponential = \"10ms\" }";

/// The formula that speaks of the server, and its mean stay in milliseconds.
fn stay(plan: &Plan) -> (String, f64) {
    let (forecasts, silences) = forecasts(plan);
    let found = forecasts.iter().find(|forecast| forecast.quantity == "server.residence.mean");
    let Some(Forecast { formula, value: Value::Known(nanos), .. }) = found else { panic!("{silences:?}") };
    (formula.clone(), libm::round(nanos / 1e4) / 100.0)
}

/// Why nothing is said of the server.
fn silence(plan: &Plan) -> String {
    let (forecasts, silences) = forecasts(plan);
    let is_told =
        forecasts.iter().any(|forecast| forecast.subject == "server" && matches!(forecast.value, Value::Known(_)));
    assert!(!is_told, "{forecasts:?}");
    silences.first().map(|silence| silence.why.clone()).unwrap_or_default()
}

#[test]
fn formulas_that_apply() {
    let of = |client: &str, server: &str| stay(&scene(client, server, ""));
    let is = |found: (String, f64), name: &str, stay: f64| assert_eq!(found, (name.to_owned(), stay));
    is(of(CLIENT, SERVER), "M/M/1", 50.0);
    is(of(CLIENT, "work = \"10ms\""), "M/D/1", 30.0);
    is(of(CLIENT, "work = { uniform = [\"5ms\", \"15ms\"] }"), "M/G/1", 31.67);
    is(of(CLIENT, "workers = 2\nspeed = 0.5\nwork = { exponential = \"10ms\" }"), "M/M/2", 55.56);
    is(of(CLIENT, "queue = { limit = 4 }\nwork = { exponential = \"10ms\" }"), "M/M/1/5", 25.63);
    is(of(CLIENT, "queue = { limit = 0 }\nwork = \"10ms\""), "M/D/1/1", 10.0);
    is(of(CLIENT, "workers = \"unlimited\"\nwork = \"10ms\""), "M/D/∞", 10.0);
    is(of(CLIENT, "discipline = \"processor-sharing\"\nwork = \"10ms\""), "M/D/1-PS", 50.0);
    is(of(CLIENT, "queue.discipline = \"lifo\"\nwork = { exponential = \"10ms\" }"), "M/M/1", 50.0);
    is(of("rate = \"80/s\"\narrivals = \"even\"\ncall = \"server\"", SERVER), "D/M/1", 26.93);
    is(of("rate = \"160/s\"\ncall = \"server\"", "nodes = 2\nwork = { exponential = \"10ms\" }"), "E2/M/1", 38.44);
    is(
        of("rate = \"160/s\"\nbalance = \"random\"\ncall = \"server\"", "nodes = 2\nwork = { exponential = \"10ms\" }"),
        "M/M/1",
        50.0,
    );
    // Half of it goes elsewhere, after a sleep.
    let mix = "rate = \"160/s\"\nmix.a = { steps = [{ sleep = { exponential = \"1s\" } }, { call = \"server\" }] }\nmix.b = { call = \"other\" }";
    let other = format!("{SERVER}\n[services.other]");
    is(of(mix, &other), "M/M/1", 50.0);
    // A timeout that nobody meets.
    is(of(&format!("{CLIENT}\ntimeout = \"2s\"\nmax-attempts = 2"), SERVER), "M/M/1", 50.0);
    is(of("users = 20\nthink = \"100ms\"\ncall = \"server\"", SERVER), "machine repairman", 100.37);
    is(of("users = 20\nthink = \"100ms\"\ncall = \"server\"", "work = \"10ms\""), "asymptotic bounds", 100.0);
}

#[test]
fn the_way_is_part_of_what_a_caller_sees() {
    let plan = scene(CLIENT, SERVER, "network.latency = \"2ms\"");
    let (forecasts, _) = forecasts(&plan);
    let of = |quantity: &str| {
        let found = forecasts.iter().find(|forecast| forecast.quantity == quantity);
        let Some(Forecast { value: Value::Known(nanos), .. }) = found else { panic!("{forecasts:?}") };
        libm::round(nanos / 1e4) / 100.0
    };
    assert_eq!([of("app.latency.mean"), of("app.latency.p99"), of("server.residence.p99")], [54.0, 234.26, 230.26]);
}

/// At 99 % it takes 40 s to forget the past, and at 80 % nearly 100 ms.
#[test]
fn formulas_are_of_the_long_run() {
    let of = |rate: u32, warmup: &str| {
        let run = format!("run = {{ duration = \"60s\", warmup = \"{warmup}\" }}\n");
        let client = format!("[clients.app]\nrate = \"{rate}/s\"\ncall = \"server\"\n");
        let plan = plan(&format!("{run}{client}[services.server]\nwork = {{ exponential = \"1ms\" }}\n"));
        let forecast = forecasts(&plan).0.remove(0);
        (forecast.relation, forecast.note.unwrap_or_default())
    };
    assert_eq!(of(800, "1s"), (Relation::Equal, String::new()));
    let (relation, note) = of(800, "0s");
    assert!(relation == Relation::Equal && note.contains("`warmup = \"450ms\"`"), "{note}");
    let (relation, note) = of(990, "1s");
    assert!(relation == Relation::Near && note.contains("too short"), "{note}");
}

/// Each reason once.
#[test]
fn reasons_that_stand_in_the_way() {
    let client = |more: &str| format!("{CLIENT}\n{more}");
    let server = |more: &str| format!("{SERVER}\n{more}");
    let asked = |client: &str, server: &str| silence(&scene(client, server, ""));
    let network = |more: &str| silence(&scene(CLIENT, SERVER, more));
    for (why, part) in [
        (asked("rate = \"120/s\"\ncall = \"server\"", SERVER), "120 % of what it can do"),
        (
            asked(CLIENT, "workers = 2\nwork = { lognormal = { median = \"5ms\", p99 = \"20ms\" } }"),
            "there is no closed form here",
        ),
        (asked(CLIENT, "work = { pareto = { min = \"1ms\", shape = 1.5 } }"), "no variance"),
        (asked(&client("arrivals = { batches = 4 }"), SERVER), "batches"),
        (asked(&client("arrivals = { mmpp = { rates = [1, 5], stays = [\"9s\", \"1s\"] } }"), SERVER), "bursts"),
        (
            asked("rate = { ramp = { from = \"1/s\", to = \"80/s\", over = \"60s\" } }\ncall = \"server\"", SERVER),
            "changes with time",
        ),
        (asked(&client("nodes = 3\narrivals = \"even\""), SERVER), "do not come at random"),
        (asked(&client("until = \"300s\""), SERVER), "for all of the measured time"),
        (asked(&client("count = 5"), SERVER), "stops after"),
        (asked(&client("timeout = \"60ms\"\nmax-attempts = 2"), SERVER), "when their callers give up"),
        (asked(&client("deadline = \"60ms\""), SERVER), "when their callers give up"),
        (asked(&client("deadline = \"1s\""), "work = \"10ms\""), "no formula says how many do"),
        (asked(&client("max-in-flight = 3"), SERVER), "under way"),
        (asked(&client("hedge = { delay = \"20ms\" }"), SERVER), "hedges"),
        (
            asked(&client("rate-limit = { token-bucket = { rate = \"70/s\", burst = 1 } }"), SERVER),
            "limits its own rate",
        ),
        (asked(&client("max-attempts = 2"), &server("queue.limit = 4")), "comes twice"),
        (asked(CLIENT, &server("queue.time-to-live = \"1s\"")), "waited too long"),
        (asked(CLIENT, &server("queue = { limit = 4, when-full = \"reject-oldest\" }")), "make room"),
        (asked(CLIENT, &server("queue.discipline = \"codel\"")), "`codel` decides"),
        (asked(CLIENT, &server("shed = { expected-wait = { limit = \"50ms\" } }")), "sheds"),
        (
            asked(CLIENT, "steps = [{ work = \"1ms\" }, { call = \"other\" }]\n[services.other]\nwork = \"1ms\""),
            "other services",
        ),
        (asked(CLIENT, "steps = [{ work = \"1ms\" }, { sleep = \"1ms\" }]"), "sleep"),
        (asked(&client("nodes = 2"), &server("nodes = 2")), "several callers deal"),
        (asked(CLIENT, &server("nodes = 2\nbalance = \"least-requests\"")), "shortest of several"),
        (asked(CLIENT, &server("nodes = 3\nbalance = { weighted = [1, 2, 4] }")), "in turn"),
        (asked(CLIENT, &server("nodes = 3\nbalance = \"two-choices\"")), "very many servers"),
        (asked(&client("nodes = 5"), &server("nodes = 20\nbalance = \"two-choices\"")), "own requests only"),
        (asked("users = 5\ncall = \"server\"", &server("queue.limit = 1")), "turned away ask again"),
        (network("network.loss = { bursty = { loss = \"1%\", mean-burst = 4 } }"), "bursts"),
        (network("network.duplicate = \"1%\""), "twice"),
        (network("[faults.stall]\nat = \"50s\"\nfor = \"1s\"\npause = \"server\""), "faults strike"),
    ] {
        assert!(why.contains(part), "`{why}` has nothing of `{part}`");
    }
}

#[test]
fn what_another_service_asks_is_not_poisson() {
    let middle = "steps = [{ work = \"1ms\" }, { call = \"server\" }]";
    let all = format!("services.middle = {{ {middle} }}");
    let plan = scene("rate = \"80/s\"\ncall = \"middle\"", SERVER, &all);
    let (_, silences) = forecasts(&plan);
    let why = |name: &str| {
        let silence = silences.iter().find(|silence| silence.subject.as_deref() == Some(name));
        silence.map(|silence| silence.why.clone()).unwrap_or_default()
    };
    assert!(why("server").contains("`middle` asks it"), "{silences:?}");
    assert!(why("middle").contains("wait for other services"), "{silences:?}");
}

/// What is lost on its way, and what of that formulas know.
#[test]
fn messages_that_are_sent_again() {
    let lossy = "network = { latency = \"20ms\", loss = \"10%\" }";
    let of = |client: &str, server: &str, all: &str| -> Vec<(String, f64)> {
        let (forecasts, silences) = forecasts(&scene(client, server, all));
        let of_app = forecasts.iter().filter(|forecast| forecast.subject == "app");
        let values = of_app.filter_map(|forecast| match forecast.value {
            Value::Known(value) => Some((forecast.quantity.clone(), value)),
            Value::From { .. } => None,
        });
        let values: Vec<_> = values.collect();
        if values.is_empty() {
            let why = silences.iter().find(|silence| silence.subject.as_deref() == Some("app"));
            return vec![(why.map(|silence| silence.why.clone()).unwrap_or_default(), 0.0)];
        }
        values
    };
    let policy =
        "rate = \"50/s\"\nsend = \"server\"\ndelivery = \"at-least-once\"\ntimeout = \"100ms\"\nmax-attempts = 3";
    let found = of(policy, "", lossy);
    let expected = [0.999, 0.993_141, 0.005_859, 1.226_1, 0.104_49, 61_384_878.884_267_19];
    assert_eq!(found.len(), expected.len());
    for ((quantity, found), expected) in found.iter().zip(expected) {
        assert!((found / expected - 1.0).abs() < 1e-9, "{quantity}: {found} instead of {expected}");
    }
    // Work takes as long as the nodes are fast; where they differ, no one mean is known.
    let work = "workers = \"unlimited\"\nwork = \"10ms\"\n";
    let latency = |more: &str| of(policy, &format!("{work}{more}"), lossy).into_iter().nth(5).map(|(_, nanos)| nanos);
    assert_eq!(latency("speed = 0.5").map(libm::round), Some(81_384_879.0));
    assert_eq!(latency("nodes = 2\nspeed = [1, 2]"), None);
    assert!(of(policy, &format!("{work}speed = 0.1"), lossy)[0].0.contains("answers may come after the timeout"));
    assert_eq!(of("rate = \"50/s\"\nsend = \"server\"", "", lossy), [("app.received".to_owned(), 0.9)]);
    for (found, part) in [
        (of(&policy.replace("100ms", "30ms"), "", lossy), "answers may come after the timeout"),
        (of(policy, SERVER, lossy), "wait for each other"),
        (of(&format!("{policy}\ndeadline = \"1s\""), "", lossy), "deadline"),
        (of(policy, "", "network = { loss = { bursty = { loss = \"5%\", mean-burst = 8 } } }"), "in bursts"),
    ] {
        assert!(found[0].0.contains(part), "`{found:?}` has nothing of `{part}`");
    }
}

/// Users whose answers can be lost may wait for ever; and those who are answered badly are not among those whose time is known.
#[test]
fn the_response_time_law_is_of_users_who_are_answered() {
    let law = |all: &str| {
        let (forecasts, _) = forecasts(&scene("users = 10\nthink = \"1s\"\ncall = \"server\"", SERVER, all));
        let found = forecasts.into_iter().find(|forecast| forecast.formula == "response time law");
        found.map(|forecast| match forecast.value {
            Value::From { law, known, .. } => (law, known),
            Value::Known(value) => panic!("{value} follows from nothing that is measured"),
        })
    };
    let (law_of, known) = law("").expect("it applies");
    assert_eq!(law_of(&[8.0, 8.0], &known), 0.25e9);
    assert!(law_of(&[7.0, 8.0], &known).is_nan());
    assert!(law("network.loss = \"1%\"").is_none());
}

#[test]
fn a_difference_is_of_shares_or_relative() {
    let measured = |unit, value| Measured {
        value: Some(value),
        interval: Some((0.9 * value, 1.1 * value)),
        basis: crate::experiment::Basis::Runs(3),
        unit,
    };
    let prediction = |unit, value, predicted, relation| Prediction {
        quantity: "server.busy".into(),
        subject: "server".into(),
        formula: "M/M/1".into(),
        is_law: false,
        source: "",
        relation,
        predicted: Some(predicted),
        measured: measured(unit, value),
        grain: 0.0,
        note: None,
    };
    let share = prediction(Unit::Share, 0.5, 0.4, Relation::Equal);
    assert!((share.difference().expect("both are known") - 0.1).abs() < 1e-12);
    assert_eq!(share.agrees(), Some(false));
    let time = prediction(Unit::Time, 105.0, 100.0, Relation::Equal);
    assert!((time.difference().expect("both are known") - 0.05).abs() < 1e-12);
    assert_eq!(time.agrees(), Some(true));
    let bound = |predicted, relation| prediction(Unit::Rate, 1.0, predicted, relation).agrees();
    assert_eq!([bound(2.0, Relation::AtMost), bound(0.5, Relation::AtMost)], [Some(true), Some(false)]);
    assert_eq!([bound(0.5, Relation::AtLeast), bound(2.0, Relation::AtLeast)], [Some(true), Some(false)]);
    assert_eq!(bound(1.0, Relation::Near), None);
}
