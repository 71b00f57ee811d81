//! Streams at work: messages are written to connections, segments travel over links, deadlines come.
//!
//! Each segment is a message of its own to the links on its way, its header included: it waits for transmission, is lost,
//! doubled or damaged by luck that is addressed by the connection's name and the segment's number. The transport itself lives
//! in the node, beside the process: it acknowledges and sends again while the process is paused, and is gone when the node is
//! down. A message is handed over when its last byte was read, at the place of the segment that completed it.

use crate::base::id::{Entity, NodeId};
use crate::base::random::mix;
use crate::base::time::{Time, ns};
use crate::network::stream::{Connection, News, Segment, Side};
use crate::network::{Address, Cause, LinkId, Verdict};
use crate::process::{Carriage, Leg, Message, PeerEvent};

use super::arena::Input;
use super::cluster::Cluster;
use super::crossing::{Crossing, Judgement, Trail, Waiting};
use super::errand::{Errand, Task};
use super::event::Delivery;
use super::health::Held;
use super::stage::{Actor, Parcel, Stage};
use super::streams::{Carried, Way};

/// A segment on a hop of its way.
#[derive(Clone, Copy)]
pub(super) struct Flight {
    /// The connection, and which side sent it.
    place: u32,
    from: Side,
    segment: Segment,
    /// Its number among those of its side.
    number: u64,
    /// Where the hop starts and ends, and over which link it goes.
    start: NodeId,
    end: NodeId,
    link: LinkId,
    trail: Trail,
}

impl Flight {
    pub(super) fn crossing(&self) -> Crossing {
        Crossing { link: self.link, from: self.start, to: self.end, size: self.segment.size() }
    }
}

/// A deadline of one side of a connection.
#[derive(Clone, Copy)]
pub(super) struct Wake {
    place: u32,
    side: Side,
}

/// Tells errands of streams from those of messages with the same origin and number.
const OF_STREAMS: u32 = u32::MAX;

/// What mostly travels the other way on a connection that was opened for a message of this leg: it says which link that way
/// takes.
fn answering(leg: Leg) -> Leg {
    match leg {
        Leg::Out | Leg::Cancel => Leg::Reply,
        Leg::Reply | Leg::Ack => Leg::Out,
    }
}

impl<M: Message> Stage<M> {
    /// Sends a message of the actor as part of a stream into `link`.
    #[inline(never)]
    pub(super) fn write_stream(&mut self, link: LinkId, to: NodeId, size: u64, message: M, count: u32) {
        let now = self.run.now;
        let leg = message.identity().leg;
        let parcel = self.run.carriage.pack(message);
        let (place, side) = self.stream_to(link, to, leg);
        self.run.streams.at(place).connection.write(side, now, size, Carried { parcel, count });
        self.flush(place, side);
        self.sweep(place);
    }

    /// The connection for a message of the actor, opened if need be, and the actor's side of it.
    fn stream_to(&mut self, link: LinkId, to: NodeId, leg: Leg) -> (u32, Side) {
        let Self { names, network, run, .. } = self;
        let from = run.actor.node;
        let stream = network.stream(link).expect("the link carries streams");
        let limit = stream.connections.get() as usize;
        if let Some(found) = run.streams.choose(from, to, link, limit) {
            return found;
        }
        let legs = [leg, answering(leg)];
        let back = network.route(to, from, || class(legs[1]));
        let way = Way { nodes: [from, to], links: [link, back], legs };
        let connection = Connection::open(stream, run.now);
        (run.streams.open(names, way, connection), Side::Opener)
    }

    /// Whether a message of the actor would find room in its send buffer.
    pub(super) fn has_room(&self, to: NodeId) -> bool {
        let from = self.run.actor.node;
        let link = self.network.route(from, to, || class(Leg::Out));
        self.network
            .stream(link)
            .is_none_or(|stream| self.run.streams.has_room(from, to, link, stream.connections.get() as usize))
    }

    /// Sends whatever this side may send now.
    fn flush(&mut self, place: u32, side: Side) {
        let now = self.run.now;
        while let Some(segment) = self.run.streams.at(place).connection.poll(side, now) {
            self.launch(place, side, segment);
        }
        self.set_wake(place, side);
    }

    /// Has this side woken when its deadline comes.
    fn set_wake(&mut self, place: u32, side: Side) {
        let earliest = self.run.now + ns(1);
        let wired = self.run.streams.at(place);
        let deadline = wired.connection.deadline(side);
        // One that is set for an earlier time will find that it was.
        if deadline == Time::MAX || deadline >= wired.wakes[side as usize] {
            return;
        }
        let time = deadline.max(earliest);
        wired.wakes[side as usize] = time;
        wired.errands += 1;
        let origin = wired.way.nodes[side as usize];
        self.plan_of_stream(time, origin, Task::Wake(Wake { place, side }));
    }

    fn plan_of_stream(&mut self, time: Time, origin: NodeId, task: Task<Parcel<M>>) {
        let count = self.run.streams.number(origin);
        self.plan_errand(Errand { time, origin, count, turn: OF_STREAMS, task });
    }

    /// Sends a segment over the first hop of its way.
    fn launch(&mut self, place: u32, from: Side, segment: Segment) {
        let wired = self.run.streams.at(place);
        let (start, link) = (wired.way.nodes[from as usize], wired.way.links[from as usize]);
        let number = wired.sent[from as usize];
        wired.sent[from as usize] += 1;
        wired.connection.took_off(from);
        self.forward_segment(Flight { place, from, segment, number, start, end: start, link, trail: Trail::default() });
    }

    /// Sends a segment on from where its last hop ended.
    fn forward_segment(&mut self, flight: Flight) {
        let Self { network, run, .. } = self;
        let Flight { place, from, segment, .. } = flight;
        let start = flight.end;
        let way = &run.streams.at(place).way;
        let (to, leg) = (way.nodes[from.other() as usize], way.legs[from as usize]);
        let (end, link) = match network.next_hop(start, to) {
            Some(end) => (end, network.route(start, end, || class(leg))),
            None => (to, way.links[from as usize]),
        };
        let book = &mut run.book.of(link).segments;
        book.sent += 1;
        book.retransmitted += u64::from(segment.is_retransmission());
        self.cross_segment(Flight { start, end, link, ..flight }, 0);
    }

    /// Has a segment cross the link of its hop, now. It has passed all that keeps messages up to the number `passed`.
    pub(super) fn cross_segment(&mut self, flight: Flight, passed: u64) {
        let Flight { place, from, number, trail, link, .. } = flight;
        let key = self.run.keys.wire;
        let wired = self.run.streams.at(place);
        let (name, leg, origin) =
            (wired.names[from as usize], wired.way.legs[from as usize], wired.way.nodes[from as usize]);
        let owner = match trail.bits() {
            0 => name,
            bits => Entity::from_bits(mix(name.bits() ^ bits)),
        };
        let address = Address { key: &key, owner, position: number << 16 | (leg as u64) << 8 };
        let verdict = match self.judge(&flight.crossing(), &address, passed) {
            Judgement::Verdict(verdict) => verdict,
            Judgement::Kept(keeper) => return self.keep(keeper, Waiting::Segment(flight)),
        };
        match verdict {
            Verdict::Deliver(time) => self.plan_of_stream(time, origin, Task::Land(flight)),
            Verdict::Duplicate(first, second) => {
                self.run.book.of(link).segments.duplicated += 1;
                self.run.streams.at(place).connection.took_off(from);
                self.plan_of_stream(first, origin, Task::Land(flight));
                self.plan_of_stream(second, origin, Task::Land(Flight { trail: trail.copied(), ..flight }));
            }
            Verdict::Drop(_) => {
                self.run.book.of(link).segments.lost += 1;
                self.run.streams.at(place).connection.landed(from);
            }
        }
    }

    /// A segment that waited in the network goes on.
    pub(super) fn let_segment_go(&mut self, flight: Flight, passed: u64) {
        self.cross_segment(flight, passed);
        self.sweep(flight.place);
    }

    /// Drops what can no longer arrive, how many messages that were, and forgets a connection that is over.
    fn sweep(&mut self, place: u32) -> u64 {
        let mut dropped = 0;
        while let Some(wired) = self.run.streams.find(place)
            && let Some((side, Carried { parcel, .. })) = wired.connection.lost()
        {
            let Way { nodes, links, .. } = wired.way;
            self.run.book.of(links[side as usize]).dropped[Cause::Reset as usize] += 1;
            let message = self.run.carriage.unpack(parcel);
            self.note_drop(&message, nodes[side as usize], nodes[side.other() as usize], Cause::Reset);
            dropped += 1;
        }
        self.run.streams.forget_if_over(place);
        dropped
    }

    /// A node goes down, and its ends of all connections with it: nobody is told.
    pub(super) fn abandon_streams(&mut self, node: NodeId) {
        for (place, side) in self.run.streams.of(node, &self.names) {
            if let Some(wired) = self.run.streams.find(place) {
                wired.connection.abandon(side);
            }
            for _ in 0..self.sweep(place) {
                self.run.health.lost_at(node);
            }
        }
        self.run.actor.node = node;
        self.tell_notes();
    }
}

impl<M: Message> Cluster<M> {
    /// A segment reaches the end of a hop.
    pub(super) fn land(&mut self, flight: Flight) {
        let Flight { place, from, end: node, .. } = flight;
        let is_on_the_way = node != self.stage.run.streams.at(place).way.nodes[from.other() as usize];
        let health = &mut self.stage.run.health;
        if is_on_the_way && health.is_paused(node) && !health.is_down(node) {
            return health.hold(node, Held::Segment(flight));
        }
        self.touch_down(flight);
    }

    /// A segment does not get to a node that is down.
    pub(super) fn miss(&mut self, flight: Flight) {
        self.stage.run.health.lost_at(flight.end);
        self.lose_segment(flight);
    }

    fn lose_segment(&mut self, flight: Flight) {
        self.stage.run.book.of(flight.link).segments.lost += 1;
        self.stage.run.streams.at(flight.place).connection.landed(flight.from);
        self.stage.sweep(flight.place);
        self.stage.tell_notes();
    }

    /// A segment is taken in where its hop ends, or sent on.
    fn touch_down(&mut self, flight: Flight) {
        let Flight { place, from, segment, start, end: node, link, .. } = flight;
        let is_reachable = self.is_reachable(node);
        let Stage { names, run, .. } = &mut self.stage;
        run.actor = Actor { node, name: names.entity(node), count: 0 };
        if run.health.is_severed() && run.health.stops(start, node) {
            return self.lose_segment(flight);
        }
        if !is_reachable {
            return self.miss(flight);
        }
        run.book.of(link).segments.arrived += 1;
        let wired = run.streams.at(place);
        let side = from.other();
        if node != wired.way.nodes[side as usize] {
            self.stage.forward_segment(Flight { trail: flight.trail.onward(), ..flight });
            self.stage.sweep(place);
            return self.stage.tell_notes();
        }
        wired.connection.landed(from);
        let reads = self.reads(node);
        let now = self.stage.run.now;
        match self.stage.run.streams.at(place).connection.receive(side, now, &segment, reads) {
            Some(news) => return self.take_news(place, side, news),
            None if segment.is_reset() => {}
            None => self.stage.launch(place, side, Segment::RESET),
        }
        self.stage.sweep(place);
        self.stage.tell_notes();
    }

    /// The deadline of a side may have come.
    pub(super) fn wake(&mut self, Wake { place, side }: Wake) {
        let now = self.stage.run.now;
        let wired = self.stage.run.streams.at(place);
        wired.errands -= 1;
        if wired.wakes[side as usize] == now {
            wired.wakes[side as usize] = Time::MAX;
            if wired.connection.deadline(side) <= now {
                let news = wired.connection.expire(side, now);
                return self.take_news(place, side, news);
            }
            self.stage.set_wake(place, side);
        }
        self.stage.sweep(place);
        self.stage.tell_notes();
    }

    /// What has happened to one side of a connection: its process is told, and handed what it can read.
    fn take_news(&mut self, place: u32, side: Side, news: News) {
        let way = self.stage.run.streams.at(place).way;
        let [node, peer] = [way.nodes[side as usize], way.nodes[side.other() as usize]];
        if news.connected {
            self.tell_peer(node, peer, PeerEvent::Connected);
        }
        while self.reads(node)
            && let Some(Carried { parcel, count }) = self.stage.run.streams.at(place).connection.take(side)
        {
            let (group, name) = self.stage.names.group_and_entity(node);
            self.stage.run.actor = Actor { node, name, count: 0 };
            let delivery = Delivery { time: self.stage.run.now, from: peer, to: node, count, parcel };
            self.hand_over(way.links[side.other() as usize], group, &delivery);
        }
        // After the messages: an answer that was given at once carries the acknowledgement.
        self.stage.flush(place, side);
        if news.writable {
            self.tell_peer(node, peer, PeerEvent::Writable);
        }
        if news.reset || news.closed {
            self.stage.run.streams.at(place).connection.abandon(side);
        }
        self.stage.run.actor.node = node;
        self.stage.sweep(place);
        self.stage.tell_notes();
        if news.reset {
            self.tell_peer(node, peer, PeerEvent::Reset);
        } else if news.closed {
            self.tell_peer(node, peer, PeerEvent::Closed);
        }
    }

    /// A node that was paused reads what has arrived meanwhile.
    pub(super) fn read_streams(&mut self, node: NodeId) {
        for (place, side) in self.stage.run.streams.of(node, &self.stage.names) {
            if let Some(wired) = self.stage.run.streams.find(place)
                && wired.connection.is_alive(side)
            {
                let news = wired.connection.read(side);
                self.take_news(place, side, news);
            }
        }
    }

    /// Tells a process what has happened to a stream to or from a peer.
    pub(super) fn tell_peer(&mut self, node: NodeId, peer: NodeId, event: PeerEvent) {
        let Stage { names, run, .. } = &mut self.stage;
        if run.health.is_paused(node) {
            return run.health.hold(node, Held::Peer(peer, event));
        }
        let mark = [run.now.as_nanos(), names.entity(peer).bits(), event as u64, u64::MAX - 1];
        self.input(node, mark, Input::Peer(peer, event));
    }

    /// Whether a node's process takes what arrives.
    fn reads(&self, node: NodeId) -> bool {
        let (group, index) = self.stage.names.place(node);
        self.arenas[group.index()].is_up(index) && !self.stage.run.health.is_paused(node)
    }

    /// Whether a node's transport works: it does while the process is paused, or waits to be started.
    fn is_reachable(&self, node: NodeId) -> bool {
        let (group, index) = self.stage.names.place(node);
        let health = &self.stage.run.health;
        !health.is_down(node) && (self.arenas[group.index()].is_up(index) || health.is_paused(node))
    }
}

/// The class of messages of this leg.
fn class(leg: Leg) -> u8 {
    1 << leg as u8
}
