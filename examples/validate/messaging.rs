//! Work queues and topics: prefetch, time to live, redelivery, batches, assignments, and what groups read twice or never.

use rehearsal::metrics::{CustodyBook, GroupBook, QueueBook, RunResult};
use rehearsal::process::{Loss, QueueFact};

use crate::case::{Case, Quantity};
use crate::study::{flow, ratio, station};

/// The cases.
pub fn cases() -> Vec<Case> {
    [queues(), memories(), topics()].concat()
}

fn queue(run: &RunResult) -> &QueueBook {
    &run.queues[0].book
}

fn group(run: &RunResult) -> &GroupBook {
    &run.readers[0].book
}

fn custody(run: &RunResult) -> &CustodyBook {
    &run.readers[0].custody
}

fn busy(run: &RunResult) -> f64 {
    station(run).busy_mean()
}

/// From when a message was published to when a consumer had it, in ms.
fn wait(run: &RunResult) -> f64 {
    run.flows[0].book.one_way.mean().map_or(f64::NAN, |mean| mean / 1e6)
}

fn residence(run: &RunResult) -> f64 {
    station(run).residence.mean().map_or(f64::NAN, |mean| mean / 1e6)
}

fn queues() -> Vec<Case> {
    let mut cases: Vec<_> = [
        // 50 ms to the consumer, 4 ms of work and 50 ms back: min(1, prefetch x 4 / 104), within a slot of 10 ms in 50 s.
        prefetch("prefetch 1", "1", 4.0 / 104.0, ("3.8 %", RABBIT)),
        prefetch("prefetch 13", "13", 0.5, ("", "")),
        prefetch("prefetch 26", "26", 1.0, ("26", RABBIT)),
        prefetch("prefetch 100", "100", 1.0, ("", "")),
    ]
    .into();
    cases.extend([
        // M/M/5 at 0.8 (Erlang C): 1.55411, c = 5.8; five E_5/M/1: 3.15226, c = 8; of 960,000.
        sharing("competing consumers, prefetch 1", "1", 1.554_11, 0.0237, |run| wait(run) + residence(run)),
        sharing("competing consumers, unlimited", "\"unlimited\"", 3.152_26, 0.0327, residence),
        // M/M/1 with patience of 3 (Barrer 1957): c = 4, 2.2 and 1.6, of 1.28 million.
        Case {
            name: "a time to live in a queue",
            duration: "102s",
            warmup: "2s",
            runs: 16,
            scenario: "[clients.shop]\nrate = \"800/s\"\npublish = \"orders\"\n[queues.orders]\nmessage-ttl = \"3ms\"\n\
                       dead-letter-queue = \"parked\"\n[queues.parked]\n[consumers.worker]\nqueue = \"orders\"\nprefetch = 1\n\
                       work = { exponential = \"1ms\" }",
            quantities: vec![
                Quantity::new("share that expires", 0.135_35, 0.0142, |run| {
                    ratio(queue(run).of(QueueFact::DiedExpired), queue(run).of(QueueFact::Published))
                }),
                Quantity::new("wait in ms", 0.869_248, 0.0078, wait),
                Quantity::new("utilisation", 0.691_72, 0.0057, busy),
            ],
        },
        // Three deliveries at most, each of which fails with 0.2: (1 - 0.2^3) / 0.8, and 0.2^3; c = 0.403 and 11.1, of 320,000.
        Case {
            name: "a delivery limit",
            duration: "40s",
            warmup: "0s",
            runs: 8,
            scenario: "[clients.shop]\nrate = \"1000/s\"\npublish = \"orders\"\n[queues.orders]\ndelivery-limit = 2\n\
                       dead-letter-queue = \"parked\"\n[queues.parked]\n[consumers.worker]\nnodes = 2\nqueue = \"orders\"\n\
                       steps = [{ work = \"1ms\" }, { fail = 0.2 }]",
            quantities: vec![
                Quantity::new("deliveries", 1.24, 0.0029, |run| {
                    ratio(queue(run).of(QueueFact::Delivered), queue(run).of(QueueFact::Published))
                }),
                Quantity::new("dead letters", 0.008, 0.0785, |run| {
                    ratio(queue(run).of(QueueFact::DeadLettered), queue(run).of(QueueFact::Published))
                }),
            ],
        },
    ]);
    cases
}

const RABBIT: &str = "RabbitMQ, Some queuing theory";

fn prefetch(name: &'static str, limit: &str, theory: f64, (value, source): (&'static str, &'static str)) -> Case {
    let text = format!(
        "links.to-worker = {{ between = [\"broker\", \"worker\"], latency = \"50ms\" }}\n[clients.shop]\nrate = \"500/s\"\n\
         publish = \"orders\"\n[queues.orders]\n[consumers.worker]\nqueue = \"orders\"\nprefetch = {limit}\nwork = \"4ms\"\n"
    );
    let busy = Quantity::new("utilisation", theory, 0.002 / theory, busy);
    Case {
        name,
        duration: "60s",
        warmup: "10s",
        runs: 1,
        scenario: text.leak(),
        quantities: vec![if value.is_empty() { busy } else { busy.published(value, source) }],
    }
}

fn sharing(name: &'static str, limit: &str, theory: f64, tolerance: f64, time: fn(&RunResult) -> f64) -> Case {
    let text = format!(
        "[clients.shop]\nrate = \"4000/s\"\npublish = \"orders\"\n[queues.orders]\n[consumers.worker]\nnodes = 5\n\
         queue = \"orders\"\nprefetch = {limit}\nwork = {{ exponential = \"1ms\" }}\n"
    );
    Case {
        name,
        duration: "32s",
        warmup: "2s",
        runs: 8,
        scenario: text.leak(),
        quantities: vec![Quantity::new("time in ms", theory, tolerance, time)],
    }
}

/// A receiver that remembers the last n messages, each of which comes again after 200 ms, at 1000/s: P(Poisson(200) >= n). Duplicates see
/// nearly the same 200 ms, so a 200th of a million are independent.
fn memories() -> Vec<Case> {
    [("a memory of 200 messages", 200, 0.509_403, 0.0555), ("a memory of 220 messages", 220, 0.085_511_6, 0.185)]
        .map(|(name, window, theory, tolerance)| {
            let text = format!(
                "[clients.source]\nrate = \"1000/s\"\nsend = \"sink\"\ndelivery = \"exactly-once\"\ntimeout = \"200ms\"\n\
                 max-attempts = 2\ndedup-window = {window}\n[services.sink]\nworkers = \"unlimited\"\n\
                 [links.back]\nfrom = \"sink\"\nto = \"source\"\nloss = 1\n"
            );
            let slips = |run: &RunResult| ratio(flow(run).repeated, flow(run).offered);
            Case {
                name,
                duration: "66s",
                warmup: "1s",
                runs: 16,
                scenario: text.leak(),
                quantities: vec![Quantity::new("duplicates that slip", theory, tolerance, slips)],
            }
        })
        .into()
}

fn topics() -> Vec<Case> {
    vec![
        // 16 records or 10 ms at 1000/s: P_k = P(Poisson(10) >= k), 1 + sum of P_k for k < 16, a standard deviation of 3; the wait has
        // c = 0.35 of records. 5500 batches a minute, and 60,000 records. To the leader and back it is 2 ms.
        Case {
            name: "batches with linger",
            duration: "60s",
            warmup: "0s",
            runs: 8,
            scenario: "network.latency = \"1ms\"\nlinks.up = { from = \"producer\", to = \"broker\", latency = \"1ms\" }\n\
                       [clients.producer]\nrate = \"1000/s\"\npublish = \"log\"\nacks = 1\nlinger = \"10ms\"\n\
                       size = \"93B\"\nbatch-size = \"1661B\"\n[topics.log]\n",
            quantities: vec![
                Quantity::new("records in a batch", 10.8965, 0.0053, |run| {
                    let up = run.links.iter().find(|link| link.name == "up").expect("it is there");
                    ratio(flow(run).offered, up.book.sent)
                }),
                Quantity::new("wait in ms", 5.344_59, 0.0044, |run| {
                    flow(run).latency.mean().map_or(f64::NAN, |mean| mean / 1e6 - 2.0)
                }),
            ],
        },
        // Two topics of three partitions each and two members, of which the second takes twice as long, 2 ms: its share is what the
        // mean work is above 1 ms. Range gives the first two partitions of each topic to the first, round robin every second one.
        assignment("assignment by range", "range", 2.0 / 6.0),
        assignment("assignment by round robin", "round-robin", 3.0 / 6.0),
        // 800/s come and 1000/s are processed: a session of 45 s leaves 36,000 behind, for which it takes 180 s. Heartbeats, commits and
        // polls of 10 ms make that exact to some 30 records. The lag is a triangle whose area gives the time.
        Case {
            name: "failover of a group",
            duration: "300s",
            warmup: "15s",
            runs: 1,
            scenario: "clients.producer = { rate = \"800/s\", arrivals = \"even\", publish = \"log\", linger = \"0s\" }\n\
                       topics.log = {}\nfaults.death = { at = \"30s\", crash = \"readers[0]\" }\n[consumers.readers]\nnodes = 2\n\
                       topics = [\"log\"]\nauto-offset-reset = \"earliest\"\nheartbeat-interval = \"10ms\"\n\
                       auto-commit-interval = \"10ms\"\nmax-poll-records = 10\nwork = \"1ms\"",
            quantities: vec![
                Quantity::new("the most behind", 36_000.0, 0.002, |run| group(run).lag_max as f64),
                Quantity::new("s to catch up", 180.0, 0.01, |run| {
                    2.0 * group(run).lag_seconds / group(run).lag_max as f64 - 45.0
                }),
            ],
        },
        // 500/s, committed every 5 s, and a crash at any time: 0 to 2500 are processed again, a standard deviation of 722, of 240.
        Case {
            name: "a crash before the commit",
            duration: "60s",
            warmup: "0s",
            runs: 240,
            scenario: "clients.producer = { rate = \"500/s\", arrivals = \"even\", until = \"20s\", publish = \"log\", linger = \"0s\" }\n\
                       topics.log = {}\n\
                       faults.death = { at = { uniform = [\"12s\", \"17s\"] }, for = \"100ms\", crash = \"reader\" }\n\
                       [consumers.reader]\ntopics = [\"log\"]\nauto-offset-reset = \"earliest\"\nsession-timeout = \"6s\"\n\
                       work = \"100us\"",
            quantities: vec![
                Quantity::new("processed again", 1250.0, 0.15, |run| custody(run).repeated as f64),
                Quantity::new("lost", 0.0, 0.0, |run| custody(run).lost.sum() as f64),
            ],
        },
        // The mirror image: polls of 2500 that are committed before 5 s of work.
        Case {
            name: "a crash after the commit",
            duration: "60s",
            warmup: "0s",
            runs: 240,
            scenario: "clients.producer = { rate = \"5000/s\", arrivals = \"even\", count = 10000, publish = \"log\", size = \"10B\" }\n\
                       topics.log = {}\n\
                       faults.night = { at = \"0s\", for = \"3s\", pause = \"reader\" }\n\
                       faults.death = { at = { uniform = [\"12s\", \"17s\"] }, for = \"100ms\", crash = \"reader\" }\n\
                       [consumers.reader]\ntopics = [\"log\"]\nauto-offset-reset = \"earliest\"\nsession-timeout = \"6s\"\n\
                       enable-auto-commit = false\ncommit-point = \"before-processing\"\nmax-poll-records = 2500\n\
                       max-partition-fetch-bytes = \"50MiB\"\nwork = \"2ms\"",
            quantities: vec![
                Quantity::new("lost", 1250.0, 0.15, |run| custody(run).lost.of(Loss::CommittedEarly) as f64),
                Quantity::new("processed again", 0.0, 0.0, |run| custody(run).repeated as f64),
            ],
        },
    ]
}

fn assignment(name: &'static str, strategy: &str, theory: f64) -> Case {
    let text = format!(
        "clients.a = {{ rate = \"30/s\", arrivals = \"even\", publish = \"a\", partitioner = \"round-robin\", linger = \"0s\" }}\n\
         clients.b = {{ rate = \"30/s\", arrivals = \"even\", publish = \"b\", partitioner = \"round-robin\", linger = \"0s\" }}\n\
         topics.a.partitions = 3\ntopics.b.partitions = 3\n[consumers.readers]\nnodes = 2\ntopics = [\"a\", \"b\"]\n\
         partition-assignment-strategy = \"{strategy}\"\nspeed = [1, 0.5]\nwork = \"1ms\"\n"
    );
    Case {
        name,
        duration: "70s",
        warmup: "10s",
        runs: 1,
        scenario: text.leak(),
        // Each partition gets its turn to within one record of 600.
        quantities: vec![Quantity::new("share of the second", theory, 0.005, |run| {
            station(run).work.mean().map_or(f64::NAN, |mean| mean / 1e6 - 1.0)
        })],
    }
}
