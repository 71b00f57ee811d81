//! The same seed gives the same run.

use proptest::prelude::*;
use rehearsal::report::Report;

use crate::common::{plan, play};
use crate::system::any_system;
use crate::witness::{replay, witnessed};

proptest! {
    #![proptest_config(crate::cases(48))]

    /// The same scenario and seed give the same bytes; another seed another run.
    #[test]
    fn a_seed_is_a_run(system in any_system()) {
        let plan = plan(&system.text());
        let (one, other) = (play(&plan), play(&plan));
        prop_assert_eq!(one.runs[0].digest, other.runs[0].digest);
        prop_assert_eq!(&one.runs[0].checkpoints, &other.runs[0].checkpoints);
        prop_assert!(Report::from(&one).tables() == Report::from(&other).tables());
        let mut elsewhere = system.clone();
        elsewhere.seed += 1;
        let elsewhere = play(&crate::common::plan(&elsewhere.text()));
        prop_assert_ne!(one.runs[0].digest, elsewhere.runs[0].digest);
    }

    /// Watching changes nothing: a run with observers is the run without.
    #[test]
    fn watching_changes_nothing(system in any_system()) {
        let plan = plan(&system.text());
        let watched = witnessed(&plan).outcome;
        let mut cluster = plan.cluster(plan.seed);
        prop_assert_eq!(watched, cluster.run_until(rehearsal::base::time::Time::ZERO + rehearsal::base::time::secs(3)));
    }

    /// A cluster that was played before and set back plays as a new one, under its old seed and under another.
    #[test]
    fn a_rewound_run_is_a_fresh_run(system in any_system()) {
        let plan = plan(&system.text());
        let mut used = plan.cluster(plan.seed);
        replay(&mut used);
        for seed in [plan.seed, plan.seed + 1] {
            used.rewind(seed);
            let again = replay(&mut used);
            let fresh = replay(&mut plan.cluster(seed));
            prop_assert_eq!(again.outcome, fresh.outcome);
            prop_assert_eq!(again.stated, fresh.stated);
        }
    }
}

/// Plots are bytes like all else.
#[test]
fn a_report_is_the_same_bytes_each_time() {
    let text = "[run]\nduration = \"10s\"\nruns = 2\n[network]\nlatency = { exponential = \"5ms\" }\nloss = \"10%\"\n\
                [clients.source]\nrate = \"100/s\"\ncall = \"server\"\ntimeout = \"50ms\"\nmax-attempts = 3\n\
                [services.server]\nwork = { exponential = \"5ms\" }\n[expect]\n\"source.confirmed\" = \">= 90%\"\n";
    let [one, other] = [0, 1].map(|_| play(&plan(text)));
    assert!(Report::from(&one).files() == Report::from(&other).files());
}

/// However many threads there are, results come in by index: the report is the same to the byte.
#[test]
fn several_runs_give_the_same_report_on_any_number_of_threads() {
    let plan = plan(
        r#"
        run = { duration = "2s", runs = 12, warmup = "auto" }
        network = { latency = { exponential = "2ms" }, loss = "1%" }
        clients.c = { rate = "200/s", call = "s", timeout = "20ms", max-attempts = 3 }
        services.s = { nodes = 2, work = { exponential = "5ms" } }
        expect."c.latency.p99" = "< 1s"
        "#,
    );
    let report = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("threads can be had");
        let results = pool.install(|| rehearsal::experiment::run(&plan, &mut |_| std::ops::ControlFlow::Continue(())));
        let results = results.expect("it can be played");
        rehearsal::report::Report::from(&results).tables()
    };
    let one = report(1);
    assert!([2, 3, 7].into_iter().all(|threads| report(threads) == one));
}
