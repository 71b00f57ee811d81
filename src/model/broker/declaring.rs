//! Queues that come and go: who declares them, and when they are deleted.
//!
//! A queue is declared when its broker starts, and again by each consumer that subscribes, as clients do: so one that was deleted is
//! there again, empty. An exclusive queue belongs to the connection of its consumer, who alone declares it. It ends with that
//! connection, one with `auto-delete` with its last consumer, and one with `expires` when it had none for so long.
//!
//! While a queue is not there no binding leads to it, so what is published finds other queues or none. The node that has it decides,
//! and tells the others; what another node sends it all the same, as it has not heard yet, nobody keeps. What was in a queue goes with
//! it, and is no dead letter.
//!
//! Source: rabbitmq.com/docs/queues (temporary queues), rabbitmq.com/docs/ttl (queue TTL).

use std::sync::Arc;

use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Exit, Loss};
use crate::protocol::amqp::{Destination, Ending, QueueId, QueueType};

use super::forward::Home;
use super::word::Word;
use super::{Broker, HostedQueue};

impl HostedQueue {
    /// Whether it may be deleted, and come again.
    pub(super) fn comes_and_goes(&self) -> bool {
        self.settings.exclusive || self.settings.auto_delete || self.settings.expires.is_some()
    }

    /// What the loss of its messages is due to when its connection ends, if it belongs to one.
    pub(super) fn tie(&self) -> Option<Loss> {
        match (self.is_private, self.settings.exclusive) {
            (true, _) => Some(Loss::Subscriber),
            (false, true) => Some(Loss::ExclusiveQueue),
            (false, false) => None,
        }
    }
}

impl Broker {
    /// Forgets the exclusive queues of a declaration that is not theirs: the node comes up. One that came up before cannot know which of
    /// those at other nodes are there; these say so if they are not.
    pub(super) fn begin_without_the_exclusive(&mut self) {
        let spec = Arc::clone(&self.spec);
        for (index, hosted) in spec.queues.iter().enumerate() {
            let queue = QueueId::new(index as u32);
            if hosted.tie().is_none() {
                continue;
            }
            if self.life == 0 || hosted.home == self.place {
                self.note_absence(queue);
            } else {
                self.note_presence(queue);
            }
        }
    }

    /// Tells the others of a queue that is here, after a time when it may not have been.
    pub(super) fn begin_to_tell(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        if self.life > 0 {
            self.tell_others(cx, queue);
        }
    }

    /// A consumer declares its queue, which is here: it comes back, empty, if it was deleted.
    pub(super) fn declare(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let now = time(cx.now());
        let hosted = &mut self.queues[queue.index()];
        if hosted.is_there {
            return hosted.queue.touch(now);
        }
        hosted.empty(queue, &self.spec);
        hosted.queue.restart(now, &mut Vec::new());
        self.note_presence(queue);
        self.tell_others(cx, queue);
    }

    /// Deletes a queue that is here, with all that is in it, and says what that loss is due to.
    pub(super) fn delete(&mut self, cx: &mut Cx<'_>, queue: QueueId, why: Loss) {
        let mut removed = Vec::new();
        self.queues[queue.index()].queue.delete(&mut removed);
        self.note_absence(queue);
        self.drop_channels(cx, queue);
        removed.into_iter().for_each(|parcel| self.release(cx, queue, parcel, Exit::LetGo(why)));
        self.look_at(cx, queue);
        self.tell_others(cx, queue);
    }

    /// Deletes a queue that is here, if it has come to its end.
    pub(super) fn delete_if_over(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        let hosted = &self.queues[queue.index()];
        let why = match hosted.queue.ending(time(cx.now())) {
            Some(Ending::LastConsumerLeft) => Loss::AutoDelete,
            Some(Ending::Unused) => Loss::QueueExpired,
            None => return,
        };
        if hosted.is_there {
            self.delete(cx, queue, why);
        }
    }

    /// Another node says whether a queue is there, which it has.
    pub(super) fn hear_of_queue(&mut self, queue: QueueId, is_there: bool) {
        let is_known = self.queues.get(queue.index()).is_some_and(|hosted| hosted.is_there == is_there);
        if is_known || self.home(queue) == Home::Here {
            return;
        }
        if is_there { self.note_presence(queue) } else { self.note_absence(queue) }
    }

    /// Tells the other nodes whether a queue is there that may not be.
    pub(super) fn tell_others(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        if !self.spec.queues[queue.index()].comes_and_goes() {
            return;
        }
        let is_there = self.queues[queue.index()].is_there;
        let (nodes, me) = (self.spec.nodes, self.place);
        for place in (0..nodes).filter(|place| *place != me) {
            self.say(cx, self.node(place), Word::Queue { queue, is_there });
        }
    }

    fn note_presence(&mut self, queue: QueueId) {
        let spec = Arc::clone(&self.spec);
        let spec = &spec.queues[queue.index()];
        self.queues[queue.index()].is_there = true;
        spec.name.iter().for_each(|name| self.routing.queue(name, queue));
        for (exchange, binding) in &spec.bindings {
            debug_assert_eq!(binding.destination, Destination::Queue(queue), "a queue's bindings lead there");
            self.routing.bind(*exchange, binding.clone());
        }
    }

    fn note_absence(&mut self, queue: QueueId) {
        self.queues[queue.index()].is_there = false;
        self.routing.forget_queue(queue);
    }

    /// Deletes what a leader finds in a quorum queue that was deleted under an earlier one, or tells others that it is there.
    pub(super) fn take_over_presence(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        debug_assert_eq!(self.spec.queues[queue.index()].settings.kind(), QueueType::Quorum, "others have no leaders");
        if !self.queues[queue.index()].is_there {
            self.delete(cx, queue, Loss::QueueExpired);
        } else if self.life > 0 {
            self.tell_others(cx, queue);
        }
    }
}
