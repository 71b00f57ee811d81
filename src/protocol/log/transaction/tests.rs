//! Transactions with their partitions and offsets: fencing, and consuming, processing and producing exactly once.

use std::collections::VecDeque;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::base::units::mib;
use crate::protocol::log::group::committed::CommittedOffsets;
use crate::protocol::log::ids::{LeaderEpoch, Offset};
use crate::protocol::log::partition::{Isolation, LogSettings, PartitionLog};
use crate::protocol::log::testing::{at, fixed, in_transaction, o};

const INPUT: TopicPartition = TopicPartition::new(0, 0);
const OUTPUT: Target = Target::Partition(TopicPartition::new(1, 0));
const GROUP: Target = Target::Offsets(GroupId(0));

fn coordinator() -> TransactionCoordinator {
    TransactionCoordinator::new(ProducerId(9), &TransactionSettings::default())
}

#[test]
fn the_settings_are_well_kept() {
    crate::protocol::family::well_kept(&[TRANSACTION]);
}

#[test]
fn a_transaction_goes_from_empty_to_complete() {
    let mut transaction = coordinator();
    let me = transaction.init().unwrap();
    assert_eq!(transaction.end(me, Control::Commit), Err(TransactionError::InvalidState));
    transaction.add(me, [OUTPUT, GROUP], at(0)).unwrap();
    assert_eq!((transaction.state(), transaction.next_deadline()), (TransactionState::Ongoing, Some(at(60_000))));
    transaction.end(me, Control::Commit).unwrap();
    assert_eq!(transaction.add(me, [OUTPUT], at(1)), Err(TransactionError::ConcurrentTransactions));
    assert_eq!(transaction.end(me, Control::Abort), Err(TransactionError::InvalidState));
    let markers = transaction.markers();
    assert_eq!(markers.iter().map(|marker| marker.target).collect::<Vec<_>>(), [OUTPUT, GROUP]);
    assert!(!transaction.written(markers[0]) && !transaction.written(markers[0]) && transaction.written(markers[1]));
    assert_eq!((transaction.state(), transaction.end(me, Control::Commit)), (TransactionState::CompleteCommit, Ok(())));
    transaction.add(me, [OUTPUT], at(2)).unwrap();
}

/// The first incarnation leaves a transaction open. The second is told to wait while that is aborted under epoch 1, and gets epoch 2.
#[test]
fn a_new_incarnation_fences_the_old_one_and_aborts_what_it_left() {
    let mut transaction = coordinator();
    let old = transaction.init().unwrap();
    transaction.add(old, [OUTPUT], at(0)).unwrap();
    assert_eq!(transaction.init(), Err(TransactionError::ConcurrentTransactions));
    assert_eq!(transaction.end(old, Control::Commit), Err(TransactionError::ProducerFenced));
    let marker = transaction.markers()[0];
    assert_eq!((marker.epoch, marker.control), (ProducerEpoch(1), Control::Abort));
    assert!(transaction.written(marker));
    assert_eq!(transaction.init(), Ok((ProducerId(9), ProducerEpoch(2))));
}

#[test]
fn a_transaction_that_is_open_for_too_long_is_aborted() {
    let mut transaction = coordinator();
    let me = transaction.init().unwrap();
    transaction.add(me, [OUTPUT], at(5)).unwrap();
    assert!(!transaction.tick(at(60_004)) && transaction.tick(at(60_005)));
    assert_eq!(transaction.state(), TransactionState::PrepareAbort);
    assert_eq!(transaction.end(me, Control::Commit), Err(TransactionError::ProducerFenced));
}

/// What an instance does next.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Phase {
    Init,
    Begin,
    Write,
    Offsets,
    End,
    Dead,
}

/// A process that copies an input to an output.
#[derive(Clone, Copy)]
struct Copier {
    phase: Phase,
    me: (ProducerId, ProducerEpoch),
    position: Offset,
    sequence: u32,
}

const FRESH: Copier = Copier { phase: Phase::Init, me: (ProducerId(0), ProducerEpoch(0)), position: o(0), sequence: 0 };

struct World {
    transaction: TransactionCoordinator,
    output: PartitionLog<u32>,
    offsets: CommittedOffsets,
    copiers: [Copier; 2],
    markers: VecDeque<Marker>,
    now: Time,
}

impl World {
    fn new() -> Self {
        Self {
            transaction: coordinator(),
            output: PartitionLog::new(&LogSettings::default()),
            offsets: CommittedOffsets::default(),
            copiers: [FRESH; 2],
            markers: VecDeque::new(),
            now: Time::ZERO,
        }
    }

    /// One step of one instance; each copies input record `n` as value `n`.
    fn step(&mut self, index: usize) {
        let mut copier = self.copiers[index];
        let fenced = |error| if error == TransactionError::ProducerFenced { Phase::Dead } else { copier.phase };
        copier.phase = match copier.phase {
            Phase::Init => match self.transaction.init() {
                Ok(me) if !self.offsets.is_unstable(INPUT) => {
                    copier = Copier { me, position: self.offsets.get(INPUT).unwrap_or_default(), ..FRESH };
                    Phase::Begin
                }
                _ => Phase::Init,
            },
            Phase::Begin => match self.transaction.add(copier.me, [OUTPUT, GROUP], self.now) {
                Ok(()) => Phase::Write,
                Err(error) => fenced(error),
            },
            Phase::Write => {
                let ((producer, epoch), value) = (copier.me, copier.position.0 as u32);
                let batch = in_transaction(producer.0, epoch.0, copier.sequence, [value]);
                match self.output.append_as_leader(batch, LeaderEpoch(1)) {
                    Ok(_) => Phase::Offsets,
                    Err(_) => Phase::Dead,
                }
            }
            Phase::Offsets => {
                let next = [(INPUT, copier.position.next())];
                if self.offsets.commit_in_transaction(copier.me, next).is_ok() { Phase::End } else { Phase::Dead }
            }
            Phase::End => match self.transaction.end(copier.me, Control::Commit) {
                Ok(()) => {
                    copier.position = copier.position.next();
                    copier.sequence += 1;
                    Phase::Begin
                }
                Err(error) => fenced(error),
            },
            Phase::Dead => Phase::Dead,
        };
        self.copiers[index] = copier;
    }

    /// One marker arrives; some arrive twice.
    fn write_marker(&mut self) {
        if self.markers.is_empty() {
            self.markers = self.transaction.markers().into();
        }
        let Some(marker) = self.markers.pop_front() else { return };
        let by = (marker.producer, marker.epoch);
        let done = match marker.target {
            Target::Partition(_) => self.output.append_marker(by, marker.control, LeaderEpoch(1), self.now).is_ok(),
            Target::Offsets(_) => self.offsets.end(by, marker.control).is_ok(),
        };
        self.output.set_high_watermark(self.output.end());
        if done {
            self.transaction.written(marker);
        }
    }

    fn copied(&self) -> Vec<u32> {
        let fetched = self.output.fetch(self.output.start(), mib(64), Isolation::ReadCommitted, true).unwrap();
        fetched.records(o(0)).into_iter().map(|(_, record)| record.value).collect()
    }
}

proptest! {
    #![proptest_config(fixed())]

    /// Two instances that do not know of each other copy the same input, die anywhere, and come back: readers of committed records
    /// see every value once and in order, and as many as offsets are committed.
    #[test]
    fn consume_process_produce_is_exactly_once(steps in vec((0_u8..12, 0_usize..2), 0..400)) {
        let mut world = World::new();
        for (step, index) in steps {
            match step {
                0..7 => world.step(index),
                7..10 => world.write_marker(),
                10 => world.copiers[index] = FRESH,
                _ => {
                    world.now += secs(25);
                    world.transaction.tick(world.now);
                }
            }
            let copied = world.copied();
            prop_assert_eq!(&copied, &(0..copied.len() as u32).collect::<Vec<_>>());
        }
        // One instance is left.
        world.copiers = [FRESH; 2];
        let before = world.copied().len();
        for _ in 0..100 {
            world.step(0);
            world.write_marker();
        }
        while !world.transaction.markers().is_empty() {
            world.write_marker();
        }
        let copied = world.copied();
        prop_assert!(copied.len() > before + 5);
        prop_assert_eq!(world.offsets.get(INPUT), Some(o(copied.len() as u64)));
        prop_assert_eq!(&copied, &(0..copied.len() as u32).collect::<Vec<_>>());
    }
}
