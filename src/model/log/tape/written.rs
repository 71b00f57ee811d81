//! A batch as it is written to disk.
//!
//! Disks are in memory here, so a batch takes no more room than it needs: a record says what does not follow from the one before it.

use crate::base::id::NodeId;
use crate::base::time::Time;
use crate::base::units::Bytes;
use crate::model::bytes::{self, put_short};
use crate::model::log::Parcel;
use crate::process::MessageId;
use crate::protocol::log::ids::{LeaderEpoch, Offset, ProducerEpoch, ProducerId, Sequence};
use crate::protocol::log::partition::{Acks, Batch, Control, Record, Stamp};

/// What is said of a batch, if it is so.
const TRANSACTIONAL: u8 = 1;
const STAMPED: u8 = 1 << 1;
const GAPS: u8 = 1 << 2;

/// What is said of a record, if it is so.
const TOMBSTONE: u8 = 1;
const KEYED: u8 = 1 << 1;
/// Its message is of another owner or kind than the one before it, or has not the next number.
const NAMED: u8 = 1 << 2;
/// Its size is another one.
const SIZED: u8 = 1 << 3;

/// The record that the first one of a batch is compared with.
const NOTHING: Record<Parcel> = Record {
    key: None,
    value: Parcel { message: MessageId { owner: NodeId::new(0), number: 0 }, luck: 0, call: 0 },
    size: Bytes::new(0),
    timestamp: Time::ZERO,
    is_tombstone: false,
};

/// The message that follows this one where nothing is said.
fn next_message(before: &Record<Parcel>) -> MessageId {
    let message = before.value.message;
    MessageId { number: message.number.wrapping_add(1), ..message }
}

pub(super) fn written(batch: &Batch<Parcel>) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + 16 * batch.len());
    put_short(&mut out, batch.base.0);
    put_short(&mut out, batch.last.since(batch.base));
    put_short(&mut out, batch.epoch.0.into());
    put_short(&mut out, batch.size.count());
    out.push(batch.acks as u8);
    out.push(batch.control.map_or(0, |control| 1 + control as u8));
    let flag = |flag: u8, is_set: bool| if is_set { flag } else { 0 };
    out.push(
        flag(TRANSACTIONAL, batch.is_transactional)
            | flag(STAMPED, batch.stamp.is_some())
            | flag(GAPS, batch.offsets.is_some()),
    );
    if let Some(stamp) = batch.stamp {
        put_short(&mut out, stamp.producer.0);
        put_short(&mut out, stamp.epoch.0.into());
        put_short(&mut out, stamp.sequence.0.into());
    }
    put_short(&mut out, batch.len() as u64);
    let mut before = NOTHING;
    for (offset, record) in batch.records() {
        let Parcel { message, luck, call } = record.value;
        let is_named = message != next_message(&before) || call != before.value.call;
        let is_sized = record.size != before.size;
        out.push(
            flag(TOMBSTONE, record.is_tombstone)
                | flag(KEYED, record.key.is_some())
                | flag(NAMED, is_named)
                | flag(SIZED, is_sized),
        );
        if batch.offsets.is_some() {
            put_short(&mut out, offset.0);
        }
        if is_named {
            out.extend(message.owner.index().to_le_bytes());
            out.extend(message.number.to_le_bytes());
            out.extend(call.to_le_bytes());
        }
        out.extend(luck.to_le_bytes());
        if is_sized {
            put_short(&mut out, record.size.count());
        }
        // Records of several senders need not stand in order of their times.
        put_short(&mut out, record.timestamp.as_nanos().wrapping_sub(before.timestamp.as_nanos()));
        if let Some(key) = record.key {
            out.extend(key.to_le_bytes());
        }
        before = record;
    }
    out.shrink_to_fit();
    out
}

/// A batch as it was written. A torn one is of no use.
pub(super) fn read(written: &[u8]) -> Option<Batch<Parcel>> {
    let mut from = bytes::Bytes(written);
    let base = Offset(from.short()?);
    let last = base.plus(from.short()?);
    let epoch = LeaderEpoch(from.short()? as u32);
    let size = Bytes::new(from.short()?);
    let acks = [Acks::None, Acks::Leader, Acks::All].into_iter().find({
        let written = from.u8()?;
        move |acks| *acks as u8 == written
    })?;
    let control = match from.u8()? {
        0 => None,
        1 => Some(Control::Commit),
        _ => Some(Control::Abort),
    };
    let about = from.u8()?;
    let stamp = match about & STAMPED {
        0 => None,
        _ => Some(Stamp {
            producer: ProducerId(from.short()?),
            epoch: ProducerEpoch(from.short()? as u16),
            sequence: Sequence(from.short()? as u32),
        }),
    };
    let (mut records, mut offsets) = (Vec::new(), Vec::new());
    let mut before = NOTHING;
    for _ in 0..from.short()? {
        let flags = from.u8()?;
        if about & GAPS != 0 {
            offsets.push(Offset(from.short()?));
        }
        let (message, call) = match flags & NAMED {
            0 => (next_message(&before), before.value.call),
            _ => (MessageId { owner: NodeId::new(from.u32()?), number: from.u32()? }, from.u16()?),
        };
        let value = Parcel { message, luck: from.u64()?, call };
        let size = if flags & SIZED == 0 { before.size } else { Bytes::new(from.short()?) };
        let timestamp = Time::from_nanos(before.timestamp.as_nanos().wrapping_add(from.short()?));
        let key = if flags & KEYED == 0 { None } else { Some(from.u64()?) };
        before = Record { key, value, size, timestamp, is_tombstone: flags & TOMBSTONE != 0 };
        records.push(before);
    }
    Some(Batch {
        base,
        last,
        epoch,
        stamp,
        is_transactional: about & TRANSACTIONAL != 0,
        control,
        acks,
        size,
        records: records.as_slice().into(),
        offsets: (about & GAPS != 0).then(|| offsets.into()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{secs, us};

    fn record(number: u32) -> Record<Parcel> {
        let message = MessageId { owner: NodeId::new(7), number };
        Record {
            key: number.is_multiple_of(2).then_some(u64::MAX - 1),
            value: Parcel { message, luck: u64::MAX - 5, call: 300 },
            size: Bytes::new(1 << 33),
            timestamp: Time::ZERO + secs(3),
            is_tombstone: number == 3,
        }
    }

    fn marker() -> Batch<Parcel> {
        Batch {
            base: Offset(5),
            last: Offset(5),
            epoch: LeaderEpoch(4),
            stamp: None,
            is_transactional: false,
            control: Some(Control::Abort),
            acks: Acks::Leader,
            size: Bytes::new(400),
            records: [][..].into(),
            offsets: None,
        }
    }

    #[test]
    fn a_batch_is_read_as_it_was_written_and_a_torn_one_is_not() {
        let stamp = Stamp { producer: ProducerId(9), epoch: ProducerEpoch(2), sequence: Sequence(77) };
        let records = (0..4).map(record).collect::<Vec<_>>();
        let plain = Batch { last: Offset(8), control: None, records: records.as_slice().into(), ..marker() };
        let stamped = Batch { stamp: Some(stamp), is_transactional: true, acks: Acks::All, ..plain.clone() };
        let gaps = Batch {
            offsets: Some([Offset(5), Offset(8)].into()),
            records: [record(0), record(3)][..].into(),
            ..stamped.clone()
        };
        for batch in [plain, stamped, gaps, marker()] {
            let written = written(&batch);
            assert_eq!(read(&written).as_ref(), Some(&batch));
            assert!((0..written.len()).all(|len| read(&written[..len]).is_none()));
        }
        assert_eq!(read(&[]), None);
    }

    /// What follows from the record before is not written: the name of its luck, and how much later it was made.
    #[test]
    fn records_that_follow_each_other_take_little_room() {
        let follows = |number: u32| {
            let timestamp = Time::ZERO + us(100 * u64::from(number));
            Record { key: None, is_tombstone: false, timestamp, size: Bytes::new(100), ..record(number) }
        };
        let batch =
            |count| Batch { records: (0..count).map(follows).collect::<Vec<_>>().as_slice().into(), ..marker() };
        let size = |count| written(&batch(count)).len();
        assert_eq!(size(101) - size(1), 100 * (1 + 8 + 3));
        assert_eq!(read(&written(&batch(9))), Some(batch(9)));
    }
}
