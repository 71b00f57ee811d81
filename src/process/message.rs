//! What can be sent.

use crate::base::id::NodeId;

use super::carriage::Carriage;

/// A message: a value with a size, a name and a fingerprint.
pub trait Message: Clone + Send + 'static {
    /// How it travels: [`Inline`](super::Inline) for up to 24 bytes that are `Copy`, [`Pooled`](super::Pooled) for all else.
    type Carriage: Carriage<Self>;

    /// Its size on the wire in bytes, unless it is sent with another
    /// ([`send_sized`](super::Context::send_sized)): what bandwidth and buffers count.
    fn size(&self) -> u64 {
        0
    }

    /// Its name, by which its luck on the wire is drawn.
    fn identity(&self) -> Identity;

    /// The message that a copy from one node to another belongs to, in the books.
    fn offered_as(&self, from: NodeId, to: NodeId) -> MessageId {
        let identity = self.identity();
        match identity.name {
            Name::Of(id) => id,
            Name::Luck(_) => MessageId { owner: if identity.leg == Leg::Out { from } else { to }, number: 0 },
        }
    }

    /// What a copy from one node to another is known by, in the books.
    fn transit(&self, from: NodeId, to: NodeId) -> Transit {
        let Identity { attempt, leg, .. } = self.identity();
        Transit { message: self.offered_as(from, to), attempt, leg }
    }

    /// A fingerprint of its contents, of fixed widths and byte order: the run's digest takes it in.
    fn digest(&self) -> u64;
}

/// A message's name: the same for the same message under another policy, so that both meet the same luck.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct Identity {
    /// The message offered, or answered.
    pub name: Name,
    /// Which try it is, from 1.
    pub attempt: u16,
    /// Its direction.
    pub leg: Leg,
}

/// What a message's luck is drawn by.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Name {
    /// Its owner's name and its number.
    Of(MessageId),
    /// A name of its own: that of a message sent for another one derives from that one's.
    Luck(u64),
}

/// The node that offered a message, and the message's number there.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct MessageId {
    /// Who offered it.
    pub owner: NodeId,
    /// Its number at the owner.
    pub number: u32,
}

/// One attempt of a message in one direction: what a copy on its way is known by.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Transit {
    /// The message that it belongs to.
    pub message: MessageId,
    /// Which try it is, as far as its identity tells.
    pub attempt: u16,
    /// Its direction.
    pub leg: Leg,
}

/// The direction of a message, seen from its owner.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Leg {
    /// From the owner: a message, a request.
    Out = 0,
    /// Back to the owner with an answer.
    Reply = 1,
    /// Back to the owner with nothing but "received".
    Ack = 2,
    /// From the owner: takes a request back.
    Cancel = 3,
}

impl Leg {
    /// The name in traces.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Out => "message",
            Self::Reply => "reply",
            Self::Ack => "acknowledgement",
            Self::Cancel => "control",
        }
    }

    /// Whether it brings an answer or a confirmation to the owner.
    pub const fn is_answer(self) -> bool {
        matches!(self, Self::Reply | Self::Ack)
    }
}
