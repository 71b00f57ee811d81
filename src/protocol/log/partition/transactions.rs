//! Which transactions of a partition are open, and which were aborted: the last stable offset, and what a reader of committed
//! records has to leave out.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use crate::protocol::log::ids::{Offset, ProducerId};

/// A transaction that was aborted in a partition.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Aborted {
    /// Whose.
    pub producer: ProducerId,
    /// Where it began.
    pub first: Offset,
    /// Where its marker stands.
    pub marker: Offset,
    /// The last stable offset once the marker was written: no batch before that belongs to a later transaction.
    pub(super) stable: Offset,
}

/// The transactions of a partition.
#[derive(Clone, Debug, Default)]
pub(super) struct Transactions {
    /// Where those begin that have no marker.
    open: BTreeMap<ProducerId, Offset>,
    /// Markers that are not replicated yet, and where their transactions begin.
    decided: BTreeMap<Offset, Offset>,
    /// Where all of those begin.
    firsts: BTreeSet<Offset>,
    /// In order of their markers.
    aborted: VecDeque<Aborted>,
}

impl Transactions {
    /// A batch within a transaction begins here.
    pub fn note(&mut self, producer: ProducerId, base: Offset) {
        if let std::collections::btree_map::Entry::Vacant(entry) = self.open.entry(producer) {
            entry.insert(base);
            self.firsts.insert(base);
        }
    }

    /// A marker stands here. A transaction that wrote nothing to this partition has none to end.
    pub fn end(&mut self, producer: ProducerId, marker: Offset, is_abort: bool) {
        let Some(first) = self.open.remove(&producer) else { return };
        self.decided.insert(marker, first);
        if is_abort {
            let stable = self.open.values().min().map_or(marker.next(), |&offset| offset);
            self.aborted.push_back(Aborted { producer, first, marker, stable });
        }
    }

    /// All below the high watermark is replicated. Markers are removed once, so this is amortised O(log n).
    pub fn replicated(&mut self, high_watermark: Offset) {
        while let Some(entry) = self.decided.first_entry()
            && *entry.key() < high_watermark
        {
            self.firsts.remove(&entry.remove());
        }
    }

    /// Where the earliest transaction begins that has not ended for all.
    pub fn first_unstable(&self) -> Option<Offset> {
        self.firsts.first().copied()
    }

    /// The aborted transactions that have batches from `from` up to, but without, `end`.
    pub fn aborted(&self, from: Offset, end: Offset) -> Vec<Aborted> {
        let start = self.aborted.partition_point(|aborted| aborted.marker < from);
        let mut found = Vec::new();
        for aborted in self.aborted.range(start..) {
            if aborted.first < end {
                found.push(*aborted);
            }
            if aborted.stable >= end {
                break;
            }
        }
        found
    }

    /// Whether all of the batch that this producer wrote here was aborted.
    pub fn is_aborted(&self, producer: ProducerId, base: Offset) -> bool {
        let start = self.aborted.partition_point(|aborted| aborted.marker < base);
        let mut later = self.aborted.range(start..).filter(|aborted| aborted.producer == producer);
        later.next().is_some_and(|aborted| aborted.first <= base)
    }

    /// The log begins here now.
    pub fn truncate_start(&mut self, start: Offset) {
        while self.aborted.front().is_some_and(|aborted| aborted.marker < start) {
            self.aborted.pop_front();
        }
    }

    pub fn clear(&mut self) {
        *self = Self::default();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::testing::o;

    /// Producer 1 writes at 0 and aborts at 4; producer 2 writes at 2 and commits at 6. Markers count once they are replicated.
    #[test]
    fn the_first_unstable_offset_waits_for_replicated_markers() {
        let mut transactions = Transactions::default();
        transactions.note(ProducerId(1), o(0));
        transactions.note(ProducerId(2), o(2));
        transactions.note(ProducerId(1), o(3));
        assert_eq!(transactions.first_unstable(), Some(o(0)));
        transactions.end(ProducerId(1), o(4), true);
        assert_eq!(transactions.first_unstable(), Some(o(0)));
        transactions.replicated(o(5));
        assert_eq!(transactions.first_unstable(), Some(o(2)));
        transactions.end(ProducerId(2), o(6), false);
        transactions.replicated(o(7));
        assert_eq!(transactions.first_unstable(), None);
        let found = transactions.aborted(o(1), o(7));
        assert_eq!(found.iter().map(|aborted| aborted.first).collect::<Vec<_>>(), [o(0)]);
        assert!(transactions.aborted(o(5), o(7)).is_empty());
        assert!(transactions.is_aborted(ProducerId(1), o(3)) && !transactions.is_aborted(ProducerId(2), o(2)));
    }
}
