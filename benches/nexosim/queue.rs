//! A queue (M/M/1) on our engine: a source sends customers to a station, which keeps those that wait and works on one.
//!
//! The digest, the wire's book, the messages' ledger and the station's book are on.

use std::collections::VecDeque;
use std::time::Duration;

use rehearsal::base::distribution::Distribution;
use rehearsal::base::id::NodeId;
use rehearsal::base::random::mix;
use rehearsal::base::time::{Span, Time, secs, us};
use rehearsal::metrics::{Correctness, Fate, Ledger, Stations};
use rehearsal::network::Link;
use rehearsal::process::{
    Clock, Close, Context, Flow, Identity, Inline, Leg, Message, MessageId, Name, Observation, Outcome, Process, Steady,
};
use rehearsal::sim::Cluster;

/// The mean time between arrivals.
pub const GAP: Span = us(1_250);
/// The mean time of service.
pub const SERVICE: Span = us(1_000);

/// What a run was.
pub struct Run {
    /// Customers served.
    pub customers: u64,
    /// The mean time from arrival to departure, in seconds.
    pub sojourn: f64,
    /// The wall-clock time it took.
    pub wall: Duration,
}

/// A customer on the way to the station.
#[derive(Clone, Copy)]
struct Customer(MessageId);

impl Message for Customer {
    type Carriage = Inline<Self>;

    fn identity(&self) -> Identity {
        Identity { name: Name::Of(self.0), attempt: 1, leg: Leg::Out }
    }

    fn digest(&self) -> u64 {
        mix(self.0.number.into())
    }
}

struct Source {
    station: NodeId,
    gap: Distribution,
    number: u32,
    customers: u32,
}

impl Source {
    fn wait(&mut self, cx: &mut Context<'_, Customer, ()>) {
        if self.number < self.customers {
            let gap = self.gap.sample(cx.draw());
            cx.set_timer(Clock::Steady, gap, ());
        }
    }
}

impl Process<Customer> for Source {
    type Timer = ();

    fn start(&mut self, cx: &mut Context<'_, Customer, ()>) {
        self.wait(cx);
    }

    fn message(&mut self, _: &mut Context<'_, Customer, ()>, _: NodeId, _: Customer) {}

    fn timer(&mut self, cx: &mut Context<'_, Customer, ()>, (): ()) {
        self.number += 1;
        let message = MessageId { owner: cx.me, number: self.number };
        cx.observe(Observation::Offered { message, flow: Flow(0), late: Span::ZERO, at_once: true });
        cx.send(self.station, Customer(message));
        cx.observe(Observation::Closed { message, why: Close::Sent });
        self.wait(cx);
    }
}

struct Station {
    service: Distribution,
    /// Those who wait, with the time of their arrival; the first is served.
    present: VecDeque<(MessageId, Steady)>,
    began: Steady,
}

impl Station {
    fn serve(&mut self, cx: &mut Context<'_, Customer, ()>) {
        self.began = cx.now();
        let service = self.service.sample(cx.draw());
        cx.set_timer(Clock::Work, service, ());
    }

    fn level(&self, cx: &mut Context<'_, Customer, ()>) {
        let (waiting, busy) = (self.present.len().saturating_sub(1) as u32, u32::from(!self.present.is_empty()));
        cx.observe(Observation::Level { waiting, busy });
    }
}

impl Process<Customer> for Station {
    type Timer = ();

    fn message(&mut self, cx: &mut Context<'_, Customer, ()>, _: NodeId, Customer(message): Customer) {
        cx.observe(Observation::Arrived);
        cx.observe(Observation::Received { message, duplicate: false });
        self.present.push_back((message, cx.now()));
        if self.present.len() == 1 {
            self.serve(cx);
        }
        self.level(cx);
    }

    fn timer(&mut self, cx: &mut Context<'_, Customer, ()>, (): ()) {
        let (message, arrived) = self.present.pop_front().expect("somebody was served");
        cx.observe(Observation::Served { wait: self.began.since(arrived), work: cx.now().since(self.began) });
        cx.observe(Observation::Handled { message, outcome: Outcome::Done });
        if !self.present.is_empty() {
            self.serve(cx);
        }
        self.level(cx);
    }
}

/// Plays until so many customers are served.
pub fn play(customers: u32) -> Run {
    let mut cluster = Cluster::seeded(42);
    let service = Distribution::exponential(SERVICE).expect("the mean is above zero");
    let station = cluster.nodes("station", 1, move |_| Station {
        service: service.clone(),
        present: VecDeque::new(),
        began: Steady::default(),
    })[0];
    let gap = Distribution::exponential(GAP).expect("the mean is above zero");
    cluster.nodes("source", 1, move |_| Source { station, gap: gap.clone(), number: 0, customers });
    cluster.link_all(Link::default());
    let (nodes, always) = (cluster.names().span(), (Time::ZERO, Time::MAX));
    cluster.observe(Ledger::new(nodes, &[Correctness::Handled], always, secs(1)));
    cluster.observe(Stations::new(nodes, &[vec![station]], always, secs(1)));

    #[allow(clippy::disallowed_methods, reason = "a benchmark reads the wall clock")]
    let start = std::time::Instant::now();
    while cluster.advance(Time::MAX, u64::MAX) {}
    let wall = start.elapsed();

    let (end, mut observers) = (cluster.now(), cluster.take_observers());
    let [ledger, stations] = &mut observers[..] else { panic!("two observers") };
    let ledger = (&mut **ledger as &mut dyn std::any::Any).downcast_mut::<Ledger>().expect("the first");
    let handled = ledger.close().expect("the books balance")[0].total.fate(Fate::Handled);
    let stations = (&mut **stations as &mut dyn std::any::Any).downcast_mut::<Stations>().expect("the second");
    let book = &stations.close(end)[0];
    assert_eq!(book.served, handled, "the books agree");
    Run { customers: handled, sojourn: book.residence.mean().unwrap_or(f64::NAN) / 1e9, wall }
}
