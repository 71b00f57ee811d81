//! A work queue: what is published waits in order, goes to one consumer, and is forgotten when that consumer acknowledges.
//!
//! The owner tells the queue what happens and when ([`publish`](WorkQueue::publish), [`ack`](WorkQueue::ack),
//! [`gone`](WorkQueue::gone) …), and after each call that may free a message or a consumer asks
//! [`deliver`](WorkQueue::deliver) until it says nothing. A message is a handle that the owner gives meaning to. It is in exactly
//! one place: refused, ready, unacknowledged, or handed back to the owner as delivered and settled, acknowledged, dead, purged or
//! lost. Messages that die while a call is answered are put at the end of the list `dead`, in order.
//!
//! A publish, a delivery and an acknowledgement take O(log n) of consumers, and O(1) of messages; a requeue takes O(log n).

mod consumers;
mod crash;
mod expiry;
#[cfg(test)]
mod laws;
mod limits;
mod ready;
mod settings;
mod settle;
#[cfg(test)]
mod tests;

use self::consumers::Consumers;
use self::ready::{Entry, Ready};
use super::dead_letter::{Dead, DeathReason, Deaths};
use super::error::ChannelError;
use super::id::{ConsumerId, QueueId};
use crate::base::time::{Span, Time};

pub use consumers::{Acknowledge, Subscription};
pub use crash::{Loss, Lost};
pub use expiry::Ending;
pub use settings::{DeliveryLimit, Overflow, QueueType, Unlimited, WorkQueueSettings};

/// A message that comes to a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Incoming<M> {
    /// The message.
    pub message: M,
    /// The size of its body in bytes.
    pub size: u32,
    /// Its priority; 0 if it has none.
    pub priority: u8,
    /// Its own time to live. The queue's counts as well, and the shorter one holds.
    pub ttl: Option<Span>,
    /// Whether its delivery mode is persistent.
    pub persistent: bool,
    /// Where it has died before.
    pub deaths: Deaths,
}

impl<M> Incoming<M> {
    /// A persistent message of this size, without priority, time to live and history.
    pub const fn new(message: M, size: u32) -> Self {
        Self { message, size, priority: 0, ttl: None, persistent: true, deaths: Deaths::NONE }
    }
}

/// What became of a message that was published to a queue.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Publish {
    /// The queue took it. (It may be among the dead already: a queue that drops its head, or a message with no time to live.)
    Accepted {
        /// Its number among those that this queue took, from 0: what is on disk is told by it when the node crashes.
        sequence: u64,
    },
    /// The queue is full and refuses what is new: a negative confirm.
    Refused,
}

/// A message on its way to a consumer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Delivery<M> {
    /// To whom.
    pub consumer: ConsumerId,
    /// The delivery tag, from 1, under which it is settled.
    pub tag: u64,
    /// The message.
    pub message: M,
    /// The size of its body in bytes.
    pub size: u32,
    /// Whether it may have been delivered before.
    pub redelivered: bool,
    /// How often it was delivered before and came back (`x-delivery-count`, which only quorum queues tell).
    pub count: u32,
    /// Whether it is settled by being sent, and the queue has forgotten it.
    pub is_settled: bool,
    /// Where it died before it came to this queue.
    pub deaths: Deaths,
}

/// A work queue, whose messages are known by `M`.
#[derive(Clone, Debug)]
pub struct WorkQueue<M> {
    id: QueueId,
    kind: QueueType,
    durable: bool,
    exclusive: bool,
    auto_delete: bool,
    max_length: usize,
    max_bytes: u64,
    overflow: Overflow,
    ttl: Option<Span>,
    expires: Option<Span>,
    max_returns: Option<u32>,
    max_priority: u8,
    /// Whether there is a dead letter exchange.
    has_letters: bool,
    ready: Ready<M>,
    consumers: Consumers<Entry<M>>,
    /// How many messages were accepted.
    accepted: u64,
    /// The bytes of all bodies that wait for an acknowledgement.
    unacked_bytes: u64,
    /// The only ready message was published while a consumer could take it, and goes to it: neither limits nor times to live of
    /// zero apply.
    is_handed: bool,
    had_consumer: bool,
    /// A quorum queue was above its limits, and has not been well below since.
    is_full: bool,
    /// When it was used last, if it has no consumer.
    used: Time,
}

impl<M: Copy> WorkQueue<M> {
    /// An empty queue, declared at `now`; whether it has a dead letter exchange.
    pub fn new(id: QueueId, settings: &WorkQueueSettings, has_letters: bool, now: Time) -> Self {
        let max_priority = settings.max_priority.map_or(0, |most| u8::try_from(most.get()).unwrap_or(u8::MAX));
        Self {
            id,
            kind: settings.kind(),
            durable: settings.durable,
            exclusive: settings.exclusive,
            auto_delete: settings.auto_delete,
            max_length: settings.max_length.map_or(usize::MAX, |most| most as usize),
            max_bytes: settings.max_length_bytes.map_or(u64::MAX, |most| most.count()),
            overflow: settings.overflow,
            ttl: settings.message_ttl,
            expires: settings.expires,
            max_returns: settings.returns(),
            max_priority,
            has_letters,
            ready: Ready::new(settings.kind(), max_priority),
            consumers: Consumers::new(settings.single_active_consumer, settings.kind() == QueueType::Quorum),
            is_full: false,
            accepted: 0,
            unacked_bytes: 0,
            is_handed: false,
            had_consumer: false,
            used: now,
        }
    }

    /// A message arrives.
    ///
    /// A classic queue that refuses does so when the message would be one too many among the ready, consumers or not; what a
    /// quorum queue does is another matter (module `limits`). A queue that drops its head takes the message first. If it was empty and a consumer
    /// has credit, the message goes straight there, and counts for nothing.
    pub fn publish(&mut self, incoming: Incoming<M>, now: Time, dead: &mut Vec<Dead<M>>) -> Publish {
        self.expire(now, dead);
        self.is_handed = false;
        let Incoming { message, size, priority, ttl, persistent, deaths } = incoming;
        let least = if self.kind == QueueType::Quorum { expiry::LEAST } else { Span::ZERO };
        let ttl = ttl.into_iter().chain(self.ttl).min();
        let expiry = ttl.map_or(Time::MAX, |ttl| now + ttl.max(least));
        let sequence = self.accepted;
        let entry = Entry { message, deaths, expiry, sequence, size, returns: 0, priority, persistent };
        if self.refuses(&entry) {
            if self.overflow == Overflow::RejectPublishDlx && self.has_letters {
                self.die(entry, DeathReason::MaxLen, dead);
            }
            return Publish::Refused;
        }
        self.accepted += 1;
        self.is_handed = self.ready.is_empty() && self.consumers.can_take();
        self.ready.push(entry);
        if !self.is_handed {
            self.settle_down(now, dead);
        }
        Publish::Accepted { sequence }
    }

    /// A message that was found on disk, which the queue had taken before: it is not asked whether there is room. It had come back
    /// so often; if that is not known, once, since it may have been delivered.
    pub fn restore(&mut self, incoming: Incoming<M>, returns: u32, now: Time) {
        let Incoming { message, size, priority, ttl, persistent, deaths } = incoming;
        let expiry = ttl.map_or(Time::MAX, |ttl| now + ttl);
        let sequence = self.accepted;
        self.accepted += 1;
        self.is_handed = false;
        self.ready.push(Entry { message, deaths, expiry, sequence, size, returns, priority, persistent });
    }

    /// The next delivery that is due, if there is one: the message at the head goes to the consumer whose turn it is.
    pub fn deliver(&mut self, now: Time, dead: &mut Vec<Dead<M>>) -> Option<Delivery<M>> {
        self.drop_expired(now, dead);
        if self.ready.is_empty() || !self.consumers.can_take() {
            if self.kind == QueueType::Quorum {
                self.enforce(dead);
            }
            return None;
        }
        self.is_handed = false;
        let entry = self.ready.pop()?;
        let (message, size, count, deaths) = (entry.message, entry.size, entry.returns, entry.deaths.clone());
        let (consumer, tag, settled) = self.consumers.hand(entry)?;
        let is_settled = settled.is_some();
        if !is_settled {
            self.unacked_bytes += u64::from(size);
        }
        Some(Delivery { consumer, tag, message, size, redelivered: count > 0, count, is_settled, deaths })
    }

    /// Somebody fetches what is at the head (`basic.get`), if there is anything, without being subscribed; that counts as use. What
    /// is not settled by that, `holder` holds as a consumer does.
    ///
    /// # Errors
    /// [`ChannelError::Locked`] at a quorum queue with a single active consumer.
    pub fn fetch(
        &mut self,
        holder: ConsumerId,
        acknowledge: Acknowledge,
        now: Time,
        dead: &mut Vec<Dead<M>>,
    ) -> Result<Option<Delivery<M>>, ChannelError> {
        if self.kind == QueueType::Quorum && self.consumers.has_single() {
            return Err(ChannelError::Locked);
        }
        self.used = now;
        self.is_handed = false;
        self.drop_expired(now, dead);
        let Some(entry) = self.ready.pop() else { return Ok(None) };
        let (message, size, count, deaths) = (entry.message, entry.size, entry.returns, entry.deaths.clone());
        let (tag, settled) = self.consumers.give(holder, entry, acknowledge);
        let is_settled = settled.is_some();
        if !is_settled {
            self.unacked_bytes += u64::from(size);
        }
        let redelivered = count > 0;
        match self.kind {
            QueueType::Classic => self.drop_expired(now, dead),
            QueueType::Quorum => self.enforce(dead),
        }
        Ok(Some(Delivery { consumer: holder, tag, message, size, redelivered, count, is_settled, deaths }))
    }

    /// A consumer subscribes.
    ///
    /// # Errors
    /// [`ChannelError::ConsumerExists`] if it does already; [`ChannelError::ExclusiveUse`] if another has the queue for itself, or
    /// it wants to and there are others, or the queue has a single active consumer.
    pub fn subscribe(&mut self, consumer: ConsumerId, subscription: Subscription) -> Result<(), ChannelError> {
        self.consumers.subscribe(consumer, subscription)?;
        self.had_consumer = true;
        Ok(())
    }

    /// A consumer wants nothing more, but may still settle what it holds; whether it was subscribed.
    pub fn cancel(&mut self, consumer: ConsumerId, now: Time) -> bool {
        let was_subscribed = self.consumers.cancel(consumer);
        self.is_handed = false;
        if was_subscribed {
            self.used = now;
        }
        was_subscribed
    }

    /// Takes out all that are ready, and puts them at the end of `removed`, in order of delivery; those that wait for an
    /// acknowledgement stay. They are not dead letters.
    pub fn purge(&mut self, removed: &mut Vec<M>) {
        self.is_handed = false;
        self.is_full = false;
        removed.extend(std::iter::from_fn(|| self.ready.pop()).map(|entry| entry.message));
    }

    /// Takes out everything, ready or not, and all consumers: the queue is deleted. They are not dead letters.
    pub fn delete(&mut self, removed: &mut Vec<M>) {
        self.purge(removed);
        removed.extend(self.release().into_iter().map(|entry| entry.message));
    }

    /// Which queue it is.
    pub fn id(&self) -> QueueId {
        self.id
    }

    /// How many messages are ready.
    pub fn ready(&self) -> usize {
        self.ready.len()
    }

    /// Whether a message is ready and a consumer can take it.
    pub fn can_deliver(&mut self) -> bool {
        !self.ready.is_empty() && self.consumers.can_take()
    }

    /// How many messages wait for an acknowledgement.
    pub fn unacked(&self) -> usize {
        self.consumers.unacked()
    }

    /// The bytes of the bodies of ready messages.
    pub fn ready_bytes(&self) -> u64 {
        self.ready.bytes()
    }

    /// The bytes of the bodies that wait for an acknowledgement.
    pub fn unacked_bytes(&self) -> u64 {
        self.unacked_bytes
    }

    /// How many messages were ever accepted: the number of the next one.
    pub fn accepted(&self) -> u64 {
        self.accepted
    }

    /// How many consumers are subscribed.
    pub fn consumers(&self) -> usize {
        self.consumers.len()
    }

    /// How many messages this consumer holds.
    pub fn unacked_of(&self, consumer: ConsumerId) -> usize {
        self.consumers.get(consumer).map_or(0, |consumer| consumer.unacked.len())
    }

    /// Who gets everything, at a queue with a single active consumer.
    pub fn active(&self) -> Option<ConsumerId> {
        self.consumers.active()
    }

    fn die(&self, entry: Entry<M>, reason: DeathReason, dead: &mut Vec<Dead<M>>) {
        let Entry { message, mut deaths, size, priority, persistent, .. } = entry;
        if self.has_letters {
            deaths.record(self.id, reason);
        }
        dead.push(Dead { message, size, priority, persistent, reason, is_letter: self.has_letters, deaths });
    }
}
