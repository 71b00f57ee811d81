//! Faults: what they cost, exactly where arithmetic says so, and on average where renewal theory does.

use rehearsal::metrics::{Fate, RunResult};
use rehearsal::process::Outcome;
use rehearsal::sim::FaultBook;

use crate::study::{Study, flow, mean_ms, ratio, station};

fn fault<'a>(run: &'a RunResult, name: &str) -> &'a FaultBook {
    &run.faults.iter().find(|fault| fault.name == name).expect("a fault of that name").book
}

/// Every message has one fate, and none is in flight once the run has drained.
fn all_decided(run: &RunResult, name: &str) {
    let book = flow(run, name);
    assert_eq!(book.fate(Fate::InFlight), 0, "{:?}", book.fates);
    assert_eq!(book.fates.iter().sum::<u64>(), book.offered);
}

/// One message each millisecond, 1 ms on its way; none passes from 2 s to 5 s. What is sent from 2 s - 1 ms on is lost too:
/// those under way when the cut comes. Sender and receiver are told nothing.
#[test]
fn a_partition_costs_what_is_sent_while_it_lasts_and_what_is_under_way() {
    let run = Study::exact(
        10,
        r#"
        network.latency = "1ms"
        [clients.near]
        rate = "1000/s"
        arrivals = "even"
        phase = "aligned"
        send = "far"
        [services.far]
        [faults.cut]
        at = "2000.5ms"
        for = "3s"
        partition = ["near", "far"]
        "#,
    );
    let book = flow(&run, "near");
    assert_eq!((book.offered, book.fate(Fate::Lost), book.fate(Fate::Handled)), (10_000, 3_001, 6_999));
    assert_eq!(fault(&run, "cut"), &FaultBook { strikes: 1, nodes: 2, messages: 3_001, timers: 0 });
}

/// A pause of 1 s: who arrives in it waits for its end, half a second on average. One request each millisecond, so 1000 of
/// 10 000 wait 0 to 999 ms (the ends are 0.25 ms off the instants of arrival), with 0.5 ms of work left out.
#[test]
fn a_pause_delays_by_what_is_left_of_it() {
    let run = Study::exact(
        10,
        r#"
        [clients.users]
        rate = "1000/s"
        arrivals = "even"
        phase = "aligned"
        call = "api"
        timeout = "5s"
        [services.api]
        [faults.stop]
        at = "4000.25ms"
        for = "1s"
        pause = "api"
        "#,
    );
    let book = flow(&run, "users");
    all_decided(&run, "users");
    assert_eq!((book.fate(Fate::Confirmed), fault(&run, "stop").messages), (10_000, 1_000));
    // 0.25 + 1.25 + … + 999.25 ms, over all of them.
    let expected = (1_000.0 * 0.25 + 999.0 * 1_000.0 / 2.0) / 10_000.0;
    assert!((mean_ms(&book.latency) - expected).abs() < 0.001, "{} for {expected}", mean_ms(&book.latency));
    let max = book.latency.max().map(|max| max.as_nanos() as f64 / 1e6);
    assert!(max.is_some_and(|max| (max - 999.25).abs() < 0.001), "{max:?}");
}

/// A gray failure: work of 5 ms takes four times as long for half of the time. A request every 100 ms meets nobody else.
#[test]
fn a_slow_node_takes_its_factor_longer() {
    let run = Study::exact(
        100,
        r#"
        network.latency = "1ms"
        [clients.users]
        rate = "10/s"
        arrivals = "even"
        phase = "aligned"
        call = "api"
        timeout = "5s"
        [services.api]
        workers = 1
        work = "5ms"
        [faults.limp]
        at = "20.05s"
        for = "50s"
        slow = { on = "api", factor = 4 }
        "#,
    );
    let book = flow(&run, "users");
    assert_eq!(book.latency.min().map(|min| min.as_nanos()), Some(7_000_000));
    assert_eq!(book.latency.max().map(|max| max.as_nanos()), Some(22_000_000));
    assert!((mean_ms(&book.latency) - 14.5).abs() < 1e-6, "{}", mean_ms(&book.latency));
    assert_eq!(fault(&run, "limp").timers, 500);
    // Utilisation: 10 x 5 ms for half of the time, 10 x 20 ms for the other half.
    let busy = station(&run, "api").busy_mean();
    assert!((busy - 0.125).abs() < 1e-4, "{busy}");
}

/// A station with one worker and 100 ms of work, one request each 50 ms: the queue grows by half a request each 50 ms. It
/// crashes at 5 s with what it has, and is back 4 s later.
fn crashed(timeout: &str) -> RunResult {
    let scenario = r#"
        [clients.users]
        rate = "20/s"
        arrivals = "even"
        phase = "aligned"
        call = "api"
        timeout = "TIMEOUT"
        [services.api]
        workers = 1
        work = "100ms"
        [faults.crash]
        at = "5.01s"
        for = "4s"
        crash = "api"
        "#;
    Study::exact(20, &scenario.replace("TIMEOUT", timeout))
}

/// From the crash to the return everything is lost, and nothing of what the station had comes back.
#[test]
fn a_crash_loses_what_waits_and_what_comes() {
    let run = crashed("60s");
    let book = flow(&run, "users");
    // Until 5.01 s, 101 arrive (0, 50, … 5000 ms) and 50 are done; 80 arrive while it is down.
    let crash = fault(&run, "crash");
    assert_eq!((crash.nodes, crash.messages, crash.timers), (1, 80, 1));
    // From 9.05 s on, 219 arrive, and are done in the end.
    assert_eq!(book.fate(Fate::Confirmed), 50 + 219);
    // While it was down, nothing waited there: 4 s less of one busy worker.
    let busy = station(&run, "api").busy_seconds;
    assert!((busy - (20.0 - 4.0 - 0.04)).abs() < 1e-6, "{busy}");
}

/// What a server forgets is lost, and said to be, once its clients stop waiting.
#[test]
fn what_a_server_forgets_is_lost() {
    let run = crashed("30s");
    all_decided(&run, "users");
    let book = flow(&run, "users");
    // 51 were waiting or at work, 80 came while it was down.
    assert_eq!((book.fate(Fate::Lost), book.fate(Fate::InDoubt)), (51 + 80, 0));
}

/// Availability = MTTF / (MTTF + MTTR) of a server that fails after 900 ms and is back after 100 ms, both exponential: a
/// probe that is not answered finds it down. The indicator of "up" is correlated over 90 ms (the harmonic sum of both), so
/// that probes 100 ms apart are nearly independent: c = sqrt(0.1 / 0.9) x sqrt((1 + r) / (1 - r)), r = exp(-100 / 90).
#[test]
fn availability_is_the_share_of_time_between_failures() {
    let study = Study::of(
        400,
        0,
        r#"
        [clients.probe]
        rate = "10/s"
        arrivals = "even"
        call = "api"
        timeout = "10ms"
        [services.api]
        [faults.outage]
        every = { exponential = "900ms" }
        for = { exponential = "100ms" }
        crash = "api"
        "#,
    );
    study.mean("availability", 0.9, 0.47, |run| {
        let book = flow(run, "probe");
        ratio(book.fate(Fate::Confirmed), book.offered)
    });
    study.mean("outages per second", 1.0, 2.1, |run| fault(run, "outage").strikes as f64 / 400.0);
}

/// `any 2` of five servers, drawn when it strikes: two fifths of all requests meet a server that is down.
#[test]
fn nodes_are_drawn_when_the_fault_strikes() {
    let study = Study::of(
        100,
        0,
        r#"
        [clients.users]
        rate = "100/s"
        call = "api"
        timeout = "10ms"
        balance = "random"
        [services.api]
        nodes = 5
        [faults.outage]
        at = { uniform = ["0s", "1ms"] }
        crash = "api[any 2]"
        "#,
    );
    study.share("refused", 0.4, |run| {
        let book = flow(run, "users");
        assert_eq!(fault(run, "outage").nodes, 2);
        ratio(book.fate(Fate::Lost), book.offered)
    });
}

/// Six nodes are dealt over three zones, two in each. Callers in zone b take them in turn; zone a is down: of 600 calls
/// 200 are lost, 200 stay in the zone and take no time, 200 cross to zone c and back in 2 ms: 1 ms on average (a hop
/// takes 1 ns at least).
#[test]
fn a_zone_fails_as_a_whole() {
    let run = Study::exact(
        6,
        r#"
        [regions]
        zones.eu = ["a", "b", "c"]
        zone-rtt = "2ms"
        [clients.users]
        place = "eu/b"
        rate = "100/s"
        arrivals = "even"
        call = "api"
        timeout = "50ms"
        [services.api]
        nodes = 6
        place = "eu"
        [faults.outage]
        at = "0s"
        crash = "@eu/a"
        "#,
    );
    let book = flow(&run, "users");
    assert_eq!((book.offered, book.fate(Fate::Lost), book.fate(Fate::Confirmed)), (600, 200, 400));
    assert_eq!(fault(&run, "outage").nodes, 2);
    assert!((mean_ms(&book.latency) - 1.0).abs() < 1e-3, "{}", mean_ms(&book.latency));
}

/// An ordered sender that comes up again begins with number 0 again, and so does its receiver with it: each of 1000 messages
/// (one is due while it is down) is confirmed because it was handled. The last one before the crash is handled and not confirmed
/// if the confirmation finds nobody.
#[test]
fn an_ordered_sender_is_understood_after_a_restart() {
    let run = Study::exact(
        10,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "100/s"
        arrivals = "even"
        phase = "aligned"
        call = "s"
        ordered = true
        timeout = "100ms"
        max-attempts = 3
        [services.s]
        work = "1ms"
        [faults.f]
        at = "4995ms"
        for = "10ms"
        crash = "c"
        "#,
    );
    let book = flow(&run, "c");
    all_decided(&run, "c");
    assert_eq!((book.offered, book.confirmed, book.handled, book.repeated), (999, 999, 999, 0));
    assert_eq!(station(&run, "s").arrived, 999);
}

/// One worker with 30 ms for each of the ordered messages that come every 10 ms, so that those before the crash are still held
/// when their sender is up again. None of them is handled after one of its later life, and all have a fate.
#[test]
fn what_is_held_of_an_earlier_life_is_let_go() {
    let run = Study::exact(
        1,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "100/s"
        arrivals = "even"
        phase = "aligned"
        call = "s"
        ordered = true
        window = 20
        [services.s]
        workers = 1
        work = "30ms"
        [faults.f]
        at = "305ms"
        for = "10ms"
        crash = "c"
        "#,
    );
    let (book, s) = (flow(&run, "c"), station(&run, "s"));
    // 0 to 30 ms … 270 to 300 ms: ten were answered; the 11th was at work, the next 19 were held, the last one waited for the
    // window at its sender.
    let late = book.fate(Fate::InDoubt);
    assert_eq!((book.fate(Fate::Lost), late, book.fate(Fate::InFlight)), (20, 1, 0), "{:?}", book.fates);
    assert_eq!(s.refused_for(Outcome::Discarded), 19);
    assert_eq!(book.confirmed + 21, book.offered);
}

/// The second of two copies is turned away at the node that works on the first. The node forgets that one when it crashes: nobody
/// handles the message any more, and it is not under way.
#[test]
fn a_copy_that_was_turned_away_is_not_the_one_that_is_there() {
    let run = Study::exact(
        1,
        r#"
        network.latency = "1ms"
        [clients.c]
        rate = "1/s"
        arrivals = "even"
        phase = "aligned"
        count = 1
        call = "s"
        timeout = "20ms"
        max-attempts = 2
        [services.s]
        workers = 1
        queue = { limit = 0 }
        work = "10s"
        [faults.f]
        at = "500ms"
        restart = "s"
        "#,
    );
    let book = flow(&run, "c");
    assert_eq!(book.fate(Fate::InFlight), 0, "{:?}", book.fates);
    assert_eq!((book.attempts, book.copies, station(&run, "s").refused_for(Outcome::Rejected)), (2, 1, 1));
}
