//! Topics against arithmetic.

use rehearsal::metrics::{RunResult, Tally};
use rehearsal::process::Loss;

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
        run = { duration = "60s", warmup = "15s", drain = "20s" }
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
        auto-commit-interval = "100ms"
        work = "100us"
    "#);
    let lag = run.readers[0].book.lag_max;
    assert!((430..=560).contains(&lag), "{lag}");
    assert_eq!(run.readers[0].book.of(rehearsal::process::GroupFact::Rebalances), 1);
}

/// One partition, 800 records a second at even intervals, 1000 a second processed. The reader dies; its session lasts 45 s more, in
/// which 36,000 records come. The other member takes over, and catches up with 200 a second: 180 s.
#[test]
fn a_group_that_lost_its_reader_catches_up_as_fast_as_it_has_room() {
    let run = run(r#"
        run = { duration = "300s", warmup = "15s", drain = "10s" }
        network.latency = "1ms"
        clients.producer = { rate = "800/s", arrivals = "even", publish = "log", linger = "0s" }
        topics.log = {}
        faults.death = { at = "30s", crash = "readers[0]" }
        [consumers.readers]
        nodes = 2
        topics = ["log"]
        auto-offset-reset = "earliest"
        auto-commit-interval = "100ms"
        work = "1ms"
    "#);
    let book = &run.readers[0].book;
    // A heartbeat up to 3 s old takes as much off, and the new generation waits for a heartbeat of the other member, up to 3 s.
    let peak = book.lag_max as f64;
    assert!((36_000.0 - 2400.0..36_000.0 + 2800.0).contains(&peak), "{peak}");
    // A triangle: it rises for 45 s and falls for 180 s. Its area is 36,000 x 225 / 2 record seconds, of 285 s measured.
    let mean = book.lag_mean();
    let expected = peak * (peak / 800.0 + peak / 200.0) / 2.0 / 285.0;
    assert!((mean / expected - 1.0).abs() < 0.02, "{mean} {expected}");
}

/// 500 records a second at even intervals, committed every 5 s: a member that crashes at any time, and comes back, processes 0 to 2500 of
/// them again, 1250 on the average.
#[test]
fn what_was_not_committed_is_processed_again() {
    let runs = play(&plan(
        r#"
        run = { duration = "60s", drain = "60s", runs = 60 }
        network.latency = "1ms"
        clients.producer = { rate = "500/s", arrivals = "even", publish = "log", linger = "0s" }
        topics.log = {}
        faults.death = { at = { uniform = ["30s", "35s"] }, for = "100ms", crash = "reader" }
        [consumers.reader]
        topics = ["log"]
        auto-offset-reset = "earliest"
        session-timeout = "6s"
        work = "100us"
        "#,
    ))
    .runs;
    let again: u64 = runs.iter().map(|run| tally(run).repeated).sum();
    let mean = again as f64 / 60.0;
    // The standard deviation of a uniform number up to 2500 is 722; of the mean of 60, 93.
    assert!((mean - 1250.0).abs() < 370.0, "{mean}");
    assert!(runs.iter().all(|run| tally(run).handled == tally(run).offered), "nothing is lost");
}

/// The mirror image: polls of 2500 records, each committed before its records are processed, which takes 5 s. A member that crashes
/// at any time, and comes back, has lost 0 to 2500 of them, 1250 on the average, and processes none again.
#[test]
fn what_was_committed_and_not_processed_is_lost() {
    let runs = play(&plan(
        r#"
        run = { duration = "4s", drain = "60s", runs = 60 }
        network.latency = "1us"
        clients.producer = { rate = "3000/s", arrivals = "even", publish = "log", linger = "0s", size = "10B" }
        topics.log = {}
        faults.death = { at = { uniform = ["12s", "17s"] }, for = "100ms", crash = "reader" }
        [consumers.reader]
        topics = ["log"]
        auto-offset-reset = "earliest"
        session-timeout = "6s"
        enable-auto-commit = false
        commit-point = "before-processing"
        max-poll-records = 2500
        max-partition-fetch-bytes = "50MiB"
        work = "2ms"
        "#,
    ))
    .runs;
    let lost: u64 = runs.iter().map(|run| run.readers[0].custody.lost.of(Loss::CommittedEarly)).sum();
    let mean = lost as f64 / 60.0;
    // As above.
    assert!((mean - 1250.0).abs() < 370.0, "{mean}");
    for run in &runs {
        let custody = &run.readers[0].custody;
        assert_eq!((custody.repeated, custody.lost.sum()), (0, custody.lost.of(Loss::CommittedEarly)));
        assert_eq!(tally(run).losses.as_ref().map(|losses| losses.of(Loss::CommittedEarly)), Some(custody.lost.sum()));
    }
}

/// 100 records a second; the group is there after 10 s, and begins with what comes then, or with the first: of 2000 records it
/// passes over 1000, or none.
#[test]
fn a_group_that_begins_with_the_latest_record_loses_those_before() {
    for (reset, expected) in [("latest", 1000), ("earliest", 0)] {
        let run = run(&format!(
            r#"
            run = {{ duration = "20s", drain = "10s" }}
            network.latency = "1ms"
            clients.producer = {{ rate = "100/s", arrivals = "even", publish = "log", linger = "0s" }}
            brokers.kafka = {{ group-initial-rebalance-delay = "0s" }}
            topics.log = {{}}
            faults.night = {{ at = "0s", for = "10s", pause = "reader" }}
            consumers.reader = {{ topics = ["log"], auto-offset-reset = "{reset}" }}
            "#
        ));
        let custody = &run.readers[0].custody;
        assert!(custody.lost.of(Loss::Reset).abs_diff(expected) <= 2, "{:?}", custody.lost);
        assert_eq!(custody.lost.sum() + custody.processed, 2000);
    }
}

/// 100 records a second of 1000 bytes, kept for 5 s, which is looked at every second: a group that is away for the first 20 s finds 5 s,
/// give or take that second and a segment of 10 records.
#[test]
fn what_is_deleted_before_it_is_read_is_lost_by_retention() {
    let run = run(r#"
        run = { duration = "30s", drain = "10s" }
        network.latency = "1ms"
        clients.producer = { rate = "100/s", arrivals = "even", publish = "log", linger = "0s", size = "1000B" }
        brokers.kafka = { nodes = 3, log-retention-check-interval = "1s" }
        topics.log = { replication-factor = 3, retention-time = "5s", segment-bytes = "10610B" }
        faults.night = { at = "0s", for = "20s", pause = "reader" }
        consumers.reader = { topics = ["log"], auto-offset-reset = "earliest" }
    "#);
    let custody = &run.readers[0].custody;
    let lost = custody.lost.of(Loss::Retention);
    assert!((1380..=1520).contains(&lost), "{lost}");
    assert_eq!((custody.lost.sum(), custody.confirmed_lost.sum(), lost + custody.processed), (lost, lost, 3000));
}

/// A quarter of the records fail, and the group goes on behind them, as topics have no dead letters: of 1000, which are independent, 250
/// are lost, with a standard deviation of 13.7. In a transaction they are read again until they do not fail.
#[test]
fn what_a_consumer_fails_at_is_lost_unless_it_is_read_again() {
    for (guarantee, expected) in [("at-least-once", 250), ("exactly-once-v2", 0)] {
        let run = run(&format!(
            r#"
            run = {{ duration = "10s", drain = "60s" }}
            clients.producer = {{ rate = "100/s", arrivals = "even", publish = "log", linger = "0s" }}
            topics.log = {{}}
            [consumers.reader]
            topics = ["log"]
            auto-offset-reset = "earliest"
            max-poll-records = 1
            processing-guarantee = "{guarantee}"
            steps = [{{ work = "1ms" }}, {{ fail = 0.25 }}]
            "#
        ));
        let custody = &run.readers[0].custody;
        let lost = custody.lost.of(Loss::NotProcessed);
        assert!(lost.abs_diff(expected) <= 4 * 14 && (expected > 0 || lost == 0), "{guarantee}: {lost}");
        assert_eq!((custody.lost.sum(), custody.processed), (lost, 1000 - lost));
    }
}

/// A group that comes late reads 6 MB of records that are no longer in memory, a quarter of a megabyte at a time: 24 reads of 10 ms each,
/// and 6 MB at 80 Mbit/s, which are 0.6 s. One that is always there never waits for the disk.
#[test]
fn who_falls_behind_waits_for_the_disk() {
    let run = run(r#"
        run = { duration = "40s", drain = "5s" }
        clients.producer = { rate = "300/s", arrivals = "even", until = "20s", publish = "log", size = "993B", linger = "0s" }
        brokers.kafka = { page-cache = "512KiB", disk-read-time = "10ms", disk-read-rate = "80Mbit/s", group-initial-rebalance-delay = "0s" }
        topics.log = {}
        faults.night = { at = "0s", for = "20s", pause = "late" }
        consumers.present = { topics = ["log"], auto-offset-reset = "earliest" }
        consumers.late = { topics = ["log"], auto-offset-reset = "earliest", max-partition-fetch-bytes = "250000B" }
    "#);
    // 6000 records of a kilobyte, and 61 bytes for each of their batches, of one record each: 6.37 MB. The last half megabyte is in memory.
    let behind = |name: &str| {
        let reader = run.readers.iter().find(|reader| reader.name == name).unwrap();
        (reader.book.lag_seconds, reader.book.lag_max)
    };
    let (area, most) = behind("late");
    assert_eq!(most, 6000);
    // Behind by 6000 from 20 s on, and by less and less for as long as it reads: the area of that triangle, in record seconds.
    let takes = 2.0 * area / 6000.0;
    let expected = 5.85 / 0.25 * 0.010 + 5.85 * 8.0 / 80.0;
    // Up to a poll of 500 records more waits at the end.
    assert!((takes - expected).abs() < 0.15, "{takes} s, {expected} s");
    assert!(behind("present").1 < 10);
}
