//! The rules of a work queue, one by one: delivery and acknowledgement here, the others below.

mod lifetime;
mod limits;

use std::num::NonZeroU32;

use super::*;
use crate::base::time::{ms, secs};

const QUEUE: QueueId = QueueId::new(7);
const A: ConsumerId = ConsumerId::new(1);
const B: ConsumerId = ConsumerId::new(2);

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

/// A queue, and those that died there.
struct Case {
    queue: WorkQueue<u32>,
    dead: Vec<Dead<u32>>,
    now: Time,
}

impl Case {
    fn new(settings: WorkQueueSettings) -> Self {
        crate::base::settings::Settings::check(&settings).unwrap();
        Self { queue: WorkQueue::new(QUEUE, &settings, true, Time::ZERO), dead: vec![], now: Time::ZERO }
    }

    fn publish(&mut self, message: u32) -> Publish {
        self.put(Incoming::new(message, 10))
    }

    fn put(&mut self, incoming: Incoming<u32>) -> Publish {
        self.queue.publish(incoming, self.now, &mut self.dead)
    }

    /// Everything that can be delivered, as consumer, tag and message.
    fn deliver(&mut self) -> Vec<(ConsumerId, u64, u32)> {
        std::iter::from_fn(|| self.queue.deliver(self.now, &mut self.dead))
            .map(|delivery| (delivery.consumer, delivery.tag, delivery.message))
            .collect()
    }

    fn next(&mut self) -> Delivery<u32> {
        self.queue.deliver(self.now, &mut self.dead).unwrap()
    }

    fn subscribe(&mut self, consumer: ConsumerId, prefetch: u32) {
        let subscription = Subscription { prefetch: NonZeroU32::new(prefetch), ..Default::default() };
        self.queue.subscribe(consumer, subscription).unwrap();
    }

    fn nack(&mut self, consumer: ConsumerId, tag: u64, multiple: bool, requeue: bool) -> Result<(), ChannelError> {
        self.queue.nack(consumer, tag, multiple, requeue, self.now, &mut self.dead)
    }

    fn expire(&mut self, now: Time) {
        self.now = now;
        self.queue.expire(now, &mut self.dead);
    }

    /// Who died since the last look, and what of.
    fn died(&mut self) -> Vec<(u32, DeathReason)> {
        self.dead.drain(..).map(|dead| (dead.message, dead.reason)).collect()
    }
}

fn classic() -> WorkQueueSettings {
    WorkQueueSettings::default()
}

fn quorum() -> WorkQueueSettings {
    WorkQueueSettings { r#type: Some(QueueType::Quorum), ..Default::default() }
}

fn with_ttl(message: u32, millis: u64) -> Incoming<u32> {
    Incoming { ttl: Some(ms(millis)), ..Incoming::new(message, 10) }
}

#[test]
fn a_message_is_ready_then_unacknowledged_then_gone() {
    let mut case = Case::new(classic());
    assert_eq!(case.publish(1), Publish::Accepted { sequence: 0 });
    assert_eq!(case.publish(2), Publish::Accepted { sequence: 1 });
    assert_eq!(case.deliver(), []);
    case.subscribe(A, 1);
    assert_eq!(case.deliver(), [(A, 1, 1)]);
    assert_eq!((case.queue.ready(), case.queue.unacked(), case.queue.unacked_of(A)), (1, 1, 1));
    assert_eq!((case.queue.ready_bytes(), case.queue.unacked_bytes()), (10, 10));
    let mut done = vec![];
    case.queue.ack(A, 1, false, &mut done).unwrap();
    assert_eq!((done, case.deliver()), (vec![1], vec![(A, 2, 2)]));
    assert_eq!((case.queue.ready(), case.queue.accepted(), case.queue.ready_bytes()), (0, 2, 0));
}

#[test]
fn automatic_acknowledgement_settles_what_is_sent() {
    let mut case = Case::new(classic());
    case.queue.subscribe(A, Subscription { acknowledge: Acknowledge::Automatic, ..Default::default() }).unwrap();
    case.publish(1);
    let delivery = case.next();
    assert!(delivery.is_settled && delivery.tag == 1);
    assert_eq!((case.queue.unacked(), case.queue.unacked_bytes()), (0, 0));
    assert!(case.queue.gone(A, case.now, &mut case.dead));
    assert_eq!(case.queue.ready(), 0);
}

#[test]
fn what_is_requeued_returns_to_its_place_and_is_marked() {
    let mut case = Case::new(classic());
    (1..=4).for_each(|message| _ = case.publish(message));
    case.subscribe(A, 3);
    assert_eq!(case.deliver().len(), 3);
    case.nack(A, 2, false, true).unwrap();
    let delivery = case.next();
    assert_eq!((delivery.message, delivery.tag, delivery.redelivered, delivery.count), (2, 4, true, 1));
    case.nack(A, 4, true, true).unwrap();
    assert_eq!(case.deliver(), [(A, 5, 1), (A, 6, 2), (A, 7, 3)]);
    case.nack(A, 0, true, false).unwrap();
    assert_eq!(case.died(), [1, 2, 3].map(|message| (message, DeathReason::Rejected)));
    assert!(!case.next().redelivered);
}

#[test]
fn what_is_rejected_together_leaves_by_priority() {
    let mut case = Case::new(WorkQueueSettings { max_priority: NonZeroU32::new(3), ..classic() });
    case.subscribe(A, 0);
    for (message, priority) in [(1, 0), (2, 9), (3, 3), (4, 0)] {
        case.put(Incoming { priority, ..Incoming::new(message, 10) });
        case.deliver();
    }
    case.nack(A, 0, true, false).unwrap();
    assert_eq!(case.died(), [2, 3, 1, 4].map(|message| (message, DeathReason::Rejected)));
}

/// A holds 1 and 3, B holds 2. A is lost: 1 and 3 go to B, before 4.
#[test]
fn what_a_lost_consumer_held_is_delivered_to_others() {
    let mut case = Case::new(classic());
    (1..=4).for_each(|message| _ = case.publish(message));
    case.subscribe(A, 2);
    case.subscribe(B, 1);
    assert_eq!(case.deliver(), [(A, 1, 1), (B, 1, 2), (A, 2, 3)]);
    assert!(case.queue.gone(A, case.now, &mut case.dead));
    assert!(!case.queue.gone(A, case.now, &mut case.dead));
    assert_eq!((case.queue.ready(), case.queue.unacked()), (3, 1));
    case.queue.ack(B, 0, true, &mut vec![]).unwrap();
    assert_eq!(case.deliver(), [(B, 2, 1)]);
    case.queue.ack(B, 2, false, &mut vec![]).unwrap();
    assert_eq!(case.deliver(), [(B, 3, 3)]);
}

/// Settled twice, never delivered, of another consumer, and up to a tag that was settled before.
#[test]
fn an_unknown_tag_closes_the_channel() {
    let mut case = Case::new(classic());
    (1..=3).for_each(|message| _ = case.publish(message));
    case.subscribe(A, 0);
    case.deliver();
    let mut done = vec![];
    case.queue.ack(A, 2, false, &mut done).unwrap();
    assert_eq!(case.queue.ack(A, 2, false, &mut done), Err(ChannelError::UnknownTag));
    assert_eq!(case.queue.ack(A, 2, true, &mut done), Err(ChannelError::UnknownTag));
    assert_eq!(case.queue.ack(A, 0, false, &mut done), Err(ChannelError::UnknownTag));
    assert_eq!(case.queue.reject(A, 4, true, at(0), &mut vec![]), Err(ChannelError::UnknownTag));
    assert_eq!(case.nack(B, 1, false, true), Err(ChannelError::UnknownTag));
    assert_eq!((done.len(), case.queue.unacked()), (1, 2));
    case.queue.ack(A, 0, true, &mut done).unwrap();
    assert_eq!(done, [2, 1, 3]);
}

#[test]
fn a_cancelled_consumer_keeps_what_it_holds() {
    let mut case = Case::new(classic());
    case.publish(1);
    case.publish(2);
    case.subscribe(A, 1);
    case.deliver();
    assert!(case.queue.cancel(A, case.now));
    assert_eq!((case.queue.unacked(), case.queue.ready(), case.queue.consumers()), (1, 1, 0));
    case.queue.ack(A, 1, false, &mut vec![]).unwrap();
    assert_eq!(case.deliver(), []);
}

/// A fetches 1 and keeps it, and fetches 2 without having to acknowledge it. Then there is nothing. What A kept comes back with it.
#[test]
fn a_message_may_be_fetched_without_a_subscription() {
    let mut case = Case::new(classic());
    case.publish(1);
    case.publish(2);
    let fetch = |case: &mut Case, acknowledge| case.queue.fetch(A, acknowledge, case.now, &mut case.dead).unwrap();
    let first = fetch(&mut case, Acknowledge::Manual).unwrap();
    assert_eq!((first.tag, first.message, first.is_settled), (1, 1, false));
    let second = fetch(&mut case, Acknowledge::Automatic).unwrap();
    assert_eq!((second.tag, second.message, second.is_settled), (2, 2, true));
    assert_eq!(fetch(&mut case, Acknowledge::Manual), None);
    assert_eq!((case.queue.unacked_of(A), case.queue.unacked_bytes(), case.queue.consumers()), (1, 10, 0));
    case.nack(A, 1, false, true).unwrap();
    assert!(fetch(&mut case, Acknowledge::Manual).unwrap().redelivered);
    assert!(!case.queue.gone(A, case.now, &mut case.dead));
    assert_eq!((case.queue.ready(), case.queue.unacked()), (1, 0));
}

#[test]
fn nobody_fetches_beside_the_single_active_consumer_of_a_quorum_queue() {
    for (settings, expected) in [(quorum(), Err(ChannelError::Locked)), (classic(), Ok(None))] {
        let mut case = Case::new(WorkQueueSettings { single_active_consumer: true, ..settings });
        assert_eq!(case.queue.fetch(A, Acknowledge::Manual, case.now, &mut case.dead), expected);
    }
}

/// With a limit of 2 a message is delivered three times, with counts 0, 1 and 2, and dies on its third return.
#[test]
fn a_message_that_is_returned_too_often_dies() {
    let limited = WorkQueueSettings { delivery_limit: Some(DeliveryLimit::Times(2)), ..quorum() };
    let mut case = Case::new(limited);
    case.publish(1);
    for count in 0..3 {
        assert_eq!(case.died(), []);
        case.subscribe(A, 1);
        let delivery = case.next();
        assert_eq!((delivery.count, delivery.redelivered), (count, count > 0));
        if count == 1 {
            case.queue.gone(A, case.now, &mut case.dead);
        } else {
            case.nack(A, delivery.tag, false, true).unwrap();
            case.queue.cancel(A, case.now);
        }
    }
    assert_eq!(case.died(), [(1, DeathReason::DeliveryLimit)]);
}

/// Without a limit 1, which is of high priority, goes behind what is of normal priority.
#[test]
fn what_goes_to_the_back_has_no_priority_any_more() {
    let mut case = Case::new(WorkQueueSettings { delivery_limit: Some(DeliveryLimit::Unlimited), ..quorum() });
    case.put(Incoming { priority: 9, ..Incoming::new(1, 10) });
    case.publish(2);
    case.subscribe(A, 1);
    assert_eq!(case.deliver(), [(A, 1, 1)]);
    case.nack(A, 1, false, true).unwrap();
    assert_eq!(case.deliver(), [(A, 2, 2)]);
}

/// 1 is returned by its consumer. With a limit it goes in front of 2, without one behind it; what a lost consumer held goes in
/// front either way.
#[test]
fn without_a_delivery_limit_a_returned_message_goes_to_the_back() {
    let unlimited = WorkQueueSettings { delivery_limit: Some(DeliveryLimit::Unlimited), ..quorum() };
    for (settings, is_told, messages) in
        [(quorum(), true, [1, 2]), (unlimited.clone(), true, [2, 1]), (unlimited, false, [1, 2])]
    {
        let mut case = Case::new(settings);
        case.publish(1);
        case.publish(2);
        case.subscribe(A, 1);
        case.deliver();
        if is_told {
            case.nack(A, 1, false, true).unwrap();
        }
        case.queue.gone(A, case.now, &mut case.dead);
        case.subscribe(B, 0);
        assert_eq!(case.deliver().into_iter().map(|(_, _, message)| message).collect::<Vec<_>>(), messages);
    }
}

#[test]
fn a_dead_letter_tells_where_it_died_and_a_dropped_message_does_not() {
    let mut case = Case::new(classic());
    case.publish(1);
    case.subscribe(A, 1);
    case.deliver();
    case.queue.reject(A, 1, false, case.now, &mut case.dead).unwrap();
    let dead = case.dead.pop().unwrap();
    assert!(dead.is_letter && dead.persistent && dead.size == 10);
    let expected = super::super::dead_letter::Death { queue: QUEUE, reason: DeathReason::Rejected, count: 1 };
    assert_eq!(dead.deaths.list(), [expected]);
    case.put(Incoming { deaths: dead.deaths, ..Incoming::new(1, 10) });
    assert_eq!(case.next().deaths.total(), 1);

    let mut dropped = vec![];
    let mut queue = WorkQueue::new(QUEUE, &classic(), false, Time::ZERO);
    queue.publish(with_ttl(1, 0), Time::ZERO, &mut dropped);
    assert!(!dropped[0].is_letter && dropped[0].deaths == Deaths::NONE);
}

/// 200 000 are published, delivered without a limit, and settled from the middle outwards, half of them after a requeue: a scan per
/// message would be 4 × 10^10 steps.
#[test]
fn a_long_queue_costs_no_more_per_message_than_a_short_one() {
    let count = 200_000_u32;
    let mut case = Case::new(WorkQueueSettings { max_length: Some(count), message_ttl: Some(secs(9)), ..classic() });
    (0..count).for_each(|message| _ = case.publish(message));
    (0..4).for_each(|number| case.subscribe(ConsumerId::new(number), 0));
    let delivered = case.deliver();
    assert_eq!(delivered.len(), count as usize);
    let (early, late) = delivered.split_at(delivered.len() / 2);
    let mut done = vec![];
    for (&(one, first, _), &(other, second, _)) in early.iter().rev().zip(late) {
        case.queue.ack(one, first, false, &mut done).unwrap();
        case.nack(other, second, false, true).unwrap();
    }
    for (consumer, tag, _) in case.deliver() {
        case.queue.ack(consumer, tag, false, &mut done).unwrap();
    }
    assert_eq!((done.len(), case.queue.ready(), case.queue.unacked()), (count as usize, 0, 0));
}
