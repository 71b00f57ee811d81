//! What a process says about itself: the vocabulary of every measurement.
//!
//! A process observes facts at the moment they happen; it never sums them up. Observers state which [`Kind`]s they want,
//! and an unwanted observation costs one test of a mask.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Span;

use super::activity::Activity;
use super::guarded::{GuardFact, TurnedAway};
use super::logged::{GroupFact, TopicFact};
use super::loss::Loss;
use super::message::{MessageId, Transit};
use super::queued::QueueFact;
use super::saga::SagaFact;

/// A stream of messages that is reported together: a client's mix entry, or one service's calls to another.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Flow(pub u16);

/// A fact that a process states.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Observation {
    /// A message was due: the workload asked for it `late` ago.
    Offered {
        /// The message.
        message: MessageId,
        /// Its stream.
        flow: Flow,
        /// How long ago it was due (zero unless its sender was held up).
        late: Span,
        /// Whether its first attempt goes out with this; it is not stated again.
        at_once: bool,
    },
    /// One attempt was sent.
    Attempted {
        /// The message.
        message: MessageId,
    },
    /// The attempt that was sent last came to nothing: its sender gave it up, or was told that it failed.
    AttemptFailed {
        /// The message.
        message: MessageId,
    },
    /// A sender takes a member of a group that it sends to for down, in a stream of messages.
    Suspected {
        /// The stream.
        flow: Flow,
        /// The member.
        member: NodeId,
    },
    /// A sender takes a member that it took for down for up again.
    Trusted {
        /// The stream.
        flow: Flow,
        /// The member.
        member: NodeId,
    },
    /// A guard of a sender did something about a stream of messages.
    Guarded {
        /// The stream.
        flow: Flow,
        /// What it did.
        fact: GuardFact,
    },
    /// A copy reached the process that handles it. Left out where it is handled, well, on arrival.
    Received {
        /// The message.
        message: MessageId,
        /// Whether the receiver knew it already and left it.
        duplicate: bool,
    },
    /// A copy's handling came to its end at a receiver.
    Handled {
        /// The message.
        message: MessageId,
        /// How it ended.
        outcome: Outcome,
    },
    /// A copy was turned away where it arrived. It is not stated that it was received.
    Declined {
        /// The message.
        message: MessageId,
        /// Why.
        outcome: Outcome,
    },
    /// The owner learnt that its message was handled well, and in time.
    Confirmed {
        /// The message.
        message: MessageId,
    },
    /// The owner sent the last copy of a message it wants to hear no more of, or stopped waiting.
    Closed {
        /// The message.
        message: MessageId,
        /// Why.
        why: Close,
    },
    /// The network or a full place dropped a copy. Stated by the driver, not by processes.
    Dropped {
        /// The message.
        message: MessageId,
        /// Why.
        cause: Cause,
    },
    /// The network dropped an answer or a confirmation. Stated by the driver, not by processes.
    AnswerDropped {
        /// The message that was answered.
        message: MessageId,
        /// Why.
        cause: Cause,
    },
    /// Why a copy that is [`Declined`](Self::Declined) next, or whose handling ends next, was let go unserved.
    LetGo {
        /// The message.
        message: MessageId,
        /// Why.
        why: TurnedAway,
    },
    /// The network made a second copy. Stated by the driver, not by processes.
    Duplicated {
        /// The message.
        message: MessageId,
    },
    /// A request arrived at a station.
    Arrived,
    /// The number of requests at a station changed.
    Level {
        /// Waiting for a worker.
        waiting: u32,
        /// Workers at work.
        busy: u32,
    },
    /// A station served a request.
    Served {
        /// Time in the queue.
        wait: Span,
        /// Time with a worker.
        work: Span,
    },
    /// A station turned a request away, or let go of it unserved.
    Refused {
        /// Why.
        why: Outcome,
    },
    /// Why a request that is [`Refused`](Self::Refused) next was let go unserved by the station itself.
    TurnedAway {
        /// Why.
        why: TurnedAway,
    },
    /// A place where messages wait for consumers (a queue) keeps a copy of a message, beside the one that came.
    Stored {
        /// The message.
        message: MessageId,
        /// The place.
        place: u16,
        /// A hash of its key, if it has one: messages of one publisher with one key are to be processed in order.
        key: Option<u64>,
        /// What a loss would be due to, until it is [`Kept`](Self::Kept).
        risk: Loss,
    },
    /// The copy that came is at its end: others are kept in its place.
    Replaced {
        /// The message.
        message: MessageId,
    },
    /// A copy that is kept is where a crash leaves it: on disk, or at a majority.
    Kept {
        /// The message.
        message: MessageId,
        /// The place that keeps it.
        place: u16,
    },
    /// A copy is kept no longer.
    Released {
        /// The message.
        message: MessageId,
        /// The place that kept it.
        place: u16,
        /// Whether it was where a crash leaves it.
        is_kept: bool,
        /// How it left.
        exit: Exit,
    },
    /// Those who consume from a place go on behind a message that is kept there. If none of them has processed it, it is lost to them.
    PassedOver {
        /// The message.
        message: MessageId,
        /// The place.
        place: u16,
        /// What the loss is due to, if it is one.
        why: Loss,
    },
    /// Something happened to a message in a queue of a broker.
    Queued {
        /// The queue.
        queue: u16,
        /// What happened.
        fact: QueueFact,
    },
    /// The length of a queue of a broker changed.
    QueueDepth {
        /// The queue.
        queue: u16,
        /// Messages that wait.
        ready: u32,
        /// Messages that a consumer has and has not acknowledged.
        unacked: u32,
    },
    /// Something happened to records of a topic.
    Logged {
        /// The topic.
        topic: u16,
        /// What happened.
        fact: TopicFact,
        /// To how many of them.
        count: u32,
    },
    /// The leader of a partition shows consumers what lies below this offset.
    LogEnd {
        /// The topic.
        topic: u16,
        /// The partition.
        partition: u32,
        /// The offset behind the last record that can be read.
        offset: u64,
    },
    /// Something happened to a group that reads topics.
    Grouped {
        /// The group.
        group: u16,
        /// What happened.
        fact: GroupFact,
        /// How often.
        count: u32,
    },
    /// A poll of a group's member returned records of a partition.
    Polled {
        /// The group.
        group: u16,
        /// The topic.
        topic: u16,
        /// The partition.
        partition: u32,
        /// The offset of the first of them.
        from: u64,
        /// How many they are.
        count: u32,
    },
    /// A group has processed what lies below this offset of a partition.
    Progress {
        /// The group.
        group: u16,
        /// The topic.
        topic: u16,
        /// The partition.
        partition: u32,
        /// The offset behind the last record that was processed.
        offset: u64,
    },
    /// The number of answered requests whose effects a crash of this station would take changed.
    AtRisk {
        /// So many.
        count: u32,
    },
    /// The number of messages in the outbox of a station changed: rows that are written, and whose messages are not confirmed.
    OutboxDepth {
        /// So many.
        count: u32,
    },
    /// Something happened to a saga that a station coordinates.
    Saga {
        /// Its number at this node, in all of the node's lives.
        saga: u64,
        /// What.
        fact: SagaFact,
    },
    /// A broker refused or returned a message from the outbox of this station, which publishes it again.
    OutboxRefused,
    /// The node went down, and forgot what it had not synced. Stated by the driver, not by processes.
    Down,
    /// A copy, or an answer to one, leaves this node. Stated by the driver, as are those that follow about the wire.
    Sent {
        /// What leaves.
        transit: Transit,
        /// To whom.
        to: NodeId,
        /// Its size in bytes.
        size: u64,
    },
    /// What was sent is handed to this node, which begins with it now.
    Delivered {
        /// What came.
        transit: Transit,
        /// From whom.
        from: NodeId,
    },
    /// What was sent does not arrive.
    NotDelivered {
        /// What was sent.
        transit: Transit,
        /// From whom.
        from: NodeId,
        /// To whom.
        to: NodeId,
        /// Why.
        cause: Cause,
    },
    /// What happens to a request at this node from now on.
    Turned {
        /// The message that brought it.
        message: MessageId,
        /// The attempt that brought it, modulo 256.
        attempt: u8,
        /// What happens.
        activity: Activity,
    },
    /// What this node offers next, it offers for another message, until it says otherwise.
    OnBehalf {
        /// The message; none if it offers of its own accord.
        message: Option<MessageId>,
    },
}

/// The place of what is kept and belongs to no place that is accounted for.
pub const NO_PLACE: u16 = u16::MAX;

/// How a message leaves a place where it waited for consumers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Exit {
    /// Somebody has processed it, and said so.
    Acknowledged,
    /// To another place, which keeps it now.
    HandedOn,
    /// Nobody keeps it any more. If it is not processed all the same, this is why.
    LetGo(Loss),
}

/// How the handling of one copy ended.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Outcome {
    /// Well.
    Done,
    /// It failed.
    Failed,
    /// Turned away: no room.
    Rejected,
    /// Its deadline had passed.
    Expired,
    /// Its owner took it back.
    Cancelled,
    /// Dropped without a word.
    Discarded,
}

impl Outcome {
    /// Every outcome, in the order of reports.
    pub const ALL: [Self; 6] =
        [Self::Done, Self::Failed, Self::Rejected, Self::Expired, Self::Cancelled, Self::Discarded];

    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Done => "done",
            Self::Failed => "failed",
            Self::Rejected => "rejected",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::Discarded => "discarded",
        }
    }
}

/// Why an owner is done with a message that was not confirmed.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Close {
    /// No confirmation was asked for, and everything is sent.
    Sent,
    /// Unanswered after the last attempt.
    TimedOut,
    /// The deadline passed.
    Expired,
    /// The last answer was "no room".
    Rejected,
    /// The last answer was "failed".
    Failed,
    /// Never sent: the sender itself was at its limit, or stopped.
    Abandoned,
    /// Given up because enough of those that were sent with it had ended well.
    Spared,
    /// The owner went down and forgot it.
    Forgotten,
}

/// One bit per kind of observation.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub enum Kind {
    /// [`Observation::Offered`], [`Observation::Attempted`], [`Observation::Received`], [`Observation::Handled`],
    /// [`Observation::Declined`], [`Observation::Confirmed`], [`Observation::Closed`], [`Observation::Dropped`],
    /// [`Observation::Duplicated`], [`Observation::Stored`], [`Observation::Replaced`], [`Observation::Kept`],
    /// [`Observation::Released`], [`Observation::PassedOver`], [`Observation::AnswerDropped`], [`Observation::LetGo`].
    Message = 1,
    /// [`Observation::Arrived`], [`Observation::Level`], [`Observation::Served`], [`Observation::Refused`],
    /// [`Observation::TurnedAway`], [`Observation::AtRisk`], [`Observation::OutboxDepth`],
    /// [`Observation::OutboxRefused`], [`Observation::Saga`].
    Station = 2,
    /// [`Observation::Down`].
    Life = 4,
    /// [`Observation::AttemptFailed`], [`Observation::Suspected`], [`Observation::Trusted`].
    Attempt = 8,
    /// [`Observation::Guarded`].
    Guard = 16,
    /// [`Observation::Queued`], [`Observation::QueueDepth`].
    Queue = 32,
    /// [`Observation::Logged`], [`Observation::LogEnd`], [`Observation::Grouped`], [`Observation::Polled`],
    /// [`Observation::Progress`].
    Log = 64,
    /// [`Observation::Sent`], [`Observation::Delivered`], [`Observation::NotDelivered`].
    Wire = 128,
    /// [`Observation::Turned`], [`Observation::OnBehalf`].
    Step = 256,
}

/// A set of kinds.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct Wanted(u16);

impl Wanted {
    /// Nothing.
    pub const NOTHING: Self = Self(0);

    /// This set and `kind`.
    #[must_use]
    pub const fn and(self, kind: Kind) -> Self {
        Self(self.0 | kind as u16)
    }

    /// The union of two sets.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `kind` belongs to the set.
    #[inline(always)]
    pub const fn has(self, kind: Kind) -> bool {
        self.0 & kind as u16 != 0
    }
}

impl Observation {
    /// The message that it is about, if it says what becomes of one.
    pub const fn message(&self) -> Option<MessageId> {
        match *self {
            Self::Offered { message, .. }
            | Self::Attempted { message }
            | Self::AttemptFailed { message }
            | Self::Received { message, .. }
            | Self::Handled { message, .. }
            | Self::Declined { message, .. }
            | Self::Confirmed { message }
            | Self::Closed { message, .. }
            | Self::Dropped { message, .. }
            | Self::AnswerDropped { message, .. }
            | Self::LetGo { message, .. }
            | Self::Turned { message, .. }
            | Self::Duplicated { message }
            | Self::Stored { message, .. }
            | Self::Replaced { message }
            | Self::Kept { message, .. }
            | Self::Released { message, .. }
            | Self::PassedOver { message, .. } => Some(message),
            Self::OnBehalf { message } => message,
            _ => None,
        }
    }

    /// Its kind.
    #[inline(always)]
    pub const fn kind(&self) -> Kind {
        match self {
            Self::Arrived
            | Self::Level { .. }
            | Self::AtRisk { .. }
            | Self::OutboxDepth { .. }
            | Self::Saga { .. }
            | Self::OutboxRefused
            | Self::Served { .. }
            | Self::Refused { .. }
            | Self::TurnedAway { .. } => Kind::Station,
            Self::Guarded { .. } => Kind::Guard,
            Self::Queued { .. } | Self::QueueDepth { .. } => Kind::Queue,
            Self::Logged { .. }
            | Self::LogEnd { .. }
            | Self::Grouped { .. }
            | Self::Polled { .. }
            | Self::Progress { .. } => Kind::Log,
            Self::Sent { .. } | Self::Delivered { .. } | Self::NotDelivered { .. } => Kind::Wire,
            Self::Turned { .. } | Self::OnBehalf { .. } => Kind::Step,
            Self::Down => Kind::Life,
            Self::AttemptFailed { .. } | Self::Suspected { .. } | Self::Trusted { .. } => Kind::Attempt,
            _ => Kind::Message,
        }
    }
}
