//! What happens in the queues of brokers: how long they are, what comes in and goes out.

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::{Kind, Observation, QueueFact, Wanted};
use crate::sim::Observer;

use super::curve::Curve;

/// The books of all queues of a run.
#[derive(Debug)]
pub struct Queues {
    books: Vec<QueueBook>,
    levels: Vec<Level>,
    measured: (Time, Time),
}

/// How long a queue has been since when.
#[derive(Clone, Copy, Debug, Default)]
struct Level {
    since: Time,
    ready: u32,
    unacked: u32,
}

/// What happened in a queue while it was measured.
#[derive(Clone, Debug, Default)]
pub struct QueueBook {
    facts: [u64; QueueFact::COUNT],
    /// Integrals over time of the number ready and of those that are not acknowledged: message seconds.
    pub ready_seconds: f64,
    /// See `ready_seconds`.
    pub unacked_seconds: f64,
    /// The most that were ready, and that were not acknowledged.
    pub ready_max: u32,
    /// See `ready_max`.
    pub unacked_max: u32,
    /// The number ready over time, from the start of the run, measured or not.
    pub ready: Curve,
    /// The number of those that are not acknowledged over time, from the start of the run, measured or not.
    pub unacked: Curve,
    /// The length of the measured time in seconds.
    pub seconds: f64,
}

impl QueueBook {
    /// How often this happened.
    pub fn of(&self, fact: QueueFact) -> u64 {
        self.facts[fact as usize]
    }

    /// The mean number of messages that wait.
    pub fn ready_mean(&self) -> f64 {
        self.ready_seconds / self.seconds
    }

    /// The mean number of messages that consumers have and have not acknowledged.
    pub fn unacked_mean(&self) -> f64 {
        self.unacked_seconds / self.seconds
    }

    /// The messages, or deliveries, to which this may have happened.
    pub fn whole(&self, fact: QueueFact) -> u64 {
        match fact {
            QueueFact::Redelivered => self.of(QueueFact::Delivered),
            QueueFact::Refused => self.of(QueueFact::Published) + self.of(QueueFact::Refused),
            _ => self.of(QueueFact::Published),
        }
    }

    /// The share of messages, or of deliveries, to which this happened; `None` if there were none.
    pub fn share(&self, fact: QueueFact) -> Option<f64> {
        let whole = self.whole(fact);
        (whole > 0).then(|| self.of(fact) as f64 / whole as f64)
    }

    /// Adds what happened in another queue in the same time: the longest one counts.
    pub fn join(&mut self, other: &Self) {
        self.ready.join(&other.ready);
        self.unacked.join(&other.unacked);
        self.seconds = self.seconds.max(other.seconds);
        self.count(other);
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        self.ready.add(&other.ready);
        self.unacked.add(&other.unacked);
        self.seconds += other.seconds;
        self.count(other);
    }

    fn count(&mut self, other: &Self) {
        self.facts.iter_mut().zip(other.facts).for_each(|(sum, count)| *sum += count);
        self.ready_seconds += other.ready_seconds;
        self.unacked_seconds += other.unacked_seconds;
        self.ready_max = self.ready_max.max(other.ready_max);
        self.unacked_max = self.unacked_max.max(other.unacked_max);
    }
}

impl Queues {
    /// Books of so many queues, measured from `measured.0` to `measured.1`, whose curves have steps of this length.
    pub fn new(queues: usize, measured: (Time, Time), step: Span) -> Self {
        let seconds = measured.1.since(measured.0).as_secs_f64();
        let (ready, unacked) = (Curve::new(step), Curve::new(step));
        let books = vec![QueueBook { ready, unacked, seconds, ..QueueBook::default() }; queues];
        Self { books, levels: vec![Level::default(); queues], measured }
    }

    /// Ends the run: the books, in the order of the queues.
    pub fn close(&mut self, end: Time) -> &[QueueBook] {
        let end = end.max(self.measured.1);
        for queue in 0..self.levels.len() {
            self.pass(queue, end);
            self.books[queue].ready.close(end);
            self.books[queue].unacked.close(end);
        }
        &self.books
    }

    /// A queue stayed as long as it was until now.
    fn pass(&mut self, queue: usize, now: Time) {
        let (level, book) = (self.levels[queue], &mut self.books[queue]);
        // Only what lies within the measured time counts.
        let (from, to) = (level.since.max(self.measured.0), now.min(self.measured.1));
        let seconds = to.since(from).as_secs_f64();
        if seconds > 0.0 {
            book.ready_seconds += f64::from(level.ready) * seconds;
            book.unacked_seconds += f64::from(level.unacked) * seconds;
            // What was there when the measured time began counts, too.
            book.ready_max = book.ready_max.max(level.ready);
            book.unacked_max = book.unacked_max.max(level.unacked);
        }
    }

    fn set_level(&mut self, queue: usize, now: Time, ready: u32, unacked: u32) {
        self.pass(queue, now);
        let book = &mut self.books[queue];
        book.ready.set(now, ready.into());
        book.unacked.set(now, unacked.into());
        if self.measured.0 <= now && now < self.measured.1 {
            book.ready_max = book.ready_max.max(ready);
            book.unacked_max = book.unacked_max.max(unacked);
        }
        self.levels[queue] = Level { since: now, ready, unacked };
    }
}

impl Observer for Queues {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Queue)
    }

    fn observe(&mut self, now: Time, _: NodeId, observation: &Observation) {
        let counts = self.measured.0 <= now && now < self.measured.1;
        match *observation {
            Observation::Queued { queue, fact } if counts => self.books[usize::from(queue)].facts[fact as usize] += 1,
            Observation::QueueDepth { queue, ready, unacked } => self.set_level(queue.into(), now, ready, unacked),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    /// Nine wait from 5 ms on, and two from 1.5 s: measured from 1 s to 2 s, the most are nine, and the mean is 9/2 + 2/2. The curve
    /// begins before, and goes on afterwards.
    #[test]
    fn what_is_there_when_the_measured_time_begins_counts() {
        let at = |time| Time::ZERO + time;
        let mut queues = Queues::new(1, (at(secs(1)), at(secs(2))), ms(500));
        let node = NodeId::new(0);
        for (time, ready) in [(ms(5), 9), (ms(1500), 2)] {
            queues.observe(at(time), node, &Observation::QueueDepth { queue: 0, ready, unacked: ready + 1 });
        }
        let book = &queues.close(at(ms(2_250)))[0];
        assert_eq!((book.ready_max, book.unacked_max), (9, 10));
        assert!((book.ready_mean() - 5.5).abs() < 1e-9);
        let of = |curve: &Curve| curve.steps.iter().map(|step| (step.mean(), step.max)).collect::<Vec<_>>();
        assert_eq!(of(&book.ready), [(8.91, 9), (9.0, 9), (9.0, 9), (2.0, 2), (2.0, 2)]);
        assert_eq!(of(&book.unacked), [(9.9, 10), (10.0, 10), (10.0, 10), (3.0, 3), (3.0, 3)]);
    }
}
