//! A line that those in the middle may leave: each leaves a gap, and gaps are passed over.
//!
//! Who stands in it is known by handle, so leaving is O(1), and so is a turn: each gap is passed over once. Before there are more
//! gaps than half of the line, all of them are closed.

use std::collections::VecDeque;

/// Who waits, and since which place among all that ever came.
#[derive(Clone, Debug, Default)]
pub(super) struct Places {
    /// By handle; 0 for those that do not wait.
    of: Vec<u64>,
    came: u64,
    len: u32,
}

impl Places {
    /// One comes: its place.
    pub(super) fn join(&mut self, id: u32) -> u64 {
        let index = id as usize;
        if self.of.len() <= index {
            self.of.resize(index + 1, 0);
        }
        self.came += 1;
        self.of[index] = self.came;
        self.len += 1;
        self.came
    }

    /// One waits no more; whether it did.
    pub(super) fn leave(&mut self, id: u32) -> bool {
        let is_there = self.of.get_mut(id as usize).is_some_and(|place| std::mem::take(place) != 0);
        self.len -= u32::from(is_there);
        is_there
    }

    /// Whether this place is still taken by that one.
    pub(super) fn has(&self, id: u32, place: u64) -> bool {
        self.of.get(id as usize) == Some(&place)
    }

    pub(super) fn len(&self) -> u32 {
        self.len
    }

    /// Whether so many places are too many for those that wait.
    pub(super) fn is_sparse(&self, places: usize) -> bool {
        places > 2 * self.len as usize + 64
    }
}

/// Those that wait, in the order in which they came, and what is known of each. No gap is at either end.
#[derive(Clone, Debug)]
pub(super) struct Standing<T> {
    line: VecDeque<(u32, u64, T)>,
    places: Places,
}

impl<T> Default for Standing<T> {
    fn default() -> Self {
        Self { line: VecDeque::new(), places: Places::default() }
    }
}

impl<T> Standing<T> {
    pub(super) fn push(&mut self, id: u32, known: T) {
        let place = self.places.join(id);
        self.line.push_back((id, place, known));
    }

    /// Whoever came first.
    pub(super) fn front(&self) -> Option<(u32, &T)> {
        self.line.front().map(|(id, _, known)| (*id, known))
    }

    pub(super) fn pop_front(&mut self) -> Option<(u32, T)> {
        let (id, _, known) = self.line.pop_front()?;
        self.places.leave(id);
        self.close_the_ends();
        Some((id, known))
    }

    pub(super) fn pop_back(&mut self) -> Option<(u32, T)> {
        let (id, _, known) = self.line.pop_back()?;
        self.places.leave(id);
        self.close_the_ends();
        Some((id, known))
    }

    /// Takes this one out, wherever it stands; whether it was there.
    pub(super) fn remove(&mut self, id: u32) -> bool {
        let was_there = self.places.leave(id);
        self.close_the_ends();
        if self.places.is_sparse(self.line.len()) {
            let places = &self.places;
            self.line.retain(|(id, place, _)| places.has(*id, *place));
        }
        was_there
    }

    pub(super) fn len(&self) -> u32 {
        self.places.len()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    fn close_the_ends(&mut self) {
        let is_gap = |end: Option<&(u32, u64, T)>| end.is_some_and(|(id, place, _)| !self.places.has(*id, *place));
        while is_gap(self.line.front()) {
            self.line.pop_front();
        }
        while is_gap(self.line.back()) {
            self.line.pop_back();
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A handle that left may come again before its gap is reached: it stands at its new place alone.
    #[test]
    fn who_comes_again_has_one_place() {
        let mut line = Standing::default();
        [3, 5, 7].into_iter().for_each(|id| line.push(id, ()));
        assert!(line.remove(5) && !line.remove(5));
        line.push(5, ());
        assert_eq!((line.len(), line.front()), (3, Some((3, &()))));
        assert_eq!([line.pop_front(), line.pop_front(), line.pop_front()].map(|found| found.unwrap().0), [3, 7, 5]);
        assert!(line.is_empty() && line.pop_back().is_none());
    }

    #[test]
    fn there_are_never_many_more_places_than_those_that_wait() {
        let mut line = Standing::default();
        line.push(0, ());
        for id in 1..10_000 {
            line.push(id % 100 + 1, ());
            line.push(1_000, ());
            assert!(line.remove(id % 100 + 1) && line.remove(1_000));
            assert!(line.line.len() <= 70, "{}", line.line.len());
        }
        assert_eq!((line.len(), line.pop_back()), (1, Some((0, ()))));
    }
}
