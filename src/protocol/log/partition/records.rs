//! The records of a batch in a log, kept in columns.
//!
//! A log keeps records for a long time, and those of a batch have much in common: nearly always their size, and often whether they have
//! keys. What all have in common is kept once.

use super::Record;
use crate::base::time::Time;
use crate::base::units::Bytes;

/// The records of a batch, in order.
#[derive(Clone, PartialEq, Debug)]
pub struct Records<M> {
    values: Box<[M]>,
    timestamps: Column<Time>,
    sizes: Column<Bytes>,
    keys: Column<Option<u64>>,
    tombstones: Column<bool>,
}

/// Something of each record.
#[derive(Clone, PartialEq, Debug)]
enum Column<T> {
    /// The same of all.
    Same(T),
    Each(Box<[T]>),
}

impl<T: Copy + PartialEq + Default> Column<T> {
    fn of(all: impl Iterator<Item = T> + Clone) -> Self {
        let first = all.clone().next().unwrap_or_default();
        if all.clone().all(|one| one == first) { Self::Same(first) } else { Self::Each(all.collect()) }
    }

    fn get(&self, index: usize) -> T {
        match self {
            Self::Same(one) => *one,
            Self::Each(all) => all[index],
        }
    }
}

impl<M: Copy> Records<M> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = Record<M>> + ExactSizeIterator {
        self.values.iter().enumerate().map(|(index, &value)| Record {
            key: self.keys.get(index),
            value,
            size: self.sizes.get(index),
            timestamp: self.timestamps.get(index),
            is_tombstone: self.tombstones.get(index),
        })
    }

    /// What the owner keeps for each.
    pub fn values(&self) -> &[M] {
        &self.values
    }
}

impl<M: Copy> From<&[Record<M>]> for Records<M> {
    fn from(records: &[Record<M>]) -> Self {
        Self {
            values: records.iter().map(|record| record.value).collect(),
            timestamps: Column::of(records.iter().map(|record| record.timestamp)),
            sizes: Column::of(records.iter().map(|record| record.size)),
            keys: Column::of(records.iter().map(|record| record.key)),
            tombstones: Column::of(records.iter().map(|record| record.is_tombstone)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::bytes;
    use crate::protocol::log::testing::{at, record};

    #[test]
    fn records_come_back_as_they_were_put_in() {
        let plain = [record(None, 1), record(None, 2)];
        let keyed = [record(Some(7), 1), Record { is_tombstone: true, ..record(None, 2) }];
        let varied = [record(None, 1), Record { size: bytes(9), timestamp: at(4), ..record(None, 2) }];
        for written in [&plain[..], &keyed, &varied, &[]] {
            let records = Records::from(written);
            assert_eq!(records.iter().collect::<Vec<_>>(), written);
            assert_eq!((records.len(), records.is_empty()), (written.len(), written.is_empty()));
        }
    }

    /// A million records of a topic are in memory at once: what is the same of all takes no room.
    #[test]
    fn what_is_the_same_of_all_is_kept_once() {
        let records = Records::from(&[record(None, 1), record(None, 2)][..]);
        assert_eq!((records.sizes, records.keys), (Column::Same(bytes(100)), Column::Same(None)));
    }
}
