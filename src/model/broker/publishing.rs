//! What is published: through an exchange to queues, here and at other nodes, and what its publisher is told of it.

use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::model::envelope::{Envelope, Kind};
use crate::process::{Loss, MessageId, Observation, Outcome, QueueFact};
use crate::protocol::amqp::{Deaths, Incoming, Publish, QueueId, QueueType, Responsibility};

use super::forward::Home;
use super::replying;
use super::shelf::{Asker, Waiting};
use super::word::{Posted, Word};
use super::{Broker, Parcel, Stand};

impl Broker {
    /// A message is published.
    pub(super) fn publish(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        let script = Arc::clone(&self.script);
        let call = &script.calls[usize::from(envelope.call)];
        let Some(publication) = call.publication.as_deref() else { return };
        let message = MessageId { owner: from, number: envelope.number };
        let mut found = Vec::new();
        self.routing.route(publication.exchange, &publication.routing_key, &publication.headers, &mut found);
        if found.is_empty() {
            // Nobody keeps it. That is no failure, unless the publisher said so.
            self.discard(cx, message, publication);
            if publication.mandatory && envelope.kind() == Kind::Request {
                return cx.send_sized(from, envelope.turned(Kind::Reply(Outcome::Failed)), 0);
            }
            let outcome = if publication.mandatory { Outcome::Failed } else { Outcome::Done };
            return self.tell(cx, Asker::Publisher(from, envelope, false), outcome);
        }
        let draw = || script.keys.size.block(Entity::from_bits(envelope.luck), 0).first();
        let incoming = Incoming {
            message: Parcel {
                message,
                luck: replying::luck_of(&envelope),
                call: envelope.call,
                letter_of: None,
                reply_to: self.reply_to(&envelope),
                stand: Stand::Nowhere,
            },
            size: u32::try_from(call.size.bytes(draw)).unwrap_or(u32::MAX),
            priority: call.priority,
            ttl: publication.expiration,
            persistent: publication.persistent,
            deaths: Deaths::NONE,
        };
        // Credit is for queues that are here: another node, which may be down, has it of its own.
        let is_charged = found.iter().all(|&queue| self.home(queue) == Home::Here);
        if is_charged {
            self.use_credit(from);
        }
        let waiting = self.shelf.expect(Asker::Publisher(from, envelope, is_charged));
        let posted = Posted { incoming, key: envelope.beside.as_key(), at: time(cx.now()) };
        let (taken, refusal) = self.distribute(cx, &found, &posted, Some(waiting));
        cx.observe(match refusal {
            // The copies that are kept take the place of the one that came.
            _ if taken > 0 => Observation::Replaced { message },
            refusal => Observation::Handled { message, outcome: refusal.unwrap_or(Outcome::Rejected) },
        });
        self.conclude_at_once(cx, waiting, refusal);
        found.into_iter().for_each(|queue| self.hand_out(cx, queue));
        self.bury(cx);
    }

    /// Puts a message into queues, here and at other nodes: how many took it or will, and why one did not.
    pub(super) fn distribute(
        &mut self,
        cx: &mut Cx<'_>,
        queues: &[QueueId],
        posted: &Posted,
        waiting: Option<u32>,
    ) -> (u16, Option<Outcome>) {
        let (mut taken, mut refusal, mut relay) = (0, None, None);
        for &queue in queues {
            let answer = match self.home(queue) {
                Home::Here => self.take_one(cx, queue, posted, waiting),
                Home::There(node) => {
                    self.forward(cx, (node, queue), posted.clone(), waiting, &mut relay);
                    Ok(())
                }
                Home::Nowhere => Err(Outcome::Failed),
            };
            match answer {
                Ok(()) => taken += 1,
                Err(outcome) => refusal = Some(outcome),
            }
        }
        (taken, refusal)
    }

    /// Puts a message into a queue of this node; a publication waits until it is safe there.
    pub(super) fn take_one(
        &mut self,
        cx: &mut Cx<'_>,
        queue: QueueId,
        posted: &Posted,
        waiting: Option<u32>,
    ) -> Result<(), Outcome> {
        let hosted = &self.spec.queues[queue.index()];
        if hosted.settings.kind() == QueueType::Quorum {
            self.propose_message(cx, queue, posted, waiting);
            return Ok(());
        }
        let (number, key) = (hosted.number, posted.key);
        let mut incoming = posted.incoming.clone();
        let is_kept = Responsibility::of(&hosted.settings, incoming.persistent) != Responsibility::Enqueued;
        let risk = match (hosted.tie(), hosted.settings.durable, incoming.persistent) {
            (Some(tie), ..) => tie,
            (None, false, _) => Loss::TransientQueue,
            (None, true, false) => Loss::TransientMessage,
            (None, true, true) => Loss::Unsynced,
        };
        let place = is_kept.then(|| self.shelf.place());
        incoming.message.stand = place.map_or(Stand::Nowhere, Stand::Disk);
        let parcel = incoming.message;
        let record = incoming.clone();
        let ttl = incoming.ttl.into_iter().chain(hosted.settings.message_ttl).min();
        // It is stated before what may become of it at once.
        let mut dead = Vec::new();
        let ready = self.queues[queue.index()].queue.ready();
        let answer = self.queues[queue.index()].queue.publish(incoming, time(cx.now()), &mut dead);
        match answer {
            Publish::Accepted { .. } => {
                cx.observe(Observation::Stored { message: parcel.message, place: number, key, risk });
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Published });
                self.shelf.write(cx, (queue, number), record, ttl, waiting);
                self.page_out(queue, ready);
            }
            Publish::Refused => {
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Refused });
                place.into_iter().for_each(|place| self.shelf.give_back(place));
                // A queue may refuse a message and send it to its dead letters.
                for refused in dead.iter_mut().filter(|dead| dead.message == parcel) {
                    refused.message.stand = Stand::Nowhere;
                    let risk = Loss::MaxLength;
                    cx.observe(Observation::Stored { message: parcel.message, place: number, key, risk });
                }
            }
        }
        self.dead.extend(dead.into_iter().map(|dead| (queue, dead)));
        if answer == Publish::Refused { Err(Outcome::Rejected) } else { Ok(()) }
    }

    /// Tells who waits for a publication what became of it, if it wants to know.
    pub(super) fn tell(&mut self, cx: &mut Cx<'_>, asker: Asker, outcome: Outcome) {
        match asker {
            Asker::Publisher(to, envelope, _) => {
                if envelope.kind() == Kind::Message {
                    cx.send_sized(to, envelope.turned(Kind::Ack(outcome)), 0);
                }
            }
            Asker::Node(to, number) => {
                self.say(cx, to, Word::Forwarded { number, outcome, risk: Loss::Forwarded });
            }
        }
    }

    /// A publication that waits for nothing more is confirmed.
    pub(super) fn conclude(&mut self, cx: &mut Cx<'_>, waiting: Option<Waiting>) {
        if let Some(waiting) = waiting.filter(|waiting| !waiting.is_answered) {
            self.tell(cx, waiting.asker, waiting.refusal.unwrap_or(Outcome::Done));
            self.credit(waiting.asker);
        }
    }

    /// A publication is where it has to be, or will never be: its publisher may send another.
    pub(super) fn credit(&mut self, asker: Asker) {
        if let Asker::Publisher(from, _, true) = asker {
            self.give_credit(from);
        }
    }

    /// Everything was asked that a publication goes to: whoever waits is told at once if one refused, or if there is nothing to wait
    /// for.
    pub(super) fn conclude_at_once(&mut self, cx: &mut Cx<'_>, waiting: u32, refusal: Option<Outcome>) {
        let asker = match refusal {
            Some(_) => self.shelf.forget(waiting),
            None => self.shelf.done(waiting),
        };
        if let Some(asker) = asker {
            self.tell(cx, asker, refusal.unwrap_or(Outcome::Done));
            self.credit(asker);
        }
    }
}
