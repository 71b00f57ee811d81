//! Whatever stands in a scenario file, it is planned or refused, never a panic.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rehearsal::scenario::plan::Plan;
use rehearsal::scenario::{Overrides, Scenario, Style};

/// A scenario that uses much of the language, in lines.
const SCENARIO: &str = r#"
[run]
duration = "10s"
warmup = "1s"
runs = 2
[params]
load = "10/s"
[network]
latency = { uniform = ["1ms", "2ms"] }
loss = "1%"
bandwidth = "1Mbit/s"
buffer = { packets = 4 }
[links.slow]
between = ["app[0-1]", "api"]
latency = { lognormal = { median = "2ms", p99 = "9ms" } }
order = "fifo"
[policies.default]
timeout = ["50ms", "100ms"]
deadline = "1s"
max-attempts = 3
backoff = { exponential = { initial = "10ms", max = "1s" } }
jitter = "full"
[policies.once]
extends = "default"
delivery = "exactly-once"
retry-to = "same"
window = 8
[clients.app]
nodes = 3
rate = "$load"
size = "1KiB"
mix.read = { call = "api/get", weight = 3 }
mix.write = { send = "api/put", policy = "once" }
[clients.people]
users = 5
think = { exponential = "1s" }
call = "api/get"
size = "100B"
[services.api]
nodes = 2
workers = 4
speed = [1, 0.5]
queue = { limit = 10, when-full = "reject" }
balance = { choices = { d = 2, load = "true" } }
ops.get = { work = { gamma = { shape = 2, mean = "3ms" } } }
ops.put = { steps = [{ work = "1ms" }, { call = "db", size = "10B", policy = "default" }, { fail = "1%" }] }
[services.db]
workers = "unlimited"
work = { mixture = [[9, "1ms"], [1, { pareto = { min = "5ms", shape = 2.5 } }]] }
[windows]
late = ["5s", "8s"]
[expect]
"app/read.latency.p99 during late" = "< 50ms"
"api.rejected" = ["< 5%", ">= 0%"]
"app->api.attempts" = "< 2"
"slow.dropped" = "< 90%"
[sweep]
services.db.workers = [1, 2]
constraints = ["clients.people.users < 9"]
[tune]
minimise = "app.latency.p99"
subject-to = { "app.attempts" = ["< 2", ">= 1"] }
candidates = 8
[tune.over]
services.api.nodes = { from = 1, to = 3 }
policies.default.deadline = { from = "100ms", to = "1s", log = true }
"#;

/// What may come into the place of a value or a piece of one.
const PIECES: &[&str] = &[
    "0",
    "-1",
    "1e308",
    "\"\"",
    "\"0s\"",
    "\"999999999999999h\"",
    "\"1e15/s\"",
    "[]",
    "{}",
    "[[]]",
    "true",
    "\"none\"",
    "\"api\"",
    "\"$load\"",
    "\"app[7]\"",
    "9999999999",
    "\"100%\"",
    "\"\u{202e}\"",
    "nan",
    "inf",
    "1000000000000000",
    "\"*\"",
    "\"app/read.latency.p99\"",
    "{ uniform = [\"2s\", \"1s\"] }",
    "\"1B\"",
    "0.0",
    "4294967295",
];

fn mutate(text: &str, changes: &[(usize, usize, u8)]) -> String {
    let mut lines: Vec<String> = text.lines().map(Into::into).collect();
    for &(line, piece, kind) in changes {
        let at = line % lines.len();
        let piece = PIECES[piece % PIECES.len()];
        match kind % 5 {
            0 => {
                let key = lines[at].split('=').next().unwrap_or_default().to_owned();
                lines[at] = format!("{key}= {piece}");
            }
            1 => drop(lines.remove(at)),
            2 => lines.insert(at, lines[line / 7 % lines.len()].clone()),
            3 => {
                let cut = lines[at].char_indices().nth(line % 13).map_or(0, |(index, _)| index);
                lines[at].truncate(cut);
            }
            _ => {
                let words: Vec<String> = lines[at].split(' ').map(Into::into).collect();
                let nth = line % words.len().max(1);
                let changed = words.iter().enumerate().map(|(index, word)| if index == nth { piece } else { word });
                lines[at] = changed.collect::<Vec<_>>().join(" ");
            }
        }
        if lines.is_empty() {
            lines.push(String::new());
        }
    }
    lines.join("\n")
}

fn planned(text: String) -> Result<Plan, String> {
    let files = BTreeMap::from([(PathBuf::from("mutant.toml"), text)]);
    let load = |candidate| {
        let overrides = Overrides { candidate, ..Overrides::default() };
        Scenario::load(&files, Path::new("mutant.toml"), &overrides)
    };
    let loaded = load(None);
    if let Ok(loaded) = &loaded {
        // Whatever is varied has a candidate that is planned or refused, too.
        let points = loaded.document.tuned.iter().flat_map(|design| design.ends(&loaded.texts));
        points.take(1).for_each(|point| drop(load(Some(point)).and_then(Plan::new)));
    }
    let plan = loaded.and_then(Plan::new);
    plan.map_err(|mistakes| mistakes.render(Style::Plain))
}

#[test]
fn the_unmutated_scenario_is_planned() {
    assert!(planned(SCENARIO.into()).is_ok(), "{}", planned(SCENARIO.into()).unwrap_err());
}

#[test]
fn a_mutant_is_planned_or_refused() {
    let config = Config { cases: 3_000, failure_persistence: None, ..Config::default() };
    let mut runner = TestRunner::new_with_rng(config, TestRng::deterministic_rng(RngAlgorithm::ChaCha));
    let changes = proptest::collection::vec((0..10_000_usize, 0..1_000_usize, any::<u8>()), 1..4);
    let outcome = runner.run(&changes, |changes| {
        if let Err(refusal) = planned(mutate(SCENARIO, &changes)) {
            prop_assert!(refusal.contains("error"), "a refusal says what is wrong: {refusal}");
        }
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{failure}"));
}
