//! What a follower does with its leader's answers.

use std::sync::Arc;

use super::{FollowerFetched, Lost};
use crate::protocol::log::ids::{BrokerId, LeaderEpoch};
use crate::protocol::log::partition::PartitionLog;

/// Whom a follower follows.
#[derive(Clone, Debug)]
pub struct Follower {
    epoch: LeaderEpoch,
    leader: Option<BrokerId>,
}

/// What an answer led to.
#[derive(Clone, PartialEq, Debug)]
pub struct Step<M> {
    /// How many batches were appended.
    pub appended: usize,
    /// Records that the leader does not have, and that are gone here.
    pub lost: Vec<Lost<M>>,
    /// Whether the answer was used: if not, it was late or did not fit.
    pub is_used: bool,
}

impl<M> Default for Step<M> {
    fn default() -> Self {
        Self { appended: 0, lost: Vec::new(), is_used: false }
    }
}

impl Follower {
    pub(super) fn new(epoch: LeaderEpoch, leader: Option<BrokerId>) -> Self {
        Self { epoch, leader }
    }

    /// The epoch it knows of.
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// Who leads, if somebody does.
    pub fn leader(&self) -> Option<BrokerId> {
        self.leader
    }
}

/// Appends what the leader sent, or cuts off what it does not have.
pub(super) fn receive<M: Copy>(log: &mut PartitionLog<M>, answer: FollowerFetched<M>) -> Step<M> {
    let mut step = Step { is_used: true, ..Step::default() };
    match answer {
        FollowerFetched::Batches(fetched) => {
            for batch in &fetched.batches {
                if log.append_as_follower(Arc::clone(batch)).is_err() {
                    step.is_used = false;
                    break;
                }
                step.appended += 1;
            }
            log.set_high_watermark(fetched.high_watermark);
            log.delete_below(fetched.start);
        }
        FollowerFetched::Diverging(leader) => {
            let (agreed, _) = log.agreement(leader);
            let high_watermark = log.high_watermark();
            step.lost = Lost::of(&log.truncate(agreed), high_watermark);
        }
        // Too far ahead: the leader has less, and what is more is gone. Too far behind: all is gone, and it begins again.
        FollowerFetched::OutOfRange(range) => {
            let high_watermark = log.high_watermark();
            if log.end() > range.end {
                step.lost = Lost::of(&log.truncate(range.end), high_watermark);
            } else if log.end() < range.start {
                log.restart_at(range.start);
            }
        }
    }
    step
}
