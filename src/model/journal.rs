//! The journal: what a service writes of what it has handled, so that a crash does not take it.
//!
//! Each request that was handled well is a record. A service that syncs before it answers has no answer out whose effect a
//! crash could take; one that answers first may lose the last ones, one that keeps its state in memory all. Records of
//! requests that must not be handled twice are kept for good and read when the service starts again; of all others only the
//! sync matters, so their places on the disk are used again.

use std::collections::BTreeMap;

use crate::base::id::NodeId;

/// What becomes of a service's state in a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum State {
    /// There is none to lose: what was handled stays handled, wherever its effect is.
    #[default]
    Elsewhere,
    /// It is in memory, and lost.
    Volatile,
    /// It is on disk.
    Durable {
        /// Whether an answer waits until its record is synced.
        syncs_first: bool,
    },
}

/// A request, as it is found after a crash.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Record {
    pub(super) caller: NodeId,
    pub(super) number: u32,
    pub(super) call: u16,
}

impl Record {
    pub(super) fn bytes(self) -> Vec<u8> {
        [&self.caller.index().to_le_bytes()[..], &self.number.to_le_bytes(), &self.call.to_le_bytes()].concat()
    }

    /// The record, unless it is torn.
    fn read(bytes: &[u8]) -> Option<Self> {
        let caller = u32::from_le_bytes(bytes.get(0..4)?.try_into().ok()?);
        let number = u32::from_le_bytes(bytes.get(4..8)?.try_into().ok()?);
        let call = u16::from_le_bytes(bytes.get(8..10)?.try_into().ok()?);
        Some(Self { caller: NodeId::new(caller), number, call })
    }
}

/// Keys from here on, up to those of places, are not the journal's: rows of the outbox.
pub(super) const ROWS: u64 = 1 << 62;

/// Keys from here on are places that are used again.
pub(super) const PLACES: u64 = 1 << 63;

/// One node's journal. `J` is what waits for a sync.
#[derive(Debug)]
pub(super) struct Journal<J> {
    waiting: BTreeMap<u64, J>,
    /// Records that were on the disk when the node came up, in the order in which they were written, but torn ones.
    pub(super) found: Vec<Record>,
    /// Requests answered whose effects a crash would take.
    pub(super) at_risk: u32,
    /// What was said last about that.
    pub(super) shown: u32,
    next: u64,
    places: u64,
    free: Vec<u64>,
}

impl<J> Journal<J> {
    /// The journal of a node that finds this on its disk.
    pub(super) fn new(disk: &BTreeMap<u64, Vec<u8>>) -> Self {
        let next = disk.range(..ROWS).next_back().map_or(0, |(key, _)| key + 1);
        let found = disk.range(..ROWS).filter_map(|(_, bytes)| Record::read(bytes)).collect();
        Self { waiting: BTreeMap::new(), found, at_risk: 0, shown: 0, next, places: 0, free: Vec::new() }
    }

    /// Where the next record is to be written: for good, or not.
    pub(super) fn place(&mut self, is_for_good: bool) -> u64 {
        if is_for_good {
            self.next += 1;
            return self.next - 1;
        }
        self.free.pop().unwrap_or_else(|| {
            self.places += 1;
            PLACES + self.places - 1
        })
    }

    /// What waits for the record at `key`.
    pub(super) fn wait(&mut self, key: u64, job: J) {
        self.waiting.insert(key, job);
    }

    /// The record at `key` is written, and not synced: what waited for that goes on at its own risk.
    pub(super) fn written(&mut self, key: u64) -> Option<J> {
        let job = self.waiting.remove(&key);
        self.at_risk += u32::from(job.is_some());
        job
    }

    /// The record at `key` is synced: what waited for that.
    pub(super) fn synced(&mut self, key: u64) -> Option<J> {
        self.leave(key);
        let job = self.waiting.remove(&key);
        if job.is_none() {
            self.at_risk = self.at_risk.saturating_sub(1);
        }
        job
    }

    /// The record at `key` was refused: what waited for it.
    pub(super) fn refused(&mut self, key: u64) -> Option<J> {
        self.leave(key);
        self.waiting.remove(&key)
    }

    fn leave(&mut self, key: u64) {
        if key >= PLACES {
            self.free.push(key);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_as_they_were_written_and_torn_ones_are_left_out() {
        let record = |number| Record { caller: NodeId::new(7), number, call: 300 };
        let mut disk: BTreeMap<u64, Vec<u8>> = (0..3).map(|key| (key, record(key as u32).bytes())).collect();
        disk.insert(PLACES, record(9).bytes());
        disk.get_mut(&2).expect("it is there").truncate(9);
        let mut journal = Journal::<()>::new(&disk);
        assert_eq!(journal.found, [record(0), record(1)]);
        assert_eq!(journal.place(true), 3);
    }

    #[test]
    fn places_are_used_again_and_records_for_good_are_not() {
        let mut journal = Journal::new(&BTreeMap::new());
        let [first, second] = [journal.place(false), journal.place(false)];
        journal.wait(first, 'a');
        journal.wait(second, 'b');
        assert_eq!((journal.written(second), journal.at_risk), (Some('b'), 1));
        assert_eq!((journal.synced(first), journal.place(false)), (Some('a'), first));
        assert_eq!((journal.synced(second), journal.at_risk, journal.place(false)), (None, 0, second));
        journal.wait(first, 'c');
        assert_eq!((journal.refused(first), journal.at_risk, journal.place(false)), (Some('c'), 0, first));
        assert_eq!([journal.place(true), journal.place(true)], [0, 1]);
    }
}
