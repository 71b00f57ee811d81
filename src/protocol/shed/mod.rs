//! Load shedding: whether a request that arrives is let in, or turned away at once.
//!
//! Work that is turned away costs next to nothing; work that is begun and comes too late costs as much as work that counts. A
//! shedder judges by what a server knows when a request arrives: how many wait, how many are at work, how urgent the newcomer is
//! and how long its caller will wait. Room in the queue is not its question, nor is what has been let in already.

use crate::base::random::Uniform;
use crate::base::time::Span;
use crate::protocol::family::family;

family! { $
    /// Who is turned away: plain data.
    ShedPolicy,
    /// Who turns requests away, under any [`ShedPolicy`].
    AnyShed, SHEDDERS, each_shed;
    expected_wait: ExpectedWait, ExpectedWaitSettings;
    random_early: RandomEarly, RandomEarlySettings;
    priority_levels: PriorityLevels, PriorityLevelsSettings;
}

/// What is known when a request arrives.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Arriving {
    /// How many wait for a worker.
    pub waiting: u32,
    /// Workers at work.
    pub busy: u32,
    /// All workers; as many as are needed if `None`.
    pub workers: Option<u32>,
    /// How urgent the request is: higher is more.
    pub priority: u8,
    /// How long its caller will wait for it.
    pub left: Option<Span>,
}

/// Who turns requests away.
pub trait Shed {
    /// Whether the request is let in. `draw` gives the request's own luck, the same each time it is asked for.
    fn admits(&mut self, arriving: &Arriving, draw: impl Fn() -> Uniform) -> bool;

    /// A request was served, and took a worker so long.
    fn served(&mut self, work: Span) {
        let _ = work;
    }
}

impl Shed for AnyShed {
    fn admits(&mut self, arriving: &Arriving, draw: impl Fn() -> Uniform) -> bool {
        each_shed!(self, shed => shed.admits(arriving, draw))
    }

    fn served(&mut self, work: Span) {
        each_shed!(self, shed => shed.served(work));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::{draws, fixed};

    proptest! {
        #![proptest_config(fixed())]

        /// An idle server with time enough turns nobody away, whatever it has seen; and where somebody is let in, the same one is
        /// let in with fewer in front.
        #[test]
        fn more_load_never_opens_a_door(works in prop::collection::vec(1_u64..200, 0..20), waiting in 0_u32..200, seed: u64) {
            for listing in SHEDDERS {
                let mut shed = listing.example().start();
                for &work in &works {
                    shed.served(ms(work));
                }
                let luck = draws(seed)();
                let workers = Some(3);
                let idle = Arriving { waiting: 0, busy: 0, workers, priority: 0, left: Some(ms(1_000)) };
                prop_assert!(shed.admits(&idle, || luck), "{}", listing.name);
                for priority in [0, 5, 255] {
                    let there = Arriving { waiting, busy: 3, priority, ..idle };
                    let before = Arriving { waiting: waiting / 2, ..there };
                    let (there, before) = (shed.clone().admits(&there, || luck), shed.clone().admits(&before, || luck));
                    prop_assert!(before || !there, "{}: {waiting} at priority {priority}", listing.name);
                }
            }
        }
    }
}
