//! Topics against arithmetic.

use rehearsal::metrics::{RunResult, Tally};

use crate::common::{plan, play};

fn run(text: &str) -> RunResult {
    play(&plan(text)).runs.remove(0)
}

fn tally(run: &RunResult) -> &Tally {
    &run.flows[0].book.total
}

/// Records arrive at random, 1000 a second, at one partition, and a batch waits 10 ms for more. The first of a batch waits 10 ms, and
/// the 1000 x 0.01 = 10 others 5 ms on the average: 60 / 11 = 5.4545 ms. To the leader and back it is 2 ms.
#[test]
fn a_record_waits_for_its_batch() {
    let run = run(r#"
        run = { duration = "200s", drain = "1s" }
        network.latency = "1ms"
        clients.producer = { rate = "1000/s", publish = "log", acks = 1, linger = "10ms", batch-size = "1MiB" }
        topics.log = {}
    "#);
    let mean = tally(&run).latency.mean().unwrap() / 1e6;
    // 18,000 batches: the standard error is 5 us.
    assert!((mean - 7.4545).abs() < 0.03, "{mean} ms");
}

/// With `acks = "all"` a record is acknowledged when the followers have asked for what comes after it: to the leader, to the
/// follower, and, with its next fetch, to the leader again; then back. At 1 ms each that is 4 ms instead of 2.
#[test]
fn waiting_for_all_replicas_takes_another_round_trip() {
    for (acks, millis) in [("1", 2.0), ("\"all\"", 4.0)] {
        let run = run(&format!(
            r#"
            run = {{ duration = "20s", drain = "1s" }}
            network.latency = "1ms"
            clients.producer = {{ rate = "10/s", publish = "log", acks = {acks}, linger = "0s" }}
            brokers.kafka = {{ nodes = 3 }}
            topics.log = {{ replication-factor = 3 }}
            "#
        ));
        let median = tally(&run).latency.quantile(0.5).unwrap() / 1e6;
        assert!((median - millis).abs() < 0.01, "{acks}: {median} ms");
    }
}

/// A broker that dies is found out after its session timeout; the first replica in sync takes over, and producers that ask again every
/// 100 ms find it. What is published when it dies is acknowledged 9 s later, give or take a heartbeat of 2 s and a pause of up to a second.
#[test]
fn a_dead_leader_is_replaced_after_its_session_timeout() {
    let run = run(r#"
        run = { duration = "60s", drain = "60s" }
        network.latency = "1ms"
        clients.producer = { rate = "100/s", publish = "log", linger = "0s", request-timeout = "1s" }
        brokers.kafka = { nodes = 3 }
        topics.log = { replication-factor = 3, min-insync-replicas = 2 }
        faults.death = { at = "20s", crash = "log#0[leader]" }
    "#);
    let worst = tally(&run).latency.max().unwrap().as_secs_f64();
    assert!((7.0..11.2).contains(&worst), "{worst} s");
    assert_eq!(tally(&run).confirmed, tally(&run).offered);
}

/// A member that crashes is missed for as long as its session lasts; then the other one reads its partitions as well. Half the records
/// of that time wait: at 100 a second and 10 s some 500 at most, up to a heartbeat of 1 s fewer.
#[test]
fn the_partitions_of_a_dead_member_rest_for_a_session_timeout() {
    let run = run(r#"
        run = { duration = "60s", drain = "20s" }
        network.latency = "1ms"
        clients.producer = { rate = "100/s", publish = "log" , partitioner = "round-robin", linger = "0s" }
        topics.log = { partitions = 2 }
        faults.death = { at = "20s", crash = "readers[0]" }
        [consumers.readers]
        nodes = 2
        topics = ["log"]
        auto-offset-reset = "earliest"
        session-timeout = "10s"
        heartbeat-interval = "1s"
        work = "100us"
    "#);
    let lag = run.readers[0].book.lag_max;
    assert!((430..=560).contains(&lag), "{lag}");
    assert_eq!(run.readers[0].book.of(rehearsal::process::GroupFact::Rebalances), 2);
}
