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
