//! The driver: processes on a virtual network.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::names::{GroupId, NameError, Names};
use crate::base::processor::prefetch;
use crate::base::random::Seed;
use crate::base::time::{Time, ns};
use crate::engine::{Chain, Digest, Rank};
use crate::network::{Link, LinkId, Network};
use crate::process::{Boot, Carriage, Kind, Message, Process, TimerId, Wanted};

use super::arena::{Arena, Input, TypedArena};
use super::book::WireBook;
use super::control::{Control, Controls, Heal, Strike};
use super::event::{Alarm, AlarmOrder, Delivery, DeliveryOrder, LivingAlarms};
use super::fault::{Fault, FaultBook, FaultId};
use super::observer::Observer;
use super::stage::{Actor, Parcel, Stage, Watch, class};
use super::storage::Storage;

/// How many deliveries are hinted at together.
///
/// A hint whose page is not in the translation buffer waits for its look-up, and nothing later retires before it: hints given
/// one by one wait one after the other, hints given in a burst wait together.
const BURST: usize = 8;

/// A system of processes that exchange messages of type `M`, and the run it is in.
pub struct Cluster<M: Message> {
    pub(super) seed: Seed,
    /// One arena per group.
    pub(super) arenas: Vec<Box<dyn Arena<M>>>,
    /// Where the arenas' nodes lie in memory.
    lines: Vec<Lines>,
    controls: BTreeMap<(Time, u64), Box<dyn Control<M>>>,
    pub(super) stage: Stage<M>,
}

/// Where the nodes of an arena lie in memory: what a cache hint needs to know, without a call.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    /// The address of the first node, and the distance to the next.
    address: usize,
    stride: usize,
}

impl Lines {
    /// Asks for the line where the node's timers stand.
    #[inline(always)]
    pub(super) fn prefetch_timers(self, index: u32) {
        prefetch(self.line(index));
    }

    /// Asks for the node: for so much of it as is worth asking for.
    #[inline(always)]
    pub(super) fn prefetch(self, index: u32) {
        let line = self.line(index);
        for offset in (0..self.stride.min(HINTED)).step_by(64) {
            prefetch(line.wrapping_add(offset));
        }
    }

    #[inline(always)]
    fn line(self, index: u32) -> *const u8 {
        std::ptr::without_provenance(self.address.wrapping_add((index as usize).wrapping_mul(self.stride)))
    }
}

/// The most bytes of a node that are asked for in advance.
const HINTED: usize = 256;

/// Nodes of so many bytes together, and what observers keep of them, stay in a second-level cache (1 MiB and more) by
/// themselves.
const CACHE: usize = 256 << 10;

/// The digest after a number of events: stored at doubling distances, so that two runs that differ can be narrowed down
/// by playing one interval again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Inputs handed to processes so far.
    pub events: u64,
    /// The time of the last of them.
    pub time: Time,
    /// The digest then.
    pub digest: Digest,
}

/// What a run was, whatever its processes do.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// The time it was played to.
    pub end: Time,
    /// Inputs handed to processes.
    pub events: u64,
    /// The fingerprint of everything that happened, by node.
    pub digest: Digest,
    /// The digest on the way.
    pub checkpoints: Vec<Checkpoint>,
    /// What became of every copy sent.
    pub wire: WireBook,
}

impl<M: Message> Cluster<M> {
    /// An empty system with this seed.
    pub fn seeded(seed: u64) -> Self {
        let seed = Seed(seed);
        Self { seed, arenas: Vec::new(), lines: Vec::new(), controls: BTreeMap::new(), stage: Stage::new(seed) }
    }

    /// Adds a group of `len` nodes called `name`; `factory` builds the process of each, and again after a crash.
    ///
    /// # Errors
    /// When the name is taken or collides with another.
    pub fn group<P: Process<M>>(
        &mut self,
        name: &str,
        len: u32,
        factory: impl FnMut(Boot<'_>) -> P + Send + 'static,
    ) -> Result<GroupId, NameError> {
        let group = self.stage.names.add(name, len)?;
        let nodes = TypedArena::new(len, factory);
        let (address, stride) = Arena::<M>::layout(&nodes);
        self.lines.push(Lines { address, stride });
        self.arenas.push(Box::new(nodes));
        Ok(group)
    }

    /// Adds nodes called `name`, and returns their ids.
    ///
    /// # Panics
    /// When the name is taken or collides with another; [`Cluster::group`] says so politely.
    pub fn nodes<P: Process<M>>(
        &mut self,
        name: &str,
        len: u32,
        factory: impl FnMut(Boot<'_>) -> P + Send + 'static,
    ) -> Vec<NodeId> {
        let group = self.group(name, len, factory).unwrap_or_else(|error| panic!("{error}"));
        self.stage.names.members(group).collect()
    }

    /// Lays this link between any two nodes.
    pub fn link_all(&mut self, link: Link) {
        self.set_network(Network::new(link));
    }

    /// Replaces the network, before the run starts. If it has a topology, every node has a place in it when the run starts.
    pub fn set_network(&mut self, network: Network) {
        self.stage.network = network;
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.stage.network
    }

    /// Who is called what.
    pub fn names(&self) -> &Names {
        &self.stage.names
    }

    /// Adds an observer, before the run starts.
    pub fn observe(&mut self, observer: impl Observer) {
        self.stage.observers.push(Watch { wanted: observer.wanted(), observer: Box::new(observer) });
    }

    /// The first observer of type `O`.
    pub fn observer<O: Observer>(&self) -> Option<&O> {
        self.stage.observers.iter().find_map(|watch| (&*watch.observer as &dyn std::any::Any).downcast_ref())
    }

    /// Takes the observers out, in the order they were added.
    pub fn take_observers(&mut self) -> Vec<Box<dyn Observer>> {
        std::mem::take(&mut self.stage.observers).into_iter().map(|watch| watch.observer).collect()
    }

    /// Takes the first observer of type `O` out.
    pub fn take_observer<O: Observer>(&mut self) -> Option<Box<O>> {
        let is_it = |watch: &Watch| (&*watch.observer as &dyn std::any::Any).is::<O>();
        let place = self.stage.observers.iter().position(is_it)?;
        let observer: Box<dyn std::any::Any> = self.stage.observers.remove(place).observer;
        observer.downcast().ok()
    }

    /// Carries out `control` at `time`, before everything else that happens then.
    pub fn at(&mut self, time: Time, control: impl Control<M>) {
        self.stage.run.asked += 1;
        self.controls.insert((time, self.stage.run.asked), Box::new(control));
        self.look_outside();
    }

    /// Adds a fault called `name` that strikes and heals at these times; one that does not heal lasts to the end. A strike
    /// comes after the healing of the one before. Faults of one name, such as strikes at different nodes, share an account.
    pub fn fault(
        &mut self,
        name: &str,
        fault: impl Fault<M>,
        strikes: impl IntoIterator<Item = (Time, Option<Time>)>,
    ) -> FaultId {
        let id = self.stage.run.health.books.named(name);
        let fault: Arc<dyn Fault<M>> = Arc::new(fault);
        for (strike, heal) in strikes {
            self.at(strike, Strike(id, Arc::clone(&fault)));
            if let Some(heal) = heal {
                self.at(heal, Heal(id, Arc::clone(&fault)));
            }
        }
        id
    }

    /// What the fault called `name` touched so far, if there is one.
    pub fn fault_book(&self, name: &str) -> Option<&FaultBook> {
        self.stage.run.health.books.of_name(name)
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.stage.run.now
    }

    /// Inputs handed to processes so far.
    pub fn events(&self) -> u64 {
        self.stage.run.events
    }

    /// Copies delivered so far.
    pub fn delivered(&self) -> u64 {
        self.stage.run.book.total().delivered
    }

    /// A node's process, if it is up and of type `P`.
    pub fn process<P: Process<M>>(&self, node: NodeId) -> Option<&P> {
        let (group, index) = self.stage.names.place(node);
        self.arenas[group.index()].process(index)?.downcast_ref()
    }

    /// What a node's disk holds and a crash leaves, if anything was ever written.
    pub fn disk(&self, node: NodeId) -> Option<&BTreeMap<u64, Vec<u8>>> {
        self.stage.run.disks.get(node).map(|disk| &disk.synced)
    }

    /// Gives the nodes of a group disks like this, before the run starts.
    pub fn set_storage(&mut self, group: GroupId, storage: Storage) {
        self.stage.storage.insert(group, storage);
    }

    /// Back to time zero under another seed, with nothing that was played left; controls, faults and observers are dropped,
    /// memory is kept.
    pub fn rewind(&mut self, seed: u64) {
        self.seed = Seed(seed);
        self.stage.observers.clear();
        self.controls.clear();
        self.stage.network.reset();
        self.arenas.iter_mut().for_each(|arena| arena.reset());
        self.stage.run.rewind(self.seed);
    }

    /// Plays on until `end`: everything up to and including that time has happened.
    pub fn run_until(&mut self, end: Time) -> Outcome {
        self.advance(end, u64::MAX);
        self.stage.run.now = self.stage.run.now.max(end);
        self.outcome()
    }

    /// Plays on until `end`, or until `events` more inputs were handed over; whether there is more to play before `end`.
    pub fn advance(&mut self, end: Time, events: u64) -> bool {
        self.start();
        let stop = self.stage.run.events.saturating_add(events);
        let after_end = end + ns(1);
        while self.stage.run.events < stop {
            let run = &mut self.stage.run;
            let order = DeliveryOrder { names: &self.stage.names, schedule: run.schedule };
            let alarm = run.alarms.bound();
            let other = alarm.min(run.outside);
            if let Some(delivery) = run.deliveries.open_before(other.min(after_end), &order) {
                let to = delivery.to;
                let delivery = run.deliveries.pop_open();
                self.deliver(to, &delivery);
                continue;
            }
            let delivery = run.deliveries.bound(&order);
            let next = delivery.min(other);
            if next > end || next == Time::MAX {
                return false;
            }
            if run.outside == next {
                self.step_outside(next);
            } else if delivery == next && !run.deliveries.is_settled() {
                self.open_deliveries();
            } else if alarm == next && !self.settle_alarms() {
                // They come later than was thought.
            } else if alarm == next && (delivery > next || self.is_work_next()) {
                self.fire();
            } else {
                self.deliver_next();
            }
        }
        true
    }

    /// What the run was so far.
    ///
    /// # Panics
    /// When the wire's book does not balance: the driver itself is broken, and no result may be reported.
    pub fn outcome(&self) -> Outcome {
        let run = &self.stage.run;
        let on_errands: u64 = run.errands.iter().map(|errand| errand.task.copies()).sum();
        let segments: u64 = run.errands.iter().map(|errand| errand.task.segments()).sum();
        let (kept, kept_segments) = run.weather.held();
        let segments = segments + kept_segments + run.health.held_segments();
        let held = run.health.held_messages() + kept + run.streams.messages();
        let in_flight = run.deliveries.iter().count() as u64 + on_errands + held;
        assert!(
            self.stage.run.book.balances(in_flight, segments),
            "the wire's book balances: {:?}, {in_flight}, {segments}",
            self.stage.run.book
        );
        Outcome {
            end: self.stage.run.now,
            events: self.stage.run.events,
            digest: self.digest(),
            checkpoints: self.stage.run.checkpoints.clone(),
            wire: self.stage.run.book.clone(),
        }
    }

    /// What happened to each node so far, as one number each: two runs that differ, differ here first.
    pub fn chains(&self) -> impl Iterator<Item = (NodeId, Chain)> {
        let names = &self.stage.names;
        let nodes = names.groups().flat_map(|group| names.members(group));
        nodes.map(|node| {
            let (group, index) = names.place(node);
            (node, self.arenas[group.index()].head(index).chain)
        })
    }

    /// The fingerprint of everything that happened so far, by node.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        self.chains().for_each(|(node, chain)| digest.fold(self.stage.names.entity(node).bits(), chain));
        digest
    }

    fn start(&mut self) {
        if self.stage.run.started {
            return;
        }
        self.stage.run.started = true;
        self.stage.run.wanted = self.stage.observers.iter().fold(Wanted::NOTHING, |all, watch| all.union(watch.wanted));
        let mut followers =
            self.stage.observers.iter().filter(|watch| watch.wanted.has(Kind::Wire) || watch.wanted.has(Kind::Step));
        self.stage.run.followed = match (followers.next(), followers.next()) {
            (Some(only), None) => only.observer.followed(),
            _ => None,
        };
        self.stage.run.book = WireBook::new(self.stage.network.links().count());
        if let Some(topology) = self.stage.network.topology() {
            let mut nodes = self.stage.names.groups().flat_map(|group| self.stage.names.members(group));
            assert!(nodes.all(|node| topology.has(node)), "every node has its place in the topology");
        }
        let sizes = self
            .stage
            .names
            .groups()
            .zip(&self.lines)
            .map(|(group, lines)| self.stage.names.members(group).len() * lines.stride);
        self.stage.run.fits_cache = sizes.sum::<usize>() <= CACHE;
        self.stage.run.checkpoint_at = (self.stage.names.span() as u64).next_power_of_two().max(1024);
        for group in self.stage.names.groups() {
            for node in self.stage.names.members(group) {
                self.bring_up(node, 0);
            }
        }
    }

    #[cold]
    #[inline(never)]
    pub(super) fn look_outside(&mut self) {
        let control = self.controls.first_key_value().map_or(Time::MAX, |((time, _), _)| *time);
        let disk = self.stage.run.disks.next();
        self.stage.run.outside = control.min(disk).min(self.stage.errands_bound());
    }

    #[cold]
    fn step_outside(&mut self, now: Time) {
        if self.controls.first_key_value().is_some_and(|((time, _), _)| *time == now) {
            self.stage.run.now = now;
            let (_, control) = self.controls.pop_first().expect("just seen");
            self.look_outside();
            control.apply(&mut Controls { cluster: self });
        } else if self.stage.run.disks.next() == now {
            self.stage.run.now = now;
            self.step_disk();
        } else {
            self.step_errand(now);
        }
    }

    /// Looks for the earliest alarm; whether it is known now, and no later than was thought.
    fn settle_alarms(&mut self) -> bool {
        let run = &mut self.stage.run;
        let bound = run.alarms.bound();
        if !run.alarms.is_settled() {
            let order = AlarmOrder { names: &self.stage.names, schedule: run.schedule };
            let lines = (!run.fits_cache).then_some(&self.lines);
            run.alarms.settle(&LivingAlarms { order, arenas: &self.arenas, lines });
        }
        run.alarms.is_settled() && run.alarms.bound() == bound
    }

    /// Whether the next alarm says that work is done: it comes before deliveries.
    fn is_work_next(&self) -> bool {
        let order = AlarmOrder { names: &self.stage.names, schedule: self.stage.run.schedule };
        self.stage.run.alarms.peek(&order).is_some_and(|alarm| alarm.rank() == Rank::Work)
    }

    fn fire(&mut self) {
        let order = AlarmOrder { names: &self.stage.names, schedule: self.stage.run.schedule };
        let alarm = self.stage.run.alarms.pop(&order);
        self.ring(&alarm);
    }

    /// Hands over the timer of an alarm that was taken from the agenda, if it is still set and due.
    #[inline(always)]
    pub(super) fn ring(&mut self, alarm: &Alarm) {
        let (group, index) = self.stage.names.place(alarm.node);
        if !self.arenas[group.index()].is_armed(index, alarm.id()) {
            return;
        }
        if self.stage.run.is_disturbed && !self.is_due(alarm) {
            return;
        }
        self.stage.run.now = alarm.time;
        self.timer(alarm.node, alarm.id(), alarm.count);
    }

    /// Hands a timer over, now.
    pub(super) fn timer(&mut self, node: NodeId, id: TimerId, count: u32) {
        let origin = self.stage.names.entity(node).bits();
        let mark = [self.stage.run.now.as_nanos(), origin, count.into(), u64::MAX];
        self.input(node, mark, Input::Timer(id));
    }

    /// Opens the next bucket of deliveries and asks for what the first of them need: from then on, each asks for a later one.
    fn open_deliveries(&mut self) {
        let run = &mut self.stage.run;
        run.deliveries.settle(&DeliveryOrder { names: &self.stage.names, schedule: run.schedule });
        if run.fits_cache {
            return;
        }
        let hints = Hints { names: &self.stage.names, lines: &self.lines, observers: &self.stage.observers };
        hints.prefetch::<M::Carriage, M>(run.deliveries.soon(0..2 * BURST), &run.carriage);
        run.until_hints = BURST;
    }

    /// Delivers the earliest message, wherever in the queue it lies.
    fn deliver_next(&mut self) {
        let order = DeliveryOrder { names: &self.stage.names, schedule: self.stage.run.schedule };
        let delivery = self.stage.run.deliveries.pop(&order);
        self.deliver(delivery.to, &delivery);
    }

    /// Hands a message over. The receiver is given beside it so that it is known before the rest is copied: whose code comes
    /// next is what the processor guesses worst, and it waits for that.
    #[inline(always)]
    pub(super) fn deliver(&mut self, to: NodeId, delivery: &Delivery<Parcel<M>>) {
        let Stage { names, network, observers, run, .. } = &mut self.stage;
        run.until_hints = run.until_hints.wrapping_sub(1);
        if run.until_hints == 0 {
            run.until_hints = BURST;
            let hints = Hints { names, lines: &self.lines, observers };
            hints.prefetch::<M::Carriage, M>(run.deliveries.soon(BURST..2 * BURST), &run.carriage);
            run.deliveries.soon(2 * BURST..3 * BURST).for_each(|later| run.carriage.prefetch(&later.parcel));
        }
        run.now = delivery.time;
        let (group, name) = names.group_and_entity(to);
        run.actor = Actor { node: to, name, count: 0 };
        // Which link it came by is asked again: carrying the answer would make every event larger.
        let link = network.route(delivery.from, to, || class(run.carriage.look(&delivery.parcel, M::identity)));
        if self.stage.run.health.is_severed() && self.stage.stop(link, delivery) {
            return;
        }
        self.hand_over(link, group, delivery);
    }

    /// Hands over a message that has waited for its node: it had arrived, and no cut stops it any more.
    pub(super) fn hand_over_held(&mut self, delivery: &Delivery<Parcel<M>>) {
        let (group, name) = self.stage.names.group_and_entity(delivery.to);
        self.stage.run.actor = Actor { node: delivery.to, name, count: 0 };
        self.hand_over(self.stage.link_of(delivery), group, delivery);
    }

    /// Hands a message that came by `link` to the actor on stage, of `group`.
    #[inline(always)]
    pub(super) fn hand_over(&mut self, link: LinkId, group: GroupId, delivery: &Delivery<Parcel<M>>) {
        if self.arenas[group.index()].message(&mut self.stage, delivery) {
            self.stage.run.book.of(link).delivered += 1;
            self.finish();
        } else {
            self.stage.turn_away(link, delivery);
        }
    }

    pub(super) fn input(&mut self, node: NodeId, mark: [u64; 4], input: Input) {
        let (group, name) = self.stage.names.group_and_entity(node);
        self.stage.run.actor = Actor { node, name, count: 0 };
        if self.arenas[group.index()].input(&mut self.stage, mark, input) {
            self.finish();
        }
    }

    /// After an input that was handled.
    #[inline(always)]
    fn finish(&mut self) {
        let run = &mut self.stage.run;
        run.events += 1;
        if !run.notes.is_empty() {
            self.stage.tell_notes();
        }
        if self.stage.run.events == self.stage.run.checkpoint_at {
            self.checkpoint();
        }
    }

    #[cold]
    fn checkpoint(&mut self) {
        let checkpoint = Checkpoint { events: self.stage.run.events, time: self.stage.run.now, digest: self.digest() };
        self.stage.run.checkpoints.push(checkpoint);
        self.stage.run.checkpoint_at *= 2;
    }
}

/// Who knows what a delivery will touch.
struct Hints<'a> {
    names: &'a Names,
    lines: &'a [Lines],
    observers: &'a [Watch],
}

impl Hints<'_> {
    /// Asks for the lines that these deliveries will touch: their receivers', and those of the observers.
    #[inline(always)]
    fn prefetch<'b, C: Carriage<M>, M: Message<Carriage = C>>(
        &self,
        soon: impl Iterator<Item = &'b Delivery<C::Parcel>>,
        carriage: &C,
    ) where
        C::Parcel: 'b,
    {
        for delivery in soon {
            let (group, index) = self.names.place(delivery.to);
            self.lines[group.index()].prefetch(index);
            let message = carriage.look(&delivery.parcel, |message| message.offered_as(delivery.from, delivery.to));
            for watch in self.observers {
                watch.observer.prefetch(delivery.to, message);
            }
        }
    }
}

impl<M: Message> std::fmt::Debug for Cluster<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("seed", &self.seed).field("now", &self.stage.run.now).finish_non_exhaustive()
    }
}
