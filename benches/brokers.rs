//! Messages through brokers, in nanoseconds of our own time for each.
//!
//! `cargo bench --bench brokers -- [MESSAGES]`
//!
//! Every round plays each way once, whole runs with all books: work queues with and without confirms and a disk, topics with each of
//! `acks`. Checked are that everything arrives, and that a million messages take seconds: less than five microseconds each, on
//! any way. Without `--bench` (which `cargo bench` passes, `cargo test` does not) one small round is played, and time is not checked.

#[path = "../tests/common/mod.rs"]
mod common;

use std::time::Instant;

use common::{plan, play};

/// A way through a broker.
struct Way {
    name: &'static str,
    /// What is said of publisher, broker and consumer.
    text: &'static str,
}

const QUEUE: &str = "consumers.worker = { nodes = 4, queue = \"orders\", prefetch = 100, work = \"10us\" }\n";
const TOPIC: &str = "consumers.worker = { nodes = 4, topics = [\"orders\"], auto-offset-reset = \"earliest\", work = \"10us\" }\n\
     brokers.kafka = { nodes = 3, group-initial-rebalance-delay = \"0s\" }\n";

const WAYS: [Way; 5] = [
    Way { name: "queue, no confirms, in memory", text: "queues.orders = { durable = false }" },
    Way {
        name: "queue, confirms, on disk",
        text: "clients.shop.confirm = true\nbrokers.rabbit = { fsync-time = \"1ms\" }\nqueues.orders = {}",
    },
    Way { name: "topic, acks = 0, one replica", text: "clients.shop.acks = 0\ntopics.orders = { partitions = 8 }" },
    Way {
        name: "topic, acks = 1, three replicas",
        text: "clients.shop.acks = 1\ntopics.orders = { partitions = 8, replication-factor = 3 }",
    },
    Way {
        name: "topic, acks = all, three replicas",
        text: "topics.orders = { partitions = 8, replication-factor = 3, min-insync-replicas = 2 }",
    },
];

/// What a message may take, in nanoseconds.
const BUDGET: f64 = 5000.0;

fn main() {
    let (options, arguments): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|text| text.starts_with("--"));
    let is_measured = options.iter().any(|option| option == "--bench");
    let messages: u32 = arguments
        .first()
        .map_or(if is_measured { 1_000_000 } else { 20_000 }, |text| text.parse().expect("MESSAGES is a whole number"));
    let rounds = if is_measured { 3 } else { 1 };
    println!("{messages} messages a round; ns per message: min / median / max");
    for Way { name, text } in WAYS {
        let mut times: Vec<_> = (0..rounds).map(|_| one_round(name, text, messages)).collect();
        times.sort_by(f64::total_cmp);
        let median = times[times.len() / 2];
        println!("{name:36} {:7.0} / {median:7.0} / {:7.0}", times[0], times[times.len() - 1]);
        assert!(!is_measured || median < BUDGET, "{name}: a message takes {median:.0} ns, more than {BUDGET} ns");
    }
}

/// Nanoseconds per message.
#[allow(clippy::disallowed_methods, reason = "a bench reads the wall clock")]
fn one_round(name: &str, text: &str, messages: u32) -> f64 {
    let consumer = if text.contains("topics") { TOPIC } else { QUEUE };
    let whole = format!(
        "run = {{ duration = \"{}ms\", drain = \"30s\" }}\nnetwork.latency = \"500us\"\n\
         clients.shop.nodes = 10\nclients.shop.rate = \"100000/s\"\n\
         clients.shop.publish = \"orders\"\nclients.shop.size = \"200B\"\n{consumer}{text}\n",
        messages / 100,
    );
    let plan = plan(&whole);
    let began = Instant::now();
    let runs = play(&plan).runs;
    let nanos = began.elapsed().as_nanos() as f64;
    let total = &runs[0].flows[0].book.total;
    assert!(total.offered > u64::from(messages) * 9 / 10, "{name}: {}", total.offered);
    assert_eq!(total.handled, total.offered, "{name}: everything arrives");
    nanos / total.offered as f64
}
