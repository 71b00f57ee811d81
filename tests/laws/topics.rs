//! What a topic promises, over seeds and under faults of every kind; and what it does not.

use rehearsal::metrics::{RunResult, Tally};
use rehearsal::process::{GroupFact, TopicFact};

use crate::common::{plan, play};

/// A topic of six partitions on three brokers, and whatever is written about it, its producers, its readers, and faults.
fn runs(seeds: u32, topic: &str, producer: &str, reader: &str, faults: &str) -> Vec<RunResult> {
    let text = format!(
        r#"
        run = {{ duration = "60s", drain = "200s", runs = {seeds} }}
        network.latency = {{ exponential = "2ms" }}
        brokers.kafka = {{ nodes = 3, broker-session-timeout = "3s", broker-heartbeat-interval = "500ms" }}
        {faults}
        [clients.producer]
        nodes = 2
        rate = "200/s"
        publish = "payments"
        size = "500B"
        key = {{ uniform = 1000 }}
        request-timeout = "3s"
        delivery-timeout = "1h"
        {producer}
        [topics.payments]
        partitions = 6
        replica-lag-time-max = "4s"
        {topic}
        [consumers.ledger]
        nodes = 3
        topics = ["payments"]
        auto-offset-reset = "earliest"
        session-timeout = "6s"
        heartbeat-interval = "1s"
        {reader}
        "#
    );
    play(&plan(&text)).runs
}

const REPLICATED: &str = "replication-factor = 3\nmin-insync-replicas = 2";
const WORK: &str = "work = \"1ms\"";

/// Crashes, partitions and pauses of brokers, one at a time or at the same time; and a network that loses and doubles.
const BROKERS_FAIL: &str = r#"
    faults.crashes = { crash = "kafka[any 1]", every = { exponential = "15s" }, for = { exponential = "4s" } }
    faults.cut = { isolate = "kafka[any 1]", every = { exponential = "30s" }, for = { exponential = "4s" } }
    faults.nap = { pause = "kafka[any 1]", every = { exponential = "30s" }, for = { exponential = "4s" } }
    faults.double = { duplicate = { share = "5%" }, at = "0s" }
    faults.lose = { loss = { share = "1%" }, at = "0s", for = "60s" }
"#;

/// Members of the group crash and are paused.
const READERS_FAIL: &str = r#"
    faults.pods = { crash = "ledger[any 1]", every = { exponential = "10s" }, for = { exponential = "3s" } }
    faults.sleep = { pause = "ledger[any 1]", every = { exponential = "20s" }, for = { exponential = "8s" } }
"#;

fn sum(runs: &[RunResult], part: impl Fn(&Tally) -> u64) -> u64 {
    runs.iter().map(|run| part(&run.flows[0].book.total)).sum()
}

fn fact(runs: &[RunResult], fact: TopicFact) -> u64 {
    runs.iter().map(|run| run.topics[0].book.of(fact)).sum()
}

/// With `acks = "all"` and two of three replicas in sync, everything is acknowledged in the end, nothing that is acknowledged is lost,
/// and the group processes every record, whichever brokers and members fail.
#[test]
fn what_all_in_sync_replicas_have_is_never_lost() {
    let faults = format!("{BROKERS_FAIL}{READERS_FAIL}");
    let runs = runs(12, REPLICATED, "", WORK, &faults);
    let offered = sum(&runs, |book| book.offered);
    assert!(offered > 140_000, "{offered}");
    assert_eq!(sum(&runs, |book| book.confirmed), offered);
    assert_eq!(sum(&runs, |book| book.confirmed_lost), 0);
    assert_eq!(sum(&runs, |book| book.handled), offered, "no record is skipped");
    assert!(fact(&runs, TopicFact::Elections) > 100 && fact(&runs, TopicFact::IsrShrinks) > 100);
    let lost = [TopicFact::LostLeaderOnly, TopicFact::LostUnclean, TopicFact::LostNeverAcknowledged];
    assert_eq!(lost.map(|lost| fact(&runs, lost)), [0; 3]);
}

/// Each of these takes one promise away, and records are lost for the reason that is said: records that were acknowledged, or of which
/// the producer believes that they are written, and those that consumers have seen.
#[test]
fn each_promise_is_needed() {
    let many_fail = r#"
        faults.two = { crash = "kafka[any 2]", every = { exponential = "10s" }, for = { exponential = "8s" } }
        faults.one = { crash = "kafka[any 1]", every = { exponential = "10s" }, for = { exponential = "8s" } }
    "#;
    let unclean = "replication-factor = 3\nunclean-leader-election-enable = true";
    for (topic, producer, faults, reason) in [
        (REPLICATED, "acks = 1", BROKERS_FAIL, TopicFact::LostLeaderOnly),
        (REPLICATED, "acks = 0", BROKERS_FAIL, TopicFact::LostNeverAcknowledged),
        (unclean, "", many_fail, TopicFact::LostUnclean),
    ] {
        let runs = runs(6, topic, producer, WORK, faults);
        assert!(fact(&runs, reason) > 0, "{producer} {topic}");
        let lost = match reason {
            TopicFact::LostLeaderOnly => sum(&runs, |book| book.confirmed_lost),
            TopicFact::LostNeverAcknowledged => sum(&runs, |book| book.offered - book.handled),
            // All of it had been read: what the group has processed is no longer there.
            _ => fact(&runs, TopicFact::UncleanElections),
        };
        assert!(lost > 0, "{producer} {topic}");
    }
}

/// Brokers recognise what an idempotent producer sends again: a group whose members stay alive processes every record once. Without
/// idempotence, records whose acknowledgement was lost are written twice.
#[test]
fn idempotent_producers_write_once() {
    let repeated = |producer: &str| {
        let runs = runs(6, REPLICATED, producer, WORK, BROKERS_FAIL);
        assert_eq!(sum(&runs, |book| book.handled), sum(&runs, |book| book.offered));
        (sum(&runs, |book| book.repeated), fact(&runs, TopicFact::Deduplicated))
    };
    let (repeated_once, recognised) = repeated("");
    assert_eq!(repeated_once, 0);
    assert!(recognised > 100, "{recognised}");
    assert!(repeated("enable-idempotence = false").0 > 100);
}

/// Whoever assigns, however members come and go, no record is skipped; and what a member had not committed is read again.
#[test]
fn groups_skip_nothing() {
    for strategy in ["range", "round-robin", "sticky", "cooperative-sticky"] {
        for more in ["", "static-membership = true"] {
            let reader = format!("{WORK}\npartition-assignment-strategy = \"{strategy}\"\n{more}");
            let runs = runs(3, REPLICATED, "", &reader, READERS_FAIL);
            assert_eq!(sum(&runs, |book| book.handled), sum(&runs, |book| book.offered), "{reader}");
            assert!(sum(&runs, |book| book.repeated) > 0, "{reader}");
        }
    }
}

/// Who commits before processing loses what it had not processed when it crashed, and reads nothing twice; who commits after
/// processing reads again, and loses nothing. Auto-commit commits what earlier polls returned, which were processed.
#[test]
fn what_is_committed_when_decides_between_loss_and_duplicates() {
    let reader = |more: &str| format!("work = \"12ms\"\nmax-poll-records = 50\n{more}");
    let faults = "faults.pods = { crash = \"ledger[any 1]\", every = { exponential = \"10s\" }, for = \"3s\" }";
    let of = |more: &str| {
        let runs = runs(6, REPLICATED, "", &reader(more), faults);
        (sum(&runs, |book| book.offered) - sum(&runs, |book| book.handled), sum(&runs, |book| book.repeated))
    };
    let manual = "enable-auto-commit = false\ncommit-point = ";
    let (lost, repeated) = of(&format!("{manual}\"before-processing\""));
    assert!(lost > 0 && repeated == 0, "{lost} {repeated}");
    let (lost, repeated) = of(&format!("{manual}\"after-processing\""));
    assert!(lost == 0 && repeated > 0, "{lost} {repeated}");
    let (lost, many) = of("");
    assert!(lost == 0 && many > repeated, "it commits every 5 s, not after each poll: {lost} {many}, {repeated}");
}

/// Consume, process, produce in transactions: whatever fails, readers of committed records see one result of each record. Without, some
/// are processed again, and there are more results than records.
#[test]
fn a_transactional_pipeline_is_exactly_once() {
    let results = |guarantee: &str, seeds: u32| {
        let text = format!(
            r#"
            run = {{ duration = "60s", drain = "300s", runs = {seeds} }}
            network.latency = {{ exponential = "2ms" }}
            brokers.kafka = {{ nodes = 3, broker-session-timeout = "3s", broker-heartbeat-interval = "500ms" }}
            faults.crashes = {{ crash = "kafka[any 1]", every = {{ exponential = "25s" }}, for = {{ exponential = "4s" }} }}
            faults.pods = {{ crash = "billing[any 1]", every = {{ exponential = "10s" }}, for = {{ exponential = "3s" }} }}
            faults.lose = {{ loss = {{ share = "0.2%" }}, at = "0s" }}
            policies.default = {{ request-timeout = "3s", delivery-timeout = "1h" }}
            clients.shop = {{ rate = "100/s", until = "30s", publish = "orders", size = "500B" }}
            topics.orders = {{ partitions = 4, replication-factor = 3, min-insync-replicas = 2 }}
            topics.invoices = {{ partitions = 4, replication-factor = 3, min-insync-replicas = 2 }}
            [consumers.billing]
            nodes = 2
            topics = ["orders"]
            auto-offset-reset = "earliest"
            session-timeout = "6s"
            heartbeat-interval = "1s"
            processing-guarantee = "{guarantee}"
            steps = [{{ work = "1ms" }}, {{ publish = "invoices", wait = false }}]
            [consumers.ledger]
            topics = ["invoices"]
            auto-offset-reset = "earliest"
            isolation-level = "read-committed"
            work = "100us"
            "#
        );
        let runs = play(&plan(&text)).runs;
        let of = |callee: &str, part: &dyn Fn(&Tally) -> u64| -> u64 {
            let flows = runs.iter().flat_map(|run| run.flows.iter().filter(|flow| flow.callee == callee));
            flows.map(|flow| part(&flow.book.total)).sum()
        };
        let again: u64 = runs.iter().flat_map(|run| &run.readers).map(|group| group.book.of(GroupFact::Reread)).sum();
        let orders = of("orders", &|book| book.offered);
        (orders, of("invoices", &|book| book.handled + book.repeated), again)
    };
    let (orders, invoices, again) = results("exactly-once-v2", 10);
    assert!(orders > 28_000 && again > 300, "{orders} {again}");
    assert_eq!(invoices, orders);
    let (orders, invoices, _) = results("at-least-once", 4);
    assert!(invoices > orders, "{invoices} {orders}");
}
