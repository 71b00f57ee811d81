//! What the nodes of a broker say to each other.

use crate::base::random::{mix, mix_all};
use crate::base::time::Time;
use crate::process::{Exit, Loss, Outcome};
use crate::protocol::amqp::{Incoming, QueueId, Word as RaftWord};

use super::Parcel;
use super::declaring::Presence;
use super::replying::Answer;

/// What one node of a broker says to another.
#[derive(Clone, PartialEq, Debug)]
pub(in crate::model) enum Word {
    /// A message for a queue that the other has.
    Forward { number: u32, queue: QueueId, posted: Posted },
    /// What became of it, and what it is lost by if nobody took it.
    Forwarded { number: u32, outcome: Outcome, risk: Loss },
    /// Whether the node has an alarm of its memory.
    Memory { is_raised: bool },
    /// Whether a queue is there that the sender has.
    Queue { queue: QueueId, presence: Presence },
    /// Whether the node has stopped reading what the receiver publishes.
    Blocked { is_blocked: bool },
    /// Somebody who publishes wants to know that.
    WhetherBlocked,
    /// Replicas of a quorum queue agree.
    Replica(QueueId, RaftWord<Op>),
    /// A reply for somebody who is connected to the other.
    Reply(Answer),
}

/// A message on its way into a queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::model) struct Posted {
    pub(super) incoming: Incoming<Parcel>,
    /// A hash of its key, if it has one.
    pub(super) key: Option<u64>,
    /// When it came, by the clock of the node that it came to.
    pub(super) at: Time,
}

/// An entry in the log of a quorum queue.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(in crate::model) enum Op {
    /// A message is published.
    Publish(Box<Posted>),
    /// The message of this entry has left.
    Settle(u64, Exit),
    /// The message of this entry came back.
    Return(u64),
}

impl Word {
    /// A fingerprint, by the numbers that tell one word from another.
    pub(in crate::model) fn digest(&self) -> u64 {
        match self {
            Self::Forward { number, queue, posted } => {
                mix_all([1, u64::from(*number), queue.index() as u64, posted.incoming.message.luck])
            }
            Self::Memory { is_raised } => mix_all([4, u64::from(*is_raised)]),
            Self::Queue { queue, presence } => {
                mix_all([5, queue.index() as u64, u64::from(*presence == Presence::There)])
            }
            Self::Reply(answer) => mix_all([6, answer.digest()]),
            Self::Blocked { is_blocked } => mix_all([7, u64::from(*is_blocked)]),
            Self::WhetherBlocked => mix(8),
            Self::Forwarded { number, outcome, .. } => mix_all([2, u64::from(*number), *outcome as u64]),
            Self::Replica(queue, word) => {
                let said = match word {
                    RaftWord::Append { term, prev, prev_term, entries, committed, .. } => {
                        let entry = entries.iter().map(|entry| match &entry.what {
                            None => 0,
                            Some(Op::Publish(posted)) => posted.incoming.message.luck,
                            Some(Op::Settle(index, _)) => mix(*index),
                            Some(Op::Return(index)) => mix(mix(*index)),
                        });
                        mix_all([1, *term, *prev, *prev_term, *committed].into_iter().chain(entry))
                    }
                    RaftWord::Appended { term, index, is_match } => mix_all([2, *term, *index, u64::from(*is_match)]),
                    RaftWord::Ask { term, last, last_term } => mix_all([3, *term, *last, *last_term]),
                    RaftWord::Vote { term, is_granted } => mix_all([4, *term, u64::from(*is_granted)]),
                };
                mix_all([3, queue.index() as u64, said])
            }
        }
    }

    /// How many bytes of messages it carries: what it says of them is not counted.
    pub(super) fn bytes(&self) -> u64 {
        match self {
            Self::Forward { posted, .. } => posted.incoming.size.into(),
            Self::Reply(answer) => answer.size,
            Self::Replica(_, RaftWord::Append { entries, .. }) => {
                let bodies = entries.iter().filter_map(|entry| match &entry.what {
                    Some(Op::Publish(posted)) => Some(u64::from(posted.incoming.size)),
                    _ => None,
                });
                bodies.sum()
            }
            _ => 0,
        }
    }
}
