//! What every discipline keeps.

use std::collections::BTreeSet;

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::base::time::ms;
use crate::protocol::laws::{draws, fixed};

/// One that waits since `since` ms.
pub fn since(id: u32, since: u64) -> Waiting {
    Waiting { id, since: Time::ZERO + ms(since), priority: 0, deadline: None }
}

/// The turns of all that wait at `now` ms, and who is shed, each in order.
pub fn drain(queue: &mut impl Queue, now: u64) -> (Vec<u32>, Vec<u32>) {
    let (mut served, mut shed) = (vec![], vec![]);
    loop {
        match queue.pop(Time::ZERO + ms(now)) {
            Popped::Serve(id) => served.push(id),
            Popped::Shed(id) => shed.push(id),
            Popped::Empty => return (served, shed),
        }
    }
}

#[derive(Clone, Debug)]
enum Step {
    Push { after: u64, priority: u8, deadline: Option<u64> },
    Pop { after: u64 },
    Remove { place: usize },
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0_u64..20, 0_u8..4, prop::option::of(0_u64..300)).prop_map(|(after, priority, deadline)| Step::Push {
            after,
            priority,
            deadline
        }),
        2 => (0_u64..40).prop_map(|after| Step::Pop { after }),
        1 => (0_usize..50).prop_map(|place| Step::Remove { place }),
    ];
    vec(step, 0..200)
}

proptest! {
    #![proptest_config(fixed())]

    /// Served, shed or removed: each that went in comes out once and never again. A queue answers that it is empty if it is, and
    /// only then; it counts itself.
    #[test]
    fn whoever_went_in_comes_out_exactly_once(steps in steps(), seed: u64) {
        for listing in QUEUES {
            let (mut queue, mut draw) = (listing.example().start(), draws(seed));
            let (mut inside, mut next, mut now) = (BTreeSet::new(), 0, Time::ZERO);
            let take = |queue: &mut AnyQueue, inside: &mut BTreeSet<u32>, now| {
                match queue.pop(now) {
                    Popped::Serve(id) | Popped::Shed(id) => assert!(inside.remove(&id), "{}: {id}", listing.name),
                    Popped::Empty => assert!(inside.is_empty(), "{}: {inside:?} are left", listing.name),
                }
            };
            for step in &steps {
                match *step {
                    Step::Push { after, priority, deadline } => {
                        now += ms(after);
                        let deadline = deadline.map(|left| now + ms(left));
                        queue.push(Waiting { id: next, since: now, priority, deadline }, &mut draw);
                        inside.insert(next);
                        next += 1;
                    }
                    Step::Pop { after } => {
                        now += ms(after);
                        take(&mut queue, &mut inside, now);
                    }
                    Step::Remove { place } => {
                        let id = inside.iter().nth(place).copied().unwrap_or(next + 1);
                        prop_assert_eq!(queue.remove(id), inside.remove(&id), "{}", listing.name);
                    }
                }
                prop_assert_eq!(queue.len() as usize, inside.len(), "{}", listing.name);
            }
            while !inside.is_empty() {
                take(&mut queue, &mut inside, now);
            }
            prop_assert_eq!(queue.pop(now), Popped::Empty, "{}", listing.name);
            prop_assert!(queue.is_empty());
        }
    }

    /// Who is asked for no luck needs none, and where nothing is shed every turn is a turn: all but two kinds conserve work at
    /// any time, and those do while nobody has waited for long.
    #[test]
    fn nobody_is_shed_before_there_is_a_standing_queue(items in vec((0_u64..4, any::<u8>()), 1..40), seed: u64) {
        for listing in QUEUES {
            let (mut queue, mut draw) = (listing.example().start(), draws(seed));
            for (id, &(at, priority)) in items.iter().enumerate() {
                queue.push(Waiting { priority, ..since(id as u32, at) }, &mut draw);
            }
            let (served, shed) = drain(&mut queue, 4);
            prop_assert_eq!((served.len(), shed.len()), (items.len(), 0), "{}", listing.name);
        }
    }
}

/// One of these stands in every node of every service.
#[test]
fn a_queue_is_as_small_as_a_line() {
    assert!(size_of::<AnyQueue>() <= size_of::<std::collections::VecDeque<u32>>());
}
