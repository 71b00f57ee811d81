//! The receiver's side of ordered delivery: one sender's messages, one at a time, in the order of their numbers.
//!
//! A message is ready when all earlier ones of its sender were handled or skipped. What arrives early is held in a bounded
//! buffer; when it is full the message is turned away, and the sender sends it again. A sender that gives up on a message
//! says so: a skip notice carries the lowest number still to come, and what is missing below it is waited for no longer.
//! While a message is being handled the next one waits, even if it is there: *after* means after the earlier one's end. What
//! is turned away keeps its turn: its sender sends it again, or gives it up. A sender that lost what it knew begins with number
//! 0 again: what is held of its earlier life is let go, and what is being handled of it is still waited for.
//!
//! Source: the receive buffer of selective repeat (Tanenbaum, "Computer Networks", ch. 3.4); the skip notice is the FORWARD
//! TSN of RFC 3758 (SCTP partial reliability).

use std::collections::BTreeMap;

use super::Number;

/// One sender's messages on their way into order.
#[derive(Clone, Debug)]
pub struct Reorder<T> {
    /// The lowest number that was neither handled nor skipped, nor is being handled.
    next: u64,
    /// What is missing below it is not waited for.
    skipped_below: u64,
    handling: bool,
    /// Whether what is being handled is from an earlier life of the sender.
    is_from_before: bool,
    /// Those that arrived early.
    held: BTreeMap<u64, T>,
    limit: usize,
}

/// What became of a message that arrived.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Arrival<T> {
    /// It is its turn: handle it, then say [`Reorder::handled`] or [`Reorder::refused`].
    Ready(T),
    /// It is held until its turn comes.
    Held,
    /// It is held already.
    Duplicate(T),
    /// Its turn is over: its number was handled, is being handled, or was skipped.
    Late(T),
    /// It is early and the buffer is full.
    Full(T),
}

impl<T> Reorder<T> {
    /// Waits for number 0; holds at most `limit` early messages.
    pub const fn new(limit: usize) -> Self {
        Self { next: 0, skipped_below: 0, handling: false, is_from_before: false, held: BTreeMap::new(), limit }
    }

    /// A message arrives.
    pub fn receive(&mut self, number: Number, message: T) -> Arrival<T> {
        let number = number.get();
        if number < self.next {
            Arrival::Late(message)
        } else if number == self.next && !self.handling {
            self.next += 1;
            self.handling = true;
            Arrival::Ready(message)
        } else if self.held.contains_key(&number) {
            Arrival::Duplicate(message)
        } else if self.held.len() >= self.limit {
            Arrival::Full(message)
        } else {
            self.held.insert(number, message);
            Arrival::Held
        }
    }

    /// The message that was ready is handled: the one that is ready now.
    ///
    /// # Panics
    /// If none was being handled.
    pub fn handled(&mut self) -> Option<(Number, T)> {
        assert!(self.handling, "what is handled was ready before");
        self.handling = false;
        self.is_from_before = false;
        self.advance()
    }

    /// The message that was ready was not handled, and may come again: its turn stays, unless it was skipped meanwhile. The
    /// message that is ready now.
    ///
    /// # Panics
    /// If none was being handled.
    pub fn refused(&mut self) -> Option<(Number, T)> {
        assert!(self.handling, "what is refused was ready before");
        self.handling = false;
        if !std::mem::take(&mut self.is_from_before) {
            self.next -= 1;
        }
        self.advance()
    }

    /// Whether this one is being handled now.
    pub fn is_handling(&self, number: Number) -> bool {
        self.handling && !self.is_from_before && number.get() + 1 == self.next
    }

    /// The sender begins with number 0 again, and knows nothing of what it sent before: those of them that were held.
    pub fn begin_again(&mut self) -> impl Iterator<Item = T> + use<T> {
        self.next = 0;
        self.skipped_below = 0;
        self.is_from_before = self.handling;
        std::mem::take(&mut self.held).into_values()
    }

    /// The sender will send nothing below `lowest` any more: the message that becomes ready by it.
    ///
    /// Those below `lowest` that have arrived keep their turn.
    pub fn skip_below(&mut self, lowest: Number) -> Option<(Number, T)> {
        self.skipped_below = self.skipped_below.max(lowest.get());
        if self.handling { None } else { self.advance() }
    }

    /// How many messages are held.
    pub fn held(&self) -> usize {
        self.held.len()
    }

    fn advance(&mut self) -> Option<(Number, T)> {
        // The first one held is ready if nothing before it is waited for.
        let floor = self.next.max(self.skipped_below);
        match self.held.first_entry() {
            Some(first) if *first.key() <= floor => {
                let (number, message) = first.remove_entry();
                self.next = number + 1;
                self.handling = true;
                Some((Number::new(number), message))
            }
            _ => {
                self.next = floor;
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    const fn n(value: u64) -> Number {
        Number::new(value)
    }

    #[test]
    fn early_messages_wait_for_the_missing_one() {
        let mut order = Reorder::new(8);
        assert_eq!(order.receive(n(2), 'c'), Arrival::Held);
        assert_eq!(order.receive(n(2), 'c'), Arrival::Duplicate('c'));
        assert_eq!(order.receive(n(1), 'b'), Arrival::Held);
        assert_eq!(order.receive(n(0), 'a'), Arrival::Ready('a'));
        assert_eq!(order.receive(n(0), 'a'), Arrival::Late('a'));
        assert_eq!([order.handled(), order.handled(), order.handled()], [Some((n(1), 'b')), Some((n(2), 'c')), None]);
    }

    #[test]
    fn the_next_one_waits_until_the_one_before_is_handled() {
        let mut order = Reorder::new(8);
        assert_eq!(order.receive(n(0), 'a'), Arrival::Ready('a'));
        assert_eq!(order.receive(n(1), 'b'), Arrival::Held);
        assert_eq!(order.handled(), Some((n(1), 'b')));
    }

    #[test]
    fn a_full_buffer_turns_early_messages_away_but_not_the_next() {
        let mut order = Reorder::new(1);
        assert_eq!(order.receive(n(2), 'c'), Arrival::Held);
        assert_eq!(order.receive(n(1), 'b'), Arrival::Full('b'));
        assert_eq!(order.receive(n(0), 'a'), Arrival::Ready('a'));
        assert_eq!(order.held(), 1);
    }

    /// 0 and 1 are given up; 2 is there, 3 is missing and given up as well; 4 is there.
    #[test]
    fn a_skip_notice_ends_the_wait_for_what_is_missing() {
        let mut order = Reorder::new(8);
        order.receive(n(4), 'e');
        order.receive(n(2), 'c');
        assert_eq!(order.skip_below(n(1)), None);
        assert_eq!(order.skip_below(n(4)), Some((n(2), 'c')));
        assert_eq!(order.handled(), Some((n(4), 'e')));
        assert_eq!(order.receive(n(3), 'd'), Arrival::Late('d'));
    }

    #[test]
    fn a_skip_notice_does_not_interrupt_the_message_being_handled() {
        let mut order = Reorder::new(8);
        order.receive(n(0), 'a');
        order.receive(n(3), 'd');
        assert_eq!(order.skip_below(n(3)), None);
        assert_eq!(order.handled(), Some((n(3), 'd')));
    }

    #[test]
    fn what_is_refused_keeps_its_turn_until_it_is_skipped() {
        let mut order = Reorder::new(8);
        assert_eq!(order.receive(n(0), 'a'), Arrival::Ready('a'));
        assert_eq!(order.receive(n(1), 'b'), Arrival::Held);
        assert_eq!(order.refused(), None);
        assert_eq!(order.receive(n(0), 'a'), Arrival::Ready('a'));
        assert_eq!(order.skip_below(n(1)), None);
        assert_eq!(order.refused(), Some((n(1), 'b')));
    }

    /// 0 is being handled and 2 is held when the sender begins again: its new 0 waits for the old one's end, however that ends.
    #[test]
    fn a_sender_that_begins_again_waits_for_what_is_left_of_its_earlier_life() {
        for end in [Reorder::handled, Reorder::refused] {
            let mut order = Reorder::new(8);
            order.receive(n(0), 'a');
            order.receive(n(2), 'c');
            order.skip_below(n(2));
            assert!(order.is_handling(n(0)) && !order.is_handling(n(1)));
            assert!(order.begin_again().eq(['c']));
            assert!(!order.is_handling(n(0)));
            assert_eq!(order.receive(n(0), 'd'), Arrival::Held);
            assert_eq!([end(&mut order), order.refused()], [Some((n(0), 'd')), None]);
            assert_eq!(order.receive(n(1), 'e'), Arrival::Held);
            assert_eq!(order.receive(n(0), 'd'), Arrival::Ready('d'));
            assert_eq!([order.handled(), order.handled()], [Some((n(1), 'e')), None]);
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Messages arrive in any order and more than once, skip notices (pick above 90) and ends of handling in between:
        /// numbers come out growing, and once all was skipped, everything held has come out.
        #[test]
        fn numbers_come_out_in_order_each_once(steps in vec((0_u64..40, 0_u32..100), 0..300), limit in 0_usize..20) {
            let (mut order, mut out, mut handling) = (Reorder::new(limit), vec![], false);
            for (number, pick) in steps {
                let ready = match pick {
                    0..50 => match order.receive(n(number), ()) {
                        Arrival::Ready(()) => Some(n(number)),
                        _ => None,
                    },
                    50..80 if handling => {
                        handling = false;
                        order.handled().map(|(number, ())| number)
                    }
                    80..90 if handling => {
                        handling = false;
                        out.pop();
                        order.refused().map(|(number, ())| number)
                    }
                    50..90 => None,
                    _ => order.skip_below(n(number)).map(|(number, ())| number),
                };
                prop_assert!(ready.is_none() || !handling);
                handling |= ready.is_some();
                out.extend(ready);
                prop_assert!(order.held() <= limit);
            }
            if !handling {
                out.extend(order.skip_below(n(40)).map(|(number, ())| number));
            } else {
                prop_assert_eq!(order.skip_below(n(40)), None);
            }
            while order.handling {
                out.extend(order.handled().map(|(number, ())| number));
            }
            prop_assert!(out.is_sorted_by(|a, b| a < b));
            prop_assert_eq!(order.held(), 0);
        }
    }
}
