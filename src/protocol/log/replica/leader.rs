//! What a leader knows of its followers: who is in sync, and what is replicated.

use std::collections::{BTreeMap, BTreeSet};

use super::ReplicationSettings;
use crate::base::time::{Span, Time};
use crate::protocol::log::ids::{BrokerId, LeaderEpoch, Offset};

/// A leader's view of the replicas.
#[derive(Clone, Debug)]
pub struct Leader {
    me: BrokerId,
    epoch: LeaderEpoch,
    /// Where its epoch began.
    began: Offset,
    isr: BTreeSet<BrokerId>,
    /// The change the controller was asked for.
    asked: Option<IsrChange>,
    followers: BTreeMap<BrokerId, Progress>,
    lag_max: Span,
    /// `min-insync-replicas`, but no more than there are.
    enough: usize,
}

/// How far a follower is.
#[derive(Clone, Copy, Debug)]
struct Progress {
    end: Option<Offset>,
    /// When it last had all that the leader had.
    caught_up: Time,
    /// Its latest request, and where the leader's log ended then.
    asked: Time,
    leader_end: Offset,
}

impl Progress {
    fn is_caught_up(&self, leader_end: Offset, now: Time, lag_max: Span) -> bool {
        self.end == Some(leader_end) || now.since(self.caught_up) <= lag_max
    }
}

/// The replicas that the leader finds in sync: a question to the controller (`AlterPartition`).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct IsrChange {
    /// In which epoch.
    pub epoch: LeaderEpoch,
    /// All that are in sync.
    pub isr: BTreeSet<BrokerId>,
}

/// What a producer with `acks = all` is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Standing {
    /// Nothing yet.
    Waiting,
    /// All in-sync replicas have it.
    Replicated,
    /// All have it, but they are too few (`NOT_ENOUGH_REPLICAS_AFTER_APPEND`): it is written, and the producer tries again.
    NotEnoughReplicasAfterAppend,
    /// Another one leads (`NOT_LEADER_OR_FOLLOWER`): whether it is written is not known.
    NotLeader,
}

impl Leader {
    pub(super) fn new(
        me: BrokerId,
        epoch: LeaderEpoch,
        replicas: &[BrokerId],
        isr: &[BrokerId],
        settings: &ReplicationSettings,
        end: Offset,
        now: Time,
    ) -> Self {
        // Those in sync have time to begin.
        let progress = |id| {
            let caught_up = if isr.contains(id) { now } else { Time::ZERO };
            Progress { end: None, caught_up, asked: Time::ZERO, leader_end: Offset::ZERO }
        };
        let others = replicas.iter().filter(|&&id| id != me);
        Self {
            me,
            epoch,
            began: end,
            isr: isr.iter().copied().chain([me]).collect(),
            asked: None,
            followers: others.map(|id| (*id, progress(id))).collect(),
            lag_max: settings.replica_lag_time_max,
            enough: (settings.min_insync_replicas.get() as usize).min(replicas.len()),
        }
    }

    /// Its epoch.
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Where its epoch began.
    pub(super) fn began(&self) -> Offset {
        self.began
    }

    /// Who is in sync, itself included.
    pub fn isr(&self) -> &BTreeSet<BrokerId> {
        &self.isr
    }

    /// Whether as many are in sync as have to be.
    pub fn has_enough(&self) -> bool {
        self.isr.len() >= self.enough
    }

    /// Where a follower's log ends, if it has asked in this epoch.
    pub fn end_of(&self, follower: BrokerId) -> Option<Offset> {
        self.followers.get(&follower)?.end
    }

    /// The least log end of the replicas in sync, of those that the controller was asked to add, and of those that would be in sync
    /// but are not yet; nothing if it is not known, or if too few are in sync.
    pub(super) fn least_end(&self, leader_end: Offset, now: Time) -> Option<Offset> {
        if !self.has_enough() {
            return None;
        }
        let mut least = leader_end;
        for (id, progress) in &self.followers {
            let is_counted = self.isr.contains(id) || self.asked.as_ref().is_some_and(|change| change.isr.contains(id));
            if is_counted || progress.end.is_some() && progress.is_caught_up(leader_end, now, self.lag_max) {
                least = least.min(progress.end?);
            }
        }
        Some(least)
    }

    pub(super) fn standing(&self, offset: Offset, high_watermark: Offset) -> Standing {
        if high_watermark <= offset {
            Standing::Waiting
        } else if self.has_enough() {
            Standing::Replicated
        } else {
            Standing::NotEnoughReplicasAfterAppend
        }
    }

    /// A follower asks from here on, so it has all before that (`Replica.updateFetchStateOrThrow`). If it may be in sync again, the
    /// question to the controller.
    pub(super) fn fetched(
        &mut self,
        follower: BrokerId,
        from: Offset,
        leader_end: Offset,
        high_watermark: Offset,
        now: Time,
    ) -> Option<IsrChange> {
        let progress = self.followers.get_mut(&follower)?;
        if from >= leader_end {
            progress.caught_up = progress.caught_up.max(now);
        } else if from >= progress.leader_end && progress.end.is_some() {
            progress.caught_up = progress.caught_up.max(progress.asked);
        }
        (progress.end, progress.asked, progress.leader_end) = (Some(from), now, leader_end);
        // In sync is who has all that consumers may have seen, and something of this epoch's begin.
        let joins = !self.isr.contains(&follower) && from >= high_watermark && from >= self.began;
        if !joins || self.asked.is_some() {
            return None;
        }
        let mut isr = self.isr.clone();
        isr.insert(follower);
        self.ask(isr)
    }

    /// Without those that lag, if any do.
    pub(super) fn shrink(&mut self, leader_end: Offset, now: Time) -> Option<IsrChange> {
        if self.asked.is_some() {
            return None;
        }
        let stays = |id: &&BrokerId| {
            **id == self.me
                || self.followers.get(id).is_some_and(|progress| progress.is_caught_up(leader_end, now, self.lag_max))
        };
        let isr: BTreeSet<_> = self.isr.iter().filter(stays).copied().collect();
        if isr.len() == self.isr.len() { None } else { self.ask(isr) }
    }

    fn ask(&mut self, isr: BTreeSet<BrokerId>) -> Option<IsrChange> {
        self.asked = Some(IsrChange { epoch: self.epoch, isr });
        self.asked.clone()
    }

    pub(super) fn altered(&mut self, isr: &[BrokerId]) {
        self.isr = isr.iter().copied().chain([self.me]).collect();
        self.asked = None;
    }

    pub(super) fn not_altered(&mut self) {
        self.asked = None;
    }
}
