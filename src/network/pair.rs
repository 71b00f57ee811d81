//! What a link remembers of one sender and one receiver.

use crate::base::id::{Entity, NodeId};
use crate::base::names::Names;
use crate::base::random::{Uniform, mix};

use super::correlation::Correlation;
use super::link::{Address, Link};

/// Positions of the draws of pairs, in the low byte: no message's own draw has them.
const PAIR: u64 = 0xc0;

/// The leg of a message within its position.
const LEG: u64 = 0xff00;

/// A sender and a receiver on one link.
#[derive(Clone, Debug)]
pub(super) struct Pair {
    /// A name made of both names.
    name: Entity,
    /// Messages so far.
    sent: u64,
    was_lost: bool,
    score: f64,
}

/// What the messages before mean for one message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Turn {
    /// Whether it is lost in a burst.
    pub(super) is_lost: bool,
    /// The draw of its latency, where that depends on those before.
    pub(super) latency: Option<Uniform>,
}

impl Pair {
    pub(super) fn new(names: &Names, from: NodeId, to: NodeId) -> Self {
        let [from, to] = [from, to].map(|node| names.entity(node).bits());
        Self { name: Entity::from_bits(mix(from ^ mix(to))), sent: 0, was_lost: false, score: 0.0 }
    }

    /// The next message's turn. Its draws are addressed by the pair, the count of its messages and the message's leg: two
    /// links between the same nodes carry different legs.
    pub(super) fn next(&mut self, link: &Link, address: &Address<'_>) -> Turn {
        let position = self.sent << 16 | address.position & LEG | PAIR;
        let luck = address.key.block(self.name, position);
        let is_first = self.sent == 0;
        self.sent += 1;
        if let Some(bursts) = &link.bursts {
            let draw = luck.first();
            self.was_lost = if is_first { bursts.first(draw) } else { bursts.next(self.was_lost, draw) };
        }
        let latency = link.is_correlated().then(|| {
            let draw = luck.second();
            let correlation = link.correlation;
            self.score = if is_first { Correlation::first(draw) } else { correlation.next(self.score, draw) };
            Correlation::draw(self.score)
        });
        Turn { is_lost: self.was_lost, latency }
    }
}
