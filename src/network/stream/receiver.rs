//! The receiving side of one direction: what arrived, what was read, what to acknowledge.
//!
//! Bytes that arrive out of order wait; those that arrived in order are read at once by a process that runs, and wait in the
//! receive buffer for one that does not. The window ends where the buffer would be full. A segment that fills no gap, or
//! arrives twice, is acknowledged at once, so that the sender notices; others may be acknowledged in pairs (RFC 1122,
//! 4.2.3.2).

use std::collections::BTreeMap;

use crate::base::time::{Span, Time};

use super::segment::{Acknowledgement, Segment};

#[derive(Clone, Debug)]
pub(super) struct Receiver {
    capacity: u64,
    mss: u64,
    delay: Span,
    /// All bytes before this place arrived.
    next: u64,
    /// All bytes before this place were read.
    read: u64,
    /// Bytes that arrived out of order, from and to.
    held: BTreeMap<u64, u64>,
    /// The place of the end, once it is known.
    end: Option<u64>,
    /// The limit that was last sent.
    told: u64,
    owed: Owed,
}

/// The acknowledgement that is owed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Owed {
    Nothing,
    /// By this time at the latest, unless another segment comes.
    By(Time),
    Now,
}

impl Receiver {
    pub(super) fn new(capacity: u64, mss: u64, delay: Span) -> Self {
        let (held, owed) = (BTreeMap::new(), Owed::Nothing);
        Self { capacity, mss, delay, next: 0, read: 0, held, end: None, told: capacity, owed }
    }

    /// A segment with bytes, an end or a question arrived.
    pub(super) fn receive(&mut self, now: Time, segment: &Segment) {
        if segment.fin {
            self.end = Some(segment.place + u64::from(segment.len));
        }
        let (from, to) = (segment.place.max(self.next), segment.end().min(self.limit()));
        if from >= to {
            // Known already, beyond the window, or a question.
            self.owed = Owed::Now;
            return;
        }
        let (is_next, had_gap) = (from == self.next, !self.held.is_empty());
        self.hold(from, to);
        self.advance();
        self.owed = match self.owed {
            _ if !is_next || had_gap || self.delay == Span::ZERO => Owed::Now,
            Owed::Nothing => Owed::By(now + self.delay),
            Owed::By(_) | Owed::Now => Owed::Now,
        };
    }

    /// Adds a run of bytes to those that wait; runs that touch become one.
    fn hold(&mut self, mut from: u64, mut to: u64) {
        while let Some((&start, &end)) = self.held.range(..=to).next_back()
            && end >= from
        {
            self.held.remove(&start);
            (from, to) = (from.min(start), to.max(end));
        }
        self.held.insert(from, to);
    }

    fn advance(&mut self) {
        if let Some((&start, &end)) = self.held.first_key_value()
            && start <= self.next
        {
            self.held.remove(&start);
            self.next = end;
        }
    }

    /// The process reads all that arrived in order. A window that has opened noticeably is told (RFC 9293, 3.8.6.2.2).
    pub(super) fn read(&mut self) {
        self.read = self.next;
        // Where there is room for a segment, the next acknowledgement is soon enough.
        let was_shut = self.told.saturating_sub(self.next) < self.mss;
        if was_shut && self.owed == Owed::Nothing && self.limit() - self.told >= self.mss.min(self.capacity / 2).max(1)
        {
            self.owed = Owed::Now;
        }
    }

    /// All bytes before this place arrived; the end of the stream counts as one.
    pub(super) fn next(&self) -> u64 {
        self.next
    }

    /// Whether everything arrived, the end included.
    pub(super) fn has_ended(&self) -> bool {
        self.end.is_some_and(|end| self.next > end)
    }

    /// Whether everything arrived and was read.
    pub(super) fn is_done(&self) -> bool {
        self.has_ended() && self.read == self.next
    }

    fn limit(&self) -> u64 {
        self.read.saturating_add(self.capacity)
    }

    /// What to say with a segment that leaves now.
    pub(super) fn acknowledge(&mut self) -> Acknowledgement {
        self.owed = Owed::Nothing;
        self.told = self.limit();
        Acknowledgement { next: self.next, limit: self.told }
    }

    /// An acknowledgement leaves as soon as it can.
    pub(super) fn owe(&mut self) {
        self.owed = Owed::Now;
    }

    /// Whether an acknowledgement has to leave now, if need be by itself.
    pub(super) fn owes(&self, now: Time) -> bool {
        match self.owed {
            Owed::Nothing => false,
            Owed::By(time) => time <= now,
            Owed::Now => true,
        }
    }

    /// When an acknowledgement has to leave by itself.
    pub(super) fn deadline(&self) -> Option<Time> {
        match self.owed {
            Owed::By(time) => Some(time),
            Owed::Nothing | Owed::Now => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    fn bytes(place: u64, len: u32) -> Segment {
        Segment { place, len, ..Segment::default() }
    }

    fn receiver(delay: Span) -> Receiver {
        Receiver::new(1_000, 100, delay)
    }

    #[test]
    fn a_gap_holds_back_what_comes_after_it_until_it_is_filled() {
        let mut receiver = receiver(Span::ZERO);
        let order = [(100, 0), (300, 0), (200, 0), (100, 0), (0, 400), (0, 400), (350, 450)];
        for (place, next) in order {
            receiver.receive(Time::ZERO, &bytes(place, 100));
            assert_eq!(receiver.next(), next);
            assert!(receiver.owes(Time::ZERO));
            assert_eq!(receiver.acknowledge().next, next);
        }
        assert!(receiver.held.is_empty());
    }

    #[test]
    fn acknowledgements_wait_for_a_second_segment_or_their_time() {
        let mut receiver = receiver(ms(40));
        let at = |millis| Time::ZERO + ms(millis);
        receiver.receive(at(0), &bytes(0, 100));
        assert_eq!((receiver.owes(at(0)), receiver.deadline()), (false, Some(at(40))));
        assert!(receiver.owes(at(40)));
        receiver.receive(at(1), &bytes(100, 100));
        assert!(receiver.owes(at(1)));
        receiver.acknowledge();
        // Out of order: at once.
        receiver.receive(at(2), &bytes(300, 100));
        assert!(receiver.owes(at(2)));
    }

    #[test]
    fn a_process_that_does_not_read_closes_the_window() {
        let mut receiver = receiver(Span::ZERO);
        for place in 0..12 {
            receiver.receive(Time::ZERO, &bytes(place * 100, 100));
        }
        // The last two found no room.
        let said = receiver.acknowledge();
        assert_eq!((said.next, said.limit), (1_000, 1_000));
        assert!(!receiver.owes(Time::ZERO));
        receiver.read();
        assert!(receiver.owes(Time::ZERO));
        assert_eq!(receiver.acknowledge().limit, 2_000);
    }

    #[test]
    fn the_end_comes_behind_the_last_byte() {
        let mut receiver = receiver(Span::ZERO);
        receiver.receive(Time::ZERO, &Segment { fin: true, ..bytes(100, 50) });
        assert!(!receiver.has_ended());
        receiver.receive(Time::ZERO, &bytes(0, 100));
        assert!(receiver.has_ended());
        assert_eq!(receiver.next(), 151);
    }
}
