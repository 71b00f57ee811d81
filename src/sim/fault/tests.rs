use std::collections::BTreeMap;

use super::*;
use crate::base::distribution::Distribution;
use crate::base::random::{Seed, mix};
use crate::base::time::{Span, Time, ms};
use crate::network::{Cause, Link};
use crate::process::{Clock, Context, Identity, Inline, Leg, Name, Process};
use crate::sim::Cluster;

#[derive(Clone, Copy)]
struct Note(u32);

impl Message for Note {
    type Carriage = Inline<Self>;

    fn identity(&self) -> Identity {
        Identity { name: Name::Luck(self.0.into()), attempt: 0, leg: Leg::Out }
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

#[test]
fn a_node_that_is_down_hears_nothing_and_recalls_what_was_synced() {
    let (mut cluster, _, receiver) = pair(&[ms(500)]);
    cluster.fault("crash", Crash { nodes: vec![receiver] }, during(25, 45));
    let outcome = cluster.run_until(at(65));
    // Notes 0, 1 arrive at 11 and 21 ms, 2 and 3 while it is down, 4 and 5 afterwards.
    assert_eq!(seen(&cluster, receiver), [(51, 4), (61, 5)]);
    assert_eq!(cluster.process::<Node>(receiver).and_then(|node| node.recalled), Some(1));
    assert_eq!(outcome.wire.total().dropped_for(Cause::ReceiverDown), 2);
    assert_eq!(book(&cluster, "crash"), FaultBook { strikes: 1, nodes: 1, messages: 2, timers: 1 });
}

#[test]
fn what_was_not_synced_is_forgotten() {
    let (mut cluster, _, receiver) = pair(&[]);
    // The note that arrives at 11 ms is written within a nanosecond: too late.
    cluster.fault("crash", Crash { nodes: vec![receiver] }, [(at(11) + Span::from_nanos(1), Some(at(12)))]);
    cluster.run_until(at(15));
    assert_eq!(cluster.process::<Node>(receiver).and_then(|node| node.recalled), None);
    assert!(cluster.disk(receiver).is_none());
}

#[test]
fn one_that_never_heals_kills() {
    let (mut cluster, _, receiver) = pair(&[]);
    cluster.fault("kill", Crash { nodes: vec![receiver] }, [(at(5), None)]);
    let outcome = cluster.run_until(at(35));
    assert!(cluster.process::<Node>(receiver).is_none());
    assert_eq!(outcome.wire.total().delivered, 0);
}

#[test]
fn a_paused_node_takes_everything_in_later_and_in_order() {
    let (mut cluster, sender, receiver) = pair(&[]);
    cluster.fault("receiver", Pause { nodes: vec![receiver] }, during(15, 45));
    cluster.fault("sender", Pause { nodes: vec![sender] }, during(62, 95));
    let outcome = cluster.run_until(at(110));
    assert_eq!(seen(&cluster, receiver), [(11, 0), (45, 1), (45, 2), (45, 3), (51, 4), (61, 5), (96, 6), (106, 7)]);
    // The sender's timer of 70 ms rings at 95 ms; the next one is set from there.
    assert_eq!(seen(&cluster, sender)[5..8], [(60, 1105), (95, 1106), (105, 1107)]);
    assert_eq!(outcome.wire.total().dropped_for(Cause::ReceiverDown), 0);
    assert_eq!(book(&cluster, "receiver"), FaultBook { strikes: 1, nodes: 1, messages: 3, timers: 0 });
    assert_eq!(book(&cluster, "sender"), FaultBook { strikes: 1, nodes: 1, messages: 0, timers: 1 });
}

#[test]
fn work_stands_still_in_a_pause_and_takes_longer_on_a_slow_node() {
    let rings = |faults: &dyn Fn(&mut Cluster<Note>, NodeId)| {
        let (mut cluster, _, receiver) = pair(&[ms(10), ms(20)]);
        faults(&mut cluster, receiver);
        cluster.run_until(at(200));
        let work = |&(_, what): &(u64, u32)| (1000..1100).contains(&what);
        seen(&cluster, receiver).into_iter().filter(work).map(|(time, _)| time).collect::<Vec<_>>()
    };
    let pause = |from, to| {
        move |cluster: &mut Cluster<Note>, node| {
            _ = cluster.fault("pause", Pause { nodes: vec![node] }, during(from, to))
        }
    };
    let slow = |factor, from, to| {
        move |cluster: &mut Cluster<Note>, node| {
            _ = cluster.fault(&format!("slow {factor}"), Slow { nodes: vec![node], factor }, during(from, to));
        }
    };
    assert_eq!(rings(&|_, _| ()), [10, 20]);
    assert_eq!(rings(&pause(4, 7)), [13, 23]);
    // 5 ms are done at 5 ms, 2 more at 9 ms, the remaining 3 at 12 ms.
    assert_eq!(rings(&slow(2.0, 5, 9)), [12, 22]);
    assert_eq!(rings(&slow(4.0, 12, 200)), [10, 44]);
    assert_eq!(
        rings(&|cluster, node| {
            slow(2.0, 4, 12)(cluster, node);
            slow(3.0, 6, 12)(cluster, node);
            pause(8, 10)(cluster, node);
        }),
        // Done by 4 ms: 4; by 6: 5; by 8: 5 1/3; at 10 the same; by 12: 5 2/3.
        [16, 26]
    );
}

#[test]
fn a_cut_stops_what_is_sent_and_what_is_under_way() {
    let cuts = |severed: &dyn Fn(NodeId, NodeId) -> Severed| {
        let (mut cluster, sender, receiver) = pair(&[]);
        // Note 1 is sent at 20 ms and under way when the cut comes.
        cluster.fault("cut", Cut(severed(sender, receiver)), [(at(20) + Span::from_nanos(500), Some(at(45)))]);
        let outcome = cluster.run_until(at(65));
        let book = book(&cluster, "cut");
        (seen(&cluster, receiver).len(), outcome.wire.total().dropped_for(Cause::Partition), book)
    };
    let set = |node| BTreeSet::from([node]);
    let book = FaultBook { strikes: 1, nodes: 2, messages: 3, timers: 0 };
    assert_eq!(cuts(&|a, b| Severed::Sides(BTreeMap::from([(a, 0), (b, 1)]))), (3, 3, book.clone()));
    assert_eq!(cuts(&|a, b| Severed::OneWay(set(a), set(b))), (3, 3, book.clone()));
    assert_eq!(cuts(&|a, _| Severed::Alone(set(a))), (3, 3, FaultBook { nodes: 1, ..book.clone() }));
    let idle = FaultBook { messages: 0, ..book };
    assert_eq!(cuts(&|a, b| Severed::OneWay(set(b), set(a))), (6, 0, idle.clone()));
    // Who stands on no side reaches all.
    assert_eq!(cuts(&|a, _| Severed::Sides(BTreeMap::from([(a, 0)]))).0, 6);
}

#[test]
fn a_node_is_down_as_long_as_any_fault_keeps_it_so() {
    let (mut cluster, _, receiver) = pair(&[]);
    cluster.fault("first", Crash { nodes: vec![receiver] }, during(5, 25));
    cluster.fault("second", Crash { nodes: vec![receiver] }, during(15, 45));
    cluster.fault("pause", Pause { nodes: vec![receiver] }, during(40, 55));
    cluster.run_until(at(65));
    // It may start at 45 ms, but is paused until 55 ms: the note of 51 ms waits.
    assert_eq!(seen(&cluster, receiver), [(55, 4), (61, 5)]);
    let messages = ["first", "second", "pause"].map(|name| book(&cluster, name).messages);
    assert_eq!(messages, [2, 3, 1]);
}

/// Asks a random peer, which answers; who is answered asks again, who is not asks anew after a while.
struct Gossip {
    nodes: u32,
    number: u32,
}

impl Gossip {
    fn ask(&mut self, cx: &mut Cx<'_>) {
        self.number += 1;
        let peer = NodeId::new(cx.choose(self.nodes as usize) as u32);
        cx.send(peer, Note(self.number << 1));
        cx.set_timer(Clock::Steady, ms(5), self.number);
        cx.set_timer(Clock::Work, ms(3), 0);
    }
}

impl Process<Note> for Gossip {
    type Timer = u32;

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.ask(cx);
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, Note(word): Note) {
        if word & 1 == 0 {
            cx.send(from, Note(word | 1));
        } else if word >> 1 == self.number {
            self.ask(cx);
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, number: u32) {
        if number == self.number {
            self.ask(cx);
        }
    }
}

/// Random overlapping faults on eight nodes: the wire's book balances at all times (the driver checks), nothing reaches a
/// node that is down, a run is the same each time, and once all is healed every node works.
#[test]
fn books_balance_under_random_faults() {
    for seed in 0..60 {
        let play = || {
            let mut cluster = Cluster::seeded(seed);
            let nodes = cluster.nodes("peer", 8, |_| Gossip { nodes: 8, number: 0 });
            cluster.link_all(Link::latency(Distribution::uniform(ms(1), ms(4)).expect("in order")));
            let mut luck = Seed(seed).key("faults").stream(Default::default(), 0);
            for number in 0..12 {
                let name = number.to_string();
                let mut draw = |bound| luck.draw().below(bound);
                let from = draw(150);
                let times = during(from, from + 1 + draw(80));
                let some: Vec<_> = nodes.iter().copied().filter(|_| draw(3) == 0).collect();
                let _ = match draw(4) {
                    0 => cluster.fault(&name, Crash { nodes: some }, times),
                    1 => cluster.fault(&name, Pause { nodes: some }, times),
                    2 => cluster.fault(&name, Slow { nodes: some, factor: 1.5 + draw(9) as f64 }, times),
                    _ => cluster.fault(&name, Cut(Severed::Alone(some.into_iter().collect())), times),
                };
            }
            for step in 1..=25 {
                cluster.run_until(at(10 * step));
            }
            let before = cluster.outcome();
            let chains: Vec<_> = cluster.chains().collect();
            let after = cluster.run_until(at(400));
            let idle = cluster.chains().zip(chains).filter(|(now, then)| now == then).count();
            assert_eq!(idle, 0, "seed {seed}: every node works once all is healed");
            let lost = after.wire.total().dropped.iter().sum::<u64>() - before.wire.total().dropped.iter().sum::<u64>();
            assert_eq!(lost, 0, "seed {seed}: nothing is lost once all is healed");
            let books: Vec<_> = (0..12).map(|number: u32| cluster.fault_book(&number.to_string()).cloned()).collect();
            (mix(after.digest.bits()), books)
        };
        assert_eq!(play(), play());
    }
}
