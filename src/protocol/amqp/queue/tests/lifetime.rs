//! What ends messages and queues: purges, deletion, disuse, crashes.

use super::*;

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

/// What its last consumer held has expired meanwhile, and there is room for one: nothing dies, since the queue goes as a whole.
#[test]
fn what_the_last_consumer_held_goes_with_the_queue() {
    let mut case = Case::new(WorkQueueSettings { auto_delete: true, max_length: Some(1), ..classic() });
    case.subscribe(A, 0);
    for message in [1, 2] {
        case.put(with_ttl(message, 30));
        case.deliver();
    }
    case.queue.gone(A, at(50), &mut case.dead);
    assert_eq!((case.died(), case.queue.ending(at(50))), (vec![], Some(Ending::LastConsumerLeft)));
    let mut removed = vec![];
    case.queue.delete(&mut removed);
    assert_eq!(removed, [1, 2]);
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

#[test]
fn declaring_a_quorum_queue_again_does_not_renew_its_lease() {
    let mut case = Case::new(WorkQueueSettings { expires: Some(ms(100)), ..quorum() });
    case.queue.touch(at(40));
    assert_eq!(case.queue.expires_at(), Some(at(100)));
    case.queue.fetch(A, Acknowledge::Automatic, at(60), &mut case.dead).unwrap();
    assert_eq!(case.queue.expires_at(), Some(at(160)));
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
