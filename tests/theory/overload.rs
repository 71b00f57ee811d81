//! What bounds load where it comes from. Exact where arithmetic says so.

use rehearsal::base::time::{ms, ns};
use rehearsal::metrics::Fate;

use crate::study::{Study, flow, ratio, station};

/// A thousand requests at once, and a full bucket of 100 that is refilled at 50 a second: a hundred pass at once, then one each 20 ms,
/// the last of them at (1000 - 100) / 50 = 18 s. Answers take two nanoseconds, one each way, so that latency is the wait at the bucket:
/// 20 ms x 900 x 901 / 2 in all. Arithmetic.
#[test]
fn a_token_bucket_passes_a_burst_and_then_its_rate() {
    let run = Study::exact(
        30,
        r#"
        [clients.source]
        users = 1000
        count = 1000
        call = "backend"
        rate-limit = { token-bucket = { rate = "50/s", burst = 100 } }
        [services.backend]
        workers = "unlimited"
        "#,
    );
    let book = flow(&run, "source");
    assert_eq!((book.offered, book.fate(Fate::Confirmed)), (1000, 1000));
    assert_eq!((book.latency.below(ms(1)), book.latency.max()), (100, Some(ns(18_000_000_002))));
    assert_eq!(book.latency.mean().map(f64::round), Some(8_109_000_002.0));
}

/// A backend that fails every attempt at once sees 1.1 times the load if retries are at most a tenth of requests, however many
/// attempts each may have (Beyer et al., Site Reliability Engineering, chapter 21). Never more, and less by no more than the
/// retries that the last requests have paid for and the fractions lost with each slice of a second.
#[test]
fn a_budget_of_a_tenth_costs_a_tenth_in_an_outage() {
    let run = Study::exact(
        100,
        r#"
        [clients.source]
        rate = "1000/s"
        call = "backend"
        max-attempts = 3
        retry-budget = { ratio = "10%" }
        [services.backend]
        fail = 1
        "#,
    );
    let book = flow(&run, "source");
    assert_eq!(station(&run, "backend").arrived, book.attempts);
    let factor = ratio(book.attempts, book.offered);
    assert!(factor <= 1.1 && factor > 1.099, "{factor}");
}

/// Ten calls a second to a backend that takes 150 ms for each, of callers who wait for 100 ms: it does something for every call it
/// can, and nothing for anybody. What it handles is 20 s / 150 ms = 133 calls; what callers got is none. A send that asks for
/// nothing is good once it is handled: the same 133. Arithmetic.
#[test]
fn goodput_is_what_callers_got_in_time() {
    let backend = "[services.backend]\nwork = \"150ms\"\n[clients.source]\nrate = \"10/s\"\narrivals = \"even\"\n";
    let rates = |what: &str| {
        let run = Study::exact(20, &format!("{backend}{what}"));
        run.flows[0].book.rates_within(run.measured.0, run.measured.1)
    };
    let calls = rates("call = \"backend\"\ntimeout = \"100ms\"");
    assert_eq!((calls.goodput, calls.processed / 10), (0, 13));
    let once = rates("call = \"backend\"\ntimeout = \"100ms\"\ndelivery = \"exactly-once\"");
    assert_eq!((once.goodput, once.processed / 10), (0, 13));
    let sends = rates("send = \"backend\"");
    assert_eq!((sends.goodput, sends.processed), (calls.processed, calls.processed));
    let patient = rates("call = \"backend\"\ntimeout = \"100s\"");
    assert_eq!((patient.goodput, patient.processed), (calls.processed, calls.processed));
}
