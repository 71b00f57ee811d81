//! Queues that come and go: who declares them, and when they are deleted.
//!
//! A queue is declared when its broker starts, and again by each consumer that subscribes, as clients do: so one that was deleted is
//! there again, empty. An exclusive queue belongs to the connection of its consumer, who alone declares it. It ends with that
//! connection, one with `auto-delete` with its last consumer, and one with `expires` when it had none for so long.
//!
//! While a queue is not there no binding leads to it, so what is published finds other queues or none. The node that has it decides,
//! and tells the others, again and again, as they may have missed it; what another node sends it all the same, as it has not heard yet,
//! nobody keeps. What was in a queue goes with it, and is no dead letter. What no queue takes, and would have come to one that was
//! deleted, is lost by what deleted that.
//!
//! The connections of a node that is down have ended. So the exclusive queues of one that is silent are not there for the others until
//! it speaks of them again: otherwise whatever is bound there would wait for that node.
//!
//! Source: rabbitmq.com/docs/queues (temporary queues), rabbitmq.com/docs/ttl (queue TTL).

use std::sync::Arc;

use crate::base::id::NodeId;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Clock, Exit, Loss, MessageId, NO_PLACE, Observation, Outcome};
use crate::protocol::amqp::{Destination, Ending, QueueId, QueueType};

use super::forward::{Home, PATIENCE};
use super::word::Word;
use super::{Broker, HostedQueue, Publication};

/// Whether a queue is there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(in crate::model) enum Presence {
    /// It is.
    There,
    /// It was not declared yet.
    NotYet,
    /// It was deleted, and this is what the loss of its messages was due to.
    Deleted(Loss),
}

impl Presence {
    /// What the loss of a message is due to that would have come to this queue, if it was deleted. What is published while a subscriber
    /// is gone is not addressed to it.
    pub(super) fn loss(self) -> Option<Loss> {
        match self {
            Self::Deleted(why) => Some(why).filter(|&why| why != Loss::Subscriber),
            Self::There | Self::NotYet => None,
        }
    }
}

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
            let Some(tie) = hosted.tie() else { continue };
            if self.life == 0 {
                self.note_absence(queue, Presence::NotYet);
            } else if hosted.home == self.place {
                self.note_absence(queue, Presence::Deleted(tie));
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
        if hosted.presence == Presence::There {
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
        self.note_absence(queue, Presence::Deleted(why));
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
        if hosted.presence == Presence::There {
            self.delete(cx, queue, why);
        }
    }

    /// Another node says whether a queue is there, which it has.
    pub(super) fn hear_of_queue(&mut self, queue: QueueId, presence: Presence) {
        let is_known = self.queues.get(queue.index()).is_some_and(|hosted| hosted.presence == presence);
        if is_known || self.home(queue) == Home::Here {
            return;
        }
        if presence == Presence::There { self.note_presence(queue) } else { self.note_absence(queue, presence) }
    }

    /// Sees to it that the others are told again of queues that come and go.
    pub(super) fn begin_to_repeat(&mut self, cx: &mut Cx<'_>) {
        self.heard.fill(time(cx.now()));
        if self.spec.nodes > 1 && self.spec.queues.iter().any(HostedQueue::comes_and_goes) {
            cx.set_timer(Clock::Steady, self.spec.presence_beat(), Alarm::Presence);
        }
    }

    /// Tells the others of the queues that are here, and stops counting on the exclusive ones of nodes that are silent.
    pub(super) fn repeat_presence(&mut self, cx: &mut Cx<'_>) {
        let spec = Arc::clone(&self.spec);
        let (now, silence) = (time(cx.now()), spec.heartbeat.min(PATIENCE));
        for (index, hosted) in spec.queues.iter().enumerate() {
            let queue = QueueId::new(index as u32);
            match self.home(queue) {
                Home::Here => self.tell_others(cx, queue),
                Home::There(node) if self.queues[index].presence == Presence::There => {
                    let heard = self.place_of(node).map(|place| self.heard[place as usize]);
                    let is_silent = heard.is_some_and(|heard| now.since(heard) > silence);
                    if let Some(tie) = hosted.tie().filter(|_| is_silent) {
                        self.note_absence(queue, Presence::Deleted(tie));
                    }
                }
                Home::There(_) | Home::Nowhere => {}
            }
        }
        cx.set_timer(Clock::Steady, spec.presence_beat(), Alarm::Presence);
    }

    /// Something was heard of a node.
    pub(super) fn note_heard(&mut self, cx: &mut Cx<'_>, from: NodeId) {
        if let Some(place) = self.place_of(from) {
            self.heard[place as usize] = time(cx.now());
        }
    }

    /// The log of a queue that another node leads grows by messages: so it is there, whatever this node has missed.
    pub(super) fn note_presence_by_log(&mut self, queue: QueueId) {
        if self.queues[queue.index()].presence != Presence::There {
            self.note_presence(queue);
        }
    }

    /// Tells the other nodes whether a queue is there that may not be.
    pub(super) fn tell_others(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        if !self.spec.queues[queue.index()].comes_and_goes() {
            return;
        }
        let presence = self.queues[queue.index()].presence;
        let (nodes, me) = (self.spec.nodes, self.place);
        for place in (0..nodes).filter(|place| *place != me) {
            self.say(cx, self.node(place), Word::Queue { queue, presence });
        }
    }

    fn note_presence(&mut self, queue: QueueId) {
        let spec = Arc::clone(&self.spec);
        let spec = &spec.queues[queue.index()];
        self.queues[queue.index()].presence = Presence::There;
        spec.name.iter().for_each(|name| self.routing.queue(name, queue));
        for (exchange, binding) in &spec.bindings {
            debug_assert_eq!(binding.destination, Destination::Queue(queue), "a queue's bindings lead there");
            self.routing.bind(*exchange, binding.clone());
        }
    }

    fn note_absence(&mut self, queue: QueueId, presence: Presence) {
        self.queues[queue.index()].presence = presence;
        self.routing.forget_queue(queue);
    }

    /// Drops a message that no queue is bound for, and says what the loss is due to: where it would have come to a queue that was deleted,
    /// to what deleted that, the first of several.
    pub(super) fn discard(&mut self, cx: &mut Cx<'_>, message: MessageId, publication: &Publication) {
        let discarded = Observation::Handled { message, outcome: Outcome::Discarded };
        let mut found = Vec::new();
        let Publication { exchange, routing_key, headers, .. } = publication;
        self.whole_routing.route(*exchange, routing_key, headers, &mut found);
        match found.into_iter().find_map(|queue| self.queues[queue.index()].presence.loss()) {
            Some(why) => {
                cx.observe(Observation::Stored { message, place: NO_PLACE, key: None, risk: why });
                cx.observe(discarded);
                cx.observe(Observation::Released { message, place: NO_PLACE, is_kept: false, exit: Exit::LetGo(why) });
            }
            None => cx.observe(discarded),
        }
    }

    /// Deletes what a leader finds in a quorum queue that was deleted under an earlier one, or tells others that it is there.
    pub(super) fn take_over_presence(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        debug_assert_eq!(self.spec.queues[queue.index()].settings.kind(), QueueType::Quorum, "others have no leaders");
        if self.queues[queue.index()].presence != Presence::There {
            self.delete(cx, queue, Loss::QueueExpired);
        } else if self.life > 0 {
            self.tell_others(cx, queue);
        }
    }
}
