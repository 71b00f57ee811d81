//! What the crash of a node leaves of a queue.
//!
//! A classic queue that is durable keeps the persistent messages that were written to disk and synced; a quorum queue keeps those
//! that a majority has committed, whatever their delivery mode. The owner knows how far that was. All consumers are gone, and what
//! they held is ready again and marked as redelivered. Whatever is lost is told with the setting that allowed it.
//!
//! Acknowledgements count as written at once: a broker may deliver a message again whose acknowledgement was not yet on disk,
//! which is not modelled.
//!
//! Source: rabbitmq.com/docs/queues (durability), rabbitmq.com/docs/reliability, rabbitmq.com/docs/quorum-queues.

use super::settle::Return;
use super::{Dead, QueueType, WorkQueue};
use crate::base::time::Time;
use crate::words;

words! {
    /// What allowed a message to be lost in a crash.
    pub enum Loss {
        /// Its queue is exclusive, and ends with its connection.
        ExclusiveQueue = "exclusive-queue",
        /// Its queue is not durable.
        TransientQueue = "transient-queue",
        /// Its delivery mode is transient.
        TransientMessage = "transient-message",
        /// It was not yet synced, or committed by a majority. It had not been confirmed either.
        Unconfirmed = "unconfirmed",
    }
}

/// A message that a crash took.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost<M> {
    /// The message.
    pub message: M,
    /// What allowed it.
    pub loss: Loss,
}

impl<M: Copy> WorkQueue<M> {
    /// The node crashes at `now`. Messages with numbers below `synced` were synced (classic) or committed (quorum). Whether
    /// there is still a queue; if not, all its messages are lost, and the owner declares a new one or none.
    ///
    /// Messages that came back once too often are put at the end of `dead`, the lost at the end of `lost`. When the node is up
    /// again, the owner calls [`restart`](Self::restart).
    pub fn crash(&mut self, synced: u64, now: Time, lost: &mut Vec<Lost<M>>, dead: &mut Vec<Dead<M>>) -> bool {
        let (exclusive, durable) = (self.exclusive, self.durable);
        let is_quorum = self.kind == QueueType::Quorum;
        let loss = |persistent: bool, sequence: u64| match () {
            () if exclusive => Some(Loss::ExclusiveQueue),
            () if !durable => Some(Loss::TransientQueue),
            () if !persistent && !is_quorum => Some(Loss::TransientMessage),
            () if sequence >= synced => Some(Loss::Unconfirmed),
            () => None,
        };
        let held = self.release();
        self.used = now;
        self.ready.retain(
            |entry| loss(entry.persistent, entry.sequence).is_none(),
            |entry| {
                let loss = loss(entry.persistent, entry.sequence).expect("it was not kept");
                lost.push(Lost { message: entry.message, loss });
            },
        );
        for entry in held {
            match loss(entry.persistent, entry.sequence) {
                Some(loss) => lost.push(Lost { message: entry.message, loss }),
                None => self.requeue(entry, Return::Lost, dead),
            }
        }
        durable && !exclusive
    }

    /// The node is up again: what expired meanwhile dies, and the time for which the queue may be unused begins anew.
    pub fn restart(&mut self, now: Time, dead: &mut Vec<Dead<M>>) {
        self.used = now;
        self.settle_down(now, dead);
    }
}
