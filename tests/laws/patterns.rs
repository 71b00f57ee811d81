//! What patterns of messaging promise, over seeds and under crashes; and what they do not.

use rehearsal::metrics::{Fate, RunResult, Tally};
use rehearsal::process::Loss;

use crate::common::{plan, play};

fn runs(text: &str) -> Vec<RunResult> {
    play(&plan(text)).runs
}

fn sum(runs: &[RunResult], part: impl Fn(&Tally) -> u64) -> u64 {
    runs.iter().map(|run| part(&run.flows[0].book.total)).sum()
}

fn requests(more: &str) -> Vec<RunResult> {
    runs(&format!(
        r#"
        run = {{ duration = "30s", drain = "60s", runs = 10 }}
        network.latency = {{ exponential = "2ms" }}
        [clients.app]
        rate = "100/s"
        call = "jobs"
        [queues.jobs]
        [consumers.worker]
        nodes = 2
        queue = "jobs"
        work = {{ exponential = "12ms" }}
        {more}
        "#
    ))
}

/// Workers crash, and what they held goes to others: every request is answered. Some are processed twice, for a worker may crash
/// between its reply and the acknowledgement's arrival; the second reply is nobody's.
#[test]
fn a_request_outlives_its_worker_and_may_be_processed_twice() {
    let crash = "[faults.pods]\ncrash = \"worker[any 1]\"\nevery = { exponential = \"2s\" }\nfor = \"500ms\"\n";
    for queue in ["", "[brokers.rabbit]\nnodes = 3\n"] {
        let all = requests(&format!("{crash}{queue}"));
        let offered = sum(&all, |book| book.offered);
        assert!(offered > 25_000, "{offered}");
        assert_eq!(sum(&all, |book| book.confirmed), offered);
        assert!(sum(&all, |book| book.duplicates) > 0, "crashes made copies");
    }
}

/// The node that a request was published to crashes: the request is on its disk and is processed after that, and its reply has
/// nowhere to go.
#[test]
fn a_reply_is_lost_with_the_connection_of_its_requester() {
    let crash = "[faults.node]\ncrash = \"broker\"\nat = \"15s\"\nfor = \"1s\"\n[policies.default]\ntimeout = \"5s\"\n";
    let all = requests(crash);
    for run in &all {
        let book = &run.flows[0].book.total;
        let fate = |fate: Fate| book.fates[fate as usize];
        assert!(book.confirmed < book.offered && fate(Fate::InDoubt) > 0, "{:?}", book.fates);
        assert_eq!(book.confirmed_lost, 0);
    }
}

/// Orders that are written and answered at once, events that are published afterwards, and crashes of the service, mostly while the
/// broker is down.
fn orders(state: &str, publish: &str, broker: &str, consumer: &str) -> Vec<RunResult> {
    runs(&format!(
        r#"
        run = {{ duration = "30s", drain = "60s", runs = 10 }}
        network.latency = "1ms"
        [clients.shop]
        rate = "100/s"
        call = "orders"
        timeout = "500ms"
        [services.orders]
        nodes = 2
        state = {state}
        steps = [{{ work = "1ms" }}, {{ publish = "placed", {publish} }}]
        [brokers.rabbit]
        {broker}
        [consumers.billing]
        {consumer}
        [faults.broker-crash]
        crash = "rabbit"
        every = {{ exponential = "5s" }}
        for = "2s"
        [faults.service-crash]
        crash = "orders[any 1]"
        every = {{ exponential = "2s" }}
        for = "100ms"
        "#
    ))
}

const DURABLE: &str = "{ durable = { fsync-time = \"1ms\" } }";
const QUEUE: [&str; 2] = ["heartbeat = \"1s\"\nfsync-time = \"1ms\"\n[queues.placed]\n", "queue = \"placed\"\n"];
const TOPIC: [&str; 2] =
    ["[topics.placed]\npartitions = 2\n", "topics = \"placed\"\nauto-offset-reset = \"earliest\"\n"];

/// Requests that were answered, and messages that were processed, of each run.
fn answered_and_processed(runs: &[RunResult]) -> Vec<(u64, u64)> {
    let flow = |run: &RunResult, is_client: bool| {
        let flow = run.flows.iter().find(|flow| flow.is_client == is_client).expect("there is one of each");
        flow.book.total.clone()
    };
    runs.iter().map(|run| (flow(run, true).confirmed, flow(run, false).handled)).collect()
}

/// With an outbox every order that was answered has its event, whatever crashes: whoever publishes it. Some events come twice.
#[test]
fn an_outbox_loses_no_message_of_a_request_that_was_answered() {
    for ([broker, consumer], timeout) in [(QUEUE, ", timeout = \"500ms\""), (TOPIC, "")] {
        for outbox in ["outbox = true", "outbox = { polling = { poll-interval = \"20ms\", batch-size = 1 } }"] {
            let publish = &format!("{outbox}{timeout}");
            let all = orders(DURABLE, publish, broker, consumer);
            for (answered, processed) in answered_and_processed(&all) {
                assert!(
                    answered > 2_000 && processed >= answered,
                    "{answered} answered, {processed} processed: {publish}"
                );
            }
            assert!(all.iter().flat_map(|run| &run.queues).all(|queue| queue.custody.lost.sum() == 0), "{broker}");
            let repeated: u64 = all.iter().flat_map(|run| &run.flows).map(|flow| flow.book.total.repeated).sum();
            assert!(repeated > 0, "confirms are lost, so some come twice: {broker}");
        }
    }
}

/// Written and answered, and published without an outbox: what was not confirmed when the service crashed is gone, though the caller
/// has its answer.
#[test]
fn without_an_outbox_messages_of_answered_requests_are_lost() {
    let [broker, consumer] = QUEUE;
    let publish =
        "confirm = true, wait = false, timeout = \"500ms\", max-attempts = \"unlimited\", backoff = \"100ms\"";
    let all = orders(DURABLE, publish, broker, consumer);
    let missing: u64 =
        answered_and_processed(&all).iter().map(|(answered, processed)| answered.saturating_sub(*processed)).sum();
    assert!(missing > 100, "{missing}");
    // It was for the queue, which states why it has not got it.
    let lost = |why| all.iter().map(|run| run.queues[0].custody.lost.of(why)).sum::<u64>();
    assert!(lost(Loss::Publisher) >= missing, "{missing} missing, {} lost", lost(Loss::Publisher));
    assert_eq!(all.iter().map(|run| run.queues[0].custody.lost.sum()).sum::<u64>(), lost(Loss::Publisher));
}

/// A disk that syncs now and then takes rows along when it crashes.
#[test]
fn an_outbox_is_as_safe_as_its_disk() {
    let [broker, consumer] = QUEUE;
    let state = "{ durable = { fsync = { every = \"500ms\" } } }";
    let all = orders(state, "outbox = true", broker, consumer);
    let missing: u64 =
        answered_and_processed(&all).iter().map(|(answered, processed)| answered.saturating_sub(*processed)).sum();
    assert!(missing > 0, "{missing}");
}

/// Trips that are booked leg by leg by a coordinator that crashes now and then, and so do those that it books at.
fn trips(state: &str) -> Vec<RunResult> {
    runs(&format!(
        r#"
        run = {{ duration = "30s", drain = "60s", runs = 10 }}
        network.latency = {{ exponential = "2ms" }}
        [policies.default]
        timeout = "100ms"
        [clients.app]
        rate = "100/s"
        until = "20s"
        call = "trips"
        [services.trips]
        nodes = 2
        workers = "unlimited"
        state = {state}
        saga = [
          {{ call = "flights", compensate = {{ call = "refunds" }}, retry-every = "200ms" }},
          {{ call = "hotels", compensate = {{ call = "hotel-refunds" }}, retry-every = "200ms" }},
          {{ call = "cars" }},
        ]
        [services.flights]
        work = {{ exponential = "1ms" }}
        [services.hotels]
        work = {{ exponential = "3ms" }}
        [services.cars]
        fail = "20%"
        [services.refunds]
        fail = "30%"
        [services.hotel-refunds]
        [faults.coordinator]
        crash = "trips[any 1]"
        every = {{ exponential = "1s" }}
        for = "100ms"
        [faults.hotel]
        crash = "hotels"
        every = {{ exponential = "5s" }}
        for = "300ms"
        "#
    ))
}

/// Of each run: sagas that are half done, as the coordinator says; and bookings that belong to no saga that is completed and that nobody
/// has undone, as those say who were asked.
fn half_done_and_left(runs: &[RunResult]) -> Vec<(u64, u64)> {
    let handled = |run: &RunResult, callee: &str| {
        let flow = run.flows.iter().find(|flow| flow.callee == callee).expect("it is there");
        flow.book.total.handled
    };
    let of_run = |run: &RunResult| {
        let sagas =
            run.stations.iter().map(|station| station.book.sagas).find(|sagas| sagas.begun > 0).expect("there is one");
        assert!(sagas.begun > 1_500 && sagas.completed > 1_000 && sagas.compensated > 200, "{sagas:?}");
        let undone = handled(run, "refunds") + sagas.completed;
        (sagas.half_done(), handled(run, "flights").saturating_sub(undone))
    };
    runs.iter().map(of_run).collect()
}

/// A coordinator that logs each leg before it goes out leaves nothing half done, whatever crashes: every booking belongs to a saga that is
/// completed, or was undone.
#[test]
fn a_durable_coordinator_leaves_no_saga_half_done() {
    let torn = "{ durable = { fsync-time = \"1ms\", write-time = \"1ms\", torn-writes = \"100%\" } }";
    for state in [DURABLE, torn] {
        for run in half_done_and_left(&trips(state)) {
            assert_eq!(run, (0, 0), "{state}");
        }
    }
}

/// One that keeps its sagas in memory forgets them: bookings stay that nobody wants.
#[test]
fn a_volatile_coordinator_leaves_sagas_half_done() {
    for state in ["\"volatile\"", "{ durable = { fsync = { every = \"500ms\" } } }"] {
        let all = half_done_and_left(&trips(state));
        let (half_done, left) = all.iter().fold((0, 0), |sum, run| (sum.0 + run.0, sum.1 + run.1));
        assert!(half_done > 20, "{half_done} half done, {left} left: {state}");
        assert!(left > 20 || state.contains("every"), "{half_done} half done, {left} left: {state}");
    }
}
