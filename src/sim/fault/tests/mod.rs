mod laws;
mod network;
mod nodes;

use super::*;
use crate::base::distribution::Distribution;
use crate::base::time::{Span, Time, ms};
use crate::network::Link;
use crate::process::{Clock, Context, Identity, Inline, Leg, Name, Process};
use crate::sim::Cluster;

#[derive(Clone, Copy)]
struct Note(u32);

impl Message for Note {
    type Carriage = Inline<Self>;

    fn identity(&self) -> Identity {
        Identity { name: Name::Luck(self.0.into()), attempt: 0, leg: Leg::Out }
    }

    fn size(&self) -> u64 {
        1000
    }

    fn digest(&self) -> u64 {
        self.0.into()
    }
}

type Cx<'a> = Context<'a, Note, u32>;

/// Sends a note to `to` every 10 ms, and keeps what comes, with its time; timers are kept alike, as 1000 + value.
#[derive(Default)]
struct Node {
    to: Option<NodeId>,
    work: Vec<Span>,
    seen: Vec<(u64, u32)>,
    recalled: Option<u8>,
    /// How far the calendar clock was ahead at each timer, in nanoseconds.
    ahead: Vec<u64>,
}

impl Node {
    fn keep(&mut self, cx: &Cx<'_>, what: u32) {
        self.seen.push((cx.now().as_nanos() / 1_000_000, what));
    }
}

impl Process<Note> for Node {
    type Timer = u32;

    fn start(&mut self, cx: &mut Cx<'_>) {
        for (value, &length) in (0..).zip(&self.work) {
            cx.set_timer(Clock::Work, length, value);
        }
        if self.to.is_some() {
            cx.set_timer(Clock::Steady, ms(10), 100);
        }
    }

    fn message(&mut self, cx: &mut Cx<'_>, _: NodeId, Note(number): Note) {
        self.keep(cx, number);
        cx.persist(0, vec![number as u8]);
    }

    fn timer(&mut self, cx: &mut Cx<'_>, value: u32) {
        self.keep(cx, 1000 + value);
        self.ahead.push(cx.wall().as_nanos() - cx.now().as_nanos());
        if let Some(to) = self.to
            && value >= 100
        {
            cx.send(to, Note(value - 100));
            cx.set_timer(Clock::Steady, ms(10), value + 1);
        }
    }
}

/// A node that sends to another over 1 ms, which has this work to do.
fn pair(work: &[Span]) -> (Cluster<Note>, NodeId, NodeId) {
    let mut cluster = Cluster::seeded(1);
    let work = work.to_vec();
    let build = move |boot: crate::process::Boot<'_>| Node {
        work: work.clone(),
        recalled: boot.disk.get(&0).map(|bytes| bytes[0]),
        ..Node::default()
    };
    let receiver = cluster.nodes("receiver", 1, build)[0];
    let sender = cluster.nodes("sender", 1, move |_| Node { to: Some(receiver), ..Node::default() })[0];
    cluster.link_all(Link::latency(Distribution::constant(ms(1))));
    (cluster, sender, receiver)
}

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

fn during(from: u64, to: u64) -> [(Time, Option<Time>); 1] {
    [(at(from), Some(at(to)))]
}

fn seen(cluster: &Cluster<Note>, node: NodeId) -> Vec<(u64, u32)> {
    cluster.process::<Node>(node).expect("it is up").seen.clone()
}

fn book(cluster: &Cluster<Note>, name: &str) -> FaultBook {
    cluster.fault_book(name).expect("a fault of that name").clone()
}
