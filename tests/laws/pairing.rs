//! What two policies have in common, and what strangers do not touch.

use proptest::prelude::*;

use crate::common::plan;
use crate::system::{DATAGRAM, Policy, System, any_system, system};
use crate::witness::{Played, witnessed};

fn played(system: &System) -> Played {
    witnessed(&plan(&system.text()))
}

/// Open load over a link of constant delay, where nothing waits at its sender: then an attempt is dropped when its message is
/// due, or was not the first.
fn tame(system: &mut System) {
    system.network.latency = r#""3ms""#;
    system.network.duplicate = 0;
    system.network.transport = DATAGRAM;
    system.network.loss = system.network.loss.max(10);
    system.load = "rate = \"150/s\"";
    system.policy.gate = "";
    system.policy.ordered = false;
    system.back = None;
    system.front.holds_worker = true;
}

/// Arrivals, the demand of each request and the luck of its first attempt are the same.
fn assert_paired(one: &Played, other: &Played) -> Result<(), TestCaseError> {
    prop_assert_eq!(one.arrivals(), other.arrivals());
    prop_assert!(!one.lost_at_first().is_empty());
    prop_assert_eq!(one.lost_at_first(), other.lost_at_first());
    Ok(())
}

proptest! {
    #![proptest_config(crate::cases(64))]

    /// A group that shares nothing with the others moves nothing, not even a tie.
    #[test]
    fn strangers_move_nothing(system in any_system()) {
        let stranger = "[clients.aunt]\nrate = \"77/s\"\nsend = \"zoo\"\n[services.zoo]\nnodes = 3\nwork = \"1ms\"\n\
                        [clients.zebra]\nusers = 3\nthink = \"3ms\"\ncall = \"zoo\"\ntimeout = \"1s\"\n";
        let alone = played(&system);
        let beside = witnessed(&plan(&(system.text() + stranger)));
        // Ids differ, names do not.
        for group in ["source", "front", "back"] {
            prop_assert!(alone.retold(group) == beside.retold(group), "{} differs", group);
        }
        prop_assert_eq!(alone.demands(), demands_of_known(&alone, &beside));
    }

    /// Another retry policy: the same load with the same luck, attempt by attempt.
    #[test]
    fn retry_policies_are_paired(
        mut system in system("at-least-once", false),
        timeout in proptest::sample::select(vec!["15ms", "60ms"]),
        attempts in proptest::sample::select(vec!["1", "3"]),
    ) {
        tame(&mut system);
        let one = played(&system);
        system.policy = Policy { timeout, attempts, backoff: r#""7ms""#, jitter: "full", ..system.policy };
        assert_paired(&one, &played(&system))?;
    }

    /// Another balancer: the same load with the same luck, and a request takes as much work wherever it goes.
    #[test]
    fn balancers_are_paired(mut system in system("at-most-once", false), balance in proptest::sample::select(vec![
        r#""round-robin""#, r#""random""#, r#""least-requests""#,
    ])) {
        tame(&mut system);
        system.front.queue = "{}";
        system.policy = Policy { deadline: "", ..system.policy };
        let one = played(&system);
        system.balance = balance;
        let other = played(&system);
        assert_paired(&one, &other)?;
        // Requests that the end of the run cut off in one of them are not compared.
        let (one, other) = (one.demands(), other.demands());
        let both: Vec<_> = one.iter().filter_map(|(name, work)| Some((work, other.get(name)?))).collect();
        prop_assert!(both.iter().all(|(one, other)| one == other));
        prop_assert!(both.len() * 2 >= one.len(), "{} of {} in common", both.len(), one.len());
    }
}

/// Demands of the messages that `alone` knows, as measured in `beside`.
fn demands_of_known(
    alone: &Played,
    beside: &Played,
) -> std::collections::BTreeMap<crate::witness::Named, rehearsal::base::time::Span> {
    let known = alone.arrivals();
    beside.demands().into_iter().filter(|(name, _)| known.contains_key(name)).collect()
}
