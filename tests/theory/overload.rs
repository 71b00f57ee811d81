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

/// 200 requests a second behind a limit of 20, each of which has to be done within 200 ms: the bucket refuses all whose turn comes
/// later, so that about four wait at a time, and all the others take no turns from those that can still use them. In 50 s
/// pass 50 x 20, give or take what waits at both ends; without that, hardly any would.
#[test]
fn turns_are_not_taken_by_those_for_whom_they_come_too_late() {
    let scenario = |bound: &str| {
        format!(
            "[clients.source]\nrate = \"200/s\"\narrivals = \"even\"\ncall = \"backend\"\nrate-limit = {{ token-bucket = \"20/s\" \
             }}\n{bound}\n[services.backend]\nworkers = \"unlimited\"\n"
        )
    };
    for bound in ["deadline = \"200ms\"", "max-wait = \"200ms\""] {
        let run = Study::exact(50, &scenario(bound));
        let book = flow(&run, "source");
        assert!((995..=1010).contains(&book.confirmed), "{bound}: {}", book.confirmed);
        assert_eq!(book.fate(Fate::Rejected) + book.confirmed, book.offered, "{bound}");
        assert!(book.latency.max() <= Some(ms(200)), "{bound}: {:?}", book.latency.max());
    }
    // Envoy's way: who is too fast is turned away at once. One passes each 50 ms, as the bucket holds one.
    let run = Study::exact(50, &scenario("max-wait = \"0s\""));
    assert_eq!(flow(&run, "source").latency.max(), Some(ns(2)));
    assert_eq!(flow(&run, "source").confirmed, 1000);
}

/// A node that answers errors at once, three times of ten: the second copy goes out with the error, not after the second that a
/// hedge waits, so 1 - 0.3^2 = 0.91 come out right with 1.3 copies each. Four standard deviations of 10 000.
#[test]
fn a_failed_copy_is_followed_at_once() {
    let run = Study::exact(
        100,
        r#"
        [clients.source]
        rate = "100/s"
        arrivals = "even"
        call = "backend"
        hedge = { delay = "1s" }
        [services.backend]
        nodes = 2
        workers = "unlimited"
        fail = 0.3
        "#,
    );
    let book = flow(&run, "source");
    assert!((ratio(book.confirmed, book.offered) - 0.91).abs() < 0.0115, "{}", book.confirmed);
    assert!((ratio(book.attempts, book.offered) - 1.3).abs() < 0.0184, "{}", book.attempts);
    assert!(book.latency.max() < Some(ms(1)));
}

/// Who is asked for a second copy is asked beside the balancer's own turns: two nodes of 100 requests a second get every other one
/// of 150, and nobody waits.
#[test]
fn the_other_copys_member_takes_no_turn() {
    let run = Study::exact(
        10,
        r#"
        [clients.source]
        rate = "150/s"
        arrivals = "even"
        call = "backend"
        hedge = { delay = "9s", tied = true }
        [services.backend]
        nodes = 2
        work = "10ms"
        "#,
    );
    assert_eq!(flow(&run, "source").confirmed, flow(&run, "source").offered);
    assert_eq!(station(&run, "backend").wait.max(), Some(ns(0)));
}

/// Four nodes that work for 10 ms can do 400 a second. What the sender's own bulkhead turned away at first has gone nowhere yet, so
/// `retry-to = "same"` does not tie it to anybody, and all four nodes get a quarter each.
#[test]
fn what_was_turned_away_at_home_is_tied_to_nobody() {
    let run = Study::exact(
        10,
        r#"
        network.latency = "1us"
        [clients.source]
        rate = "300/s"
        call = "backend"
        max-attempts = 20
        backoff = "20ms"
        retry-to = "same"
        concurrency-limit = { bulkhead = { max-concurrent-calls = 4 } }
        [services.backend]
        nodes = 4
        work = "10ms"
        "#,
    );
    let book = flow(&run, "source");
    assert!(ratio(book.confirmed, book.offered) > 0.98, "{} of {}", book.confirmed, book.offered);
}

/// What is sent without a word back is done as soon as it is gone, behind a limit of its rate as well.
#[test]
fn a_limit_and_a_balancer_count_what_is_sent_once() {
    let run = Study::exact(
        10,
        r#"
        [clients.source]
        rate = "100/s"
        arrivals = "even"
        send = "backend"
        rate-limit = { leaky-bucket = "1000/s" }
        balance = "least-requests"
        [services.backend]
        nodes = 2
        work = "1ms"
        "#,
    );
    assert_eq!(flow(&run, "source").fate(Fate::Handled), 1000);
}
