//! Acknowledgements, and what comes back without one.
//!
//! An unknown tag closes the channel. With `multiple`, a tag settles all up to it and has to be outstanding itself; tag 0 settles
//! all there are. What is rejected together leaves in order of delivery, or by priority first where there are priorities.
//!
//! What is requeued goes to its original position (classic), or in front of what was never delivered (quorum). A quorum queue
//! without a delivery limit puts what a consumer returns at the back instead, whatever its priority, so that its log can be
//! truncated; what a lost consumer held goes in front even then. A quorum queue counts every return, and lets a message die that
//! was returned more often than the limit says.
//!
//! Source: rabbitmq.com/docs/confirms, rabbitmq.com/docs/nack, rabbitmq.com/docs/quorum-queues (poison message handling,
//! repeated requeues).

use std::cmp::Reverse;

use super::ready::Entry;
use super::{Dead, DeathReason, QueueType, WorkQueue};
use crate::base::time::Time;
use crate::protocol::amqp::error::ChannelError;
use crate::protocol::amqp::id::ConsumerId;

/// How a message came back.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Return {
    /// Its consumer said so.
    Told,
    /// Its consumer is gone.
    Lost,
}

impl<M: Copy> WorkQueue<M> {
    /// A consumer has processed the message with this tag, or all up to it; they are put at the end of `done`, in order of
    /// delivery.
    ///
    /// # Errors
    /// [`ChannelError::UnknownTag`], and nothing is settled.
    pub fn ack(
        &mut self,
        consumer: ConsumerId,
        tag: u64,
        multiple: bool,
        done: &mut Vec<M>,
    ) -> Result<(), ChannelError> {
        self.consumers.may_settle(consumer, tag, multiple)?;
        while let Some(entry) = self.take(consumer, tag, multiple) {
            done.push(entry.message);
            if !multiple {
                break;
            }
        }
        Ok(())
    }

    /// A consumer did not process the message with this tag, or all up to it. They are requeued, or die as rejected.
    ///
    /// # Errors
    /// [`ChannelError::UnknownTag`], and nothing is settled.
    pub fn nack(
        &mut self,
        consumer: ConsumerId,
        tag: u64,
        multiple: bool,
        requeue: bool,
        now: Time,
        dead: &mut Vec<Dead<M>>,
    ) -> Result<(), ChannelError> {
        self.consumers.may_settle(consumer, tag, multiple)?;
        let before = dead.len();
        while let Some(entry) = self.take(consumer, tag, multiple) {
            if requeue {
                self.requeue(entry, Return::Told, dead);
            } else {
                self.die(entry, DeathReason::Rejected, dead);
            }
            if !multiple {
                break;
            }
        }
        if requeue {
            self.settle_down(now, dead);
        } else if self.kind == QueueType::Classic && self.max_priority > 0 {
            dead[before..].sort_by_key(|dead| Reverse(dead.priority.min(self.max_priority)));
        }
        Ok(())
    }

    /// As [`nack`](Self::nack) of one message.
    ///
    /// # Errors
    /// [`ChannelError::UnknownTag`], and nothing is settled.
    pub fn reject(
        &mut self,
        consumer: ConsumerId,
        tag: u64,
        requeue: bool,
        now: Time,
        dead: &mut Vec<Dead<M>>,
    ) -> Result<(), ChannelError> {
        self.nack(consumer, tag, false, requeue, now, dead)
    }

    /// A consumer's channel or connection was closed or lost: it is no longer there, and all that it held is requeued; whether
    /// it was still subscribed. If the queue has to be [deleted](Self::ending) for that, nothing of it dies any more.
    pub fn gone(&mut self, consumer: ConsumerId, now: Time, dead: &mut Vec<Dead<M>>) -> bool {
        let was_subscribed = self.cancel(consumer, now);
        let Some(mut held) = self.consumers.remove(consumer) else { return was_subscribed };
        if !held.is_empty() {
            while let Some(entry) = held.pop_up_to(u64::MAX) {
                self.unacked_bytes -= u64::from(entry.size);
                self.requeue(entry, Return::Lost, dead);
            }
            if self.ending(now).is_none() {
                self.settle_down(now, dead);
            }
        }
        was_subscribed
    }

    /// Takes out all consumers and what they hold, in order of publication.
    pub(super) fn release(&mut self) -> Vec<Entry<M>> {
        let mut entries = Vec::with_capacity(self.consumers.unacked());
        for consumer in self.consumers.ids() {
            let mut held = self.consumers.remove(consumer).unwrap_or_default();
            entries.extend(std::iter::from_fn(|| held.pop_up_to(u64::MAX)));
        }
        entries.sort_by_key(|entry| entry.sequence);
        self.unacked_bytes = 0;
        self.is_handed = false;
        entries
    }

    /// Makes one ready again, unless it came back once too often.
    pub(super) fn requeue(&mut self, mut entry: Entry<M>, how: Return, dead: &mut Vec<Dead<M>>) {
        self.is_handed = false;
        entry.returns = entry.returns.saturating_add(1);
        match self.max_returns {
            Some(most) if entry.returns > most => self.die(entry, DeathReason::DeliveryLimit, dead),
            None if self.kind == QueueType::Quorum && how == Return::Told => self.ready.push_returned(entry),
            _ => self.ready.put_back(entry),
        }
    }

    fn take(&mut self, consumer: ConsumerId, tag: u64, multiple: bool) -> Option<Entry<M>> {
        let entry = self.consumers.settle(consumer, tag, multiple)?;
        self.unacked_bytes -= u64::from(entry.size);
        Some(entry)
    }
}
