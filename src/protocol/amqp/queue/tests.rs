//! The rules of a work queue, one by one.

use std::num::NonZeroU32;

use super::*;
use crate::base::time::{ms, secs};
use crate::base::units::bytes;

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
    WorkQueueSettings { r#type: QueueType::Quorum, ..Default::default() }
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

/// 3 ready messages at most, of which the fourth pushes out the first. What is unacknowledged does not count.
#[test]
fn a_full_queue_drops_its_head() {
    let mut case = Case::new(WorkQueueSettings { max_length: Some(3), ..classic() });
    case.publish(0);
    case.subscribe(A, 1);
    case.deliver();
    (1..=3).for_each(|message| _ = case.publish(message));
    assert_eq!(case.died(), []);
    assert!(matches!(case.publish(4), Publish::Accepted { .. }));
    assert_eq!(case.died(), [(1, DeathReason::MaxLen)]);
    assert_eq!((case.queue.ready(), case.queue.unacked()), (3, 1));
}

/// 25 bytes hold two of 10. One of 20 pushes out both; one of 30 everything, itself included.
#[test]
fn a_limit_of_bytes_drops_as_many_as_it_takes() {
    let mut case = Case::new(WorkQueueSettings { max_length_bytes: Some(bytes(25)), ..classic() });
    case.publish(1);
    case.publish(2);
    case.put(Incoming::new(3, 20));
    assert_eq!(case.died(), [(1, DeathReason::MaxLen), (2, DeathReason::MaxLen)]);
    assert!(matches!(case.put(Incoming::new(4, 30)), Publish::Accepted { .. }));
    assert_eq!(case.died(), [(3, DeathReason::MaxLen), (4, DeathReason::MaxLen)]);
    assert_eq!((case.queue.ready(), case.queue.ready_bytes()), (0, 0));
}

/// The head is what would be delivered next, which is of the highest priority.
#[test]
fn a_full_queue_with_priorities_drops_the_highest() {
    let priorities = WorkQueueSettings { max_priority: NonZeroU32::new(9), ..classic() };
    let mut case = Case::new(WorkQueueSettings { max_length: Some(2), ..priorities });
    for (message, priority) in [(1, 0), (2, 9), (3, 0)] {
        case.put(Incoming { priority, ..Incoming::new(message, 10) });
    }
    assert_eq!(case.died(), [(2, DeathReason::MaxLen)]);
}

#[test]
fn a_full_queue_may_refuse_what_is_new() {
    for (overflow, died) in [(Overflow::RejectPublish, &[][..]), (Overflow::RejectPublishDlx, &[(2, DeathReason::MaxLen)])] {
        let mut case = Case::new(WorkQueueSettings { max_length: Some(1), overflow, ..classic() });
        case.publish(1);
        assert_eq!(case.publish(2), Publish::Refused);
        assert_eq!((case.died(), case.queue.ready()), (died.to_vec(), 1));
        case.subscribe(A, 1);
        case.deliver();
        assert_eq!(case.publish(3), Publish::Accepted { sequence: 1 });
    }
}

/// With no room at all, a message still goes through if a consumer can take it at once; a queue that refuses looks only at its
/// limit.
#[test]
fn a_queue_without_room_hands_on() {
    let mut case = Case::new(WorkQueueSettings { max_length: Some(0), ..classic() });
    case.subscribe(A, 1);
    case.publish(1);
    assert_eq!(case.deliver(), [(A, 1, 1)]);
    case.publish(2);
    assert_eq!(case.died(), [(2, DeathReason::MaxLen)]);
    let full = WorkQueueSettings { max_length: Some(0), overflow: Overflow::RejectPublish, ..classic() };
    let mut case = Case::new(full);
    case.subscribe(A, 1);
    assert_eq!(case.publish(1), Publish::Refused);
}

/// A holds 1 and 2; 3 and 4 fill the queue. What A returns makes it too long, and the head goes, which is what was returned.
#[test]
fn what_is_requeued_to_a_full_queue_makes_it_drop_its_head() {
    let mut case = Case::new(WorkQueueSettings { max_length: Some(2), ..classic() });
    case.publish(1);
    case.publish(2);
    case.subscribe(A, 2);
    case.deliver();
    case.publish(3);
    case.publish(4);
    case.nack(A, 2, false, true).unwrap();
    assert_eq!(case.died(), [(2, DeathReason::MaxLen)]);
}

#[test]
fn the_shorter_time_to_live_holds() {
    let mut case = Case::new(WorkQueueSettings { message_ttl: Some(ms(50)), ..classic() });
    case.put(with_ttl(1, 20));
    case.put(with_ttl(2, 80));
    assert_eq!(case.queue.next_expiry(), Some(at(20)));
    case.expire(at(19));
    assert_eq!(case.died(), []);
    case.expire(at(20));
    assert_eq!((case.died(), case.queue.next_expiry()), (vec![(1, DeathReason::Expired)], Some(at(50))));
    case.expire(at(50));
    assert_eq!((case.died(), case.queue.next_expiry()), (vec![(2, DeathReason::Expired)], None));
}

/// 2 expires at 10 behind 1, which expires at 30: both leave at 30. A consumer that comes at 40 gets 3.
#[test]
fn a_message_expires_only_at_the_head() {
    for settings in [classic(), quorum()] {
        let mut case = Case::new(settings);
        case.put(with_ttl(1, 30));
        case.put(with_ttl(2, 10));
        case.publish(3);
        case.expire(at(29));
        assert_eq!((case.queue.ready(), case.queue.next_expiry()), (3, Some(at(30))));
        case.now = at(40);
        case.subscribe(A, 0);
        assert_eq!(case.deliver(), [(A, 1, 3)]);
        assert_eq!(case.died(), [(1, DeathReason::Expired), (2, DeathReason::Expired)]);
    }
}

#[test]
fn no_time_to_live_means_now_or_never() {
    let mut case = Case::new(classic());
    assert!(matches!(case.put(with_ttl(1, 0)), Publish::Accepted { .. }));
    assert_eq!(case.died(), [(1, DeathReason::Expired)]);
    case.subscribe(A, 1);
    case.put(with_ttl(2, 0));
    assert_eq!((case.deliver(), case.died()), (vec![(A, 1, 2)], vec![]));
    case.put(with_ttl(3, 0));
    assert_eq!(case.died(), [(3, DeathReason::Expired)]);
}

/// The consumer for which it was kept leaves before it was sent.
#[test]
fn a_promise_ends_with_the_consumer() {
    let mut case = Case::new(classic());
    case.subscribe(A, 1);
    case.put(with_ttl(1, 0));
    case.queue.cancel(A, case.now);
    assert_eq!(case.deliver(), []);
    assert_eq!(case.died(), [(1, DeathReason::Expired)]);
}

/// Delivered at 5 and held past its time, it dies when it comes back.
#[test]
fn a_requeued_message_keeps_its_expiry() {
    let mut case = Case::new(classic());
    case.put(with_ttl(1, 30));
    case.subscribe(A, 1);
    case.expire(at(5));
    assert_eq!(case.deliver().len(), 1);
    case.expire(at(100));
    assert_eq!((case.died(), case.queue.next_expiry()), (vec![], None));
    case.nack(A, 1, false, true).unwrap();
    assert_eq!(case.died(), [(1, DeathReason::Expired)]);
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

#[test]
fn a_purge_leaves_what_is_unacknowledged() {
    let mut case = Case::new(classic());
    (1..=3).for_each(|message| _ = case.publish(message));
    case.subscribe(A, 1);
    case.deliver();
    let mut removed = vec![];
    case.queue.purge(&mut removed);
    assert_eq!((removed, case.queue.ready(), case.queue.unacked()), (vec![2, 3], 0, 1));
    let mut removed = vec![];
    case.publish(4);
    case.queue.delete(&mut removed);
    assert_eq!((removed, case.queue.unacked(), case.queue.consumers(), case.died()), (vec![4, 1], 0, 0, vec![]));
    assert_eq!((case.queue.ready_bytes(), case.queue.unacked_bytes()), (0, 0));
}

#[test]
fn a_queue_is_deleted_when_its_last_consumer_leaves() {
    let mut case = Case::new(WorkQueueSettings { auto_delete: true, ..classic() });
    assert_eq!(case.queue.ending(at(1000)), None);
    case.subscribe(A, 0);
    case.subscribe(B, 0);
    case.queue.cancel(A, at(0));
    assert_eq!(case.queue.ending(at(1000)), None);
    case.queue.gone(B, at(0), &mut case.dead);
    assert_eq!(case.queue.ending(at(0)), Some(Ending::LastConsumerLeft));
}

/// Declared at 0, again at 40; used from 60 to 90; so it ends at 190.
#[test]
fn an_unused_queue_expires() {
    let mut case = Case::new(WorkQueueSettings { expires: Some(ms(100)), ..classic() });
    assert_eq!(case.queue.expires_at(), Some(at(100)));
    case.queue.touch(at(40));
    assert_eq!((case.queue.ending(at(139)), case.queue.ending(at(140))), (None, Some(Ending::Unused)));
    case.subscribe(A, 0);
    assert_eq!((case.queue.expires_at(), case.queue.ending(at(500))), (None, None));
    case.queue.cancel(A, at(90));
    assert_eq!(case.queue.expires_at(), Some(at(190)));
}

/// 0 and 1 are synced; 2 is transient; 3 is persistent and not yet synced. A holds 0.
#[test]
fn a_crash_leaves_what_is_persistent_and_synced() {
    let mut case = Case::new(classic());
    for message in 0..4 {
        case.put(Incoming { persistent: message != 2, ..Incoming::new(message, 10) });
    }
    case.subscribe(A, 1);
    case.deliver();
    let mut lost = vec![];
    assert!(case.queue.crash(3, at(10), &mut lost, &mut case.dead));
    let expected = [(2, Loss::TransientMessage), (3, Loss::Unconfirmed)];
    assert_eq!(lost, expected.map(|(message, loss)| Lost { message, loss }));
    assert_eq!((case.queue.ready(), case.queue.unacked(), case.queue.consumers()), (2, 0, 0));
    case.queue.restart(at(20), &mut case.dead);
    case.subscribe(B, 0);
    let (first, second) = (case.next(), case.next());
    assert_eq!((first.message, first.redelivered, first.tag), (0, true, 1));
    assert_eq!((second.message, second.redelivered), (1, false));
}

#[test]
fn a_crash_takes_a_queue_that_is_transient_or_exclusive() {
    for (settings, loss) in [
        (WorkQueueSettings { durable: false, ..classic() }, Loss::TransientQueue),
        (WorkQueueSettings { exclusive: true, ..classic() }, Loss::ExclusiveQueue),
    ] {
        let mut case = Case::new(settings);
        case.publish(1);
        case.publish(2);
        case.subscribe(A, 1);
        case.deliver();
        let mut lost = vec![];
        assert!(!case.queue.crash(9, at(0), &mut lost, &mut case.dead));
        assert_eq!(lost, [2, 1].map(|message| Lost { message, loss }));
    }
}

/// The transient one was committed as well; the last was not yet.
#[test]
fn a_quorum_queue_keeps_all_that_is_committed() {
    let mut case = Case::new(quorum());
    for message in 0..3 {
        case.put(Incoming { persistent: message != 0, ..Incoming::new(message, 10) });
    }
    let mut lost = vec![];
    assert!(case.queue.crash(2, at(0), &mut lost, &mut case.dead));
    assert_eq!((lost, case.queue.ready()), (vec![Lost { message: 2, loss: Loss::Unconfirmed }], 2));
}

#[test]
fn what_expired_while_a_node_was_down_dies_when_it_is_up() {
    let mut case = Case::new(WorkQueueSettings { message_ttl: Some(secs(1)), expires: Some(secs(9)), ..classic() });
    case.publish(1);
    case.queue.crash(1, at(100), &mut vec![], &mut case.dead);
    assert_eq!(case.queue.ready(), 1);
    case.queue.restart(at(5000), &mut case.dead);
    assert_eq!((case.died(), case.queue.expires_at()), (vec![(1, DeathReason::Expired)], Some(at(14_000))));
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
