//! The broker: a node that keeps messages in work queues between those who publish and those who consume.
//!
//! A message that is published goes through an exchange to queues, and each of them keeps a copy until a consumer has
//! acknowledged it. What the queues do stands in [`amqp`](crate::protocol::amqp); here is what a node adds: channels to
//! consumers and the heartbeats that tell when one is lost, the disk ([`shelf`]), publisher confirms, dead letters.
//!
//! A consumer is a service whose requests are deliveries. It says again and again that it is there; who is heard of for the first
//! time, or has come up again, is subscribed. Each delivery is one more copy of the message that was published, so whatever
//! becomes of it is told of that message.
//!
//! What is published may be a request ([`replying`]): then it says who waits for the reply, which comes back through the broker.
//!
//! A broker may have several nodes: a classic queue is at one of them, a quorum queue at all ([`replica`]), and whichever a message
//! comes to passes it on ([`forward`]).

mod consuming;
mod declaring;
mod disk;
mod dying;
mod forward;
mod paging;
mod pressure;
mod publishing;
mod replica;
mod replying;
mod shelf;
mod spec;
mod stated;
mod word;

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Boot, Clock, Exit, Loss, MessageId, Observation, Process, TimerId};
use crate::protocol::amqp::{ConsumerId, Dead, Incoming, QueueId, Routing, WorkQueue};

use super::Alarm;
use super::caller::Cx;
use super::clock::time;
use super::envelope::Kind;
use super::letter::Letter;
use super::log::Body;
use super::script::Script;
use consuming::{Channel, consumer_of, first_number};
use declaring::Presence;
use forward::{Home, Relay};
use paging::Pages;
pub(in crate::model) use pressure::BUFFERED;
use pressure::Pressure;
use replica::{Replica, quorum_queues};
use replying::ReplyTo;
use shelf::{Copy, End, News, Place, Shelf};
pub(in crate::model) use word::Word;

pub use spec::{BrokerSpec, HostedQueue, Publication, SubscriptionSpec};
pub use stated::Stated;

/// A message that was published, as a broker knows it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Parcel {
    /// Who published it, and its number there.
    message: MessageId,
    /// The name its luck is drawn by.
    luck: u64,
    /// What kind of message it is.
    call: u16,
    /// The queue that gave it another routing key when it died there, if one did.
    letter_of: Option<QueueId>,
    /// Where the reply goes, if it is a request.
    reply_to: Option<ReplyTo>,
    /// Where it stands.
    stand: Stand,
}

/// Where a message stands that is to survive a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stand {
    /// Nowhere.
    Nowhere,
    /// On the disk of its node.
    Disk(Place),
    /// In the log of its queue, at this index.
    Log(u64),
}

/// One node of a broker.
#[derive(Debug)]
pub struct Broker {
    script: Arc<Script>,
    spec: Arc<BrokerSpec>,
    /// Its place among the nodes of the broker, and the first of these.
    place: u32,
    first: NodeId,
    /// How often it had come up before.
    life: u32,
    /// How much it has said to other nodes in this life.
    said: u32,
    /// When something was heard last of each node of the broker.
    heard: Vec<Time>,
    routing: Routing,
    /// Where messages would go if all queues were there.
    whole_routing: Routing,
    queues: Vec<Hosted>,
    /// Consumers that are heard of, by their channel.
    channels: BTreeMap<ConsumerId, Channel>,
    /// The number of the next delivery.
    next: u32,
    shelf: Shelf,
    /// Messages that died while a queue was asked, and have to go somewhere.
    dead: Vec<(QueueId, Dead<Parcel>)>,
    /// Its replicas of quorum queues.
    replicas: BTreeMap<QueueId, Replica>,
    stated: Stated,
    pressure: Pressure,
    /// Messages that it passed on, and has not heard of again; how many ever were, and whether somebody looks for old ones.
    relays: BTreeMap<u32, Relay>,
    relayed: u32,
    looks_at_relays: bool,
}

/// A queue, and what the node keeps for it.
#[derive(Debug)]
struct Hosted {
    queue: WorkQueue<Parcel>,
    /// Whether it is there, as far as this node knows.
    presence: Presence,
    /// When the head expires, or the queue itself, if somebody has to look then.
    expiry: Option<(Time, TimerId)>,
    /// What of it is not in memory.
    pages: Pages,
    /// What was said last of its length.
    shown: (u32, u32),
    /// It delivers nothing before this time, and whether somebody looks then.
    rests_until: Time,
    is_resting: bool,
}

impl Hosted {
    /// Nothing is in the queue, and nobody consumes from it.
    fn empty(&mut self, queue: QueueId, spec: &BrokerSpec) {
        self.queue = spec.queues[queue.index()].queue(queue);
        self.pages = Pages::default();
        // Whatever it was before is said anew.
        self.shown = (u32::MAX, 0);
    }
}

impl Broker {
    /// The process of one node of the group.
    pub fn new(script: &Arc<Script>, spec: &Arc<BrokerSpec>, stated: &Stated, boot: &Boot<'_>) -> Self {
        if boot.index == 0 && boot.restarts == 0 {
            stated.clear();
        }
        let replica = |queue| (queue, Replica::new(boot.index, spec.nodes, disk::find(queue, boot.disk)));
        let hosted = |(index, hosted): (usize, &HostedQueue)| Hosted {
            queue: hosted.queue(QueueId::new(index as u32)),
            presence: Presence::There,
            expiry: None,
            pages: Pages::default(),
            // Whatever it was in an earlier life is said anew.
            shown: (u32::MAX, 0),
            rests_until: Time::ZERO,
            is_resting: false,
        };
        let mut broker = Self {
            script: Arc::clone(script),
            spec: Arc::clone(spec),
            routing: spec.routing.clone(),
            whole_routing: spec.routing.clone(),
            queues: spec.queues.iter().enumerate().map(hosted).collect(),
            channels: BTreeMap::new(),
            next: first_number(boot.restarts),
            shelf: Shelf::new(boot.disk),
            dead: Vec::new(),
            place: boot.index,
            first: NodeId::new(boot.node.index() - boot.index),
            life: boot.restarts,
            said: 0,
            heard: vec![Time::ZERO; spec.nodes as usize],
            replicas: quorum_queues(spec).into_iter().map(replica).collect(),
            stated: stated.clone(),
            pressure: Pressure::new(spec.credit.clone(), spec.memory),
            relays: BTreeMap::new(),
            relayed: first_number(boot.restarts),
            looks_at_relays: false,
        };
        broker.begin_without_the_exclusive();
        broker
    }

    /// Asks a queue; who dies of that is buried later.
    fn ask<R>(&mut self, queue: QueueId, ask: impl FnOnce(&mut WorkQueue<Parcel>, &mut Vec<Dead<Parcel>>) -> R) -> R {
        let mut dead = Vec::new();
        let answer = ask(&mut self.queues[queue.index()].queue, &mut dead);
        self.dead.extend(dead.into_iter().map(|dead| (queue, dead)));
        answer
    }

    /// A queue has no copy of this message any more: it was consumed, or it died, and went on or ended so. One that is on disk is
    /// gone when it is cleared there.
    fn release(&mut self, cx: &mut Cx<'_>, queue: QueueId, parcel: Parcel, exit: Exit) {
        let number = self.spec.queues[queue.index()].number;
        let copy = Copy { message: parcel.message, queue: number };
        let is_consumed = matches!(exit, Exit::Acknowledged | Exit::LetGo(Loss::Automatic));
        match parcel.stand {
            Stand::Nowhere => Self::let_go(cx, copy, false, exit),
            Stand::Log(index) => self.propose_settlement(cx, (queue, index), exit, None),
            Stand::Disk(place) => {
                let waiting = self.shelf.clear(cx, place, End { copy, exit }, is_consumed);
                self.conclude(cx, waiting);
            }
        }
    }

    /// States that a copy is kept no longer.
    fn let_go(cx: &mut Cx<'_>, Copy { message, queue: place }: Copy, is_kept: bool, exit: Exit) {
        cx.observe(Observation::Released { message, place, is_kept, exit });
    }

    /// Says how long a queue is, and sees to it that somebody looks when its head expires, or the queue itself.
    fn look_at(&mut self, cx: &mut Cx<'_>, queue: QueueId) {
        if self.home(queue) != Home::Here {
            return;
        }
        let hosted = &mut self.queues[queue.index()];
        let shown = (hosted.queue.ready() as u32, hosted.queue.unacked() as u32);
        if shown != hosted.shown {
            hosted.shown = shown;
            let number = self.spec.queues[queue.index()].number;
            cx.observe(Observation::QueueDepth { queue: number, ready: shown.0, unacked: shown.1 });
        }
        let ends_at = hosted.queue.expires_at().filter(|_| hosted.presence == Presence::There);
        let expiry = hosted.queue.next_expiry().into_iter().chain(ends_at).min();
        if hosted.expiry.map(|(at, _)| at) == expiry {
            return;
        }
        if let Some((_, timer)) = hosted.expiry.take() {
            cx.cancel_timer(timer);
        }
        hosted.expiry = expiry.map(|at| {
            let wait = at.since(time(cx.now()));
            (at, cx.set_timer(Clock::Steady, wait, Alarm::Expire(queue.index() as u32)))
        });
    }
}

impl Process<Letter> for Broker {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        for record in std::mem::take(&mut self.shelf.found) {
            let Some(hosted) = self.queues.get_mut(record.queue.index()) else { continue };
            if let Some(tie) = self.spec.queues[record.queue.index()].tie() {
                // The crash ended the connection that the queue belonged to.
                self.release(cx, record.queue, record.parcel, Exit::LetGo(tie));
                continue;
            }
            let incoming = Incoming {
                message: record.parcel,
                size: record.size,
                priority: record.priority,
                ttl: record.expiry.map(|expiry| expiry.since(now)),
                persistent: true,
                deaths: record.deaths,
            };
            // After a crash nobody knows any more what had been delivered: all of it is marked, as by RabbitMQ's classic queues.
            hosted.queue.restore(incoming, 1, now);
        }
        for index in 0..self.queues.len() {
            let queue = QueueId::new(index as u32);
            if self.replicas.contains_key(&queue) {
                self.begin_replica(cx, queue);
                continue;
            }
            self.ask(queue, |queue, dead| queue.restart(now, dead));
            self.page_out_all(queue);
            self.look_at(cx, queue);
            if self.home(queue) == Home::Here {
                self.begin_to_tell(cx, queue);
            }
        }
        self.bury(cx);
        self.begin_to_repeat(cx);
        self.begin_to_look_at_memory(cx);
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let envelope = match letter {
            Letter::Plain(envelope) => envelope,
            Letter::Bulk(bulk) => {
                self.note_heard(cx, from);
                match bulk.into_body() {
                    Body::Work(Word::Forward { number, queue, posted }) => {
                        self.forwarded(cx, from, number, queue, posted);
                    }
                    Body::Work(Word::Forwarded { number, outcome, risk }) => {
                        self.answered(cx, number, outcome, risk);
                    }
                    Body::Work(Word::Replica(queue, word)) => self.hear_replica(cx, from, queue, word),
                    Body::Work(Word::Queue { queue, presence }) => self.hear_of_queue(queue, presence),
                    Body::Work(Word::Memory { is_raised }) => self.hear_of_memory(cx, from, is_raised),
                    Body::Work(Word::WhetherBlocked) => self.say_whether_blocked(cx, from),
                    Body::Work(Word::Reply(answer)) => self.pass_back(cx, answer),
                    _ => {}
                }
                return self.read_if_freed(cx);
            }
        };
        match envelope.kind() {
            Kind::Notice | Kind::Message | Kind::Request => self.read(cx, from, envelope),
            Kind::Subscribe => self.hear(cx, from, envelope),
            Kind::Ack(outcome) => self.settle(cx, from, &envelope, outcome),
            Kind::Reply(_) => self.replied(cx, from, &envelope),
            _ => {}
        }
        self.read_if_freed(cx);
    }

    fn reset(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        self.closed(cx, peer);
    }

    fn closed(&mut self, cx: &mut Cx<'_>, peer: NodeId) {
        let of_peer = self.channels.iter().filter(|(_, channel)| channel.node == peer);
        let lost: Vec<_> = of_peer.map(|(&consumer, _)| consumer).collect();
        lost.into_iter().for_each(|consumer| self.lose(cx, consumer));
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        match alarm {
            Alarm::Expire(queue) => {
                let queue = QueueId::new(queue);
                self.queues[queue.index()].expiry = None;
                self.ask(queue, |queue, dead| queue.expire(time(cx.now()), dead));
                self.delete_if_over(cx, queue);
                self.look_at(cx, queue);
                self.bury(cx);
            }
            Alarm::Lapse(node, call) => self.lose(cx, consumer_of(node, call)),
            Alarm::Deliver(queue) => self.go_on(cx, QueueId::new(queue)),
            Alarm::Replica(queue) => self.look_at_replica(cx, QueueId::new(queue)),
            Alarm::Relays => {
                self.give_up_relays(cx);
                self.read_if_freed(cx);
            }
            Alarm::Presence => self.repeat_presence(cx),
            Alarm::Memory => self.look_at_memory(cx),
            Alarm::Blocked => self.look_at_blocked(cx),
            _ => {}
        }
    }

    fn persisted(&mut self, cx: &mut Cx<'_>, key: u64) {
        if disk::is_replica(key) {
            self.replica_wrote(cx, key, true);
            return self.read_if_freed(cx);
        }
        let News { kept, released, confirmed } = self.shelf.synced(cx, key);
        if let Some(Copy { message, queue: place }) = kept {
            cx.observe(Observation::Kept { message, place });
        }
        if let Some(End { copy, exit }) = released {
            Self::let_go(cx, copy, true, exit);
        }
        self.conclude(cx, confirmed);
        self.read_if_freed(cx);
    }

    fn unheard(&mut self, key: u64, state: &mut dyn FnMut(Observation)) {
        // What a replica of a quorum queue has is stated of the queue by whoever leads.
        if disk::is_replica(key) {
            return;
        }
        let News { kept, released, .. } = self.shelf.unheard(key);
        if let Some(Copy { message, queue: place }) = kept {
            state(Observation::Kept { message, place });
        }
        if let Some(End { copy: Copy { message, queue: place }, exit }) = released {
            state(Observation::Released { message, place, is_kept: true, exit });
        }
    }

    fn refused(&mut self, cx: &mut Cx<'_>, key: u64) {
        if disk::is_replica(key) {
            self.replica_wrote(cx, key, false);
            return self.read_if_freed(cx);
        }
        let waiting = self.shelf.refused(key);
        self.conclude(cx, waiting);
        self.read_if_freed(cx);
    }
}
