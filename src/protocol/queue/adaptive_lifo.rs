//! First in, first out, until there is a standing queue: then last in, first out.
//!
//! A queue *stands* when it has not been empty for `interval`, or holds more than `threshold`. A burst that a node works off is
//! answered in order; in overload, where whoever is first has waited longest and likely gave up, the newest goes first. With
//! `max-wait`, those that have waited longer than that are shed while the queue stands: when it ends, nobody is left from before.
//!
//! Source: Maurer, "Fail at Scale", ACM Queue 13(8), 2015, which limits the wait to 5 ms once the queue has not been empty for
//! 100 ms, and says that the two values hold across a wide set of uses. HHVM switches by length
//! (`Server.ThreadJobLIFOSwitchThreshold`).

use std::num::NonZeroU32;

use super::standing::Standing;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, ms};
use crate::settings;

settings! {
    /// Whoever came first goes first, but while a queue stands, whoever came last. A short burst is served in order; under overload
    /// the newest are still answered in time, rather than all too late. It costs those that wait then: they get their turn when
    /// the queue ends, or are shed after `max-wait`.
    pub struct AdaptiveLifoSettings = "adaptive-lifo", "Maurer, Fail at Scale, ACM Queue 13(8), 2015" {
        /// The queue stands once it has not been empty for so long (100 ms in Fail at Scale).
        interval: Span = ms(100),
        /// The queue also stands while more than so many wait (as in HHVM, where it is off by default).
        threshold: Option<NonZeroU32> = None,
        /// While the queue stands, those that have waited longer are shed (5 ms in Fail at Scale; nobody, unless said).
        max_wait: Option<Span> = None,
    }
}

impl Settings for AdaptiveLifoSettings {}

/// Those that wait.
#[derive(Clone, Debug)]
pub struct AdaptiveLifo(Box<State>);

#[derive(Clone, Debug)]
struct State {
    settings: AdaptiveLifoSettings,
    /// When the queue was empty for the last time; means nothing while it is.
    filled: Time,
    /// Those that wait and when they came, the oldest in front.
    waiting: Standing<Time>,
}

impl AdaptiveLifo {
    /// Nobody waits.
    pub fn new(settings: &AdaptiveLifoSettings) -> Self {
        let settings = settings.clone();
        Self(Box::new(State { settings, filled: Time::ZERO, waiting: Standing::default() }))
    }
}

impl State {
    fn stands(&self, now: Time) -> bool {
        now.since(self.filled) >= self.settings.interval
            || self.settings.threshold.is_some_and(|threshold| self.waiting.len() > threshold.get())
    }
}

impl Queue for AdaptiveLifo {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        if self.0.waiting.is_empty() {
            self.0.filled = item.since;
        }
        self.0.waiting.push(item.id, item.since);
    }

    fn pop(&mut self, now: Time) -> Popped {
        let State { settings, waiting, .. } = &*self.0;
        let Some((_, &oldest)) = waiting.front() else { return Popped::Empty };
        let stands = self.0.stands(now);
        let is_late = stands && settings.max_wait.is_some_and(|longest| now.since(oldest) > longest);
        let waiting = &mut self.0.waiting;
        if is_late {
            return waiting.pop_front().map_or(Popped::Empty, |(id, _)| Popped::Shed(id));
        }
        let next = if stands { waiting.pop_back() } else { waiting.pop_front() };
        next.map_or(Popped::Empty, |(id, _)| Popped::Serve(id))
    }

    fn remove(&mut self, id: u32) -> bool {
        self.0.waiting.remove(id)
    }

    fn len(&self) -> u32 {
        self.0.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::{drain, since};
    use super::*;

    fn filled(settings: AdaptiveLifoSettings) -> AdaptiveLifo {
        let mut queue = AdaptiveLifo::new(&settings);
        for id in 0..5 {
            queue.push(since(id, 20 * u64::from(id)), || unreachable!());
        }
        queue
    }

    fn at(now: u64) -> Time {
        Time::ZERO + ms(now)
    }

    /// The queue is not empty from 0 on, so it stands from 100 ms on.
    #[test]
    fn the_newest_goes_first_once_the_queue_stands() {
        let mut queue = filled(AdaptiveLifoSettings::default());
        assert_eq!(queue.pop(at(99)), Popped::Serve(0));
        assert_eq!(drain(&mut queue, 100), (vec![4, 3, 2, 1], vec![]));
        // It was empty, so it does not stand any more.
        for id in 5..8 {
            queue.push(since(id, 150), || unreachable!());
        }
        assert_eq!(drain(&mut queue, 249), (vec![5, 6, 7], vec![]));
    }

    /// Five wait, so the queue stands until three are left.
    #[test]
    fn the_newest_goes_first_while_there_are_many() {
        let mut queue = filled(AdaptiveLifoSettings { threshold: NonZeroU32::new(3), ..Default::default() });
        assert_eq!(drain(&mut queue, 80), (vec![4, 3, 0, 1, 2], vec![]));
    }

    /// At 100 ms they have waited 100, 80, 60, 40 and 20 ms.
    #[test]
    fn who_waited_too_long_in_a_standing_queue_is_shed() {
        let settings = AdaptiveLifoSettings { max_wait: Some(ms(60)), ..Default::default() };
        assert_eq!(drain(&mut filled(settings.clone()), 100), (vec![4, 3, 2], vec![0, 1]));
        assert_eq!(drain(&mut filled(settings), 99), (vec![0, 1, 2, 3, 4], vec![]));
    }
}
