//! What becomes of messages.

use std::collections::BTreeMap;

use proptest::prelude::*;
use rehearsal::metrics::{Fate, RunResult, Tally};
use rehearsal::process::{Observation, Outcome};

use crate::common::{plan, play};
use crate::system::{System, any_system, system};
use crate::witness::witnessed;

fn run(system: &System) -> RunResult {
    play(&plan(&system.text())).runs.remove(0)
}

/// What became of the clients' messages.
fn of_clients(run: &RunResult) -> &Tally {
    &run.flows.iter().find(|flow| flow.is_client).expect("there is a client").book.total
}

/// A book without its histogram.
fn shown(name: &str, book: &Tally) -> String {
    let Tally { offered, fates, received, handled, confirmed, attempts, copies, repeated, .. } = book;
    format!(
        "{name}: offered {offered}, fates {fates:?}, received {received}, handled {handled}, confirmed {confirmed}, attempts \
         {attempts}, copies {copies}, repeated {repeated}"
    )
}

proptest! {
    #![proptest_config(crate::cases(192))]

    /// The messages' book and the wire's. That a run has a result at all means that the ledger found no contradiction.
    #[test]
    fn both_books_balance(system in any_system()) {
        let run = run(&system);
        for flow in &run.flows {
            let (name, book) = (flow.name(), &flow.book.total);
            prop_assert_eq!(book.offered, book.fates.iter().sum::<u64>(), "{}", name);
            prop_assert_eq!(book.copies, book.received + book.duplicates, "{}", name);
            prop_assert!(book.handled <= book.received && book.received <= book.offered, "{}", shown(&name, book));
            prop_assert!(book.handled + book.repeated <= book.copies, "{}", shown(&name, book));
            prop_assert_eq!(book.latency.count(), book.confirmed, "{}", name);
        }
        let attempts: u64 = run.flows.iter().map(|flow| flow.book.total.attempts).sum();
        let mut sent = 0;
        for link in &run.links {
            let book = link.book;
            let dropped: u64 = book.dropped.iter().sum();
            prop_assert!(book.delivered + dropped <= book.sent + book.duplicated, "{book:?}");
            prop_assert_eq!(book.in_flight(), book.sent + book.duplicated - book.delivered - dropped);
            sent += book.sent;
        }
        prop_assert!(attempts <= sent, "{attempts} attempts, {sent} messages sent");
        let arrived: u64 = run.flows.iter().map(|flow| flow.book.total.copies).sum();
        let delivered: u64 = run.links.iter().map(|link| link.book.delivered).sum();
        prop_assert!(arrived <= delivered, "{arrived} copies received, {delivered} delivered");
    }

    /// Nobody is told that a message was handled when it was not.
    #[test]
    fn what_is_confirmed_was_handled(system in any_system()) {
        let run = run(&system);
        for flow in &run.flows {
            let book = &flow.book.total;
            prop_assert!(book.confirmed <= book.handled, "{}", shown(&flow.name(), book));
        }
    }

    /// Only the network can make two effects of a message that is sent once.
    #[test]
    fn at_most_once_is_at_most_once(mut system in system("at-most-once", false), again in any::<bool>()) {
        if !again {
            system.network.duplicate = 0;
        }
        let run = run(&system);
        let book = of_clients(&run);
        let duplicated: u64 = run.links.iter().map(|link| link.book.duplicated).sum();
        prop_assert!(book.repeated <= duplicated, "{} repeated, {duplicated} duplicated", book.repeated);
        prop_assert!(book.attempts <= book.offered, "{}", shown("source", book));
    }

    /// Whatever is lost, doubled, late, refused or sent again: nothing has two effects, and what was handled well is one effect.
    #[test]
    fn exactly_once_has_one_effect(system in system("exactly-once", true)) {
        let run = run(&system);
        let book = of_clients(&run);
        prop_assert_eq!(book.repeated, 0);
        prop_assert_eq!(book.correct, book.handled);
    }

    /// A receiver handles each sender's messages in the order in which they were offered, where order is asked for.
    #[test]
    fn ordered_messages_are_handled_in_order(
        mut system in prop_oneof![system("at-least-once", true), system("exactly-once", true)]
    ) {
        system.policy.ordered = true;
        let played = witnessed(&plan(&system.text()));
        let clients = played.names.group("source").map(|group| played.names.members(group)).expect("a client");
        let clients: Vec<_> = clients.collect();
        let mut last = BTreeMap::new();
        for (now, node, stated) in played.each() {
            let Observation::Handled { message, outcome: Outcome::Done } = stated else { continue };
            if clients.contains(&message.owner) {
                let before = last.insert((node, message.owner), message.number);
                prop_assert!(before < Some(message.number), "{message:?} after {before:?} at {now}");
            }
        }
    }
}

/// Fifty messages are sent at once, some fail for good, and nothing times out: those behind them still have their turn, because a
/// sender says what it has given up. Two attempts that fail with 0.2 each leave 0.96 confirmed; 20 runs, four standard
/// deviations.
#[test]
fn what_is_given_up_holds_up_nobody() {
    let text = "run = { duration = \"1s\", runs = 20 }\n[network]\nlatency = { uniform = [\"1ms\", \"9ms\"] }\n\
                [clients.source]\nrate = \"1000000/s\"\ncount = 50\narrivals = \"even\"\nsend = \"sink\"\n\
                delivery = \"at-least-once\"\nordered = true\nmax-attempts = 2\n[services.sink]\nfail = \"20%\"\n";
    let mut sums = (0, 0);
    for run in &play(&plan(text)).runs {
        let book = of_clients(run);
        let (confirmed, failed, offered) = (book.confirmed, book.fate(Fate::Failed), book.offered);
        assert_eq!(confirmed + failed, offered, "{}", shown("source", book));
        sums = (sums.0 + confirmed, sums.1 + offered);
    }
    let (share, offered) = (sums.0 as f64 / sums.1 as f64, sums.1 as f64);
    assert!((share - 0.96).abs() < 4.0 * libm::sqrt(0.96 * 0.04 / offered), "{share} of {offered}");
}

/// Twenty thousand requests that expire in a queue are let go in a row, not each from within the one before: that many calls
/// within each other would not fit a stack.
#[test]
fn a_long_queue_expires_at_once() {
    let text = "run.duration = \"1s\"\n[clients.stall]\nrate = \"1/s\"\narrivals = \"even\"\nphase = \"aligned\"\n\
                count = 1\ncall = \"server/stall\"\n[clients.source]\nrate = \"20000/s\"\nfrom = \"1ms\"\nsend = \
                \"server\"\ndeadline = \"100ms\"\n[services.server]\nwork = \"1us\"\n[services.server.ops.stall]\n\
                work = \"2s\"\n";
    let run = play(&plan(text)).runs.remove(0);
    let source = run.flows.iter().find(|flow| flow.caller == "source").expect("there is a source");
    assert!(source.book.total.offered > 19_000);
    assert_eq!(source.book.total.fate(Fate::Expired), source.book.total.offered);
}
