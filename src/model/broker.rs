//! The broker: a node that keeps messages in work queues between those who publish and those who consume.
//!
//! A message that is published goes through an exchange to queues, and each of them keeps a copy until a consumer has
//! acknowledged it. What the queues do stands in [`amqp`](crate::protocol::amqp); here is what a node adds: channels to
//! consumers and the heartbeats that tell when one is lost, the disk ([`shelf`]), publisher confirms, dead letters.
//!
//! A consumer is a service whose requests are deliveries. It says again and again that it is there; who is heard of for the first
//! time, or has come up again, is subscribed. Each delivery is one more copy of the message that was published, so whatever
//! becomes of it is told of that message.

mod shelf;
mod spec;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::time::Time;
use crate::process::{Boot, Clock, MessageId, Observation, Outcome, Process, QueueFact, TimerId};
use crate::protocol::amqp::{
    ConsumerId, Dead, DeathReason, Deaths, Incoming, Publish, QueueId, Responsibility, Routing, WorkQueue,
};

use super::Alarm;
use super::caller::{Cx, nested_luck};
use super::clock::time;
use super::envelope::{Counts, Envelope, Kind};
use super::letter::Letter;
use super::script::Script;
use shelf::{End, News, Place, Shelf, Waiting};

pub use spec::{BrokerSpec, HostedQueue, Publication, SubscriptionSpec};

/// A message that was published, as a broker knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parcel {
    /// Who published it, and its number there.
    message: MessageId,
    /// The name its luck is drawn by.
    luck: u64,
    /// What kind of message it is.
    call: u16,
    /// Where it stands on disk, if it does.
    place: Option<Place>,
}

/// One node of a broker.
#[derive(Debug)]
pub struct Broker {
    script: Arc<Script>,
    spec: Arc<BrokerSpec>,
    routing: Routing,
    queues: Vec<Hosted>,
    /// Consumers that are heard of, by their channel.
    channels: BTreeMap<ConsumerId, Channel>,
    /// Deliveries that are not settled, by number.
    unsettled: BTreeMap<u32, Unsettled>,
    /// The number of the next delivery: those of an earlier life are not used again.
    next: u32,
    shelf: Shelf,
    /// Messages that died while a queue was asked, and have to go somewhere.
    dead: Vec<(QueueId, Dead<Parcel>)>,
}

/// A queue, and what the node keeps for it.
#[derive(Debug)]
struct Hosted {
    queue: WorkQueue<Parcel>,
    /// When the head expires, if somebody has to look then.
    expiry: Option<(Time, TimerId)>,
    /// What was said last of its length.
    shown: (u32, u32),
}

/// A consumer that is heard of.
#[derive(Debug)]
struct Channel {
    node: NodeId,
    /// How often it had come up before it subscribed.
    life: u32,
    /// The kind of its deliveries.
    call: u16,
    /// Lost, unless it is heard of before this fires.
    lapse: TimerId,
    /// How many deliveries were sent on it, and how many answers came.
    sent: u32,
    answers: u32,
    /// What the consumer had received and answered before it subscribed.
    base: Counts,
    /// What it should have received, and what should have come back from it, by its next beat.
    due: Counts,
    /// Whether something was missing at its last beat.
    is_suspect: bool,
}

impl Channel {
    /// Whether something that was under way at an earlier beat has not come, although two beats have since. What was under way when
    /// it subscribed may come late, so there may be more than is due.
    fn is_broken(&mut self, told: Counts) -> bool {
        let received = told.received.wrapping_sub(self.base.received);
        let answered = told.answered.wrapping_sub(self.base.answered);
        let is_missing = received < self.due.received || self.answers < self.due.answered;
        if !is_missing {
            self.due = Counts { received: self.sent, answered };
        }
        std::mem::replace(&mut self.is_suspect, is_missing) && is_missing
    }
}

/// A delivery that is not settled.
#[derive(Clone, Copy, Debug)]
struct Unsettled {
    queue: QueueId,
    consumer: ConsumerId,
    tag: u64,
}

impl Broker {
    /// The process of one node of the group.
    pub fn new(script: &Arc<Script>, spec: &Arc<BrokerSpec>, boot: &Boot<'_>) -> Self {
        let hosted = |(index, hosted): (usize, &HostedQueue)| Hosted {
            queue: WorkQueue::new(
                QueueId::new(index as u32),
                &hosted.settings,
                hosted.dead_letters.is_some(),
                Time::ZERO,
            ),
            expiry: None,
            // Whatever it was in an earlier life is said anew.
            shown: (u32::MAX, 0),
        };
        Self {
            script: Arc::clone(script),
            spec: Arc::clone(spec),
            routing: spec.routing.clone(),
            queues: spec.queues.iter().enumerate().map(hosted).collect(),
            channels: BTreeMap::new(),
            unsettled: BTreeMap::new(),
            next: boot.restarts << 24,
            shelf: Shelf::new(boot.disk),
            dead: Vec::new(),
        }
    }

    /// A message is published.
    fn publish(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        let script = Arc::clone(&self.script);
        let call = &script.calls[usize::from(envelope.call)];
        let Some(publication) = call.publication.as_deref() else { return };
        let message = MessageId { owner: from, number: envelope.number };
        let mut found = Vec::new();
        self.routing.route(publication.exchange, &publication.routing_key, &publication.headers, &mut found);
        if found.is_empty() {
            // Nobody keeps it. That is no failure, unless the publisher said so.
            cx.observe(Observation::Handled { message, outcome: Outcome::Discarded });
            let outcome = if publication.mandatory { Outcome::Failed } else { Outcome::Done };
            return Self::confirm(cx, from, envelope, outcome);
        }
        let draw = || script.keys.size.block(Entity::from_bits(envelope.luck), 0).first();
        let incoming = Incoming {
            message: Parcel { message, luck: envelope.luck, call: envelope.call, place: None },
            size: u32::try_from(call.size.bytes(draw)).unwrap_or(u32::MAX),
            priority: call.priority,
            ttl: publication.expiration,
            persistent: publication.persistent,
            deaths: Deaths::NONE,
        };
        let waiting = self.shelf.expect(from, envelope);
        let taken = self.take_in(cx, &found, &incoming, Some(waiting));
        let is_refused = (taken as usize) < found.len();
        if taken == 0 {
            cx.observe(Observation::Handled { message, outcome: Outcome::Rejected });
        } else {
            // The copies that are kept take the place of the one that came.
            cx.observe(Observation::Released { message, is_kept: true, outcome: None });
        }
        if is_refused {
            self.shelf.forget(waiting);
            Self::confirm(cx, from, envelope, Outcome::Rejected);
        } else if self.shelf.is_done(waiting) {
            Self::confirm(cx, from, envelope, Outcome::Done);
        }
        found.into_iter().for_each(|queue| self.hand_out(cx, queue));
        self.bury(cx);
    }

    /// Asks a queue; who dies of that is buried later.
    fn ask<R>(&mut self, queue: QueueId, ask: impl FnOnce(&mut WorkQueue<Parcel>, &mut Vec<Dead<Parcel>>) -> R) -> R {
        let mut dead = Vec::new();
        let answer = ask(&mut self.queues[queue.index()].queue, &mut dead);
        self.dead.extend(dead.into_iter().map(|dead| (queue, dead)));
        answer
    }

    /// Puts a message into queues; how many took it.
    fn take_in(
        &mut self,
        cx: &mut Cx<'_>,
        queues: &[QueueId],
        incoming: &Incoming<Parcel>,
        waiting: Option<u32>,
    ) -> u16 {
        let mut taken = 0;
        for &queue in queues {
            let hosted = &self.spec.queues[queue.index()];
            let number = hosted.number;
            let is_kept = Responsibility::of(&hosted.settings, incoming.persistent) != Responsibility::Enqueued;
            let place = is_kept.then(|| self.shelf.place());
            let mut incoming = incoming.clone();
            incoming.message.place = place;
            let (parcel, size, priority) = (incoming.message, incoming.size, incoming.priority);
            let ttl = incoming.ttl.into_iter().chain(hosted.settings.message_ttl).min();
            // It is stated before what may become of it at once.
            let mut dead = Vec::new();
            let answer = self.queues[queue.index()].queue.publish(incoming, time(cx.now()), &mut dead);
            match answer {
                Publish::Accepted { .. } => {
                    taken += 1;
                    cx.observe(Observation::Stored { message: parcel.message });
                    cx.observe(Observation::Queued { queue: number, fact: QueueFact::Published });
                    if let Some(place) = place {
                        self.shelf.write(cx, (parcel, place), queue, (size, priority, ttl), waiting);
                    }
                }
                Publish::Refused => {
                    cx.observe(Observation::Queued { queue: number, fact: QueueFact::Refused });
                    place.into_iter().for_each(|place| self.shelf.give_back(place));
                    // A queue may refuse a message and send it to its dead letters.
                    for refused in dead.iter_mut().filter(|dead| dead.message == parcel) {
                        refused.message.place = None;
                        cx.observe(Observation::Stored { message: parcel.message });
                    }
                }
            }
            self.dead.extend(dead.into_iter().map(|dead| (queue, dead)));
        }
        taken
    }

    /// Tells the publisher what became of its message, if it wants to know.
    fn confirm(cx: &mut Cx<'_>, to: NodeId, envelope: Envelope, outcome: Outcome) {
        if envelope.kind() == Kind::Message {
            cx.send_sized(to, envelope.turned(Kind::Ack(outcome)), 0);
        }
    }

    /// A publication that waits for nothing more is confirmed.
    fn conclude(cx: &mut Cx<'_>, waiting: Option<Waiting>) {
        if let Some(waiting) = waiting.filter(|waiting| !waiting.is_answered) {
            let outcome = if waiting.is_refused { Outcome::Rejected } else { Outcome::Done };
            Self::confirm(cx, waiting.publisher, waiting.envelope, outcome);
        }
    }

    /// Delivers what a queue has for its consumers.
    fn hand_out(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let number = self.spec.queues[queue.index()].number;
        while let Some(delivery) = self.ask(queue, |queue, dead| queue.deliver(time(cx.now()), dead)) {
            let Some(channel) = self.channels.get_mut(&delivery.consumer) else { continue };
            channel.sent = channel.sent.wrapping_add(1);
            let call = &self.script.calls[usize::from(channel.call)];
            let parcel = delivery.message;
            let kind = Kind::Delivery { settled: delivery.is_settled };
            let luck = nested_luck(parcel.luck, 0, call.name);
            let mut envelope = Envelope::new(kind, luck, self.next, channel.call, delivery.count.saturating_add(1));
            envelope.name_subject(parcel.message);
            // One more copy is under way.
            cx.observe(Observation::Duplicated { message: parcel.message });
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::Delivered });
            if delivery.redelivered {
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Redelivered });
            }
            cx.send_sized(channel.node, envelope, delivery.size.into());
            if delivery.is_settled {
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Acknowledged });
                self.release(cx, parcel, None, true);
            } else {
                let unsettled = Unsettled { queue, consumer: delivery.consumer, tag: delivery.tag };
                self.unsettled.insert(self.next, unsettled);
            }
            self.next += 1;
        }
        self.look_at(cx, queue);
    }

    /// A queue has no copy of this message any more: it was consumed, or it died, and went on or ended so. One that is on disk is
    /// gone when it is cleared there.
    fn release(&mut self, cx: &mut Cx<'_>, parcel: Parcel, outcome: Option<Outcome>, is_consumed: bool) {
        let end = End { message: parcel.message, outcome };
        match parcel.place {
            Some(place) => {
                let waiting = self.shelf.clear(cx, place, end, is_consumed);
                Self::conclude(cx, waiting);
            }
            None => cx.observe(Observation::Released { message: parcel.message, is_kept: false, outcome }),
        }
    }

    /// Says how long a queue is, and sees to it that somebody looks when its head expires.
    fn look_at(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let hosted = &mut self.queues[queue.index()];
        let shown = (hosted.queue.ready() as u32, hosted.queue.unacked() as u32);
        if shown != hosted.shown {
            hosted.shown = shown;
            let number = self.spec.queues[queue.index()].number;
            cx.observe(Observation::QueueDepth { queue: number, ready: shown.0, unacked: shown.1 });
        }
        let expiry = hosted.queue.next_expiry();
        if hosted.expiry.map(|(at, _)| at) == expiry {
            return;
        }
        if let Some((_, timer)) = hosted.expiry.take() {
            cx.cancel_timer(timer);
        }
        hosted.expiry = expiry.map(|at| {
            let wait = at.since(time(cx.now()));
            (at, cx.set_timer(Clock::Steady, wait, Alarm::Expire(queue.index() as u32)))
        });
    }

    /// Sends the dead where their queue says, until nobody has died any more.
    fn bury(&mut self, cx: &mut Cx<'_>) {
        while !self.dead.is_empty() {
            for (from, dead) in std::mem::take(&mut self.dead) {
                self.bury_one(cx, from, dead);
            }
        }
    }

    fn bury_one(&mut self, cx: &mut Cx<'_>, from: QueueId, dead: Dead<Parcel>) {
        let script = Arc::clone(&self.script);
        let hosted = &self.spec.queues[from.index()];
        let parcel = dead.message;
        let publication = script.calls[usize::from(parcel.call)].publication.as_deref();
        let mut found = Vec::new();
        if let (Some(letters), Some(publication)) = (&hosted.dead_letters, publication) {
            let key = letters.key(&publication.routing_key);
            self.routing.route(letters.exchange, key, &publication.headers, &mut found);
            found.retain(|&queue| !dead.deaths.would_cycle(queue));
        }
        let (number, reason) = (hosted.number, dead.reason);
        let incoming = Incoming {
            message: Parcel { place: None, ..parcel },
            size: dead.size,
            priority: dead.priority,
            ttl: None,
            persistent: dead.persistent,
            deaths: dead.deaths,
        };
        let taken = self.take_in(cx, &found, &incoming, None);
        let fact = match reason {
            DeathReason::Rejected => QueueFact::DiedRejected,
            DeathReason::Expired => QueueFact::DiedExpired,
            DeathReason::MaxLen => QueueFact::DiedMaxLen,
            DeathReason::DeliveryLimit => QueueFact::DiedDeliveryLimit,
        };
        if taken > 0 {
            cx.observe(Observation::Queued { queue: number, fact: QueueFact::DeadLettered });
        }
        cx.observe(Observation::Queued { queue: number, fact });
        let end = match reason {
            _ if taken > 0 => None,
            DeathReason::Expired => Some(Outcome::Expired),
            DeathReason::MaxLen => Some(Outcome::Rejected),
            DeathReason::Rejected | DeathReason::DeliveryLimit => Some(Outcome::Failed),
        };
        self.release(cx, parcel, end, false);
        found.into_iter().for_each(|queue| self.hand_out(cx, queue));
        self.look_at(cx, from);
    }

    /// A consumer says that it is there.
    fn hear(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        let script = Arc::clone(&self.script);
        let Some(spec) = script.calls[usize::from(envelope.call)].subscription.as_deref() else { return };
        let consumer = consumer_of(from, envelope.call);
        let life = envelope.number;
        let known = self.channels.get(&consumer).map(|channel| channel.life);
        match known {
            Some(known) if known > life => return,
            Some(known) if known < life => self.lose(cx, consumer),
            _ => {}
        }
        let lapse = cx.set_timer(Clock::Steady, self.spec.heartbeat, Alarm::Lapse(from, envelope.call));
        let told = envelope.counts();
        if let Some(channel) = self.channels.get_mut(&consumer) {
            let before = std::mem::replace(&mut channel.lapse, lapse);
            cx.cancel_timer(before);
            if !channel.is_broken(told) {
                return;
            }
            // Something was lost on the way, which a connection does not survive.
            self.lose(cx, consumer);
            return;
        }
        let queue = spec.queue;
        if self.queues[queue.index()].queue.subscribe(consumer, spec.terms).is_err() {
            // Somebody has the queue for itself: it tries again.
            cx.cancel_timer(lapse);
            return;
        }
        let channel = Channel {
            node: from,
            life,
            call: envelope.call,
            lapse,
            sent: 0,
            answers: 0,
            base: told,
            due: Counts::default(),
            is_suspect: false,
        };
        self.channels.insert(consumer, channel);
        self.hand_out(cx, queue);
        self.bury(cx);
    }

    /// A consumer is not heard of any more: what it held goes to others.
    fn lose(&mut self, cx: &mut Cx<'_>, consumer: ConsumerId) {
        let Some(channel) = self.channels.remove(&consumer) else { return };
        cx.cancel_timer(channel.lapse);
        let Some(spec) = self.script.calls[usize::from(channel.call)].subscription.as_deref() else { return };
        let queue = spec.queue;
        self.ask(queue, |queue, dead| queue.gone(consumer, time(cx.now()), dead));
        self.unsettled.retain(|_, unsettled| unsettled.consumer != consumer);
        self.hand_out(cx, queue);
        self.bury(cx);
    }

    /// A consumer is done with a delivery, well or not. News of a channel that was lost is no news.
    fn settle(&mut self, cx: &mut Cx<'_>, number: u32, outcome: Outcome) {
        let Some(Unsettled { queue, consumer, tag }) = self.unsettled.remove(&number) else { return };
        let Some(channel) = self.channels.get(&consumer) else { return };
        let requeues = self.script.calls[usize::from(channel.call)].subscription.as_deref().is_some_and(|spec| {
            // What a consumer has no room for it has not looked at.
            spec.requeues || outcome == Outcome::Rejected
        });
        // The channel is there, so the tag is outstanding: neither is refused.
        if outcome == Outcome::Done {
            let mut done = Vec::new();
            if self.queues[queue.index()].queue.ack(consumer, tag, false, &mut done).is_ok() {
                let number = self.spec.queues[queue.index()].number;
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Acknowledged });
                done.into_iter().for_each(|parcel| self.release(cx, parcel, None, true));
            }
        } else {
            let _ = self.ask(queue, |queue, dead| queue.nack(consumer, tag, false, requeues, time(cx.now()), dead));
        }
        self.hand_out(cx, queue);
        self.bury(cx);
    }
}

/// The channel of a consumer's node.
fn consumer_of(node: NodeId, call: u16) -> ConsumerId {
    ConsumerId::new(u64::from(node.index()) << 16 | u64::from(call))
}

impl Process<Letter> for Broker {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        for record in std::mem::take(&mut self.shelf.found) {
            let Some(hosted) = self.queues.get_mut(record.queue.index()) else { continue };
            let incoming = Incoming {
                message: record.parcel,
                size: record.size,
                priority: record.priority,
                ttl: record.expiry.map(|expiry| expiry.since(now)),
                persistent: true,
                deaths: Deaths::NONE,
            };
            hosted.queue.restore(incoming, now);
        }
        for index in 0..self.queues.len() {
            let queue = QueueId::new(index as u32);
            self.ask(queue, |queue, dead| queue.restart(now, dead));
            self.look_at(cx, queue);
        }
        self.bury(cx);
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let Letter::Plain(envelope) = letter else { return };
        match envelope.kind() {
            Kind::Notice | Kind::Message => self.publish(cx, from, envelope),
            Kind::Subscribe => self.hear(cx, from, envelope),
            Kind::Ack(outcome) => {
                if let Some(channel) = self.channels.get_mut(&consumer_of(from, envelope.call)) {
                    channel.answers = channel.answers.wrapping_add(1);
                }
                self.settle(cx, envelope.number, outcome);
            }
            _ => {}
        }
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        self.closed(cx, peer);
    }

    fn closed(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        let of_peer = self.channels.iter().filter(|(_, channel)| channel.node == peer);
        let lost: Vec<_> = of_peer.map(|(&consumer, _)| consumer).collect();
        lost.into_iter().for_each(|consumer| self.lose(cx, consumer));
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        match alarm {
            Alarm::Expire(queue) => {
                let queue = QueueId::new(queue);
                self.queues[queue.index()].expiry = None;
                self.ask(queue, |queue, dead| queue.expire(time(cx.now()), dead));
                self.look_at(cx, queue);
                self.bury(cx);
            }
            Alarm::Lapse(node, call) => {
                self.lose(cx, consumer_of(node, call));
            }
            _ => {}
        }
    }

    fn persisted(&mut self, cx: &mut Cx<'_>, key: u64) {
        let News { kept, released, confirmed } = self.shelf.synced(cx, key);
        if let Some(message) = kept {
            cx.observe(Observation::Kept { message });
        }
        if let Some(End { message, outcome }) = released {
            cx.observe(Observation::Released { message, is_kept: true, outcome });
        }
        Self::conclude(cx, confirmed);
    }

    fn refused(&mut self, cx: &mut Cx<'_>, key: u64) {
        let waiting = self.shelf.refused(key);
        Self::conclude(cx, waiting);
    }
}
