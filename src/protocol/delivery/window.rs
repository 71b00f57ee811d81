//! The sliding send window: a number may go while it is less than the window's size above the lowest one not settled.
//!
//! Unlike a limit on what is in flight, one message that is not acknowledged stops the window however many after it are: a
//! receiver that puts messages back in order needs no more buffer than the window's size. Numbers are offered without
//! gaps, so the line of those that wait is a pair of counters; those settled out of order are kept as intervals. The
//! lowest unsettled number is what a skip notice carries.
//!
//! Without loss, with a the one-way delay in units of the time to send one message, a window of W uses min(1, W / (1 + 2a))
//! of the line: at a = 10, W = 7 gives 1/3 and W = 21 the whole.
//!
//! Source: selective repeat (Tanenbaum, "Computer Networks", ch. 3.4); the formula from Stallings, "Data and Computer
//! Communications", ch. 7.

use std::num::NonZeroU32;

use super::{IntervalSet, Number};

/// Which numbers may go, one sender to one receiver.
#[derive(Clone, Debug)]
pub struct SendWindow {
    size: NonZeroU32,
    /// The lowest number that is not settled.
    lowest: u64,
    /// The lowest number that has not gone.
    unsent: u64,
    /// The lowest number not offered yet.
    offered: u64,
    /// Settled numbers above `lowest`.
    settled: IntervalSet,
}

impl SendWindow {
    /// An empty window of `size` numbers, the first one 0.
    pub const fn new(size: NonZeroU32) -> Self {
        Self { size, lowest: 0, unsent: 0, offered: 0, settled: IntervalSet::new() }
    }

    /// `number`, the successor of the one before, asks to go: whether it may at once; else it waits.
    ///
    /// # Panics
    /// If numbers are left out.
    pub fn offer(&mut self, number: Number) -> bool {
        assert_eq!(number.get(), self.offered, "numbers are offered without gaps");
        self.offered += 1;
        let room = self.unsent == number.get() && self.has_room();
        self.unsent += u64::from(room);
        room
    }

    /// `number` was acknowledged or given up, waiting or not; saying it again changes nothing. The window may have moved:
    /// see [`SendWindow::admit`].
    ///
    /// # Panics
    /// If it was never offered.
    pub fn settle(&mut self, number: Number) {
        assert!(number.get() < self.offered, "what is settled was offered before");
        if number.get() < self.lowest {
            return;
        }
        self.settled.insert(number.get());
        if self.settled.first() == Some(self.lowest) {
            self.lowest = self.settled.pop_first_interval().expect("it was looked at").last + 1;
            self.unsent = self.unsent.max(self.lowest);
        }
    }

    /// The next number that may go now, if any.
    pub fn admit(&mut self) -> Option<Number> {
        while self.unsent < self.offered && self.has_room() {
            let number = self.unsent;
            self.unsent += 1;
            if !self.settled.contains(number) {
                return Some(Number::new(number));
            }
        }
        None
    }

    /// The lowest number that is not settled: nothing below it will be sent any more.
    pub fn lowest(&self) -> Number {
        Number::new(self.lowest)
    }

    fn has_room(&self) -> bool {
        self.unsent - self.lowest < u64::from(self.size.get())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    fn of(size: u32) -> SendWindow {
        SendWindow::new(NonZeroU32::new(size).unwrap())
    }

    #[test]
    fn one_unsettled_number_stops_the_window() {
        let mut window = of(3);
        let gone: Vec<_> = (0..6).map(|number| window.offer(Number::new(number))).collect();
        assert_eq!(gone, [true, true, true, false, false, false]);
        window.settle(Number::new(1));
        window.settle(Number::new(2));
        assert_eq!((window.admit(), window.lowest()), (None, Number::new(0)));
        window.settle(Number::new(0));
        assert_eq!(window.lowest(), Number::new(3));
        assert_eq!([(); 4].map(|()| window.admit()), [3, 4, 5, 6].map(|n| (n < 6).then_some(Number::new(n))));
    }

    #[test]
    fn one_that_is_given_up_while_waiting_is_passed_over() {
        let mut window = of(1);
        for number in 0..3 {
            window.offer(Number::new(number));
        }
        window.settle(Number::new(1));
        window.settle(Number::new(0));
        assert_eq!((window.lowest(), window.admit()), (Number::new(2), Some(Number::new(2))));
    }

    /// One message per unit of time, 10 units each way: an acknowledgement comes back 1 + 20 units after the message began.
    /// In 2100 units a window of W sends min(1, W / 21) × 2100 messages.
    #[test]
    fn without_loss_the_window_over_the_round_trip_is_the_share_of_the_line() {
        for (size, sent) in [(1, 100), (7, 700), (21, 2100), (63, 2100)] {
            let (mut window, mut started) = (of(size), vec![]);
            for now in 0..2100 {
                for (number, start) in started.iter().enumerate() {
                    if start + 21 == now {
                        window.settle(Number::new(number as u64));
                    }
                }
                // Saturated: there is always exactly one message that waits.
                if window.unsent == window.offered {
                    let number = Number::new(window.offered);
                    if window.offer(number) {
                        started.push(now);
                    }
                } else if window.admit().is_some() {
                    started.push(now);
                }
            }
            assert_eq!(started.len(), sent, "window {size}");
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn numbers_go_in_order_and_never_beyond_the_window(size in 1_u32..8, steps in vec((0_u8..3, 0_u64..60), 0..300)) {
            let (mut window, mut gone, mut settled) = (of(size), vec![], BTreeSet::new());
            for (step, number) in steps {
                if step == 0 {
                    let number = Number::new(window.offered);
                    gone.extend(window.offer(number).then_some(number.get()));
                } else if number < window.offered {
                    window.settle(Number::new(number));
                    settled.insert(number);
                }
                gone.extend(std::iter::from_fn(|| window.admit()).map(Number::get));
                let lowest = (0..).find(|number| !settled.contains(number)).unwrap();
                prop_assert_eq!(window.lowest().get(), lowest);
                prop_assert!(gone.is_sorted_by(|a, b| a < b));
                prop_assert!(gone.last().is_none_or(|&last| last < lowest + u64::from(size)));
                // Whoever is offered and fits has gone, or was given up before it could.
                let room = window.offered.min(lowest + u64::from(size));
                prop_assert!((0..room).all(|number| gone.contains(&number) || settled.contains(&number)));
            }
        }
    }
}
