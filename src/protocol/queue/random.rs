//! Random order of service.
//!
//! Those that wait stand in a uniformly random order at all times: a newcomer changes places with one drawn at random among all,
//! itself included (the step of an inside-out shuffle), and a turn takes the last. So each turn is everybody's alike, whatever
//! happened before, and luck is asked for only when somebody comes. The last also takes the place of one that leaves: what is left
//! is in as random an order as before, for each order of the others comes from equally many.

use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::Time;
use crate::settings;

settings! {
    /// Anybody who waits, each as likely as the others. It is what threads that contend for a lock or a connection come close to.
    /// The mean wait is that of first in, first out, the tail is longer.
    pub struct RandomOrderSettings = "random", "Kingman, On queues in which customers are served in random order, 1962" {}
}

impl Settings for RandomOrderSettings {}

/// Those that wait, in random order: the last goes first.
#[derive(Clone, Debug, Default)]
pub struct RandomOrder(Box<Shuffled>);

#[derive(Clone, Debug, Default)]
struct Shuffled {
    line: Vec<u32>,
    /// Where each stands, by handle.
    places: Vec<u32>,
}

/// The place of those that do not wait.
const NOWHERE: u32 = u32::MAX;

impl RandomOrder {
    /// Nobody waits.
    pub fn new(_: &RandomOrderSettings) -> Self {
        Self::default()
    }
}

impl Shuffled {
    /// Whoever stands at this place is to be found there.
    fn note(&mut self, place: usize) {
        if let Some(&id) = self.line.get(place) {
            let id = id as usize;
            if self.places.len() <= id {
                self.places.resize(id + 1, NOWHERE);
            }
            self.places[id] = place as u32;
        }
    }
}

impl Queue for RandomOrder {
    fn push(&mut self, item: Waiting, mut draw: impl FnMut() -> Uniform) {
        let last = self.0.line.len();
        self.0.line.push(item.id);
        if last > 0 {
            let place = draw().below(last as u64 + 1) as usize;
            self.0.line.swap(last, place);
            self.0.note(place);
        }
        self.0.note(last);
    }

    fn pop(&mut self, _: Time) -> Popped {
        let Some(id) = self.0.line.pop() else { return Popped::Empty };
        self.0.places[id as usize] = NOWHERE;
        Popped::Serve(id)
    }

    fn remove(&mut self, id: u32) -> bool {
        let Some(place) = self.0.places.get_mut(id as usize) else { return false };
        let place = std::mem::replace(place, NOWHERE);
        if place == NOWHERE {
            return false;
        }
        self.0.line.swap_remove(place as usize);
        self.0.note(place as usize);
        true
    }

    fn len(&self) -> u32 {
        self.0.line.len() as u32
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::since;
    use super::*;
    use crate::protocol::laws::draws;

    /// Four come, one is taken, one more comes, number 3 leaves, three remain. Rounds in which 3 was taken are left out, so 0, 1 and
    /// 2 are still there with 2/3 each, and next with 2/3 · 1/3 = 2/9; the newcomer is next with 1/3. Five standard deviations of
    /// a binomial count are allowed.
    #[test]
    fn each_turn_is_everybodys_alike() {
        let (mut draw, mut next, mut rounds) = (draws(1), [0.0_f64; 5], 0.0);
        while rounds < 20_000.0 {
            let mut queue = RandomOrder::default();
            for id in 0..4 {
                queue.push(since(id, 0), &mut draw);
            }
            if queue.pop(Time::ZERO) == Popped::Serve(3) {
                continue;
            }
            queue.push(since(4, 0), &mut draw);
            assert!(queue.remove(3));
            let Popped::Serve(id) = queue.pop(Time::ZERO) else { panic!("three wait") };
            next[id as usize] += 1.0;
            rounds += 1.0;
        }
        for (id, share) in [(0, 2.0 / 9.0), (1, 2.0 / 9.0), (2, 2.0 / 9.0), (4, 1.0 / 3.0)] {
            let deviation = libm::sqrt(rounds * share * (1.0 - share));
            assert!((next[id] - rounds * share).abs() < 5.0 * deviation, "{id}: {next:?}");
        }
    }
}
