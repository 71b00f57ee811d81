//! How far a consumer is: positions, commits, resets, lag.
//!
//! The *position* of a partition is the next offset that a poll returns; what is *committed* is where the next owner begins. Between
//! the two lies what is read twice if the consumer fails after processing (at least once), or never processed if it commits first (at
//! most once). Auto-commit is done by polls: each commits, if the interval is over, the positions that earlier polls have
//! reached, in the belief that their records are processed.
//!
//! Source: Apache Kafka 3.9 and 4.0, `SubscriptionState`, `ConsumerCoordinator.maybeAutoCommitOffsetsAsync`; Javadoc of
//! `KafkaConsumer`, "Offsets and Consumer Position".

use std::collections::BTreeMap;

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time, secs};
use crate::protocol::log::ids::{Offset, TopicPartition};
use crate::settings;
use crate::words;

words! {
    /// Where a reader begins if nothing is committed, or what is committed does not exist.
    pub enum OffsetReset {
        /// With what is written next.
        Latest = "latest",
        /// With the oldest record that is left.
        Earliest = "earliest",
        /// Nowhere: it fails.
        None = "none",
    }
}

words! {
    /// How a consumer commits that does not leave it to auto-commit.
    pub enum CommitMode {
        /// It waits for the answer, and tries again if need be.
        Sync = "sync",
        /// It goes on. What fails is not tried again, as a later commit may have been made.
        Async = "async",
    }
}

words! {
    /// When a consumer commits that does not leave it to auto-commit.
    pub enum CommitPoint {
        /// Before it processes records: each is processed at most once.
        BeforeProcessing = "before-processing",
        /// After: each is processed at least once.
        AfterProcessing = "after-processing",
    }
}

settings! {
    /// How a consumer keeps its place. Auto-commit is simple, and processes records again after a failure, or, if records are processed
    /// beside polling, not at all.
    pub struct OffsetSettings = "offsets", "Apache Kafka 4.0, consumer configuration" {
        /// Whether polls commit now and then (Kafka: yes).
        enable_auto_commit: bool = true,
        /// How often they do (Kafka: 5 s).
        auto_commit_interval: Span = secs(5),
        /// Where a reader begins if nothing is committed, or what is committed does not exist (Kafka: latest).
        auto_offset_reset: OffsetReset = OffsetReset::Latest,
        /// How it commits without auto-commit (Kafka: commitSync or commitAsync).
        commit_mode: CommitMode = CommitMode::Sync,
        /// When it commits without auto-commit (Kafka: wherever it is called).
        commit_point: CommitPoint = CommitPoint::AfterProcessing,
    }
}

/// What can be said about offsets.
pub const OFFSETS: Listing<OffsetSettings> = Listing::of::<OffsetSettings>();

impl Settings for OffsetSettings {}

/// A reader has nowhere to begin (`NoOffsetForPartitionException`, `OffsetOutOfRangeException`).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct NoOffset(pub TopicPartition);

/// The number of a commit of one consumer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct CommitId(pub u64);

/// What is to be committed.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Commit {
    /// Its number.
    pub id: CommitId,
    /// Partitions and the next offset to be read of each.
    pub offsets: Vec<(TopicPartition, Offset)>,
    /// Whether the consumer waits for the answer.
    pub mode: CommitMode,
}

#[derive(Clone, Copy, Debug, Default)]
struct Place {
    position: Option<Offset>,
    processed: Option<Offset>,
    committed: Option<Offset>,
}

/// How far a consumer is with its partitions.
#[derive(Clone, Debug)]
pub struct Positions {
    settings: OffsetSettings,
    places: BTreeMap<TopicPartition, Place>,
    next_auto_commit: Time,
    open: BTreeMap<CommitId, Commit>,
    next: u64,
}

impl Positions {
    /// A consumer without partitions.
    pub fn new(settings: &OffsetSettings, now: Time) -> Self {
        Self {
            settings: settings.clone(),
            places: BTreeMap::new(),
            next_auto_commit: now + settings.auto_commit_interval,
            open: BTreeMap::new(),
            next: 0,
        }
    }

    /// It has been assigned a partition of which its group has committed this; where it begins, unless that has to be looked up
    /// ([`Positions::reset`]).
    pub fn assign(&mut self, partition: TopicPartition, committed: Option<Offset>) -> Option<Offset> {
        self.places.insert(partition, Place { position: committed, processed: committed, committed });
        committed
    }

    /// It gives a partition up, or has lost it.
    pub fn remove(&mut self, partition: TopicPartition) {
        self.places.remove(&partition);
    }

    /// There is no position, or it does not exist: begins where `auto-offset-reset` says, in a log that it may
    /// read from `start` to `end`.
    ///
    /// # Errors
    /// If that says nowhere.
    pub fn reset(&mut self, partition: TopicPartition, start: Offset, end: Offset) -> Result<Offset, NoOffset> {
        let offset = match self.settings.auto_offset_reset {
            OffsetReset::Latest => end,
            OffsetReset::Earliest => start,
            OffsetReset::None => return Err(NoOffset(partition)),
        };
        self.seek(partition, offset);
        Ok(offset)
    }

    /// Goes on from `offset`.
    pub fn seek(&mut self, partition: TopicPartition, offset: Offset) {
        if let Some(place) = self.places.get_mut(&partition) {
            (place.position, place.processed) = (Some(offset), Some(offset));
        }
    }

    /// The next offset that a poll returns.
    pub fn position(&self, partition: TopicPartition) -> Option<Offset> {
        self.places.get(&partition)?.position
    }

    /// A poll has returned the records before `next`.
    pub fn returned(&mut self, partition: TopicPartition, next: Offset) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.position = Some(next);
        }
    }

    /// The records before `next` have been processed.
    pub fn processed(&mut self, partition: TopicPartition, next: Offset) {
        if let Some(place) = self.places.get_mut(&partition) {
            place.processed = Some(next);
        }
    }

    /// At the beginning of a poll: what auto-commit commits, if it is time. What this poll returns is not in it.
    pub fn auto_commit(&mut self, now: Time) -> Option<Commit> {
        if !self.settings.enable_auto_commit || now < self.next_auto_commit {
            return None;
        }
        self.next_auto_commit = now + self.settings.auto_commit_interval;
        self.begin(CommitMode::Async, |place| place.position)
    }

    /// Before partitions are given up, or the consumer closes: what auto-commit commits, and waits for.
    pub fn last_commit(&mut self) -> Option<Commit> {
        if !self.settings.enable_auto_commit {
            return None;
        }
        self.begin(CommitMode::Sync, |place| place.position)
    }

    /// What a consumer without auto-commit commits now; nothing if all is committed.
    pub fn commit(&mut self) -> Option<Commit> {
        let mode = self.settings.commit_mode;
        match self.settings.commit_point {
            CommitPoint::BeforeProcessing => self.begin(mode, |place| place.position),
            CommitPoint::AfterProcessing => self.begin(mode, |place| place.processed),
        }
    }

    fn begin(&mut self, mode: CommitMode, reached: impl Fn(&Place) -> Option<Offset>) -> Option<Commit> {
        let changed = self.places.iter().filter_map(|(&partition, place)| {
            let offset = reached(place)?;
            (place.committed != Some(offset)).then_some((partition, offset))
        });
        let offsets: Vec<_> = changed.collect();
        if offsets.is_empty() {
            return None;
        }
        let commit = Commit { id: CommitId(self.next), offsets, mode };
        self.next += 1;
        self.open.insert(commit.id, commit.clone());
        Some(commit)
    }

    /// The answer to a commit; if it failed for a while, what is to be sent again.
    pub fn answered(&mut self, id: CommitId, is_committed: bool, may_try_again: bool) -> Option<Commit> {
        let commit = self.open.remove(&id)?;
        if is_committed {
            for &(partition, offset) in &commit.offsets {
                if let Some(place) = self.places.get_mut(&partition) {
                    place.committed = Some(offset);
                }
            }
            return None;
        }
        let again = may_try_again && commit.mode == CommitMode::Sync;
        again.then(|| {
            self.open.insert(id, commit.clone());
            commit
        })
    }

    /// What is committed, as far as this consumer knows.
    pub fn committed(&self, partition: TopicPartition) -> Option<Offset> {
        self.places.get(&partition)?.committed
    }

    /// How many records lie between the position and the end of what can be read (`records-lag`).
    pub fn lag(&self, partition: TopicPartition, end: Offset) -> Option<u64> {
        Some(end.since(self.position(partition)?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::testing::{at, o};

    const TP: TopicPartition = TopicPartition::new(0, 0);

    fn positions(settings: OffsetSettings) -> Positions {
        let mut positions = Positions::new(&settings, Time::ZERO);
        positions.assign(TP, Some(o(10)));
        positions
    }

    /// Polls return up to 15 and 20. The poll at 5 s commits 20, not what it returns itself.
    #[test]
    fn auto_commit_commits_what_earlier_polls_returned() {
        let mut consumer = positions(OffsetSettings::default());
        consumer.returned(TP, o(15));
        assert_eq!(consumer.auto_commit(at(4999)), None);
        consumer.returned(TP, o(20));
        let commit = consumer.auto_commit(at(5000)).unwrap();
        consumer.returned(TP, o(25));
        assert_eq!((commit.offsets, commit.mode), (vec![(TP, o(20))], CommitMode::Async));
        assert_eq!(consumer.auto_commit(at(9999)), None);
        assert_eq!(consumer.answered(commit.id, true, false), None);
        assert_eq!((consumer.committed(TP), consumer.lag(TP, o(30))), (Some(o(20)), Some(5)));
    }

    #[test]
    fn commits_before_processing_run_ahead_of_it() {
        let manual =
            |commit_point| OffsetSettings { enable_auto_commit: false, commit_point, ..OffsetSettings::default() };
        for (point, expected) in [(CommitPoint::BeforeProcessing, 20), (CommitPoint::AfterProcessing, 13)] {
            let mut consumer = positions(manual(point));
            consumer.returned(TP, o(20));
            consumer.processed(TP, o(13));
            assert_eq!(consumer.auto_commit(at(60_000)), None);
            assert_eq!(consumer.commit().unwrap().offsets, [(TP, o(expected))]);
        }
    }

    #[test]
    fn only_synchronous_commits_are_tried_again() {
        for mode in [CommitMode::Sync, CommitMode::Async] {
            let mut consumer =
                positions(OffsetSettings { enable_auto_commit: false, commit_mode: mode, ..OffsetSettings::default() });
            assert_eq!(consumer.commit(), None, "nothing is new");
            consumer.processed(TP, o(11));
            let commit = consumer.commit().unwrap();
            let again = consumer.answered(commit.id, false, true);
            assert_eq!(again.is_some(), mode == CommitMode::Sync);
        }
    }

    #[test]
    fn a_reader_without_a_position_begins_where_it_is_told() {
        for (reset, expected) in
            [(OffsetReset::Latest, Ok(o(9))), (OffsetReset::Earliest, Ok(o(4))), (OffsetReset::None, Err(NoOffset(TP)))]
        {
            let mut consumer = positions(OffsetSettings { auto_offset_reset: reset, ..OffsetSettings::default() });
            assert_eq!(consumer.assign(TP, None), None);
            assert_eq!(consumer.reset(TP, o(4), o(9)), expected);
            assert_eq!(consumer.position(TP), expected.ok());
        }
    }
}
