//! A row of an outbox, and what of it stands on the disk.

use std::num::NonZeroU32;

use crate::base::id::NodeId;
use crate::base::time::Span;
use crate::model::OutboxSpec;
use crate::model::bytes::Bytes;
use crate::model::script::Script;
use crate::process::MessageId;

/// A message in the outbox.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Row {
    pub(super) place: u64,
    pub(super) what: What,
    pub(super) stage: Stage,
    /// How often it was published in this life, and more if it was found: what lives before may have used is not used again.
    pub(super) attempts: u32,
    /// The member of its broker that it was published to.
    pub(super) member: u32,
    /// Writes to its place that are not synced, and whether one ever was.
    pub(super) unsynced: u32,
    pub(super) is_kept: bool,
    /// Whether the ledger knows that it is kept here.
    pub(super) is_stated: bool,
}

/// What is written of a message.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct What {
    pub(super) message: MessageId,
    pub(super) luck: u64,
    pub(super) call: u16,
    /// A hash of its key, if it has one.
    pub(super) about: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Stage {
    /// It is being written, for this request unless that has gone.
    Writing(Option<u32>),
    /// It is to be published.
    Ready,
    /// It is under way.
    InFlight,
    /// It is confirmed, and the row is being cleared.
    Clearing,
    /// It is confirmed, and there was no room to clear the row: it is published again when the relay looks next.
    Uncleared,
}

impl What {
    pub(super) fn bytes(&self, order: u64) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(39);
        bytes.extend(order.to_le_bytes());
        bytes.extend(self.message.owner.index().to_le_bytes());
        bytes.extend(self.message.number.to_le_bytes());
        bytes.extend(self.luck.to_le_bytes());
        bytes.extend(self.call.to_le_bytes());
        bytes.push(self.about.is_some().into());
        bytes.extend(self.about.unwrap_or_default().to_le_bytes());
        bytes
    }

    /// A row and its order, unless it is torn or cleared.
    pub(super) fn read(bytes: &[u8]) -> Option<(u64, Self)> {
        let mut rest = Bytes(bytes);
        let order = rest.u64()?;
        let message = MessageId { owner: NodeId::new(rest.u32()?), number: rest.u32()? };
        let (luck, call, has_key, key) = (rest.u64()?, rest.u16()?, rest.u8()?, rest.u64()?);
        Some((order, Self { message, luck, call, about: (has_key == 1).then_some(key) }))
    }
}

impl Row {
    pub(super) fn new(place: u64, what: What, stage: Stage) -> Self {
        Self { place, what, stage, attempts: 0, member: 0, unsynced: 0, is_kept: false, is_stated: false }
    }

    /// How long its confirm is waited for; a record is with its producer, which says when it gives up.
    pub(super) fn timeout(&self, script: &Script) -> Option<Span> {
        let call = &script.calls[usize::from(self.what.call)];
        let timeout = || call.policy.retry.timeout_of(NonZeroU32::MIN, Span::ZERO).unwrap_or(OutboxSpec::TIMEOUT);
        call.record.is_none().then(timeout)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_is_read_as_it_was_written_and_a_torn_one_is_not() {
        for about in [None, Some(u64::MAX - 1)] {
            let message = MessageId { owner: NodeId::new(7), number: 3 << 24 };
            let what = What { message, luck: 5, call: 300, about };
            let bytes = what.bytes(9);
            assert_eq!(What::read(&bytes), Some((9, what)));
            assert!((0..bytes.len()).all(|len| What::read(&bytes[..len]).is_none()));
        }
    }
}
