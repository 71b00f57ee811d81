//! Messages that come twice, and messages that wait too long.

use rehearsal::base::time::{ms, ns};
use rehearsal::metrics::Fate;
use rehearsal::process::Outcome;

use crate::study::{Study, flow, mean_ms, ratio, station};

/// A receiver that remembers the last n messages takes a duplicate for new if n others came in between: at 1000/s and 200 ms
/// that is P(Poisson(200) >= n), 0.0855116 for 220, 0.509403 for 200. Here no acknowledgement ever comes back, so each
/// message is sent once more, exactly 200 ms after the first time.
#[test]
fn duplicates_slip_through_a_short_memory() {
    for (window, expected) in [(220, 0.0855116), (200, 0.509403)] {
        let study = Study::of(
            66,
            1,
            &format!(
                "[clients.source]\nrate = \"1000/s\"\nsend = \"sink\"\ndelivery = \"exactly-once\"\ntimeout = \"200ms\"\n\
                 max-attempts = 2\ndedup-window = {window}\n[services.sink]\nworkers = \"unlimited\"\n\
                 [links.back]\nfrom = \"sink\"\nto = \"source\"\nloss = 1\n"
            ),
        );
        // Neighbouring duplicates see nearly the same 200 ms: windows that begin t apart share 1 - t / 200 ms of their arrivals,
        // which over both sides sums up to 200 messages, so a 200th of them count as independent.
        let c = libm::sqrt((1.0 - expected) / expected * 200.0);
        study.mean("slips", expected, c, |run| ratio(flow(run, "source").repeated, flow(run, "source").offered));
    }
}

/// A memory of 200 ms, the last instant included, holds a message that comes again after exactly 200 ms, and one of a nanosecond
/// less has forgotten it, whether or not anything else has come in between.
#[test]
fn a_memory_by_time_is_exact() {
    for (window, repeated) in [("200ms", 0), ("199999999ns", 10)] {
        let run = Study::exact(
            20,
            &format!(
                "[clients.source]\nrate = \"1/s\"\ncount = 10\narrivals = \"even\"\nsend = \"sink\"\ndelivery = \
                 \"exactly-once\"\ntimeout = \"200ms\"\nmax-attempts = 2\ndedup-window = \"{window}\"\n\
                 [services.sink]\n[links.back]\nfrom = \"sink\"\nto = \"source\"\nloss = 1\n"
            ),
        );
        assert_eq!((flow(&run, "source").copies, flow(&run, "source").repeated), (20, repeated), "{window}");
    }
}

/// A queue whose messages expire if they are not begun within tau = 3, lambda = 0.8, mu = 1 (M/M/1 with fixed patience). With
/// d = e^(-(mu - lambda) tau): P0 = 1 / (1 + lambda (1 - d) / (mu - lambda) + lambda / mu d), the server is busy for 1 - P0 =
/// 0.69172, and P0 lambda / mu d = 0.13535 expire; those served have waited 0.869248. Barrer 1957; Baccelli and Hebuterne 1981.
#[test]
fn messages_expire_in_the_queue() {
    let study = Study::of(
        51,
        1,
        r#"
        [clients.source]
        rate = "800/s"
        send = "sink"
        deadline = "3ms"
        [services.sink]
        work = { exponential = "1ms" }
        "#,
    );
    study.mean("expires", 0.13535, 4.0, |run| {
        let book = station(run, "sink");
        ratio(book.refused_for(Outcome::Expired), book.arrived)
    });
    study.mean("Wq", 0.869248, 2.2, |run| mean_ms(&station(run, "sink").wait));
    study.mean("utilisation", 0.69172, 1.6, |run| station(run, "sink").busy_mean());
}

/// A client's request of two calls, of 100 and 300 ms, takes 400 ms and two nanoseconds for each, and is one request.
#[test]
fn a_request_of_several_calls_is_measured_as_a_whole() {
    let run = Study::exact(
        10,
        r#"
        [clients.source]
        rate = "10/s"
        arrivals = "even"
        steps = [{ call = "a" }, { call = "b" }]
        [services.a]
        workers = "unlimited"
        work = "100ms"
        [services.b]
        workers = "unlimited"
        work = "300ms"
        "#,
    );
    let latency = |name| (flow(&run, name).offered, flow(&run, name).latency.max());
    assert_eq!(latency("source"), (100, Some(ms(400) + ns(4))));
    assert_eq!(latency("source->a"), (100, Some(ms(100) + ns(2))));
    assert_eq!(latency("source->b"), (100, Some(ms(300) + ns(2))));
}

/// Five nodes of which one is a hundred times slower, and three answers are enough: the request takes as long as the third fastest,
/// and the two that are taken back were not needed, which is no fault of theirs.
#[test]
fn what_is_not_needed_is_spared() {
    let run = Study::exact(
        10,
        r#"
        [clients.source]
        rate = "10/s"
        arrivals = "even"
        call = "replica"
        fan-out = "all"
        wait-for = "quorum"
        cancel = "running"
        [services.replica]
        nodes = 5
        speed = [1, 0.5, 0.25, 0.1, 0.01]
        workers = "unlimited"
        work = "1ms"
        "#,
    );
    assert_eq!(flow(&run, "source").latency.max(), Some(ms(4) + ns(2)));
    let parts = flow(&run, "source->replica");
    let fates = (parts.offered, parts.fate(Fate::Confirmed), parts.fate(Fate::Spared), parts.correct);
    assert_eq!(fates, (500, 300, 200, 500));
}

/// Ten messages at once, one of which may be under way: the last has waited for nine others of 10 ms.
#[test]
fn a_repeated_step_waits_for_itself() {
    let run = Study::exact(
        5,
        r#"
        [clients.source]
        rate = "1/s"
        arrivals = "even"
        steps = [{ repeat = { times = 10, steps = [{ call = "a", wait = false, max-in-flight = 1 }] } }]
        [services.a]
        workers = "unlimited"
        work = "10ms"
        "#,
    );
    let longest = flow(&run, "source").latency.max().expect("there are some");
    assert!(longest >= ms(100) && longest < ms(101), "{longest}");
}
