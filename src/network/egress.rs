//! A node's way into a link: transmission at a finite rate, a drop-tail buffer, order of arrival.

use std::collections::{BTreeMap, VecDeque};

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Time;
use crate::base::units::{Bandwidth, Bytes};

use super::pair::Pair;

/// Room for messages that wait for transmission; the one being transmitted does not count.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub enum Buffer {
    /// Everything waits.
    #[default]
    Unlimited,
    /// That many messages wait.
    Packets(u64),
    /// Messages of that many bytes together wait.
    Bytes(u64),
}

/// The state of a link at one sending node.
#[derive(Clone, Default, Debug)]
pub(super) struct Egress {
    /// What all its messages wait in.
    queue: Queue,
    /// What those to one neighbour wait in, where each has a port of its own.
    ports: BTreeMap<NodeId, Queue>,
    last_arrival: BTreeMap<NodeId, Time>,
    pairs: BTreeMap<NodeId, Pair>,
}

/// Messages that wait for transmission.
#[derive(Clone, Default, Debug)]
pub(super) struct Queue {
    /// End of transmission and size of each message not yet transmitted; the first is under way.
    departures: VecDeque<(Time, u64)>,
    waiting_bytes: u64,
    free_at: Time,
}

impl Queue {
    /// When the last bit of a message leaves, if there is room for it.
    pub(super) fn enqueue(&mut self, now: Time, size: u64, rate: Bandwidth, buffer: Buffer) -> Option<Time> {
        while self.departures.front().is_some_and(|&(end, _)| end <= now) {
            self.departures.pop_front();
            // The next one's transmission began: it no longer waits.
            if let Some(&(_, size)) = self.departures.front() {
                self.waiting_bytes -= size;
            }
        }
        if !self.departures.is_empty() {
            let room = match buffer {
                Buffer::Unlimited => true,
                Buffer::Packets(limit) => self.departures.len() as u64 <= limit,
                Buffer::Bytes(limit) => self.waiting_bytes.saturating_add(size) <= limit,
            };
            if !room {
                return None;
            }
            self.waiting_bytes += size;
        }
        self.free_at = self.free_at.max(now) + rate.transmission(Bytes::new(size));
        self.departures.push_back((self.free_at, size));
        Some(self.free_at)
    }
}

impl Egress {
    /// What messages to `port` wait in, or all, where they share one.
    pub(super) fn queue(&mut self, port: Option<NodeId>) -> &mut Queue {
        match port {
            None => &mut self.queue,
            Some(to) => self.ports.entry(to).or_default(),
        }
    }

    /// The arrival at `to` that does not overtake: `at`, or that of the message before.
    pub(super) fn in_order(&mut self, to: NodeId, at: Time) -> Time {
        let last = self.last_arrival.entry(to).or_default();
        *last = at.max(*last);
        *last
    }

    /// What is remembered of the messages from `from`, which sends here, to `to`.
    pub(super) fn pair(&mut self, names: &Names, from: NodeId, to: NodeId) -> &mut Pair {
        self.pairs.entry(to).or_insert_with(|| Pair::new(names, from, to))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// 1250 bytes at 10 Mbit/s take 1 ms.
    #[test]
    fn a_buffer_of_two_keeps_two_behind_the_one_under_way() {
        let rate = Bandwidth::from_bits_per_sec(10_000_000).unwrap();
        let mut queue = Queue::default();
        let start = Time::ZERO;
        let mut send = |now| queue.enqueue(now, 1250, rate, Buffer::Packets(2));
        assert_eq!(send(start), Some(start + ms(1)));
        assert_eq!(send(start), Some(start + ms(2)));
        assert_eq!(send(start), Some(start + ms(3)));
        assert_eq!(send(start), None);
        // At 1 ms the first has left, the second is under way, one place is free.
        assert_eq!(send(start + ms(1)), Some(start + ms(4)));
        assert_eq!(send(start + ms(1)), None);
        assert_eq!(send(start + ms(9)), Some(start + ms(10)));
    }

    #[test]
    fn a_byte_buffer_counts_what_waits() {
        let rate = Bandwidth::from_bits_per_sec(8_000).unwrap();
        let mut queue = Queue::default();
        let mut send = |now, size| queue.enqueue(now, size, rate, Buffer::Bytes(100)).is_some();
        assert!(send(Time::ZERO, 1_000));
        assert!(send(Time::ZERO, 60));
        assert!(!send(Time::ZERO, 60));
        assert!(send(Time::ZERO, 40));
        // After 1 s the first has left and the second is under way: 40 bytes wait.
        assert!(send(Time::ZERO + ms(1_000), 60));
        assert!(!send(Time::ZERO + ms(1_000), 1));
    }
}
