//! SWIM among a handful of nodes on a network of a few lines.

use std::collections::BTreeMap;

use super::*;
use crate::protocol::laws::draws;

/// Nodes and the messages between them, each on its way for 1 ms unless it is lost.
struct Group {
    nodes: Vec<Swim>,
    draws: Vec<Box<dyn FnMut() -> Uniform>>,
    down: Vec<u32>,
    now: Time,
    on_the_way: BTreeMap<(Time, u64), (u32, u32, Gossip)>,
    sent: u64,
    /// Who came to believe what of whom, and when.
    changes: Vec<(Time, u32, u32, Opinion)>,
}

impl Group {
    fn new(settings: &SwimSettings, members: u32, seed: u64) -> Self {
        let count = NonZeroU32::new(members).unwrap();
        let luck = |node| Box::new(draws(seed << 16 | u64::from(node))) as Box<dyn FnMut() -> Uniform>;
        Self {
            nodes: (0..members).map(|me| Swim::new(settings, me, count, Time::ZERO)).collect(),
            draws: (0..members).map(luck).collect(),
            down: vec![],
            now: Time::ZERO,
            on_the_way: BTreeMap::new(),
            sent: 0,
            changes: vec![],
        }
    }

    /// Plays until `until`, or until `is_over`; `is_lost` is told the message's count, sender and receiver.
    fn play(&mut self, until: Time, is_lost: impl Fn(u64, u32, u32) -> bool, is_over: impl Fn(&Self) -> bool) {
        while !is_over(self) {
            let woken = (0..self.nodes.len()).filter(|node| !self.down.contains(&(*node as u32)));
            let (due, node) = woken.map(|node| (self.nodes[node].next(), node)).min().unwrap();
            let message = self.on_the_way.first_key_value().map(|(&key, _)| key).filter(|(at, _)| *at <= due);
            self.now = message.map_or(due, |(at, _)| at);
            if self.now >= until {
                return;
            }
            let mut effects = vec![];
            let me = match message.and_then(|key| self.on_the_way.remove(&key)) {
                Some((_, to, _)) if self.down.contains(&to) => continue,
                Some((from, to, gossip)) => {
                    self.nodes[to as usize].heard(from, gossip, self.now, &mut effects);
                    to
                }
                None => {
                    self.nodes[node].wake(self.now, &mut self.draws[node], &mut effects);
                    node as u32
                }
            };
            for effect in effects {
                match effect {
                    Effect::Send { to, gossip } => {
                        if !is_lost(self.sent, me, to) {
                            self.on_the_way.insert((self.now + ms(1), self.sent), (me, to, gossip));
                        }
                        self.sent += 1;
                    }
                    Effect::Changed { member, opinion } => self.changes.push((self.now, me, member, opinion)),
                }
            }
        }
    }
}

fn after(seconds: u64) -> Time {
    Time::ZERO + secs(seconds)
}

/// Each of ten members sends a ping and an answer on average: 2 × 10 × 20 messages in 20 periods.
#[test]
fn a_member_sends_two_messages_per_period() {
    for targets in [Targets::RoundRobin, Targets::Random] {
        let mut group = Group::new(&SwimSettings { targets, ..Default::default() }, 10, 1);
        group.play(after(20), |_, _, _| false, |_| false);
        assert_eq!((group.sent, group.changes.len()), (400, 0));
    }
}

/// In each period, every one of n − 1 live members pings the dead one with probability 1/(n − 1): whole periods until the first
/// does are 1/(1 − (1 − 1/(n − 1))^(n − 1)) on average, 1.53008 for 10 and 1.57732 for 100, with a standard deviation of 0.90
/// and 0.96. Four standard errors of the samples taken.
#[test]
fn a_dead_member_is_first_suspected_after_as_many_periods_as_published() {
    let settings = SwimSettings { targets: Targets::Random, ..Default::default() };
    for (members, samples, expected, tolerance) in [(10, 10_000, 1.530_08, 0.036), (100, 2_000, 1.577_32, 0.086)] {
        let mut periods = 0.0;
        for sample in 0..samples {
            let mut group = Group::new(&settings, members, sample);
            group.down = vec![members - 1];
            group.play(Time::MAX, |_, _, _| false, |group| !group.changes.is_empty());
            assert_eq!(group.changes[0].2, members - 1, "nobody else is suspected");
            periods += group.changes[0].0.as_secs_f64();
        }
        let mean = periods / samples as f64;
        assert!((mean - expected).abs() < tolerance, "{members}: {mean} for {expected}");
    }
}

/// A probe takes two messages, and four more for each helper. Over all ways in which they can be lost, with 5 % for each, the
/// probability that the target is suspected is (1 − q²)(1 − q⁴)^k exactly: 6.22289e-4 for three helpers, 1.80856e-2 for one.
#[test]
fn a_member_that_is_well_is_suspected_as_seldom_as_published() {
    for (helpers, messages, expected) in [(3, 14, 0.000_622_289), (1, 6, 0.018_085_6)] {
        let settings = SwimSettings { helpers, ..Default::default() };
        let probability: f64 = (0_u32..1 << messages)
            .filter(|lost| {
                let mut group = Group::new(&settings, 5, 1);
                // One probes, the others only answer.
                group.nodes[1..].iter_mut().for_each(|node| node.starts = Time::MAX);
                group.play(after(1) + ms(1), |count, _, _| lost >> count & 1 == 1, |_| false);
                !group.changes.is_empty()
            })
            .map(|lost| (0..messages).map(|bit| if lost >> bit & 1 == 1 { 0.05 } else { 0.95 }).product::<f64>())
            .sum();
        assert!((probability / expected - 1.0).abs() < 1e-5, "{helpers}: {probability}");
    }
}

/// Of 50 members one is dead. The others suspect it within the first periods, and each believes it dead four times log10 50 = 6.8
/// periods after it has heard of the suspicion (or when it hears that it is dead).
#[test]
fn all_learn_of_a_death_and_nobody_else_is_harmed() {
    let mut group = Group::new(&SwimSettings::default(), 50, 3);
    group.down = vec![7];
    group.play(after(30), |_, _, _| false, |_| false);
    let first = group.changes.iter().find(|change| change.3 == Opinion::Suspect).unwrap().0;
    let dead: Vec<_> = group.changes.iter().filter(|change| change.3 == Opinion::Dead).collect();
    assert!(group.changes.iter().all(|change| change.2 == 7));
    assert_eq!(dead.len(), 49, "all but the dead one");
    let suspicion = secs(4).as_nanos() as f64 * libm::log10(50.0);
    assert_eq!(dead[0].0.since(first), Span::from_nanos_f64(suspicion), "the first to suspect is the first to believe");
}

/// Member 2 hears and says nothing for two seconds. It is suspected, hears of it once the network is well, and objects within
/// the four seconds it has. It has wrong ideas of the others too, who object in their turn.
#[test]
fn a_member_that_was_cut_off_objects() {
    let mut group = Group::new(&SwimSettings::default(), 5, 1);
    group.play(after(2) + ms(10), |_, from, to| from == 2 || to == 2, |_| false);
    assert!(group.changes.iter().any(|change| (change.2, change.3) == (2, Opinion::Suspect)));
    group.play(after(60), |_, _, _| false, |_| false);
    assert!(group.changes.iter().all(|change| (change.2, change.3) != (2, Opinion::Dead)), "{:?}", group.changes);
    for node in &group.nodes {
        assert!((0..5).all(|member| node.opinion(member) == Opinion::Alive), "{}", node.me);
    }
    assert!(group.nodes[2].members[2].incarnation > 0, "it has objected");
}

/// Member 2 comes back as a new process, which knows nothing of its death: it is told with the first answer it gets.
#[test]
fn a_member_that_comes_back_is_believed_again() {
    let settings = SwimSettings::default();
    let mut group = Group::new(&settings, 5, 1);
    group.down = vec![2];
    group.play(after(20), |_, _, _| false, |_| false);
    assert_eq!(group.nodes[0].opinion(2), Opinion::Dead);
    group.down.clear();
    group.nodes[2] = Swim::new(&settings, 2, NonZeroU32::new(5).unwrap(), after(20));
    group.play(after(30), |_, _, _| false, |_| false);
    assert!(group.nodes.iter().all(|node| node.opinion(2) == Opinion::Alive));
}

/// In a shuffled round each of the 9 others is pinged once, whatever the order.
#[test]
fn a_round_leaves_nobody_out() {
    let mut node = Swim::new(&SwimSettings::default(), 0, NonZeroU32::new(10).unwrap(), Time::ZERO);
    let mut draw = draws(5);
    for _ in 0..3 {
        let mut round: Vec<_> = (0..9).map(|_| node.draw_target(&mut draw).unwrap()).collect();
        round.sort_unstable();
        assert_eq!(round, [1, 2, 3, 4, 5, 6, 7, 8, 9]);
    }
}

/// What makes no sense is no reason to fall over.
#[test]
fn messages_from_strangers_are_ignored() {
    let mut node = Swim::new(&SwimSettings::default(), 0, NonZeroU32::MIN, Time::ZERO);
    let (before, mut effects) = (node.clone(), vec![]);
    let update = Some(Update { member: 9, opinion: Opinion::Dead, incarnation: 0 });
    for (from, subject) in [(9, 0), (0, 9)] {
        let gossip = Gossip { kind: GossipKind::PingReq, subject, sequence: 0, update };
        node.heard(from, gossip, Time::ZERO, &mut effects);
    }
    assert_eq!((node.clone(), effects.len()), (before, 0));
    node.wake(Time::ZERO, &mut || unreachable!("there is nobody to draw"), &mut effects);
    assert!(effects.is_empty() && node.next() == after(1));
}
