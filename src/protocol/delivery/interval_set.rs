//! A set of whole numbers as sorted, disjoint intervals.
//!
//! Numbers that arrive nearly in order make few intervals: one, as long as nothing is missing, and one more per gap. The
//! lowest interval stands inline, so that a set without gaps needs no heap. Two intervals are never adjacent: they would
//! have been merged.
//!
//! Costs: O(1) for a number that extends the lowest interval or lies above all of them; O(log k) to find and O(k) to insert
//! among k intervals otherwise.
//!
//! Source: the receiver's record of RFC 2018 "TCP Selective Acknowledgment Options" (1996), as disjoint blocks.

use std::collections::VecDeque;

/// Whole numbers from `first` to `last`, both included.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Interval {
    /// The lowest.
    pub first: u64,
    /// The highest, never below `first`.
    pub last: u64,
}

impl Interval {
    const fn of(number: u64) -> Self {
        Self { first: number, last: number }
    }

    fn ends_before(self, number: u64) -> bool {
        self.last.checked_add(1) == Some(number)
    }

    fn starts_after(self, number: u64) -> bool {
        number.checked_add(1) == Some(self.first)
    }
}

/// A set of whole numbers; compact if they come nearly in order.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct IntervalSet {
    lowest: Option<Interval>,
    rest: VecDeque<Interval>,
}

impl IntervalSet {
    /// The empty set.
    pub const fn new() -> Self {
        Self { lowest: None, rest: VecDeque::new() }
    }

    /// Whether there is no number in it.
    pub fn is_empty(&self) -> bool {
        self.lowest.is_none()
    }

    /// Whether `number` is in it.
    pub fn contains(&self, number: u64) -> bool {
        match self.lowest {
            Some(lowest) if number > lowest.last => {
                self.rest.get(self.reaching(number)).is_some_and(|interval| interval.first <= number)
            }
            Some(lowest) => number >= lowest.first,
            None => false,
        }
    }

    /// Puts `number` in; whether it is new.
    pub fn insert(&mut self, number: u64) -> bool {
        let Some(lowest) = &mut self.lowest else {
            self.lowest = Some(Interval::of(number));
            return true;
        };
        if lowest.ends_before(number) {
            lowest.last = number;
            if self.rest.front().is_some_and(|next| next.starts_after(number)) {
                lowest.last = self.rest.pop_front().expect("it was looked at").last;
            }
        } else if lowest.starts_after(number) {
            lowest.first = number;
        } else if number < lowest.first {
            self.rest.push_front(*lowest);
            *lowest = Interval::of(number);
        } else if number <= lowest.last {
            return false;
        } else {
            return self.insert_above(number);
        }
        true
    }

    /// Puts in a number above the lowest interval and not adjacent to it.
    fn insert_above(&mut self, number: u64) -> bool {
        let at = self.reaching(number - 1);
        match self.rest.get_mut(at) {
            Some(interval) if interval.ends_before(number) => {
                interval.last = number;
                if self.rest.get(at + 1).is_some_and(|next| next.starts_after(number)) {
                    let next = self.rest.remove(at + 1).expect("it was looked at");
                    self.rest[at].last = next.last;
                }
            }
            Some(interval) if interval.starts_after(number) => interval.first = number,
            Some(interval) if interval.first <= number => return false,
            _ => self.rest.insert(at, Interval::of(number)),
        }
        true
    }

    /// Takes `number` out; whether it was in.
    pub fn remove(&mut self, number: u64) -> bool {
        if !self.contains(number) {
            return false;
        }
        if self.first() == Some(number) {
            self.pop_first();
            return true;
        }
        let at = match self.lowest.take_if(|lowest| number <= lowest.last) {
            Some(lowest) => {
                self.rest.push_front(lowest);
                0
            }
            None => self.reaching(number),
        };
        let Interval { first, last } = self.rest[at];
        let below = (first < number).then(|| Interval { first, last: number - 1 });
        let above = (number < last).then(|| Interval { first: number + 1, last });
        self.rest.remove(at);
        for part in [above, below].into_iter().flatten() {
            self.rest.insert(at, part);
        }
        self.lowest = self.lowest.or_else(|| self.rest.pop_front());
        true
    }

    /// The lowest number.
    pub fn first(&self) -> Option<u64> {
        self.lowest.map(|lowest| lowest.first)
    }

    /// Takes the lowest number out.
    pub fn pop_first(&mut self) -> Option<u64> {
        let lowest = self.lowest.as_mut()?;
        let number = lowest.first;
        if number == lowest.last {
            self.pop_first_interval();
        } else {
            lowest.first += 1;
        }
        Some(number)
    }

    /// Takes the lowest interval out.
    pub fn pop_first_interval(&mut self) -> Option<Interval> {
        let lowest = self.lowest.take();
        self.lowest = self.rest.pop_front();
        lowest
    }

    /// The intervals, ascending.
    pub fn intervals(&self) -> impl Iterator<Item = Interval> {
        self.lowest.iter().chain(&self.rest).copied()
    }

    /// Where in `rest` the first interval stands that reaches up to `number` or beyond.
    fn reaching(&self, number: u64) -> usize {
        match self.rest.back() {
            Some(highest) if highest.last >= number => self.rest.partition_point(|interval| interval.last < number),
            _ => self.rest.len(),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    fn of(numbers: impl IntoIterator<Item = u64>) -> IntervalSet {
        let mut set = IntervalSet::new();
        numbers.into_iter().for_each(|number| _ = set.insert(number));
        set
    }

    fn pairs(set: &IntervalSet) -> Vec<(u64, u64)> {
        set.intervals().map(|interval| (interval.first, interval.last)).collect()
    }

    #[test]
    fn numbers_in_order_are_one_interval_without_heap() {
        let set = of(0..1000);
        assert_eq!(pairs(&set), [(0, 999)]);
        assert_eq!(set.rest.capacity(), 0);
    }

    #[test]
    fn the_number_between_two_intervals_joins_them() {
        assert_eq!(pairs(&of([0, 2, 4, 6, 5])), [(0, 0), (2, 2), (4, 6)]);
        assert_eq!(pairs(&of([0, 2, 4, 6, 5, 1])), [(0, 2), (4, 6)]);
    }

    #[test]
    fn both_ends_of_the_range_are_numbers_like_others() {
        let mut set = of([u64::MAX, 0, u64::MAX - 1]);
        assert_eq!(pairs(&set), [(0, 0), (u64::MAX - 1, u64::MAX)]);
        assert!(!set.insert(u64::MAX) && set.remove(u64::MAX) && set.insert(u64::MAX));
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn it_agrees_with_a_set_of_single_numbers(steps in vec((0_u64..40, 0_u8..8), 0..200)) {
            let (mut set, mut model) = (IntervalSet::new(), BTreeSet::new());
            for (number, step) in steps {
                match step {
                    0 => prop_assert_eq!(set.pop_first(), model.pop_first()),
                    1..=2 => prop_assert_eq!(set.remove(number), model.remove(&number)),
                    _ => prop_assert_eq!(set.insert(number), model.insert(number)),
                }
                prop_assert_eq!(set.first(), model.first().copied());
                prop_assert_eq!(set.is_empty(), model.is_empty());
                prop_assert!((0..41).all(|number| set.contains(number) == model.contains(&number)));
                let intervals = pairs(&set);
                prop_assert!(intervals.iter().all(|(first, last)| first <= last));
                prop_assert!(intervals.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
            }
        }
    }
}
