//! Sticky: balanced, and otherwise as it was.
//!
//! Members keep what they own, unless they no longer read it, or another member owned it in a later generation. What is free goes
//! to whoever has least. Then partitions move from members that have more to members that have at least two less, until none can.
//! With equal subscriptions this moves as little as balance allows. Ties go to the first member in order, topics that fewer members read
//! go first.

use std::collections::{BTreeMap, BTreeSet};

use super::{Assignment, Assignor, Subscription, in_order, partitions};
use crate::base::settings::Settings;
use crate::protocol::log::ids::{TopicId, TopicPartition};
use crate::settings;

settings! {
    /// Members have as many partitions as the others, give or take one, and keep as much of what they had as that allows. A change of
    /// the group moves little, so little has to be read again. Everybody gives up everything before it joins, so nobody reads during
    /// a rebalance.
    pub struct StickyAssignorSettings = "sticky", "Apache Kafka 4.0, StickyAssignor (KIP-54, KIP-341)" {}
}

impl Settings for StickyAssignorSettings {}

/// Assigns what members had.
#[derive(Clone, Debug, Default)]
pub struct StickyAssignor;

impl StickyAssignor {
    /// It remembers nothing: members say what they own.
    pub fn new(_: &StickyAssignorSettings) -> Self {
        Self
    }
}

impl Assignor for StickyAssignor {
    fn assign(&self, topics: &BTreeMap<TopicId, u32>, members: &[Subscription]) -> Assignment {
        let sorted = in_order(members);
        let mut table = Table::new(&sorted, topics);
        table.keep();
        table.give();
        table.balance();
        sorted.iter().zip(table.owned).map(|(member, owned)| (member.member, owned)).collect()
    }
}

/// An assignment in the making: members are numbered in order.
struct Table<'a> {
    members: &'a [&'a Subscription],
    /// All that somebody reads; those that fewer read first.
    all: Vec<TopicPartition>,
    owned: Vec<Vec<TopicPartition>>,
    owner: BTreeMap<TopicPartition, usize>,
    /// Members by how many partitions they have.
    counts: BTreeSet<(usize, usize)>,
    /// Who reads a topic, if not everybody reads everything.
    readers: BTreeMap<TopicId, BTreeSet<usize>>,
}

impl<'a> Table<'a> {
    fn new(members: &'a [&'a Subscription], topics: &BTreeMap<TopicId, u32>) -> Self {
        let mut readers: BTreeMap<TopicId, BTreeSet<usize>> = BTreeMap::new();
        for (index, member) in members.iter().enumerate() {
            for &topic in &member.topics {
                readers.entry(topic).or_default().insert(index);
            }
        }
        let mut wanted: Vec<_> = readers.keys().copied().collect();
        wanted.sort_by_key(|topic| (readers[topic].len(), *topic));
        let all = wanted.into_iter().flat_map(|topic| partitions(topics, topic)).collect();
        let counts = (0..members.len()).map(|index| (0, index)).collect();
        Self { members, all, owned: vec![Vec::new(); members.len()], owner: BTreeMap::new(), counts, readers }
    }

    /// Everybody keeps what nobody owned later.
    fn keep(&mut self) {
        let mut claims: BTreeMap<TopicPartition, (_, Option<usize>)> = BTreeMap::new();
        for (index, member) in self.members.iter().enumerate() {
            for &partition in &member.owned {
                let claim = claims.entry(partition).or_insert((member.generation, Some(index)));
                if claim.1 == Some(index) || member.generation < claim.0 {
                    continue;
                }
                // Two owners in one generation: neither can be right.
                let is_later = member.generation > claim.0;
                *claim = (member.generation, is_later.then_some(index));
            }
        }
        let known: BTreeSet<_> = self.all.iter().copied().collect();
        for (partition, (_, claimant)) in claims {
            if let Some(index) = claimant
                && known.contains(&partition)
                && self.members[index].topics.contains(&partition.topic)
            {
                self.set(partition, index);
            }
        }
    }

    /// What is free goes to whoever has least of those that read it.
    fn give(&mut self) {
        for place in 0..self.all.len() {
            let partition = self.all[place];
            if !self.owner.contains_key(&partition)
                && let Some((_, index)) = self.least(partition.topic)
            {
                self.set(partition, index);
            }
        }
    }

    /// Partitions move, one at a time and from whoever has most, while that makes counts more equal. Every move lowers the sum of their
    /// squares.
    fn balance(&mut self) {
        while self.is_uneven()
            && let Some((from, place, to)) = self.next_move()
        {
            let partition = self.take(from, place);
            self.set(partition, to);
        }
    }

    /// The latest partition of whoever has most moves first: what was given last is worth least.
    fn next_move(&self) -> Option<(usize, usize, usize)> {
        let moves = self.counts.iter().rev().flat_map(|&(count, from)| {
            let places = self.owned[from].iter().enumerate().rev();
            places.map(move |(place, partition)| (count, from, place, partition.topic))
        });
        let mut open = moves.filter_map(|(count, from, place, topic)| {
            let (least, to) = self.least(topic)?;
            (least + 1 < count).then_some((from, place, to))
        });
        open.next()
    }

    fn is_uneven(&self) -> bool {
        let ends = self.counts.first().zip(self.counts.last());
        ends.is_some_and(|(least, most)| least.0 + 1 < most.0)
    }

    /// Who has least of those that read a topic, and how much.
    fn least(&self, topic: TopicId) -> Option<(usize, usize)> {
        let readers = self.readers.get(&topic)?;
        self.counts.iter().find(|(_, index)| readers.contains(index)).copied()
    }

    fn set(&mut self, partition: TopicPartition, index: usize) {
        let count = self.owned[index].len();
        self.counts.remove(&(count, index));
        self.counts.insert((count + 1, index));
        self.owned[index].push(partition);
        self.owner.insert(partition, index);
    }

    fn take(&mut self, index: usize, place: usize) -> TopicPartition {
        let count = self.owned[index].len();
        self.counts.remove(&(count, index));
        self.counts.insert((count - 1, index));
        let partition = self.owned[index].remove(place);
        self.owner.remove(&partition);
        partition
    }
}
