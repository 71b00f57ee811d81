//! What guards did, as the report tells it: exact where arithmetic says so, and otherwise what follows from the fates.

use rehearsal::experiment::Verdict;
use rehearsal::metrics::{Fate, RunResult};
use rehearsal::process::{GuardFact, Outcome, TurnedAway};

use crate::common::{plan, play};
use crate::study::{Study, flow, station};

/// How often the guards of the first flow did this in the measured time.
fn guards(run: &RunResult, fact: GuardFact) -> u64 {
    run.flows[0].book.guards_within(&[run.measured]).of(fact)
}

/// Ten calls a second, all of which fail at once. The breaker opens with the tenth (after 0.9 s), lets the first two pass that come
/// after five seconds, which takes 5.1 s and the tenth of a second between them, and so on: after 0.9, 6.0 (or 6.1), 11.1 and 16.2
/// seconds, four times in 20 s. 10 + 2 + 2 + 2 calls pass, and 184 do not. Arithmetic.
#[test]
fn a_breaker_is_seen_to_open_and_to_refuse() {
    let scenario = r#"
        run = { duration = "20s" }
        [clients.source]
        rate = "10/s"
        arrivals = "even"
        call = "backend"
        [clients.source.circuit-breaker]
        sliding-window-size = 10
        wait-duration-in-open-state = "5s"
        permitted-number-of-calls-in-half-open-state = 2
        [services.backend]
        fail = 1
        [expect]
        "source.breaker-openings"               = "== 4"
        "source->backend.breaker-openings from 4s" = "== 3"
        "source.breaker-refusals"               = "== 184"
        "source.breaker-refusals.rate"          = "== 9.2/s"
        "source.breaker-refusals to-start"      = "== 0"
        "hedges-sent"                           = "== 0"
        "backend.queue-full"                    = "== 0"
    "#;
    let scenario = scenario.replace(" to-start", " from 0s to 500ms");
    let results = play(&plan(&scenario));
    for judgement in &results.judgements {
        assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
    }
    let book = flow(&results.runs[0], "source");
    assert_eq!((book.fate(Fate::Failed), book.fate(Fate::Rejected)), (16, 184));
}

/// What a budget does not pay for is told: every message that failed once asked for a second attempt, and got it or did not.
#[test]
fn a_budget_is_seen_to_refuse() {
    let run = Study::exact(
        20,
        r#"
        [clients.source]
        rate = "100/s"
        call = "backend"
        max-attempts = 2
        retry-budget = { ratio = "10%" }
        [services.backend]
        fail = 1
        "#,
    );
    let book = flow(&run, "source");
    let refused = guards(&run, GuardFact::RetryRefused);
    assert_eq!(refused + (book.attempts - book.offered), book.offered);
    assert!(refused > book.offered * 8 / 10, "{refused}");
}

/// Limits at the sender: what they turn away has no other fate, and what they hold is all but what went at once. A bucket of 100 lets
/// 900 of a thousand wait, and so do 990 where ten may be in flight.
#[test]
fn limits_of_senders_are_seen_to_refuse_and_to_hold() {
    let source = |keys: &str| {
        Study::exact(
            20,
            &format!(
                "[clients.source]\nusers = 1000\ncount = 1000\ncall = \"backend\"\n{keys}\n[services.backend]\nwork = \"1ms\""
            ),
        )
    };
    let run = source("concurrency-limit = { bulkhead = { max-concurrent-calls = 10 } }");
    let book = flow(&run, "source");
    assert_eq!(guards(&run, GuardFact::RefusedByConcurrency), book.fate(Fate::Rejected));
    assert_eq!((book.offered, book.fate(Fate::Rejected)), (1000, 990));
    let run = source("rate-limit = { token-bucket = { rate = \"50/s\", burst = 100 } }");
    assert_eq!(guards(&run, GuardFact::HeldByRate), 900);
    // Ten a fifth of a second, and the hundred at once: all others would wait for longer than that.
    let run = source("rate-limit = { token-bucket = { rate = \"50/s\", burst = 100 } }\nmax-wait = \"200ms\"");
    assert_eq!((guards(&run, GuardFact::HeldByRate), guards(&run, GuardFact::RefusedByRate)), (10, 890));
    let run = source("max-in-flight = 10");
    assert_eq!((guards(&run, GuardFact::HeldByWindow), guards(&run, GuardFact::HeldByRate)), (990, 0));
    // A millisecond each: ten seconds' worth of deadlines never pass, but half a second's do, for the half that waits longer.
    let run = source("max-in-flight = 10\ndeadline = \"500ms\"");
    let book = flow(&run, "source");
    assert_eq!(guards(&run, GuardFact::WaitedInVain), book.fate(Fate::Abandoned));
    assert!(book.fate(Fate::Abandoned) > 400, "{book:?}");
}

/// A throttle turns away what its backend would: all that is not sent is rejected, and told of.
#[test]
fn a_throttle_is_seen_to_refuse() {
    let run = Study::exact(
        60,
        r#"
        [clients.source]
        rate = "200/s"
        call = "backend"
        throttle = "adaptive"
        [services.backend]
        admit.rate-limit = { token-bucket = { rate = "50/s", burst = 10 } }
        "#,
    );
    let (book, backend) = (flow(&run, "source"), station(&run, "backend"));
    let refused = guards(&run, GuardFact::RefusedByThrottle);
    assert_eq!(refused + backend.turned_away_for(TurnedAway::RateLimited), book.fate(Fate::Rejected));
    assert!(refused > 1_000, "{refused}");
}

/// One of two members takes 100 ms, the other 10 ms; after 20 ms a second copy goes to the other one. It is sent where the first went
/// to the slow one, and wins each time, at 30 ms.
#[test]
fn hedges_are_seen_to_be_sent_and_to_win() {
    let run = Study::exact(
        20,
        r#"
        [clients.source]
        rate = "10/s"
        arrivals = "even"
        call = "backend"
        hedge = { delay = "20ms" }
        [services.backend]
        nodes = 2
        workers = "unlimited"
        speed = [1, 0.1]
        work = "10ms"
        balance = "random"
        "#,
    );
    let book = flow(&run, "source");
    let slow = book.offered - book.latency.below(rehearsal::base::time::ms(20));
    assert_eq!((guards(&run, GuardFact::HedgeSent), guards(&run, GuardFact::HedgeWon)), (slow, slow));
    assert!(slow > 50, "{slow}");
    assert_eq!(guards(&run, GuardFact::TimedOut), 0);
}

/// Every attempt times out, two for each of 200 messages; those of the last message may do so after the load has ended.
#[test]
fn attempts_that_time_out_are_counted() {
    let run = Study::exact(
        20,
        "[clients.source]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"backend\"\ntimeout = \"20ms\"\nmax-attempts = 2\n\
         [services.backend]\nworkers = \"unlimited\"\nwork = \"90ms\"",
    );
    let timed_out = guards(&run, GuardFact::TimedOut);
    assert!((398..=400).contains(&timed_out), "{timed_out}");
}

/// The only member there is goes down: it is ejected after five failures and taken for down by its heartbeats, once each, and from
/// the fifth failure on everything goes to it all the same, as there is nobody else.
#[test]
fn members_that_are_taken_out_are_counted() {
    let run = Study::exact(
        20,
        r#"
        [clients.source]
        rate = "100/s"
        arrivals = "even"
        call = "backend"
        timeout = "10ms"
        outlier-detection = { consecutive-errors = 5 }
        health = { heartbeat = { interval = "100ms", timeout = "500ms" } }
        [services.backend]
        [faults.crash]
        at = "10s"
        crash = "backend"
        "#,
    );
    assert_eq!((guards(&run, GuardFact::Ejected), guards(&run, GuardFact::TakenForDown)), (1, 1));
    // From the fifth failure on: all but about 1 000 + 5 + 1 of 2 000.
    let panic = guards(&run, GuardFact::PickedInPanic);
    assert!((985..=996).contains(&panic), "{panic}");
}

/// Whatever stands at a station's door or in its queue: the reasons add up to what was turned away, and each has its own name.
#[test]
fn stations_say_why_they_turned_requests_away() {
    for (keys, why) in [
        ("queue = { limit = 5 }", TurnedAway::QueueFull),
        ("queue = { limit = 5, when-full = \"reject-oldest\" }", TurnedAway::QueueFull),
        ("queue = { limit = 5, when-full = \"drop\" }", TurnedAway::QueueFull),
        ("shed = { expected-wait = { limit = \"20ms\" } }", TurnedAway::Shed),
        ("admit.rate-limit = { token-bucket = { rate = \"50/s\", burst = 10 } }", TurnedAway::RateLimited),
        ("admit.concurrency-limit = { bulkhead = { max-concurrent-calls = 5 } }", TurnedAway::ConcurrencyLimited),
        ("queue.discipline = \"codel\"", TurnedAway::QueueDropped),
        ("queue = { time-to-live = \"50ms\" }", TurnedAway::ExpiredUnserved),
        ("state = \"volatile\"", TurnedAway::ExpiredUnserved),
    ] {
        let run = Study::exact(
            20,
            &format!(
                "[clients.source]\nrate = \"150/s\"\ncall = \"backend\"\ndeadline = \"2s\"\n[services.backend]\nwork = \
                 \"10ms\"\n{keys}"
            ),
        );
        let book = station(&run, "backend");
        let of = |why: Outcome| book.refused_for(why);
        let expired = book.turned_away_for(TurnedAway::ExpiredUnserved);
        assert_eq!(expired, of(Outcome::Expired), "{keys}");
        let others = book.turned_away.iter().sum::<u64>() - expired;
        assert_eq!(others, of(Outcome::Rejected) + of(Outcome::Discarded), "{keys}");
        assert!(book.turned_away_for(why) > 100, "{keys}: {book:?}");
    }
}
