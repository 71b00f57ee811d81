//! Messages on a topology: forwarded from node to node, hop by hop.
//!
//! Each hop is a message of its own to the link between its two nodes: it waits in the queue of the node that forwards it
//! for the neighbour that comes next, from the moment it got there, and draws its own luck. The wire's book counts it
//! there, sent and delivered or dropped: over all links, a message that crosses three of them is sent three times. A node
//! forwards as long as it is up, without its process taking part: one that is down drops what comes for others as it
//! drops what comes for itself, one that is paused lets it wait.

use crate::base::id::{Entity, NodeId};
use crate::base::time::Time;
use crate::network::{Address, Cause, LinkId, Verdict};
use crate::process::{Carriage, Message};

use super::cluster::Cluster;
use super::crossing::{Crossing, Judgement, Trail, Waiting};
use super::errand::{Errand, Task};
use super::event::Delivery;
use super::health::Held;
use super::stage::{Actor, Parcel, Stage, address, class};

/// A copy on a hop. `P` is what an event holds of a message.
#[derive(Clone, Copy)]
pub(super) struct Hop<P> {
    /// Who sent the message, as which of its effects, and whom it is for.
    from: NodeId,
    count: u32,
    to: NodeId,
    /// Where the hop starts and where it ends.
    start: NodeId,
    pub(super) end: NodeId,
    /// What it crosses.
    link: LinkId,
    size: u64,
    trail: Trail,
    parcel: P,
}

impl<P: Copy> Hop<P> {
    pub(super) fn crossing(&self) -> Crossing {
        Crossing { link: self.link, from: self.start, to: self.end, size: self.size }
    }

    /// The message, as what its receiver is handed.
    pub(super) fn delivery(&self, time: Time) -> Delivery<P> {
        Delivery { time, from: self.from, to: self.to, count: self.count, parcel: self.parcel }
    }
}

impl<M: Message> Stage<M> {
    /// Sends a message of the actor over the first hop of its way. The book has it on `link`, as if its receiver were next.
    #[cold]
    #[inline(never)]
    pub(super) fn set_out(&mut self, link: LinkId, to: NodeId, size: u64, message: M, count: u32) {
        let book = self.run.book.of(link);
        book.sent -= 1;
        book.bytes = book.bytes.saturating_sub(size);
        let from = self.run.actor.node;
        let parcel = self.run.carriage.pack(message);
        self.forward(Hop { from, count, to, start: from, end: from, link, size, trail: Trail::default(), parcel });
    }

    /// Sends a copy on from where its last hop ended.
    fn forward(&mut self, hop: Hop<Parcel<M>>) {
        let start = hop.end;
        let end = self.network.next_hop(start, hop.to).expect("every node can be reached from every other");
        let link = self.network.route(start, end, || class(self.run.carriage.look(&hop.parcel, M::identity)));
        let book = self.run.book.of(link);
        book.sent += 1;
        book.bytes = book.bytes.saturating_add(hop.size);
        self.cross(Hop { start, end, link, ..hop }, 0);
    }

    /// Has a copy cross the link of its hop, now. It has passed all that keeps messages up to the number `passed`.
    pub(super) fn cross(&mut self, hop: Hop<Parcel<M>>, passed: u64) {
        let key = self.run.keys.wire;
        let plain = address(&self.names, &key, self.run.carriage.look(&hop.parcel, M::identity));
        let address = Address { owner: Entity::from_bits(plain.owner.bits() ^ hop.trail.bits()), ..plain };
        let verdict = match self.judge(&hop.crossing(), &address, passed) {
            Judgement::Verdict(verdict) => verdict,
            Judgement::Kept(keeper) => return self.keep(keeper, Waiting::Hop(hop)),
        };
        match verdict {
            Verdict::Deliver(time) => self.plan_hop(time, hop),
            Verdict::Duplicate(first, second) => {
                self.run.book.of(hop.link).duplicated += 1;
                let message = self.run.carriage.look(&hop.parcel, M::clone);
                self.note_duplicate(&message, hop.from, hop.to);
                let parcel = self.run.carriage.pack(message);
                self.plan_hop(first, hop);
                self.plan_hop(second, Hop { parcel, trail: hop.trail.copied(), ..hop });
            }
            Verdict::Drop(cause) => self.drop_parcel(hop.link, &hop.delivery(self.run.now), cause),
        }
    }

    fn plan_hop(&mut self, time: Time, hop: Hop<Parcel<M>>) {
        let (origin, count, turn) = (hop.from, hop.count, hop.trail.bits() as u32);
        self.plan_errand(Errand { time, origin, count, turn, task: Task::Hop(hop) });
    }

    /// A copy does not go on from where its hop ends, nor is it handed over there.
    pub(super) fn end_way(&mut self, hop: &Hop<Parcel<M>>, cause: Cause) {
        if cause == Cause::ReceiverDown {
            self.run.health.lost_at(hop.end);
        }
        self.drop_copy(hop.link, &hop.delivery(self.run.now), cause);
    }
}

impl<M: Message> Cluster<M> {
    /// A copy reaches the end of a hop: it is handed over there, or sent on.
    pub(super) fn end_hop(&mut self, hop: Hop<Parcel<M>>) {
        let (start, node) = (hop.start, hop.end);
        self.stage.run.actor = Actor { node, name: self.stage.names.entity(node), count: 0 };
        let health = &mut self.stage.run.health;
        if health.is_severed() && health.stops(start, node) {
            return self.stage.end_way(&hop, Cause::Partition);
        }
        if health.is_paused(node) && !health.is_down(node) {
            return health.hold(node, Held::Hop(hop));
        }
        self.arrive(hop);
    }

    /// A copy has reached the end of a hop, and nothing stops it any more.
    pub(super) fn arrive(&mut self, hop: Hop<Parcel<M>>) {
        let node = hop.end;
        let (group, name) = self.stage.names.group_and_entity(node);
        self.stage.run.actor = Actor { node, name, count: 0 };
        let link = hop.link;
        if !self.arenas[group.index()].is_up(name.index()) {
            self.stage.end_way(&hop, Cause::ReceiverDown);
        } else if node == hop.to {
            self.hand_over(link, group, &hop.delivery(self.stage.run.now));
        } else {
            self.stage.run.book.of(link).delivered += 1;
            self.stage.forward(Hop { trail: hop.trail.onward(), ..hop });
            self.stage.tell_notes();
        }
    }
}
