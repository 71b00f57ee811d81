//! One broker's replica of a partition: a log, and the part it plays.
//!
//! The leader takes what producers send, answers fetches, and counts as replicated what every in-sync replica has: the high
//! watermark is the least of their log ends. Followers fetch from the leader, first of all to find out where their logs part.
//! Who leads is decided by the [`controller`](super::controller), and every election begins a leader epoch; requests of another
//! epoch are refused.
//!
//! A replica never asks for the time, nor sends: its owner carries requests and answers. Everything takes O(log n) but for the
//! high watermark, which looks at each replica once.
//!
//! Source: Apache Kafka 4.0, `Partition`, `ReplicaManager`, `AbstractFetcherThread`; documentation, section "Replication";
//! KIP-101, KIP-279, KIP-392, KIP-966 (a partition below `min-insync-replicas` does not advance its high watermark).

mod follower;
mod leader;
mod loss;
mod settings;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;

pub use follower::{Follower, Step};
pub use leader::{IsrChange, Leader, Standing};
pub use loss::{Loss, Lost};
pub use settings::{REPLICATION, ReplicationSettings};

use super::ids::{BrokerId, LeaderEpoch, Offset};
use super::partition::{
    Acks, AppendError, Appended, EpochEnd, Fetched, Isolation, LogSettings, NewBatch, OffsetOutOfRange, PartitionLog,
};
use crate::base::time::Time;
use crate::base::units::Bytes;

/// A broker's replica of a partition.
#[derive(Clone, Debug)]
pub struct Replica<M> {
    me: BrokerId,
    settings: ReplicationSettings,
    /// What it has written.
    pub log: PartitionLog<M>,
    role: Role,
}

/// The part a replica plays.
#[derive(Clone, Debug)]
pub enum Role {
    /// It leads.
    Leader(Leader),
    /// It follows.
    Follower(Follower),
}

/// Why a replica refuses a request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum ReplicaError {
    /// It does not lead (`NOT_LEADER_OR_FOLLOWER`).
    NotLeader,
    /// Whoever asks knows an earlier epoch (`FENCED_LEADER_EPOCH`).
    FencedLeaderEpoch,
    /// Whoever asks knows a later epoch (`UNKNOWN_LEADER_EPOCH`).
    UnknownLeaderEpoch,
    /// Too few replicas are in sync: nothing was written (`NOT_ENOUGH_REPLICAS`).
    NotEnoughReplicas,
    /// The log did not take the batch.
    Append(AppendError),
    /// There is no such offset.
    OutOfRange(OffsetOutOfRange),
}

impl From<AppendError> for ReplicaError {
    fn from(error: AppendError) -> Self {
        Self::Append(error)
    }
}

impl From<OffsetOutOfRange> for ReplicaError {
    fn from(error: OffsetOutOfRange) -> Self {
        Self::OutOfRange(error)
    }
}

/// A batch that was written, and when its producer is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Produced {
    /// Where it stands.
    pub appended: Appended,
    /// When its producer is answered.
    pub answer: Answer,
}

/// When a producer is answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Never (`acks = 0`).
    Never,
    /// At once (`acks = 1`).
    Now,
    /// Once [`Replica::standing`] of this offset is not [`Standing::Waiting`] (`acks = all`).
    Replicated(Offset),
}

/// A follower's request.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FollowerFetch {
    /// Who asks.
    pub follower: BrokerId,
    /// Whom it follows.
    pub epoch: LeaderEpoch,
    /// Where its log ends.
    pub from: Offset,
    /// The epoch of its last batch.
    pub last_epoch: Option<LeaderEpoch>,
    /// The most that is returned.
    pub max: Bytes,
}

/// The leader's answer.
#[derive(Clone, PartialEq, Debug)]
pub enum FollowerFetched<M> {
    /// What comes next.
    Batches(Fetched<M>),
    /// The logs part before that: here the follower's last epoch, or the one before, ends at the leader.
    Diverging(EpochEnd),
    /// The follower's end lies outside the leader's log.
    OutOfRange(OffsetOutOfRange),
}

impl<M: Copy> Replica<M> {
    /// An empty replica that follows nobody yet.
    pub fn new(me: BrokerId, log: &LogSettings, settings: &ReplicationSettings) -> Self {
        let role = Role::Follower(Follower::new(LeaderEpoch(0), None));
        Self { me, settings: settings.clone(), log: PartitionLog::new(log), role }
    }

    /// The broker that has it.
    pub fn broker(&self) -> BrokerId {
        self.me
    }

    /// The part it plays.
    pub fn role(&self) -> &Role {
        &self.role
    }

    /// What it knows as a leader, if it is one.
    pub fn leader(&self) -> Option<&Leader> {
        match &self.role {
            Role::Leader(leader) => Some(leader),
            Role::Follower(_) => None,
        }
    }

    /// The epoch it knows of.
    pub fn epoch(&self) -> LeaderEpoch {
        match &self.role {
            Role::Leader(leader) => leader.epoch(),
            Role::Follower(follower) => follower.epoch(),
        }
    }

    /// It was elected. Its high watermark stays where it was; it moves once the in-sync replicas have fetched. Whether the
    /// election is news.
    pub fn lead(&mut self, epoch: LeaderEpoch, replicas: &[BrokerId], isr: &[BrokerId], now: Time) -> bool {
        if epoch < self.epoch() || epoch == self.epoch() && self.leader().is_some() {
            return false;
        }
        let leader = Leader::new(self.me, epoch, replicas, isr, &self.settings, self.log.end(), now);
        self.role = Role::Leader(leader);
        self.advance(now);
        true
    }

    /// Another one was elected, or nobody. Whether that is news.
    pub fn follow(&mut self, epoch: LeaderEpoch, leader: Option<BrokerId>) -> bool {
        if epoch < self.epoch() {
            return false;
        }
        self.role = Role::Follower(Follower::new(epoch, leader));
        true
    }

    fn led(&mut self) -> Result<&mut Leader, ReplicaError> {
        match &mut self.role {
            Role::Leader(leader) => Ok(leader),
            Role::Follower(_) => Err(ReplicaError::NotLeader),
        }
    }

    /// Moves the leader's high watermark as far as it may go; where it is.
    pub fn advance(&mut self, now: Time) -> Offset {
        let (end, before) = (self.log.end(), self.log.high_watermark());
        if let Role::Leader(leader) = &self.role
            && let Some(least) = leader.least_end(end, now)
            && least > before
        {
            return self.log.set_high_watermark(least);
        }
        before
    }

    /// A producer's batch.
    ///
    /// # Errors
    /// If it does not lead, if with `acks = all` fewer than `min-insync-replicas` are in sync, or if the log refuses the batch.
    pub fn produce(&mut self, batch: NewBatch<M>, now: Time) -> Result<Produced, ReplicaError> {
        let acks = batch.acks;
        let leader = self.led()?;
        if acks == Acks::All && !leader.has_enough() {
            return Err(ReplicaError::NotEnoughReplicas);
        }
        let epoch = leader.epoch();
        let appended = self.log.append_as_leader(batch, epoch)?;
        self.advance(now);
        let answer = match acks {
            Acks::None => Answer::Never,
            Acks::Leader => Answer::Now,
            Acks::All => Answer::Replicated(appended.last),
        };
        Ok(Produced { appended, answer })
    }

    /// What a producer that waits for this offset with `acks = all` is told.
    pub fn standing(&self, offset: Offset) -> Standing {
        self.leader().map_or(Standing::NotLeader, |leader| leader.standing(offset, self.log.high_watermark()))
    }

    /// A follower's request, and whether the in-sync replicas may change by it: whoever owns this replica asks the controller for
    /// [`IsrChange`], and tells what came of it by [`Replica::altered`].
    ///
    /// # Errors
    /// If it does not lead, or in another epoch.
    pub fn fetched(
        &mut self,
        fetch: FollowerFetch,
        now: Time,
    ) -> Result<(FollowerFetched<M>, Option<IsrChange>), ReplicaError> {
        let epoch = self.led()?.epoch();
        if fetch.epoch != epoch {
            let is_earlier = fetch.epoch < epoch;
            return Err(if is_earlier { ReplicaError::FencedLeaderEpoch } else { ReplicaError::UnknownLeaderEpoch });
        }
        if let Some(last) = fetch.last_epoch {
            match self.log.end_of_epoch(last) {
                Some(own) if own.epoch < last || own.end < fetch.from => {
                    return Ok((FollowerFetched::Diverging(own), None));
                }
                Some(_) => {}
                None => {
                    let range = OffsetOutOfRange { start: self.log.start(), end: self.log.end() };
                    return Ok((FollowerFetched::OutOfRange(range), None));
                }
            }
        }
        let found = match self.log.fetch(fetch.from, fetch.max, Isolation::LogEnd, true) {
            Ok(found) => found,
            Err(range) => return Ok((FollowerFetched::OutOfRange(range), None)),
        };
        let (end, high_watermark) = (self.log.end(), self.log.high_watermark());
        let change = self.led()?.fetched(fetch.follower, fetch.from, end, high_watermark, now);
        let high_watermark = self.advance(now);
        Ok((FollowerFetched::Batches(Fetched { high_watermark, ..found }), change))
    }

    /// Which followers have fallen behind, if any have: asked every half of `replica-lag-time-max`.
    pub fn lagging(&mut self, now: Time) -> Option<IsrChange> {
        let end = self.log.end();
        let change = self.led().ok()?.shrink(end, now);
        self.advance(now);
        change
    }

    /// The controller's answer to an [`IsrChange`], or its own decision: who is in sync.
    pub fn altered(&mut self, epoch: LeaderEpoch, isr: &[BrokerId], now: Time) {
        if let Ok(leader) = self.led()
            && leader.epoch() == epoch
        {
            leader.altered(isr);
            self.advance(now);
        }
    }

    /// The controller refused an [`IsrChange`].
    pub fn not_altered(&mut self) {
        if let Ok(leader) = self.led() {
            leader.not_altered();
        }
    }

    /// What a follower asks next, if there is a leader.
    pub fn next_fetch(&self, max: Bytes) -> Option<(BrokerId, FollowerFetch)> {
        let Role::Follower(follower) = &self.role else { return None };
        let last_epoch = self.log.latest_epoch();
        let fetch = FollowerFetch { follower: self.me, epoch: follower.epoch(), from: self.log.end(), last_epoch, max };
        Some((follower.leader()?, fetch))
    }

    /// The leader's answer to a fetch from `from`, and what it cost: records that the leader does not have.
    ///
    /// An answer of another epoch, or to a request from elsewhere, is late: it changes nothing.
    pub fn received(&mut self, epoch: LeaderEpoch, from: Offset, answer: FollowerFetched<M>) -> Step<M> {
        match &self.role {
            Role::Follower(follower) if follower.epoch() == epoch && from == self.log.end() => {
                follower::receive(&mut self.log, answer)
            }
            _ => Step::default(),
        }
    }

    /// A consumer's request.
    ///
    /// # Errors
    /// If it does not lead, or there is no such offset.
    pub fn consume(
        &self,
        from: Offset,
        max: Bytes,
        isolation: Isolation,
        at_least_one: bool,
    ) -> Result<Fetched<M>, ReplicaError> {
        if self.leader().is_none() {
            return Err(ReplicaError::NotLeader);
        }
        Ok(self.log.fetch(from, max, isolation, at_least_one)?)
    }

    /// Whether a consumer can be told which record is the latest: a new leader knows that once its high watermark has reached the
    /// beginning of its epoch, and before that might send the consumer back (KIP-207: `OFFSET_NOT_AVAILABLE`).
    pub fn knows_the_latest(&self) -> bool {
        self.leader().is_some_and(|leader| leader.began() <= self.log.high_watermark())
    }

    /// Who is in sync, as far as it knows.
    pub fn isr(&self) -> BTreeSet<BrokerId> {
        self.leader().map(|leader| leader.isr().clone()).unwrap_or_default()
    }
}
