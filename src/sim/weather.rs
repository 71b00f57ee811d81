//! What faults do to messages on their way: which are impaired, which are kept for a while.
//!
//! What keeps messages stands in a row, in the order in which faults struck: a message that is let go by one comes to the next.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::random::{Key, mix};
use crate::base::units::{Bandwidth, Bytes};
use crate::network::{Address, Impact};
use crate::process::Message;

use super::cluster::Cluster;
use super::crossing::{Crossing, Waiting};
use super::errand::{Errand, Task};
use super::fault::{FaultBooks, FaultId, Impairment, Path};
use super::stage::{Parcel, Stage};

/// The state that faults have put the network in. `P` is what an event holds of a message.
pub(super) struct Weather<P> {
    /// Under which faults draw.
    key: Key,
    impairments: Vec<(FaultId, Path, Arc<dyn Impairment>)>,
    /// In the order of their numbers.
    keepers: Vec<Keeper<P>>,
    last_number: u64,
}

/// A path on which messages are kept.
struct Keeper<P> {
    /// From 1 on: those of a run are told apart.
    number: u64,
    by: FaultId,
    on: Path,
    kept: Kept<P>,
}

/// How messages are kept.
enum Kept<P> {
    /// Until the fault has healed.
    Held(Vec<Waiting<P>>),
    /// One after the other at each sender, as long as it takes to transmit them at this rate.
    Paced(Bandwidth, BTreeMap<NodeId, VecDeque<(Waiting<P>, u64)>>),
}

impl<P: Copy> Waiting<P> {
    fn crossing(&self) -> Crossing {
        match self {
            Self::Message(passage, _) => passage.crossing,
            Self::Hop(hop) => hop.crossing(),
            Self::Segment(flight) => flight.crossing(),
        }
    }
}

impl Crossing {
    fn is_on(&self, path: &Path) -> bool {
        path.covers(self.link, self.from, self.to)
    }
}

impl<P: Copy> Weather<P> {
    pub(super) fn new(key: Key) -> Self {
        Self { key, impairments: Vec::new(), keepers: Vec::new(), last_number: 0 }
    }

    /// Whether no message is touched.
    pub(super) fn is_clear(&self) -> bool {
        self.impairments.is_empty() && self.keepers.is_empty()
    }

    pub(super) fn impair(&mut self, id: FaultId, on: Path, with: Arc<dyn Impairment>) {
        self.impairments.push((id, on, with));
    }

    pub(super) fn repair(&mut self, id: FaultId, on: &Path) {
        let found = self.impairments.iter().position(|(by, path, _)| *by == id && path == on);
        found.map(|index| self.impairments.remove(index));
    }

    pub(super) fn hold(&mut self, by: FaultId, on: Path) {
        self.add_keeper(by, on, Kept::Held(Vec::new()));
    }

    pub(super) fn pace(&mut self, by: FaultId, on: Path, rate: Bandwidth) {
        self.add_keeper(by, on, Kept::Paced(rate, BTreeMap::new()));
    }

    fn add_keeper(&mut self, by: FaultId, on: Path, kept: Kept<P>) {
        self.last_number += 1;
        self.keepers.push(Keeper { number: self.last_number, by, on, kept });
    }

    /// Ends a keeper: its number, and what it kept, in the order in which each sender sent it.
    pub(super) fn release(&mut self, id: FaultId, on: &Path) -> (u64, Vec<Waiting<P>>) {
        let Some(index) = self.keepers.iter().position(|keeper| keeper.by == id && keeper.on == *on) else {
            return (0, Vec::new());
        };
        let keeper = self.keepers.remove(index);
        let waiting = match keeper.kept {
            Kept::Held(waiting) => waiting,
            Kept::Paced(_, queues) => queues.into_values().flatten().map(|(waiting, _)| waiting).collect(),
        };
        (keeper.number, waiting)
    }

    /// Who keeps what is to cross there, after it has passed all up to a number.
    pub(super) fn keeper(&self, crossing: &Crossing, passed: u64) -> Option<u64> {
        let keeps = |keeper: &&Keeper<P>| keeper.number > passed && crossing.is_on(&keeper.on);
        self.keepers.iter().find(keeps).map(|keeper| keeper.number)
    }

    /// What faults do to a message; each that makes a difference is told. Their luck is drawn by the names of message and
    /// fault.
    pub(super) fn impact(&self, crossing: &Crossing, address: &Address<'_>, books: &mut FaultBooks) -> Impact {
        let mut impact = Impact::NONE;
        for (id, path, impairment) in &self.impairments {
            if crossing.is_on(path) {
                let luck = Entity::from_bits(mix(address.owner.bits() ^ mix(books.salt(*id))));
                if impairment.impair(&self.key.block(luck, address.position), &mut impact) {
                    books.touch_message(&[*id]);
                }
            }
        }
        impact
    }

    /// Copies that wait, and segments.
    pub(super) fn held(&self) -> (u64, u64) {
        let (mut messages, mut segments) = (0, 0);
        let mut count = |waiting: &Waiting<P>| match waiting {
            Waiting::Message(..) | Waiting::Hop(_) => messages += 1,
            Waiting::Segment(_) => segments += 1,
        };
        for keeper in &self.keepers {
            match &keeper.kept {
                Kept::Held(waiting) => waiting.iter().for_each(&mut count),
                Kept::Paced(_, queues) => queues.values().flatten().for_each(|(waiting, _)| count(waiting)),
            }
        }
        (messages, segments)
    }

    fn by_number(&mut self, number: u64) -> Option<&mut Keeper<P>> {
        self.keepers.iter_mut().find(|keeper| keeper.number == number)
    }
}

impl<M: Message> Stage<M> {
    /// Has something wait with the keeper of this number.
    pub(super) fn keep(&mut self, number: u64, waiting: Waiting<Parcel<M>>) {
        let Crossing { from, size, .. } = waiting.crossing();
        let (weather, books) = (&mut self.run.weather, &mut self.run.health.books);
        let Some(keeper) = weather.by_number(number) else { return };
        books.touch_message(&[keeper.by]);
        match &mut keeper.kept {
            Kept::Held(kept) => kept.push(waiting),
            Kept::Paced(rate, queues) => {
                let (rate, queue) = (*rate, queues.entry(from).or_default());
                queue.push_back((waiting, size));
                if queue.len() == 1 {
                    self.transmit_first(number, from, size, rate);
                }
            }
        }
    }

    /// Begins to transmit what is first in a sender's queue.
    fn transmit_first(&mut self, number: u64, from: NodeId, size: u64, rate: Bandwidth) {
        let time = self.run.now + rate.transmission(Bytes::new(size));
        let task = Task::Transmitted { keeper: number, from };
        self.plan_errand(Errand { time, origin: from, count: number as u32, turn: u32::MAX, task });
    }

    /// The first in a sender's queue is transmitted.
    pub(super) fn transmitted(&mut self, number: u64, from: NodeId) {
        let Some(keeper) = self.run.weather.by_number(number) else { return };
        let Kept::Paced(rate, queues) = &mut keeper.kept else { return };
        let (rate, Some(queue)) = (*rate, queues.get_mut(&from)) else { return };
        let first = queue.pop_front();
        let next = queue.front().map(|&(_, size)| size);
        if let Some(size) = next {
            self.transmit_first(number, from, size, rate);
        }
        if let Some((waiting, _)) = first {
            self.go_on(waiting, number);
            self.tell_notes();
        }
    }
}

impl<M: Message> Cluster<M> {
    pub(super) fn impair(&mut self, id: FaultId, on: Path, with: Arc<dyn Impairment>) {
        self.stage.run.weather.impair(id, on, with);
        self.watch_network();
    }

    pub(super) fn repair(&mut self, id: FaultId, on: &Path) {
        self.stage.run.weather.repair(id, on);
        self.watch_network();
    }

    pub(super) fn hold(&mut self, id: FaultId, on: Path) {
        self.stage.run.weather.hold(id, on);
        self.watch_network();
    }

    pub(super) fn pace(&mut self, id: FaultId, on: Path, rate: Bandwidth) {
        self.stage.run.weather.pace(id, on, rate);
        self.watch_network();
    }

    pub(super) fn release(&mut self, id: FaultId, on: &Path) {
        let (number, mut waiting) = self.stage.run.weather.release(id, on);
        waiting.sort_by_key(|waiting| self.stage.names.entity(waiting.crossing().from));
        self.watch_network();
        waiting.into_iter().for_each(|waiting| self.stage.go_on(waiting, number));
        self.stage.tell_notes();
    }

    /// Has every message judged at length while a fault may concern it.
    pub(super) fn watch_network(&mut self) {
        let run = &self.stage.run;
        self.stage.network.watch(run.health.is_severed() || !run.weather.is_clear());
    }
}
