//! Replication of a quorum queue, as its leader sees it: which entries of the log a majority has written.
//!
//! Publishes, acknowledgements and returns are entries of one log. The leader appends, its replicas write and say how far they
//! are; an entry is committed when a majority has written it, the leader's own disk counting as one. Only then is a publish
//! confirmed and an acknowledgement final. Entries of earlier leaders are committed with the first one of this leader's term, never
//! by counting alone.
//!
//! Source: Ongaro and Ousterhout, "In Search of an Understandable Consensus Algorithm", USENIX ATC 2014, section 5.3 and 5.4.2;
//! rabbitmq.com/docs/quorum-queues.

mod member;

pub use member::{Durable, Effect, Entry, Member, Word};

/// How far the replicas of a queue are, by index of the log.
#[derive(Clone, Debug)]
pub struct Replication {
    /// The last entry that each replica has written, the leader among them.
    written: Vec<u64>,
    /// The last entry of the log.
    last: u64,
    /// The first entry of this leader's term.
    first_of_term: u64,
    committed: u64,
    sorted: Vec<u64>,
}

impl Replication {
    /// So many replicas, one of which is elected leader with a log up to `last` that is committed up to `committed`. Nothing is
    /// known of what the replicas have. An empty log ends at 0.
    ///
    /// # Panics
    /// Without replicas, or if more is committed than there is.
    pub fn new(replicas: u32, last: u64, committed: u64) -> Self {
        assert!(replicas > 0 && committed <= last, "{replicas} replicas, {committed} of {last} committed");
        let written = vec![0; replicas as usize];
        Self { sorted: written.clone(), written, last, first_of_term: last + 1, committed }
    }

    /// The leader appends an entry; its index. It counts as written by the leader when that says so.
    pub fn append(&mut self) -> u64 {
        self.last += 1;
        self.last
    }

    /// A replica has written all entries up to `index`; how far the log is committed now, if that is further than before. What is
    /// late or repeated changes nothing.
    ///
    /// # Panics
    /// If there is no such replica.
    pub fn written(&mut self, replica: u32, index: u64) -> Option<u64> {
        let written = &mut self.written[replica as usize];
        *written = index.min(self.last).max(*written);
        self.sorted.copy_from_slice(&self.written);
        // Sorted downwards, the entry at place m - 1 is written by m: five replicas have a majority of three at place 2.
        self.sorted.sort_unstable_by(|a, b| b.cmp(a));
        let index = self.sorted[self.sorted.len() / 2];
        if index <= self.committed || index < self.first_of_term {
            return None;
        }
        self.committed = index;
        Some(index)
    }

    /// The last entry that is committed.
    pub fn committed(&self) -> u64 {
        self.committed
    }

    /// The last entry of the log.
    pub fn last(&self) -> u64 {
        self.last
    }

    /// The last entry that this replica is known to have written.
    ///
    /// # Panics
    /// If there is no such replica.
    pub fn written_by(&self, replica: u32) -> u64 {
        self.written[replica as usize]
    }

    /// How many replicas make a majority.
    pub fn majority(&self) -> u32 {
        self.written.len() as u32 / 2 + 1
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::amqp::laws::fixed;

    /// Three replicas: the second to write an entry commits it, whoever that is.
    #[test]
    fn an_entry_is_committed_when_a_majority_has_written_it() {
        let mut replication = Replication::new(3, 0, 0);
        assert_eq!((replication.append(), replication.append(), replication.majority()), (1, 2, 2));
        assert_eq!(replication.written(0, 2), None);
        assert_eq!(replication.written(2, 1), Some(1));
        assert_eq!(replication.written(2, 1), None);
        assert_eq!(replication.written(1, 2), Some(2));
        assert_eq!((replication.written(2, 2), replication.committed()), (None, 2));
    }

    /// Followers may be faster than the leader's own disk; four replicas need three.
    #[test]
    fn the_leader_is_one_of_the_replicas() {
        let mut replication = Replication::new(4, 0, 0);
        replication.append();
        assert_eq!(replication.written(1, 1), None);
        assert_eq!(replication.written(2, 1), None);
        assert_eq!(replication.written(3, 1), Some(1));
        assert_eq!((replication.written_by(0), replication.majority()), (0, 3));
    }

    /// The paper's figure 8: entry 2 is of an earlier term, and on a majority it is not yet committed; with entry 3 it is.
    #[test]
    fn entries_of_earlier_leaders_are_committed_with_one_of_this() {
        let mut replication = Replication::new(3, 2, 1);
        assert_eq!((replication.written(0, 2), replication.written(1, 2)), (None, None));
        assert_eq!(replication.append(), 3);
        assert_eq!((replication.written(0, 3), replication.written(1, 3)), (None, Some(3)));
    }

    #[test]
    fn one_replica_is_its_own_majority() {
        let mut replication = Replication::new(1, 0, 0);
        replication.append();
        assert_eq!(replication.written(0, 9), Some(1));
        assert_eq!(replication.last(), 1);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Counted naively: the highest index that at least a majority has.
        #[test]
        fn it_agrees_with_counting(replicas in 1_u32..8, steps in vec((0_u32..8, 0_u64..30), 0..60)) {
            let mut replication = Replication::new(replicas, 0, 0);
            (0..20).for_each(|_| _ = replication.append());
            let mut have = vec![0; replicas as usize];
            for (replica, index) in steps {
                let replica = replica % replicas;
                have[replica as usize] = have[replica as usize].max(index.min(20));
                let before = replication.committed();
                let told = replication.written(replica, index);
                let majority = |&index: &u64| have.iter().filter(|&&has| has >= index).count() * 2 > have.len();
                let expected = (0..=20).filter(majority).max().unwrap();
                prop_assert_eq!(replication.committed(), expected);
                prop_assert_eq!(told, (expected > before).then_some(expected));
            }
        }
    }
}
