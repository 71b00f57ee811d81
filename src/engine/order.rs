//! Which of two events comes first.
//!
//! Events are totally ordered by time, rank, tie, origin, the origin's counter: never by who was inserted first. The tie is
//! a mix of the schedule seed, the instant and the origin, so that at no instant the same origin always wins, while the
//! events of one origin keep their order.

use crate::base::random::{Key, mix};
use crate::base::time::Time;

/// What happens first among events of one instant.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Rank {
    /// Changes made from outside: faults, scheduled commands.
    Control,
    /// Work that is done: a worker freed now can take what arrives now.
    Work,
    /// Messages that arrive.
    Delivery,
    /// Deadlines: an answer at the deadline is in time.
    Deadline,
}

/// An event's place among the events of its instant. Compared only when times are equal.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Place {
    rank: Rank,
    tie: u64,
    origin: u64,
    count: u64,
}

/// The run's rule for ties.
#[derive(Clone, Copy, Debug)]
pub struct Schedule(u64);

impl Schedule {
    /// The rule under `key`: another key is another legal order of simultaneous events.
    pub fn new(key: Key) -> Self {
        Self(key.block(Default::default(), 0).first().bits())
    }

    /// The place at `time` of the event that `origin` (a name's bits) caused as its `count`th.
    pub fn place(self, time: Time, rank: Rank, origin: u64, count: u64) -> Place {
        let tie = mix(self.0 ^ mix(time.as_nanos() ^ mix(origin)));
        Place { rank, tie, origin, count }
    }
}

/// How a calendar reads its events.
pub trait Order<T> {
    /// When the event happens.
    fn time(&self, event: &T) -> Time;
    /// Its place among the events of that instant.
    fn place(&self, event: &T) -> Place;
    /// Whether events may be cancelled: [`Order::is_live`] is asked only then.
    const CANCELS: bool = false;
    /// Whether it still counts: a cancelled timer is dropped in bulk where its bucket opens.
    fn is_live(&self, _event: &T) -> bool {
        true
    }
    /// A hint that [`Order::is_live`] will soon be asked about this event.
    fn prefetch(&self, _event: &T) {}

    /// Whether `a` comes before `b`.
    fn before(&self, a: &T, b: &T) -> bool {
        let (time_a, time_b) = (self.time(a), self.time(b));
        time_a < time_b || time_a == time_b && self.place(a) < self.place(b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::random::Seed;

    #[test]
    fn rank_beats_tie_and_one_origin_keeps_its_order() {
        let schedule = Schedule::new(Seed(1).key("schedule"));
        let at = Time::from_nanos(5);
        let place = |rank, origin, count| schedule.place(at, rank, origin, count);
        for origin in 0..100 {
            assert!(place(Rank::Work, origin, 9) < place(Rank::Delivery, 7, 0));
            assert!(place(Rank::Delivery, origin, 1) < place(Rank::Delivery, origin, 2));
        }
    }

    #[test]
    fn no_origin_always_wins() {
        let schedule = Schedule::new(Seed(1).key("schedule"));
        let wins = (0..10_000)
            .filter(|&nanos| {
                let at = Time::from_nanos(nanos);
                schedule.place(at, Rank::Delivery, 1, 0) < schedule.place(at, Rank::Delivery, 2, 0)
            })
            .count();
        // Binomial(10 000, 1/2): sd 50, four of them.
        assert!((4_800..=5_200).contains(&wins), "{wins}");
    }
}
