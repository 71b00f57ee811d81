//! What a relay knows of the brokers that it publishes to: at which of their members it does, and which of them read no more.
//!
//! It publishes at the same member until that does not answer, or cannot, and then at the next. Over a connection that is blocked it
//! sends nothing; as it publishes in order, it sends nothing elsewhere either. It believes that for as long as two words of the broker
//! take, so that a broker that is gone blocks nobody. It knows nothing of rows.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::process::Steady;
use crate::protocol::amqp::WatermarkSettings;

/// The brokers of a relay.
#[derive(Debug, Default)]
pub(super) struct Brokers {
    /// The member of each target that is published to; the first where there is none.
    members: BTreeMap<u16, u32>,
    /// The nodes that read no more, and until when that is believed.
    blocked: BTreeMap<NodeId, Steady>,
}

impl Brokers {
    /// The member of this target that is published to.
    pub(super) fn member(&self, target: u16) -> u32 {
        self.members.get(&target).copied().unwrap_or(0)
    }

    /// What was published at a member of this target, which has so many, came to nothing: the next one's turn, if it is not already.
    pub(super) fn leave(&mut self, target: u16, member: u32, len: u32) {
        if self.member(target) == member {
            self.members.insert(target, (member + 1) % len.max(1));
        }
    }

    /// A node says that it reads no more, or that it reads on.
    pub(super) fn heard_of_blocking(&mut self, broker: NodeId, is_blocked: bool, now: Steady) {
        self.blocked.retain(|_, until| *until > now);
        if is_blocked {
            self.blocked.insert(broker, now + WatermarkSettings::CHECK_INTERVAL.times(2));
        } else {
            self.blocked.remove(&broker);
        }
    }

    /// Until when nothing is published, as one of these nodes reads no more, if that is so.
    pub(super) fn blocked_until(&self, now: Steady, is_meant: impl Fn(NodeId) -> bool) -> Option<Steady> {
        let blocked = self.blocked.iter().filter(|(node, until)| **until > now && is_meant(**node));
        blocked.map(|(_, until)| *until).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{Span, ms};

    fn at(span: Span) -> Steady {
        Steady::from_nanos(span.as_nanos())
    }

    #[test]
    fn a_member_that_does_not_answer_is_left_once_for_a_whole_batch() {
        let mut brokers = Brokers::default();
        assert_eq!(brokers.member(4), 0);
        // Three messages of a batch that went to the first of three.
        (0..3).for_each(|_| brokers.leave(4, 0, 3));
        assert_eq!((brokers.member(4), brokers.member(5)), (1, 0));
        brokers.leave(4, 1, 3);
        brokers.leave(4, 2, 3);
        assert_eq!(brokers.member(4), 0);
    }

    /// A broker says it once a second, and is believed for two.
    #[test]
    fn a_broker_that_reads_no_more_is_believed_for_two_of_its_words() {
        let (mut brokers, [one, other]) = (Brokers::default(), [1, 2].map(NodeId::new));
        brokers.heard_of_blocking(one, true, at(ms(500)));
        assert_eq!(brokers.blocked_until(at(ms(2_499)), |_| true), Some(at(ms(2_500))));
        assert_eq!(brokers.blocked_until(at(ms(2_499)), |node| node == other), None);
        assert_eq!(brokers.blocked_until(at(ms(2_500)), |_| true), None);
        brokers.heard_of_blocking(other, true, at(ms(1_000)));
        brokers.heard_of_blocking(other, false, at(ms(1_200)));
        assert_eq!(brokers.blocked_until(at(ms(1_200)), |_| true), Some(at(ms(2_500))));
    }
}
