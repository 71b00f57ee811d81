//! Acknowledged exchange in a closed loop: every client sends to a server, waits for the acknowledgement, sends again.
//!
//! `cargo run --release --example exchange -- CLIENTS DELIVERIES [uniform|constant]`
//!
//! One server per ten clients (one at least); latency 0.5 to 1.5 ms, uniform (or 1 ms, constant); each message lost with
//! 1 %; a client that hears nothing for 10 ms sends again to the same server. Digest, wire book and message book are on.
//! Prints one line of JSON: `ns_per_msg` (wall-clock nanoseconds per delivered message), `rss_mb` (peak memory, Linux),
//! `sim_s` (simulated seconds).

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::probability::percent;
use rehearsal::base::time::{Span, Time, ms, secs, us};
use rehearsal::metrics::{Correctness, Fate, Ledger};
use rehearsal::network::Link;
use rehearsal::process::{
    Clock, Context, Flow, Identity, Inline, Leg, Message, MessageId, Name, Observation, Outcome, Process, TimerId,
};
use rehearsal::sim::Cluster;

const TIMEOUT: Span = ms(10);

/// A request or its acknowledgement.
#[derive(Clone, Copy)]
struct Note {
    id: MessageId,
    attempt: u16,
    leg: Leg,
}

impl Message for Note {
    type Carriage = Inline<Self>;

    fn size(&self) -> u64 {
        64
    }

    fn identity(&self) -> Identity {
        Identity { name: Name::Of(self.id), attempt: self.attempt, leg: self.leg }
    }

    fn digest(&self) -> u64 {
        u64::from(self.id.number) << 32 | u64::from(self.attempt) << 8 | self.leg as u64
    }
}

struct Client {
    servers: (u32, u32),
    server: NodeId,
    number: u32,
    attempt: u16,
    timeout: Option<TimerId>,
}

// What stands in the handler itself is compiled together with the driver: effects cost no calls.
impl Client {
    #[inline(always)]
    fn offer(&mut self, cx: &mut Context<'_, Note, ()>) {
        self.number += 1;
        self.attempt = 0;
        let (first, count) = self.servers;
        self.server = NodeId::new(first + cx.choose(count as usize) as u32);
        let message = self.id(cx.me);
        cx.observe(Observation::Offered { message, flow: Flow(0), late: Span::ZERO, at_once: true });
        self.send(cx);
    }

    #[inline(always)]
    fn send(&mut self, cx: &mut Context<'_, Note, ()>) {
        self.attempt += 1;
        let id = self.id(cx.me);
        cx.send(self.server, Note { id, attempt: self.attempt, leg: Leg::Out });
        self.timeout = Some(cx.set_timer(Clock::Steady, TIMEOUT, ()));
    }

    fn id(&self, me: NodeId) -> MessageId {
        MessageId { owner: me, number: self.number }
    }
}

impl Process<Note> for Client {
    type Timer = ();

    fn start(&mut self, cx: &mut Context<'_, Note, ()>) {
        self.offer(cx);
    }

    fn message(&mut self, cx: &mut Context<'_, Note, ()>, _: NodeId, note: Note) {
        if note.id.number != self.number {
            return;
        }
        if let Some(timeout) = self.timeout.take() {
            cx.cancel_timer(timeout);
        }
        cx.observe(Observation::Confirmed { message: note.id });
        self.offer(cx);
    }

    fn timer(&mut self, cx: &mut Context<'_, Note, ()>, (): ()) {
        cx.observe(Observation::Attempted { message: self.id(cx.me) });
        self.send(cx);
    }
}

struct Server;

impl Process<Note> for Server {
    type Timer = ();

    fn message(&mut self, cx: &mut Context<'_, Note, ()>, from: NodeId, note: Note) {
        cx.observe(Observation::Handled { message: note.id, outcome: Outcome::Done });
        cx.send(from, Note { leg: Leg::Ack, ..note });
    }
}

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
    let mut cluster = Cluster::seeded(42);
    let servers = cluster.nodes("server", (clients / 10).max(1), |_| Server);
    let servers = (servers[0].index(), servers.len() as u32);
    cluster.nodes("client", clients, move |_| Client {
        servers,
        server: NodeId::new(servers.0),
        number: 0,
        attempt: 0,
        timeout: None,
    });
    cluster.link_all(Link::latency(latency).loss(percent(1.0)));
    cluster.observe(Ledger::new(cluster.names().span(), &[Correctness::Answered], (Time::ZERO, Time::MAX), secs(1)));

    #[allow(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]
    let start = std::time::Instant::now();
    // Every delivery is an event; timers that fire are a hundredth more.
    while cluster.delivered() < deliveries {
        cluster.advance(Time::MAX, (deliveries - cluster.delivered()).min(1 << 20));
    }
    let outcome = cluster.outcome();
    let wall = start.elapsed();

    let mut observers = cluster.take_observers();
    let ledger = (&mut *observers[0] as &mut dyn std::any::Any).downcast_mut::<Ledger>().expect("the only observer");
    let book = &ledger.close().expect("the books balance")[0].total;
    println!(
        "{{\"clients\":{clients},\"delivered\":{},\"ns_per_msg\":{:.2},\"rss_mb\":{:.1},\"sim_s\":{:.6},\"digest\":\"{}\",\
         \"confirmed\":{},\"attempts\":{},\"p99_ms\":{:.3}}}",
        outcome.wire.total().delivered,
        wall.as_nanos() as f64 / outcome.wire.total().delivered as f64,
        peak_memory_mb(),
        outcome.end.as_secs_f64(),
        outcome.digest,
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
