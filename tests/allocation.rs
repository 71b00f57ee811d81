//! In steady state an event allocates nothing.
//!
//! A counting allocator stands under a closed loop of acknowledged exchanges, and under the roles of two scenarios. Their
//! curves over time have one step, because a new step is memory by right. What may still allocate is a high-water mark that chance raises now and then (measured: 4 at
//! most in 10^6 events), and the list of checkpoints, at doubling distances. The bound is one allocation per 10^4 events:
//! far above those, and far below one per event of any kind, for even timers that fire are one event in a hundred.

#![allow(unsafe_code)]

#[path = "common/mod.rs"]
mod common;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicU64, Ordering};

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::probability::percent;
use rehearsal::base::time::{Span, Time, ms, secs, us};
use rehearsal::metrics::{Correctness, Ledger, Stations};
use rehearsal::network::Link;
use rehearsal::process::{
    Clock, Context, Flow, Identity, Inline, Leg, Message, MessageId, Name, Observation, Outcome, Pooled, Process,
    TimerId,
};
use rehearsal::scenario::plan::Plan;
use rehearsal::sim::Cluster;

struct Counting;

static ALLOCATIONS: AtomicU64 = AtomicU64::new(0);

// SAFETY: every call is handed on to the system's allocator as it came; counting touches no memory of either side.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: the caller's promises are the ones that the system's allocator asks for.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        // SAFETY: `pointer` came from the system's allocator, through `alloc` or `realloc`, with this layout.
        unsafe { System.dealloc(pointer, layout) }
    }

    unsafe fn realloc(&self, pointer: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        ALLOCATIONS.fetch_add(1, Ordering::Relaxed);
        // SAFETY: as for `dealloc`; the caller promises that `size` is one that fits.
        unsafe { System.realloc(pointer, layout, size) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// A request or its acknowledgement, travelling inside the event or, with `LARGE` set, in the pool beside it.
#[derive(Clone, Copy)]
struct Note<const LARGE: bool> {
    id: MessageId,
    attempt: u16,
    leg: Leg,
}

macro_rules! message {
    ($large:literal, $carriage:ident) => {
        impl Message for Note<$large> {
            type Carriage = $carriage<Self>;

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
    };
}

message!(false, Inline);
message!(true, Pooled);

struct Client {
    server: NodeId,
    number: u32,
    attempt: u16,
    timeout: Option<TimerId>,
}

impl Client {
    fn attempt<const LARGE: bool>(&mut self, cx: &mut Context<'_, Note<LARGE>, ()>)
    where
        Note<LARGE>: Message,
    {
        let id = MessageId { owner: cx.me, number: self.number };
        if self.attempt == 0 {
            cx.observe(Observation::Offered { message: id, flow: Flow(0), late: Span::ZERO, at_once: false });
        }
        self.attempt += 1;
        cx.observe(Observation::Attempted { message: id });
        cx.send(self.server, Note { id, attempt: self.attempt, leg: Leg::Out });
        self.timeout = Some(cx.set_timer(Clock::Steady, ms(10), ()));
    }
}

impl<const LARGE: bool> Process<Note<LARGE>> for Client
where
    Note<LARGE>: Message,
{
    type Timer = ();

    fn start(&mut self, cx: &mut Context<'_, Note<LARGE>, ()>) {
        self.attempt(cx);
    }

    fn message(&mut self, cx: &mut Context<'_, Note<LARGE>, ()>, _: NodeId, note: Note<LARGE>) {
        if note.id.number == self.number {
            if let Some(timeout) = self.timeout.take() {
                cx.cancel_timer(timeout);
            }
            cx.observe(Observation::Confirmed { message: note.id });
            self.number += 1;
            self.attempt = 0;
            self.attempt(cx);
        }
    }

    fn timer(&mut self, cx: &mut Context<'_, Note<LARGE>, ()>, (): ()) {
        self.attempt(cx);
    }
}

struct Server;

impl<const LARGE: bool> Process<Note<LARGE>> for Server
where
    Note<LARGE>: Message,
{
    type Timer = ();

    fn message(&mut self, cx: &mut Context<'_, Note<LARGE>, ()>, from: NodeId, note: Note<LARGE>) {
        cx.observe(Observation::Received { message: note.id, duplicate: false });
        cx.observe(Observation::Handled { message: note.id, outcome: Outcome::Done });
        cx.send(from, Note { leg: Leg::Ack, ..note });
    }
}

/// The allocations of `events` events of `clients` clients, after as many to warm up.
fn allocations<const LARGE: bool>(clients: u32, events: u64) -> u64
where
    Note<LARGE>: Message,
{
    let mut cluster = Cluster::<Note<LARGE>>::seeded(1);
    let server = cluster.nodes("server", 1, |_| Server)[0];
    cluster.nodes("client", clients, move |_| Client { server, number: 0, attempt: 0, timeout: None });
    let latency = Distribution::uniform(us(500), us(1_500)).expect("the bounds are in order");
    cluster.link_all(Link::latency(latency).loss(percent(1.0)));
    cluster.observe(Ledger::new(cluster.names().span(), &[Correctness::Answered], ALWAYS, STEP));
    further_allocations(&mut cluster, events)
}

/// What is measured, and the step of its curves.
const ALWAYS: (Time, Time) = (Time::ZERO, Time::MAX);
const STEP: Span = secs(3_600);

/// The allocations of `events` events, after as many to warm up.
fn further_allocations<M: Message>(cluster: &mut Cluster<M>, events: u64) -> u64 {
    cluster.advance(Time::MAX, events);
    let before = ALLOCATIONS.load(Ordering::Relaxed);
    cluster.advance(Time::MAX, events);
    ALLOCATIONS.load(Ordering::Relaxed) - before
}

/// The same for the roles of a scenario.
fn allocations_of(plan: &Plan, events: u64) -> u64 {
    let mut cluster = plan.cluster(1);
    let (names, flows) = (cluster.names(), plan.flows.iter().map(|flow| flow.correctness).collect::<Vec<_>>());
    let ledger = Ledger::new(names.span(), &flows, ALWAYS, STEP);
    let groups: Vec<Vec<_>> = names.groups().map(|group| names.members(group).collect()).collect();
    let stations = Stations::new(names.span(), &groups, ALWAYS, STEP);
    cluster.observe(ledger);
    cluster.observe(stations);
    further_allocations(&mut cluster, events)
}

/// Users whose requests are lost now and then.
const EXCHANGE: &str = r#"
title = "Exchange"
run.duration = "1h"
network = { latency = { uniform = ["0.5ms", "1.5ms"] }, loss = "1%" }
clients.client = { nodes = 1000, users = 1000, send = "server", delivery = "at-least-once", timeout = "10ms", max-attempts = "unlimited" }
services.server = { nodes = 100, workers = "unlimited" }
"#;

/// Requests that wait in queues, and ask further services.
const CHAIN: &str = r#"
title = "Chain"
run.duration = "1h"
network.latency = { uniform = ["0.5ms", "1.5ms"] }
clients.app = { nodes = 100, users = 200, think = { exponential = "1ms" }, call = "front", timeout = "1s", deadline = "2s" }
services.front = { nodes = 10, workers = 4, hold-worker = false, steps = [{ work = "0.2ms" }, { call = "back" }] }
services.back = { nodes = 10, workers = 4, work = { exponential = "0.2ms" } }
"#;

/// One test, because the counter is one.
#[test]
fn an_event_allocates_nothing() {
    const EVENTS: u64 = 1_000_000;
    for clients in [5, 1_000, 20_000] {
        for allocations in [allocations::<false>(clients, EVENTS), allocations::<true>(clients, EVENTS)] {
            assert!(allocations < EVENTS / 10_000, "{allocations} allocations with {clients} clients");
        }
    }
    for scenario in [EXCHANGE, CHAIN] {
        let allocations = allocations_of(&common::plan(scenario), EVENTS);
        assert!(allocations < EVENTS / 10_000, "{allocations} allocations in {scenario}");
    }
}
