//! The one message type of scenarios: an envelope, or something larger that is kept aside on its way.
//!
//! Nearly every message is an [`Envelope`], which travels inside its event. What brokers of topics say to each other and to their
//! clients ([`Bulk`]) has contents of any size, and waits in a pool until it is delivered.

use crate::base::id::NodeId;
use crate::process::{Carriage, Identity, Leg, Message, MessageId, Name, Pooled, Ticket};

use super::envelope::{Envelope, NO_NUMBER};
use super::log::Bulk;

/// A message between roles.
#[derive(Clone, PartialEq, Debug)]
pub enum Letter {
    /// A small one.
    Plain(Envelope),
    /// One with contents.
    Bulk(Box<Bulk>),
}

impl From<Envelope> for Letter {
    #[inline(always)]
    fn from(envelope: Envelope) -> Self {
        Self::Plain(envelope)
    }
}

impl Message for Letter {
    type Carriage = Mixed;

    #[inline(always)]
    fn identity(&self) -> Identity {
        match self {
            Self::Plain(envelope) => envelope.identity(),
            // What it carries is followed record by record, by those who keep them.
            Self::Bulk(bulk) => Identity { name: Name::Luck(bulk.luck), attempt: 1, leg: Leg::Cancel },
        }
    }

    #[inline(always)]
    fn offered_as(&self, from: NodeId, to: NodeId) -> MessageId {
        match self {
            Self::Plain(envelope) => envelope.offered_as(from, to),
            Self::Bulk(_) => MessageId { owner: from, number: NO_NUMBER },
        }
    }

    #[inline(always)]
    fn digest(&self) -> u64 {
        match self {
            Self::Plain(envelope) => envelope.digest(),
            Self::Bulk(bulk) => bulk.digest(),
        }
    }
}

/// Carries envelopes inside events, and all else in a pool.
#[derive(Default)]
pub struct Mixed(Pooled<Letter>);

/// What an event holds of a letter.
#[derive(Clone, Copy, Debug)]
pub enum Slip {
    /// All of it.
    Plain(Envelope),
    /// Where it is.
    Bulk(Ticket),
}

const _: () = assert!(size_of::<Slip>() == 24 && size_of::<Letter>() == 24);

impl Carriage<Letter> for Mixed {
    type Parcel = Slip;

    #[inline(always)]
    fn pack(&mut self, message: Letter) -> Slip {
        match message {
            Letter::Plain(envelope) => Slip::Plain(envelope),
            bulk @ Letter::Bulk(_) => Slip::Bulk(self.0.pack(bulk)),
        }
    }

    #[inline(always)]
    fn unpack(&mut self, parcel: Slip) -> Letter {
        match parcel {
            Slip::Plain(envelope) => Letter::Plain(envelope),
            Slip::Bulk(ticket) => self.0.unpack(ticket),
        }
    }

    #[inline(always)]
    fn look<R>(&self, parcel: &Slip, see: impl FnOnce(&Letter) -> R) -> R {
        match parcel {
            Slip::Plain(envelope) => see(&Letter::Plain(*envelope)),
            Slip::Bulk(ticket) => self.0.look(ticket, see),
        }
    }

    fn clear(&mut self) {
        self.0.clear();
    }
}
