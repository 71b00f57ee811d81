//! The exchange: clients that send, wait for the acknowledgement and send again, and the servers that acknowledge.
//!
//! Shared by the example beside it and by the benchmarks.

use std::time::Duration;

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::probability::percent;
use rehearsal::base::time::{Span, Time, ms, secs};
use rehearsal::metrics::{Correctness, Ledger, Tally};
use rehearsal::network::Link;
use rehearsal::process::{
    Clock, Context, Flow, Identity, Inline, Leg, Message, MessageId, Name, Observation, Outcome, Process, TimerId,
};
use rehearsal::sim::{Cluster, Outcome as Played};

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

/// What a run was.
pub struct Run {
    /// What the driver knows.
    pub played: Played,
    /// What became of the messages.
    pub book: Tally,
    /// The wall-clock time it took, from the first input to the last.
    pub wall: Duration,
}

/// Plays until so many copies were delivered; latency is drawn from `latency`.
pub fn play(clients: u32, deliveries: u64, latency: Distribution) -> Run {
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
    let played = cluster.outcome();
    let wall = start.elapsed();

    let mut observers = cluster.take_observers();
    let ledger = (&mut *observers[0] as &mut dyn std::any::Any).downcast_mut::<Ledger>().expect("the only observer");
    let book = ledger.close().expect("the books balance")[0].total.clone();
    Run { played, book, wall }
}
