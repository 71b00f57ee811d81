//! The driver: processes on a virtual network.

use std::collections::BTreeMap;

use crate::base::id::{Entity, NodeId};
use crate::base::names::{GroupId, NameError, Names};
use crate::base::random::{Key, Seed};
use crate::base::time::{Span, Time, ns};
use crate::engine::{Calendar, Chain, Digest, Rank, Schedule, prefetch};
use crate::network::{Address, Cause, Link, Network, Verdict};
use crate::process::{
    Boot, Carriage, Clock, Clocks, Identity, Leg, Message, Name, Observation, Outbox, Outgoing, Process, Steady, Wall,
    Wanted, Work, Write,
};

use super::arena::{Arena, Input, Scene, TypedArena};
use super::book::WireBook;
use super::control::{Control, Controls};
use super::event::{Alarm, AlarmOrder, Delivery, DeliveryOrder};
use super::observer::Observer;

/// How many deliveries are hinted at together.
///
/// A hint whose page is not in the translation buffer waits for its look-up, and nothing later retires before it: hints given
/// one by one wait one after the other, hints given in a burst wait together.
const BURST: usize = 8;

/// A system of processes that exchange messages of type `M`, and the run it is in.
pub struct Cluster<M: Message> {
    seed: Seed,
    names: Names,
    /// One arena per group.
    arenas: Vec<Box<dyn Arena<M>>>,
    /// Where the arenas' nodes lie in memory.
    lines: Vec<Lines>,
    network: Network,
    observers: Vec<Box<dyn Observer>>,
    controls: BTreeMap<(Time, u64), Box<dyn Control<M>>>,
    run: Run<M>,
}

/// Where the nodes of an arena lie in memory: what a cache hint needs to know, without a call.
#[derive(Clone, Copy)]
pub(super) struct Lines {
    /// The address of the first node, and the distance to the next.
    address: usize,
    stride: usize,
}

impl Lines {
    #[inline(always)]
    pub(super) fn prefetch(self, index: u32) {
        let line =
            std::ptr::without_provenance::<u8>(self.address.wrapping_add((index as usize).wrapping_mul(self.stride)));
        prefetch(line);
        if self.stride > 64 {
            prefetch(line.wrapping_add(64));
        }
    }
}

/// Nodes of so many bytes together, and what observers keep of them, stay in a second-level cache (1 MiB and more) by
/// themselves.
const CACHE: usize = 256 << 10;

/// The state of a run: what [`Cluster::rewind`] forgets.
struct Run<M: Message> {
    now: Time,
    started: bool,
    /// The time of the next control or write.
    outside: Time,
    keys: Keys,
    schedule: Schedule,
    deliveries: Calendar<Delivery<<M::Carriage as Carriage<M>>::Parcel>>,
    alarms: Calendar<Alarm>,
    carriage: M::Carriage,
    outbox: Outbox<M>,
    writes: BTreeMap<(Time, u64), PendingWrite>,
    disks: BTreeMap<NodeId, BTreeMap<u64, Vec<u8>>>,
    restarts: BTreeMap<NodeId, u32>,
    /// Numbers controls and writes in the order they were asked for.
    asked: u64,
    book: WireBook,
    events: u64,
    checkpoint_at: u64,
    checkpoints: Vec<Checkpoint>,
    /// Deliveries until the next hints.
    until_hints: usize,
    /// Whether the nodes are so few that hints only cost.
    fits_cache: bool,
}

/// The keys of the driver's draws.
#[derive(Clone, Copy)]
struct Keys {
    wire: Key,
    process: Key,
}

struct PendingWrite {
    node: NodeId,
    restarts: u32,
    write: Write,
}

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
        Self {
            seed,
            names: Names::default(),
            arenas: Vec::new(),
            lines: Vec::new(),
            network: Network::default(),
            observers: Vec::new(),
            controls: BTreeMap::new(),
            run: Run::new(seed),
        }
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
        let group = self.names.add(name, len)?;
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
        self.names.members(group).collect()
    }

    /// Lays this link between any two nodes.
    pub fn link_all(&mut self, link: Link) {
        self.set_network(Network::new(link));
    }

    /// Replaces the network.
    pub fn set_network(&mut self, network: Network) {
        self.network = network;
    }

    /// The network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// Who is called what.
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// Adds an observer, before the run starts.
    pub fn observe(&mut self, observer: impl Observer) {
        self.observers.push(Box::new(observer));
    }

    /// The first observer of type `O`.
    pub fn observer<O: Observer>(&self) -> Option<&O> {
        self.observers.iter().find_map(|observer| (&**observer as &dyn std::any::Any).downcast_ref())
    }

    /// Takes the observers out, in the order they were added.
    pub fn take_observers(&mut self) -> Vec<Box<dyn Observer>> {
        std::mem::take(&mut self.observers)
    }

    /// Carries out `control` at `time`, before everything else that happens then.
    pub fn at(&mut self, time: Time, control: impl Control<M>) {
        self.run.asked += 1;
        self.controls.insert((time, self.run.asked), Box::new(control));
        self.look_outside();
    }

    /// The present.
    pub fn now(&self) -> Time {
        self.run.now
    }

    /// Inputs handed to processes so far.
    pub fn events(&self) -> u64 {
        self.run.events
    }

    /// Copies delivered so far.
    pub fn delivered(&self) -> u64 {
        self.run.book.total().delivered
    }

    /// A node's process, if it is up and of type `P`.
    pub fn process<P: Process<M>>(&self, node: NodeId) -> Option<&P> {
        let (group, index) = self.names.place(node);
        self.arenas[group.index()].process(index)?.downcast_ref()
    }

    /// What a node's disk holds.
    pub fn disk(&self, node: NodeId) -> Option<&BTreeMap<u64, Vec<u8>>> {
        self.run.disks.get(&node)
    }

    /// Back to time zero under another seed, with nothing that was played left; controls and observers are dropped, memory
    /// is kept.
    pub fn rewind(&mut self, seed: u64) {
        self.seed = Seed(seed);
        self.observers.clear();
        self.controls.clear();
        self.network.reset();
        self.arenas.iter_mut().for_each(|arena| arena.reset());
        self.run.rewind(self.seed);
    }

    /// Plays on until `end`: everything up to and including that time has happened.
    pub fn run_until(&mut self, end: Time) -> Outcome {
        self.advance(end, u64::MAX);
        self.run.now = self.run.now.max(end);
        self.outcome()
    }

    /// Plays on until `end`, or until `events` more inputs were handed over; whether there is more to play before `end`.
    pub fn advance(&mut self, end: Time, events: u64) -> bool {
        self.start();
        let stop = self.run.events.saturating_add(events);
        while self.run.events < stop {
            let run = &mut self.run;
            let (delivery, alarm) = (run.deliveries.bound(), run.alarms.bound());
            let other = alarm.min(run.outside);
            if delivery < other && run.deliveries.is_settled() && delivery <= end {
                self.deliver();
                continue;
            }
            let next = delivery.min(other);
            if next > end || next == Time::MAX {
                return false;
            }
            if run.outside == next {
                self.step_outside(next);
            } else if delivery == next && !run.deliveries.is_settled() {
                self.open_deliveries();
            } else if alarm == next && !run.alarms.is_settled() {
                run.alarms.settle(&alarm_order(&self.names, &self.arenas, &self.lines, run.schedule));
            } else if alarm == next
                && (delivery > next || run.alarms.peek().is_some_and(|alarm| alarm.rank() == Rank::Work))
            {
                self.fire();
            } else {
                self.deliver();
            }
        }
        true
    }

    /// What the run was so far.
    ///
    /// # Panics
    /// When the wire's book does not balance: the driver itself is broken, and no result may be reported.
    pub fn outcome(&self) -> Outcome {
        let in_flight = self.run.deliveries.iter().count() as u64;
        assert!(self.run.book.balances(in_flight), "the wire's book balances: {:?}, {in_flight}", self.run.book);
        Outcome {
            end: self.run.now,
            events: self.run.events,
            digest: self.digest(),
            checkpoints: self.run.checkpoints.clone(),
            wire: self.run.book.clone(),
        }
    }

    /// What happened to each node so far, as one number each: two runs that differ, differ here first.
    pub fn chains(&self) -> impl Iterator<Item = (NodeId, Chain)> {
        let nodes = self.names.groups().flat_map(|group| self.names.members(group));
        nodes.map(|node| {
            let (group, index) = self.names.place(node);
            (node, self.arenas[group.index()].head(index).chain)
        })
    }

    /// The fingerprint of everything that happened so far, by node.
    pub fn digest(&self) -> Digest {
        let mut digest = Digest::default();
        self.chains().for_each(|(node, chain)| digest.fold(self.names.entity(node).bits(), chain));
        digest
    }

    fn start(&mut self) {
        if self.run.started {
            return;
        }
        self.run.started = true;
        let wanted = self.observers.iter().fold(Wanted::NOTHING, |all, observer| all.union(observer.wanted()));
        self.run.outbox = Outbox::new(wanted);
        self.run.book = WireBook::new(self.network.links().count());
        let sizes =
            self.names.groups().zip(&self.lines).map(|(group, lines)| self.names.members(group).len() * lines.stride);
        self.run.fits_cache = sizes.sum::<usize>() <= CACHE;
        self.run.checkpoint_at = (self.names.span() as u64).next_power_of_two().max(1024);
        for group in self.names.groups() {
            for node in self.names.members(group) {
                self.bring_up(node, 0);
            }
        }
    }

    fn bring_up(&mut self, node: NodeId, restarts: u32) {
        static EMPTY: BTreeMap<u64, Vec<u8>> = BTreeMap::new();
        let (group, index) = self.names.place(node);
        let disk = self.run.disks.get(&node).unwrap_or(&EMPTY);
        let boot = Boot { node, index: self.names.entity(node).index(), restarts, seed: self.seed, disk };
        self.arenas[group.index()].build(index, boot);
        let mark = [self.run.now.as_nanos(), u64::MAX, restarts.into(), 0];
        self.input(node, mark, Input::Start);
    }

    pub(super) fn crash(&mut self, node: NodeId) {
        let (group, index) = self.names.place(node);
        self.arenas[group.index()].drop_process(index);
    }

    pub(super) fn restart(&mut self, node: NodeId) {
        let (group, index) = self.names.place(node);
        if self.arenas[group.index()].is_up(index) {
            return;
        }
        let restarts = self.run.restarts.entry(node).or_default();
        *restarts += 1;
        let restarts = *restarts;
        self.bring_up(node, restarts);
    }

    fn look_outside(&mut self) {
        let control = self.controls.first_key_value().map_or(Time::MAX, |((time, _), _)| *time);
        let write = self.run.writes.first_key_value().map_or(Time::MAX, |((time, _), _)| *time);
        self.run.outside = control.min(write);
    }

    #[cold]
    fn step_outside(&mut self, now: Time) {
        self.run.now = now;
        if self.controls.first_key_value().is_some_and(|((time, _), _)| *time == now) {
            let (_, control) = self.controls.pop_first().expect("just seen");
            self.look_outside();
            control.apply(&mut Controls { cluster: self });
            return;
        }
        let (_, PendingWrite { node, restarts, write }) = self.run.writes.pop_first().expect("it is due");
        self.look_outside();
        if self.run.restarts.get(&node).copied().unwrap_or(0) != restarts {
            return;
        }
        let (group, index) = self.names.place(node);
        if !self.arenas[group.index()].is_up(index) {
            return;
        }
        self.run.disks.entry(node).or_default().insert(write.key, write.value);
        let mark = [now.as_nanos(), self.names.entity(node).bits(), write.key, 0];
        self.input(node, mark, Input::Persisted(write.key));
    }

    fn fire(&mut self) {
        let order = alarm_order(&self.names, &self.arenas, &self.lines, self.run.schedule);
        let alarm = self.run.alarms.pop(&order).expect("an alarm is next");
        self.run.now = alarm.time;
        let origin = self.names.entity(alarm.node).bits();
        let mark = [alarm.time.as_nanos(), origin, alarm.count.into(), u64::MAX];
        self.input(alarm.node, mark, Input::Timer(alarm.id()));
    }

    /// Opens the next bucket of deliveries and asks for what the first of them need: from then on, each asks for a later one.
    fn open_deliveries(&mut self) {
        let run = &mut self.run;
        run.deliveries.settle(&DeliveryOrder { names: &self.names, schedule: run.schedule });
        if run.fits_cache {
            return;
        }
        let hints = Hints { names: &self.names, lines: &self.lines, observers: &self.observers };
        hints.prefetch::<M::Carriage, M>(run.deliveries.soon(0..2 * BURST), &run.carriage);
        run.until_hints = BURST;
    }

    #[inline(always)]
    fn deliver(&mut self) {
        let run = &mut self.run;
        let event = run
            .deliveries
            .pop(&DeliveryOrder { names: &self.names, schedule: run.schedule })
            .expect("a delivery is next");
        run.until_hints = run.until_hints.wrapping_sub(1);
        if run.until_hints == 0 {
            run.until_hints = BURST;
            let hints = Hints { names: &self.names, lines: &self.lines, observers: &self.observers };
            hints.prefetch::<M::Carriage, M>(run.deliveries.soon(BURST..2 * BURST), &run.carriage);
            run.deliveries.soon(2 * BURST..3 * BURST).for_each(|later| run.carriage.prefetch(&later.parcel));
        }
        run.now = event.time;
        let (group, index) = self.names.place(event.to);
        let message = run.carriage.unpack(event.parcel);
        let identity = message.identity();
        let offered = message.offered_as(event.from, event.to);
        let mark = [event.time.as_nanos(), self.names.entity(event.from).bits(), event.count.into(), message.digest()];
        let scene = Scene {
            node: event.to,
            index,
            clocks: clocks(event.time),
            names: &self.names,
            key: run.keys.process,
            outbox: &mut run.outbox,
        };
        let handled = self.arenas[group.index()].message(scene, mark, event.from, message);
        // Which link it came by is asked again: carrying the answer would make every event larger.
        let link = self.network.route(&self.names, event.from, event.to, class(identity));
        let book = run.book.of(link);
        match handled {
            Some(count) => {
                book.delivered += 1;
                self.finish(event.to, count);
            }
            None => {
                book.dropped[Cause::ReceiverDown as usize] += 1;
                let wanted = run.outbox.wanted();
                note(&mut run.outbox.observations, wanted, identity, Observation::Dropped { message: offered });
                self.tell(event.to);
            }
        }
    }

    fn input(&mut self, node: NodeId, mark: [u64; 4], input: Input) {
        let (group, index) = self.names.place(node);
        let scene = Scene {
            node,
            index,
            clocks: clocks(self.run.now),
            names: &self.names,
            key: self.run.keys.process,
            outbox: &mut self.run.outbox,
        };
        if let Some(count) = self.arenas[group.index()].input(scene, mark, input) {
            self.finish(node, count);
        }
    }

    /// Carries out the effects of an input at `node`, the first of which is its event number `count`.
    #[inline(always)]
    fn finish(&mut self, node: NodeId, mut count: u32) {
        let Self { names, network, arenas, lines, run, .. } = self;
        let (now, schedule) = (run.now, run.schedule);
        let wanted = run.outbox.wanted();
        let mut post = Post {
            names,
            network,
            now,
            key: run.keys.wire,
            order: DeliveryOrder { names, schedule },
            deliveries: &mut run.deliveries,
            carriage: &mut run.carriage,
            book: &mut run.book,
        };
        // Popping from the reversed list costs a third of draining it; there is rarely more than one.
        if run.outbox.sends.len() > 1 {
            run.outbox.sends.reverse();
        }
        while let Some(send) = run.outbox.sends.pop() {
            let identity = send.message.identity();
            if let Some(observation) = post.send(node, send, identity, count) {
                note(&mut run.outbox.observations, wanted, identity, observation);
            }
            count = count.wrapping_add(1);
        }
        if !run.outbox.alarms.is_empty() {
            let order = alarm_order(names, arenas, lines, schedule);
            for alarm in &run.outbox.alarms {
                let time = now + alarm.delay.max(ns(1));
                run.alarms.push(Alarm::new(time, node, count, alarm.id, alarm.clock == Clock::Work), &order);
                count = count.wrapping_add(1);
            }
            run.outbox.alarms.clear();
        }
        if !run.outbox.writes.is_empty() {
            self.write(node);
        }
        if !self.run.outbox.observations.is_empty() {
            self.tell(node);
        }
        self.run.events += 1;
        if self.run.events == self.run.checkpoint_at {
            self.checkpoint();
        }
    }

    #[inline(always)]
    fn tell(&mut self, node: NodeId) {
        let observations = &mut self.run.outbox.observations;
        for observer in &mut self.observers {
            observer.observe(self.run.now, node, observations);
        }
        observations.clear();
    }

    #[cold]
    fn write(&mut self, node: NodeId) {
        let run = &mut self.run;
        let restarts = run.restarts.get(&node).copied().unwrap_or(0);
        for write in run.outbox.writes.drain(..) {
            run.asked += 1;
            run.writes.insert((run.now + SYNC, run.asked), PendingWrite { node, restarts, write });
        }
        self.look_outside();
    }

    #[cold]
    fn checkpoint(&mut self) {
        let checkpoint = Checkpoint { events: self.run.events, time: self.run.now, digest: self.digest() };
        self.run.checkpoints.push(checkpoint);
        self.run.checkpoint_at *= 2;
    }
}

/// What a message passes through on its way from an outbox into the queue.
struct Post<'a, M: Message> {
    names: &'a Names,
    network: &'a mut Network,
    now: Time,
    key: Key,
    order: DeliveryOrder<'a>,
    deliveries: &'a mut Calendar<Delivery<<M::Carriage as Carriage<M>>::Parcel>>,
    carriage: &'a mut M::Carriage,
    book: &'a mut WireBook,
}

impl<M: Message> Post<'_, M> {
    /// Sends a message; what observers should know about it, if that is anything.
    #[inline(always)]
    fn send(&mut self, from: NodeId, send: Outgoing<M>, identity: Identity, count: u32) -> Option<Observation> {
        let Outgoing { to, size, message } = send;
        let link = self.network.route(self.names, from, to, class(identity));
        let (owner, number) = match identity.name {
            Name::Of(id) => (self.names.entity(id.owner), id.number.into()),
            Name::Luck(bits) => (Entity::from_bits(bits), 0),
        };
        let address = Address {
            key: self.key,
            owner,
            position: number << 32 | u64::from(identity.attempt) << 16 | u64::from(identity.leg as u8) << 8,
        };
        let verdict = self.network.transmit(link, self.now, (from, to), size, &address);
        let book = self.book.of(link);
        book.sent += 1;
        book.bytes += size;
        match verdict {
            Verdict::Deliver(time) => {
                self.push(time, from, to, message, count);
                None
            }
            Verdict::Duplicate(first, second) => {
                book.duplicated += 1;
                let offered = message.offered_as(from, to);
                self.push_twice([first, second], from, to, message, count);
                Some(Observation::Duplicated { message: offered })
            }
            Verdict::Drop(cause) => {
                book.dropped[cause as usize] += 1;
                Some(Observation::Dropped { message: message.offered_as(from, to) })
            }
        }
    }

    #[inline(always)]
    fn push(&mut self, time: Time, from: NodeId, to: NodeId, message: M, count: u32) {
        let parcel = self.carriage.pack(message);
        let time = time.max(self.now + ns(1));
        self.deliveries.push(Delivery { time, from, to, count, parcel }, &self.order);
    }

    #[cold]
    fn push_twice(&mut self, times: [Time; 2], from: NodeId, to: NodeId, message: M, count: u32) {
        self.push(times[0], from, to, message.clone(), count);
        self.push(times[1], from, to, message, count);
    }
}

/// The class of messages that a link's claims speak of: the direction.
#[inline(always)]
fn class(identity: Identity) -> u8 {
    1 << identity.leg as u8
}

/// Observers learn what the network did with a copy of an outgoing message.
#[inline(always)]
fn note(observations: &mut Vec<Observation>, wanted: Wanted, identity: Identity, observation: Observation) {
    if identity.leg == Leg::Out && wanted.has(observation.kind()) {
        observations.push(observation);
    }
}

/// Who knows what a delivery will touch.
struct Hints<'a> {
    names: &'a Names,
    lines: &'a [Lines],
    observers: &'a [Box<dyn Observer>],
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
            let message = carriage.look(&delivery.parcel).offered_as(delivery.from, delivery.to);
            for observer in self.observers {
                observer.prefetch(delivery.to, message);
            }
        }
    }
}

/// How long a write takes to be synced.
const SYNC: Span = ns(1);

#[inline(always)]
fn clocks(now: Time) -> Clocks {
    let nanos = now.as_nanos();
    Clocks { steady: Steady::from_nanos(nanos), wall: Wall::from_nanos(nanos), work: Work::from_nanos(nanos) }
}

#[inline(always)]
fn alarm_order<'a, M>(
    names: &'a Names,
    arenas: &'a [Box<dyn Arena<M>>],
    lines: &'a [Lines],
    schedule: Schedule,
) -> AlarmOrder<'a, M> {
    AlarmOrder { names, schedule, arenas, lines }
}

impl<M: Message> Run<M> {
    fn new(seed: Seed) -> Self {
        let keys = Keys { wire: seed.key("wire"), process: seed.key("process") };
        Self {
            now: Time::ZERO,
            started: false,
            outside: Time::MAX,
            keys,
            schedule: Schedule::new(seed.key("schedule")),
            deliveries: Calendar::new(),
            alarms: Calendar::new(),
            carriage: M::Carriage::default(),
            outbox: Outbox::new(Wanted::NOTHING),
            writes: BTreeMap::new(),
            disks: BTreeMap::new(),
            restarts: BTreeMap::new(),
            asked: 0,
            book: WireBook::default(),
            events: 0,
            checkpoint_at: u64::MAX,
            checkpoints: Vec::new(),
            until_hints: 0,
            fits_cache: true,
        }
    }

    fn rewind(&mut self, seed: Seed) {
        let mut old = std::mem::replace(self, Self::new(seed));
        old.deliveries.clear();
        old.alarms.clear();
        old.carriage.clear();
        self.deliveries = old.deliveries;
        self.alarms = old.alarms;
        self.carriage = old.carriage;
    }
}

impl<M: Message> std::fmt::Debug for Cluster<M> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Cluster").field("seed", &self.seed).field("now", &self.run.now).finish_non_exhaustive()
    }
}
