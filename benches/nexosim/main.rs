//! A peer beside us, on the same work: [nexosim](https://docs.rs/nexosim), one thread, as fast as its API allows.
//!
//! `cargo bench --bench nexosim -- [CLIENTS] [DELIVERIES]`
//!
//! Two works: the exchange of `examples/exchange` with so many clients until so many messages are delivered, and a
//! queue (M/M/1, load 0.8) with half as many customers. Our programs keep all their books; nexosim's count what the
//! checks need. Every round plays each program once and checks that it did the work it should: simulated time, or the
//! mean sojourn, against theory. Without `--bench` (which `cargo bench` passes, `cargo test` does not) one tiny round
//! is played.

#[path = "../../examples/exchange/system.rs"]
mod exchange;
mod peer_exchange;
mod peer_queue;
mod queue;

use std::time::Duration;

use rehearsal::base::distribution::Distribution;
use rehearsal::base::time::us;
use rehearsal::metrics::Fate;

/// How much work there is.
struct Size {
    clients: u32,
    deliveries: u64,
    customers: u32,
}

/// One work on one engine; playing it tells the nanoseconds per message or customer.
struct Program {
    work: &'static str,
    engine: &'static str,
    play: fn(&Size) -> f64,
}

/// Ours first, then the peer's programs for the same work.
const PROGRAMS: [&[Program]; 2] = [
    &[
        Program { work: "exchange, ns per message", engine: "rehearsal", play: exchange_here },
        Program { work: "exchange, ns per message", engine: "nexosim", play: exchange_there },
    ],
    &[
        Program { work: "M/M/1, ns per customer", engine: "rehearsal", play: queue_here },
        Program { work: "M/M/1, ns per customer", engine: "nexosim, one model", play: |size| queue_there(size, true) },
        Program {
            work: "M/M/1, ns per customer",
            engine: "nexosim, two models",
            play: |size| queue_there(size, false),
        },
    ],
];

fn main() {
    let (options, arguments): (Vec<_>, Vec<_>) = std::env::args().skip(1).partition(|text| text.starts_with("--"));
    let number = |index: usize, default: u32| {
        arguments.get(index).map_or(default, |text| text.parse().expect("CLIENTS and DELIVERIES are whole numbers"))
    };
    let (clients, deliveries, rounds) = if options.iter().any(|option| option == "--bench") {
        (number(0, 1_000), number(1, 2_000_000), 5)
    } else {
        (100, 20_000, 1)
    };
    let size = Size { clients, deliveries: deliveries.into(), customers: deliveries / 2 };
    let mut times = PROGRAMS.map(|programs| vec![Vec::new(); programs.len()]);
    for _ in 0..rounds {
        for (programs, times) in PROGRAMS.iter().zip(&mut times) {
            for (program, times) in programs.iter().zip(times) {
                times.push((program.play)(&size));
            }
        }
    }

    println!("{clients} clients, {deliveries} deliveries, {} customers, {rounds} rounds", size.customers);
    println!("{:<25} {:<20} {:>25}  {:>8}  {:>22}", "", "", "min / median / max", "medians", "pairs");
    for (programs, times) in PROGRAMS.iter().zip(&times) {
        let ours = Spread::of(&times[0]);
        for (index, (program, times_here)) in programs.iter().zip(times).enumerate() {
            let here = Spread::of(times_here);
            print!("{:<25} {:<20} {:>25}", program.work, program.engine, here.text());
            if index > 0 {
                let pairs: Vec<_> = times_here.iter().zip(&times[0]).map(|(there, ours)| there / ours).collect();
                print!("  {:>8.1}  {:>22}", here.median / ours.median, Spread::of(&pairs).text());
            }
            println!();
        }
    }
}

/// The least, the middle and the greatest of some numbers.
struct Spread {
    min: f64,
    median: f64,
    max: f64,
}

impl Spread {
    fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
        Self { min: sorted[0], median, max: sorted[sorted.len() - 1] }
    }

    fn text(&self) -> String {
        format!("{:.1} / {:.1} / {:.1}", self.min, self.median, self.max)
    }
}

fn exchange_here(size: &Size) -> f64 {
    let latency = Distribution::uniform(us(500), us(1_500)).expect("the bounds are in order");
    let exchange::Run { played, book, wall } = exchange::play(size.clients, size.deliveries, latency);
    let delivered = played.wire.total().delivered;
    check_exchange("rehearsal", size.clients, delivered, played.end.as_secs_f64());
    // Two deliveries make one confirmation, but for the clients still waiting and what was lost.
    let confirmed = book.fate(Fate::Confirmed) as f64;
    check("rehearsal, messages confirmed", confirmed, delivered as f64 / 2.0, 0.01, f64::from(size.clients));
    per(wall, delivered)
}

fn exchange_there(size: &Size) -> f64 {
    let run = peer_exchange::play(size.clients, size.deliveries);
    check_exchange("nexosim", size.clients, run.delivered, run.seconds);
    per(run.wall, run.delivered)
}

fn queue_here(size: &Size) -> f64 {
    let run = queue::play(size.customers);
    check_queue("rehearsal", size.customers, run.customers, run.sojourn);
    per(run.wall, run.customers)
}

fn queue_there(size: &Size, one_model: bool) -> f64 {
    let run = peer_queue::play(size.customers, one_model);
    check_queue("nexosim", size.customers, run.customers, run.sojourn);
    per(run.wall, run.customers)
}

fn per(wall: Duration, count: u64) -> f64 {
    wall.as_nanos() as f64 / count as f64
}

/// Simulated time by theory: 99 of 100 messages arrive; an exchange takes 2 ms, and 10 ms more for every attempt that
/// stays unanswered. A start without timeouts makes short runs a little quicker.
fn check_exchange(engine: &str, clients: u32, delivered: u64, seconds: f64) {
    let (arrives, answered) = (0.99, 0.99 * 0.99);
    let time = 2e-3 + 10e-3 * (1.0 - answered) / answered;
    let deliveries = (arrives + answered) / answered;
    let expected = delivered as f64 * time / deliveries / f64::from(clients);
    check(&format!("{engine}, the exchange's simulated seconds"), seconds, expected, 0.03, 2e-3);
}

/// Mean sojourn by theory: 1 / (service rate - arrival rate). At load 0.8 the standard error of a mean over n customers
/// is about 8.9 / sqrt(n) of it, as neighbours wait together; five of them are allowed.
fn check_queue(engine: &str, customers: u32, served: u64, sojourn: f64) {
    assert_eq!(served, u64::from(customers), "{engine} serves every customer");
    let (service, gap) = (queue::SERVICE.as_secs_f64(), queue::GAP.as_secs_f64());
    let expected = 1.0 / (1.0 / service - 1.0 / gap);
    let allowed = 5.0 * 8.9 / libm::sqrt(f64::from(customers));
    check(&format!("{engine}, the queue's mean sojourn in seconds"), sojourn, expected, allowed, 0.0);
}

fn check(what: &str, found: f64, expected: f64, relative: f64, absolute: f64) {
    let allowed = expected * relative + absolute;
    assert!((found - expected).abs() <= allowed, "{what}: {found}, where {expected} ± {allowed} were expected");
}
