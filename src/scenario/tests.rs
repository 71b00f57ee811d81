//! Whole scenarios: what they say, what their mistakes look like, and that no text makes the reader fall over.

mod laws;
mod mistakes;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::schema::{Backoff, Buffer, Jitter, Limit, Runs, Verb};
use super::*;
use crate::base::time::{ms, secs};
use crate::protocol::balance::{BalancePolicy, ChoicesSettings, LeastRequestsSettings, Load};

/// A scenario with something in every section.
const CHECKOUT: &str = r#"
title = "Checkout"

[run]
seed     = 42
duration = "120s"
warmup   = "10s"
runs     = 10
[params]
load = "1000/s"
[network]
latency = { lognormal = { median = "0.3ms", p99 = "2ms" } }
[links.last-mile]
between   = ["shoppers", "api"]
only      = ["request", "reply"]
loss      = "1%"
bandwidth = "100Mbit/s"
buffer    = { packets = 5 }
[policies.default]
timeout      = "200ms"
max-attempts = 3
backoff      = { exponential = { initial = "10ms", max = "1s" } }
jitter       = "full"
[policies.impatient]
extends = "default"
timeout = ["50ms", "100ms"]
[clients.shoppers]
nodes      = 200
rate       = "$load"
size       = "2KiB"
deadline   = "2s"
mix.browse = { call = "api/list", weight = 9 }
mix.buy    = { call = "api/checkout" }
[services.api]
nodes    = 6
workers  = 16
queue    = { limit = 128, when-full = "reject" }
balance  = { choices = { d = 2, load = "true" } }
ops.list = { work = { exponential = "2ms" } }
[services.api.ops.checkout]
steps = [{ work = "1ms" }, { call = "payments", policy = "impatient" }, { fail = 0.01 }]
[services.payments]
nodes   = 3
speed   = [1, 1, 0.5]
workers = "unlimited"
work    = { mixture = [[0.9, "5ms"], [0.1, { pareto = { min = "40ms", shape = 1.5 } }]] }
[windows]
rush = ["40s", "60s"]
[expect]
"shoppers/buy.reliability"             = ">= 99.5%"
"shoppers/buy.latency.p99 during rush" = ["< 500ms", "> 1ms"]
[variants.least-requests]
services.api.balance = "least-requests"
"#;

fn load(text: &str, overrides: &Overrides) -> Result<Loaded, Mistakes> {
    let files = BTreeMap::from([(PathBuf::from("s.toml"), text.to_owned())]);
    Scenario::load(&files, Path::new("s.toml"), overrides)
}

fn loaded(text: &str) -> Loaded {
    load(text, &Overrides::default()).unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)))
}

/// All mistakes of a text, rendered.
fn refused(text: &str) -> String {
    match load(text, &Overrides::default()) {
        Ok(loaded) => panic!("accepted as\n{}", loaded.document.print(None)),
        Err(mistakes) => mistakes.render(Style::Plain),
    }
}

#[test]
fn every_section_says_what_was_written() {
    let Loaded { scenario, texts, .. } = loaded(CHECKOUT);
    assert_eq!(scenario.run.seed, 42);
    assert_eq!(scenario.run.runs.map(|runs| runs.value), Some(Runs::Constant(10.try_into().unwrap())));
    assert_eq!(scenario.run.drain.0, secs(30), "the default");

    let link = scenario.links.get("last-mile").unwrap();
    assert_eq!(link.between.as_ref().unwrap()[1].to_string(), "api");
    assert_eq!(*link.medium.buffer.unwrap(), Buffer::Packets(5));

    let impatient = scenario.policies.get("impatient").unwrap();
    let backoff = impatient.backoff.as_ref().unwrap();
    assert!(matches!(backoff.value, Backoff::Exponential { max: Some(max), .. } if max.0 == secs(1)), "inherited");
    assert_eq!(impatient.jitter.unwrap().value, Jitter::Full);
    assert_eq!(texts.line_and_column(backoff.origin), (22, 16), "the place is that of the default policy");

    let shoppers = scenario.clients.get("shoppers").unwrap();
    assert_eq!(shoppers.rate.as_ref().unwrap().policy.constant(), Some(1000.0));
    assert_eq!(shoppers.step.keys.deadline.unwrap().0, secs(2));
    let buy = shoppers.mix.get("buy").unwrap();
    let Some(Verb::Call(target)) = buy.step.verb() else { panic!("buying calls") };
    assert_eq!(target.op.as_ref().unwrap().value, "checkout");

    let api = scenario.services.get("api").unwrap();
    let choices = ChoicesSettings { load: Load::True, ..ChoicesSettings::default() };
    assert_eq!(api.balance.as_ref().unwrap().policy, BalancePolicy::from(choices));
    assert_eq!(api.ops.get("checkout").unwrap().steps.as_ref().unwrap().len(), 3);
    let payments = scenario.services.get("payments").unwrap();
    assert_eq!(payments.workers, Limit::Unlimited);
    assert_eq!(payments.speed.as_ref().unwrap().0.len(), 3);

    let (quantity, conditions) = scenario.expect.iter().nth(1).unwrap();
    assert_eq!(quantity.to_string(), "shoppers/buy.latency.p99 during rush");
    assert_eq!(conditions.0.len(), 2);
}

#[test]
fn a_bare_name_leaves_a_variants_fields_at_their_defaults() {
    let overrides = Overrides { variant: Some("least-requests".into()), ..Overrides::default() };
    let scenario = load(CHECKOUT, &overrides).unwrap().scenario;
    let balance = scenario.services.get("api").unwrap().balance.as_ref().unwrap().policy.clone();
    assert_eq!(balance, LeastRequestsSettings::default().into());
}

#[test]
fn a_flag_beats_the_file() {
    let overrides = Overrides {
        sets: vec!["params.load=5/s".into(), "clients.shoppers.arrivals=even".into()],
        seed: Some("7".into()),
        runs: Some("3".into()),
        ..Overrides::default()
    };
    let scenario = load(CHECKOUT, &overrides).unwrap().scenario;
    let shoppers = scenario.clients.get("shoppers").unwrap();
    assert_eq!((shoppers.rate.as_ref().unwrap().policy.constant(), shoppers.is_even()), (Some(5.0), true));
    assert_eq!(scenario.run.seed, 7);
    assert_eq!(scenario.run.runs.map(|runs| runs.value), Some(Runs::Constant(3.try_into().unwrap())));
}

#[test]
fn policy_keys_nearer_to_the_step_count_first() {
    let scenario = loaded(CHECKOUT).scenario;
    let near = scenario.policies.get("impatient").unwrap();
    let far = &scenario.clients.get("shoppers").unwrap().step.keys;
    let both = far.over(near);
    assert_eq!(both.deadline.unwrap().0, secs(2));
    assert_eq!(both.max_attempts, near.max_attempts);
    let written: Vec<_> = both.written().map(|(key, _)| key).collect();
    assert_eq!(written, ["timeout", "deadline", "max-attempts", "backoff", "jitter"]);
}

#[test]
fn what_is_shown_reads_back_as_the_same_scenario() {
    let first = loaded(CHECKOUT);
    let second = loaded(&first.document.print(Some(&first.texts)));
    assert_eq!(first.document.print(None), second.document.print(None));
    assert_eq!(second.scenario.windows.get("rush").unwrap()[0].0, ms(40_000));
}

#[test]
fn a_later_version_is_asked_for_before_its_words_are_called_unknown() {
    let said = refused("requires = \"99.1\"\n[quantum]\nbits = 3\n");
    assert!(said.contains("this scenario requires Rehearsal 99.1, this is "), "{said}");
    assert!(!said.contains("quantum"), "{said}");
    loaded(&format!("requires = \"0.1\"\n{CHECKOUT}"));
}
