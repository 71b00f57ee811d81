//! What happens at the nodes that serve requests: arrivals, waiting, work, refusals.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Kind, Observation, Outcome, TurnedAway, Wanted};
use crate::sim::Observer;

use super::curve::Curve;
use super::histogram::Histogram;
use super::saga::{OpenSagas, SagaBook};

/// The books of all stations of a run.
#[derive(Debug)]
pub struct Stations {
    /// The group of each node, by dense id; `None` for nodes that are no stations.
    groups: Vec<Option<u16>>,
    nodes: Vec<NodeLevel>,
    books: Vec<StationBook>,
    /// What the nodes of each group are at together.
    levels: Vec<GroupLevel>,
    /// Sagas that are not over, of nodes that have had one.
    sagas: BTreeMap<u32, OpenSagas>,
    measured: (Time, Time),
}

/// The level at one node since it last changed.
#[derive(Clone, Copy, Debug, Default)]
struct NodeLevel {
    since: Time,
    waiting: u32,
    busy: u32,
    at_risk: u32,
    outbox: Outbox,
}

/// The level at all nodes of a group.
#[derive(Clone, Copy, Debug, Default)]
struct GroupLevel {
    waiting: u64,
    busy: u64,
}

/// How many messages were in the outbox of a node since that last changed.
#[derive(Clone, Copy, Debug, Default)]
struct Outbox {
    since: Time,
    count: u32,
}

/// What a group of stations did while it was measured.
#[derive(Clone, Debug, Default)]
pub struct StationBook {
    /// Nodes in the group.
    pub nodes: u32,
    /// Requests that arrived.
    pub arrived: u64,
    /// Requests served.
    pub served: u64,
    /// Requests not served well, by [`Outcome`] in the order of [`Outcome::ALL`].
    pub refused: [u64; Outcome::ALL.len()],
    /// Requests the station itself let go unserved, by [`TurnedAway`] in the order of [`TurnedAway::ALL`]; the others that were
    /// refused ended badly later on.
    pub turned_away: [u64; TurnedAway::COUNT],
    /// Requests that were answered well, and whose effects a crash took; of the whole run.
    pub forgotten: u64,
    /// Time in the queue, of requests served.
    pub wait: Histogram,
    /// Time with a worker.
    pub work: Histogram,
    /// Both together.
    pub residence: Histogram,
    /// Integrals over time of the number waiting and of workers at work, summed over the nodes: request seconds.
    pub waiting_seconds: f64,
    /// See `waiting_seconds`.
    pub busy_seconds: f64,
    /// The most requests waiting, and present, at one node.
    pub waiting_max: u32,
    /// See `waiting_max`.
    pub present_max: u32,
    /// The number waiting at all nodes together over time, from the start of the run, measured or not.
    pub waiting: Curve,
    /// The number of workers at work at all nodes together over time, from the start of the run, measured or not.
    pub busy: Curve,
    /// Integral over time of the number of messages in outboxes, summed over the nodes: message seconds.
    pub outbox_seconds: f64,
    /// The most at one node.
    pub outbox_max: u32,
    /// What became of the sagas that it coordinates.
    pub sagas: SagaBook,
    /// Messages of outboxes that brokers refused or returned, each time counted: they are published again.
    pub outbox_refused: u64,
    /// The length of the measured time in seconds.
    pub seconds: f64,
}

impl StationBook {
    /// Requests refused for `outcome`.
    pub fn refused_for(&self, outcome: Outcome) -> u64 {
        self.refused[outcome as usize]
    }

    /// Requests that ended: served, or refused for whatever reason.
    pub fn ended(&self) -> u64 {
        self.served + self.refused.iter().sum::<u64>()
    }

    /// Requests let go unserved for this reason.
    pub fn turned_away_for(&self, why: TurnedAway) -> u64 {
        self.turned_away[why as usize]
    }

    /// The mean number waiting at a node.
    pub fn waiting_mean(&self) -> f64 {
        self.waiting_seconds / self.node_seconds()
    }

    /// The mean number of workers at work at a node.
    pub fn busy_mean(&self) -> f64 {
        self.busy_seconds / self.node_seconds()
    }

    /// The mean number present at a node.
    pub fn present_mean(&self) -> f64 {
        (self.waiting_seconds + self.busy_seconds) / self.node_seconds()
    }

    /// The mean number of messages in the outbox of a node.
    pub fn outbox_mean(&self) -> f64 {
        self.outbox_seconds / self.node_seconds()
    }

    fn node_seconds(&self) -> f64 {
        self.seconds * f64::from(self.nodes)
    }
}

impl Stations {
    /// Books over `nodes` ids; `groups` lists the members of each group of stations. Measured from `measured.0` to
    /// `measured.1`; curves have steps of this length.
    pub fn new(nodes: usize, groups: &[Vec<NodeId>], measured: (Time, Time), step: Span) -> Self {
        let mut of_node = vec![None; nodes];
        for (index, group) in groups.iter().enumerate() {
            let index = u16::try_from(index).expect("a system has fewer than 65 536 groups of stations");
            group.iter().for_each(|node| of_node[node.index() as usize] = Some(index));
        }
        let seconds = measured.1.since(measured.0).as_secs_f64();
        let book = |group: &Vec<NodeId>| StationBook {
            nodes: group.len() as u32,
            waiting: Curve::new(step),
            busy: Curve::new(step),
            seconds,
            ..StationBook::default()
        };
        Self {
            groups: of_node,
            nodes: vec![NodeLevel::default(); nodes],
            books: groups.iter().map(book).collect(),
            levels: vec![GroupLevel::default(); groups.len()],
            sagas: BTreeMap::new(),
            measured,
        }
    }

    /// Ends the run: the books, in the order of the groups.
    pub fn close(&mut self, end: Time) -> &[StationBook] {
        for index in 0..self.nodes.len() {
            self.pass(index, self.measured.1);
            self.set_outbox(index, self.measured.1, 0);
        }
        let end = end.max(self.measured.1);
        for book in &mut self.books {
            book.waiting.close(end);
            book.busy.close(end);
        }
        &self.books
    }

    /// How many sagas that count are not over, and were not forgotten for good.
    pub fn open_sagas(&self) -> usize {
        self.sagas.values().map(OpenSagas::count).sum()
    }

    fn set_outbox(&mut self, index: usize, now: Time, count: u32) {
        let Some(group) = self.groups[index] else { return };
        let (node, book) = (&mut self.nodes[index].outbox, &mut self.books[group as usize]);
        let (from, to) = (node.since.max(self.measured.0), now.min(self.measured.1));
        if from < to {
            book.outbox_seconds += f64::from(node.count) * to.since(from).as_secs_f64();
        }
        if self.measured.0 <= now && now < self.measured.1 {
            book.outbox_max = book.outbox_max.max(count);
        }
        *node = Outbox { since: now, count };
    }

    /// A node stayed at its level until now.
    fn pass(&mut self, index: usize, now: Time) {
        let Some(group) = self.groups[index] else { return };
        let (node, book) = (&self.nodes[index], &mut self.books[group as usize]);
        // Only what lies within the measured time counts.
        let (from, to) = (node.since.max(self.measured.0), now.min(self.measured.1));
        let seconds = to.since(from).as_secs_f64();
        if seconds > 0.0 {
            book.waiting_seconds += f64::from(node.waiting) * seconds;
            book.busy_seconds += f64::from(node.busy) * seconds;
        }
    }

    fn set_level(&mut self, index: usize, now: Time, waiting: u32, busy: u32) {
        let Some(group) = self.groups[index] else { return };
        self.pass(index, now);
        let group = usize::from(group);
        let (node, book, level) = (&mut self.nodes[index], &mut self.books[group], &mut self.levels[group]);
        if self.measured.0 <= now && now < self.measured.1 {
            book.waiting_max = book.waiting_max.max(waiting);
            book.present_max = book.present_max.max(waiting + busy);
        }
        if waiting != node.waiting {
            level.waiting = level.waiting - u64::from(node.waiting) + u64::from(waiting);
            book.waiting.set(now, level.waiting);
        }
        if busy != node.busy {
            level.busy = level.busy - u64::from(node.busy) + u64::from(busy);
            book.busy.set(now, level.busy);
        }
        (node.since, node.waiting, node.busy) = (now, waiting, busy);
    }

    fn take(&mut self, now: Time, node: NodeId, observation: &Observation) {
        let index = node.index() as usize;
        let Some(group) = self.groups[index] else { return };
        let counts = self.measured.0 <= now && now < self.measured.1;
        let book = &mut self.books[group as usize];
        match *observation {
            Observation::Level { waiting, busy } => self.set_level(index, now, waiting, busy),
            Observation::OutboxDepth { count } => self.set_outbox(index, now, count),
            Observation::OutboxRefused if counts => book.outbox_refused += 1,
            Observation::AtRisk { count } => self.nodes[index].at_risk = count,
            Observation::Down => {
                let at_risk = std::mem::take(&mut self.nodes[index].at_risk);
                book.forgotten += u64::from(at_risk);
                if let Some(open) = self.sagas.get_mut(&node.index()) {
                    open.crash(&mut book.sagas);
                }
                self.set_level(index, now, 0, 0);
            }
            Observation::Saga { saga, fact } => {
                self.sagas.entry(node.index()).or_default().take(&mut book.sagas, saga, fact, counts);
            }
            Observation::Arrived if counts => book.arrived += 1,
            Observation::Served { wait, work } if counts => {
                book.served += 1;
                book.wait.record(wait);
                book.work.record(work);
                book.residence.record(wait + work);
            }
            Observation::TurnedAway { why } if counts => book.turned_away[why as usize] += 1,
            Observation::Refused { why } if counts => book.refused[why as usize] += 1,
            _ => {}
        }
    }
}

impl Observer for Stations {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Station).and(Kind::Life)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        self.take(now, node, observation);
    }
}

/// The length of a step of the curves over time: about a hundredth of the load's `duration`, and such that the measured
/// time, which begins after `warmup`, is made of whole steps, if no more than two thousand are needed for that.
pub fn curve_step(warmup: Span, duration: Span) -> Span {
    let round = round_step(duration).as_nanos();
    let (mut common, mut rest) = (duration.as_nanos(), warmup.as_nanos());
    while rest > 0 {
        (common, rest) = (rest, common % rest);
    }
    let least = duration.as_nanos().div_ceil(2_000).max(1);
    let parts = common.div_ceil(round)..=common / least;
    let whole = parts.map(|part| (common.is_multiple_of(part), common / part)).find(|(divides, _)| *divides);
    Span::from_nanos(whole.map_or(round, |(_, step)| step))
}

/// A hundredth of the duration, rounded up to 1, 2 or 5 times a power of ten nanoseconds.
fn round_step(duration: Span) -> Span {
    let wanted = duration.as_nanos().div_ceil(100).max(1);
    let mut step = 1_u64;
    for factor in [2, 5, 10].into_iter().cycle() {
        if step >= wanted {
            break;
        }
        // 1, 2, 5, 10: each from the decade's start.
        let decade = 10_u64.saturating_pow(step.ilog10());
        step = decade.saturating_mul(factor);
    }
    Span::from_nanos(step)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    #[test]
    fn levels_are_integrated_within_the_measured_time() {
        let node = NodeId::new(1);
        let at = |seconds| Time::ZERO + secs(seconds);
        let mut stations = Stations::new(2, &[vec![node]], (at(10), at(20)), secs(5));
        stations.observe(at(0), node, &Observation::Level { waiting: 4, busy: 1 });
        stations.observe(at(15), node, &Observation::Level { waiting: 0, busy: 1 });
        stations.observe(at(15), node, &Observation::Arrived);
        stations.observe(at(25), node, &Observation::Level { waiting: 9, busy: 1 });
        stations.observe(at(25), node, &Observation::Arrived);
        let book = &stations.close(at(30))[0];
        // Four waited for five of ten seconds, one worked throughout.
        assert_eq!((book.waiting_mean(), book.busy_mean(), book.present_mean()), (2.0, 1.0, 3.0));
        assert_eq!((book.arrived, book.waiting_max), (1, 0));
    }

    /// Two nodes: one has three waiting from 5 s to 10 s and is busy from then on, the other has one waiting and two at work from 0 s
    /// until it crashes at 15 s.
    #[test]
    fn what_a_group_is_at_is_the_sum_over_its_nodes() {
        let (one, other) = (NodeId::new(0), NodeId::new(1));
        let at = |seconds| Time::ZERO + secs(seconds);
        let mut stations = Stations::new(2, &[vec![one, other]], (at(10), at(20)), secs(10));
        stations.observe(at(0), other, &Observation::Level { waiting: 1, busy: 2 });
        stations.observe(at(5), one, &Observation::Level { waiting: 3, busy: 0 });
        stations.observe(at(10), one, &Observation::Level { waiting: 0, busy: 1 });
        stations.observe(at(15), other, &Observation::Down);
        let book = &stations.close(at(25))[0];
        let of = |curve: &Curve| curve.steps.iter().map(|step| (step.mean(), step.max)).collect::<Vec<_>>();
        assert_eq!(of(&book.waiting), [(2.5, 4), (0.5, 1), (0.0, 0)]);
        assert_eq!(of(&book.busy), [(2.0, 2), (2.0, 3), (1.0, 1)]);
    }

    #[test]
    fn steps_are_round() {
        let step = |duration| curve_step(Span::ZERO, duration);
        assert_eq!(step(secs(60)), secs(1));
        assert_eq!(step(secs(100)), secs(1));
        assert_eq!(step(secs(120)), secs(2));
        assert_eq!(step(ms(1)), Span::from_nanos(10_000));
        assert_eq!(step(Span::from_nanos(7)), Span::from_nanos(1));
    }

    #[test]
    fn measured_time_is_made_of_whole_steps() {
        assert_eq!(curve_step(secs(10), secs(1_200)), secs(10));
        assert_eq!(curve_step(secs(20), secs(1_000)), secs(10));
        assert_eq!(curve_step(ms(300), secs(30)), ms(300));
        assert_eq!(curve_step(Span::ZERO, secs(401)), ms(4_010));
        // A nanosecond too long for any: the round step.
        assert_eq!(curve_step(Span::from_nanos(1), secs(60)), secs(1));
    }
}
