//! By priority.

use std::collections::VecDeque;

use super::standing::Places;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::settings;

settings! {
    /// Whoever has the highest priority goes first, and among equals whoever came first. Work in progress is not interrupted. Under
    /// overload the lowest priorities get no turn at all while the highest hardly notice.
    pub struct PriorityOrderSettings = "priority", "RabbitMQ 3.5, priority queues (a larger number is a higher priority)" {}
}

impl Settings for PriorityOrderSettings {}

/// Those that wait.
#[derive(Clone, Debug, Default)]
pub struct PriorityOrder(Box<Lanes>);

#[derive(Clone, Debug, Default)]
struct Lanes {
    places: Places,
    /// How many places there are in all lanes, those that were left among them.
    size: usize,
    /// One for each priority that ever came (at most 256), the highest first. Who stands there, and since which place.
    lanes: Vec<(u8, VecDeque<(u32, u64)>)>,
}

impl PriorityOrder {
    /// Nobody waits.
    pub fn new(_: &PriorityOrderSettings) -> Self {
        Self::default()
    }
}

impl Queue for PriorityOrder {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        let Lanes { places, size, lanes } = &mut *self.0;
        let lane = lanes.binary_search_by(|lane| item.priority.cmp(&lane.0)).unwrap_or_else(|lane| {
            lanes.insert(lane, (item.priority, VecDeque::new()));
            lane
        });
        lanes[lane].1.push_back((item.id, places.join(item.id)));
        *size += 1;
    }

    fn pop(&mut self, _: Time) -> Popped {
        let Lanes { places, size, lanes } = &mut *self.0;
        if places.len() == 0 {
            return Popped::Empty;
        }
        for (_, lane) in lanes {
            while let Some((id, place)) = lane.pop_front() {
                *size -= 1;
                if places.has(id, place) {
                    places.leave(id);
                    return Popped::Serve(id);
                }
            }
        }
        Popped::Empty
    }

    fn remove(&mut self, id: u32) -> bool {
        let Lanes { places, size, lanes } = &mut *self.0;
        let was_there = places.leave(id);
        if places.is_sparse(*size) {
            lanes.iter_mut().for_each(|(_, lane)| lane.retain(|&(id, place)| places.has(id, place)));
            *size = places.len() as usize;
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
    use crate::protocol::laws::fixed;

    proptest! {
        #![proptest_config(fixed())]

        /// A stable sort by falling priority says the same.
        #[test]
        fn the_highest_goes_first_and_equals_in_order(priorities in vec(any::<u8>(), 0..60)) {
            let mut queue = PriorityOrder::default();
            for (id, &priority) in priorities.iter().enumerate() {
                queue.push(Waiting { priority, ..since(id as u32, 0) }, || unreachable!());
            }
            let mut expected: Vec<u32> = (0..priorities.len() as u32).collect();
            expected.sort_by_key(|&id| u8::MAX - priorities[id as usize]);
            prop_assert_eq!(drain(&mut queue, 0).0, expected);
        }
    }
}
