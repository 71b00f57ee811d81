//! One thing that happened in a story.

use crate::base::cause::Cause;
use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::process::{Activity, Close, Exit, Leg, Loss, Outcome, TurnedAway};

/// One thing that happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Entry {
    /// When.
    pub time: Time,
    /// The node that it happened at, which mostly stated it.
    pub node: NodeId,
    /// The chapter it belongs to.
    pub chapter: u32,
    /// What.
    pub what: What,
}

/// What happened.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum What {
    /// It was offered.
    Offered {
        /// Whether its first attempt goes out with this.
        at_once: bool,
    },
    /// An attempt goes out that did not go out with the offer.
    Attempted,
    /// The attempt before came to nothing, as far as its owner knows.
    AttemptFailed,
    /// A copy, or an answer, leaves.
    Sent {
        /// Which of both.
        leg: Leg,
        /// The attempt.
        attempt: u16,
        /// To whom.
        to: NodeId,
        /// Its size in bytes, up to 2^32.
        size: u32,
    },
    /// A copy, or an answer, arrives.
    Delivered {
        /// Which of both.
        leg: Leg,
        /// The attempt.
        attempt: u16,
        /// From whom.
        from: NodeId,
    },
    /// A copy, or an answer, does not arrive.
    NotDelivered {
        /// Which of both.
        leg: Leg,
        /// The attempt.
        attempt: u16,
        /// To whom.
        to: NodeId,
        /// Why.
        cause: Cause,
    },
    /// The network made a second copy.
    Duplicated,
    /// A receiver has it.
    Received {
        /// Whether it had it already.
        duplicate: bool,
    },
    /// This happens to it from now on.
    Turned {
        /// The attempt that brought it, modulo 256.
        attempt: u8,
        /// What happens.
        activity: Activity,
    },
    /// The station is about to let it go unserved.
    LetGo {
        /// Why.
        why: TurnedAway,
    },
    /// A receiver is done with it.
    Handled {
        /// How that ended.
        outcome: Outcome,
    },
    /// A receiver did not take it.
    Declined {
        /// Why.
        outcome: Outcome,
    },
    /// A queue or a topic keeps it.
    Stored {
        /// Which, as a place.
        place: u16,
    },
    /// A crash of who keeps it would leave it where it is.
    Kept {
        /// The place.
        place: u16,
    },
    /// It is kept there no longer.
    Released {
        /// The place.
        place: u16,
        /// How it left.
        exit: Exit,
    },
    /// Those who read there go on behind it.
    PassedOver {
        /// The place.
        place: u16,
        /// What it would be lost by.
        why: Loss,
    },
    /// The node went down with what it had of it.
    Down,
    /// Its owner knows that it was handled well.
    Confirmed,
    /// Its owner wants to hear no more of it.
    Closed {
        /// Why.
        why: Close,
    },
}

const _: () = assert!(size_of::<Entry>() <= 32);
