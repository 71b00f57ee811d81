//! What is lost when a log is truncated, and why.
//!
//! A record counts as written for its producer as soon as it is answered. With `acks = all` that is when it is replicated, and then
//! only an unclean election can lose it. With `acks = 1` it is when the leader has it, and it is lost with the leader; with
//! `acks = 0` nobody ever said that it was written.

use std::sync::Arc;

use crate::protocol::log::ids::{LeaderEpoch, Offset};
use crate::protocol::log::partition::{Acks, Batch};

/// Why a record was lost.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Loss {
    /// It was replicated, and consumers may have seen it: a replica that was not in sync was elected.
    UncleanElection,
    /// Only its leader had acknowledged it (`acks = 1`).
    AcknowledgedByLeaderOnly,
    /// Its producer did not wait (`acks = 0`).
    NeverAcknowledged,
    /// Its producer was not answered, and tries again or is told of a failure (`acks = all`).
    Unanswered,
}

impl Loss {
    /// Why a record is lost that stood at this offset, if all below `high_watermark` was replicated.
    pub fn of(offset: Offset, acks: Acks, high_watermark: Offset) -> Self {
        match acks {
            _ if offset < high_watermark => Self::UncleanElection,
            Acks::Leader => Self::AcknowledgedByLeaderOnly,
            Acks::None => Self::NeverAcknowledged,
            Acks::All => Self::Unanswered,
        }
    }

    /// Whether its producer, or a consumer, had reason to believe in it.
    pub fn breaks_a_promise(self) -> bool {
        matches!(self, Self::UncleanElection | Self::AcknowledgedByLeaderOnly)
    }
}

/// A record that was truncated.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Lost<M> {
    /// Where it stood.
    pub offset: Offset,
    /// Under which leader it was written.
    pub epoch: LeaderEpoch,
    /// What the owner kept for it.
    pub value: M,
    /// When its producer was answered.
    pub acks: Acks,
    /// Why it was lost, as far as this replica's high watermark tells. A follower's lags behind the leader's: if a record may have
    /// been replicated without its knowledge, ask [`Loss::of`] with the highest watermark of any leader.
    pub loss: Loss,
}

impl<M: Copy> Lost<M> {
    /// The records of truncated batches.
    pub fn of(batches: &[Arc<Batch<M>>], high_watermark: Offset) -> Vec<Self> {
        let records = batches.iter().flat_map(|batch| {
            batch.records().map(|(offset, record)| Self {
                offset,
                epoch: batch.epoch,
                value: record.value,
                acks: batch.acks,
                loss: Loss::of(offset, batch.acks, high_watermark),
            })
        });
        records.collect()
    }
}
