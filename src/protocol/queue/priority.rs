//! By priority.

use std::collections::VecDeque;

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
    len: u32,
    /// One for each priority that ever came (at most 256), the highest first.
    lanes: Vec<(u8, VecDeque<u32>)>,
}

impl PriorityOrder {
    /// Nobody waits.
    pub fn new(_: &PriorityOrderSettings) -> Self {
        Self::default()
    }
}

impl Queue for PriorityOrder {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        let Lanes { len, lanes } = &mut *self.0;
        let place = lanes.binary_search_by(|lane| item.priority.cmp(&lane.0)).unwrap_or_else(|place| {
            lanes.insert(place, (item.priority, VecDeque::new()));
            place
        });
        lanes[place].1.push_back(item.id);
        *len += 1;
    }

    fn pop(&mut self, _: Time) -> Popped {
        if self.0.len == 0 {
            return Popped::Empty;
        }
        self.0.len -= 1;
        self.0.lanes.iter_mut().find_map(|lane| lane.1.pop_front()).map_or(Popped::Empty, Popped::Serve)
    }

    fn remove(&mut self, id: u32) -> bool {
        for (_, lane) in &mut self.0.lanes {
            if let Some(place) = lane.iter().position(|&waiting| waiting == id) {
                lane.remove(place);
                self.0.len -= 1;
                return true;
            }
        }
        false
    }

    fn len(&self) -> u32 {
        self.0.len
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
