//! The model's side: a broker made of the blocks, on one node, that does what its owner has to do.
//!
//! What a real broker does in parallel is not compared: where a message might come to a queue before or after another, from a
//! second source, there is no one right answer, and the operation is left out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;

use rehearsal::base::time::{Span, Time, ms};
use rehearsal::protocol::amqp::{
    Acknowledge, Binding, Confirms, ConsumerId, Dead, DeadLetterTo, DeathReason, Deaths, Delivery, Destination,
    ExchangeId, HeaderValue, Headers, Incoming, Publish, QueueId, QueueType, Routing, Subscription, WorkQueue,
};

use crate::operation::{Holder, How, Operation, Publication};
use crate::topology::{Queue, STEP, Target, Topology, exchange_name, queue_name};
use crate::view::{Count, Death, Event, Message, Party, View};

/// Things at one queue that are closer than this come in no certain order.
const MARGIN: Span = ms(230);

/// What an operation takes at least: so long a quorum queue keeps a message that has no time to live.
const OPERATION: Span = ms(1);

/// A message in one queue.
#[derive(Clone, Debug)]
struct Copy {
    id: u32,
    exchange: usize,
    key: String,
    headers: BTreeMap<String, HeaderValue>,
    priority: Option<u8>,
    expiration: Option<Span>,
    persistent: bool,
    /// How it was when it died for the first time at a queue and of a reason.
    first: BTreeMap<(QueueId, DeathReason), (usize, String, Option<Span>)>,
}

/// Why a queue has something to do.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Cause {
    Publisher,
    Letter(usize),
    Time,
}

/// The broker.
#[derive(Clone, Debug)]
pub struct Model {
    topology: Topology,
    routing: Routing,
    queues: Vec<Option<WorkQueue<usize>>>,
    copies: Vec<Copy>,
    confirms: Confirms,
    published: u32,
    outstanding: BTreeMap<Holder, BTreeSet<u64>>,
    now: Time,
    view: View,
    /// When and why queues had something to do in this operation.
    causes: BTreeMap<usize, (Cause, Time)>,
    is_uncertain: bool,
}

/// An operation as it was done.
#[derive(Clone, Debug)]
pub struct Played {
    /// The tag of the delivery that was settled.
    pub tag: u64,
    /// What is seen.
    pub view: View,
}

fn consumer_id(holder: Holder) -> ConsumerId {
    match holder {
        Holder::Consumer(consumer) => ConsumerId::new(consumer as u64),
        Holder::Getter(queue) => ConsumerId::new(1000 + queue as u64),
    }
}

impl Model {
    /// All is declared.
    pub fn new(topology: &Topology) -> Self {
        let mut routing = Routing::new();
        let declare = |(index, queue): (usize, &Queue)| {
            let id = QueueId::new(index as u32);
            routing.queue(&queue_name(index), id);
            Some(WorkQueue::new(id, &queue.settings, queue.letters.is_some(), Time::ZERO))
        };
        let queues = topology.queues.iter().enumerate().map(declare).collect();
        for exchange in &topology.exchanges {
            routing.exchange(&exchange.kind);
        }
        for (index, exchange) in (1..).zip(&topology.exchanges) {
            if let Some(alternate) = exchange.alternate {
                routing.set_alternate(ExchangeId::new(index), ExchangeId::new(alternate as u32));
            }
            for binding in &exchange.bindings {
                let destination = match binding.to {
                    Target::Queue(queue) => Destination::Queue(QueueId::new(queue as u32)),
                    Target::Exchange(exchange) => Destination::Exchange(ExchangeId::new(exchange as u32)),
                };
                let (key, arguments) = (binding.key.clone(), binding.arguments.clone());
                routing.bind(ExchangeId::new(index), Binding { destination, key, arguments });
            }
        }
        Self {
            topology: topology.clone(),
            routing,
            queues,
            copies: vec![],
            confirms: Confirms::new(),
            published: 0,
            outstanding: BTreeMap::new(),
            now: Time::ZERO,
            view: View::default(),
            causes: BTreeMap::new(),
            is_uncertain: false,
        }
    }

    /// The time at which the next operation is done.
    pub fn now(&self) -> Time {
        self.now
    }

    /// Whether a queue is still there.
    pub fn has_queue(&self, queue: usize) -> bool {
        self.queues[queue].is_some()
    }

    /// Does an operation, unless it makes no sense now or what comes of it is uncertain.
    pub fn play(&mut self, operation: &Operation) -> Option<Played> {
        let before = self.clone();
        let tag = self.act(operation);
        self.now += OPERATION;
        self.expire();
        let tag = tag.filter(|_| !self.is_uncertain);
        let Some(tag) = tag else {
            *self = before;
            return None;
        };
        let mut view = std::mem::take(&mut self.view);
        for (index, queue) in self.queues.iter_mut().enumerate() {
            if let Some(queue) = queue {
                // That it is asked for its length renews its lease.
                queue.touch(self.now);
                // A quorum queue counts those as well that are cancelled and still hold something.
                let is_quorum = self.topology.queues[index].settings.kind() == QueueType::Quorum;
                let consumers = (!is_quorum).then(|| queue.consumers() as u32);
                view.queues.insert(index, Count { ready: queue.ready() as u32, consumers });
            }
        }
        self.causes.clear();
        Some(Played { tag, view })
    }

    fn act(&mut self, operation: &Operation) -> Option<u64> {
        let now = self.now;
        match *operation {
            Operation::Publish(ref publication) => self.publish(publication),
            Operation::Subscribe { consumer, prefetch, automatic, priority, exclusive } => {
                let (holder, index) = (Holder::Consumer(consumer), self.topology.consumers[consumer]);
                let queue = self.queues[index].as_mut()?;
                let acknowledge = if automatic { Acknowledge::Automatic } else { Acknowledge::Manual };
                let prefetch = NonZeroU32::new(prefetch.into());
                let subscription = Subscription { prefetch, acknowledge, priority, exclusive };
                match queue.subscribe(consumer_id(holder), subscription) {
                    Ok(()) => self.hand_out(index),
                    Err(rehearsal::protocol::amqp::ChannelError::ConsumerExists) => return None,
                    Err(error) => self.close(holder, error.code()),
                }
            }
            Operation::Get { queue: index, automatic } => {
                let acknowledge = if automatic { Acknowledge::Automatic } else { Acknowledge::Manual };
                let holder = Holder::Getter(index);
                let mut dead = vec![];
                let queue = self.queues[index].as_mut()?;
                match queue.fetch(consumer_id(holder), acknowledge, now, &mut dead) {
                    Ok(Some(delivery)) => {
                        let left = queue.ready() as u32;
                        self.deliver(index, holder, delivery, Some(left));
                    }
                    Ok(None) => self.view.push(Party::Holder(holder), Event::Empty),
                    Err(error) => self.close(holder, error.code()),
                }
                self.bury(index, dead);
            }
            Operation::Settle { holder, pick, how, multiple } => return self.settle(holder, pick, how, multiple),
            Operation::Cancel { consumer } => {
                let (holder, index) = (Holder::Consumer(consumer), self.topology.consumers[consumer]);
                let queue = self.queues[index].as_mut()?;
                let active = queue.active();
                if !queue.cancel(consumer_id(holder), now) {
                    return None;
                }
                // Up to 3.10 the next single active consumer of a classic queue gets nothing before something else happens.
                self.is_uncertain |= queue.active() != active && queue.active().is_some() && queue.ready() > 0;
                self.end(index);
                self.hand_out(index);
            }
            Operation::Crash { holder } => self.lose(holder),
            Operation::Purge { queue } => self.queues[queue].as_mut()?.purge(&mut vec![]),
            Operation::Wait { steps } => self.wait(now + STEP.times(steps)),
        }
        Some(0)
    }

    fn publish(&mut self, publication: &Publication) {
        self.published += 1;
        let copy = Copy {
            id: self.published,
            exchange: publication.exchange,
            key: publication.key.clone(),
            headers: publication.headers.clone(),
            priority: publication.priority,
            expiration: publication.expiration,
            persistent: publication.persistent,
            first: BTreeMap::new(),
        };
        let mut found = vec![];
        let headers = Headers(copy.headers.clone());
        self.routing.route(ExchangeId::new(copy.exchange as u32), &copy.key, &headers, &mut found);
        let published = self.confirms.publish(found.len() as u32, publication.mandatory);
        let mut buried = VecDeque::new();
        for queue in found {
            let incoming = Incoming {
                message: 0,
                size: publication.size as u32,
                priority: publication.priority.unwrap_or(0),
                ttl: publication.expiration,
                persistent: publication.persistent,
                deaths: Deaths::NONE,
            };
            match self.enter(queue.index(), Cause::Publisher, copy.clone(), incoming, &mut buried) {
                Publish::Accepted { .. } => self.confirms.taken(published.sequence),
                Publish::Refused => self.confirms.refused(published.sequence),
            }
        }
        self.bury_all(buried);
        let mut answers = vec![];
        self.confirms.answer(&mut answers);
        for answer in answers {
            let returned = published.is_returned.then_some(312);
            self.view.push(Party::Publisher, Event::Confirm { positive: answer.is_positive, returned });
        }
    }

    /// A copy comes to a queue.
    fn enter(
        &mut self,
        index: usize,
        cause: Cause,
        copy: Copy,
        incoming: Incoming<usize>,
        buried: &mut VecDeque<(usize, Dead<usize>)>,
    ) -> Publish {
        self.note(index, cause);
        let Some(queue) = &mut self.queues[index] else { return Publish::Refused };
        let settings = &self.topology.queues[index].settings;
        if settings.max_priority.is_some() && queue.ready() > 0 {
            // A classic queue does not look whether what comes in front of others has to expire before they do.
            self.is_uncertain |= incoming.ttl.is_some() || settings.message_ttl.is_some();
        }
        if cause == Cause::Letter(index) {
            // 3.10 loses a letter now and then that a quorum queue sends to itself.
            self.is_uncertain |= settings.kind() == QueueType::Quorum;
        }
        self.copies.push(copy);
        let incoming = Incoming { message: self.copies.len() - 1, ..incoming };
        let mut dead = vec![];
        let answer = queue.publish(incoming, self.now, &mut dead);
        buried.extend(dead.into_iter().map(|dead| (index, dead)));
        self.hand_out_to(index, buried);
        answer
    }

    fn note(&mut self, index: usize, cause: Cause) {
        let before = self.causes.insert(index, (cause, self.now));
        self.is_uncertain |= before.is_some_and(|(other, at)| other != cause && self.now.since(at) < MARGIN);
    }

    fn settle(&mut self, holder: Holder, pick: u8, how: How, multiple: bool) -> Option<u64> {
        let index = self.queue_of(holder);
        let tags: Vec<_> = self.outstanding.get(&holder).into_iter().flatten().copied().collect();
        let tag = match pick {
            Operation::UNKNOWN => tags.last().copied().unwrap_or(0) + 7,
            _ if tags.is_empty() => return None,
            pick => tags[usize::from(pick) % tags.len()],
        };
        let (now, mut dead) = (self.now, vec![]);
        let queue = self.queues[index].as_mut()?;
        let id = consumer_id(holder);
        let result = match how {
            How::Ack => queue.ack(id, tag, multiple, &mut vec![]),
            How::Nack(requeue) => queue.nack(id, tag, multiple, requeue, now, &mut dead),
            How::Reject(requeue) => queue.reject(id, tag, requeue, now, &mut dead),
        };
        match result {
            Ok(()) => {
                // Up to 3.10 a consumer gets credit twice for what dies of the delivery limit when it returns it.
                self.is_uncertain |= dead.iter().any(|dead| dead.reason == DeathReason::DeliveryLimit);
                let settled = |&other: &u64| if multiple { other <= tag } else { other == tag };
                self.outstanding.get_mut(&holder)?.retain(|other| !settled(other));
                self.hand_out(index);
                self.bury(index, dead);
            }
            Err(error) => self.close(holder, error.code()),
        }
        Some(tag)
    }

    fn queue_of(&self, holder: Holder) -> usize {
        match holder {
            Holder::Consumer(consumer) => self.topology.consumers[consumer],
            Holder::Getter(queue) => queue,
        }
    }

    /// The broker closes a channel.
    fn close(&mut self, holder: Holder, code: u16) {
        self.view.push(Party::Holder(holder), Event::Closed(code));
        self.lose(holder);
    }

    fn lose(&mut self, holder: Holder) {
        self.outstanding.remove(&holder);
        let (index, now) = (self.queue_of(holder), self.now);
        let mut dead = vec![];
        if let Some(queue) = &mut self.queues[index] {
            queue.gone(consumer_id(holder), now, &mut dead);
        }
        self.end(index);
        self.hand_out(index);
        self.bury(index, dead);
    }

    /// Deletes a queue that has to go.
    fn end(&mut self, index: usize) {
        let now = self.now;
        if self.queues[index].as_ref().is_some_and(|queue| queue.ending(now).is_some()) {
            self.queues[index] = None;
            self.routing.forget_queue(QueueId::new(index as u32));
            // What is held of it may be settled, which changes nothing any more and is not compared.
            self.outstanding.remove(&Holder::Getter(index));
        }
    }

    fn wait(&mut self, until: Time) {
        loop {
            let expiries = self.queues.iter().enumerate().filter_map(|(index, queue)| {
                let queue = queue.as_ref()?;
                queue.next_expiry().into_iter().chain(queue.expires_at()).min().map(|at| (at, index))
            });
            let Some((at, index)) = expiries.min().filter(|&(at, _)| at < until) else { break };
            // What is due at the very time of an operation is due before or after it.
            self.is_uncertain |= until.since(at) < MARGIN;
            self.now = self.now.max(at);
            self.note(index, Cause::Time);
            let mut dead = vec![];
            if let Some(queue) = &mut self.queues[index] {
                queue.expire(self.now, &mut dead);
            }
            self.end(index);
            self.bury(index, dead);
        }
        self.now = until;
        self.is_uncertain |=
            self.queues.iter().flatten().any(|queue| queue.next_expiry().is_some_and(|at| at <= until));
    }

    /// What is at a head and has no time to live.
    fn expire(&mut self) {
        for index in 0..self.queues.len() {
            let mut dead = vec![];
            if let Some(queue) = &mut self.queues[index] {
                queue.expire(self.now, &mut dead);
            }
            self.bury(index, dead);
        }
    }

    fn hand_out(&mut self, index: usize) {
        let mut buried = VecDeque::new();
        self.hand_out_to(index, &mut buried);
        self.bury_all(buried);
    }

    fn hand_out_to(&mut self, index: usize, buried: &mut VecDeque<(usize, Dead<usize>)>) {
        loop {
            let mut dead = vec![];
            let Some(queue) = &mut self.queues[index] else { return };
            let delivery = queue.deliver(self.now, &mut dead);
            buried.extend(dead.into_iter().map(|dead| (index, dead)));
            let Some(delivery) = delivery else { return };
            let holder = Holder::Consumer(delivery.consumer.get() as usize);
            self.deliver(index, holder, delivery, None);
        }
    }

    fn deliver(&mut self, index: usize, holder: Holder, delivery: Delivery<usize>, left: Option<u32>) {
        if !delivery.is_settled {
            self.outstanding.entry(holder).or_default().insert(delivery.tag);
        }
        let copy = &self.copies[delivery.message];
        let is_quorum = self.topology.queues[index].settings.kind() == QueueType::Quorum;
        let expiration = |span: Option<Span>| span.map(|span| (span.as_nanos() / 1_000_000).to_string());
        let death = |death: &rehearsal::protocol::amqp::Death| {
            let (exchange, key, ttl) = &copy.first[&(death.queue, death.reason)];
            Death {
                queue: queue_name(death.queue.index()),
                reason: DeathReason::WORDS.names[death.reason as usize].to_owned(),
                count: death.count.into(),
                exchange: exchange_name(*exchange),
                keys: vec![key.clone()],
                expiration: expiration(*ttl),
            }
        };
        let message = Message {
            id: copy.id,
            tag: delivery.tag,
            exchange: exchange_name(copy.exchange),
            key: copy.key.clone(),
            redelivered: delivery.redelivered,
            count: if is_quorum { delivery.count } else { 0 },
            priority: copy.priority,
            expiration: expiration(copy.expiration),
            persistent: copy.persistent,
            deaths: delivery.deaths.list().iter().map(death).collect(),
            left,
        };
        self.view.push(Party::Holder(holder), Event::Delivery(message));
    }

    fn bury(&mut self, index: usize, dead: Vec<Dead<usize>>) {
        self.bury_all(dead.into_iter().map(|dead| (index, dead)).collect());
    }

    /// Sends the dead where their queue says, until nobody has died any more.
    fn bury_all(&mut self, mut buried: VecDeque<(usize, Dead<usize>)>) {
        while let Some((index, dead)) = buried.pop_front() {
            let Some((exchange, key)) = self.topology.queues[index].letters.clone() else { continue };
            let to = DeadLetterTo { exchange: ExchangeId::new(exchange as u32), routing_key: key };
            let mut copy = self.copies[dead.message].clone();
            let first = (copy.exchange, copy.key.clone(), copy.expiration);
            copy.first.entry((QueueId::new(index as u32), dead.reason)).or_insert(first);
            (copy.exchange, copy.key, copy.expiration) = (exchange, to.key(&copy.key).to_owned(), None);
            let mut found = vec![];
            let headers = Headers(copy.headers.clone());
            self.routing.route(to.exchange, &copy.key, &headers, &mut found);
            found.retain(|&queue| !dead.deaths.would_cycle(queue));
            for queue in found {
                let Dead { size, priority, persistent, ref deaths, .. } = dead;
                let deaths = deaths.clone();
                let incoming = Incoming { message: 0, size, priority, ttl: None, persistent, deaths };
                self.enter(queue.index(), Cause::Letter(index), copy.clone(), incoming, &mut buried);
            }
        }
    }
}
