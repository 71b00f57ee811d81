//! Channels to consumers: who is there, what they hold, and what comes back.
//!
//! A consumer says again and again that it is there, and how much it has received and answered. Who is heard of for the first time,
//! or has come up again, is subscribed; who is silent for too long, or misses something, is lost, and what it held goes to others.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time, us};
use crate::model::Alarm;
use crate::model::caller::{Cx, nested_luck};
use crate::model::clock::time;
use crate::model::envelope::{Counts, Envelope, Kind};
use crate::process::{Clock, Exit, Loss, Observation, Outcome, QueueFact, TimerId};
use crate::protocol::amqp::{ConsumerId, QueueId};

use super::forward::Home;
use super::replying::Asked;
use super::{Broker, Stand};

/// What a delivery costs its queue that comes back faster than this: a queue of RabbitMQ is one process, which does some 50,000
/// things a second. Without it a message that fails at once, again and again, where nothing takes any time, would never let time
/// go on.
const RETURN: Span = us(20);

/// A consumer that is heard of.
#[derive(Debug)]
pub(super) struct Channel {
    pub(super) node: NodeId,
    /// The queue that it consumes from.
    queue: QueueId,
    /// How often it had come up before it subscribed.
    life: u32,
    /// The kind of its deliveries.
    call: u16,
    /// Lost, unless it is heard of before this fires.
    lapse: TimerId,
    /// Deliveries that are not settled, by number.
    held: BTreeMap<u32, Held>,
    /// Requests among its deliveries that it has not replied to, by number.
    pub(super) asked: BTreeMap<u32, Asked>,
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

/// A delivery that is not settled.
#[derive(Clone, Copy, Debug)]
struct Held {
    tag: u64,
    sent: Time,
    stand: Stand,
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

/// Where the numbers of the deliveries of a life begin: far apart, so that an answer to an earlier life is not taken for one to
/// this (2^32 divided by the golden ratio, Knuth, The Art of Computer Programming 3, section 6.4).
pub(super) fn first_number(restarts: u32) -> u32 {
    restarts.wrapping_mul(0x9E37_79B1)
}

/// The channel of a consumer's node.
pub(super) fn consumer_of(node: NodeId, call: u16) -> ConsumerId {
    ConsumerId::new(u64::from(node.index()) << 16 | u64::from(call))
}

impl Broker {
    /// Delivers what a queue has for its consumers.
    pub(super) fn hand_out(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        if self.home(queue) != Home::Here {
            return;
        }
        let now = time(cx.now());
        let hosted = &mut self.queues[queue.index()];
        if hosted.rests_until > now {
            if !hosted.is_resting {
                hosted.is_resting = true;
                cx.set_timer(Clock::Steady, hosted.rests_until.since(now), Alarm::Deliver(queue.index() as u32));
            }
            return self.look_at(cx, queue);
        }
        let number = self.spec.queues[queue.index()].number;
        while !self.reads(cx, queue, now)
            && let Some(delivery) = self.ask(queue, |queue, dead| queue.deliver(now, dead))
        {
            let Some(channel) = self.channels.get_mut(&delivery.consumer) else { continue };
            channel.sent = channel.sent.wrapping_add(1);
            let call = &self.script.calls[usize::from(channel.call)];
            let parcel = delivery.message;
            let kind = Kind::Delivery { settled: delivery.is_settled, asks: parcel.reply_to.is_some() };
            let luck = nested_luck(parcel.luck, 0, call.name);
            let named = if let Some(reply_to) = parcel.reply_to {
                channel.asked.insert(self.next, Asked::of(&parcel, reply_to));
                parcel.call
            } else {
                channel.call
            };
            let mut envelope = Envelope::new(kind, luck, self.next, named, delivery.count.saturating_add(1));
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
                self.release(cx, queue, parcel, Exit::LetGo(Loss::Automatic));
            } else {
                channel.held.insert(self.next, Held { tag: delivery.tag, sent: now, stand: parcel.stand });
            }
            self.next = self.next.wrapping_add(1);
        }
        self.look_at(cx, queue);
    }

    /// A queue has rested, and goes on.
    pub(super) fn go_on(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        self.queues[queue.index()].is_resting = false;
        self.page_in(queue, time(cx.now()));
        self.hand_out(cx, queue);
        self.bury(cx);
    }

    /// A consumer says that it is there.
    pub(super) fn hear(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        let script = Arc::clone(&self.script);
        let Some(spec) = script.calls[usize::from(envelope.call)].subscription.as_deref() else { return };
        let target = &script.targets[usize::from(script.calls[usize::from(envelope.call)].target)];
        let Some(queue) = target.place_of(from).map(|place| spec.queue_of(place)) else { return };
        if self.home(queue) != Home::Here {
            // It says so to all nodes, and one of them has the queue.
            return;
        }
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
                // Should others have missed that the queue is there.
                return self.tell_others(cx, queue);
            }
            // Something was lost on the way, which a connection does not survive.
            self.lose(cx, consumer);
            return;
        }
        self.declare(cx, queue);
        if self.queues[queue.index()].queue.subscribe(consumer, spec.terms).is_err() {
            // Somebody has the queue for itself: it tries again.
            cx.cancel_timer(lapse);
            return;
        }
        let channel = Channel {
            node: from,
            queue,
            life,
            call: envelope.call,
            lapse,
            held: BTreeMap::new(),
            asked: BTreeMap::new(),
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
    pub(super) fn lose(&mut self, cx: &mut Cx<'_>, consumer: ConsumerId) {
        let Some(channel) = self.channels.remove(&consumer) else { return };
        cx.cancel_timer(channel.lapse);
        let queue = channel.queue;
        if let Some(tie) = self.spec.queues[queue.index()].tie() {
            self.delete(cx, queue, tie);
            return self.bury(cx);
        }
        self.settle_before_it_goes(cx, queue, consumer);
        for held in channel.held.values() {
            if let Stand::Log(index) = held.stand {
                self.propose_return(cx, queue, index);
            }
        }
        self.ask(queue, |queue, dead| queue.gone(consumer, time(cx.now()), dead));
        self.delete_if_over(cx, queue);
        self.hand_out(cx, queue);
        self.bury(cx);
    }

    /// The queue is elsewhere now, or nowhere, and has no consumers here.
    pub(super) fn drop_channels(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let its = self.channels.extract_if(.., |_, channel| channel.queue == queue);
        for (_, channel) in its {
            cx.cancel_timer(channel.lapse);
        }
    }

    /// A consumer is done with a delivery, well or not. News of a channel that was lost is no news.
    pub(super) fn settle(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope, outcome: Outcome) {
        let consumer = consumer_of(from, envelope.call);
        let Some(channel) = self.channels.get_mut(&consumer) else { return };
        channel.answers = channel.answers.wrapping_add(1);
        if outcome != Outcome::Done {
            // What fails has no reply.
            channel.asked.remove(&envelope.number);
        }
        let Some(Held { tag, sent, stand }) = channel.held.remove(&envelope.number) else { return };
        let Some(spec) = self.script.calls[usize::from(channel.call)].subscription.as_deref() else { return };
        let queue = channel.queue;
        // What a consumer has no room for it has not looked at.
        let requeues = spec.requeues || outcome == Outcome::Rejected;
        // The channel is there, so the tag is outstanding: neither is refused.
        if let (Outcome::Done, Stand::Log(index)) = (outcome, stand) {
            return self.propose_settlement(cx, (queue, index), Exit::Acknowledged, Some((consumer, tag)));
        }
        if outcome == Outcome::Done {
            let mut done = Vec::new();
            if self.queues[queue.index()].queue.ack(consumer, tag, false, &mut done).is_ok() {
                let number = self.spec.queues[queue.index()].number;
                cx.observe(Observation::Queued { queue: number, fact: QueueFact::Acknowledged });
                done.into_iter().for_each(|parcel| self.release(cx, queue, parcel, Exit::Acknowledged));
            }
        } else {
            let now = time(cx.now());
            if requeues && now.since(sent) < RETURN {
                let hosted = &mut self.queues[queue.index()];
                hosted.rests_until = hosted.rests_until.max(now) + RETURN;
            }
            if let (true, Stand::Log(index)) = (requeues, stand) {
                self.propose_return(cx, queue, index);
            }
            let _ = self.ask(queue, |queue, dead| queue.nack(consumer, tag, false, requeues, now, dead));
        }
        self.hand_out(cx, queue);
        self.bury(cx);
    }
}
