//! What patterns of messaging promise, over seeds and under crashes; and what they do not.

use rehearsal::metrics::{RunResult, Tally};

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
        let fate = |fate: rehearsal::metrics::Fate| book.fates[fate as usize];
        assert!(book.confirmed < book.offered && fate(rehearsal::metrics::Fate::InDoubt) > 0, "{:?}", book.fates);
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
