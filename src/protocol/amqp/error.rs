//! Why a channel is closed.

use std::fmt;

/// A mistake that closes the channel on which it was made: all its consumers are gone, and what they held is requeued.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum ChannelError {
    /// 406: the delivery tag is not outstanding. It was settled before, or belongs to another channel.
    UnknownTag,
    /// 403: the queue has an exclusive consumer, or others, or a single active consumer.
    ExclusiveUse,
    /// 405: nobody fetches from a quorum queue that has a single active consumer.
    Locked,
    /// 530: the consumer tag is taken. (AMQP closes the connection for it.)
    ConsumerExists,
}

impl ChannelError {
    /// The reply code of AMQP 0-9-1.
    pub const fn code(self) -> u16 {
        match self {
            Self::UnknownTag => 406,
            Self::ExclusiveUse => 403,
            Self::Locked => 405,
            Self::ConsumerExists => 530,
        }
    }

    /// The reply text of AMQP 0-9-1.
    pub const fn name(self) -> &'static str {
        match self {
            Self::UnknownTag => "PRECONDITION_FAILED",
            Self::ExclusiveUse => "ACCESS_REFUSED",
            Self::Locked => "RESOURCE_LOCKED",
            Self::ConsumerExists => "NOT_ALLOWED",
        }
    }
}

impl fmt::Display for ChannelError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let why = match self {
            Self::UnknownTag => "unknown delivery tag",
            Self::ExclusiveUse => "queue in exclusive use",
            Self::Locked => "no fetching beside a single active consumer",
            Self::ConsumerExists => "attempt to reuse consumer tag",
        };
        write!(f, "{} - {why}", self.name())
    }
}

impl std::error::Error for ChannelError {}

#[cfg(test)]
mod tests {
    use super::*;

    /// The codes are those of the specification's list of constants.
    #[test]
    fn an_error_has_the_code_and_text_of_the_protocol() {
        assert_eq!(ChannelError::UnknownTag.code(), 406);
        assert_eq!(ChannelError::UnknownTag.to_string(), "PRECONDITION_FAILED - unknown delivery tag");
        assert_eq!((ChannelError::ExclusiveUse.code(), ChannelError::ExclusiveUse.name()), (403, "ACCESS_REFUSED"));
        assert_eq!((ChannelError::ConsumerExists.code(), ChannelError::ConsumerExists.name()), (530, "NOT_ALLOWED"));
    }
}
