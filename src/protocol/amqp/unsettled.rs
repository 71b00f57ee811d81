//! What waits to be acknowledged, by tag: deliveries at a queue, publishes at their publisher.
//!
//! Tags only grow, so the list is sorted as it is made. Most is acknowledged in order, which takes from the front; what is taken
//! from the middle leaves a hole, and the list is swept when holes are most of it. O(log n), and a sweep per n settled.

use std::collections::VecDeque;

/// Entries by tag.
#[derive(Clone, Debug)]
pub struct Unsettled<E> {
    /// Begins with one that is there, or is empty.
    slots: VecDeque<(u64, Option<E>)>,
    live: usize,
}

impl<E> Default for Unsettled<E> {
    fn default() -> Self {
        Self { slots: VecDeque::new(), live: 0 }
    }
}

impl<E> Unsettled<E> {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.live
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.live == 0
    }

    /// Puts one in, under a tag above all before.
    pub fn push(&mut self, tag: u64, entry: E) {
        debug_assert!(self.slots.back().is_none_or(|&(last, _)| last < tag), "tags grow");
        self.slots.push_back((tag, Some(entry)));
        self.live += 1;
    }

    /// Takes out the one under this tag.
    pub fn remove(&mut self, tag: u64) -> Option<E> {
        let place = self.place(tag)?;
        let entry = self.slots[place].1.take()?;
        self.live -= 1;
        self.trim();
        if self.slots.len() > 2 * self.live + 64 {
            self.slots.retain(|(_, slot)| slot.is_some());
        }
        Some(entry)
    }

    /// Whether something is there under this tag.
    pub fn contains(&self, tag: u64) -> bool {
        self.place(tag).is_some_and(|place| self.slots[place].1.is_some())
    }

    /// The tag of the oldest.
    pub fn oldest(&self) -> Option<u64> {
        self.slots.front().map(|&(tag, _)| tag)
    }

    /// Takes out the oldest whose tag is not above this one.
    pub fn pop_up_to(&mut self, tag: u64) -> Option<E> {
        self.slots.front().filter(|&&(first, _)| first <= tag)?;
        let (_, entry) = self.slots.pop_front()?;
        self.live -= 1;
        self.trim();
        entry
    }

    fn place(&self, tag: u64) -> Option<usize> {
        // Nearly always it is the oldest.
        if self.slots.front()?.0 == tag {
            return Some(0);
        }
        self.slots.binary_search_by_key(&tag, |&(tag, _)| tag).ok()
    }

    fn trim(&mut self) {
        while let Some((_, None)) = self.slots.front() {
            self.slots.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_settled_is_gone() {
        let mut unsettled = Unsettled::default();
        for tag in 1..=5 {
            unsettled.push(tag, tag * 10);
        }
        assert_eq!(unsettled.remove(3), Some(30));
        assert_eq!(unsettled.remove(3), None);
        assert!(unsettled.contains(4) && !unsettled.contains(3) && !unsettled.contains(6));
        let rest: Vec<_> = std::iter::from_fn(|| unsettled.pop_up_to(4)).collect();
        assert_eq!((rest, unsettled.len()), (vec![10, 20, 40], 1));
    }

    /// Tag 1 stays while 100 000 pass, two at a time: 2 × 3 + 64 slots at most.
    #[test]
    fn one_that_is_left_far_behind_costs_one_entry() {
        let mut unsettled = Unsettled::default();
        unsettled.push(1, ());
        unsettled.push(2, ());
        for tag in 3..100_000 {
            unsettled.push(tag, ());
            unsettled.remove(tag - 1).unwrap();
            assert!(unsettled.slots.len() <= 70);
        }
        assert!(unsettled.remove(1).is_some() && unsettled.remove(99_999).is_some());
        assert_eq!((unsettled.len(), unsettled.slots.len()), (0, 0));
    }
}
