//! The table of outstanding requests: asynchronous request and response.
//!
//! A requester puts each request in and goes on working; the table hands out its number, which travels with the request
//! and comes back with the response, and takes the entry out. What gets no response is found by walking the table.
//!
//! Numbers only grow, so the table is a ring indexed by number: no hashing, O(1). One request at a time, as a closed-loop
//! caller has, stands inline and needs no heap. A request that stays while thousands pass would stretch the ring: as soon
//! as the ring is longer than 4 × live + 64, its oldest move to a sorted spill, each at most once in its life.
//!
//! Source: the asynchronous request A = {from, to, payload, handler, response} with a table of deadlines is the correlation
//! identifier of Hohpe and Woolf, "Enterprise Integration Patterns", 2003; the call table of Birrell and Nelson,
//! "Implementing Remote Procedure Calls", ACM TOCS 2(1), 1984.

use std::collections::{BTreeMap, VecDeque};
use std::mem;

use super::Number;

/// Requests that wait for their responses, by number.
#[derive(Clone, Debug)]
pub struct Outstanding<T> {
    next: u64,
    entries: Entries<T>,
}

#[derive(Clone, Debug)]
enum Entries<T> {
    Empty,
    One { number: u64, entry: T },
    Many(Box<Ring<T>>),
}

impl<T> Default for Outstanding<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> Outstanding<T> {
    /// An empty table; the first number is 0.
    pub const fn new() -> Self {
        Self { next: 0, entries: Entries::Empty }
    }

    /// Puts `entry` in under the next number.
    pub fn insert(&mut self, entry: T) -> Number {
        let number = self.next;
        self.next += 1;
        match &mut self.entries {
            Entries::Empty => self.entries = Entries::One { number, entry },
            Entries::One { .. } => self.make_ring().push(number, entry),
            Entries::Many(ring) => ring.push(number, entry),
        }
        Number(number)
    }

    /// Moves to the heap.
    fn make_ring(&mut self) -> &mut Ring<T> {
        let before = mem::replace(&mut self.entries, Entries::Many(Box::new(Ring::new())));
        let Entries::Many(ring) = &mut self.entries else { unreachable!("it was put there") };
        if let Entries::One { number, entry } = before {
            ring.push(number, entry);
        }
        ring
    }

    /// Takes the entry out, if it is still there: the response arrived, or the requester gave up.
    pub fn remove(&mut self, number: Number) -> Option<T> {
        match &mut self.entries {
            Entries::Many(ring) => ring.remove(number.0),
            Entries::One { number: only, .. } if *only == number.0 => {
                match mem::replace(&mut self.entries, Entries::Empty) {
                    Entries::One { entry, .. } => Some(entry),
                    _ => unreachable!("it was looked at"),
                }
            }
            _ => None,
        }
    }

    /// The entry under `number`, to be changed in place: its next attempt, its new deadline.
    pub fn get_mut(&mut self, number: Number) -> Option<&mut T> {
        match &mut self.entries {
            Entries::Many(ring) => ring.get_mut(number.0),
            Entries::One { number: only, entry } if *only == number.0 => Some(entry),
            _ => None,
        }
    }

    /// How many requests wait.
    pub fn len(&self) -> usize {
        match &self.entries {
            Entries::Empty => 0,
            Entries::One { .. } => 1,
            Entries::Many(ring) => ring.live + ring.spill.len(),
        }
    }

    /// Whether none waits.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Those that wait, in order of their numbers.
    pub fn iter(&self) -> impl Iterator<Item = (Number, &T)> {
        let (one, ring) = match &self.entries {
            Entries::Empty => (None, None),
            Entries::One { number, entry } => (Some((*number, entry)), None),
            Entries::Many(ring) => (None, Some(ring.iter())),
        };
        one.into_iter().chain(ring.into_iter().flatten()).map(|(number, entry)| (Number(number), entry))
    }

    /// Moves those that are `due` to the end of `expired`, in order of their numbers.
    pub fn expire(&mut self, mut due: impl FnMut(Number, &T) -> bool, expired: &mut Vec<(Number, T)>) {
        match &mut self.entries {
            Entries::Empty => {}
            Entries::One { number, entry } => {
                let number = Number(*number);
                if due(number, entry) {
                    expired.extend(self.remove(number).map(|entry| (number, entry)));
                }
            }
            Entries::Many(ring) => ring.expire(due, expired),
        }
    }
}

/// Entries by number: a dense ring from `base` on, and what was left far behind.
#[derive(Clone, Debug)]
struct Ring<T> {
    /// The number of the first slot.
    base: u64,
    /// Starts with a live entry, or is empty.
    slots: VecDeque<Option<T>>,
    /// How many slots are taken.
    live: usize,
    /// Numbers below `base`.
    spill: BTreeMap<u64, T>,
}

impl<T> Ring<T> {
    fn new() -> Self {
        Self { base: 0, slots: VecDeque::new(), live: 0, spill: BTreeMap::new() }
    }

    fn push(&mut self, number: u64, entry: T) {
        if self.slots.is_empty() {
            self.base = number;
        }
        debug_assert_eq!(self.base + self.slots.len() as u64, number, "the ring has a slot for every number");
        self.slots.push_back(Some(entry));
        self.live += 1;
        self.shed();
    }

    fn remove(&mut self, number: u64) -> Option<T> {
        if number < self.base {
            return self.spill.remove(&number);
        }
        let entry = self.slots.get_mut(usize::try_from(number - self.base).ok()?)?.take()?;
        self.live -= 1;
        self.trim();
        self.shed();
        Some(entry)
    }

    fn get_mut(&mut self, number: u64) -> Option<&mut T> {
        if number < self.base {
            return self.spill.get_mut(&number);
        }
        self.slots.get_mut(usize::try_from(number - self.base).ok()?)?.as_mut()
    }

    fn expire(&mut self, mut due: impl FnMut(Number, &T) -> bool, expired: &mut Vec<(Number, T)>) {
        let spilled = self.spill.extract_if(.., |&number, entry| due(Number(number), entry));
        expired.extend(spilled.map(|(number, entry)| (Number(number), entry)));
        for (number, slot) in (self.base..).zip(&mut self.slots) {
            if let Some(entry) = slot.take_if(|entry| due(Number(number), entry)) {
                expired.push((Number(number), entry));
                self.live -= 1;
            }
        }
        self.trim();
        self.shed();
    }

    fn iter(&self) -> impl Iterator<Item = (u64, &T)> {
        let ring = (self.base..).zip(&self.slots).filter_map(|(number, slot)| Some((number, slot.as_ref()?)));
        self.spill.iter().map(|(&number, entry)| (number, entry)).chain(ring)
    }

    /// Drops the empty slots in front.
    fn trim(&mut self) {
        while let Some(None) = self.slots.front() {
            self.slots.pop_front();
            self.base += 1;
        }
    }

    /// Moves the oldest entries to the spill until the ring is short enough for those that remain.
    fn shed(&mut self) {
        while self.slots.len() > 4 * self.live + 64 {
            let entry = self.slots.pop_front().flatten().expect("the ring starts with a live entry");
            self.spill.insert(self.base, entry);
            self.base += 1;
            self.live -= 1;
            self.trim();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    #[test]
    fn one_request_at_a_time_needs_no_heap() {
        let mut table = Outstanding::new();
        for round in 0..1000 {
            let number = table.insert(round);
            assert!(matches!(table.entries, Entries::One { .. }));
            assert_eq!(table.remove(number), Some(round));
        }
    }

    #[test]
    fn a_second_response_finds_nothing() {
        let mut table = Outstanding::new();
        let numbers: Vec<_> = (0..3).map(|entry| table.insert(entry)).collect();
        assert_eq!(table.remove(numbers[1]), Some(1));
        assert_eq!(table.remove(numbers[1]), None);
        assert_eq!(table.remove(Number(99)), None);
        assert_eq!(table.len(), 2);
    }

    /// One request waits while 100 000 pass, two at a time: the ring may hold 4 × 3 + 64 slots at most.
    #[test]
    fn a_request_left_far_behind_costs_one_entry() {
        let mut table = Outstanding::new();
        let slow = table.insert(0);
        let mut before = table.insert(1);
        for entry in 2..100_000 {
            let number = table.insert(entry);
            table.remove(before).unwrap();
            before = number;
        }
        let Entries::Many(ring) = &table.entries else { panic!("more than one was outstanding") };
        assert!(ring.slots.capacity() <= 128, "{}", ring.slots.capacity());
        assert_eq!(ring.spill.len(), 1);
        assert_eq!(table.iter().map(|(number, &entry)| (number, entry)).next(), Some((slow, 0)));
        assert_eq!(table.remove(slow), Some(0));
    }

    #[test]
    fn what_is_due_leaves_in_order_of_its_numbers() {
        let mut table = Outstanding::new();
        for deadline in [30, 10, 20, 40] {
            table.insert(deadline);
        }
        let mut expired = vec![];
        table.expire(|_, &deadline| deadline <= 20, &mut expired);
        assert_eq!(expired, [(Number(1), 10), (Number(2), 20)]);
        assert_eq!(table.iter().map(|(_, &deadline)| deadline).collect::<Vec<_>>(), [30, 40]);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Steps: 0 to 5 put in, 6 to 8 take out the pick-th, 9 walks. Long runs of either make rings with holes.
        #[test]
        fn it_agrees_with_a_sorted_map(steps in vec((0_u8..10, any::<prop::sample::Index>()), 0..600)) {
            let (mut table, mut model) = (Outstanding::new(), BTreeMap::new());
            for (step, pick) in steps {
                match step {
                    0..6 => {
                        let number = table.insert(step);
                        prop_assert_eq!(model.insert(number, step), None);
                    }
                    6..9 if !model.is_empty() => {
                        let number = *model.keys().nth(pick.index(model.len())).unwrap();
                        prop_assert_eq!(table.get_mut(number).copied(), model.get(&number).copied());
                        prop_assert_eq!(table.remove(number), model.remove(&number));
                    }
                    6..9 => prop_assert!(table.is_empty()),
                    _ => {
                        let mut expired = vec![];
                        let due = |number: Number, entry: &u8| !number.0.is_multiple_of(8) && *entry > 0;
                        table.expire(due, &mut expired);
                        prop_assert_eq!(expired, model.extract_if(.., |n, e| due(*n, e)).collect::<Vec<_>>());
                    }
                }
                prop_assert_eq!(table.len(), model.len());
                prop_assert!(table.iter().eq(model.iter().map(|(&number, entry)| (number, entry))));
                if let Entries::Many(ring) = &table.entries {
                    prop_assert!(ring.slots.len() <= 4 * ring.live + 64);
                }
            }
        }
    }
}
