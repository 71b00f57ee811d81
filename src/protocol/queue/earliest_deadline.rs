//! Earliest deadline first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use super::standing::Places;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::settings;

settings! {
    /// Whoever has to be done first goes first; those without a deadline come last, and equals in the order in which they came. If
    /// any order meets all deadlines on one worker, this one does. Under overload it works on those that are about to be late,
    /// and many of them are late when they are done.
    pub struct EarliestDeadlineSettings = "earliest-deadline", "Liu and Layland, JACM 20(1), 1973" {}
}

impl Settings for EarliestDeadlineSettings {}

/// Those that wait.
#[derive(Clone, Debug, Default)]
pub struct EarliestDeadline(Box<Deadlines>);

#[derive(Clone, Debug, Default)]
struct Deadlines {
    /// Equals go in this order.
    places: Places,
    /// The earliest on top; some have left.
    heap: BinaryHeap<Place>,
}

/// Deadline, place among all that came, handle.
type Place = Reverse<(Time, u64, u32)>;

impl EarliestDeadline {
    /// Nobody waits.
    pub fn new(_: &EarliestDeadlineSettings) -> Self {
        Self::default()
    }
}

impl Queue for EarliestDeadline {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        let Deadlines { places, heap } = &mut *self.0;
        heap.push(Reverse((item.deadline.unwrap_or(Time::MAX), places.join(item.id), item.id)));
    }

    fn pop(&mut self, _: Time) -> Popped {
        let Deadlines { places, heap } = &mut *self.0;
        while let Some(Reverse((_, place, id))) = heap.pop() {
            if places.has(id, place) {
                places.leave(id);
                return Popped::Serve(id);
            }
        }
        Popped::Empty
    }

    fn remove(&mut self, id: u32) -> bool {
        let Deadlines { places, heap } = &mut *self.0;
        let was_there = places.leave(id);
        if places.is_sparse(heap.len()) {
            heap.retain(|&Reverse((_, place, id))| places.has(id, place));
        }
        was_there
    }

    fn len(&self) -> u32 {
        self.0.places.len()
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::tests::{drain, since};
    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::fixed;

    proptest! {
        #![proptest_config(fixed())]

        /// A stable sort by deadline says the same, none standing for the end of time.
        #[test]
        fn the_earliest_goes_first_and_equals_in_order(deadlines in vec(prop::option::of(0_u64..20), 0..60)) {
            let mut queue = EarliestDeadline::default();
            for (id, deadline) in deadlines.iter().enumerate() {
                let deadline = deadline.map(|at| Time::ZERO + ms(at));
                queue.push(Waiting { deadline, ..since(id as u32, 0) }, || unreachable!());
            }
            let mut expected: Vec<u32> = (0..deadlines.len() as u32).collect();
            expected.sort_by_key(|&id| deadlines[id as usize].unwrap_or(u64::MAX));
            prop_assert_eq!(drain(&mut queue, 0).0, expected);
        }
    }
}
