//! A producer and the log it writes to, over connections that keep order and break at times.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::base::time::{ms, secs};
use crate::base::units::bytes;
use crate::protocol::log::ids::LeaderEpoch;
use crate::protocol::log::partition::{AppendError, LogSettings, PartitionLog};
use crate::protocol::log::testing::{Lcg, at, fixed, record};

const TP: TopicPartition = TopicPartition::new(0, 0);
const BROKER: BrokerId = BrokerId(0);

/// Two records make a batch.
const GATHERING: AccumulatorSettings = AccumulatorSettings {
    linger: ms(1),
    batch_size: bytes(261),
    buffer_memory: bytes(1 << 20),
    max_block: secs(60),
    compression_ratio: 1.0,
};

/// A producer, a connection, and a broker that is busy at times.
struct Pair {
    sender: Sender<u32>,
    log: PartitionLog<u32>,
    requests: VecDeque<ProduceRequest<u32>>,
    answers: VecDeque<(RequestId, Vec<(BatchId, BatchAnswer)>)>,
    now: Time,
    next: u32,
    lcg: Lcg,
    done: Vec<Done<u32>>,
}

impl Pair {
    fn new(settings: &SenderSettings) -> Self {
        let mut sender = Sender::new(settings, &GATHERING);
        sender.identify(ProducerId(1), ProducerEpoch(0));
        Self {
            sender,
            log: PartitionLog::new(&LogSettings::default()),
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            now: Time::ZERO,
            next: 0,
            lcg: Lcg(1),
            done: vec![],
        }
    }

    fn append(&mut self) {
        self.next += 1;
        self.sender.append(TP, record(None, self.next), self.now).unwrap();
    }

    fn send(&mut self) {
        while let Some(request) = self.sender.send(self.now, |_| Some(BROKER), &mut self.done) {
            self.requests.push_back(request);
        }
    }

    /// The broker gets the next request; a busy one refuses it.
    fn serve(&mut self, is_busy: bool) {
        let Some(request) = self.requests.pop_front() else { return };
        let append = |(_, id, batch): (TopicPartition, BatchId, NewBatch<u32>)| {
            let answer = match () {
                () if is_busy => BatchAnswer::Retriable,
                () => match self.log.append_as_leader(batch, LeaderEpoch(1)) {
                    Ok(appended) => BatchAnswer::Written(appended.base),
                    Err(AppendError::OutOfOrderSequence) => BatchAnswer::OutOfOrderSequence,
                    Err(_) => BatchAnswer::Fatal,
                },
            };
            (id, answer)
        };
        self.answers.push_back((request.id, request.batches.into_iter().map(append).collect()));
    }

    fn answer(&mut self) {
        let Some((id, answers)) = self.answers.pop_front() else { return };
        let says = |batch| answers.iter().find(|(id, _)| *id == batch).unwrap().1;
        self.sender.answered(id, says, self.now, || Uniform::from_bits(self.lcg.bits()), &mut self.done);
    }

    /// The connection breaks: what is on it is gone, in both directions.
    fn cut(&mut self) {
        self.requests.clear();
        self.answers.clear();
        self.sender.disconnected(BROKER, self.now, || Uniform::from_bits(self.lcg.bits()), &mut self.done);
    }

    fn tick(&mut self, by: Span) {
        self.now += by;
        self.sender.tick(self.now, || Uniform::from_bits(self.lcg.bits()), &mut self.done);
    }

    /// All works from now on.
    fn settle(&mut self) {
        for _ in 0..2000 {
            if self.sender.is_idle() {
                return;
            }
            self.tick(ms(50));
            self.send();
            self.serve(false);
            self.answer();
        }
        panic!("it never ends");
    }

    fn written(&self) -> Vec<u32> {
        self.log.batches().flat_map(|batch| batch.records()).map(|(_, record)| record.value).collect()
    }

    /// What happens: 0 to 2 append, 3 and 4 send, 5 serves, 6 refuses, 7 and 8 answer, 9 cuts, 10 waits.
    fn play(&mut self, steps: &[u8]) {
        for &step in steps {
            match step {
                0..3 => self.append(),
                3..5 => self.send(),
                5 => self.serve(false),
                6 => self.serve(true),
                7..9 => self.answer(),
                9 => self.cut(),
                _ => self.tick(ms(60)),
            }
        }
        self.settle();
    }
}

fn plain(in_flight: u32) -> SenderSettings {
    SenderSettings {
        enable_idempotence: false,
        max_in_flight_requests_per_connection: NonZeroU32::new(in_flight).unwrap(),
        ..SenderSettings::default()
    }
}

#[test]
fn the_settings_are_well_kept() {
    crate::protocol::family::well_kept(&[SENDER]);
}

/// Seven batches are ready, five are sent, once the broker knows the producer.
#[test]
fn no_more_requests_are_under_way_than_allowed() {
    for (settings, expected) in [(SenderSettings::default(), 5), (plain(2), 2), (plain(1), 1)] {
        let mut pair = Pair::new(&settings);
        pair.append();
        pair.settle();
        (0..14).for_each(|_| pair.append());
        pair.send();
        assert_eq!((pair.requests.len(), pair.sender.in_flight(BROKER)), (expected, expected as u32));
    }
}

/// 1 2 is refused for a moment, 3 4 is not: without idempotence they change places, with it 3 4 is refused as well. One request at a
/// time keeps the order too.
#[test]
fn a_retry_reorders_unless_the_producer_is_idempotent_or_sends_one_at_a_time() {
    let ordered = [1, 2, 3, 4];
    for (settings, expected) in [(plain(5), [3, 4, 1, 2]), (plain(1), ordered), (SenderSettings::default(), ordered)] {
        let mut pair = Pair::new(&settings);
        // The broker knows the producer, so that it can tell what is missing.
        if settings.enable_idempotence {
            pair.append();
            pair.settle();
            pair.next = 0;
        }
        (0..4).for_each(|_| pair.append());
        pair.send();
        pair.serve(true);
        pair.serve(false);
        pair.answer();
        pair.answer();
        pair.settle();
        assert_eq!(pair.written()[pair.written().len() - 4..], expected);
    }
}

/// As above, but the broker does not know the producer, and would take 3 4, whose sequence is 2, as well as 1 2 (KAFKA-14359). So the
/// first batch of an epoch goes alone, and is tried again before any other.
#[test]
fn the_first_batch_of_an_epoch_goes_alone() {
    let mut pair = Pair::new(&SenderSettings::default());
    (0..4).for_each(|_| pair.append());
    pair.send();
    assert_eq!(pair.requests.len(), 1);
    pair.serve(true);
    pair.answer();
    pair.settle();
    assert_eq!(pair.written(), [1, 2, 3, 4]);
    assert!(pair.done.iter().all(|done| done.outcome != Outcome::Refused));
}

/// The batch is written, the connection breaks before the answer: without idempotence it is written again.
#[test]
fn a_lost_answer_duplicates_unless_the_producer_is_idempotent() {
    for (settings, expected) in [(plain(5), vec![1, 2, 1, 2]), (SenderSettings::default(), vec![1, 2])] {
        let mut pair = Pair::new(&settings);
        pair.play(&[0, 0, 3, 5, 9]);
        assert_eq!(pair.written(), expected);
        assert_eq!(pair.done.len(), 1);
        assert!(matches!(pair.done[0].outcome, Outcome::Written(Some(_))));
    }
}

/// A broker that is gone: attempts after 0, 0.1, 0.3, 0.7, 1.5, 2.5 .. seconds, give or take a fifth, until 120 s have passed.
#[test]
fn a_batch_is_given_up_after_the_delivery_timeout() {
    let mut pair = Pair::new(&SenderSettings::default());
    pair.append();
    while pair.done.is_empty() {
        pair.tick(ms(10));
        pair.send();
        pair.cut();
    }
    assert_eq!(pair.done[0].outcome, Outcome::TimedOut { maybe_written: true });
    assert!(pair.now >= at(120_000) && pair.now <= at(120_010), "{}", pair.now);
    assert!((100..150).contains(&pair.done[0].attempts), "{}", pair.done[0].attempts);
    assert_eq!(pair.sender.identity(), Some((ProducerId(1), ProducerEpoch(1))), "a gap begins an epoch");
    // What comes then is written in the new epoch, from sequence 0.
    pair.append();
    pair.settle();
    assert_eq!(pair.written(), [2]);
}

#[test]
fn an_unanswered_request_fails_after_the_request_timeout() {
    let mut pair = Pair::new(&SenderSettings::default());
    (0..2).for_each(|_| pair.append());
    pair.send();
    assert_eq!(pair.sender.next_deadline(pair.now), Some(at(30_000)));
    pair.tick(ms(29_999));
    assert_eq!(pair.sender.in_flight(BROKER), 1);
    pair.tick(ms(1));
    assert_eq!(pair.sender.in_flight(BROKER), 0);
    assert_eq!(pair.sender.accumulator().queue(TP).next().unwrap().attempts, 1);
}

#[test]
fn with_acks_0_nothing_is_waited_for() {
    let mut pair = Pair::new(&SenderSettings { acks: Acks::None, ..plain(1) });
    (0..4).for_each(|_| pair.append());
    pair.send();
    assert_eq!((pair.requests.len(), pair.sender.in_flight(BROKER), pair.done.len()), (2, 0, 2));
    assert_eq!(pair.done[0].outcome, Outcome::Written(None));
}

proptest! {
    #![proptest_config(fixed())]

    /// Connections break, brokers refuse, batches are sent again: everything is written once and in order.
    #[test]
    fn an_idempotent_producer_writes_everything_once_and_in_order(steps in vec(0_u8..11, 0..300)) {
        let mut pair = Pair::new(&SenderSettings::default());
        // The broker knows the producer: of one that it does not know it takes any sequence first.
        pair.append();
        pair.settle();
        pair.play(&steps);
        prop_assert_eq!(pair.written(), (1..=pair.next).collect::<Vec<_>>());
        prop_assert!(pair.done.iter().all(|done| matches!(done.outcome, Outcome::Written(Some(_)))));
        prop_assert_eq!(pair.sender.accumulator().free(), GATHERING.buffer_memory);
    }

    /// One request at a time never reorders, though it may duplicate.
    #[test]
    fn one_request_at_a_time_keeps_the_order(steps in vec(0_u8..11, 0..300)) {
        let mut pair = Pair::new(&plain(1));
        pair.play(&steps);
        let mut firsts = Vec::new();
        for value in pair.written() {
            if !firsts.contains(&value) {
                firsts.push(value);
            }
        }
        prop_assert_eq!(firsts, (1..=pair.next).collect::<Vec<_>>());
    }
}
