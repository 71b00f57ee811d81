//! At most so many requests under way at once; the rest wait first come, first served.
//!
//! A number keeps its place from the moment it may go until it is settled (answered or given up), through all its attempts.
//! What is settled while it still waits leaves the line.
//!
//! Source: elementary; `max.in.flight.requests.per.connection` of Kafka's producer is such a limit. By Little's law the
//! throughput is at most limit / response time.

use std::collections::VecDeque;
use std::num::NonZeroU32;

use super::Number;

/// Who is under way and who waits.
#[derive(Clone, Debug)]
pub struct InFlight {
    limit: NonZeroU32,
    in_flight: u32,
    /// Ascending, since numbers are offered in their order.
    waiting: VecDeque<Number>,
}

impl InFlight {
    /// Nobody under way yet, at most `limit` at once.
    pub const fn new(limit: NonZeroU32) -> Self {
        Self { limit, in_flight: 0, waiting: VecDeque::new() }
    }

    /// `number`, higher than all before, asks to go: whether it may at once; else it waits.
    pub fn offer(&mut self, number: Number) -> bool {
        let room = self.waiting.is_empty() && self.in_flight < self.limit.get();
        if room {
            self.in_flight += 1;
        } else {
            self.waiting.push_back(number);
        }
        room
    }

    /// `number` was answered or given up; said once of each. Its place is free: see [`InFlight::admit`].
    ///
    /// # Panics
    /// If it neither waits nor is under way, as far as can be told.
    pub fn settle(&mut self, number: Number) {
        match self.waiting.binary_search(&number) {
            Ok(place) => _ = self.waiting.remove(place),
            Err(_) => self.in_flight = self.in_flight.checked_sub(1).expect("what is settled was under way"),
        }
    }

    /// The next number that may go now, if any.
    pub fn admit(&mut self) -> Option<Number> {
        let number = if self.in_flight < self.limit.get() { self.waiting.pop_front() } else { None };
        self.in_flight += u32::from(number.is_some());
        number
    }

    /// How many wait.
    pub fn waiting(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    fn of(limit: u32) -> InFlight {
        InFlight::new(NonZeroU32::new(limit).unwrap())
    }

    #[test]
    fn the_third_waits_for_the_first_to_be_settled() {
        let mut window = of(2);
        assert_eq!([0, 1, 2].map(|number| window.offer(Number::new(number))), [true, true, false]);
        assert_eq!(window.admit(), None);
        window.settle(Number::new(1));
        assert_eq!([window.admit(), window.admit()], [Some(Number::new(2)), None]);
    }

    #[test]
    fn a_newcomer_does_not_overtake_those_that_wait() {
        let mut window = of(1);
        assert_eq!([0, 1].map(|number| window.offer(Number::new(number))), [true, false]);
        window.settle(Number::new(0));
        assert!(!window.offer(Number::new(2)));
        assert_eq!(window.admit(), Some(Number::new(1)));
    }

    #[test]
    fn one_that_is_given_up_while_waiting_frees_no_place() {
        let mut window = of(1);
        for number in 0..3 {
            window.offer(Number::new(number));
        }
        window.settle(Number::new(1));
        assert_eq!(window.admit(), None);
        window.settle(Number::new(0));
        assert_eq!(window.admit(), Some(Number::new(2)));
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Each step offers one (pick even) or settles any unsettled one: never more under way than the limit, none idle
        /// while there is room, and first come is first to go.
        #[test]
        fn the_limit_holds_and_the_line_is_fair(limit in 1_u32..6, steps in vec(any::<(bool, prop::sample::Index)>(), 0..200)) {
            let (mut window, mut waiting, mut under_way) = (of(limit), vec![], vec![]);
            for (number, (offer, pick)) in (0..).map(Number::new).zip(steps) {
                if offer {
                    if window.offer(number) { under_way.push(number) } else { waiting.push(number) }
                } else if under_way.len() + waiting.len() > 0 {
                    let pick = pick.index(under_way.len() + waiting.len());
                    let settled = match pick.checked_sub(under_way.len()) {
                        Some(pick) => waiting.remove(pick),
                        None => under_way.remove(pick),
                    };
                    window.settle(settled);
                    while let Some(admitted) = window.admit() {
                        prop_assert_eq!(admitted, waiting.remove(0));
                        under_way.push(admitted);
                    }
                }
                prop_assert!(under_way.len() <= limit as usize);
                prop_assert!(waiting.is_empty() || under_way.len() == limit as usize);
                prop_assert_eq!(window.waiting(), waiting.len());
            }
        }
    }
}
