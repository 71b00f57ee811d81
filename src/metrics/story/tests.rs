//! Stories of messages that are played through the real thing stand in `tests/laws`; here are those that are put together by hand.

use super::*;
use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::ms;
use crate::process::{Activity, Close, Leg, Observation, Outcome};
use crate::sim::Observer;

const CLIENT: NodeId = NodeId::new(0);
const API: NodeId = NodeId::new(1);
const OTHER: NodeId = NodeId::new(2);
const STORE: NodeId = NodeId::new(3);

fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

fn sent(leg: Leg, attempt: u16, to: NodeId) -> What {
    What::Sent { leg, attempt, to, size: 0 }
}

fn delivered(leg: Leg, attempt: u16, from: NodeId) -> What {
    What::Delivered { leg, attempt, from }
}

fn turned(activity: Activity) -> What {
    What::Turned { attempt: 2, activity }
}

fn story(entries: &[(u64, NodeId, u32, What)]) -> Story {
    let message = |owner, number| MessageId { owner, number };
    let mut story = Story::of(message(CLIENT, 7), Flow(0), at(0));
    story.chapters.push(Chapter { message: message(API, 1), flow: Flow(1), due: at(140), parent: Some(0) });
    story.chapters.push(Chapter { message: message(API, 2), flow: Flow(1), due: at(140), parent: Some(0) });
    story.entries =
        entries.iter().map(|&(time, node, chapter, what)| Entry { time: at(time), node, chapter, what }).collect();
    story
}

/// Due at 0, offered at 5, sent at 10 after a window had room; that attempt to `OTHER` times out at 60, the next goes to `API` at 80,
/// arrives at 90, waits until 100, is worked on until 140; waits for two messages, of which the one that ends at 190 is the last; is
/// worked on until 200; the answer comes at 215.
#[test]
fn every_instant_of_a_latency_is_part_of_it_once() {
    let done = What::Handled { outcome: Outcome::Done };
    let story = story(&[
        (5, CLIENT, 0, What::Offered { at_once: false }),
        (10, CLIENT, 0, What::Attempted),
        (10, CLIENT, 0, sent(Leg::Out, 1, OTHER)),
        (60, CLIENT, 0, What::AttemptFailed),
        (80, CLIENT, 0, What::Attempted),
        (80, CLIENT, 0, sent(Leg::Out, 2, API)),
        (90, API, 0, delivered(Leg::Out, 2, CLIENT)),
        (90, API, 0, turned(Activity::Queued)),
        (100, API, 0, turned(Activity::Worked)),
        (140, API, 0, turned(Activity::Awaiting)),
        (140, API, 1, What::Offered { at_once: true }),
        (140, API, 1, sent(Leg::Out, 1, STORE)),
        (140, API, 2, What::Offered { at_once: true }),
        (140, API, 2, sent(Leg::Out, 1, STORE)),
        (145, STORE, 2, delivered(Leg::Out, 1, API)),
        (150, STORE, 1, delivered(Leg::Out, 1, API)),
        (150, STORE, 1, What::Turned { attempt: 1, activity: Activity::Worked }),
        (160, STORE, 2, sent(Leg::Reply, 1, API)),
        (165, API, 2, delivered(Leg::Reply, 1, STORE)),
        (165, API, 2, What::Confirmed),
        (180, STORE, 1, sent(Leg::Reply, 1, API)),
        (190, API, 1, delivered(Leg::Reply, 1, STORE)),
        (190, API, 1, What::Confirmed),
        (190, API, 0, turned(Activity::Worked)),
        (200, API, 0, done),
        (200, API, 0, sent(Leg::Reply, 2, CLIENT)),
        (215, CLIENT, 0, delivered(Leg::Reply, 2, API)),
        (215, CLIENT, 0, What::Confirmed),
    ]);
    let breakdown = Breakdown::of(&story).unwrap();
    let share = |part, node| {
        breakdown.shares.iter().find(|share| (share.part, share.node) == (part, node)).map(|share| share.time)
    };
    assert_eq!(share(Part::Late, CLIENT), Some(ms(5)));
    assert_eq!(share(Part::ClientQueue, CLIENT), Some(ms(5)));
    assert_eq!(share(Part::Failover, OTHER), Some(ms(50)));
    assert_eq!(share(Part::BackOff, CLIENT), Some(ms(20)));
    assert_eq!(share(Part::Link, API), Some(ms(25)));
    assert_eq!(share(Part::Queue, API), Some(ms(10)));
    assert_eq!(share(Part::Work, API), Some(ms(50)));
    assert_eq!(share(Part::Link, STORE), Some(ms(20)));
    assert_eq!(share(Part::Work, STORE), Some(ms(30)));
    assert_eq!((breakdown.shares.len(), breakdown.total()), (9, ms(215)));
}

/// What nobody confirms has a latency once it is received, and is on the way until then.
#[test]
fn a_notice_is_on_the_way() {
    let story = story(&[
        (0, CLIENT, 0, What::Offered { at_once: true }),
        (0, CLIENT, 0, sent(Leg::Out, 1, API)),
        (0, CLIENT, 0, What::Closed { why: Close::Sent }),
        (30, API, 0, delivered(Leg::Out, 1, CLIENT)),
        (30, API, 0, What::Received { duplicate: false }),
        (45, API, 0, What::Handled { outcome: Outcome::Done }),
    ]);
    let breakdown = Breakdown::of(&story).unwrap();
    assert_eq!(breakdown.shares, [Share { part: Part::Link, node: API, time: ms(30) }]);
}

#[test]
fn a_message_without_an_end_has_no_latency() {
    let story = story(&[
        (0, CLIENT, 0, What::Offered { at_once: true }),
        (0, CLIENT, 0, sent(Leg::Out, 1, API)),
        (50, CLIENT, 0, What::Closed { why: Close::TimedOut }),
    ]);
    assert_eq!(Breakdown::of(&story), None);
}

/// A service waits for a message until 170, then sends one that it does not wait for and is done: it has waited for the first.
#[test]
fn what_is_sent_when_a_wait_is_over_was_not_waited_for() {
    let story = story(&[
        (0, CLIENT, 0, What::Offered { at_once: true }),
        (0, CLIENT, 0, sent(Leg::Out, 2, API)),
        (140, API, 0, delivered(Leg::Out, 2, CLIENT)),
        (140, API, 0, turned(Activity::Awaiting)),
        (140, API, 1, What::Offered { at_once: true }),
        (140, API, 1, sent(Leg::Out, 1, STORE)),
        (150, STORE, 1, delivered(Leg::Out, 1, API)),
        (150, STORE, 1, What::Turned { attempt: 1, activity: Activity::Worked }),
        (160, STORE, 1, sent(Leg::Reply, 1, API)),
        (170, API, 1, delivered(Leg::Reply, 1, STORE)),
        (170, API, 1, What::Confirmed),
        (170, API, 2, What::Offered { at_once: true }),
        (170, API, 2, sent(Leg::Out, 1, STORE)),
        (170, API, 2, What::Closed { why: Close::Sent }),
        (170, API, 0, What::Handled { outcome: Outcome::Done }),
        (170, API, 0, sent(Leg::Reply, 2, CLIENT)),
        (180, CLIENT, 0, delivered(Leg::Reply, 2, API)),
        (180, CLIENT, 0, What::Confirmed),
    ]);
    let parts: Vec<_> = Breakdown::of(&story).unwrap().shares.iter().map(|share| (share.part, share.time)).collect();
    assert_eq!(parts, [(Part::Link, ms(150)), (Part::Link, ms(20)), (Part::Work, ms(10))]);
}

/// A sender that was paused begins at 140 with what was due at 0, and so does what it sends for it: it was late once.
#[test]
fn what_is_late_is_late_once() {
    let mut story = story(&[
        (140, CLIENT, 0, What::Offered { at_once: true }),
        (140, CLIENT, 0, What::Turned { attempt: 1, activity: Activity::Awaiting }),
        (140, CLIENT, 1, What::Offered { at_once: true }),
        (140, CLIENT, 1, sent(Leg::Out, 1, API)),
        (150, API, 1, delivered(Leg::Out, 1, CLIENT)),
        (150, API, 1, What::Turned { attempt: 1, activity: Activity::Worked }),
        (160, API, 1, sent(Leg::Reply, 1, CLIENT)),
        (170, CLIENT, 1, delivered(Leg::Reply, 1, API)),
        (170, CLIENT, 1, What::Confirmed),
        (170, CLIENT, 0, What::Confirmed),
    ]);
    story.chapters[1] = Chapter { message: MessageId { owner: CLIENT, number: 8 }, due: at(0), ..story.chapters[1] };
    let breakdown = Breakdown::of(&story).unwrap();
    let parts: Vec<_> = breakdown.shares.iter().map(|share| (share.part, share.time)).collect();
    assert_eq!(parts, [(Part::Late, ms(140)), (Part::Link, ms(20)), (Part::Work, ms(10))]);
    assert_eq!(breakdown.total(), ms(170));
}

/// The network brings an attempt twice: the second copy is queued while the first one waits, whose answer counts.
#[test]
fn a_wait_is_not_over_when_another_copy_turns() {
    let story = story(&[
        (0, CLIENT, 0, What::Offered { at_once: true }),
        (0, CLIENT, 0, sent(Leg::Out, 2, API)),
        (140, API, 0, delivered(Leg::Out, 2, CLIENT)),
        (140, API, 0, turned(Activity::Awaiting)),
        (140, API, 1, What::Offered { at_once: true }),
        (140, API, 1, sent(Leg::Out, 1, STORE)),
        (145, API, 0, delivered(Leg::Out, 2, CLIENT)),
        (145, API, 0, turned(Activity::Queued)),
        (150, STORE, 1, delivered(Leg::Out, 1, API)),
        (150, STORE, 1, What::Turned { attempt: 1, activity: Activity::Worked }),
        (160, STORE, 1, sent(Leg::Reply, 1, API)),
        (170, API, 1, delivered(Leg::Reply, 1, STORE)),
        (170, API, 1, What::Confirmed),
        (170, API, 0, What::Handled { outcome: Outcome::Done }),
        (170, API, 0, sent(Leg::Reply, 2, CLIENT)),
        (180, CLIENT, 0, delivered(Leg::Reply, 2, API)),
        (180, CLIENT, 0, What::Confirmed),
    ]);
    let parts: Vec<_> = Breakdown::of(&story).unwrap().shares.iter().map(|share| (share.part, share.time)).collect();
    assert_eq!(parts, [(Part::Link, ms(150)), (Part::Link, ms(20)), (Part::Work, ms(10))]);
}

/// Of messages of which none ever ends, no more are followed at a time than a sample may have; those that are followed to the end are
/// those whose draws say so.
#[test]
fn a_sample_of_messages_that_never_end_stays_small() {
    let mut names = Names::default();
    let clients = names.add("client", 2).unwrap();
    let owners: Vec<NodeId> = names.members(clients).collect();
    let sample = Subjects::Sampled(Box::new(Sample::new(64)), (Time::ZERO, Time::MAX));
    let mut recorder = Recorder::new(&names, sample);
    for number in 0..5_000 {
        let message = MessageId { owner: owners[number as usize % 2], number: number / 2 };
        let offered = Observation::Offered { message, flow: Flow(0), late: Span::ZERO, at_once: true };
        recorder.observe(at(number.into()), message.owner, &offered);
        assert!(recorder.followed() <= 64);
    }
    // A crash makes their owners forget them.
    owners.iter().for_each(|&owner| recorder.observe(at(5_000), owner, &Observation::Down));
    assert_eq!(recorder.followed(), 0);
    let sampled = recorder.sampled().unwrap();
    assert!((128..=256).contains(&sampled.one_in), "{}", sampled.one_in);
    assert_eq!((sampled.taken.len(), sampled.unconfirmed.len()), (0, 5));
}
