//! Back-pressure: when a broker reads no more of what publishers send.
//!
//! A publisher that is ahead of the disk has used up its credit; a node whose messages take too much memory raises an alarm, with which
//! all nodes of the broker stop reading from whoever publishes. A publisher is told when the first of its messages is not read
//! (`connection.blocked`), and sends nothing more until it is told that all is, then as much as the buffers of a connection hold at a
//! time; it is told again and again, so that it goes on when the node is gone. What was on its way waits unread, as it would in the buffers of the connection: it is neither routed nor confirmed.
//! Consumers go on. A crash of the node breaks the connections, and what was unread is lost.
//!
//! Source: rabbitmq.com/docs/flow-control, /docs/alarms, /docs/memory; `credit_flow.erl`.

use std::collections::{BTreeMap, VecDeque};

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::units::{Bytes, bytes};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::model::envelope::Envelope;
use crate::process::{Clock, Exit, Loss, MessageId, NO_PLACE, Observation, QueueFact};
use crate::protocol::amqp::{
    Alarm as Change, CreditFlowSettings, CreditReceiver, CreditSender, Watermark, WatermarkSettings,
};

use super::Broker;
use super::word::Word;

/// How many messages a publisher that was blocked sends before it is told that those are read: what the buffers of its connection hold.
pub(in crate::model) const BUFFERED: u32 = 200;

/// What keeps publishers back at a node.
#[derive(Debug)]
pub(super) struct Pressure {
    credit: CreditFlowSettings,
    publishers: BTreeMap<NodeId, Publisher>,
    watermark: Option<Watermark>,
    /// Nodes with an alarm, and until when that is believed.
    alarms: BTreeMap<NodeId, Time>,
    /// What was sent and not read, in order.
    unread: VecDeque<(NodeId, Envelope)>,
    /// Whether somebody got credit again who had used it up.
    is_freed: bool,
    /// Whether somebody looks again at who is blocked.
    looks_again: bool,
}

/// The connection of a publisher.
#[derive(Debug)]
struct Publisher {
    sender: CreditSender,
    receiver: CreditReceiver,
    /// How much of it is unread.
    unread: u32,
    /// Whether it was told that it is blocked.
    is_told: bool,
    /// How much of it is to be read before it is told so; nothing, if it was never blocked.
    granted: u32,
}

impl Pressure {
    /// Nobody is kept back.
    pub(super) fn new(credit: CreditFlowSettings, limit: Option<Bytes>) -> Self {
        Self {
            credit,
            publishers: BTreeMap::new(),
            watermark: limit.map(Watermark::new),
            alarms: BTreeMap::new(),
            unread: VecDeque::new(),
            is_freed: false,
            looks_again: false,
        }
    }

    fn publisher(&mut self, node: NodeId) -> &mut Publisher {
        let credit = &self.credit;
        self.publishers.entry(node).or_insert_with(|| Publisher {
            sender: CreditSender::new(credit),
            receiver: CreditReceiver::new(credit),
            unread: 0,
            is_told: false,
            granted: 0,
        })
    }

    /// Whether nothing is read of what this node publishes; what it has sent before it comes first.
    fn is_blocked(&mut self, from: NodeId, now: Time) -> bool {
        self.alarms.retain(|_, until| *until > now);
        let has_alarm = !self.alarms.is_empty();
        let publisher = self.publisher(from);
        has_alarm || publisher.unread > 0 || publisher.sender.is_blocked()
    }
}

impl Broker {
    /// A message is published: it is read, or waits unread.
    pub(super) fn read(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope) {
        if !self.pressure.is_blocked(from, time(cx.now())) {
            self.publish(cx, from, envelope);
            return self.note_read(cx, from);
        }
        let message = MessageId { owner: from, number: envelope.number };
        let publisher = self.pressure.publisher(from);
        publisher.unread += 1;
        if !std::mem::replace(&mut publisher.is_told, true) {
            self.say(cx, from, Word::Blocked { is_blocked: true });
            self.look_again(cx);
        }
        self.note_unread(cx, envelope);
        cx.observe(Observation::Stored { message, place: NO_PLACE, key: None, risk: Loss::Unread });
        cx.observe(Observation::Replaced { message });
        self.pressure.unread.push_back((from, envelope));
    }

    /// A message of this publisher is read: it may wait for that to send more.
    fn note_read(&mut self, cx: &mut Cx<'_>, from: NodeId) {
        let publisher = self.pressure.publisher(from);
        publisher.granted = match publisher.granted {
            0 => return,
            left => left - 1,
        };
        if publisher.granted > 0 || publisher.is_told {
            return;
        }
        let is_blocked = self.pressure.is_blocked(from, time(cx.now()));
        let publisher = self.pressure.publisher(from);
        (publisher.is_told, publisher.granted) = if is_blocked { (true, 0) } else { (false, BUFFERED) };
        self.say(cx, from, Word::Blocked { is_blocked });
        if is_blocked {
            self.look_again(cx);
        }
    }

    /// States for the queues that a message is to reach that it waits unread.
    fn note_unread(&self, cx: &mut Cx<'_>, envelope: Envelope) {
        let call = &self.script.calls[usize::from(envelope.call)];
        let Some(publication) = call.publication.as_deref() else { return };
        for queue in self.spec.destinations(publication) {
            cx.observe(Observation::Queued { queue, fact: QueueFact::Unread });
        }
    }

    /// A message of this publisher is taken in hand.
    pub(super) fn use_credit(&mut self, from: NodeId) {
        self.pressure.publisher(from).sender.send();
    }

    /// A message of this publisher is where it has to be.
    pub(super) fn give_credit(&mut self, from: NodeId) {
        let publisher = self.pressure.publisher(from);
        if let Some(grant) = publisher.receiver.handled(false) {
            let is_freed = publisher.sender.grant(grant);
            self.pressure.is_freed |= is_freed;
        }
    }

    /// Reads on if somebody got credit again.
    pub(super) fn read_if_freed(&mut self, cx: &mut Cx<'_>) {
        if std::mem::take(&mut self.pressure.is_freed) {
            self.read_on(cx);
            self.bury(cx);
        }
    }

    /// Reads on, as far as nobody is kept back.
    fn read_on(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        self.pressure.alarms.retain(|_, until| *until > now);
        if !self.pressure.alarms.is_empty() {
            return;
        }
        let unread = std::mem::take(&mut self.pressure.unread);
        for (from, envelope) in unread {
            let publisher = self.pressure.publisher(from);
            if publisher.sender.is_blocked() {
                self.pressure.unread.push_back((from, envelope));
                continue;
            }
            publisher.unread -= 1;
            let message = MessageId { owner: from, number: envelope.number };
            // It is as if it came now.
            cx.observe(Observation::Duplicated { message });
            cx.observe(Observation::Released { message, place: NO_PLACE, is_kept: false, exit: Exit::HandedOn });
            self.publish(cx, from, envelope);
            self.note_read(cx, from);
        }
        self.tell_the_free(cx);
    }

    /// Tells those that they are free of whom all is read.
    fn tell_the_free(&mut self, cx: &mut Cx<'_>) {
        if !self.pressure.alarms.is_empty() {
            return;
        }
        let is_free = |publisher: &Publisher| publisher.unread == 0 && !publisher.sender.is_blocked();
        let told = self.pressure.publishers.iter_mut().filter(|(_, publisher)| publisher.is_told && is_free(publisher));
        let free: Vec<_> = told
            .map(|(&node, publisher)| {
                (publisher.is_told, publisher.granted) = (false, BUFFERED);
                node
            })
            .collect();
        free.into_iter().for_each(|node| self.say(cx, node, Word::Blocked { is_blocked: false }));
    }

    fn look_again(&mut self, cx: &mut Cx<'_>) {
        if !std::mem::replace(&mut self.pressure.looks_again, true) {
            cx.set_timer(Clock::Steady, WatermarkSettings::CHECK_INTERVAL, Alarm::Blocked);
        }
    }

    /// Reads on where it can, and tells those again that are blocked.
    pub(super) fn look_at_blocked(&mut self, cx: &mut Cx<'_>) {
        self.pressure.looks_again = false;
        self.read_on(cx);
        self.bury(cx);
        let blocked = self.pressure.publishers.iter().filter(|(_, publisher)| publisher.is_told);
        let blocked: Vec<_> = blocked.map(|(&node, _)| node).collect();
        if !blocked.is_empty() {
            self.look_again(cx);
        }
        blocked.into_iter().for_each(|node| self.say(cx, node, Word::Blocked { is_blocked: true }));
    }

    /// Looks at the memory for the first time, where it is limited.
    pub(super) fn begin_to_look_at_memory(&mut self, cx: &mut Cx<'_>) {
        if self.pressure.watermark.is_some() {
            cx.set_timer(Clock::Steady, WatermarkSettings::CHECK_INTERVAL, Alarm::Memory);
        }
    }

    /// Looks at the memory; an alarm is told to all nodes, again and again.
    pub(super) fn look_at_memory(&mut self, cx: &mut Cx<'_>) {
        let held = self.queues.iter().map(|hosted| hosted.queue.ready_bytes() + hosted.queue.unacked_bytes()).sum();
        let Some(watermark) = &mut self.pressure.watermark else { return };
        let change = watermark.look(bytes(held));
        let is_raised = watermark.is_raised();
        if is_raised || change == Some(Change::Cleared) {
            let others: Vec<_> = (0..self.spec.nodes).filter(|place| *place != self.place).collect();
            others.into_iter().for_each(|place| self.say(cx, self.node(place), Word::Memory { is_raised }));
            self.hear_of_memory(cx, cx.me, is_raised);
        }
        self.read_on(cx);
        self.bury(cx);
        cx.set_timer(Clock::Steady, WatermarkSettings::CHECK_INTERVAL, Alarm::Memory);
    }

    /// A node has an alarm, or has it no longer. It is believed until its second word after this should have come.
    pub(super) fn hear_of_memory(&mut self, cx: &mut Cx<'_>, node: NodeId, is_raised: bool) {
        if is_raised {
            let until = time(cx.now()) + WatermarkSettings::CHECK_INTERVAL.times(2);
            self.pressure.alarms.insert(node, until);
        } else {
            self.pressure.alarms.remove(&node);
            self.read_on(cx);
            self.bury(cx);
        }
    }
}
