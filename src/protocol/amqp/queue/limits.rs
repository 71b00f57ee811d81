//! Queues that are full.
//!
//! A queue that drops its head lets messages die from the head until what is ready fits in. A classic queue does so before it
//! delivers, a quorum queue afterwards: what it can deliver at once never counts. If several have to go at once, the letters of a
//! quorum queue leave the last one first.
//!
//! A classic queue that refuses does not take what would be one too many. A quorum queue takes one too many, which it cannot
//! help since publishers are told later; from then on it refuses everything, until no more than four fifths of its limits are
//! in use. Publishers are assumed to know of it all at once. Dead letters have no publisher that could be told: a classic queue
//! refuses and loses them, a quorum queue takes them beyond its limits.
//!
//! Source: rabbitmq.com/docs/maxlength, rabbitmq.com/docs/quorum-queues; `rabbit_amqqueue_process` and `rabbit_fifo` of
//! RabbitMQ 3.10 to 4.0.

use super::ready::Entry;
use super::{Dead, DeathReason, Overflow, QueueType, WorkQueue};
use crate::base::time::Time;
use crate::protocol::amqp::dead_letter::Deaths;

impl<M: Copy> WorkQueue<M> {
    /// Whether a message that is published is not taken.
    pub(super) fn refuses(&self, entry: &Entry<M>) -> bool {
        match (self.overflow, self.kind) {
            (Overflow::DropHead, _) => false,
            (_, QueueType::Quorum) => self.is_full && entry.deaths == Deaths::NONE,
            (_, QueueType::Classic) => self.exceeds(self.ready.len() + 1, self.ready.bytes() + u64::from(entry.size)),
        }
    }

    /// What may have to go after messages became ready: heads above the limits, and heads that expired.
    pub(super) fn settle_down(&mut self, now: Time, dead: &mut Vec<Dead<M>>) {
        match self.kind {
            QueueType::Classic => {
                self.enforce(dead);
                self.drop_expired(now, dead);
            }
            QueueType::Quorum => {
                self.drop_expired(now, dead);
                if !self.consumers.can_take() {
                    self.enforce(dead);
                }
            }
        }
    }

    /// Keeps the limits, or takes note that they are not kept.
    pub(super) fn enforce(&mut self, dead: &mut Vec<Dead<M>>) {
        if self.overflow == Overflow::DropHead {
            let before = dead.len();
            while self.exceeds(self.ready.len(), self.ready.bytes()) {
                let Some(entry) = self.ready.pop() else { break };
                self.die(entry, DeathReason::MaxLen, dead);
            }
            if self.kind == QueueType::Quorum {
                dead[before..].reverse();
            }
            return;
        }
        let (length, bytes) = (self.max_length as u64, self.max_bytes);
        let fits = |used: u64, limit: u64| used <= limit / 5 * 4 + limit % 5 * 4 / 5;
        if self.exceeds(self.ready.len(), self.ready.bytes()) {
            self.is_full = true;
        } else if fits(self.ready.len() as u64, length) && fits(self.ready.bytes(), bytes) {
            self.is_full = false;
        }
    }

    fn exceeds(&self, length: usize, bytes: u64) -> bool {
        length > self.max_length || bytes > self.max_bytes
    }
}
