//! What a process acts on: everything but the processes themselves.
//!
//! A node that handles an input is on stage. Its effects are carried out at the moment it causes them: a message is judged by
//! the network and filed with the pending deliveries, a timer with the pending alarms, a fact goes to the observers. The
//! events it causes are numbered in the order in which it causes them.

use std::collections::BTreeMap;

use crate::base::id::{Entity, NodeId};
use crate::base::names::{GroupId, Names};
use crate::base::random::{Key, Seed, Uniform};
use crate::base::time::{Span, Time, ns};
use crate::engine::{Agenda, Calendar, Schedule};
use crate::network::{Address, Cause, LinkId, Network, Verdict};
use crate::process::{
    Carriage, Clock, Clocks, Effects, Followed, Identity, Kind, Leg, Message, MessageId, Name, Observation, Steady,
    TimerId, Wall, Wanted, Work, Write,
};

use super::book::WireBook;
use super::cluster::Checkpoint;
use super::crossing::{Crossing, Judgement, Passage, Waiting};
use super::errand::Errand;
use super::event::{Alarm, AlarmOrder, Delivery, DeliveryOrder};
use super::fault::FaultId;
use super::health::{Health, Held};
use super::node_clock::NodeClocks;
use super::observer::Observer;
use super::storage::{Disks, Storage};
use super::streams::Streams;
use super::weather::Weather;

/// What an event holds of a message.
pub(super) type Parcel<M> = <<M as Message>::Carriage as Carriage<M>>::Parcel;

/// The system without its processes.
pub(super) struct Stage<M: Message> {
    pub(super) names: Names,
    pub(super) network: Network,
    pub(super) observers: Vec<Watch>,
    /// What the disks of each group are like, where that was said.
    pub(super) storage: BTreeMap<GroupId, Storage>,
    pub(super) run: Run<M>,
}

/// An observer, and what it wants.
pub(super) struct Watch {
    pub(super) wanted: Wanted,
    pub(super) observer: Box<dyn Observer>,
}

/// The node that handles an input.
#[derive(Clone, Copy)]
pub(super) struct Actor {
    pub(super) node: NodeId,
    pub(super) name: Entity,
    /// Events it caused so far, modulo 2^32.
    pub(super) count: u32,
}

/// The state of a run: what a rewind forgets.
pub(super) struct Run<M: Message> {
    pub(super) now: Time,
    pub(super) actor: Actor,
    pub(super) started: bool,
    /// No control, disk or errand comes before this time.
    pub(super) outside: Time,
    pub(super) keys: Keys,
    pub(super) schedule: Schedule,
    pub(super) deliveries: Calendar<Delivery<Parcel<M>>>,
    pub(super) alarms: Agenda<Alarm>,
    /// Apart: what ordinary messages look at stays close together.
    pub(super) errands: Box<Calendar<Errand<Parcel<M>>>>,
    pub(super) carriage: M::Carriage,
    /// The observations that somebody wants.
    pub(super) wanted: Wanted,
    /// The messages that are followed on their ways, where not all are.
    pub(super) followed: Option<Followed>,
    /// What the driver has to say about the present input, once the process has said all of its own.
    pub(super) notes: Vec<Observation>,
    /// Whether a fault ever struck.
    pub(super) is_disturbed: bool,
    pub(super) health: Health<Parcel<M>>,
    pub(super) weather: Weather<Parcel<M>>,
    pub(super) work: NodeClocks,
    pub(super) steady: NodeClocks,
    /// How many times their load nodes bring, by the faults that have them do so.
    pub(super) loads: BTreeMap<NodeId, BTreeMap<FaultId, f64>>,
    /// How far calendar clocks are ahead of steady ones, by the faults that set them so.
    pub(super) offsets: BTreeMap<NodeId, BTreeMap<FaultId, i64>>,
    pub(super) disks: Disks,
    /// Apart: what ordinary messages look at stays close together.
    pub(super) streams: Box<Streams<Parcel<M>>>,
    pub(super) restarts: BTreeMap<NodeId, u32>,
    /// Numbers controls in the order they were asked for.
    pub(super) asked: u64,
    pub(super) book: WireBook,
    pub(super) events: u64,
    pub(super) checkpoint_at: u64,
    pub(super) checkpoints: Vec<Checkpoint>,
    /// Deliveries until the next hints.
    pub(super) until_hints: usize,
    /// Whether the nodes are so few that hints only cost.
    pub(super) fits_cache: bool,
}

/// The keys of the driver's draws.
#[derive(Clone, Copy)]
pub(super) struct Keys {
    pub(super) wire: Key,
    process: Key,
    pub(super) disk: Key,
}

impl<M: Message> Effects<M> for Stage<M> {
    #[inline(always)]
    fn draw(&mut self, name: Entity, position: u64) -> Uniform {
        self.run.keys.process.block(name, position).first()
    }

    #[inline(always)]
    fn send(&mut self, to: NodeId, size: u64, message: M) {
        if self.run.wanted.has(Kind::Wire) {
            self.tell_sent(to, size, &message);
        }
        let Self { names, network, run, .. } = self;
        let Actor { node: from, count, .. } = run.actor;
        run.actor.count = count.wrapping_add(1);
        let identity = message.identity();
        let link = network.route(from, to, || class(identity));
        let book = run.book.of(link);
        book.sent += 1;
        book.bytes = book.bytes.saturating_add(size);
        let address = address(names, &run.keys.wire, identity);
        match network.arrival(link, run.now, &address) {
            Some(time) => self.push(time, (from, to), message, count),
            None => self.transmit(link, to, size, message, count),
        }
    }

    #[inline(always)]
    fn alarm(&mut self, clock: Clock, delay: Span, id: TimerId) {
        let Self { names, run, .. } = self;
        let Actor { node, count, .. } = run.actor;
        run.actor.count = count.wrapping_add(1);
        let delay = delay.max(ns(1));
        let time = if run.is_disturbed { run.due(clock, delay, count, id) } else { run.now + delay };
        let alarm = Alarm::new(time, node, count, id, clock);
        run.alarms.push(alarm, &AlarmOrder { names, schedule: run.schedule });
    }

    fn is_writable(&self, to: NodeId) -> bool {
        self.has_room(to)
    }

    #[cold]
    fn write(&mut self, key: u64, value: Vec<u8>) {
        self.run.actor.count = self.run.actor.count.wrapping_add(1);
        let node = self.run.actor.node;
        self.change_disk(node, |disk, storage, luck, now| disk.accept(storage, luck, now, Write { key, value }));
    }

    #[inline(always)]
    fn observe(&mut self, observation: &Observation) {
        if let Observation::Turned { message, .. } = *observation
            && !self.is_followed(message)
        {
            return;
        }
        for watch in &mut self.observers {
            if watch.wanted.has(observation.kind()) {
                watch.observer.observe(self.run.now, self.run.actor.node, observation);
            }
        }
    }
}

impl<M: Message> Stage<M> {
    pub(super) fn new(seed: Seed) -> Self {
        let (names, network) = (Names::default(), Network::default());
        Self { names, network, observers: Vec::new(), storage: BTreeMap::new(), run: Run::new(seed) }
    }

    #[inline(always)]
    fn push(&mut self, time: Time, (from, to): (NodeId, NodeId), message: M, count: u32) {
        let Self { names, run, .. } = self;
        let time = time.max(run.now + ns(1));
        let delivery = Delivery { time, from, to, count, parcel: run.carriage.pack(message) };
        run.deliveries.push(delivery, &DeliveryOrder { names, schedule: run.schedule });
    }

    /// Sends a message that does not simply arrive.
    #[inline(never)]
    fn transmit(&mut self, link: LinkId, to: NodeId, size: u64, message: M, count: u32) {
        if self.network.stream(link).is_some() {
            return self.write_stream(link, to, size, message, count);
        }
        if to != self.run.actor.node && self.network.topology().is_some() {
            return self.set_out(link, to, size, message, count);
        }
        let crossing = Crossing { link, from: self.run.actor.node, to, size };
        self.pass(Passage { crossing, count }, message, 0);
    }

    /// Has a message pass the network, now. It has passed all that keeps messages up to the number `passed`.
    pub(super) fn pass(&mut self, passage: Passage, message: M, passed: u64) {
        let Passage { crossing, count } = passage;
        let Crossing { link, from, to, .. } = crossing;
        let key = self.run.keys.wire;
        let address = address(&self.names, &key, message.identity());
        let verdict = match self.judge(&crossing, &address, passed) {
            Judgement::Verdict(verdict) => verdict,
            Judgement::Kept(keeper) => {
                let parcel = self.run.carriage.pack(message);
                return self.keep(keeper, Waiting::Message(passage, parcel));
            }
        };
        let book = self.run.book.of(link);
        match verdict {
            Verdict::Deliver(time) => self.push(time, (from, to), message, count),
            Verdict::Duplicate(first, second) => {
                book.duplicated += 1;
                self.note_duplicate(&message, from, to);
                self.push(first, (from, to), message.clone(), count);
                self.push(second, (from, to), message, count);
            }
            Verdict::Drop(cause) => {
                book.dropped[cause as usize] += 1;
                self.note_drop(&message, from, to, cause);
            }
        }
    }

    /// Observers learn that the network made a second copy.
    #[cold]
    pub(super) fn note_duplicate(&mut self, message: &M, from: NodeId, to: NodeId) {
        if message.identity().leg == Leg::Out {
            self.note(Observation::Duplicated { message: message.offered_as(from, to) });
        }
    }

    /// Observers learn that a copy does not arrive.
    #[cold]
    pub(super) fn note_drop(&mut self, message: &M, from: NodeId, to: NodeId, cause: Cause) {
        let transit = message.transit(from, to);
        match transit.leg {
            Leg::Out => self.note(Observation::Dropped { message: transit.message, cause }),
            Leg::Reply | Leg::Ack => self.note(Observation::AnswerDropped { message: transit.message, cause }),
            Leg::Cancel => {}
        }
        self.note(Observation::NotDelivered { transit, from, to, cause });
    }

    fn note(&mut self, observation: Observation) {
        if self.run.wanted.has(observation.kind()) {
            self.run.notes.push(observation);
        }
    }

    /// Observers learn what the actor sends.
    #[cold]
    #[inline(never)]
    fn tell_sent(&mut self, to: NodeId, size: u64, message: &M) {
        let from = self.run.actor.node;
        if self.is_followed(message.offered_as(from, to)) {
            let transit = message.transit(from, to);
            self.observe(&Observation::Sent { transit, to, size });
        }
    }

    /// Observers learn what is handed to the actor.
    #[cold]
    #[inline(never)]
    pub(super) fn tell_delivered(&mut self, from: NodeId, message: &M) {
        let to = self.run.actor.node;
        if self.is_followed(message.offered_as(from, to)) {
            let transit = message.transit(from, to);
            self.observe(&Observation::Delivered { transit, from });
        }
    }

    /// Whether somebody may want to know of this message on its ways.
    #[inline]
    fn is_followed(&self, message: MessageId) -> bool {
        self.run.followed.as_ref().is_none_or(|followed| followed.has(message))
    }

    /// Hands the driver's own observations over.
    #[cold]
    pub(super) fn tell_notes(&mut self) {
        let mut notes = std::mem::take(&mut self.run.notes);
        notes.drain(..).for_each(|note| self.observe(&note));
        self.run.notes = notes;
    }

    /// The receiver is paused or down.
    #[cold]
    pub(super) fn turn_away(&mut self, link: LinkId, delivery: &Delivery<Parcel<M>>) {
        let health = &mut self.run.health;
        if health.is_paused(delivery.to) && !health.is_down(delivery.to) {
            return health.hold(delivery.to, Held::Message(*delivery));
        }
        health.lost_at(delivery.to);
        self.drop_copy(link, delivery, Cause::ReceiverDown);
    }

    /// A message that waited for a node that then crashed.
    pub(super) fn lose(&mut self, delivery: &Delivery<Parcel<M>>) {
        self.run.health.lost_at(delivery.to);
        self.drop_copy(self.link_of(delivery), delivery, Cause::ReceiverDown);
    }

    /// The link that a message came by.
    pub(super) fn link_of(&self, delivery: &Delivery<Parcel<M>>) -> LinkId {
        let class = || class(self.run.carriage.look(&delivery.parcel, M::identity));
        self.network.route(delivery.from, delivery.to, class)
    }

    /// Whether a message that arrives does not pass, as the network was cut while it was on its way.
    #[cold]
    pub(super) fn stop(&mut self, link: LinkId, delivery: &Delivery<Parcel<M>>) -> bool {
        let is_stopped = self.run.health.stops(delivery.from, delivery.to);
        if is_stopped {
            self.drop_copy(link, delivery, Cause::Partition);
        }
        is_stopped
    }

    pub(super) fn drop_copy(&mut self, link: LinkId, delivery: &Delivery<Parcel<M>>, cause: Cause) {
        self.drop_parcel(link, delivery, cause);
        self.tell_notes();
    }

    /// Drops a copy; observers are told with the other notes.
    pub(super) fn drop_parcel(&mut self, link: LinkId, delivery: &Delivery<Parcel<M>>, cause: Cause) {
        self.run.book.of(link).dropped[cause as usize] += 1;
        let message = self.run.carriage.unpack(delivery.parcel);
        self.note_drop(&message, delivery.from, delivery.to, cause);
    }
}

/// Where a message's luck on the wire is drawn.
#[inline(always)]
pub(super) fn address<'a>(names: &Names, key: &'a Key, Identity { name, attempt, leg }: Identity) -> Address<'a> {
    let (owner, number) = match name {
        Name::Of(id) => (names.entity(id.owner), id.number.into()),
        Name::Luck(bits) => (Entity::from_bits(bits), 0),
    };
    Address { key, owner, position: number << 32 | u64::from(attempt) << 16 | u64::from(leg as u8) << 8 }
}

/// The class of messages that a link's claims speak of: the direction.
#[inline(always)]
pub(super) fn class(identity: Identity) -> u8 {
    1 << identity.leg as u8
}

impl<M: Message> Run<M> {
    /// When a timer that the actor sets now is due, where clocks may have been disturbed.
    #[cold]
    fn due(&mut self, clock: Clock, delay: Span, count: u32, id: TimerId) -> Time {
        let (node, now) = (self.actor.node, self.now);
        let by = self.clocks_of(clock).disturbed_by(node);
        self.health.books.touch_timers(&by, 1);
        self.clocks_of(clock).set(node, now, delay, count, id)
    }

    /// The disturbed clocks of one sort.
    pub(super) fn clocks_of(&mut self, clock: Clock) -> &mut NodeClocks {
        match clock {
            Clock::Work => &mut self.work,
            Clock::Steady => &mut self.steady,
        }
    }

    /// A timer of this node comes at another time than was thought.
    pub(super) fn move_timer(&mut self, node: NodeId, clock: Clock) {
        match clock {
            Clock::Work => {
                self.health.books.touch_timers(&self.work.disturbed_by(node), 1);
                let by = self.health.paused_by(node).to_vec();
                self.health.books.touch_timers(&by, 1);
            }
            Clock::Steady => self.health.books.touch_timers(&self.steady.disturbed_by(node), 1),
        }
    }

    /// What the actor's clocks show.
    #[inline(always)]
    pub(super) fn clocks(&self) -> Clocks {
        if self.is_disturbed {
            return self.disturbed_clocks();
        }
        let nanos = self.now.as_nanos();
        Clocks { steady: Steady::from_nanos(nanos), wall: Wall::from_nanos(nanos), work: Work::from_nanos(nanos) }
    }

    #[cold]
    fn disturbed_clocks(&self) -> Clocks {
        let node = self.actor.node;
        let steady = self.steady.reading(node, self.now);
        let offset = self.offsets.get(&node).map_or(0, |offsets| offsets.values().sum());
        Clocks {
            steady: Steady::from_nanos(steady),
            wall: Wall::from_nanos(steady.saturating_add_signed(offset)),
            work: Work::from_nanos(self.work.reading(node, self.now)),
        }
    }

    fn new(seed: Seed) -> Self {
        let keys = Keys { wire: seed.key("wire"), process: seed.key("process"), disk: seed.key("disk") };
        Self {
            now: Time::ZERO,
            actor: Actor { node: NodeId::new(0), name: Entity::default(), count: 0 },
            started: false,
            outside: Time::MAX,
            keys,
            schedule: Schedule::new(seed.key("schedule")),
            deliveries: Calendar::new(),
            alarms: Agenda::default(),
            errands: Box::default(),
            carriage: M::Carriage::default(),
            wanted: Wanted::NOTHING,
            followed: None,
            notes: Vec::new(),
            is_disturbed: false,
            health: Health::default(),
            weather: Weather::new(seed.key("fault")),
            work: NodeClocks::default(),
            steady: NodeClocks::default(),
            loads: BTreeMap::new(),
            offsets: BTreeMap::new(),
            disks: Disks::default(),
            streams: Box::default(),
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

    pub(super) fn rewind(&mut self, seed: Seed) {
        let mut old = std::mem::replace(self, Self::new(seed));
        old.deliveries.clear();
        old.alarms.clear();
        old.errands.clear();
        old.carriage.clear();
        self.deliveries = old.deliveries;
        self.alarms = old.alarms;
        self.errands = old.errands;
        self.carriage = old.carriage;
    }
}
