//! A broker of several nodes: where its queues are, and messages that come to another node than that.
//!
//! A classic queue is at one node, in turn in the order in which they are declared; a quorum queue is at whichever leads it. A client
//! publishes to any node, which passes the message on and confirms it when it is told; a message that nobody speaks of again is given
//! up here, so that its publisher has to ask.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time, secs};
use crate::model::Alarm;
use crate::model::caller::{Cx, nested_luck};
use crate::model::clock::time;
use crate::model::letter::Letter;
use crate::model::log::{Body, Bulk};
use crate::process::{Clock, Exit, Loss, MessageId, NO_PLACE, Observation, Outcome};
use crate::protocol::amqp::{QueueId, QueueType};

use super::Broker;
use super::declaring::Presence;
use super::word::{Posted, Word};

/// How long a node waits to be told what became of a message that it passed on.
pub(super) const PATIENCE: Span = secs(10);

/// A message that was passed on.
#[derive(Debug)]
pub(super) struct Relay {
    message: MessageId,
    /// The publication that waits for it, if one does.
    waiting: Option<u32>,
    /// How many nodes have not answered.
    left: u32,
    since: Time,
}

/// Where a queue is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Home {
    /// At this node.
    Here,
    /// At another.
    There(NodeId),
    /// Nobody knows.
    Nowhere,
}

impl Broker {
    /// The node at this place of the broker.
    pub(super) fn node(&self, place: u32) -> NodeId {
        NodeId::new(self.first.index() + place)
    }

    /// The place of a node of this broker, if it is one.
    pub(super) fn place_of(&self, node: NodeId) -> Option<u32> {
        node.index().checked_sub(self.first.index()).filter(|place| *place < self.spec.nodes)
    }

    /// Where a queue is.
    pub(super) fn home(&self, queue: QueueId) -> Home {
        let hosted = &self.spec.queues[queue.index()];
        let place = match hosted.settings.kind() {
            QueueType::Classic => Some(hosted.home),
            QueueType::Quorum => self.replicas.get(&queue).and_then(|replica| replica.leader()),
        };
        match place {
            Some(place) if place == self.place => Home::Here,
            Some(place) => Home::There(self.node(place)),
            None => Home::Nowhere,
        }
    }

    /// Says something to another node of the broker.
    pub(super) fn say(&mut self, cx: &mut Cx<'_>, to: NodeId, word: Word) {
        self.said = self.said.wrapping_add(1);
        let luck = nested_luck(cx.name().bits(), self.life, self.said.into());
        let size = word.bytes();
        cx.send_sized(to, Letter::Bulk(Box::new(Bulk { luck, body: Body::Work(word) })), size);
    }

    /// Passes a message on to the node that has its queue, for a publication that waits. `relay` is that of another queue of the same
    /// message, if there was one.
    pub(super) fn forward(
        &mut self,
        cx: &mut Cx<'_>,
        (to, queue): (NodeId, QueueId),
        posted: Posted,
        waiting: Option<u32>,
        relay: &mut Option<u32>,
    ) {
        let message = posted.incoming.message.message;
        let now = time(cx.now());
        let number = *relay.get_or_insert_with(|| {
            let risk = Loss::Forwarded;
            cx.observe(Observation::Stored { message, place: NO_PLACE, key: None, risk });
            self.relayed = self.relayed.wrapping_add(1);
            self.relays.insert(self.relayed, Relay { message, waiting, left: 0, since: now });
            self.relayed
        });
        if let Some(relay) = self.relays.get_mut(&number) {
            relay.left += 1;
        }
        waiting.into_iter().for_each(|waiting| self.shelf.add(waiting));
        if !self.looks_at_relays {
            self.looks_at_relays = true;
            cx.set_timer(Clock::Steady, PATIENCE, Alarm::Relays);
        }
        self.say(cx, to, Word::Forward { number, queue, posted });
    }

    /// Another node passes a message on.
    pub(super) fn forwarded(&mut self, cx: &mut Cx<'_>, from: NodeId, number: u32, queue: QueueId, posted: Posted) {
        if self.home(queue) != Home::Here {
            return self.say(cx, from, Word::Forwarded { number, outcome: Outcome::Failed, risk: Loss::Forwarded });
        }
        let presence = self.queues[queue.index()].presence;
        if presence != Presence::There {
            // The other had not heard yet that the queue was deleted.
            self.tell_others(cx, queue);
            let risk = presence.loss().unwrap_or(Loss::Unroutable);
            return self.say(cx, from, Word::Forwarded { number, outcome: Outcome::Discarded, risk });
        }
        let waiting = self.shelf.expect(super::shelf::Asker::Node(from, number));
        let outcome = self.take_one(cx, queue, &posted, Some(waiting));
        self.conclude_at_once(cx, waiting, outcome.err());
        self.hand_out(cx, queue);
        self.bury(cx);
    }

    /// The other node says what became of a message, and what it is lost by if nobody took it.
    pub(super) fn answered(&mut self, cx: &mut Cx<'_>, number: u32, outcome: Outcome, risk: Loss) {
        let Some(relay) = self.relays.get_mut(&number) else { return };
        relay.left = relay.left.saturating_sub(1);
        let (waiting, is_over) = (relay.waiting, relay.left == 0);
        if is_over {
            let exit = match outcome {
                Outcome::Done => Exit::HandedOn,
                _ => Exit::LetGo(risk),
            };
            self.end_relay(cx, number, exit);
        }
        // A queue that was deleted refuses nothing.
        let refusal = Some(outcome).filter(|outcome| !matches!(outcome, Outcome::Done | Outcome::Discarded));
        let waiting = self.shelf.settled(waiting, refusal);
        self.conclude(cx, waiting);
    }

    /// Gives up what nobody has spoken of again.
    pub(super) fn give_up_relays(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        let is_old = |relay: &Relay| relay.since + PATIENCE <= now;
        let old: Vec<_> = self.relays.iter().filter(|(_, relay)| is_old(relay)).map(|(number, _)| *number).collect();
        for number in old {
            let (waiting, left) = self.relays.get(&number).map_or((None, 0), |relay| (relay.waiting, relay.left));
            self.end_relay(cx, number, Exit::LetGo(Loss::Forwarded));
            for _ in 0..left {
                let waiting = self.shelf.settled(waiting, Some(Outcome::Failed));
                self.conclude(cx, waiting);
            }
        }
        self.looks_at_relays = !self.relays.is_empty();
        if let Some(oldest) = self.relays.values().map(|relay| relay.since).min() {
            cx.set_timer(Clock::Steady, (oldest + PATIENCE).since(now), Alarm::Relays);
        }
    }

    fn end_relay(&mut self, cx: &mut Cx<'_>, number: u32, exit: Exit) {
        let Some(Relay { message, .. }) = self.relays.remove(&number) else { return };
        cx.observe(Observation::Released { message, place: NO_PLACE, is_kept: false, exit });
    }
}
