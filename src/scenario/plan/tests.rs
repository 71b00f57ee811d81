//! Small scenarios, what they become, and what their mistakes look like.

use std::collections::BTreeMap;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::*;
use crate::base::distribution::{Distribution, FAMILIES};
use crate::base::names::Names;
use crate::base::probability::percent;
use crate::base::time::{Span, ms, secs};
use crate::model::{Cancel, Delivery, Policy};
use crate::network::{Buffer, Network};
use crate::process::Leg;
use crate::protocol::balance::{BalancePolicy, Load};
use crate::protocol::delivery::DedupWindow;
use crate::protocol::retry::{Failure, FailureSet, Jitter, Member, Multiplier, RetryPolicy, Schedule};
use crate::scenario::{Diagnostic, Loaded, Overrides, Scenario, Severity, Style};

const LATENCIES: &str = "latency_ms\n1.5\n2\n10\n";
const PERCENTILES: &str = "quantile,ms\n0,1\n0.5,2\n1,10\n";

fn source(text: &str) -> BTreeMap<PathBuf, String> {
    [
        ("dir/s.toml", text),
        ("dir/latencies.csv", LATENCIES),
        ("dir/percentiles.csv", PERCENTILES),
        ("dir/sizes.csv", "size\n500\n4KiB\n"),
        ("dir/broken.csv", "latency_ms\n1\nfast\n"),
    ]
    .map(|(path, text)| (PathBuf::from(path), text.to_owned()))
    .into()
}

fn loaded(text: &str) -> Loaded {
    let text = format!("run.duration = \"1s\"\n{text}");
    Scenario::load(&source(&text), Path::new("dir/s.toml"), &Overrides::default())
        .unwrap_or_else(|mistakes| panic!("{}", mistakes.render(Style::Plain)))
}

fn unloadable(text: &str) -> (Vec<Severity>, String) {
    let mistakes = Scenario::load(&source(text), Path::new("dir/s.toml"), &Overrides::default()).expect_err(text);
    (mistakes.diagnostics.iter().map(|mistake| mistake.severity).collect(), mistakes.render(Style::Plain))
}

fn rendered(loaded: &Loaded, mistakes: &[Diagnostic]) -> String {
    let rendered: Vec<_> = mistakes.iter().map(|mistake| mistake.render(&loaded.texts, Style::Plain)).collect();
    rendered.join("\n\n")
}

/// What every mistake has: a file with line and column, and an excerpt.
fn places(loaded: &Loaded, mistakes: &[Diagnostic]) -> Vec<(usize, usize, String)> {
    let place = |mistake: &Diagnostic| {
        let (line, column) = loaded.texts.line_and_column(mistake.origin().expect("a mistake has a place"));
        (line, column, mistake.message.clone())
    };
    mistakes.iter().map(place).collect()
}

mod distributions {
    use super::*;

    fn work(spec: &str) -> (Loaded, Result<Distribution, Diagnostic>) {
        let loaded = loaded(&format!("[services.s]\nwork = {spec}\n"));
        let built = times(loaded.scenario.services.get("s").unwrap().step.work.as_ref().unwrap());
        (loaded, built)
    }

    fn size(spec: &str) -> (Loaded, Result<Distribution, Diagnostic>) {
        let loaded = loaded(&format!("[services.s]\nwork = \"1ms\"\nreply-size = {spec}\n"));
        let built = sizes(loaded.scenario.services.get("s").unwrap().reply_size.as_ref().unwrap());
        (loaded, built)
    }

    #[test]
    fn every_spelling_of_every_family_is_read_as_that_family() {
        for family in FAMILIES {
            for spelling in family.spellings {
                let (loaded, built) = work(spelling);
                let built = built.unwrap_or_else(|mistake| panic!("{}", rendered(&loaded, &[mistake])));
                assert_eq!(built.family().name, family.name, "{spelling}");
            }
        }
    }

    #[test]
    fn the_parameters_are_those_that_are_written() {
        let built = |spec| work(spec).1.unwrap();
        let of = |built: Result<Distribution, _>| built.unwrap();
        assert_eq!(built("\"5ms\""), ms(5).into());
        assert_eq!(built("{ uniform = [\"1ms\", \"3ms\"] }"), of(Distribution::uniform(ms(1), ms(3))));
        assert_eq!(built("{ normal = { mean = \"3ms\", sd = \"1ms\" } }"), of(Distribution::normal(ms(3), ms(1))));
        assert_eq!(
            built("{ lognormal = { mean = \"3ms\", sd = \"1ms\" } }"),
            of(Distribution::lognormal_of_mean(ms(3), ms(1)))
        );
        assert_eq!(built("{ gamma = { shape = 0.5, mean = \"1s\" } }"), of(Distribution::gamma(0.5, secs(1))));
        assert_eq!(
            built("{ weibull = { shape = 2, mean = \"1s\" } }"),
            of(Distribution::weibull_of_mean(2.0, secs(1)))
        );
        assert_eq!(built("{ weibull = { shape = 2, scale = \"1s\" } }"), of(Distribution::weibull(2.0, secs(1))));
        assert_eq!(built("{ samples = \"../dir/latencies.csv\" }"), of(Distribution::from_csv(LATENCIES.as_bytes())));
        assert_eq!(built("{ quantiles = \"percentiles.csv\" }"), of(Distribution::from_csv(PERCENTILES.as_bytes())));
    }

    #[test]
    fn sizes_are_distributions_of_bytes() {
        let (one, four) = (Span::from_nanos(1_000), Span::from_nanos(4_096));
        assert_eq!(size("\"4KiB\"").1, Ok(four.into()));
        assert_eq!(size("{ uniform = [\"1kB\", \"4KiB\"] }").1, Ok(Distribution::uniform(one, four).unwrap()));
        let samples = Distribution::samples(vec![Span::from_nanos(500), four]).unwrap();
        assert_eq!(size("{ samples = \"sizes.csv\" }").1, Ok(samples));
    }

    #[test]
    fn what_a_family_does_not_accept_is_said_at_its_place() {
        let refused = |(loaded, built): (Loaded, Result<_, _>)| places(&loaded, &[built.unwrap_err()]).remove(0);
        for (spec, column, said) in [
            ("{ exponential = \"0s\" }", 8, "exponential: mean is 0s, it must be longer than zero"),
            (
                "{ lognormal = { median = \"2ms\", p99 = \"1ms\" } }",
                8,
                "lognormal: p99 is 1ms, it must exceed the median, 2ms",
            ),
            (
                "{ mixture = [[1, \"1ms\"], [1, { exponential = \"0s\" }]] }",
                37,
                "exponential: mean is 0s, it must be longer",
            ),
            ("{ mixture = [] }", 8, "mixture: no component"),
            ("{ pareto = { min = \"1ms\", shape = 1e9 } }", 8, "pareto: shape is 1000000000, it must lie between"),
            ("{ samples = \"percentiles.csv\" }", 8, "`samples`: `dir/percentiles.csv` has two columns"),
            ("{ quantiles = \"latencies.csv\" }", 8, "`quantiles`: `dir/latencies.csv` has one column"),
            ("{ samples = \"broken.csv\" }", 8, "`dir/broken.csv`, line 3: \"fast\" is not a duration"),
        ] {
            let (line, at, message) = refused(work(spec));
            assert_eq!((line, at), (3, column), "{message}");
            assert!(message.starts_with(said), "{message}");
        }
        let spec = "{ lognormal = { median = \"4KiB\", p99 = \"2KiB\" } }";
        assert_eq!(refused(size(spec)), (4, 14, "lognormal: p99 is 2KiB, it must exceed the median, 4KiB".into()));
        let (.., message) = refused(size("{ exponential = \"0B\" }"));
        assert_eq!(message, "exponential: mean is 0B, it must be larger than zero");
    }

    #[test]
    fn keys_that_do_not_belong_together_are_refused_when_read() {
        let (_, said) = unloadable(
            "run.duration = \"1s\"\n[services.s]\nwork = { lognormal = { median = \"1ms\", sd = \"2ms\" } }\n\
             sleep = { weibull = { shape = 2 } }\n",
        );
        assert_eq!(
            said,
            "\
error: `lognormal` takes `median` and `p99`, or `mean` and `sd`; found `median`, `sd`
 --> dir/s.toml:3:8
  |
3 | work = { lognormal = { median = \"1ms\", sd = \"2ms\" } }
  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^

error: `weibull` takes `shape` and `scale`, or `shape` and `mean`; found `shape`
 --> dir/s.toml:4:9
  |
4 | sleep = { weibull = { shape = 2 } }
  |         ^^^^^^^^^^^^^^^^^^^^^^^^^^^"
        );
    }

    #[test]
    fn a_file_that_is_missing_is_shown_where_it_is_named() {
        let (severities, said) = unloadable(
            "run.duration = \"1s\"\n[params]\nwork = { samples = \"lost.csv\" }\n[services.s]\nwork = \"$work\"\n\
             [services.t]\nwork = { quantiles = 3 }\n",
        );
        assert_eq!(severities, [Severity::Unreadable, Severity::Error]);
        assert_eq!(
            said,
            "\
error: cannot read `dir/lost.csv`: no such file
 --> dir/s.toml:3:20
  |
3 | work = { samples = \"lost.csv\" }
  |                    ^^^^^^^^^^

error: expected the name of a file, found the number 3
 --> dir/s.toml:7:22
  |
7 | work = { quantiles = 3 }
  |                      ^"
        );
    }

    #[test]
    fn a_flag_names_a_file_from_where_it_is_typed() {
        let text = "run.duration = \"1s\"\n[services.s]\nwork = \"1ms\"\n";
        let sets = |path: &str| Overrides {
            sets: vec![format!("services.s.work={{ samples = \"{path}\" }}")],
            ..Overrides::default()
        };
        let load = |path| Scenario::load(&source(text), Path::new("dir/s.toml"), &sets(path));
        assert!(load("dir/latencies.csv").is_ok());
        let said = load("latencies.csv").unwrap_err().render(Style::Plain);
        assert!(said.starts_with("error: cannot read `latencies.csv`: no such file\n --> command line:1:"), "{said}");
    }
}

mod policies {
    use super::*;

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
                backoff: Schedule::Exponential {
                    initial: ms(1),
                    max: ms(9),
                    multiplier: Multiplier::new(3.0).unwrap(),
                },
                jitter: Jitter::Decorrelated,
                retry_on: FailureSet::from_iter([Failure::Timeout, Failure::Rejected]),
                member: Member::Same,
            },
            cancel: Cancel::Running,
            window: count(7),
            max_in_flight: count(4),
            dedup: Some(DedupWindow::Time(secs(300))),
            balance: Some(BalancePolicy::Weighted(vec![10, 5, 20])),
        };
        assert_eq!(planned("call", keys), expected);
        assert_eq!(planned("send", keys), expected);
    }

    #[test]
    fn schedules_have_their_defaults() {
        let backoff =
            |written: &str| planned("call", &format!("max-attempts = \"unlimited\"\nbackoff = {written}")).retry;
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
        let keys =
            "max-attempts = 1\nbackoff = \"5ms\"\njitter = \"full\"\nretry-on = \"timeout\"\nretry-to = \"same\"";
        assert_eq!(planned("call", keys).retry.max_attempts, count(1));
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
            ("call", "balance = { least-requests = { load = \"shared\" } }", (1, 11), "not supported yet"),
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
        assert_eq!(balance("\"round-robin\""), BalancePolicy::RoundRobin);
        assert_eq!(balance("\"random\""), BalancePolicy::Random);
        assert_eq!(balance("\"two-choices\""), BalancePolicy::TWO_CHOICES);
        assert_eq!(balance("\"choices\""), BalancePolicy::TWO_CHOICES);
        assert_eq!(
            balance("{ least-requests = { load = \"true\" } }"),
            BalancePolicy::LeastRequests { load: Load::True }
        );
        assert_eq!(
            balance("{ choices = { d = 3, replacement = true } }"),
            BalancePolicy::Choices { d: count(3).unwrap(), load: Load::Own, replacement: true }
        );
        assert_eq!(balance("{ weighted = [0.25, 1, 3] }"), BalancePolicy::Weighted(vec![25, 100, 300]));
    }
}

mod networks {
    use super::*;

    const GROUPS: &str = "[clients.users]\nnodes = 2\nusers = 2\ncall = \"api\"\n[services.api]\nnodes = 3\ncall = \"db\"\n\
                          [services.db]\nwork = \"1ms\"\n";

    fn names() -> Names {
        let mut names = Names::default();
        for (name, nodes) in [("users", 2), ("api", 3), ("db", 1)] {
            names.add(name, nodes).unwrap();
        }
        names
    }

    fn plan(text: &str) -> (Loaded, Result<Network, Vec<Diagnostic>>) {
        let loaded = loaded(&format!("{text}{GROUPS}"));
        let scenario = &loaded.scenario;
        let planned = network(scenario.network.as_ref(), &scenario.links, &names(), &loaded.texts);
        (loaded, planned)
    }

    fn planned(text: &str) -> Network {
        let (loaded, planned) = plan(text);
        planned.unwrap_or_else(|mistakes| panic!("{}", rendered(&loaded, &mistakes)))
    }

    /// The link of a message as `name latency loss`, for messages such as `users[0] -> api[1]`.
    fn route(network: &Network, from: &str, to: &str, leg: Leg) -> String {
        let names = names();
        let node = |label: &str| {
            let mut all = names.groups().flat_map(|group| names.members(group));
            all.find(|node| names.label(*node) == label).expect(label)
        };
        let id = network.route(&names, node(from), node(to), || 1 << leg as u8);
        let (_, name, link) = network.links().nth(id.index()).unwrap();
        format!("{name} {} {}", link.latency.minimum(), link.loss)
    }

    #[test]
    fn without_links_the_network_is_the_same_everywhere() {
        assert_eq!(route(&planned(""), "users[0]", "api[0]", Leg::Out), "network 0s 0%");
        let network = planned(
            "[network]\nlatency = \"2ms\"\nloss = \"1%\"\nbandwidth = \"1Gbit/s\"\nbuffer = \"3KiB\"\norder = \"fifo\"\n\
             duplicate = 0.1\ncorrupt = 0.2\n",
        );
        let (_, name, link) = network.links().next().unwrap();
        assert_eq!((name, network.links().count()), ("network", 1));
        let expected = crate::network::Link {
            latency: ms(2).into(),
            loss: percent(1.0),
            duplicate: percent(10.0),
            corrupt: percent(20.0),
            bandwidth: "1Gbit/s".parse().ok(),
            buffer: Buffer::Bytes(3072),
            order: crate::network::Arrival::Fifo,
        };
        assert_eq!(*link, expected);
    }

    #[test]
    fn a_link_between_two_groups_goes_both_ways_and_inherits_the_rest() {
        let network =
            planned("[network]\nlatency = \"2ms\"\n[links.last-mile]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\n");
        for (from, to, link) in [
            ("users[1]", "api[2]", "last-mile 2ms 1%"),
            ("api[2]", "users[0]", "last-mile 2ms 1%"),
            ("users[0]", "users[1]", "network 2ms 0%"),
            ("api[0]", "db[0]", "network 2ms 0%"),
        ] {
            assert_eq!(route(&network, from, to, Leg::Out), link, "{from} -> {to}");
        }
        assert_eq!(network.links().count(), 2);
    }

    #[test]
    fn one_way_is_one_way() {
        let network = planned("[links.up]\nfrom = \"users\"\nto = \"*\"\nlatency = \"2ms\"\n");
        assert_eq!(route(&network, "users[0]", "db[0]", Leg::Out), "up 2ms 0%");
        assert_eq!(route(&network, "users[0]", "users[1]", Leg::Out), "up 2ms 0%");
        assert_eq!(route(&network, "db[0]", "users[0]", Leg::Reply), "network 0s 0%");
    }

    #[test]
    fn a_link_may_be_for_some_messages_alone() {
        let network = planned(
            "[links.asks]\nbetween = [\"users\", \"api\"]\nonly = \"request\"\nloss = \"1%\"\n\
             [links.answers]\nbetween = [\"users\", \"api\"]\nonly = [\"reply\", \"ack\"]\nloss = \"2%\"\n",
        );
        let legs = [Leg::Out, Leg::Reply, Leg::Ack, Leg::Cancel];
        let routes = legs.map(|leg| route(&network, "users[0]", "api[0]", leg));
        assert_eq!(routes, ["asks 0s 1%", "answers 0s 2%", "answers 0s 2%", "asks 0s 1%"]);
    }

    #[test]
    fn the_narrower_link_wins_key_by_key() {
        let network = planned(
            "[network]\nlatency = \"1ms\"\n[links.any]\nbetween = [\"*\", \"api\"]\nloss = \"1%\"\nlatency = \"2ms\"\n\
             [links.far]\nbetween = [\"users\", \"api\"]\nlatency = \"3ms\"\n\
             [links.bad]\nfrom = \"users[1]\"\nto = \"api[0,2]\"\nloss = \"9%\"\n\
             [links.answers]\nbetween = [\"users\", \"api\"]\nonly = \"reply\"\nlatency = \"4ms\"\n",
        );
        for (from, to, leg, link) in [
            ("db[0]", "api[0]", Leg::Out, "any 2ms 1%"),
            ("api[0]", "api[1]", Leg::Out, "any 2ms 1%"),
            ("users[0]", "api[0]", Leg::Out, "far 3ms 1%"),
            ("api[1]", "users[0]", Leg::Ack, "far 3ms 1%"),
            ("users[1]", "api[1]", Leg::Out, "far 3ms 1%"),
            ("users[1]", "api[2]", Leg::Out, "bad 3ms 9%"),
            ("users[1]", "api[0]", Leg::Reply, "bad 4ms 9%"),
            ("api[0]", "users[1]", Leg::Reply, "answers 4ms 1%"),
            ("users[0]", "db[0]", Leg::Out, "network 1ms 0%"),
        ] {
            assert_eq!(route(&network, from, to, leg), link, "{from} -> {to} {leg:?}");
        }
        let names: Vec<_> = network.links().map(|(_, name, _)| name).collect();
        assert_eq!(names, ["network", "any", "far", "bad", "bad", "answers"]);
    }

    #[test]
    fn links_that_cross_combine_where_they_set_different_keys() {
        let network = planned(
            "[links.up]\nfrom = \"users\"\nto = \"*\"\nlatency = \"2ms\"\n[links.down]\nfrom = \"*\"\nto = \"db\"\nloss = \"1%\"\n",
        );
        assert_eq!(route(&network, "users[0]", "db[0]", Leg::Out), "up 2ms 1%");
        assert_eq!(route(&network, "api[0]", "db[0]", Leg::Out), "down 0s 1%");
    }

    #[test]
    fn two_links_of_equal_narrowness_are_refused_together() {
        let (loaded, planned) = plan(
            "[links.one]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\nlatency = \"1ms\"\n\
             [links.two]\nfrom = \"users\"\nto = \"api\"\nloss = \"2%\"\n",
        );
        assert_eq!(
            rendered(&loaded, &planned.unwrap_err()),
            "\
error: links `one` and `two` both set `loss` from `users` to `api`, and neither is narrower
 --> dir/s.toml:9:8
  |
4 | loss = \"1%\"
  |        ---- in `one`
...
9 | loss = \"2%\"
  |        ^^^^ in `two`
  |
  = help: nodes are narrower than a group, a group than `*`, and `only` some messages than all"
        );
    }

    #[test]
    fn neither_of_two_links_is_narrower_at_one_end_each() {
        let crossing = "[links.up]\nfrom = \"users\"\nto = \"*\"\nloss = \"2%\"\n[links.down]\nfrom = \"*\"\nto = \"db\"\nloss = \"1%\"\n";
        let (loaded, planned) = plan(crossing);
        let message = "links `up` and `down` both set `loss` from `users` to `db`, and neither is narrower";
        assert_eq!(places(&loaded, &planned.unwrap_err()), [(9, 8, message.to_owned())]);
        let settled = format!("{crossing}[links.both]\nfrom = \"users\"\nto = \"db\"\nloss = \"3%\"\n");
        assert_eq!(route(&super::networks::planned(&settled), "users[0]", "db[0]", Leg::Out), "both 0s 3%");
    }

    #[test]
    fn links_that_extend_one_table_are_told_apart_by_name() {
        let (loaded, planned) =
            plan("[links.one]\nbetween = [\"users\", \"api\"]\nloss = \"1%\"\n[links.two]\nextends = \"one\"\n");
        let places = places(&loaded, &planned.unwrap_err());
        assert_eq!(places.len(), 1);
        assert_eq!((places[0].0, places[0].1), (5, 8));
    }

    #[test]
    fn a_buffer_counts_where_a_bandwidth_does() {
        let network = planned(
            "[network]\nbuffer = { packets = 5 }\n[links.slow]\nbetween = [\"users\", \"api\"]\nbandwidth = \"1Mbit/s\"\n",
        );
        assert_eq!(network.links().nth(1).unwrap().2.buffer, Buffer::Packets(5));
    }

    #[test]
    fn what_a_link_cannot_be_is_said_at_its_place() {
        for (text, place, said) in [
            ("[links.l]\nbetween = [\"users\", \"apj\"]\n", (3, 22), "there is no group `apj`"),
            ("[links.l]\nbetween = [\"users\", \"ap[0]\"]\n", (3, 22), "there is no group `ap`"),
            ("[links.l]\nbetween = [\"users\", \"rest\"]\n", (3, 21), "a link has no `rest`"),
            ("[links.l]\nbetween = [\"users\", \"*[0]\"]\n", (3, 21), "`*` stands for all nodes"),
            ("[links.l]\nbetween = [\"users\", \"db#0\"]\n", (3, 21), "partitions of topics are not supported yet"),
            ("[links.l]\nbetween = [\"users\", \"api[any 1]\"]\n", (3, 21), "between the same nodes all the time"),
            ("[links.l]\nbetween = [\"users\", \"api[leader]\"]\n", (3, 21), "between the same nodes all the time"),
            ("[links.l]\nfrom = \"api[1-3]\"\nto = \"*\"\n", (3, 8), "there is no node 3 in `api`, which has 3 nodes"),
            ("[links.l]\nbetween = [\"users\", \"api\"]\nonly = []\n", (2, 8), "link `l` is for no messages at all"),
            ("[network]\nbuffer = \"1KiB\"\n", (3, 10), "`buffer` has no effect"),
            ("[links.l]\nbetween = [\"users\", \"api\"]\nbuffer = \"1KiB\"\n", (4, 10), "`buffer` has no effect"),
            ("[network]\nlatency = { exponential = \"0s\" }\n", (3, 11), "exponential: mean is 0s"),
            (
                "[links.l]\nbetween = [\"users\", \"api\"]\nlatency = { samples = \"broken.csv\" }\n",
                (4, 11),
                "`dir/broken.csv`, line 3",
            ),
        ] {
            let (loaded, planned) = plan(text);
            let found = places(&loaded, &planned.map(|_| ()).expect_err(text));
            assert_eq!(found.len(), 1, "{found:?}");
            let (line, column, message) = &found[0];
            assert_eq!((*line, *column), place, "{message}");
            assert!(message.contains(said), "{message}");
        }
    }

    #[test]
    fn an_unknown_group_is_answered_with_the_nearest_one() {
        let (loaded, planned) = plan("[links.l]\nbetween = [\"users\", \"apj\"]\n");
        assert_eq!(
            rendered(&loaded, &planned.unwrap_err()),
            "\
error: there is no group `apj`
 --> dir/s.toml:3:22
  |
3 | between = [\"users\", \"apj\"]
  |                      ^^^
  |
  = help: did you mean `api`?"
        );
    }
}
