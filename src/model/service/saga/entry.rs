//! What stands on the disk of a saga.

use crate::model::bytes::Bytes;
use crate::process::SagaFact;

/// What stands on the disk of a saga.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Entry {
    /// This leg may have been done, and all before it.
    Leg { number: u64, leg: u16, step: (u16, u16), luck: u64, about: Option<u64> },
    /// It is over.
    End { number: u64, fact: SagaFact },
}

impl Entry {
    pub(super) fn bytes(self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(32);
        match self {
            Self::Leg { number, leg, step, luck, about } => {
                bytes.push(if about.is_some() { 1 } else { 0 });
                bytes.extend(number.to_le_bytes());
                [leg, step.0, step.1].into_iter().for_each(|part| bytes.extend(part.to_le_bytes()));
                bytes.extend(luck.to_le_bytes());
                bytes.extend(about.unwrap_or_default().to_le_bytes());
            }
            Self::End { number, fact } => {
                bytes.push(if fact == SagaFact::Completed { 2 } else { 3 });
                bytes.extend(number.to_le_bytes());
            }
        }
        bytes
    }

    /// What was written, unless it is torn.
    pub(super) fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = Bytes(bytes);
        let (kind, number) = (rest.u8()?, rest.u64()?);
        Some(match kind {
            2 => Self::End { number, fact: SagaFact::Completed },
            3 => Self::End { number, fact: SagaFact::Compensated },
            kind => {
                let (leg, step, luck) = (rest.u16()?, (rest.u16()?, rest.u16()?), rest.u64()?);
                let about = rest.u64()?;
                Self::Leg { number, leg, step, luck, about: (kind == 1).then_some(about) }
            }
        })
    }

    /// Of two entries at one pair of places the later one is true.
    pub(super) fn order(self) -> (u64, u32) {
        match self {
            Self::Leg { number, leg, .. } => (number, leg.into()),
            Self::End { number, .. } => (number, u32::MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_is_read_as_it_was_written_and_a_torn_one_is_not() {
        let leg = |about| Entry::Leg { number: 1 << 33, leg: 2, step: (300, 4), luck: 5, about };
        let end = |fact| Entry::End { number: 7, fact };
        for entry in [leg(None), leg(Some(9)), end(SagaFact::Completed), end(SagaFact::Compensated)] {
            let bytes = entry.bytes();
            assert_eq!(Entry::read(&bytes), Some(entry));
            assert!((0..bytes.len()).all(|len| Entry::read(&bytes[..len]).is_none()));
        }
        assert!(leg(None).order() < Entry::End { number: 1 << 33, fact: SagaFact::Completed }.order());
    }
}
