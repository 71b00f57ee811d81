//! Earliest deadline first.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

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
    /// How many ever came: equals go in this order.
    came: u64,
    /// The earliest on top.
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
        let Deadlines { came, heap } = &mut *self.0;
        heap.push(Reverse((item.deadline.unwrap_or(Time::MAX), *came, item.id)));
        *came += 1;
    }

    fn pop(&mut self, _: Time) -> Popped {
        self.0.heap.pop().map_or(Popped::Empty, |Reverse((_, _, id))| Popped::Serve(id))
    }

    fn remove(&mut self, id: u32) -> bool {
        let before = self.0.heap.len();
        self.0.heap.retain(|Reverse((_, _, waiting))| *waiting != id);
        self.0.heap.len() < before
    }

    fn len(&self) -> u32 {
        self.0.heap.len() as u32
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
