//! Patterns of messaging against theory.

use rehearsal::base::time::ms;
use rehearsal::metrics::{Fate, RunResult};
use rehearsal::process::{GuardFact, QueueFact};

use crate::common::{plan, play};
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

/// A saga of three legs that fail with 10 %, 20 % and 30 %, each answered, so that a leg that failed has nothing to be undone: 0.9 x 0.8 x 0.7
/// = 50.4 % are completed. One leg is compensated where the second fails, two where the third does: 0.9 x 0.2 + 2 x 0.9 x 0.8 x 0.3 =
/// 0.612 for each saga. Where half of the compensations fail each goes out twice on average. The disk changes none of that.
#[test]
fn legs_that_were_done_are_compensated_and_no_others() {
    for (state, undo, tries) in [
        ("\"volatile\"", "0%", 1.0),
        ("\"volatile\"", "50%", 2.0),
        ("{ durable = { fsync-time = \"1ms\" } }", "50%", 2.0),
    ] {
        let text = format!(
            "network.latency = \"1ms\"\n[clients.app]\nrate = \"200/s\"\ncall = \"trips\"\n[services.trips]\nworkers = \"unlimited\"\n\
             state = {state}\nsaga = [\n{{ call = \"a\", compensate = {{ call = \"undo\" }}, retry-every = \"20ms\" }},\n{{ call = \"b\", \
             compensate = {{ call = \"undo\" }}, retry-every = \"20ms\" }},\n{{ call = \"c\", compensate = {{ call = \"undo\" }} }}]\n\
             [services.a]\nfail = \"10%\"\n[services.b]\nfail = \"20%\"\n[services.c]\nfail = \"30%\"\n[services.undo]\nfail = \
             \"{undo}\"\n"
        );
        let study = Study::of(40, 2, &text);
        let sagas = |run: &RunResult| station(run, "trips").sagas;
        study.share("completed", 0.504, |run| sagas(run).completed as f64 / sagas(run).begun as f64);
        // The square of the number of legs is 0.9 x 0.2 + 4 x 0.216 = 1.044, its variance 0.67, so c = 0.82 / 0.612 = 1.34; and each
        // is tried 2 ± 1.41 times, which adds 1.41 / 2 / sqrt(0.612) = 0.9.
        study
            .mean("compensations", 0.612 * tries, 1.7, |run| sagas(run).compensations as f64 / sagas(run).begun as f64);
        for run in &study.runs {
            let sagas = sagas(run);
            assert_eq!((sagas.completed + sagas.compensated, sagas.half_done()), (sagas.begun, 0));
        }
    }
}

/// Three legs of 2 ms each take 6 ms, and two compensations where the third fails make 10. A disk that syncs in 3 ms is written before each
/// leg and at the end, 12 ms more, and once more for a request that was handled well: 21 and 22 ms.
#[test]
fn a_saga_takes_as_long_as_its_legs_and_its_log() {
    let durable = "{ durable = { fsync-time = \"3ms\" } }";
    for (state, third, stay) in
        [("\"volatile\"", "0%", 6.0), ("\"volatile\"", "100%", 10.0), (durable, "0%", 21.0), (durable, "100%", 22.0)]
    {
        let text = format!(
            "network.latency = \"1ms\"\n[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"trips\"\n[services.trips]\nstate \
             = {state}\nsaga = [{{ call = \"a\", compensate = {{ call = \"undo\" }} }}, {{ call = \"b\", compensate = {{ call = \"undo\" }} }}, \
             {{ call = \"c\" }}]\n[services.a]\n[services.b]\n[services.c]\nfail = \"{third}\"\n[services.undo]\n"
        );
        let run = Study::exact(10, &text);
        let (book, is_completed) = (station(&run, "trips"), third == "0%");
        let (completed, compensations) = if is_completed { (100, 0) } else { (0, 200) };
        assert_eq!((book.sagas.begun, book.sagas.completed, book.sagas.compensations), (100, completed, compensations));
        // Its worker is with a request until that is over.
        let mean = book.busy_seconds * 1e3 / 100.0;
        assert!((mean - stay).abs() < 0.001, "{mean} ms for {stay}: {state}, {third}");
    }
}

/// A client takes its request back after 5 ms, when the first leg is done and the second under way: both are compensated.
#[test]
fn what_was_done_for_a_request_that_is_taken_back_is_compensated() {
    for (state, cancel, completed) in [
        ("\"volatile\"", "running", 0),
        ("{ durable = { fsync-time = \"1ms\" } }", "running", 0),
        ("\"volatile\"", "queued", 100),
    ] {
        let text = format!(
            "[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"trips\"\ntimeout = \"5ms\"\ncancel = \"{cancel}\"\n\
             [services.trips]\nstate = {state}\nsaga = [{{ call = \"a\", compensate = {{ call = \"undo\" }} }}, {{ call = \"b\", \
             compensate = {{ call = \"undo\" }} }}]\n[services.a]\n[services.b]\nwork = \"10ms\"\n[services.undo]\n"
        );
        let sagas = station(&Study::exact(10, &text), "trips").sagas;
        let compensated = 100 - completed;
        assert_eq!(
            (sagas.completed, sagas.compensated, sagas.compensations),
            (completed, compensated, 2 * compensated)
        );
    }
}

/// A leg that is not answered in time may have been done: it is compensated. One that failed was not, however often it was tried.
#[test]
fn what_is_not_known_is_compensated() {
    for (leg, compensations) in
        [("work = \"100ms\"", 100), ("work = \"100ms\"\nqueue = { limit = 1 }", 100), ("fail = \"100%\"", 0)]
    {
        let text = format!(
            "[clients.app]\nrate = \"10/s\"\narrivals = \"even\"\ncall = \"trips\"\n[services.trips]\nsaga = [{{ call = \"slow\", timeout = \
             \"20ms\", max-attempts = 2, compensate = {{ call = \"undo\" }} }}]\n[services.undo]\n[services.slow]\nworkers = 10\n{leg}\n"
        );
        let sagas = station(&Study::exact(10, &text), "trips").sagas;
        assert_eq!(
            (sagas.begun, sagas.completed, sagas.compensated, sagas.compensations),
            (100, 0, 100, compensations)
        );
    }
}

/// What a relay that publishes to `placed` did with messages of `rate` a second, and what became of them, in `seconds` and a drain.
fn relayed(seconds: u32, rate: u32, [network, outbox, more]: [&str; 3]) -> RunResult {
    let text = format!(
        "run = {{ duration = \"{seconds}s\", drain = \"100s\" }}\nnetwork.latency = \"{network}\"\n[clients.shop]\nrate = \
         \"{rate}/s\"\narrivals = \"even\"\ncall = \"orders\"\ntimeout = \"500ms\"\n[services.orders]\nstate = {{ durable = {{ \
         fsync-time = \"1ms\" }} }}\nsteps = [{{ publish = \"placed\", {outbox} }}]\n{more}"
    );
    play(&plan(&text)).runs.remove(0)
}

/// The first node of a broker's three is down: the batch that goes there is not confirmed for 5 s, which is what the relay waits, and
/// 500 messages of 100 a second come meanwhile. After that it publishes elsewhere: 10 for each of its looks, every 100 ms.
#[test]
fn a_relay_leaves_a_member_that_does_not_answer() {
    let more = "[brokers.rabbit]\nnodes = 3\nheartbeat = \"1s\"\n[queues.placed]\ntype = \"quorum\"\n[consumers.billing]\nqueue = \
                \"placed\"\n[faults.node]\ncrash = \"rabbit[0]\"\nat = \"5s\"\nfor = \"25s\"\n";
    let run = relayed(30, 100, ["1ms", "outbox = true", more]);
    let book = flow(&run, "orders->placed");
    assert_eq!((book.offered, book.confirmed), (3_000, 3_000));
    let most = station(&run, "orders").outbox_max;
    assert!((490..=520).contains(&most), "{most}");
    // One batch was sent twice, of no more than 10 and what comes in a millisecond.
    assert!(book.attempts - book.offered <= 11, "{}", book.attempts);
}

/// The disk is full for 3 s. Rows that are confirmed and cannot be cleared are published again whenever the relay looks, once a second,
/// and not in between: 4 times, and one more at the edge. What cannot be written is not published, and nobody has lost it.
#[test]
fn a_relay_with_a_full_disk_publishes_again_at_its_next_look() {
    let more = "[queues.placed]\n[consumers.billing]\nqueue = \"placed\"\n[faults.full]\ndisk-full = \"orders\"\nat = \"5s\"\nfor = \"3s\"\n";
    let outbox = "outbox = { polling = { poll-interval = \"1s\", batch-size = 1 } }";
    for network in ["1ms", "0s"] {
        let run = relayed(20, 20, [network, outbox, more]);
        let (book, rows) = (flow(&run, "orders->placed"), u64::from(station(&run, "orders").outbox_max));
        // 20 a second wait for one second until somebody looks.
        assert!((20..=22).contains(&rows), "{rows}");
        assert!(book.repeated > 0 && book.repeated <= 5 * rows, "{}", book.repeated);
        // The requests of the 3 s, which have failed.
        assert_eq!(book.fates[Fate::Abandoned as usize], book.offered - book.confirmed);
        assert!((59..=61).contains(&(book.offered - book.confirmed)), "{:?}", book.fates);
        assert_eq!(run.queues[0].custody.lost.sum(), 0);
    }
}

/// The consumer is slower than the publisher, and 1 MiB is room for 100 messages of 10 KiB: the broker reads no more for longer than
/// the relay waits for confirms, and then what has been sent is still there. So nothing is sent twice.
#[test]
fn a_relay_that_is_blocked_sends_nothing_again() {
    let more = "[brokers.rabbit]\nheartbeat = \"1s\"\nvm-memory-high-watermark.absolute = \"1MiB\"\n[queues.placed]\n[consumers.billing]\n\
                queue = \"placed\"\nprefetch = 1\nwork = \"30ms\"\n";
    let run = relayed(30, 50, ["1ms", "outbox = true, size = \"10KiB\", timeout = \"500ms\"", more]);
    let book = flow(&run, "orders->placed");
    assert_eq!((book.offered, book.confirmed, book.attempts, book.duplicates), (1_500, 1_500, 1_500, 0));
    // It was blocked: 50 a second come, and 33 go.
    assert!(station(&run, "orders").outbox_max > 100);
}

/// No queue is bound to the exchange, and the broker returns what it cannot route. 10 rows are as many as a batch has, and the relay
/// publishes these again and again, 10 times a second; those behind them never go.
#[test]
fn a_relay_publishes_what_is_returned_for_ever() {
    let text = "network.latency = \"1ms\"\n[clients.app]\nrate = \"100/s\"\narrivals = \"even\"\ncall = \"api\"\n[services.api]\nstate \
                = \"durable\"\nsteps = [{ publish = \"news\", mandatory = true, outbox = { polling = { poll-interval = \"100ms\", \
                batch-size = 10 } } }]\n[exchanges.news]\n[queues.other]\n";
    let run = Study::exact(10, text);
    let (book, api) = (flow(&run, "api->news"), station(&run, "api"));
    assert_eq!((book.offered, book.confirmed), (1_000, 0));
    // 100 looks, the first of which may find fewer.
    assert!((980..=1_000).contains(&api.outbox_refused), "{}", api.outbox_refused);
    assert!(book.fates[Fate::InFlight as usize] > 900, "{:?}", book.fates);
}

/// A row is on disk 300 ms after it was written, and a message in a queue 300 ms after it came. Whoever is paused then has not heard of it
/// when it crashes a second later; its disk has it all the same, and so has the next life, which publishes or delivers it. Nothing is lost.
#[test]
fn what_is_synced_during_a_pause_is_not_lost_in_the_crash_that_ends_it() {
    for (victim, fsync) in [("api", "\"always\""), ("api", "{ every = \"50ms\" }"), ("rabbit", "\"always\"")] {
        let text = format!(
            "network.latency = \"1ms\"\nclients.app = {{ rate = \"100/s\", arrivals = \"even\", call = \"api\", until = \"4s\" }}\n\
             [services.api]\nworkers = \"unlimited\"\nstate = {{ durable = {{ fsync = {fsync}, fsync-time = \"300ms\" }} }}\n\
             publish = \"done\"\noutbox = true\n[brokers.rabbit]\nfsync-time = \"300ms\"\n[queues.done]\n\
             [consumers.worker]\nqueue = \"done\"\n[faults.stall]\nat = \"2s\"\nfor = \"1500ms\"\npause = \"{victim}\"\n\
             [faults.death]\nat = \"3s\"\nfor = \"1s\"\ncrash = \"{victim}\"\n"
        );
        let run = Study::exact(20, &text);
        let published = run.flows.iter().find(|flow| !flow.is_client).expect("it is there");
        let total = &published.book.total;
        assert!(total.offered >= 150, "{}", total.offered);
        assert_eq!((total.confirmed, total.confirmed_lost), (total.offered, 0), "{victim}, {fsync}");
        assert_eq!(station(&run, "api").forgotten, 0, "{victim}, {fsync}");
    }
}

/// The same at a broker whose publisher waits for nothing: what came up to the pause is in its queue afterwards, and is processed.
#[test]
fn what_a_queue_synced_during_a_pause_is_delivered_and_not_lost() {
    let text = "network.latency = \"1ms\"\nclients.app = { rate = \"100/s\", arrivals = \"even\", publish = \"done\", until = \
                \"1950ms\" }\n[brokers.rabbit]\nfsync-time = \"300ms\"\n[queues.done]\n[consumers.worker]\nqueue = \"done\"\n\
                work = \"20ms\"\nprefetch = 1\n[faults.stall]\nat = \"2s\"\nfor = \"1500ms\"\npause = \"rabbit\"\n\
                [faults.death]\nat = \"3s\"\nfor = \"1s\"\ncrash = \"rabbit\"\n";
    let run = Study::exact(20, text);
    let book = flow(&run, "app");
    assert!(book.offered >= 190, "{}", book.offered);
    assert_eq!(book.losses.as_ref().map_or(0, |losses| losses.sum()), 0);
    assert!(station(&run, "worker").served >= book.offered);
}
