use super::*;
use crate::protocol::health::{EjectionSettings, ProbeSettings, SwimSettings};

fn receiver(nodes: u32) -> Receiver {
    Receiver { nodes: nodes.try_into().unwrap(), cancel: Default::default() }
}

fn plan(verb: &str, keys: &str) -> (Loaded, Result<Policy, Vec<Diagnostic>>) {
    let loaded = loaded(&format!("[services.s]\nwork = \"1ms\"\n[clients.c]\nusers = 1\n{verb} = \"s\"\n{keys}\n"));
    let step = &loaded.scenario.clients.get("c").unwrap().step;
    let planned = policy(&step.keys, step.verb().unwrap(), &receiver(3));
    (loaded, planned)
}

fn planned(verb: &str, keys: &str) -> Policy {
    let (loaded, planned) = plan(verb, keys);
    planned.unwrap_or_else(|mistakes| panic!("{}", rendered(&loaded, &mistakes)))
}

/// Line within the keys, column and message of each mistake.
fn refused(verb: &str, keys: &str) -> Vec<(usize, usize, String)> {
    let (loaded, planned) = plan(verb, keys);
    let places = places(&loaded, &planned.expect_err(keys));
    places.into_iter().map(|(line, column, message)| (line - 6, column, message)).collect()
}

fn count(count: u32) -> Option<NonZeroU32> {
    NonZeroU32::new(count)
}

#[test]
fn without_keys_a_send_is_at_most_once_and_a_call_at_least_once() {
    let neutral = Policy {
        delivery: Delivery::AtMostOnce,
        ordered: false,
        retry: RetryPolicy::default(),
        cancel: Cancel::None,
        window: None,
        max_in_flight: None,
        dedup: None,
        balance: None,
        guard: GuardSpec::default(),
        health: HealthSpec::default(),
    };
    assert_eq!(planned("send", ""), neutral);
    assert_eq!(planned("call", ""), Policy { delivery: Delivery::AtLeastOnce, ..neutral.clone() });
    let said = "ordered = false\ntimeout = \"none\"\ntimeout-from = \"send\"\nmax-attempts = 1\nbackoff = \"0s\"\n\
                jitter = \"none\"\nretry-to = \"new\"\ncancel = \"none\"\nwindow = \"unlimited\"\n\
                max-in-flight = \"unlimited\"";
    assert_eq!(planned("send", said), neutral, "what holds without a key may be said");
}

#[test]
fn every_key_becomes_its_value() {
    let keys = "delivery = \"exactly-once\"\nordered = true\ntimeout = [\"10ms\", \"20ms\"]\ndeadline = \"1s\"\n\
                max-attempts = 5\nbackoff = { exponential = { initial = \"1ms\", max = \"9ms\", multiplier = 3 } }\n\
                jitter = \"decorrelated\"\nretry-on = [\"timeout\", \"rejected\"]\ncancel = \"running\"\nwindow = 7\n\
                max-in-flight = 4\ndedup-window = \"5min\"\nbalance = { weighted = [1, 0.5, 2] }";
    let expected = Policy {
        delivery: Delivery::ExactlyOnce,
        ordered: true,
        retry: RetryPolicy {
            timeout: Some(Schedule::List { first: ms(10), rest: vec![ms(20)] }),
            deadline: Some(secs(1)),
            max_attempts: count(5),
            backoff: Schedule::Exponential { initial: ms(1), max: ms(9), multiplier: Multiplier::new(3.0).unwrap() },
            jitter: Jitter::Decorrelated,
            retry_on: FailureSet::from_iter([Failure::Timeout, Failure::Rejected]),
            member: Member::Same,
        },
        cancel: Cancel::Running,
        window: count(7),
        max_in_flight: count(4),
        dedup: Some(DedupWindow::Time(secs(300))),
        balance: Some(WeightedSettings { weights: Weights::new(&[10, 5, 20]).unwrap() }.into()),
        guard: GuardSpec::default(),
        health: HealthSpec::default(),
    };
    assert_eq!(planned("call", keys), expected);
    assert_eq!(planned("send", keys), expected);
}

#[test]
fn schedules_have_their_defaults() {
    let backoff = |written: &str| planned("call", &format!("max-attempts = \"unlimited\"\nbackoff = {written}")).retry;
    let linear = backoff("{ linear = { initial = \"2ms\" } }");
    assert_eq!(linear.backoff, Schedule::Linear { initial: ms(2), step: ms(2), max: Span::MAX });
    assert_eq!((linear.max_attempts, linear.member), (None, Member::New));
    let doubling = Schedule::Exponential { initial: ms(2), max: Span::MAX, multiplier: Multiplier::default() };
    assert_eq!(backoff("{ exponential = { initial = \"2ms\" } }").backoff, doubling);
    assert_eq!(backoff("[\"2ms\"]").backoff, Schedule::List { first: ms(2), rest: Vec::new() });
}

#[test]
fn a_receiver_cancels_as_it_says_unless_the_policy_does() {
    let receiver = Receiver { cancel: crate::scenario::schema::Cancel::Queued, ..receiver(1) };
    for (step, expected) in [
        ("call = \"s\"", Cancel::Queued),
        ("call = \"s\"\ncancel = \"none\"", Cancel::None),
        ("send = \"s\"", Cancel::None),
    ] {
        let loaded = loaded(&format!("[services.s]\nwork = \"1ms\"\n[clients.c]\nusers = 1\n{step}\n"));
        let step = &loaded.scenario.clients.get("c").unwrap().step;
        assert_eq!(policy(&step.keys, step.verb().unwrap(), &receiver).unwrap().cancel, expected);
    }
}

#[test]
fn exactly_once_remembers_everything_unless_told_otherwise() {
    let exact = |keys: &str| planned("send", &format!("delivery = \"exactly-once\"\n{keys}"));
    assert_eq!(exact("").dedup, Some(DedupWindow::Unlimited));
    assert_eq!(exact("dedup-window = 100").dedup, Some(DedupWindow::Count(count(100).unwrap())));
    assert_eq!(exact("retry-to = \"same\"").retry.member, Member::Same);
}

#[test]
fn a_limit_that_is_written_justifies_what_is_said_about_further_attempts() {
    let keys = "max-attempts = 1\nbackoff = \"5ms\"\njitter = \"full\"\nretry-on = \"timeout\"\nretry-to = \"same\"";
    assert_eq!(planned("call", keys).retry.max_attempts, count(1));
}

/// Where further attempts are spoken of, and where waiting might never end.
#[test]
fn a_timeout_that_follows_latency_is_a_timeout() {
    for timeout in ["\"5ms\"", "{ rfc6298 = {} }", "{ quantile = {} }"] {
        let policy = planned("call", &format!("timeout = {timeout}\nmax-attempts = 3\nretry-on = \"timeout\""));
        assert!(policy.gives_up(), "{timeout}");
    }
    assert!(!planned("call", "timeout = \"none\"").gives_up());
}

#[test]
fn a_call_at_most_once_may_give_up() {
    let policy = planned("call", "delivery = \"at-most-once\"\ntimeout = \"5ms\"\ncancel = \"queued\"\nwindow = 3");
    assert_eq!((policy.retry.timeout, policy.cancel), (Some(Schedule::Constant(ms(5))), Cancel::Queued));
}

#[test]
fn what_can_have_no_effect_is_refused_at_its_place() {
    const AGAIN: &str = "what is delivered at most once is never sent again";
    const DEAF: &str = "a `send` that is delivered at most once is never acknowledged";
    const ONE: &str = "there is one attempt unless `max-attempts` says more";
    for (verb, keys, place, said) in [
        ("send", "max-attempts = 3", (1, 16), AGAIN),
        ("send", "max-attempts = \"unlimited\"", (1, 16), AGAIN),
        ("send", "backoff = \"5ms\"", (1, 11), AGAIN),
        ("send", "retry-on = \"failed\"", (1, 12), AGAIN),
        ("send", "retry-to = \"same\"", (1, 12), AGAIN),
        ("call", "delivery = \"at-most-once\"\nmax-attempts = 3", (2, 16), AGAIN),
        ("send", "ordered = true", (1, 11), "`ordered` needs delivery at least once"),
        ("call", "delivery = \"at-most-once\"\nordered = true", (2, 11), "`ordered` needs delivery at least once"),
        ("send", "timeout = \"5ms\"", (1, 11), DEAF),
        ("send", "cancel = \"queued\"", (1, 10), DEAF),
        ("send", "window = 5", (1, 10), DEAF),
        ("send", "max-in-flight = 5", (1, 17), DEAF),
        ("call", "backoff = \"5ms\"", (1, 11), ONE),
        ("call", "retry-on = \"failed\"", (1, 12), ONE),
        ("call", "retry-to = \"same\"", (1, 12), ONE),
        ("call", "max-attempts = 2\njitter = \"full\"", (2, 10), "there is no `backoff` to spread"),
        (
            "call",
            "max-attempts = 2\nbackoff = \"5ms\"\njitter = \"decorrelated\"",
            (3, 10),
            "no wait of this `backoff` is longer than its first",
        ),
        ("call", "max-attempts = 2\nretry-on = \"timeout\"", (2, 12), "only timeouts are retried"),
        ("call", "max-attempts = 2\nretry-on = []", (2, 12), "`retry-on` is an empty list"),
        ("call", "timeout = []", (1, 11), "`timeout` is an empty list"),
        ("call", "timeout = \"0s\"", (1, 11), "a timeout is longer than zero"),
        ("call", "timeout = [\"5ms\", \"0s\"]", (1, 11), "a timeout is longer than zero"),
        ("call", "deadline = \"0s\"", (1, 12), "a deadline is longer than zero"),
        ("call", "max-attempts = 2\nbackoff = []", (2, 11), "`backoff` is an empty list"),
        (
            "call",
            "max-attempts = 2\nbackoff = { exponential = { initial = \"5ms\", multiplier = 0.5 } }",
            (2, 11),
            "`multiplier` is 0.5, it must be at least 1",
        ),
        (
            "call",
            "max-attempts = 2\nbackoff = { linear = { initial = \"5ms\", max = \"1ms\" } }",
            (2, 11),
            "`max` of this backoff is less",
        ),
        ("call", "timeout-from = \"transmitted\"", (1, 16), "not supported yet"),
        ("call", "dedup-window = 5", (1, 16), "duplicates are dropped only where delivery is exactly once"),
        (
            "call",
            "delivery = \"exactly-once\"\nmax-attempts = 2\nretry-to = \"new\"",
            (3, 12),
            "exactly once needs `retry-to = \"same\"`",
        ),
        ("call", "balance = { weighted = [1, 2] }", (1, 11), "found 2 weights for 3 nodes"),
        ("call", "balance = { weighted = [] }", (1, 11), "found 0 weights for 3 nodes"),
        ("call", "balance = { weighted = [1, 2, 0.3333333333333333] }", (1, 11), "no common measure"),
    ] {
        let found = refused(verb, keys);
        assert_eq!(found.len(), 1, "{keys}: {found:?}");
        let (line, column, message) = &found[0];
        assert_eq!((*line, *column), place, "{keys}: {message}");
        assert!(message.contains(said), "{keys}: {message}");
    }
}

#[test]
fn a_refusal_shows_the_reason_beside_the_key() {
    let loaded = loaded(
        "[policies.default]\nmax-attempts = 3\ntimeout = \"1s\"\n[services.s]\nwork = \"1ms\"\n[services.c]\nsend = \"s\"\n",
    );
    let step = &loaded.scenario.services.get("c").unwrap().step;
    let keys = step.keys.over(loaded.scenario.policies.get("default").unwrap());
    let mistakes = policy(&keys, step.verb().unwrap(), &receiver(1)).unwrap_err();
    assert_eq!(
        rendered(&loaded, &mistakes),
        "\
error: `max-attempts` has no effect: what is delivered at most once is never sent again
 --> dir/s.toml:3:16
  |
3 | max-attempts = 3
  |                ^
...
8 | send = \"s\"
  |        --- a `send` is at most once by default
  |
  = help: write `delivery = \"at-least-once\"` to have it sent again if it is not acknowledged

error: `timeout` has no effect: a `send` that is delivered at most once is never acknowledged
 --> dir/s.toml:4:11
  |
4 | timeout = \"1s\"
  |           ^^^^
...
8 | send = \"s\"
  |        --- a `send` is at most once by default
  |
  = help: write `delivery = \"at-least-once\"` to have it acknowledged"
    );
}

#[test]
fn balancers_are_those_of_the_protocols() {
    let balance = |written: &str| planned("call", &format!("balance = {written}")).balance.unwrap();
    assert_eq!(balance("\"round-robin\""), RoundRobinSettings {}.into());
    assert_eq!(balance("\"random\""), RandomSettings {}.into());
    assert_eq!(balance("\"two-choices\""), TwoChoicesSettings {}.into());
    assert_eq!(balance("\"choices\""), ChoicesSettings::default().into());
    assert_eq!(balance("{ least-requests = { load = \"true\" } }"), LeastRequestsSettings { load: Load::True }.into());
    assert_eq!(
        balance("{ choices = { d = 3, replacement = true } }"),
        ChoicesSettings { d: count(3).unwrap(), load: Load::Own, replacement: true }.into()
    );
    let weights = Weights::new(&[25, 100, 300]).unwrap();
    assert_eq!(balance("{ weighted = [0.25, 1, 3] }"), WeightedSettings { weights }.into());
}

#[test]
fn health_keys_become_their_values() {
    let keys = "health = { probe = { interval = \"1s\" } }\noutlier-detection = { consecutive-errors = 3 }\n\
                panic-threshold = \"50%\"";
    let policy = planned("call", keys);
    let probe = ProbeSettings { interval: secs(1), ..ProbeSettings::default() };
    let ejection = EjectionSettings { consecutive_errors: 3, ..EjectionSettings::default() };
    let panic_threshold = crate::base::probability::percent(50.0);
    let expected = HealthSpec { checks: Some(probe.into()), ejection: Some(ejection), panic_threshold };
    assert_eq!(policy.health, expected);
    assert!(policy.guard.measures, "each attempt is judged by itself");
    assert_eq!(planned("send", "health = \"swim\"").health.checks, Some(SwimSettings::default().into()));
}

#[test]
fn health_that_nobody_acts_on_is_refused() {
    let idle = "`panic-threshold` has no effect: nobody is taken for down";
    assert_eq!(refused("call", "panic-threshold = \"50%\""), [(1, 19, idle.to_owned())]);
    assert_eq!(planned("call", "panic-threshold = \"0%\"").health, HealthSpec::default(), "what holds anyhow");
    let unheard = "`outlier-detection` has no effect: a `send` that is delivered at most once is never acknowledged";
    assert_eq!(refused("send", "outlier-detection = {}"), [(1, 21, unheard.to_owned())]);
}
