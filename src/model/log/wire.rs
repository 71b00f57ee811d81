//! What the nodes that deal with topics say to each other.
//!
//! A request carries a number, and its answer the same. What is lost is sent again by whoever asked, where the protocol says so or
//! where a connection would do so; answers to what nobody waits for any more are left.

use std::collections::BTreeSet;
use std::sync::Arc;

use crate::base::random::{mix, mix_all};
use crate::base::time::Span;
use crate::base::units::Bytes;
use crate::protocol::log::fetch::{FetchPart, PartAnswer};
use crate::protocol::log::group::{GroupError, Join, Joined, Sync, Synced};
use crate::protocol::log::ids::{
    BrokerId, Generation, GroupId, LeaderEpoch, MemberId, Offset, ProducerEpoch, ProducerId, TopicPartition,
};
use crate::protocol::log::partition::{Control, Isolation, NewBatch};
use crate::protocol::log::producer::accumulator::BatchId;
use crate::protocol::log::producer::sender::BatchAnswer;
use crate::protocol::log::replica::{FollowerFetch, FollowerFetched};
use crate::protocol::log::transaction::{Marker, TransactionError};

use super::Parcel;
use super::metadata::Metadata;
use crate::model::broker::Word;

/// A message with contents.
#[derive(Clone, PartialEq, Debug)]
pub struct Bulk {
    /// The name its luck is drawn by.
    pub luck: u64,
    /// What it says.
    pub(in crate::model) body: Body,
}

/// What a message says.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) enum Body {
    /// A broker is alive, in its `life`-th life, and knows so much.
    Beat { life: u32, version: u64 },
    /// Somebody who knows so much wants to know more.
    Ask { version: u64 },
    /// Who leads what.
    Metadata(Arc<Metadata>),
    /// A leader finds others in sync.
    AlterIsr { partition: TopicPartition, epoch: LeaderEpoch, isr: BTreeSet<BrokerId> },
    /// That was not accepted.
    NotAltered { partition: TopicPartition, epoch: LeaderEpoch },
    /// A producer's batches.
    Produce { request: u64, batches: Vec<(TopicPartition, BatchId, NewBatch<Parcel>)> },
    /// What became of them.
    Produced { request: u64, answers: Vec<(BatchId, BatchAnswer)> },
    /// A follower's fetch.
    Follow { number: u64, parts: Vec<(TopicPartition, FollowerFetch)> },
    /// What the leader has for it; nothing of partitions that it does not lead in that epoch.
    Followed { number: u64, parts: Vec<(TopicPartition, FollowerFetch, Option<FollowerFetched<Parcel>>)> },
    /// A consumer's fetch.
    Fetch(FetchAsk),
    /// What there is for it, and the partitions that are led by others.
    Fetched { number: u64, parts: Vec<(TopicPartition, PartAnswer<Parcel>)>, elsewhere: Vec<TopicPartition> },
    /// A question to the coordinator.
    Question {
        number: u64,
        /// Whether it is asked again until it is answered, and counts once.
        is_once: bool,
        question: Question,
    },
    /// Its answer.
    Answer { number: u64, answer: Answer },
    /// A transaction has ended: to the leader of a partition in which it wrote.
    Mark { marker: Marker, partition: TopicPartition },
    /// That is written.
    Marked { marker: Marker },
    /// What the nodes of a broker of queues say to each other.
    Work(Word),
}

/// A consumer's fetch.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) struct FetchAsk {
    pub(super) number: u64,
    pub(super) parts: Vec<FetchPart>,
    pub(super) max: Bytes,
    pub(super) min: Bytes,
    pub(super) wait: Span,
    pub(super) isolation: Isolation,
    pub(super) skips: Skips,
}

/// What a consumer's group passes over. No broker acts on that: it states which records those are, as only it knows them.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) struct Skips {
    /// Where records are owed to the group.
    pub(super) place: u16,
    /// Partitions in which the consumer begins, behind records that were committed before they were processed.
    pub(super) begins: Vec<TopicPartition>,
    /// Whether it begins with what is written next where it has no place to begin.
    pub(super) is_reset_to_end: bool,
}

/// What a coordinator is asked.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) enum Question {
    Join(GroupId, Join),
    Sync(GroupId, Sync),
    Heartbeat(GroupId, MemberId, Generation),
    Leave(GroupId, MemberId),
    Commit(GroupId, MemberId, Generation, Vec<(TopicPartition, Offset)>),
    /// How far the group is with these.
    Offsets(GroupId, Vec<TopicPartition>),
    /// A transactional producer of this name begins.
    Init(u64),
    /// Its transaction writes to these.
    Add(Producer, Vec<TopicPartition>),
    /// Its transaction holds these offsets of a group.
    AddOffsets(Producer, GroupId, MemberId, Generation, Vec<(TopicPartition, Offset)>),
    /// Its transaction ends.
    End(Producer, Control),
}

/// A producer and its incarnation.
pub(in crate::model) type Producer = (ProducerId, ProducerEpoch);

/// What a coordinator answers.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) enum Answer {
    Joined(Result<Joined, GroupError>),
    Synced(Result<Synced, GroupError>),
    Heard(Generation, Result<(), GroupError>),
    Left,
    Committed(Result<(), GroupError>),
    /// Offsets that are committed; nothing while transactions hold some.
    Offsets(Option<Vec<(TopicPartition, Option<Offset>)>>),
    Init(Result<Producer, TransactionError>),
    Added(Result<(), TransactionError>),
    Ended(Result<(), TransactionError>),
}

impl Bulk {
    /// What it says.
    pub(in crate::model) fn body(&self) -> &Body {
        &self.body
    }

    /// What it says.
    pub(in crate::model) fn into_body(self) -> Body {
        self.body
    }

    /// A fingerprint of what it says, by the numbers that tell one message from another.
    pub(in crate::model) fn digest(&self) -> u64 {
        mix(self.luck ^ mix(self.body.digest()))
    }
}

fn partition(of: TopicPartition) -> u64 {
    u64::from(of.topic.0) << 32 | u64::from(of.partition)
}

impl Body {
    fn digest(&self) -> u64 {
        let brokers = |isr: &BTreeSet<BrokerId>| mix_all(isr.iter().map(|id| id.0.into()));
        match self {
            Self::Beat { life, version } => mix_all([1, u64::from(*life), *version]),
            Self::Ask { version } => mix_all([2, *version]),
            Self::Metadata(metadata) => mix_all([3, metadata.version]),
            Self::AlterIsr { partition: of, epoch, isr } => mix_all([4, partition(*of), epoch.0.into(), brokers(isr)]),
            Self::NotAltered { partition: of, epoch } => mix_all([5, partition(*of), epoch.0.into()]),
            Self::Produce { request, batches } => {
                let batch = |(of, id, batch): &(TopicPartition, BatchId, NewBatch<Parcel>)| {
                    let records = mix_all(batch.records.iter().map(|record| record.value.luck));
                    let sequence = batch.stamp.map_or(0, |stamp| 1 + u64::from(stamp.sequence.0));
                    mix_all([partition(*of), id.0, sequence, records])
                };
                mix_all([6, *request].into_iter().chain(batches.iter().map(batch)))
            }
            Self::Produced { request, answers } => {
                let answer = |(id, answer): &(BatchId, BatchAnswer)| match answer {
                    BatchAnswer::Written(offset) => mix_all([id.0, 1, offset.0]),
                    BatchAnswer::Retriable => mix_all([id.0, 2]),
                    BatchAnswer::OutOfOrderSequence => mix_all([id.0, 3]),
                    BatchAnswer::Fatal => mix_all([id.0, 4]),
                };
                mix_all([7, *request].into_iter().chain(answers.iter().map(answer)))
            }
            Self::Follow { number, parts } => {
                let part = |(of, fetch): &(TopicPartition, FollowerFetch)| mix_all([partition(*of), fetch.from.0]);
                mix_all([8, *number].into_iter().chain(parts.iter().map(part)))
            }
            Self::Followed { number, parts } => {
                let part = |(of, fetch, answer): &(TopicPartition, FollowerFetch, Option<FollowerFetched<Parcel>>)| {
                    let said = match answer {
                        None => 0,
                        Some(FollowerFetched::Batches(found)) => {
                            mix_all([1, found.size.count(), found.high_watermark.0])
                        }
                        Some(FollowerFetched::Diverging(end)) => mix_all([2, end.epoch.0.into(), end.end.0]),
                        Some(FollowerFetched::OutOfRange(range)) => mix_all([3, range.start.0, range.end.0]),
                    };
                    mix_all([partition(*of), fetch.from.0, said])
                };
                mix_all([9, *number].into_iter().chain(parts.iter().map(part)))
            }
            Self::Fetch(ask) => {
                let part = |part: &FetchPart| mix_all([partition(part.partition), part.from.0]);
                mix_all([10, ask.number].into_iter().chain(ask.parts.iter().map(part)))
            }
            Self::Fetched { number, parts, elsewhere } => {
                let part = |(of, answer): &(TopicPartition, PartAnswer<Parcel>)| match answer {
                    Ok(found) => mix_all([partition(*of), 1, found.size.count(), found.high_watermark.0]),
                    Err(range) => mix_all([partition(*of), 2, range.start.0, range.end.0]),
                };
                let led = elsewhere.iter().map(|of| partition(*of));
                mix_all([11, *number].into_iter().chain(parts.iter().map(part)).chain(led))
            }
            Self::Question { number, question, .. } => mix_all([12, *number, question.digest()]),
            Self::Answer { number, answer } => mix_all([13, *number, answer.digest()]),
            Self::Mark { marker, partition: of } => {
                mix_all([14, marker.producer.0, marker.epoch.0.into(), partition(*of)])
            }
            Self::Marked { marker } => mix_all([15, marker.producer.0, marker.epoch.0.into()]),
            Self::Work(word) => mix_all([16, word.digest()]),
        }
    }
}

impl Question {
    fn digest(&self) -> u64 {
        let offsets =
            |offsets: &[(TopicPartition, Offset)]| mix_all(offsets.iter().flat_map(|(of, at)| [partition(*of), at.0]));
        match self {
            Self::Join(group, join) => mix_all([1, group.0.into(), join.member.map_or(0, |id| id.0)]),
            Self::Sync(group, sync) => mix_all([2, group.0.into(), sync.member.0, sync.generation.0.into()]),
            Self::Heartbeat(group, member, generation) => mix_all([3, group.0.into(), member.0, generation.0.into()]),
            Self::Leave(group, member) => mix_all([4, group.0.into(), member.0]),
            Self::Commit(group, member, _, at) => mix_all([5, group.0.into(), member.0, offsets(at)]),
            Self::Offsets(group, of) => mix_all([6, group.0.into(), mix_all(of.iter().map(|of| partition(*of)))]),
            Self::Init(name) => mix_all([7, *name]),
            Self::Add((id, epoch), of) => {
                mix_all([8, id.0, epoch.0.into(), mix_all(of.iter().map(|of| partition(*of)))])
            }
            Self::AddOffsets((id, epoch), _, _, _, at) => mix_all([9, id.0, epoch.0.into(), offsets(at)]),
            Self::End((id, epoch), control) => mix_all([10, id.0, epoch.0.into(), *control as u64]),
        }
    }
}

impl Answer {
    fn digest(&self) -> u64 {
        let told = |answer: &Result<(), GroupError>| answer.map_or_else(|error| 1 + error as u64, |()| 0);
        let ended = |answer: &Result<(), TransactionError>| answer.map_or_else(|error| 1 + error as u64, |()| 0);
        match self {
            Self::Joined(Ok(joined)) => mix_all([1, joined.member.0, joined.generation.0.into()]),
            Self::Joined(Err(error)) => mix_all([2, *error as u64]),
            Self::Synced(Ok(synced)) => {
                let assigned = mix_all(synced.assignment.iter().map(|of| partition(*of)));
                mix_all([3, synced.generation.0.into(), assigned])
            }
            Self::Synced(Err(error)) => mix_all([4, *error as u64]),
            Self::Heard(generation, answer) => mix_all([5, generation.0.into(), told(answer)]),
            Self::Left => 6,
            Self::Committed(answer) => mix_all([7, told(answer)]),
            Self::Offsets(None) => 8,
            Self::Offsets(Some(offsets)) => {
                let one =
                    |(of, at): &(TopicPartition, Option<Offset>)| [partition(*of), at.map_or(0, |offset| 1 + offset.0)];
                mix_all([9].into_iter().chain(offsets.iter().flat_map(one)))
            }
            Self::Init(Ok((id, epoch))) => mix_all([10, id.0, epoch.0.into()]),
            Self::Init(Err(error)) => mix_all([11, *error as u64]),
            Self::Added(answer) => mix_all([12, ended(answer)]),
            Self::Ended(answer) => mix_all([13, ended(answer)]),
        }
    }
}
