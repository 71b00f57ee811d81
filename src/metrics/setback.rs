//! What stood in the way of a message: the last thing that went wrong with it, as far as anybody stated one.

use crate::base::cause::Cause;
use crate::process::{Close, Loss, Outcome, TurnedAway};

/// Why a message did not end well.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Setback {
    /// The network dropped the copy that was sent last.
    Dropped(Cause),
    /// It was handled, and the network dropped the answer that was sent last.
    AnswerDropped(Cause),
    /// A station let it go unserved.
    LetGo(TurnedAway),
    /// Its handling ended so, at the receiver or further on.
    Ended(Outcome),
    /// It was forgotten in a crash of the node that had it.
    Forgotten,
    /// It was lost at a place that kept it for others, or on the way there.
    Lost(Loss),
    /// Nothing is known to have gone wrong but that its owner closed it.
    Closed(Close),
    /// It was under way when the run ended.
    UnderWay,
}

impl Setback {
    /// The name in tables.
    pub fn name(self) -> String {
        match self {
            Self::Dropped(cause) => format!("dropped-{}", cause.name()),
            Self::AnswerDropped(cause) => format!("answer-dropped-{}", cause.name()),
            Self::LetGo(why) => why.name().into(),
            Self::Ended(outcome) => format!("handling-{}", outcome.name()),
            Self::Forgotten => "receiver-crashed".into(),
            Self::Lost(loss) => loss.name().into(),
            Self::Closed(why) => match why {
                Close::Sent => "never-arrived",
                Close::TimedOut => "no-answer-in-time",
                Close::Expired => "deadline-passed",
                Close::Rejected => "refused-by-sender",
                Close::Failed => "failed",
                Close::Abandoned => "let-go-by-sender",
                Close::Spared => "not-needed",
                Close::Forgotten => "sender-crashed",
            }
            .into(),
            Self::UnderWay => "run-ended".into(),
        }
    }

    /// The same for people, in a sentence without its subject.
    pub fn meaning(self) -> String {
        let network = |what: &str, cause| {
            let how = match cause {
                Cause::Loss => "was lost on a link",
                Cause::Corrupt => "was damaged on a link",
                Cause::BufferFull => "found the buffer of a link full",
                Cause::ReceiverDown => "came to a node that was down",
                Cause::Partition => "met a partition",
                Cause::Reset => "went down with its stream",
            };
            format!("{what} {how}")
        };
        match self {
            Self::Dropped(cause) => network("the last copy", cause),
            Self::AnswerDropped(cause) => network("the last answer", cause),
            Self::LetGo(why) => match why {
                TurnedAway::QueueFull => "found the queue full",
                TurnedAway::Shed => "was shed on arrival",
                TurnedAway::RateLimited => "was turned away by a rate limit at the door",
                TurnedAway::ConcurrencyLimited => "was turned away by a concurrency limit at the door",
                TurnedAway::QueueDropped => "was dropped by the queue's discipline",
                TurnedAway::ExpiredUnserved => "waited in the queue until its deadline",
            }
            .into(),
            Self::Ended(outcome) => match outcome {
                Outcome::Done => "was handled, and not counted as that",
                Outcome::Failed => "failed where it was handled, or further on",
                Outcome::Rejected => "was turned away where it was handled, or further on",
                Outcome::Expired => "was too late where it was handled, or further on",
                Outcome::Cancelled => "was taken back by its sender",
                Outcome::Discarded => "was dropped by its receiver without a word",
            }
            .into(),
            Self::Forgotten => "was forgotten in a crash of the node that had it".into(),
            Self::Lost(loss) => {
                let meaning = loss.meaning().trim_end_matches('.');
                let mut letters = meaning.chars();
                let first = letters.next().map(|letter| letter.to_lowercase().to_string()).unwrap_or_default();
                format!("{first}{}", letters.as_str())
            }
            Self::Closed(why) => match why {
                Close::Sent => "never came to a receiver",
                Close::TimedOut => "had no answer in time, to any attempt",
                Close::Expired => "had no answer until its deadline",
                Close::Rejected => "was refused, or its own sender did not let it go",
                Close::Failed => "failed",
                Close::Abandoned => "was let go by its own sender",
                Close::Spared => "was not needed any more",
                Close::Forgotten => "was forgotten in a crash of its sender",
            }
            .into(),
            Self::UnderWay => "was under way when the run ended".into(),
        }
    }
}
