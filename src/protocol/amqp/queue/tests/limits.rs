//! Queues that are full, and messages that expire.

use super::*;
use crate::base::units::bytes;

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

/// 25 bytes hold two of 10. One of 20 pushes out both.
#[test]
fn a_quorum_queue_lets_the_last_one_that_it_drops_leave_first() {
    let mut case = Case::new(WorkQueueSettings { max_length_bytes: Some(bytes(25)), ..quorum() });
    case.publish(1);
    case.publish(2);
    case.put(Incoming::new(3, 20));
    assert_eq!(case.died(), [(2, DeathReason::MaxLen), (1, DeathReason::MaxLen)]);
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
    for (overflow, died) in
        [(Overflow::RejectPublish, &[][..]), (Overflow::RejectPublishDlx, &[(2, DeathReason::MaxLen)])]
    {
        let mut case = Case::new(WorkQueueSettings { max_length: Some(1), overflow, ..classic() });
        case.publish(1);
        assert_eq!(case.publish(2), Publish::Refused);
        assert_eq!((case.died(), case.queue.ready()), (died.to_vec(), 1));
        case.subscribe(A, 1);
        case.deliver();
        assert_eq!(case.publish(3), Publish::Accepted { sequence: 1 });
    }
}

/// Five messages are allowed. A sixth is taken, since publishers hear of it later. Then everything is refused until four are left,
/// which are four fifths.
#[test]
fn a_quorum_queue_that_refuses_takes_one_too_many_and_goes_on_at_four_fifths() {
    let settings = WorkQueueSettings { max_length: Some(5), overflow: Overflow::RejectPublish, ..quorum() };
    let mut case = Case::new(settings);
    (1..=6).for_each(|message| assert_ne!(case.publish(message), Publish::Refused));
    assert_eq!(case.publish(7), Publish::Refused);
    for ready in [5, 4] {
        assert_eq!(case.publish(7), Publish::Refused);
        case.queue.fetch(A, Acknowledge::Automatic, case.now, &mut case.dead).unwrap();
        assert_eq!((case.deliver().len(), case.queue.ready()), (0, ready));
    }
    assert_ne!(case.publish(8), Publish::Refused);
}

/// It is full with one too many, which expires: then there is room.
#[test]
fn what_expires_makes_room_in_a_quorum_queue() {
    let settings = WorkQueueSettings { max_length: Some(0), overflow: Overflow::RejectPublish, ..quorum() };
    let mut case = Case::new(settings);
    case.put(with_ttl(1, 30));
    assert_eq!(case.publish(2), Publish::Refused);
    case.expire(at(30));
    assert_ne!(case.publish(3), Publish::Refused);
}

/// Both are full, and a letter comes.
#[test]
fn a_full_quorum_queue_takes_letters_and_a_full_classic_queue_does_not() {
    for (settings, is_taken) in [(quorum(), true), (classic(), false)] {
        let overflow = Overflow::RejectPublish;
        let mut case = Case::new(WorkQueueSettings { max_length: Some(0), overflow, ..settings });
        case.publish(1);
        assert_eq!(case.publish(2), Publish::Refused);
        let mut deaths = Deaths::NONE;
        deaths.record(QUEUE, DeathReason::Expired);
        let answer = case.put(Incoming { deaths, ..Incoming::new(3, 10) });
        assert_eq!(answer != Publish::Refused, is_taken);
    }
}

/// A holds 1, and 2 fills the queue. A returns 1 and can take it again at once: a quorum queue delivers it before it looks at its
/// length, a classic queue drops it.
#[test]
fn a_quorum_queue_delivers_before_it_drops() {
    for (settings, delivered, died) in [(quorum(), 1, &[][..]), (classic(), 2, &[(1, DeathReason::MaxLen)])] {
        let mut case = Case::new(WorkQueueSettings { max_length: Some(1), ..settings });
        case.publish(1);
        case.subscribe(A, 1);
        case.deliver();
        case.publish(2);
        case.nack(A, 1, false, true).unwrap();
        assert_eq!(case.deliver(), [(A, 2, delivered)]);
        assert_eq!(case.died(), died);
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

/// The queue has no room: a classic queue drops what it holds before it looks whether that expired, and so does a quorum queue, which
/// gives a message a millisecond at least.
#[test]
fn a_quorum_queue_gives_a_message_a_millisecond_at_least() {
    let mut case = Case::new(quorum());
    case.put(with_ttl(1, 0));
    assert_eq!((case.died(), case.queue.next_expiry()), (vec![], Some(at(1))));
    for settings in [quorum(), classic()] {
        let mut case = Case::new(WorkQueueSettings { max_length: Some(0), ..settings });
        case.put(with_ttl(1, 0));
        assert_eq!(case.died(), [(1, DeathReason::MaxLen)]);
    }
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
