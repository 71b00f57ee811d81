//! Controlled delay: sheds, when a turn is asked for, as many as it takes to keep the shortest wait below a target.
//!
//! A queue that is empty now and then is a good one: it absorbs bursts. A queue in which everybody waited longer than `target`
//! during a whole `interval` only adds delay. Then whoever is in front is shed, and another one at intervals that shrink with the
//! square root of how many were shed already, until somebody waited less than `target`. If that starts again soon, it starts
//! with the pace it had reached.
//!
//! The pseudocode counts bytes, and leaves a queue alone that holds no more than one packet of maximal size; here requests count,
//! and the last two are left alone.
//!
//! Source: Nichols, Jacobson, McGregor and Iyengar, RFC 8289, section 5; Nichols and Jacobson, ACM Queue 10(5), 2012.

use super::standing::Standing;
use super::{Popped, Queue, Waiting};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, ms};
use crate::settings;

settings! {
    /// First in, first out, and in a standing queue whoever is in front is shed now and then, ever faster, until waits are short
    /// again. Bursts pass, standing queues do not: what is served is served soon. It costs those that are shed, which may have
    /// been served late otherwise; its pace is meant for senders that slow down, so against others it sheds less than it should.
    pub struct CodelSettings = "codel", "RFC 8289, section 5" {
        /// The longest wait that the shortest of an interval may have (RFC 8289: 5 ms).
        target: Span = ms(5),
        /// For how long waits have to be above the target before one is shed (RFC 8289: 100 ms).
        interval: Span = ms(100),
    }
}

impl Settings for CodelSettings {
    fn check(&self) -> Result<(), String> {
        if self.interval == Span::ZERO { Err("needs an interval".into()) } else { Ok(()) }
    }
}

/// Those that wait, and the pace of shedding.
#[derive(Clone, Debug)]
pub struct Codel(Box<State>);

#[derive(Clone, Debug)]
struct State {
    settings: CodelSettings,
    /// Those that wait and when they came, the oldest in front.
    waiting: Standing<Time>,
    /// When waits will have been above the target for an interval, if they are.
    above_until: Option<Time>,
    /// While it sheds, when it sheds next.
    dropping: bool,
    next: Time,
    /// How many were shed since it began, and with how many it began.
    count: u64,
    began_with: u64,
    /// What the last turn was, for what is shed and what comes after it are one turn in the pseudocode.
    last: Last,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Last {
    Served,
    /// Shed, and with it shedding began.
    First,
    /// Shed while shedding.
    Another,
}

impl Codel {
    /// Nobody waits.
    pub fn new(settings: &CodelSettings) -> Self {
        Self(Box::new(State {
            settings: settings.clone(),
            waiting: Standing::default(),
            above_until: None,
            dropping: false,
            next: Time::ZERO,
            count: 0,
            began_with: 0,
            last: Last::Served,
        }))
    }
}

impl State {
    /// The one in front, and whether waits have been above the target for an interval.
    fn take(&mut self, now: Time) -> Option<(u32, bool)> {
        let Some((id, since)) = self.waiting.pop_front() else {
            self.above_until = None;
            return None;
        };
        if now.since(since) < self.settings.target || self.waiting.len() <= 1 {
            self.above_until = None;
            return Some((id, false));
        }
        let until = *self.above_until.get_or_insert(now + self.settings.interval);
        Some((id, now >= until))
    }

    /// An interval over the square root of what was shed.
    fn pause(&self) -> Span {
        Span::from_nanos_f64(self.settings.interval.as_nanos() as f64 / libm::sqrt(self.count as f64))
    }

    fn begin(&mut self, now: Time) {
        let reached = self.count.saturating_sub(self.began_with);
        let is_recent = now.since(self.next) < self.settings.interval.times(16);
        self.count = if reached > 1 && is_recent { reached } else { 1 };
        self.began_with = self.count;
        self.next = now + self.pause();
        self.dropping = true;
    }
}

impl Queue for Codel {
    fn push(&mut self, item: Waiting, _: impl FnMut() -> Uniform) {
        self.0.waiting.push(item.id, item.since);
    }

    fn pop(&mut self, now: Time) -> Popped {
        let state = &mut *self.0;
        let last = std::mem::replace(&mut state.last, Last::Served);
        let Some((id, is_standing)) = state.take(now) else {
            // The first turn after shedding began is not looked at, not even if there is none.
            state.dropping &= last == Last::First;
            return Popped::Empty;
        };
        if last == Last::First {
            return Popped::Serve(id);
        }
        if !state.dropping {
            if !is_standing {
                return Popped::Serve(id);
            }
            state.begin(now);
            state.last = Last::First;
            return Popped::Shed(id);
        }
        if !is_standing {
            state.dropping = false;
        } else if last == Last::Another {
            state.next += state.pause();
        }
        if state.dropping && now >= state.next {
            state.count += 1;
            state.last = Last::Another;
            return Popped::Shed(id);
        }
        Popped::Serve(id)
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
    use std::collections::VecDeque;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::tests::since;
    use super::*;
    use crate::protocol::laws::fixed;

    /// The pseudocode of RFC 8289, line by line, in nanoseconds: who is served, after whom it sheds.
    #[derive(Default)]
    struct Pseudocode {
        queue: VecDeque<(u32, u64)>,
        first_above_time: u64,
        drop_next: u64,
        count: u64,
        lastcount: u64,
        dropping: bool,
        dropped: Vec<u32>,
    }

    const TARGET: u64 = 5_000_000;
    const INTERVAL: u64 = 100_000_000;

    impl Pseudocode {
        fn control_law(t: u64, count: u64) -> u64 {
            t + (INTERVAL as f64 / libm::sqrt(count as f64) + 0.5) as u64
        }

        fn dodequeue(&mut self, now: u64) -> (Option<u32>, bool) {
            let Some((p, tstamp)) = self.queue.pop_front() else {
                self.first_above_time = 0;
                return (None, false);
            };
            let mut ok_to_drop = false;
            if now - tstamp < TARGET || self.queue.len() <= 1 {
                self.first_above_time = 0;
            } else if self.first_above_time == 0 {
                self.first_above_time = now + INTERVAL;
            } else if now >= self.first_above_time {
                ok_to_drop = true;
            }
            (Some(p), ok_to_drop)
        }

        fn deque(&mut self, now: u64) -> Option<u32> {
            let mut r = self.dodequeue(now);
            if self.dropping {
                if !r.1 {
                    self.dropping = false;
                }
                while now >= self.drop_next && self.dropping {
                    self.dropped.extend(r.0);
                    self.count += 1;
                    r = self.dodequeue(now);
                    if r.1 {
                        self.drop_next = Self::control_law(self.drop_next, self.count);
                    } else {
                        self.dropping = false;
                    }
                }
            } else if r.1 {
                self.dropped.extend(r.0);
                r = self.dodequeue(now);
                self.dropping = true;
                let delta = self.count - self.lastcount;
                self.count = 1;
                if delta > 1 && now - self.drop_next < 16 * INTERVAL {
                    self.count = delta;
                }
                self.drop_next = Self::control_law(now, self.count);
                self.lastcount = self.count;
            }
            r.0
        }
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Work that comes in bursts and at times faster than it is done, then slower.
        #[test]
        fn shedding_follows_the_pseudocode(
            phases in vec((1_u64..40, 1_u64..40, 1_u32..100), 1..30),
        ) {
            let mut queue = Codel::new(&CodelSettings::default());
            let mut reference = Pseudocode::default();
            let (mut now, mut next, mut shed) = (1, 0, vec![]);
            for (arrivals, turns, rounds) in phases {
                for round in 0..u64::from(rounds) {
                    now += 1_000_000;
                    if round % arrivals == 0 {
                        for _ in 0..3 {
                            queue.push(Waiting { since: Time::from_nanos(now), ..since(next, 0) }, || unreachable!());
                            reference.queue.push_back((next, now));
                            next += 1;
                        }
                    }
                    if round % turns == 0 {
                        let served = loop {
                            match queue.pop(Time::from_nanos(now)) {
                                Popped::Serve(id) => break Some(id),
                                Popped::Shed(id) => shed.push(id),
                                Popped::Empty => break None,
                            }
                        };
                        prop_assert_eq!(served, reference.deque(now));
                        prop_assert_eq!(&shed, &reference.dropped);
                    }
                }
            }
        }
    }

    /// A thousand wait from 0 on, and one turn comes per millisecond. At 5 ms the wait reaches the target, an interval later,
    /// at 105 ms, the first is shed; the next come 100, 100/√2, 100/√3 … ms later: at 205, 275.7, 333.4, 383.4 ms, each
    /// with the next turn.
    #[test]
    fn the_pace_grows_with_the_square_root() {
        let mut queue = Codel::new(&CodelSettings::default());
        for id in 0..1000 {
            queue.push(since(id, 0), || unreachable!());
        }
        let mut shed = vec![];
        for now in 1..400 {
            while let Popped::Shed(_) = queue.pop(Time::ZERO + ms(now)) {
                shed.push(now);
            }
        }
        assert_eq!(shed, [105, 205, 276, 334, 384]);
    }

    /// Thirty come at once every 200 ms and are served one by one every 2 ms: they wait for up to 60 ms, much longer than the
    /// target, but for less than an interval.
    #[test]
    fn bursts_pass() {
        let mut queue = Codel::new(&CodelSettings::default());
        for burst in 0..20 {
            for id in 0..30 {
                queue.push(since(id, 200 * burst), || unreachable!());
            }
            for turn in 1..=30 {
                assert!(matches!(queue.pop(Time::ZERO + ms(200 * burst + 2 * turn)), Popped::Serve(_)));
            }
        }
    }
}
