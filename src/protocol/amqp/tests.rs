//! The blocks together: what an owner does with them.

use std::collections::BTreeMap;

use super::*;
use crate::base::time::{Time, ms};

/// One broker on one node, with everybody at hand.
struct Broker {
    routing: Routing,
    queues: Vec<(WorkQueue<u32>, Option<DeadLetterTo>)>,
    confirms: Confirms,
    /// The routing key of each message.
    keys: BTreeMap<u32, String>,
    /// Those that no queue has any more, and why.
    dropped: Vec<(u32, Option<DeathReason>)>,
    now: Time,
}

impl Broker {
    fn new() -> Self {
        let (routing, confirms, now) = (Routing::new(), Confirms::new(), Time::ZERO);
        Self { routing, queues: vec![], confirms, keys: BTreeMap::new(), dropped: vec![], now }
    }

    fn queue(&mut self, name: &str, settings: &WorkQueueSettings, letters: Option<DeadLetterTo>) -> usize {
        let id = QueueId::new(self.queues.len() as u32);
        self.routing.queue(name, id);
        self.queues.push((WorkQueue::new(id, settings, letters.is_some(), self.now), letters));
        id.index()
    }

    /// A publisher's message. Every queue takes it at once here, or refuses.
    fn publish(&mut self, message: u32, key: &str) -> Published {
        let mut queues = vec![];
        self.routing.route(ExchangeId::DEFAULT, key, &Headers::default(), &mut queues);
        self.keys.insert(message, key.to_owned());
        let published = self.confirms.publish(queues.len() as u32, true);
        for queue in queues {
            let mut dead = vec![];
            match self.queues[queue.index()].0.publish(Incoming::new(message, 1), self.now, &mut dead) {
                Publish::Accepted { .. } => self.confirms.taken(published.sequence),
                Publish::Refused => self.confirms.refused(published.sequence),
            }
            self.bury(queue.index(), dead);
        }
        published
    }

    /// Routes those that died at a queue to where its letters go, and those that die there at once as well.
    fn bury(&mut self, queue: usize, dead: Vec<Dead<u32>>) {
        let mut buried: Vec<_> = dead.into_iter().map(|dead| (queue, dead)).collect();
        while let Some((from, dead)) = buried.pop() {
            let Some(letters) = self.queues[from].1.clone() else {
                self.dropped.push((dead.message, Some(dead.reason)));
                continue;
            };
            let key = letters.key(&self.keys[&dead.message]).to_owned();
            let mut queues = vec![];
            self.routing.route(letters.exchange, &key, &Headers::default(), &mut queues);
            queues.retain(|&target| !dead.deaths.would_cycle(target));
            if queues.is_empty() {
                self.dropped.push((dead.message, None));
            }
            self.keys.insert(dead.message, key);
            for target in queues {
                let Dead { message, size, priority, persistent, ref deaths, .. } = dead;
                let incoming = Incoming { message, size, priority, ttl: None, persistent, deaths: deaths.clone() };
                let mut next = vec![];
                self.queues[target.index()].0.publish(incoming, self.now, &mut next);
                buried.extend(next.into_iter().map(|dead| (target.index(), dead)));
            }
        }
    }

    fn expire(&mut self, now: Time) {
        self.now = now;
        for queue in 0..self.queues.len() {
            let mut dead = vec![];
            self.queues[queue].0.expire(now, &mut dead);
            self.bury(queue, dead);
        }
    }

    fn next(&mut self, queue: usize) -> Option<Delivery<u32>> {
        let mut dead = vec![];
        let delivery = self.queues[queue].0.deliver(self.now, &mut dead);
        self.bury(queue, dead);
        delivery
    }

    fn reject(&mut self, queue: usize, consumer: ConsumerId, tag: u64) {
        let mut dead = vec![];
        self.queues[queue].0.reject(consumer, tag, false, self.now, &mut dead).unwrap();
        self.bury(queue, dead);
    }
}

fn letters_to(key: &str) -> Option<DeadLetterTo> {
    Some(DeadLetterTo { exchange: ExchangeId::DEFAULT, routing_key: Some(key.to_owned()) })
}

/// Work is rejected to a queue where it waits for 100 ms and expires back to the work queue. At its third delivery it has died
/// four times, twice in each queue, and is acknowledged.
#[test]
fn a_rejected_message_is_tried_again_later_until_its_deaths_are_too_many() {
    let mut broker = Broker::new();
    let work = broker.queue("work", &WorkQueueSettings::default(), letters_to("later"));
    let waiting = WorkQueueSettings { message_ttl: Some(ms(100)), ..Default::default() };
    let later = broker.queue("later", &waiting, letters_to("work"));
    let consumer = ConsumerId::new(0);
    broker.queues[work].0.subscribe(consumer, Subscription::default()).unwrap();
    broker.publish(1, "work");
    for (round, deaths) in [(0, 0), (1, 2), (2, 4)] {
        broker.expire(Time::ZERO + ms(100 * round));
        let delivery = broker.next(work).unwrap();
        assert_eq!((delivery.tag, delivery.deaths.total(), delivery.redelivered), (round + 1, deaths, false));
        if round < 2 {
            broker.reject(work, consumer, delivery.tag);
            assert_eq!((broker.queues[work].0.ready(), broker.queues[later].0.ready()), (0, 1));
            assert_eq!(broker.queues[later].0.next_expiry(), Some(broker.now + ms(100)));
        } else {
            let list: Vec<_> = delivery.deaths.list().iter().map(|death| (death.queue.index(), death.count)).collect();
            assert_eq!(list, [(later, 2), (work, 2)]);
            broker.queues[work].0.ack(consumer, delivery.tag, false, &mut vec![]).unwrap();
        }
    }
    assert_eq!((broker.queues[work].0.unacked(), broker.queues[later].0.ready()), (0, 0));
    assert_eq!(broker.dropped, []);
}

/// Two queues that expire into each other: after one round the message is back where it died by itself, and is dropped.
#[test]
fn a_message_does_not_go_round_for_ever() {
    let mut broker = Broker::new();
    let waiting = WorkQueueSettings { message_ttl: Some(ms(10)), ..Default::default() };
    let first = broker.queue("first", &waiting, letters_to("second"));
    let second = broker.queue("second", &waiting, letters_to("first"));
    broker.publish(1, "first");
    broker.expire(Time::ZERO + ms(10));
    assert_eq!((broker.queues[first].0.ready(), broker.queues[second].0.ready()), (0, 1));
    broker.expire(Time::ZERO + ms(20));
    assert_eq!((broker.queues[first].0.ready(), broker.queues[second].0.ready()), (0, 0));
    assert_eq!(broker.dropped, [(1, None)]);
}

/// A queue that holds one message refuses the second, which is told to its publisher and becomes a letter as well; a third has no
/// queue at all.
#[test]
fn a_publisher_hears_what_became_of_each_message() {
    let mut broker = Broker::new();
    let overflow = Overflow::RejectPublishDlx;
    let full = WorkQueueSettings { max_length: Some(1), overflow, ..Default::default() };
    broker.queue("full", &full, letters_to("rest"));
    let rest = broker.queue("rest", &WorkQueueSettings::default(), None);
    assert!(!broker.publish(1, "full").is_returned);
    assert!(!broker.publish(2, "full").is_returned);
    assert!(broker.publish(3, "none").is_returned);
    let mut answers = vec![];
    broker.confirms.answer(&mut answers);
    let said: Vec<_> = answers.iter().map(|confirm| (confirm.sequence, confirm.is_positive)).collect();
    assert_eq!(said, [(1, true), (3, true), (2, false)]);
    assert_eq!(broker.queues[rest].0.ready(), 1);
}
