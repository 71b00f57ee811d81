//! Messages that are ready for delivery, in the order in which they will be delivered.
//!
//! A classic queue has a level per priority, and the highest goes first. Within a level messages go in the order in which they
//! were published; one that is requeued goes back to its original position. Whatever was delivered is older than whatever was
//! not, so new messages are a plain ring, and the few that came back stand before it, sorted.
//!
//! A quorum queue has two levels, of which two messages of the higher go before one of the lower as long as there are both; an
//! older one of the higher goes first in any case. Messages that came back go before all others, in the order in which they came
//! back.
//!
//! Source: rabbitmq.com/docs/priority, rabbitmq.com/docs/nack, rabbitmq.com/docs/quorum-queues (priorities, repeated requeues);
//! `rabbit_fifo_q` of RabbitMQ 4.0.

use std::collections::{BTreeMap, VecDeque};

use super::settings::QueueType;
use crate::base::time::Time;
use crate::protocol::amqp::dead_letter::Deaths;

/// A message in a queue, and what the queue knows of it.
#[derive(Clone, Debug)]
pub(super) struct Entry<M> {
    pub message: M,
    pub deaths: Deaths,
    /// When it expires; [`Time::MAX`] if it does not.
    pub expiry: Time,
    /// Its number among all that were accepted.
    pub sequence: u64,
    pub size: u32,
    /// How often it was delivered and came back.
    pub returns: u32,
    pub priority: u8,
    pub persistent: bool,
}

/// How many of the higher level go before one of the lower at a quorum queue.
const WEIGHT: u8 = 2;

/// The level of a quorum queue that holds what came back.
const RETURNED: usize = 2;

/// Messages above this priority are of the higher level at a quorum queue.
const NORMAL: u8 = 4;

#[derive(Clone, Debug)]
pub(super) struct Ready<M> {
    levels: Vec<Level<M>>,
    /// A bit for each level that has messages.
    filled: [u64; 4],
    is_quorum: bool,
    /// How many of the two levels' messages went since the lower one had its turn, at a quorum queue.
    turn: u8,
    len: usize,
    bytes: u64,
}

#[derive(Clone, Debug)]
struct Level<M> {
    /// Those that came back to a classic queue, by their numbers; all older than those that did not leave yet.
    returned: BTreeMap<u64, Entry<M>>,
    fresh: VecDeque<Entry<M>>,
}

impl<M> Level<M> {
    const EMPTY: Self = Self { returned: BTreeMap::new(), fresh: VecDeque::new() };

    fn head(&self) -> Option<&Entry<M>> {
        if self.returned.is_empty() {
            return self.fresh.front();
        }
        self.returned.first_key_value().map(|(_, entry)| entry)
    }

    fn pop(&mut self) -> Option<Entry<M>> {
        if self.returned.is_empty() {
            return self.fresh.pop_front();
        }
        self.returned.pop_first().map(|(_, entry)| entry)
    }

    fn is_empty(&self) -> bool {
        self.returned.is_empty() && self.fresh.is_empty()
    }
}

impl<M> Ready<M> {
    /// Room for messages up to this priority; a quorum queue has its own levels.
    pub fn new(kind: QueueType, max_priority: u8) -> Self {
        let is_quorum = kind == QueueType::Quorum;
        let levels = if is_quorum { RETURNED + 1 } else { usize::from(max_priority) + 1 };
        let levels = (0..levels).map(|_| Level::EMPTY).collect();
        Self { levels, filled: [0; 4], is_quorum, turn: 0, len: 0, bytes: 0 }
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// The bytes of all bodies.
    pub fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The next to be delivered.
    pub fn head(&self) -> Option<&Entry<M>> {
        self.levels[self.next()?].head()
    }

    /// Takes out the next to be delivered.
    pub fn pop(&mut self) -> Option<Entry<M>> {
        let level = self.next()?;
        let entry = self.levels[level].pop()?;
        if self.is_quorum && level != RETURNED {
            self.turn = (self.turn + 1) % (WEIGHT + 1);
        }
        if self.levels[level].is_empty() {
            self.filled[level / 64] &= !(1 << (level % 64));
        }
        self.len -= 1;
        self.bytes -= u64::from(entry.size);
        Some(entry)
    }

    /// Puts one at the end of its level.
    pub fn push(&mut self, entry: Entry<M>) {
        let level = self.level_of(entry.priority);
        self.enter(level, &entry);
        self.levels[level].fresh.push_back(entry);
    }

    /// Puts one that came back at the end of what is of normal priority, at a quorum queue.
    pub fn push_returned(&mut self, entry: Entry<M>) {
        self.enter(0, &entry);
        self.levels[0].fresh.push_back(entry);
    }

    /// Puts one back that had been delivered: to its original position, or at a quorum queue behind others that came back.
    pub fn put_back(&mut self, entry: Entry<M>) {
        let level = if self.is_quorum { RETURNED } else { self.level_of(entry.priority) };
        self.enter(level, &entry);
        if self.is_quorum {
            self.levels[level].fresh.push_back(entry);
        } else {
            self.levels[level].returned.insert(entry.sequence, entry);
        }
    }

    /// Takes out those that are not to be kept, in the order in which they would be delivered within their level.
    pub fn retain(&mut self, mut keep: impl FnMut(&Entry<M>) -> bool, mut gone: impl FnMut(Entry<M>)) {
        for place in 0..self.levels.len() {
            let Level { returned, fresh } = std::mem::replace(&mut self.levels[place], Level::EMPTY);
            self.filled[place / 64] &= !(1 << (place % 64));
            for (sequence, entry) in returned {
                self.leave(&entry);
                if keep(&entry) {
                    self.enter(place, &entry);
                    self.levels[place].returned.insert(sequence, entry);
                } else {
                    gone(entry);
                }
            }
            for entry in fresh {
                self.leave(&entry);
                if keep(&entry) {
                    self.enter(place, &entry);
                    self.levels[place].fresh.push_back(entry);
                } else {
                    gone(entry);
                }
            }
        }
    }

    fn enter(&mut self, level: usize, entry: &Entry<M>) {
        self.filled[level / 64] |= 1 << (level % 64);
        self.len += 1;
        self.bytes += u64::from(entry.size);
    }

    fn leave(&mut self, entry: &Entry<M>) {
        self.len -= 1;
        self.bytes -= u64::from(entry.size);
    }

    fn level_of(&self, priority: u8) -> usize {
        if self.is_quorum { usize::from(priority > NORMAL) } else { usize::from(priority).min(self.levels.len() - 1) }
    }

    /// The level whose turn it is.
    fn next(&self) -> Option<usize> {
        if self.len == 0 {
            return None;
        }
        if self.is_quorum && self.filled[0] == 0b11 {
            let age = |level: usize| self.levels[level].head().map(|entry| entry.sequence);
            return Some(usize::from(self.turn < WEIGHT || age(1) < age(0)));
        }
        let word = (0..self.filled.len()).rev().find(|&word| self.filled[word] != 0)?;
        Some(word * 64 + self.filled[word].ilog2() as usize)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(sequence: u64, priority: u8) -> Entry<u64> {
        Entry {
            message: sequence,
            deaths: Deaths::NONE,
            expiry: Time::MAX,
            sequence,
            size: 10,
            returns: 0,
            priority,
            persistent: true,
        }
    }

    fn drain(ready: &mut Ready<u64>) -> Vec<u64> {
        std::iter::from_fn(|| ready.pop()).map(|entry| entry.message).collect()
    }

    /// 0 … 255 once each, and one above what the queue knows: it counts as the highest, and came last.
    #[test]
    fn higher_priorities_go_first() {
        let mut ready = Ready::new(QueueType::Classic, 200);
        for priority in 0..=201_u8 {
            ready.push(entry(u64::from(priority), priority));
        }
        let expected: Vec<_> = [200, 201].into_iter().chain((0..200).rev()).collect();
        assert_eq!(drain(&mut ready), expected);
    }

    #[test]
    fn without_priorities_all_are_equal() {
        let mut ready = Ready::new(QueueType::Classic, 0);
        for (sequence, priority) in [(0, 3), (1, 9), (2, 0)] {
            ready.push(entry(sequence, priority));
        }
        assert_eq!((ready.len(), ready.bytes()), (3, 30));
        assert_eq!(drain(&mut ready), [0, 1, 2]);
    }

    /// 0 to 3 were delivered; 2, 0 and 3 come back in this order.
    #[test]
    fn a_classic_queue_takes_messages_back_to_their_positions() {
        let mut ready = Ready::new(QueueType::Classic, 0);
        for sequence in 0..6 {
            ready.push(entry(sequence, 0));
        }
        let delivered: Vec<_> = (0..4).filter_map(|_| ready.pop()).collect();
        for place in [2, 0, 3] {
            ready.put_back(delivered[place].clone());
        }
        assert_eq!(drain(&mut ready), [0, 2, 3, 4, 5]);
    }

    #[test]
    fn a_quorum_queue_puts_what_comes_back_in_front_in_the_order_of_its_return() {
        let mut ready = Ready::new(QueueType::Quorum, 0);
        for sequence in 0..6 {
            ready.push(entry(sequence, 0));
        }
        let delivered: Vec<_> = (0..4).filter_map(|_| ready.pop()).collect();
        for place in [2, 0, 3] {
            ready.put_back(delivered[place].clone());
        }
        assert_eq!(drain(&mut ready), [2, 0, 3, 4, 5]);
    }

    /// 0 to 3 have priority 4, which is normal; 4 to 9 have 5, which is high.
    #[test]
    fn a_quorum_queue_delivers_two_of_high_priority_for_one_of_normal() {
        let mut ready = Ready::new(QueueType::Quorum, 0);
        for sequence in 0..10 {
            ready.push(entry(sequence, if sequence < 4 { 4 } else { 5 }));
        }
        assert_eq!(drain(&mut ready), [4, 5, 0, 6, 7, 1, 8, 9, 2, 3]);
    }

    /// Two of high priority went, and it is the turn of a normal one. 2 is older than 3 and goes before it all the same.
    #[test]
    fn a_quorum_queue_delivers_an_older_message_of_high_priority_first() {
        let mut ready = Ready::new(QueueType::Quorum, 0);
        for (sequence, priority) in [(0, 9), (1, 9), (2, 9), (3, 0)] {
            ready.push(entry(sequence, priority));
        }
        assert_eq!(drain(&mut ready), [0, 1, 2, 3]);
    }

    #[test]
    fn what_is_not_kept_leaves_no_trace() {
        let mut ready = Ready::new(QueueType::Classic, 1);
        for sequence in 0..6 {
            ready.push(entry(sequence, (sequence % 2) as u8));
        }
        let first = ready.pop().unwrap();
        ready.put_back(first);
        let mut gone = vec![];
        ready.retain(|entry| entry.sequence.is_multiple_of(3), |entry| gone.push(entry.sequence));
        assert_eq!(gone, [2, 4, 1, 5]);
        assert_eq!((ready.len(), ready.bytes()), (2, 20));
        assert_eq!(drain(&mut ready), [3, 0]);
        ready.retain(|_| false, |_| unreachable!());
        assert!(ready.is_empty() && ready.head().is_none());
    }
}
