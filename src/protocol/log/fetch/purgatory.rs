//! Fetches that wait at a broker until there is enough.

use std::collections::{BTreeMap, BTreeSet};

use crate::base::time::Time;
use crate::base::units::Bytes;
use crate::protocol::log::ids::{Offset, TopicPartition};

/// The number of a fetch that waits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct FetchId(pub u64);

/// A fetch, and when it is worth an answer.
#[derive(Clone, PartialEq, Debug)]
pub struct Wanted<T> {
    /// What the owner keeps for it.
    pub fetch: T,
    /// Where it reads.
    pub parts: Vec<(TopicPartition, Offset)>,
    /// With so much it is answered.
    pub min_bytes: Bytes,
    /// It is answered then, whatever there is.
    pub deadline: Time,
}

/// The fetches that wait at a broker: O(log n) to enter or leave, and O(its partitions) to look at one again, which happens when one
/// of its partitions has grown.
#[derive(Clone, Debug)]
pub struct Purgatory<T> {
    waiting: BTreeMap<FetchId, Wanted<T>>,
    watched: BTreeSet<(TopicPartition, FetchId)>,
    deadlines: BTreeSet<(Time, FetchId)>,
    next: u64,
}

impl<T> Default for Purgatory<T> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), watched: BTreeSet::new(), deadlines: BTreeSet::new(), next: 0 }
    }
}

/// Whether a fetch is worth an answer. `available` says how much is to be read of a partition from an offset on; nothing if that is an
/// error, which is told at once.
fn is_enough<T>(wanted: &Wanted<T>, available: impl Fn(TopicPartition, Offset) -> Option<Bytes>) -> bool {
    let mut sum = 0;
    for &(partition, from) in &wanted.parts {
        match available(partition, from) {
            Some(size) => sum += size.count(),
            None => return true,
        }
    }
    sum >= wanted.min_bytes.count()
}

impl<T> Purgatory<T> {
    /// A fetch comes in at `now`; it comes back if it can be answered at once.
    pub fn enter(
        &mut self,
        wanted: Wanted<T>,
        now: Time,
        available: impl Fn(TopicPartition, Offset) -> Option<Bytes>,
    ) -> Option<Wanted<T>> {
        if wanted.deadline <= now || wanted.parts.is_empty() || is_enough(&wanted, available) {
            return Some(wanted);
        }
        let id = FetchId(self.next);
        self.next += 1;
        self.watched.extend(wanted.parts.iter().map(|&(partition, _)| (partition, id)));
        self.deadlines.insert((wanted.deadline, id));
        self.waiting.insert(id, wanted);
        None
    }

    /// More can be read of a partition, or it has moved: the fetches that are answered now, in order of their coming.
    pub fn grown(
        &mut self,
        partition: TopicPartition,
        available: impl Fn(TopicPartition, Offset) -> Option<Bytes>,
    ) -> Vec<Wanted<T>> {
        let watching = self.watched.range((partition, FetchId(0))..=(partition, FetchId(u64::MAX)));
        let ready: Vec<_> = watching.map(|&(_, id)| id).filter(|id| is_enough(&self.waiting[id], &available)).collect();
        ready.into_iter().filter_map(|id| self.leave(id)).collect()
    }

    /// The fetches that have waited long enough.
    pub fn expired(&mut self, now: Time) -> Vec<Wanted<T>> {
        let due = self.deadlines.range(..=(now, FetchId(u64::MAX)));
        let due: Vec<_> = due.map(|&(_, id)| id).collect();
        due.into_iter().filter_map(|id| self.leave(id)).collect()
    }

    /// When the next fetch has waited long enough.
    pub fn next_deadline(&self) -> Option<Time> {
        self.deadlines.first().map(|&(deadline, _)| deadline)
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }

    fn leave(&mut self, id: FetchId) -> Option<Wanted<T>> {
        let wanted = self.waiting.remove(&id)?;
        for &(partition, _) in &wanted.parts {
            self.watched.remove(&(partition, id));
        }
        self.deadlines.remove(&(wanted.deadline, id));
        Some(wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::bytes;
    use crate::protocol::log::testing::{at, o};

    const A: TopicPartition = TopicPartition::new(0, 0);
    const B: TopicPartition = TopicPartition::new(0, 1);

    fn wanted(fetch: u32, min: u64, deadline: u64) -> Wanted<u32> {
        Wanted { fetch, parts: vec![(A, o(0)), (B, o(0))], min_bytes: bytes(min), deadline: at(deadline) }
    }

    /// Fetches that want 1, 300 and 500 bytes of A and B: A gets 100, B gets 200, and the third is over at 500 ms.
    #[test]
    fn a_fetch_waits_for_enough_or_for_its_time() {
        let mut purgatory = Purgatory::default();
        let of = |a, b| move |partition, _| Some(bytes(if partition == A { a } else { b }));
        for (fetch, min) in [(1, 1), (2, 300), (3, 500)] {
            assert_eq!(purgatory.enter(wanted(fetch, min, 500), at(0), of(0, 0)), None);
        }
        let names = |found: Vec<Wanted<u32>>| found.into_iter().map(|wanted| wanted.fetch).collect::<Vec<_>>();
        assert_eq!(names(purgatory.grown(A, of(100, 0))), [1]);
        assert_eq!(names(purgatory.grown(B, of(100, 200))), [2]);
        assert_eq!((purgatory.next_deadline(), purgatory.expired(at(499)).len()), (Some(at(500)), 0));
        assert_eq!(names(purgatory.expired(at(500))), [3]);
        assert!(purgatory.is_empty() && purgatory.watched.is_empty() && purgatory.next_deadline().is_none());
    }

    #[test]
    fn an_error_or_no_patience_is_answered_at_once() {
        let mut purgatory = Purgatory::default();
        assert!(purgatory.enter(wanted(1, 1, 500), at(0), |_, _| None).is_some());
        assert!(purgatory.enter(wanted(1, 1, 7), at(7), |_, _| Some(bytes(0))).is_some());
        assert!(purgatory.enter(wanted(1, 0, 500), at(0), |_, _| Some(bytes(0))).is_some());
        assert!(purgatory.enter(wanted(1, 1, 500), at(0), |_, _| Some(bytes(0))).is_none());
        assert_eq!(purgatory.grown(A, |_, _| None).len(), 1, "the leader is another one now");
    }
}
