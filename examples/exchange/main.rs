//! Acknowledged exchange in a closed loop: every client sends to a server, waits for the acknowledgement, sends again.
//!
//! `cargo run --release --example exchange -- CLIENTS DELIVERIES [uniform|constant]`
//!
//! One server per ten clients (one at least); latency 0.5 to 1.5 ms, uniform (or 1 ms, constant); each message lost
//! with 1 %; a client that hears nothing for 10 ms sends again to the same server. Digest, wire book and message book
//! are on. Prints one line of JSON: `ns_per_msg` (wall-clock nanoseconds per delivered message), `rss_mb` (peak memory,
//! Linux), `sim_s` (simulated seconds).

mod system;

use rehearsal::base::distribution::Distribution;
use rehearsal::base::time::{ms, us};
use rehearsal::metrics::Fate;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let number = |index: usize, default: u32| {
        arguments.get(index).map_or(default, |text| text.parse().expect("CLIENTS and DELIVERIES are whole numbers"))
    };
    let (clients, deliveries) = (number(0, 1_000), u64::from(number(1, 10_000_000)));
    let latency = match arguments.get(2).map(String::as_str) {
        None | Some("uniform") => Distribution::uniform(us(500), us(1_500)).expect("the bounds are in order"),
        Some("constant") => Distribution::constant(ms(1)),
        Some(other) => panic!("`{other}` is not a latency: uniform or constant"),
    };
    let system::Run { played, book, wall } = system::play(clients, deliveries, latency);
    let delivered = played.wire.total().delivered;
    println!(
        "{{\"clients\":{clients},\"delivered\":{delivered},\"ns_per_msg\":{:.2},\"rss_mb\":{:.1},\"sim_s\":{:.6},\
         \"digest\":\"{}\",\"confirmed\":{},\"attempts\":{},\"p99_ms\":{:.3}}}",
        wall.as_nanos() as f64 / delivered as f64,
        peak_memory_mb(),
        played.end.as_secs_f64(),
        played.digest,
        book.fate(Fate::Confirmed),
        book.attempts,
        book.latency.quantile(0.99).unwrap_or(f64::NAN) / 1e6,
    );
}

/// The most memory this process ever held, where the system tells.
fn peak_memory_mb() -> f64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find(|line| line.starts_with("VmHWM:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().nth(1)?.parse::<f64>().ok());
    kilobytes.map_or(f64::NAN, |kilobytes| kilobytes / 1024.0)
}
