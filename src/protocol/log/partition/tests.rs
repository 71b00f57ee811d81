//! What holds of a partition's log.

use super::*;
use crate::base::time::{Span, ms};
use crate::base::units::kib;
use crate::protocol::log::testing::{at, batch, in_transaction, o, record, stamped};

const EPOCH: LeaderEpoch = LeaderEpoch(1);
const ALL: Bytes = kib(1024);

fn log() -> PartitionLog<u32> {
    PartitionLog::new(&LogSettings::default())
}

fn read(log: &PartitionLog<u32>, from: u64, isolation: Isolation) -> Vec<u32> {
    let fetched = log.fetch(o(from), ALL, isolation, true).unwrap();
    fetched.records(o(from)).into_iter().map(|(_, record)| record.value).collect()
}

#[test]
fn a_leader_numbers_records_and_consumers_see_what_is_replicated() {
    let mut log = log();
    let first = log.append_as_leader(batch([10, 11, 12]), EPOCH).unwrap();
    let second = log.append_as_leader(batch([13]), EPOCH).unwrap();
    assert_eq!((first.base, first.last, second.base, log.end()), (o(0), o(2), o(3), o(4)));
    assert!(read(&log, 0, Isolation::ReadUncommitted).is_empty());
    assert_eq!(log.set_high_watermark(o(3)), o(3));
    assert_eq!(read(&log, 0, Isolation::ReadUncommitted), [10, 11, 12]);
    assert_eq!(read(&log, 2, Isolation::LogEnd), [12, 13]);
    assert_eq!(log.append_as_leader(batch([]), EPOCH), Err(AppendError::InvalidRecord));
}

/// Batches of 161 bytes: two of them fit 400 bytes; one is returned even if only 10 bytes are wanted, unless another partition
/// has returned one already.
#[test]
fn a_fetch_returns_whole_batches() {
    let mut log = log();
    for value in 0..5 {
        log.append_as_leader(batch([value]), EPOCH).unwrap();
    }
    log.set_high_watermark(o(5));
    let count = |max, one| log.fetch(o(1), bytes(max), Isolation::ReadUncommitted, one).unwrap().batches.len();
    assert_eq!((count(400, true), count(10, true), count(10, false)), (2, 1, 0));
    assert_eq!(log.available(o(1), Isolation::ReadUncommitted), Ok(bytes(4 * 161)));
    assert_eq!(log.available(o(5), Isolation::ReadUncommitted), Ok(bytes(0)));
}

#[test]
fn only_offsets_outside_the_log_are_out_of_range() {
    let mut log = log();
    log.append_as_leader(batch([1, 2]), EPOCH).unwrap();
    let fetch = |log: &PartitionLog<u32>, from| log.fetch(o(from), ALL, Isolation::ReadUncommitted, true).map(|_| ());
    assert_eq!(fetch(&log, 2), Ok(()), "behind the high watermark there is nothing yet");
    assert!(fetch(&log, 3).is_err());
    log.set_high_watermark(o(2));
    assert_eq!(log.delete_below(o(9)), o(2));
    assert_eq!(fetch(&log, 1), Err(OffsetOutOfRange { start: o(2), end: o(2) }));
}

#[test]
fn a_follower_takes_neither_overlaps_nor_gaps() {
    let (mut leader, mut follower) = (log(), log());
    for value in 0..3 {
        leader.append_as_leader(batch([value, value]), EPOCH).unwrap();
    }
    let batches: Vec<_> = leader.batches().cloned().collect();
    assert_eq!(follower.append_as_follower(batches[1].clone()), Err(FollowError::Gap));
    assert_eq!(follower.append_as_follower(batches[0].clone()), Ok(()));
    assert_eq!(follower.append_as_follower(batches[0].clone()), Err(FollowError::Overlap));
    assert_eq!(follower.append_as_follower(batches[1].clone()), Ok(()));
    assert_eq!((follower.end(), follower.latest_epoch()), (o(4), Some(EPOCH)));
}

#[test]
fn a_duplicate_is_acknowledged_with_its_offsets_and_not_appended() {
    let mut log = log();
    log.append_as_leader(stamped(1, 0, 0, [1, 2]), EPOCH).unwrap();
    log.append_as_leader(stamped(1, 0, 2, [3]), EPOCH).unwrap();
    let again = log.append_as_leader(stamped(1, 0, 0, [1, 2]), EPOCH).unwrap();
    assert_eq!(again, Appended { base: o(0), last: o(1), is_duplicate: true });
    assert_eq!(log.append_as_leader(stamped(1, 0, 4, [5]), EPOCH), Err(AppendError::OutOfOrderSequence));
    assert_eq!(log.end(), o(3));
}

/// Producer 1 writes 10 and 12 and aborts, producer 2 writes 11 and commits, 13 belongs to no transaction. Markers stand at 4 and 5.
#[test]
fn readers_of_committed_records_wait_for_open_transactions_and_skip_aborted_ones() {
    let mut log = log();
    let append = |log: &mut PartitionLog<u32>, batch| {
        log.append_as_leader(batch, EPOCH).unwrap();
        log.set_high_watermark(log.end());
    };
    append(&mut log, in_transaction(1, 0, 0, [10]));
    append(&mut log, in_transaction(2, 0, 0, [11]));
    append(&mut log, in_transaction(1, 0, 1, [12]));
    append(&mut log, batch([13]));
    assert_eq!(log.last_stable(), o(0));
    assert!(read(&log, 0, Isolation::ReadCommitted).is_empty());
    assert_eq!(read(&log, 0, Isolation::ReadUncommitted), [10, 11, 12, 13]);
    let end = |log: &mut PartitionLog<u32>, producer, control| {
        log.append_marker((ProducerId(producer), ProducerEpoch(0)), control, EPOCH, at(0)).unwrap();
        log.set_high_watermark(log.end());
    };
    end(&mut log, 1, Control::Abort);
    assert_eq!(log.last_stable(), o(1));
    end(&mut log, 2, Control::Commit);
    assert_eq!(log.last_stable(), o(6));
    assert_eq!(read(&log, 0, Isolation::ReadCommitted), [11, 13]);
    assert_eq!(read(&log, 2, Isolation::ReadCommitted), [13]);
    assert_eq!(log.fetch(o(2), ALL, Isolation::ReadCommitted, true).unwrap().next(o(2)), o(6));
    let zombie = log.append_marker((ProducerId(1), ProducerEpoch(1)), Control::Abort, EPOCH, at(0));
    assert_eq!(zombie, Ok(o(6)), "a later incarnation may end what an earlier one began");
    assert_eq!(log.append_as_leader(in_transaction(1, 0, 2, [14]), EPOCH), Err(AppendError::InvalidProducerEpoch));
}

/// Of records 0 to 5, those before 5 are replicated, and 3 belongs to an open transaction: the latest record is 5 for a reader of all that
/// is replicated, 3 for one of committed records, and 6 for a follower. The first begins with what is at 5 when that is replicated.
#[test]
fn the_latest_offset_is_the_end_of_what_a_reader_may_see() {
    let mut log = log();
    log.append_as_leader(batch([0, 1, 2]), EPOCH).unwrap();
    log.append_as_leader(in_transaction(1, 0, 0, [3]), EPOCH).unwrap();
    log.append_as_leader(batch([4]), EPOCH).unwrap();
    log.append_as_leader(batch([5]), EPOCH).unwrap();
    log.set_high_watermark(o(5));
    let latest = |isolation| log.fetch(o(u64::MAX), ALL, isolation, true).unwrap_err().end;
    assert_eq!(
        [Isolation::ReadUncommitted, Isolation::ReadCommitted, Isolation::LogEnd].map(latest),
        [o(5), o(3), o(6)]
    );
    log.set_high_watermark(o(6));
    assert_eq!(read(&log, 5, Isolation::ReadUncommitted), [5]);
}

#[test]
fn truncation_forgets_what_was_known_of_what_is_gone() {
    let mut log = log();
    log.append_as_leader(stamped(1, 0, 0, [1, 2]), LeaderEpoch(1)).unwrap();
    log.append_as_leader(stamped(1, 0, 2, [3, 4]), LeaderEpoch(2)).unwrap();
    log.append_as_leader(in_transaction(2, 0, 0, [5]), LeaderEpoch(2)).unwrap();
    log.set_high_watermark(o(5));
    assert_eq!(log.last_stable(), o(4));
    let cut = log.truncate(o(3));
    assert_eq!(cut.iter().map(|batch| batch.base).collect::<Vec<_>>(), [o(2), o(4)], "no half batches");
    assert_eq!((log.end(), log.high_watermark(), log.last_stable()), (o(2), o(2), o(2)));
    assert_eq!((log.latest_epoch(), log.size()), (Some(LeaderEpoch(1)), bytes(261)));
    assert_eq!(log.append_as_leader(stamped(1, 0, 2, [6]), LeaderEpoch(3)).map(|new| new.base), Ok(o(2)));
}

/// The leader wrote epoch 1 up to 2 and epoch 3 from there; the follower has epoch 1 up to 4, of which 2 and 3 were lost with its
/// last leader, and epoch 2 from 4 on, of which nobody else knows.
#[test]
fn logs_agree_up_to_the_end_of_the_last_common_epoch() {
    let (mut leader, mut follower) = (log(), log());
    for (log, epochs) in [(&mut leader, [1, 3, 3]), (&mut follower, [1, 1, 2])] {
        for epoch in epochs {
            log.append_as_leader(batch([epoch, epoch]), LeaderEpoch(epoch)).unwrap();
        }
    }
    let answer = leader.end_of_epoch(LeaderEpoch(2)).unwrap();
    assert_eq!(answer, EpochEnd { epoch: LeaderEpoch(1), end: o(2) });
    assert_eq!(follower.agreement(answer), (o(2), true));
    // A leader that answers with an epoch of which the follower knows nothing has to be asked again.
    follower.append_as_leader(batch([7]), LeaderEpoch(7)).unwrap();
    assert_eq!(follower.agreement(EpochEnd { epoch: LeaderEpoch(5), end: o(9) }), (o(6), false));
}

/// Segments of at most 350 bytes hold two batches of 161. Ten batches are five segments; 700 bytes are the last two and a bit, so
/// three may go (excess 1610 - 700 = 910 = 2 x 322 + 266: only two whole ones), but nothing that is not replicated.
#[test]
fn retention_by_size_deletes_whole_replicated_segments() {
    let settings =
        LogSettings { segment_bytes: bytes(350), retention_bytes: Some(bytes(700)), ..LogSettings::default() };
    let mut log = PartitionLog::new(&settings);
    for value in 0..10 {
        log.append_as_leader(batch([value]), EPOCH).unwrap();
    }
    assert!(log.retain(at(0)).is_empty());
    log.set_high_watermark(o(3));
    assert_eq!(log.retain(at(0)).len(), 2);
    log.set_high_watermark(o(10));
    assert_eq!(log.retain(at(0)).len(), 2);
    assert_eq!((log.start(), log.size()), (o(4), bytes(966)));
    assert_eq!(read(&log, 4, Isolation::ReadUncommitted), [4, 5, 6, 7, 8, 9]);
}

/// One record each 10 ms in segments of 25 ms (0, 10, 20 | 30, 40, 50 | 60, 70): with a retention of 15 ms, at 66 ms the first
/// two are old (20 and 50 ms), and at 86 ms the active one is (70 ms).
#[test]
fn retention_by_time_goes_by_the_latest_record_of_a_segment() {
    let settings = LogSettings { segment_time: ms(25), retention_time: Some(ms(15)), ..LogSettings::default() };
    let mut log = PartitionLog::new(&settings);
    for value in 0..8 {
        let one = Record { timestamp: at(u64::from(value) * 10), ..record(None, value) };
        log.append_as_leader(NewBatch::new(vec![one], Acks::All), EPOCH).unwrap();
    }
    log.set_high_watermark(o(8));
    assert_eq!(log.retain(at(65)).len(), 3);
    assert_eq!(log.retain(at(66)).len(), 3);
    assert_eq!(log.retain(at(86)).len(), 2);
    assert_eq!((log.start(), log.end()), (o(8), o(8)));
}

/// Keys 1, 2, 1, 3, 2 and a tombstone for 3 in closed segments, then key 1 in the active one, which compaction does not see.
#[test]
fn compaction_keeps_the_latest_record_of_a_key_at_its_offset() {
    let settings = LogSettings {
        cleanup_policy: CleanupPolicy::Compact,
        segment_bytes: bytes(350),
        delete_retention: ms(100),
        ..LogSettings::default()
    };
    let mut log = PartitionLog::new(&settings);
    for (value, key) in [1, 2, 1, 3, 2, 3, 1].into_iter().enumerate() {
        let one = Record { is_tombstone: value == 5, ..record(Some(key), value as u32) };
        log.append_as_leader(NewBatch::new(vec![one], Acks::All), EPOCH).unwrap();
    }
    log.set_high_watermark(o(7));
    assert!((log.dirty_ratio(at(50)) - 1.0).abs() < 1e-9);
    let report = log.compact(at(50));
    assert_eq!(report.removed, [(o(0), 0), (o(1), 1), (o(3), 3)]);
    assert_eq!(report.bytes, 3 * 161);
    let left = |log: &PartitionLog<u32>| {
        let fetched = log.fetch(o(0), ALL, Isolation::ReadUncommitted, true).unwrap();
        fetched.records(o(0)).into_iter().map(|(offset, _)| offset.0).collect::<Vec<_>>()
    };
    assert_eq!(left(&log), [2, 4, 5, 6]);
    assert_eq!(log.available(o(0), Isolation::ReadUncommitted), Ok(bytes(4 * 161)));
    // Another closed segment, after the tombstone has stood for 100 ms: it goes, and key 1 at 2 is replaced by that at 6.
    for key in [4, 5] {
        log.append_as_leader(NewBatch::new(vec![record(Some(key), key as u32)], Acks::All), EPOCH).unwrap();
    }
    log.set_high_watermark(o(9));
    log.compact(at(200));
    assert_eq!(left(&log), [4, 6, 7, 8]);
    assert_eq!(log.append_as_leader(batch([1]), EPOCH), Err(AppendError::InvalidRecord), "no record without a key");
    assert_eq!(log.truncate(o(5)).len(), 3);
    assert_eq!((log.end(), log.size()), (o(5), bytes(161)));
}

#[test]
fn a_producer_that_was_silent_for_long_is_forgotten() {
    let mut log = PartitionLog::new(&LogSettings { producer_id_expiration: ms(10), ..LogSettings::default() });
    log.append_as_leader(stamped(1, 0, 0, [1]), EPOCH).unwrap();
    assert_eq!(log.append_as_leader(stamped(1, 0, 7, [1]), EPOCH), Err(AppendError::OutOfOrderSequence));
    log.retain(Time::ZERO + Span::from_nanos(10_000_000));
    assert!(log.append_as_leader(stamped(1, 0, 7, [1]), EPOCH).is_ok());
}
