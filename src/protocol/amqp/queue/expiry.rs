//! Time: messages that expire, and queues that do.
//!
//! A message expires when the shorter of its own time to live and the queue's has passed. It leaves only when it is at the head:
//! a message that expired behind one that did not still waits, counts and takes room, but is never delivered, since it is
//! looked at again at the head. A message that is requeued keeps its expiry. That holds for classic and quorum queues alike, but
//! for one thing: a quorum queue gives a message without any time to live a millisecond.
//!
//! A queue expires when it was unused for as long as it may be; its messages go with it, and are no dead letters.
//!
//! Source: rabbitmq.com/docs/ttl; rabbitmq.com/docs/queues (auto-delete).

use super::{Dead, DeathReason, QueueType, WorkQueue};
use crate::base::time::{Span, Time, ms};

/// The least time to live at a quorum queue.
pub(super) const LEAST: Span = ms(1);

/// Why a queue has to be deleted.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Ending {
    /// Its last consumer left, and it is set to `auto-delete`.
    LastConsumerLeft,
    /// It was unused for as long as `expires` allows.
    Unused,
}

impl<M: Copy> WorkQueue<M> {
    /// Lets those at the head die that have expired by now. To be called at [`next_expiry`](Self::next_expiry).
    pub fn expire(&mut self, now: Time, dead: &mut Vec<Dead<M>>) {
        self.drop_expired(now, dead);
        if self.kind == QueueType::Quorum && !self.is_handed {
            self.enforce(dead);
        }
    }

    /// As [`expire`](Self::expire), in the middle of something else: the limits are not looked at.
    pub(super) fn drop_expired(&mut self, now: Time, dead: &mut Vec<Dead<M>>) {
        // What was published while a consumer could take it goes there, were its time to live zero.
        while !self.is_handed && self.ready.head().is_some_and(|entry| entry.expiry <= now) {
            let Some(entry) = self.ready.pop() else { break };
            self.die(entry, DeathReason::Expired, dead);
        }
    }

    /// When the message at the head expires, if it does.
    pub fn next_expiry(&self) -> Option<Time> {
        self.ready.head().map(|entry| entry.expiry).filter(|&expiry| expiry < Time::MAX)
    }

    /// The queue was declared again, or asked for its length: a classic queue counts that as use.
    pub fn touch(&mut self, now: Time) {
        if self.kind == QueueType::Classic {
            self.used = now;
        }
    }

    /// When the queue expires, if it stays unused.
    pub fn expires_at(&self) -> Option<Time> {
        self.expires.filter(|_| self.consumers.len() == 0).map(|expires| self.used + expires)
    }

    /// Whether the queue has to be deleted now, and why. The owner then calls [`delete`](Self::delete).
    pub fn ending(&self, now: Time) -> Option<Ending> {
        if self.auto_delete && self.had_consumer && self.consumers.len() == 0 {
            return Some(Ending::LastConsumerLeft);
        }
        self.expires_at().filter(|&at| at <= now).map(|_| Ending::Unused)
    }
}
