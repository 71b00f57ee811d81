//! What happens after a fault: noticed, got around, recovered from, at what cost. Exact where arithmetic says so.

use rehearsal::metrics::RunResult;
use rehearsal::metrics::recovery::{After, Aftermath};

use rehearsal::experiment::{Ground, Verdict};

use crate::common::{plan, play};
use crate::study::Study;

/// What the only fault did to the first client, strike by strike.
fn after(run: &RunResult) -> Vec<Aftermath> {
    run.after(0, &[0])
}

fn micros(after: After) -> Option<u64> {
    match after {
        After::Within(span) => Some(span.as_nanos() / 1_000),
        After::Nothing | After::Never => None,
    }
}

/// A request each 10 ms from the start, 1 ms to the server and 1 ms back, given up after 100 ms.
const STEADY: &str = r#"
    network.latency = "1ms"
    [clients.users]
    rate = "100/s"
    arrivals = "even"
    phase = "aligned"
    call = "api"
    timeout = "100ms"
    "#;

fn steady(rest: &str) -> RunResult {
    Study::exact(30, &format!("{STEADY}{rest}"))
}

/// The only server is down from 10.0005 s to 15.0005 s. The request of 10 s is lost at its door at 10.001 s and given up at
/// 10.1 s, 99.5 ms after the strike. Nobody tries again, so none that suffered comes out right. The first request after the
/// healing is that of 15.01 s, answered at 15.012 s. Before, 1000 requests (of 0 to 9.99 s) came out right in 10.0005 s; in
/// the five seconds until service is good again, none.
#[test]
fn an_outage_of_the_only_server_lasts_as_long_as_it_does() {
    let run = steady("[services.api]\n[faults.outage]\nat = \"10.0005s\"\nfor = \"5s\"\ncrash = \"api\"");
    let [outage] = after(&run)[..] else { panic!("one strike") };
    assert_eq!((micros(outage.detect), outage.failover), (Some(99_500), After::Never));
    assert_eq!(micros(outage.recovery), Some(11_500));
    assert!((outage.goodput_lost - 1_000.0 / 10.0005 * 5.0).abs() < 1e-6, "{outage:?}");
}

/// The same with retries at once: those of 10 s and later are sent again each 100 ms, and the first to come out right is the
/// one that first asks again after the healing: attempts are sent at every multiple of 10 ms, and the first after 15.0005 s
/// less its way of 1 ms is at 15 s. It is answered at 15.002 s, 5.0015 s after the strike.
#[test]
fn a_failover_without_anybody_to_take_over_waits_for_the_healing() {
    let run = steady(
        "max-attempts = 1000\n[services.api]\n[faults.outage]\nat = \"10.0005s\"\nfor = \"5s\"\ncrash = \"api\"",
    );
    let [outage] = after(&run)[..] else { panic!("one strike") };
    assert_eq!((micros(outage.detect), micros(outage.failover)), (Some(99_500), Some(5_001_500)));
    assert_eq!(micros(outage.recovery), Some(11_500));
}

/// One of two servers is down, and what it fails to answer is sent to the other: the first such request was sent at 10 s or
/// at 10.01 s, whichever of the two it was its turn, is given up 105 ms later, when it is the other's turn, and answered 2 ms
/// after that.
#[test]
fn a_failover_takes_a_timeout_and_a_way_there_and_back() {
    let run = Study::exact(
        30,
        &format!(
            "{}max-attempts = 9\nretry-to = \"new\"\n[services.api]\nnodes = 2\n\
             [faults.outage]\nat = \"10.0005s\"\nfor = \"5s\"\ncrash = \"api[0]\"",
            STEADY.replace("100ms", "105ms")
        ),
    );
    let [outage] = after(&run)[..] else { panic!("one strike") };
    let detect = micros(outage.detect).expect("noticed");
    assert!([104_500, 114_500].contains(&detect), "{detect}");
    assert_eq!(micros(outage.failover), Some(detect + 2_000));
    // Every request comes out right within a second, half of them 105 ms later than usual: service does not suffer.
    assert_eq!((micros(outage.recovery), outage.goodput_lost), (Some(0), 0.0));
}

/// It does not heal: there is no recovery, and all of the 20 s that are left is lost.
#[test]
fn what_never_heals_never_recovers() {
    let run = steady("[services.api]\n[faults.outage]\nat = \"10.0005s\"\ncrash = \"api\"");
    let [outage] = after(&run)[..] else { panic!("one strike") };
    assert_eq!((micros(outage.detect), outage.recovery), (Some(99_500), After::Never));
    assert!((outage.goodput_lost - 1_000.0 / 10.0005 * 19.9995).abs() < 1e-6, "{outage:?}");
}

/// A server that nobody calls is down: nobody notices, nothing suffers, nothing is lost.
#[test]
fn who_is_not_struck_has_nothing_to_recover_from() {
    let run =
        steady("[services.api]\n[services.idle]\n[faults.outage]\nat = \"10.0005s\"\nfor = \"5s\"\ncrash = \"idle\"");
    let [outage] = after(&run)[..] else { panic!("one strike") };
    assert_eq!((outage.detect, outage.failover), (After::Nothing, After::Nothing));
    assert_eq!((micros(outage.recovery), outage.goodput_lost), (Some(0), 0.0));
}

/// Whoever asks for no confirmation never notices; recovery is told by what the receiver gets. The message of 15.01 s is the
/// first after the healing, and takes 1 ms.
#[test]
fn a_sender_that_asks_for_no_confirmation_never_notices() {
    let run = Study::exact(
        30,
        r#"
        network.latency = "1ms"
        [clients.users]
        rate = "100/s"
        arrivals = "even"
        phase = "aligned"
        send = "store"
        [services.store]
        [faults.cut]
        at = "10.0005s"
        for = "5s"
        partition = ["users", "store"]
        "#,
    );
    let [cut] = after(&run)[..] else { panic!("one strike") };
    assert_eq!((cut.detect, cut.failover, micros(cut.recovery)), (After::Nothing, After::Nothing, Some(10_500)));
    // Before: messages of 0 to 9.99 s. That of 10 s is lost on its way; those of 10.01 to 15 s are not sent through, the last
    // of them being judged at 15 s.
    assert!((cut.goodput_lost - 1_000.0 / 10.0005 * 5.0).abs() < 1e-6, "{cut:?}");
}

/// Up for 5 s, down for 1 s: it strikes at 5, 11, 17, 23 and 29 s. Each strike has an aftermath of its own. Requests are due
/// at the strikes and meet a server that is down: given up 100 ms later. At the healings too one is due, answered 2 ms
/// later, but for the last, at 30 s, when the load has ended: that strike does not heal, and never recovers.
#[test]
fn every_strike_has_an_aftermath() {
    let run = steady("[services.api]\n[faults.outage]\nevery = \"5s\"\nfor = \"1s\"\ncrash = \"api\"");
    let strikes = after(&run);
    let at: Vec<_> = strikes.iter().map(|strike| strike.at.as_nanos() / 1_000_000_000).collect();
    assert_eq!(at, [5, 11, 17, 23, 29]);
    assert!(strikes.iter().all(|strike| micros(strike.detect) == Some(100_000)), "{strikes:?}");
    let recoveries: Vec<_> = strikes.iter().map(|strike| micros(strike.recovery)).collect();
    assert_eq!(recoveries, [Some(2_000), Some(2_000), Some(2_000), Some(2_000), None]);
}

/// A retry storm that outlives its cause: evenly spaced requests to a database that serves exactly 300 in a second; whatever is
/// not answered after 1 s is asked once more, and both are served. For 10 s the database stands still. What is queued then
/// takes B = lam (10 + 9) to serve, while 2 lam come in as long as answers take more than a second; so it takes
/// (B - 300) / (300 - 2 lam) more seconds until the wait is below one, and one more until the first request that was due then
/// is answered: 17 s at 100 in a second, 55.25 s at 130, 119 s at 140, and never from 150 on (Bronson and others, Metastable
/// Failures in Distributed Systems, HotOS 2021, sec. 2.1).
#[test]
fn a_retry_storm_outlives_its_cause() {
    for (rate, seconds, tolerance) in
        [(100, Some(17.0), 0.5), (130, Some(55.25), 0.7), (140, Some(119.0), 1.0), (160, None, 0.0)]
    {
        let run = Study::exact(
            160,
            &format!(
                r#"
                [clients.app]
                rate = "{rate}/s"
                arrivals = "even"
                call = "db"
                timeout = "1s"
                max-attempts = 2
                [services.db]
                workers = 1
                work = "3333333ns"
                [faults.stall]
                at = "0s"
                for = "10s"
                pause = "db"
                "#
            ),
        );
        let [stall] = after(&run)[..] else { panic!("one strike") };
        println!("{rate}/s: {stall:?}");
        match (stall.recovery, seconds) {
            (After::Within(span), Some(expected)) => {
                let found = span.as_secs_f64();
                assert!((found - expected).abs() <= tolerance, "{rate}/s: {found} s for {expected} s");
            }
            (After::Never, None) => {}
            other => panic!("{rate}/s: {other:?}"),
        }
    }
}

/// A fault strikes at other times in every run, and the windows with it: on an ideal network, a request is lost if it is due
/// while the only server is down, and answered at once if it is not. So nothing succeeds during the outages, all does before
/// the first, and whoever looks at whole steps of the curves (100 ms) instead would find both mixed. Service has recovered from the
/// stop once it holds for 100 ms: a blink of up to 80 ms may come before that.
#[test]
fn windows_follow_strikes_that_are_drawn() {
    let results = play(&plan(
        r#"
        run = { duration = "10s", runs = 5 }
        [clients.users]
        rate = "1000/s"
        arrivals = "even"
        call = "api"
        timeout = "10ms"
        [services.api]
        [faults.blink]
        every = { exponential = "900ms" }
        for = { uniform = ["30ms", "80ms"] }
        crash = "api"
        [faults.stop]
        at = { uniform = ["8s", "9s"] }
        for = "200ms"
        crash = "api"
        [expect]
        "users.lost during blink" = "== 100%"
        "users.reliability before blink" = "== 100%"
        "users.lost during stop" = "== 100%"
        "users.offered during stop" = "== 1000/s +- 1%"
        "users.goodput.count during blink" = "== 0"
        "stop.strikes" = "== 1"
        "stop.touched-nodes" = "== 1"
        "blink.touched-messages" = ">= 100"
        "users.detect.max after blink" = "< 12ms"
        "users.failover.min after stop" = "> 1h"
        "users.recovery.max after stop" = "< 250ms"
        "#,
    ));
    for judgement in &results.judgements {
        assert_eq!(judgement.verdict, Verdict::Pass, "{judgement:?}");
        assert!(judgement.measured.interval.is_none_or(|(low, _)| low >= 0.0), "{judgement:?}");
    }
    // Largest and smallest values and counts that are to be equal have to hold in each run; a value that is infinite has no
    // interval; all others have one.
    for (quantity, ground) in [
        ("users.detect.max after blink", Ground::EachRun),
        ("users.goodput.count during blink", Ground::EachRun),
        ("users.offered during stop", Ground::Interval),
        ("blink.touched-messages", Ground::Interval),
    ] {
        let judgement = results.judgements.iter().find(|judgement| judgement.quantity == quantity).unwrap();
        assert_eq!(judgement.grounds, [ground], "{quantity}");
    }
    let strikes: Vec<_> = results.runs.iter().map(|run| run.faults[1].strikes[0].0).collect();
    assert!(strikes.windows(2).all(|pair| pair[0] != pair[1]), "drawn anew for each run: {strikes:?}");
}
