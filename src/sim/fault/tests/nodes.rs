use std::collections::BTreeMap;

use super::*;
use crate::network::Cause;

#[test]
fn a_node_that_is_down_hears_nothing_and_recalls_what_was_synced() {
    let (mut cluster, _, receiver) = pair(&[ms(500)]);
    cluster.fault("crash", Crash { nodes: vec![receiver] }, during(25, 45));
    let outcome = cluster.run_until(at(65));
    // Notes 0, 1 arrive at 11 and 21 ms, 2 and 3 while it is down, 4 and 5 afterwards.
    assert_eq!(seen(&cluster, receiver), [(51, 4), (61, 5)]);
    assert_eq!(cluster.process::<Node>(receiver).and_then(|node| node.recalled), Some(1));
    assert_eq!(outcome.wire.total().dropped_for(Cause::ReceiverDown), 2);
    assert_eq!(book(&cluster, "crash"), FaultBook { strikes: 1, nodes: 1, messages: 2, timers: 1 });
}

#[test]
fn what_was_not_synced_is_forgotten() {
    let (mut cluster, _, receiver) = pair(&[]);
    // The note that arrives at 11 ms is written within a nanosecond: too late.
    cluster.fault("crash", Crash { nodes: vec![receiver] }, [(at(11) + Span::from_nanos(1), Some(at(12)))]);
    cluster.run_until(at(15));
    assert_eq!(cluster.process::<Node>(receiver).and_then(|node| node.recalled), None);
    assert!(cluster.disk(receiver).is_some_and(BTreeMap::is_empty));
}

#[test]
fn one_that_never_heals_kills() {
    let (mut cluster, _, receiver) = pair(&[]);
    cluster.fault("kill", Crash { nodes: vec![receiver] }, [(at(5), None)]);
    let outcome = cluster.run_until(at(35));
    assert!(cluster.process::<Node>(receiver).is_none());
    assert_eq!(outcome.wire.total().delivered, 0);
}

#[test]
fn a_paused_node_takes_everything_in_later_and_in_order() {
    let (mut cluster, sender, receiver) = pair(&[]);
    cluster.fault("receiver", Pause { nodes: vec![receiver] }, during(15, 45));
    cluster.fault("sender", Pause { nodes: vec![sender] }, during(62, 95));
    let outcome = cluster.run_until(at(110));
    assert_eq!(seen(&cluster, receiver), [(11, 0), (45, 1), (45, 2), (45, 3), (51, 4), (61, 5), (96, 6), (106, 7)]);
    // The sender's timer of 70 ms rings at 95 ms; the next one is set from there.
    assert_eq!(seen(&cluster, sender)[5..8], [(60, 1105), (95, 1106), (105, 1107)]);
    assert_eq!(outcome.wire.total().dropped_for(Cause::ReceiverDown), 0);
    assert_eq!(book(&cluster, "receiver"), FaultBook { strikes: 1, nodes: 1, messages: 3, timers: 0 });
    assert_eq!(book(&cluster, "sender"), FaultBook { strikes: 1, nodes: 1, messages: 0, timers: 1 });
}

#[test]
fn work_stands_still_in_a_pause_and_takes_longer_on_a_slow_node() {
    let rings = |faults: &dyn Fn(&mut Cluster<Note>, NodeId)| {
        let (mut cluster, _, receiver) = pair(&[ms(10), ms(20)]);
        faults(&mut cluster, receiver);
        cluster.run_until(at(200));
        let work = |&(_, what): &(u64, u32)| (1000..1100).contains(&what);
        seen(&cluster, receiver).into_iter().filter(work).map(|(time, _)| time).collect::<Vec<_>>()
    };
    let pause = |from, to| {
        move |cluster: &mut Cluster<Note>, node| {
            _ = cluster.fault("pause", Pause { nodes: vec![node] }, during(from, to))
        }
    };
    let slow = |factor, from, to| {
        move |cluster: &mut Cluster<Note>, node| {
            _ = cluster.fault(&format!("slow {factor}"), Slow { nodes: vec![node], factor }, during(from, to));
        }
    };
    assert_eq!(rings(&|_, _| ()), [10, 20]);
    assert_eq!(rings(&pause(4, 7)), [13, 23]);
    // 5 ms are done at 5 ms, 2 more at 9 ms, the remaining 3 at 12 ms.
    assert_eq!(rings(&slow(2.0, 5, 9)), [12, 22]);
    assert_eq!(rings(&slow(4.0, 12, 200)), [10, 44]);
    assert_eq!(
        rings(&|cluster, node| {
            slow(2.0, 4, 12)(cluster, node);
            slow(3.0, 6, 12)(cluster, node);
            pause(8, 10)(cluster, node);
        }),
        // Done by 4 ms: 4; by 6: 5; by 8: 5 1/3; at 10 the same; by 12: 5 2/3.
        [16, 26]
    );
}

#[test]
fn a_node_is_down_as_long_as_any_fault_keeps_it_so() {
    let (mut cluster, _, receiver) = pair(&[]);
    cluster.fault("first", Crash { nodes: vec![receiver] }, during(5, 25));
    cluster.fault("second", Crash { nodes: vec![receiver] }, during(15, 45));
    cluster.fault("pause", Pause { nodes: vec![receiver] }, during(40, 55));
    cluster.run_until(at(65));
    // It may start at 45 ms, but is paused until 55 ms: the note of 51 ms waits.
    assert_eq!(seen(&cluster, receiver), [(55, 4), (61, 5)]);
    let messages = ["first", "second", "pause"].map(|name| book(&cluster, name).messages);
    assert_eq!(messages, [2, 3, 1]);
}

/// The sender's timers of 10 ms come after 8 ms of true time on a clock that runs 1.25 times as fast, those that wait too, and
/// after 20 ms on one that runs at half the rate.
#[test]
fn timers_keep_to_the_clock_of_their_node() {
    let skewed = |rate, from, to| {
        let (mut cluster, sender, receiver) = pair(&[ms(30)]);
        cluster.fault("skew", Skew { nodes: vec![sender, receiver], rate, offset: 0 }, during(from, to));
        cluster.run_until(at(60));
        let arrivals: Vec<_> = seen(&cluster, receiver).iter().map(|&(time, _)| time).collect();
        (arrivals, book(&cluster, "skew"))
    };
    // Notes are kept with the receiver's own time: 1.25 times true time from 0 on; the work of 30 ms is due at 30.
    let (arrivals, fast) = skewed(1.25, 0, 60);
    assert_eq!(arrivals, [11, 21, 31, 37, 41, 51, 61, 71]);
    assert_eq!((fast.nodes, fast.messages), (2, 0));
    // From 25 ms on: the note of 30 ms, of which half is left, leaves at 29 ms and arrives at 30, when it is 31.25 there.
    assert_eq!(skewed(1.25, 25, 60).0, [11, 21, 31, 31, 41, 51, 61]);
    // From 5 to 25 ms at half the rate: 5 ms left make 10, so the first leaves at 15 ms and arrives at 16, when it is 10.5.
    assert_eq!(skewed(0.5, 5, 25).0, [10, 20, 21, 31, 41]);
}

#[test]
fn a_calendar_clock_may_stand_ahead_and_a_steady_one_goes_on_as_before() {
    let (mut cluster, sender, receiver) = pair(&[]);
    cluster.fault("skew", Skew { nodes: vec![sender], rate: 1.0, offset: 7_000_000 }, during(15, 35));
    cluster.run_until(at(55));
    assert_eq!(seen(&cluster, receiver).len(), 5);
    let ahead: Vec<_> = cluster.process::<Node>(sender).expect("it is up").ahead.clone();
    assert_eq!(ahead, [0, 7_000_000, 7_000_000, 0, 0]);
}
