use super::*;
use crate::base::probability::percent;
use crate::base::random::{Seed, mix};

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
                let path = Path::At(some.iter().copied().collect());
                let half = percent(50.0);
                let _ = match draw(11) {
                    0 => cluster.fault(&name, Crash { nodes: some }, times),
                    1 => cluster.fault(&name, Pause { nodes: some }, times),
                    2 => cluster.fault(&name, Slow { nodes: some, factor: 1.5 + draw(9) as f64 }, times),
                    3 => cluster.fault(&name, Cut(Severed::Alone(some.into_iter().collect())), times),
                    4 => cluster.fault(&name, Hold(path), times),
                    5 => cluster.fault(&name, Impair::new(path, Loss(half)), times),
                    6 => cluster.fault(&name, Impair::new(path, Duplicate(half)), times),
                    7 => cluster.fault(&name, Impair::new(path, Delay(Distribution::constant(ms(9)))), times),
                    8 => cluster.fault(&name, Impair::new(path, Corrupt(half)), times),
                    9 => {
                        let rate = crate::base::units::Bandwidth::from_bits_per_sec(9_000_000).expect("above zero");
                        cluster.fault(&name, Pace { on: path, rate }, times)
                    }
                    _ => {
                        let rate = (1 + draw(30)) as f64 / 10.0;
                        cluster.fault(&name, Skew { nodes: some, rate, offset: 0 }, times)
                    }
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
