//! Whoever is next and whoever is turned away: what holds for every discipline and every shedder there is, under faults.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rehearsal::process::{Observation, Outcome};
use rehearsal::protocol::concurrency::CONCURRENCY_LIMITS;
use rehearsal::protocol::queue::QUEUES;
use rehearsal::protocol::rate_limit::RATE_LIMITS;
use rehearsal::protocol::shed::SHEDDERS;

use crate::common::{plan, play, spelled};
use crate::system::{System, any_system, system};
use crate::witness::{Played, witnessed};

/// The keys of a service, one set for each discipline, each shedder, each limit, and each way to make room.
fn services() -> Vec<String> {
    let disciplines = QUEUES.iter().map(|listing| format!("queue = {{ discipline = {} }}", spelled(listing)));
    let limited = QUEUES.iter().map(|listing| {
        let discipline = spelled(listing);
        format!(
            "queue = {{ discipline = {discipline}, limit = 4, when-full = \"drop-oldest\", time-to-live = {{ exponential = \
             \"20ms\" }}, expire-at = \"any\" }}"
        )
    });
    let rooms = ["reject-oldest", "reject-lowest", "drop-lowest"]
        .map(|when_full| format!("queue = {{ limit = 2, when-full = \"{when_full}\", time-to-live = \"15ms\" }}"));
    let shedders = SHEDDERS.iter().map(|listing| format!("shed = {}", spelled(listing)));
    let shared = [
        "discipline = \"processor-sharing\"",
        "discipline = \"processor-sharing\"\nqueue = { limit = 3, counts = \"present\" }",
        "discipline = \"processor-sharing\"\nqueue.limit = 2\nspeed = 0.5",
    ];
    let rates = RATE_LIMITS.iter().map(|listing| format!("admit.rate-limit = {}", spelled(listing)));
    let limits = CONCURRENCY_LIMITS.iter().map(|listing| format!("admit.concurrency-limit = {}", spelled(listing)));
    let doors = shedders.chain(rates).chain(limits);
    disciplines.chain(limited).chain(rooms).chain(doors).chain(shared.map(Into::into)).collect()
}

/// The system with these keys at its front, work there, and faults.
fn text(mut system: System, keys: &str, faults: &str) -> String {
    system.front.workers = if system.front.workers == "1" { "1" } else { "2" };
    system.front.work = r#"{ exponential = "6ms" }"#;
    let text = system.text();
    // The front's own queue and worker keys make room for those that are looked at.
    let (before, front) = text.split_once("[services.front]\n").expect("there is a front");
    let own = |line: &&str| !(line.starts_with("queue = ") || line.starts_with("hold-worker = "));
    let (front, back) = front.split_once("[services.back]").map_or((front, None), |(front, back)| (front, Some(back)));
    let holds = front.lines().find(|line| line.starts_with("hold-worker = ")).unwrap_or_default();
    let holds = if keys.contains("processor-sharing") { "" } else { holds };
    let front: String = front.lines().filter(own).map(|line| format!("{line}\n")).collect();
    let back = back.map_or(String::new(), |back| format!("[services.back]{back}\n"));
    format!("{before}[services.front]\n{keys}\n{holds}\n{front}{back}{faults}")
}

const SLOW: &str = "[faults.slow]\nat = \"200ms\"\nfor = \"300ms\"\nslow = { on = \"front[0]\", factor = 4 }\n\
                    [faults.pause]\nat = \"600ms\"\nfor = \"50ms\"\npause = \"front\"\n";
const CRASH: &str = "[faults.crash]\nat = \"300ms\"\nfor = \"100ms\"\ncrash = \"front[0]\"\n";

/// Where a worker is free, nobody waits.
fn conserves_work(played: &Played, workers: u32, keys: &str) -> Result<(), TestCaseError> {
    let front: Vec<_> =
        played.names.group("front").map(|group| played.names.members(group)).expect("a front").collect();
    for (now, node, stated) in played.each() {
        if let Observation::Level { waiting, busy } = *stated
            && front.contains(&node)
        {
            prop_assert!(busy <= workers, "{keys}: {busy} busy at {now}");
            prop_assert!(waiting == 0 || busy == workers, "{keys}: {waiting} wait at {now}, {busy} of {workers} busy");
        }
    }
    Ok(())
}

/// What arrived at the front, and what ended there.
fn arrived_and_ended(played: &Played) -> (usize, usize) {
    let front: Vec<_> =
        played.names.group("front").map(|group| played.names.members(group)).expect("a front").collect();
    let (mut arrived, mut ended) = (0, 0);
    for (_, _, stated) in played.each().filter(|(_, node, _)| front.contains(node)) {
        match stated {
            Observation::Arrived => arrived += 1,
            Observation::Served { .. } | Observation::Refused { .. } => ended += 1,
            _ => {}
        }
    }
    (arrived, ended)
}

proptest! {
    #![proptest_config(crate::cases(12))]

    /// Slow, paused or well: nobody waits while a worker is free, and whatever arrives ends, once. Nothing is on its way any more two
    /// seconds after the load, with two attempts, without a stream that resends and without a gate behind which messages wait.
    #[test]
    fn workers_work_and_every_request_ends_once(mut system in system("at-least-once", false)) {
        system.policy.ordered = false;
        (system.policy.attempts, system.policy.gate) = ("2", "");
        system.network.transport = crate::system::DATAGRAM;
        for keys in services() {
            let played = witnessed(&plan(&text(system.clone(), &keys, SLOW)));
            conserves_work(&played, if system.front.workers == "1" { 1 } else { 2 }, &keys)?;
            let (arrived, ended) = arrived_and_ended(&played);
            prop_assert_eq!(arrived, ended, "{}", keys);
        }
    }

    /// Crashes too: the books balance, which a run checks by itself, and nothing ends twice.
    #[test]
    fn books_balance_whoever_is_next(system in any_system()) {
        for keys in services() {
            let scenario = text(system.clone(), &keys, &format!("{CRASH}{SLOW}"));
            let run = play(&plan(&scenario)).runs.remove(0);
            for flow in &run.flows {
                let book = &flow.book.total;
                prop_assert_eq!(book.offered, book.fates.iter().sum::<u64>(), "{}: {}", flow.name(), keys);
                prop_assert!(book.handled + book.repeated <= book.copies, "{}: {}", flow.name(), keys);
                prop_assert!(book.confirmed <= book.handled, "{}: {}", flow.name(), keys);
            }
            let (arrived, ended) = arrived_and_ended(&witnessed(&plan(&scenario)));
            prop_assert!(ended <= arrived, "{keys}: {ended} of {arrived} ended");
        }
    }

    /// The same seed is the same run.
    #[test]
    fn disciplines_are_deterministic(system in any_system()) {
        for keys in services() {
            let plan = plan(&text(system.clone(), &keys, SLOW));
            let [one, other] = [0, 1].map(|_| play(&plan).runs.remove(0));
            prop_assert_eq!(one.digest, other.digest, "{}", keys);
        }
    }

    /// A copy that was cancelled has no effect after that: it is not handled well any more, at any node. With one attempt and no
    /// doubles on the way a message is one copy.
    #[test]
    fn what_was_cancelled_has_no_effect(mut system in system("at-least-once", false), running: bool) {
        system.policy.attempts = "1";
        system.policy.timeout = "20ms";
        system.policy.cancel = if running { "running" } else { "queued" };
        system.network.duplicate = 0;
        system.network.transport = crate::system::DATAGRAM;
        for keys in services() {
            let played = witnessed(&plan(&text(system.clone(), &keys, SLOW)));
            let mut cancelled = BTreeMap::new();
            for (now, _, stated) in played.each() {
                match *stated {
                    Observation::Handled { message, outcome: Outcome::Cancelled } => {
                        prop_assert_eq!(cancelled.insert(message, now), None, "{}", keys);
                    }
                    Observation::Handled { message, outcome } => {
                        let before = cancelled.get(&message);
                        prop_assert!(before.is_none(), "{keys}: {message:?} {outcome:?} at {now}, cancelled at {before:?}");
                    }
                    _ => {}
                }
            }
        }
    }
}

/// One worker, 10 ms of work each, requests every millisecond that are given up after 5: whoever is at work is stopped, and whoever
/// waits leaves, so nothing is left to do when the last of ten is given up, at 14 ms. Without cancelling, all ten are worked on, for
/// 100 ms.
#[test]
fn a_cancelled_request_frees_its_worker() {
    let disciplines = [
        "queue = {}",
        "queue.discipline = \"lifo\"",
        "queue.discipline = \"codel\"",
        "queue = { time-to-live = \"1s\", expire-at = \"any\" }",
        "discipline = \"processor-sharing\"",
    ];
    for discipline in disciplines {
        let busy = |cancel: &str| {
            let text = format!(
                "run.duration = \"1s\"\n[clients.source]\nrate = \"1000/s\"\narrivals = \"even\"\nphase = \"aligned\"\n\
                 count = 10\ncall = \"server\"\ntimeout = \"5ms\"\ncancel = \"{cancel}\"\n[services.server]\n{discipline}\n\
                 work = \"10ms\"\n"
            );
            let run = play(&plan(&text)).runs.remove(0);
            (run.stations[0].book.busy_mean(), run.stations[0].book.refused_for(Outcome::Cancelled))
        };
        let (all, none) = (busy("none"), busy("running"));
        assert!((all.0 - 0.1).abs() < 1e-6 && all.1 == 0, "{discipline}: {all:?}");
        assert_eq!(none.1, 10, "{discipline}: {none:?}");
        assert!((none.0 - 0.014).abs() < 1e-6, "{discipline}: {none:?}");
    }
}
