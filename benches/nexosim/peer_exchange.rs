//! The exchange on nexosim, in its quickest form: a sender schedules its peer's input, after the latency, by itself.
//!
//! (Its customary form, where a model schedules itself and then sends through an output port, needs a port for every
//! peer and two hand-overs for every message.) Messages and timers cost what they cost there: an event each, and a key
//! to cancel the timer by. Nothing is observed but the number of deliveries.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use nexosim::model::{BuildContext, Context, Model, ProtoModel, schedulable};
use nexosim::ports::EventSource;
use nexosim::simulation::{EventId, EventKey, ExecutionError, Mailbox, Scheduler, SimInit};
use nexosim::time::MonotonicTime;
use rand::rngs::SmallRng;
use rand::{RngExt, SeedableRng};
use serde::{Deserialize, Serialize};

const TIMEOUT: Duration = Duration::from_millis(10);

/// What a run was.
pub struct Run {
    /// Messages delivered.
    pub delivered: u64,
    /// Simulated seconds.
    pub seconds: f64,
    /// The wall-clock time it took, without building and starting the models.
    pub wall: Duration,
}

/// A request or its acknowledgement.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Note {
    client: u32,
    number: u32,
}

/// What all models share.
struct Net {
    /// Known once the simulation is built.
    scheduler: OnceLock<Scheduler>,
    servers: Vec<EventId<Note>>,
    clients: Vec<EventId<Note>>,
    delivered: AtomicU64,
    /// The deliveries after which the run ends.
    wanted: u64,
}

/// A node's side of the network, and its luck.
struct Port {
    net: Arc<Net>,
    luck: SmallRng,
}

impl Port {
    fn new(net: &Arc<Net>, seed: u64) -> Self {
        Self { net: net.clone(), luck: SmallRng::seed_from_u64(seed) }
    }

    fn scheduler(&self) -> &Scheduler {
        self.net.scheduler.get().expect("set before any model starts")
    }

    fn send(&mut self, to: EventId<Note>, note: Note) {
        if self.luck.random_bool(0.01) {
            return;
        }
        let latency = Duration::from_nanos(self.luck.random_range(500_000..=1_500_000));
        self.scheduler().schedule_event(latency, &to, note).expect("the future");
    }

    fn received(&self) {
        if self.net.delivered.fetch_add(1, Ordering::Relaxed) + 1 == self.net.wanted {
            self.scheduler().halt();
        }
    }
}

/// A model with its port, before it is built.
struct Node<M> {
    model: M,
    port: Port,
}

impl<M: Model<Env = Port>> ProtoModel for Node<M> {
    type Model = M;

    fn build(self, _: &mut BuildContext<Self>) -> (M, Port) {
        (self.model, self.port)
    }
}

#[derive(Serialize, Deserialize)]
struct Client {
    index: u32,
    server: usize,
    number: u32,
    timeout: Option<EventKey>,
}

#[Model(type Env = Port)]
impl Client {
    #[nexosim(init)]
    async fn init(&mut self, cx: &Context<Self>, port: &mut Port) {
        self.offer(cx, port);
    }

    fn acknowledged(&mut self, note: Note, cx: &Context<Self>, port: &mut Port) {
        port.received();
        if note.number != self.number {
            return;
        }
        if let Some(timeout) = self.timeout.take() {
            timeout.cancel();
        }
        self.offer(cx, port);
    }

    #[nexosim(schedulable)]
    fn unanswered(&mut self, _: (), cx: &Context<Self>, port: &mut Port) {
        self.send(cx, port);
    }

    fn offer(&mut self, cx: &Context<Self>, port: &mut Port) {
        self.number += 1;
        self.server = port.luck.random_range(0..port.net.servers.len());
        self.send(cx, port);
    }

    fn send(&mut self, cx: &Context<Self>, port: &mut Port) {
        port.send(port.net.servers[self.server], Note { client: self.index, number: self.number });
        let timeout = cx.schedule_keyed_event(TIMEOUT, schedulable!(Self::unanswered), ()).expect("the future");
        self.timeout = Some(timeout);
    }
}

#[derive(Serialize, Deserialize)]
struct Server;

#[Model(type Env = Port)]
impl Server {
    fn request(&mut self, note: Note, _: &Context<Self>, port: &mut Port) {
        port.received();
        port.send(port.net.clients[note.client as usize], note);
    }
}

/// Plays until so many messages are delivered.
pub fn play(clients: u32, deliveries: u64) -> Run {
    let mut bench = SimInit::with_num_threads(1);
    // Events come one by one. With the default, room for 16, mailboxes outgrow the cache: half as long again at 10^3
    // clients.
    let servers: Vec<_> = (0..(clients / 10).max(1)).map(|_| Mailbox::with_capacity(1)).collect();
    let clients: Vec<_> = (0..clients).map(|_| Mailbox::with_capacity(1)).collect();
    let net = Arc::new(Net {
        scheduler: OnceLock::new(),
        servers: servers
            .iter()
            .map(|to| EventSource::new().connect(Server::request, to).register(&mut bench))
            .collect(),
        clients: clients
            .iter()
            .map(|to| EventSource::new().connect(Client::acknowledged, to).register(&mut bench))
            .collect(),
        delivered: AtomicU64::new(0),
        wanted: deliveries,
    });
    let mut seed = 42;
    let mut port = || {
        seed += 1;
        Port::new(&net, seed)
    };
    for mailbox in servers {
        bench = bench.add_model(Node { model: Server, port: port() }, mailbox, "server");
    }
    for (index, mailbox) in (0..).zip(clients) {
        let model = Client { index, server: 0, number: 0, timeout: None };
        bench = bench.add_model(Node { model, port: port() }, mailbox, "client");
    }
    let shared = net.clone();
    let bench = bench.with_post_init(move |simulation| {
        shared.scheduler.set(simulation.scheduler()).expect("set once");
        Ok(())
    });
    let mut simulation = bench.init(MonotonicTime::EPOCH).expect("the models start");

    #[allow(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]
    let start = std::time::Instant::now();
    let end = simulation.run();
    let wall = start.elapsed();

    assert!(matches!(end, Err(ExecutionError::Halted)), "nexosim runs until it is halted: {end:?}");
    Run {
        delivered: net.delivered.load(Ordering::Relaxed),
        seconds: simulation.time().duration_since(MonotonicTime::EPOCH).as_secs_f64(),
        wall,
    }
}
