//! Patterns of messaging against theory.

use rehearsal::base::time::ms;
use rehearsal::process::{GuardFact, QueueFact};

use crate::study::{Study, flow, mean_ms, station};

/// A worker that takes 1 ms, exponentially, and is busy for half of the time: whoever asks it through a queue, where nothing else
/// takes any time, has its reply after 1 ms / (1 - 0.5) = 2 ms (M/M/1), as whoever asks it directly.
#[test]
fn a_request_through_a_queue_takes_as_long_as_a_direct_one() {
    for callee in [
        "call = \"jobs\"\n[queues.jobs]\n[consumers.worker]\nqueue = \"jobs\"\nprefetch = 1\n",
        "call = \"jobs\"\n[queues.jobs]\n[consumers.worker]\nqueue = \"jobs\"\n",
        "call = \"worker\"\n[services.worker]\n",
    ] {
        let text = format!("[clients.app]\nrate = \"500/s\"\n{callee}work = {{ exponential = \"1ms\" }}\n");
        let study = Study::of(40, 2, &text);
        study.mean("W", 2.0, 4.0, |run| mean_ms(&flow(run, "app").latency));
        for run in &study.runs {
            let book = flow(run, "app");
            assert_eq!((book.confirmed, book.copies, book.repeated), (book.offered, book.offered, 0));
        }
    }
}

/// Four ways of 1 ms, to the broker, to the worker and back by both, and 5 ms of work: 9 ms. Of a broker's three nodes
/// one has the queue; what comes to another is passed on, and so is its reply: 2 ms more.
#[test]
fn a_reply_comes_back_through_the_broker() {
    let text = |nodes: u32| {
        format!(
            "network.latency = \"1ms\"\nbrokers.rabbit.nodes = {nodes}\n[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\n\
             call = \"jobs\"\n[queues.jobs]\n[consumers.worker]\nqueue = \"jobs\"\nwork = \"5ms\"\n"
        )
    };
    let latency = |nodes: u32| {
        let run = Study::exact(10, &text(nodes));
        let book = flow(&run, "app");
        assert_eq!((book.offered, book.confirmed), (100, 100));
        let [min, max] = [book.latency.min(), book.latency.max()].map(|time| time.expect("there are some").as_nanos());
        (min / 1000 * 1000, max / 1000 * 1000)
    };
    assert_eq!(latency(1), (ms(9).as_nanos(), ms(9).as_nanos()));
    assert_eq!(latency(3), (ms(9).as_nanos(), ms(11).as_nanos()));
}

/// A worker asks another through a second queue before it replies: four ways for its own request, four for the other's, and 3 ms
/// and 4 ms of work make 15 ms.
#[test]
fn a_consumer_may_ask_another_through_a_queue() {
    let text = "network.latency = \"1ms\"\n[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"orders\"\n[queues.orders]\n\
                [queues.stock]\n[consumers.seller]\nqueue = \"orders\"\nsteps = [{ work = \"3ms\" }, { call = \"stock\" }]\n\
                [consumers.keeper]\nqueue = \"stock\"\nwork = \"4ms\"\n";
    let run = Study::exact(10, text);
    let book = flow(&run, "app");
    assert_eq!((book.offered, book.confirmed), (100, 100));
    assert_eq!(book.latency.max().expect("there are some").as_nanos() / 1000 * 1000, ms(15).as_nanos());
}

/// A worker that fails every second time and rejects for good: its caller hears nothing, and asks once more after 50 ms. A quarter
/// of the requests is not answered at all, half at once and a quarter by the second attempt; 1.5 attempts each.
#[test]
fn what_fails_has_no_reply_and_its_caller_times_out() {
    let text = "[clients.app]\nrate = \"200/s\"\ncall = \"jobs\"\ntimeout = \"50ms\"\nmax-attempts = 2\n[queues.jobs]\n\
                [consumers.worker]\nworkers = \"unlimited\"\nqueue = \"jobs\"\nrequeue = false\nsteps = [{ work = \"1ms\" }, { fail \
                = \"50%\" }]\n";
    let study = Study::of(40, 2, text);
    study.mean("answered", 0.75, 1.0, |run| {
        let book = flow(run, "app");
        book.confirmed as f64 / book.offered as f64
    });
    study.mean("attempts", 1.5, 1.0, |run| {
        let book = flow(run, "app");
        book.attempts as f64 / book.offered as f64
    });
    // 2/3 of what is answered takes 1 ms, 1/3 takes 51 ms.
    study.mean("latency", 1.0 + 50.0 / 3.0, 3.0, |run| mean_ms(&flow(run, "app").latency));
}

/// Rejected back to the queue, a request is processed until it ends well: 1 / (1 - 0.5) = 2 times on average, 1 ms each.
#[test]
fn what_is_requeued_is_replied_to_in_the_end() {
    let text = "[clients.app]\nrate = \"100/s\"\ncall = \"jobs\"\n[queues.jobs]\n[consumers.worker]\nworkers = \"unlimited\"\n\
                queue = \"jobs\"\nsteps = [{ work = \"1ms\" }, { fail = \"50%\" }]\n";
    let study = Study::of(40, 2, text);
    study.mean("latency", 2.0, 2.0, |run| mean_ms(&flow(run, "app").latency));
    for run in &study.runs {
        let book = flow(run, "app");
        assert_eq!((book.offered, book.attempts), (book.confirmed, book.confirmed));
        let queue = &run.queues[0].book;
        // What is under way when the measured time begins and ends is all that is between them.
        assert!(queue.of(QueueFact::Acknowledged).abs_diff(queue.of(QueueFact::Published)) < 10);
    }
}

/// An exchange without a binding for it: a mandatory request fails when the broker says so, after the way there and back; any other
/// waits for its reply in vain, 50 ms.
#[test]
fn a_mandatory_request_that_no_queue_takes_fails_at_once() {
    for (mandatory, timeouts) in [(true, 0), (false, 100)] {
        let text = format!(
            "network.latency = \"1ms\"\n[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"desk\"\nrouting-key = \
             \"b\"\nmandatory = {mandatory}\ntimeout = \"50ms\"\n[queues.jobs]\n[exchanges.desk]\nbindings.jobs = \"a\"\n\
             [consumers.worker]\nqueue = \"jobs\"\n"
        );
        let run = Study::exact(10, &text);
        let book = flow(&run, "app");
        assert_eq!((book.offered, book.confirmed), (100, 0));
        assert_eq!(run.flows[0].book.guards_within(&[run.measured]).of(GuardFact::TimedOut), timeouts);
    }
}

/// A relay that looks every 100 ms finds a row that is there since a uniform time: 50 ms on average, and 2 ms for the way to the broker
/// and back make 52. The step itself takes what the disk takes, 3 ms.
#[test]
fn a_message_waits_in_the_outbox_for_half_of_the_interval() {
    let text = "network.latency = \"1ms\"\n[clients.app]\nrate = \"200/s\"\ncall = \"api\"\n[services.api]\nworkers = \
                \"unlimited\"\nstate = { durable = { fsync-time = \"3ms\" } }\npublish = \"done\"\noutbox = true\n[queues.done]\n\
                [consumers.worker]\nqueue = \"done\"\n";
    let study = Study::of(40, 2, text);
    study.mean("depth", 200.0 * 0.052, 4.0, |run| station(run, "api").outbox_mean());
    for run in &study.runs {
        let published = run.flows.iter().find(|flow| !flow.is_client).expect("it is there");
        let total = &published.book.total;
        assert_eq!((total.confirmed, total.repeated), (total.offered, 0));
        let mean = mean_ms(&total.latency);
        // A row is written when its request has it, and may wait for a sync that is under way: 3 to 6 ms before that.
        assert!((55.0..=58.0).contains(&mean), "{mean}");
    }
}
