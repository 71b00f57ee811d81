//! What nearly every message of a scenario is: 24 bytes.

use std::num::NonZeroU8;

use crate::base::id::NodeId;
use crate::base::random::mix;
use crate::base::time::Span;
use crate::process::{Identity, Leg, MessageId, Name, Outcome};
use crate::protocol::health::{Gossip, GossipKind};

/// A message between roles.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Envelope {
    /// The name its luck is drawn by: the same for the same message under another policy.
    pub luck: u64,
    /// Its number at whoever offered it.
    pub number: u32,
    /// What its call's policy has it carry beside.
    pub beside: Beside,
    /// What is left of its deadline.
    pub left: Remainder,
    /// The call it belongs to.
    pub call: u16,
    /// Which attempt it is, modulo 256.
    pub attempt: u8,
    /// One more than its code, so that there is a byte that is none.
    kind: NonZeroU8,
}

/// What a message is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// A message nobody confirms.
    Notice,
    /// A message to be confirmed once it is handled.
    Message,
    /// A request to be answered.
    Request,
    /// Handled, or why not: confirms a message.
    Ack(Outcome),
    /// The answer to a request, or why there is none.
    Reply(Outcome),
    /// Its sender has given it up.
    Cancel,
    /// Its sender sends nothing before this place any more.
    Skip,
    /// Whoever has the other copy has begun with it.
    Untie,
    /// Its sender asks whether the receiver is up.
    Probe,
    /// Its sender is up.
    Alive,
    /// Its sender has nothing to do.
    Idle,
    /// A word between members of a group that watch each other.
    Gossip(GossipKind),
    /// Its sender consumes what the receiver has for it.
    Subscribe,
    /// A message that was published before, for a consumer.
    Delivery {
        /// Whether nobody waits for the consumer to acknowledge.
        settled: bool,
        /// Whether whoever published it waits for a reply. Then the call is that of the request, not that of the delivery.
        asks: bool,
    },
}

const KINDS: u8 = 7;

impl Kind {
    const fn pack(self) -> u8 {
        match self {
            Self::Notice => 0,
            Self::Message => 1,
            Self::Request => 2,
            Self::Cancel => 3,
            Self::Skip => 6,
            Self::Untie => 15,
            Self::Ack(outcome) => 4 + KINDS * outcome as u8,
            Self::Reply(outcome) => 5 + KINDS * outcome as u8,
            Self::Probe => 7,
            Self::Alive => 8,
            Self::Idle => 9,
            Self::Gossip(GossipKind::Ping) => 10,
            Self::Gossip(GossipKind::Ack) => 13,
            Self::Gossip(GossipKind::PingReq) => 14,
            Self::Subscribe => 16,
            Self::Delivery { settled: false, asks: false } => 17,
            Self::Delivery { settled: true, asks: false } => 20,
            Self::Delivery { settled: false, asks: true } => 21,
            Self::Delivery { settled: true, asks: true } => 22,
        }
    }

    const fn stored(self) -> NonZeroU8 {
        NonZeroU8::MIN.saturating_add(self.pack())
    }

    #[inline(always)]
    const fn unpack(bits: u8) -> Self {
        match bits {
            0 => Self::Notice,
            1 => Self::Message,
            2 => Self::Request,
            3 => Self::Cancel,
            6 => Self::Skip,
            7 => Self::Probe,
            8 => Self::Alive,
            9 => Self::Idle,
            10 => Self::Gossip(GossipKind::Ping),
            13 => Self::Gossip(GossipKind::Ack),
            14 => Self::Gossip(GossipKind::PingReq),
            15 => Self::Untie,
            16 => Self::Subscribe,
            17 => Self::Delivery { settled: false, asks: false },
            20 => Self::Delivery { settled: true, asks: false },
            21 => Self::Delivery { settled: false, asks: true },
            22 => Self::Delivery { settled: true, asks: true },
            _ if bits % KINDS == 4 => Self::Ack(Outcome::ALL[(bits / KINDS) as usize]),
            _ => Self::Reply(Outcome::ALL[(bits / KINDS) as usize]),
        }
    }

    const fn leg(self) -> Leg {
        match self {
            Self::Notice | Self::Message | Self::Request | Self::Delivery { .. } => Leg::Out,
            Self::Ack(_) => Leg::Ack,
            Self::Reply(_) | Self::Alive => Leg::Reply,
            Self::Cancel | Self::Skip | Self::Untie | Self::Probe | Self::Idle | Self::Gossip(_) | Self::Subscribe => {
                Leg::Cancel
            }
        }
    }
}

/// Who offered the message that one of some kind belongs to.
#[derive(Clone, Copy)]
enum Owner {
    Sender,
    Receiver,
    /// It has the number of something else, or names its message itself.
    Nobody,
}

impl Kind {
    const fn owner(self) -> Owner {
        match self {
            Self::Notice | Self::Message | Self::Request | Self::Cancel => Owner::Sender,
            Self::Ack(_) | Self::Reply(_) => Owner::Receiver,
            Self::Delivery { .. }
            | Self::Skip
            | Self::Untie
            | Self::Probe
            | Self::Alive
            | Self::Idle
            | Self::Gossip(_)
            | Self::Subscribe => Owner::Nobody,
        }
    }
}

/// Directions and owners by code: whoever only asks for these need not unpack a kind.
const LEGS: [Leg; 64] = {
    let mut legs = [Leg::Out; 64];
    let mut code = 0;
    while code <= LAST {
        legs[code as usize] = Kind::unpack(code).leg();
        code += 1;
    }
    legs
};

const OWNERS: [Owner; 64] = {
    let mut owners = [Owner::Nobody; 64];
    let mut code = 0;
    while code <= LAST {
        owners[code as usize] = Kind::unpack(code).owner();
        code += 1;
    }
    owners
};

/// The greatest code.
const LAST: u8 = Kind::Reply(Outcome::Discarded).pack();

impl Envelope {
    /// A message of this kind.
    pub fn new(kind: Kind, luck: u64, number: u32, call: u16, attempt: u32) -> Self {
        Self {
            luck,
            number,
            beside: Beside::NONE,
            left: Remainder::NONE,
            call,
            attempt: attempt as u8,
            kind: kind.stored(),
        }
    }

    /// A word of gossip in group `call`. Members below 2^16 have room, and the sequence number is part of what its luck is drawn
    /// by, whose upper half are those of `luck`.
    pub fn gossip(luck: u64, call: u16, gossip: Gossip) -> Self {
        let [subject, sequence, member, word] = gossip.pack();
        let luck = luck & !u64::from(u32::MAX) | u64::from(sequence);
        let number = subject << 16 | member & u32::from(u16::MAX);
        Self { left: Remainder(word), ..Self::new(Kind::Gossip(gossip.kind), luck, number, call, 1) }
    }

    /// The word of gossip that was put into it, if it is one.
    pub fn as_gossip(&self) -> Option<Gossip> {
        let Kind::Gossip(kind) = self.kind() else { return None };
        let (subject, member) = (self.number >> 16, self.number & u32::from(u16::MAX));
        Some(Gossip::unpack(kind, [subject, self.luck as u32, member, self.left.0]))
    }

    /// Names the message that it delivers, in place of deadline and key.
    pub fn name_subject(&mut self, message: MessageId) {
        self.left = Remainder(message.number);
        self.beside = Beside(message.owner.index().wrapping_add(1));
    }

    /// Tells how much its sender has received and answered, in place of deadline and key.
    pub fn tell(&mut self, Counts { received, answered }: Counts) {
        self.left = Remainder(received);
        self.beside = Beside(answered);
    }

    /// What was told with [`tell`](Self::tell).
    pub fn counts(&self) -> Counts {
        Counts { received: self.left.0, answered: self.beside.0 }
    }

    /// The message that it delivers, if it is a delivery.
    #[inline]
    pub fn subject(&self) -> Option<MessageId> {
        let is_delivery = matches!(self.code(), 17 | 20..=22);
        is_delivery.then(|| MessageId { owner: NodeId::new(self.beside.0.wrapping_sub(1)), number: self.left.0 })
    }

    const fn code(&self) -> u8 {
        self.kind.get() - 1
    }

    #[inline(always)]
    const fn leg(&self) -> Leg {
        LEGS[(self.code() & 63) as usize]
    }

    /// What it is for.
    #[inline(always)]
    pub fn kind(&self) -> Kind {
        Kind::unpack(self.code())
    }

    /// The same message back to its sender, as something else.
    #[must_use]
    pub fn turned(self, kind: Kind) -> Self {
        Self { kind: kind.stored(), ..self }
    }
}

impl Envelope {
    #[inline]
    pub(super) fn identity(&self) -> Identity {
        Identity { name: Name::Luck(self.luck), attempt: self.attempt.into(), leg: self.leg() }
    }

    #[inline]
    pub(super) fn offered_as(&self, from: NodeId, to: NodeId) -> MessageId {
        let (owner, number) = match OWNERS[(self.code() & 63) as usize] {
            Owner::Sender => (from, self.number),
            Owner::Receiver => (to, self.number),
            Owner::Nobody => (from, NO_NUMBER),
        };
        self.subject().unwrap_or(MessageId { owner, number })
    }

    pub(super) fn digest(&self) -> u64 {
        // The owner of what is delivered is a number of this run's own; the luck has its name in it.
        let beside = if self.subject().is_some() { 0 } else { self.beside.0 };
        let head = u64::from(self.number) << 32 | u64::from(beside);
        let tail = u64::from(self.left.0) << 32 | u64::from(self.attempt) << 8 | u64::from(self.code());
        mix(self.luck ^ mix(head ^ mix(tail)))
    }
}

/// No message has this number: their numbers begin at 0 and are used one after the other.
pub(super) const NO_NUMBER: u32 = u32::MAX;

/// How much a consumer has received from a broker and answered, ever.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Counts {
    /// Deliveries.
    pub received: u32,
    /// Answers to them.
    pub answered: u32,
}

/// What is left of a deadline, in 32 bits: 26 significant bits and an exponent, rounded down (by less than 1.5e-8 of it).
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Remainder(u32);

const MANTISSA: u32 = 26;

impl Remainder {
    /// No deadline.
    pub const NONE: Self = Self(u32::MAX);

    /// This much is left.
    pub fn of(left: Span) -> Self {
        let nanos = left.as_nanos();
        let exponent = (u64::BITS - nanos.leading_zeros()).saturating_sub(MANTISSA);
        Self(exponent << MANTISSA | (nanos >> exponent) as u32)
    }

    /// What is left, if there is a deadline.
    pub fn left(self) -> Option<Span> {
        let (exponent, mantissa) = (self.0 >> MANTISSA, self.0 & ((1 << MANTISSA) - 1));
        (self != Self::NONE).then(|| Span::from_nanos(u64::from(mantissa) << exponent))
    }
}

/// What a message carries beside: its place in the order of its sender, where that is kept; which of two copies it is and the
/// member that has the other, where copies are tied; otherwise a hash of its key, if it has one.
///
/// A place is a sequence number modulo 2^20, and how far the lowest number still to come is below it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Beside(u32);

const SEQUENCE: u32 = 20;

impl Beside {
    /// Nothing.
    pub const NONE: Self = Self(0);
    /// The most messages a sender may be ahead of its oldest unsettled one.
    pub const WINDOW_MAX: u32 = (1 << (32 - SEQUENCE)) - 2;

    /// A hash of a key.
    pub fn key(hash: u64) -> Self {
        Self((hash >> 32) as u32 | 1)
    }

    /// The member that has the other copy, and whether this is the first of the two.
    pub fn tie(member: u32, is_first: bool) -> Self {
        Self(member.wrapping_add(1) << 1 | u32::from(is_first))
    }

    /// The hash of a key, as far as it was carried.
    pub fn as_key(self) -> Option<u64> {
        (self != Self::NONE).then(|| u64::from(self.0) << 32)
    }

    /// The member that has the other copy, if there is one, and whether this is the first of the two.
    pub fn as_tie(self) -> Option<(u32, bool)> {
        (self != Self::NONE).then(|| ((self.0 >> 1).wrapping_sub(1), self.0 & 1 == 1))
    }

    /// `sequence`, with `lowest` the first one still to come.
    pub fn place(sequence: u64, lowest: u64) -> Self {
        let ahead = u32::try_from(sequence - lowest).expect("a sender stays within its window") + 1;
        Self(ahead << SEQUENCE | sequence as u32 & ((1 << SEQUENCE) - 1))
    }

    /// Sequence number and lowest number still to come, given one that cannot be further away than half the range.
    pub fn read(self, near: u64) -> (u64, u64) {
        let range = 1_u64 << SEQUENCE;
        let low = u64::from(self.0) & (range - 1);
        let base = near & !(range - 1) | low;
        let sequence = if base + range / 2 < near {
            base + range
        } else if base > near + range / 2 && base >= range {
            base - range
        } else {
            base
        };
        let ahead = u64::from(self.0 >> SEQUENCE).saturating_sub(1);
        (sequence, sequence.saturating_sub(ahead))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};
    use crate::process::INLINE_MAX;
    use crate::protocol::health::{Opinion, Update};

    #[test]
    fn an_envelope_fits_an_event() {
        assert_eq!(size_of::<Envelope>(), INLINE_MAX);
    }

    #[test]
    fn kinds_survive_packing() {
        let outcomes = Outcome::ALL.into_iter().flat_map(|outcome| [Kind::Ack(outcome), Kind::Reply(outcome)]);
        let gossip = [GossipKind::Ping, GossipKind::Ack, GossipKind::PingReq].map(Kind::Gossip);
        let plain = [Kind::Notice, Kind::Message, Kind::Request, Kind::Cancel, Kind::Skip];
        let others = [Kind::Untie, Kind::Probe, Kind::Alive, Kind::Idle, Kind::Subscribe];
        let deliveries = [(false, false), (true, false), (false, true), (true, true)];
        let deliveries = deliveries.map(|(settled, asks)| Kind::Delivery { settled, asks });
        for kind in deliveries {
            let mut envelope = Envelope::new(kind, 1, 2, 3, 4);
            envelope.name_subject(MessageId { owner: NodeId::new(5), number: 6 });
            assert_eq!(envelope.subject(), Some(MessageId { owner: NodeId::new(5), number: 6 }));
        }
        let others = others.into_iter().chain(deliveries);
        for kind in plain.into_iter().chain(others).chain(gossip).chain(outcomes) {
            assert_eq!(Kind::unpack(kind.pack()), kind);
            assert_eq!(Envelope::new(kind, 0, 0, 0, 0).leg(), kind.leg());
        }
    }

    #[test]
    fn gossip_survives_its_envelope() {
        let update = Some(Update { member: 65_535, opinion: Opinion::Suspect, incarnation: 1 << 29 });
        for update in [update, None] {
            let gossip = Gossip { kind: GossipKind::PingReq, subject: 65_534, sequence: u32::MAX - 1, update };
            assert_eq!(Envelope::gossip(u64::MAX, 7, gossip).as_gossip(), Some(gossip));
        }
        assert_eq!(Envelope::new(Kind::Alive, 0, 0, 0, 1).as_gossip(), None);
    }

    #[test]
    fn a_remainder_is_rounded_down_a_little() {
        for left in [Span::ZERO, Span::from_nanos(1), ms(50), secs(2), secs(86_400), Span::from_nanos((1 << 26) - 1)] {
            let read = Remainder::of(left).left().unwrap();
            assert!(read <= left && left.as_nanos() - read.as_nanos() <= left.as_nanos() >> 25, "{left}: {read}");
        }
        assert_eq!(Remainder::of(ms(50)).left(), Some(ms(50)));
        assert_eq!(Remainder::NONE.left(), None);
    }

    #[test]
    fn a_tie_names_the_other_member() {
        for (member, is_first) in [(0, true), (0, false), (7, true), (20_000_000, false)] {
            assert_eq!(Beside::tie(member, is_first).as_tie(), Some((member, is_first)));
        }
        assert_eq!(Beside::NONE.as_tie(), None);
    }

    #[test]
    fn a_place_is_read_near_where_it_was_written() {
        for sequence in [0, 5, (1 << 20) - 1, 1 << 20, (1 << 20) + 7, 5 << 20] {
            for behind in [0, 3, 4_000] {
                let lowest = u64::saturating_sub(sequence, behind);
                for near in [lowest, sequence, sequence + 4_000] {
                    assert_eq!(Beside::place(sequence, lowest).read(near), (sequence, lowest));
                }
            }
        }
    }
}
