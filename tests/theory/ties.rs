//! Tied copies: one of two is handled, whoever begins first.

use rehearsal::metrics::Fate;
use rehearsal::process::Outcome;

use crate::common::{plan, play};
use crate::study::{Study, flow, ratio, station};

/// The second copy leaves 5 ms after the first, which has begun by then, so it is taken back on arrival and only one is worked on:
/// a fifth of the requests fail with it. None is waited for in vain.
#[test]
fn a_request_fails_with_the_copy_that_began() {
    let study = Study::of(
        11,
        1,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "100/s"
        call = "s"
        hedge = { delay = "5ms", tied = true }
        [services.s]
        nodes = 2
        workers = "unlimited"
        steps = [{ work = "20ms" }, { fail = "20%" }]
        "#,
    );
    study.share("failed", 0.2, |run| ratio(flow(run, "c").fate(Fate::Failed), flow(run, "c").offered));
    for run in &study.runs {
        let (book, s) = (flow(run, "c"), station(run, "s"));
        assert_eq!(book.confirmed + book.fate(Fate::Failed), book.offered, "{:?}", book.fates);
        // Those that arrived before the warm-up was over and ended after it, and those at the end.
        assert!((s.refused_for(Outcome::Cancelled) * 2).abs_diff(s.arrived) < 10, "{:?} of {}", s.refused, s.arrived);
    }
}

/// The first copy fails after 2.5 ms, when the second one has been under way for half a millisecond; that it was taken back is
/// known at 4 ms, and the request is tried again: two attempts more. 0.2 x 0.2 fail for good.
#[test]
fn a_copy_that_was_taken_back_after_the_other_failed_leads_on() {
    let study = Study::of(
        11,
        1,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "100/s"
        call = "s"
        max-attempts = 4
        retry-on = ["failed"]
        hedge = { delay = "2ms", tied = true }
        [services.s]
        nodes = 2
        workers = "unlimited"
        steps = [{ work = "0.5ms" }, { fail = "20%" }]
        "#,
    );
    study.share("failed", 0.04, |run| ratio(flow(run, "c").fate(Fate::Failed), flow(run, "c").offered));
    for run in &study.runs {
        let book = flow(run, "c");
        assert_eq!(book.confirmed + book.fate(Fate::Failed), book.offered, "{:?}", book.fates);
    }
}

/// The second copy never leaves, for it would only after a second. The other server was told all the same that it need not handle
/// it; an attempt after a timeout is another one, and is handled. Half of the attempts take too long, so an eighth of the
/// requests fail three times.
#[test]
fn a_word_about_a_copy_that_never_came_keeps_no_other_away() {
    let study = Study::of(
        11,
        1,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "100/s"
        call = "s"
        timeout = "30ms"
        max-attempts = 3
        backoff = "5ms"
        hedge = { delay = "1s", tied = true }
        balance = "random"
        [services.s]
        nodes = 2
        workers = "unlimited"
        steps = [{ choose = { slow = { weight = 1, steps = [{ work = "100ms" }] }, fast = { weight = 1, steps = [{ work = "5ms" }] } } }]
        "#,
    );
    study.share("given up", 0.125, |run| 1.0 - ratio(flow(run, "c").confirmed, flow(run, "c").offered));
    study.runs.iter().for_each(|run| assert_eq!(station(run, "s").refused_for(Outcome::Cancelled), 0));
}

/// Where a group stands in the file is nobody's business.
#[test]
fn the_order_of_groups_does_not_matter_where_copies_are_tied() {
    let first = "[clients.a]\nrate = \"100/s\"\ncall = \"s\"\nhedge = { delay = \"1ms\", tied = true }\n";
    let last = "[clients.b]\nrate = \"50/s\"\ncall = \"s\"\nhedge = { delay = \"2ms\", tied = true }\n";
    let service = "[services.s]\nnodes = 3\nwork = \"5ms\"\n";
    let [one, other] = [[first, last], [last, first]].map(|[before, after]| {
        let text = format!("run.duration = \"5s\"\nnetwork.latency = \"1ms\"\n{before}{service}{after}");
        play(&plan(&text)).runs.remove(0).digest
    });
    assert_eq!(one, other);
}
