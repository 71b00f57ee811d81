//! The clock of a client's arrivals: it shows how much load is due so far.
//!
//! Gaps are drawn as if the load never changed, and pass on this clock. Where the rate is constant and nothing disturbs it, it
//! is the node's own clock, and there is none of this. Otherwise it is made of three parts, each a change of time: the rate's
//! profile, the states of the arrival process, and a fault's factor. It runs at full speed when rate and state are at their
//! highest, so that its nanoseconds are never longer than real ones.

use std::sync::Arc;

use crate::base::random::Block;
use crate::base::time::{Span, Time};
use crate::process::Steady;
use crate::protocol::workload::arrivals::{States, Stay};
use crate::protocol::workload::rate::{AnyRate, Profile};

/// How a load changes with time.
#[derive(Clone, Debug, Default)]
pub struct Course {
    /// The rate, if it is not constant.
    pub profile: Option<Arc<AnyRate>>,
    /// The states of the arrival process, if it has some.
    pub states: Option<Arc<States>>,
}

impl Course {
    /// Whether nothing ever changes.
    pub fn is_constant(&self) -> bool {
        self.profile.is_none() && self.states.is_none()
    }

    /// What the profile's clock shows.
    fn shown(&self, at: Steady) -> f64 {
        match &self.profile {
            None => at.as_nanos() as f64,
            Some(profile) => profile.due(Time::from_nanos(at.as_nanos())) / profile.peak() * 1e9,
        }
    }

    /// When the profile's clock will show this.
    fn when(&self, shown: f64) -> Option<Steady> {
        match &self.profile {
            None => Some(Steady::from_nanos(0) + Span::from_nanos_f64(shown)),
            Some(profile) => profile.when(shown * profile.peak() / 1e9).map(|time| Steady::from_nanos(time.as_nanos())),
        }
    }
}

/// The clock.
#[derive(Clone, Debug)]
pub(super) struct Pace {
    course: Course,
    /// The stay that holds, if there are states, and what the clock showed when it began.
    stay: Option<(Stay, f64)>,
    /// When the factor became what it is, and what the clock showed then: without any factor, and with all there were.
    since: Steady,
    shown: Steady,
    factor: f64,
}

impl Pace {
    /// A clock as planned, to be wound up before it is read.
    pub(super) fn new(course: Course) -> Self {
        Self { course, stay: None, since: Steady::from_nanos(0), shown: Steady::from_nanos(0), factor: 1.0 }
    }

    /// Finds the state at the start of the run.
    pub(super) fn wind_up(&mut self, draws: impl Fn(u64) -> Block) {
        self.stay = self.course.states.as_ref().map(|states| (states.first(draws(0)), 0.0));
    }

    /// From `now` on the load is `factor` times what was planned.
    pub(super) fn change(&mut self, now: Steady, factor: f64, draws: impl Fn(u64) -> Block) {
        let shown = self.shown(now, &draws);
        self.since = self.planned(now, &draws);
        self.shown = shown;
        self.factor = factor;
    }

    /// It will not be asked about what was before `now` again.
    pub(super) fn pass(&mut self, now: Steady, draws: impl Fn(u64) -> Block) {
        self.stay = self.stay_at(now, &draws);
    }

    /// What the clock shows.
    pub(super) fn shown(&self, now: Steady, draws: impl Fn(u64) -> Block) -> Steady {
        let planned = self.planned(now, &draws).since(self.since);
        self.shown + Span::from_nanos_f64(planned.as_nanos() as f64 * self.factor)
    }

    /// When the clock will show this; nothing if not before `limit`.
    pub(super) fn when(&self, shown: Steady, limit: Steady, draws: impl Fn(u64) -> Block) -> Option<Steady> {
        let planned = Span::from_nanos_f64(shown.since(self.shown).as_nanos() as f64 / self.factor);
        self.when_planned(self.since + planned, limit, &draws)
    }

    /// What it would show if it had always run as planned.
    fn planned(&self, now: Steady, draws: &impl Fn(u64) -> Block) -> Steady {
        let nanos = match (&self.stay_at(now, draws), &self.course.states) {
            (Some((stay, shown)), Some(states)) => shown + states.pace(stay) * self.passed(stay, now),
            _ if self.course.profile.is_none() => return now,
            _ => self.course.shown(now),
        };
        Steady::from_nanos(0) + Span::from_nanos_f64(nanos)
    }

    fn when_planned(&self, shown: Steady, limit: Steady, draws: &impl Fn(u64) -> Block) -> Option<Steady> {
        let wanted = shown.as_nanos() as f64;
        let (Some((mut stay, mut shown_at_start)), Some(states)) = (self.stay, &self.course.states) else {
            return if self.course.profile.is_none() { Some(shown) } else { self.course.when(wanted) };
        };
        loop {
            let pace = states.pace(&stay);
            let end = shown_at_start + pace * self.passed(&stay, steady(stay.end));
            if pace > 0.0 && wanted <= end {
                let inside = ((wanted - shown_at_start) / pace).max(0.0);
                let time = self.course.when(self.course.shown(steady(stay.start)) + inside)?;
                return Some(time.max(steady(stay.start)));
            }
            if steady(stay.end) >= limit {
                return None;
            }
            (stay, shown_at_start) = (states.next(&stay, draws(stay.index + 1)), end);
        }
    }

    /// The stay that holds then, which is not before the one that is known.
    fn stay_at(&self, now: Steady, draws: &impl Fn(u64) -> Block) -> Option<(Stay, f64)> {
        let (states, (mut stay, mut shown)) = self.course.states.as_ref().zip(self.stay)?;
        while steady(stay.end) <= now {
            shown += states.pace(&stay) * self.passed(&stay, steady(stay.end));
            stay = states.next(&stay, draws(stay.index + 1));
        }
        Some((stay, shown))
    }

    /// What the profile's clock passes from the start of a stay.
    fn passed(&self, stay: &Stay, until: Steady) -> f64 {
        match self.course.profile {
            None => until.since(steady(stay.start)).as_nanos() as f64,
            Some(_) => (self.course.shown(until) - self.course.shown(steady(stay.start))).max(0.0),
        }
    }
}

fn steady(time: Time) -> Steady {
    Steady::from_nanos(time.as_nanos())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::id::Entity;
    use crate::base::random::Seed;
    use crate::base::settings::Settings;
    use crate::base::time::{ms, secs};
    use crate::protocol::workload::arrivals::{ArrivalPolicy, Arrivals, MmppSettings, OnOffSettings};
    use crate::protocol::workload::rate::{DiurnalSettings, RatePolicy};

    fn draws(index: u64) -> Block {
        Seed(7).key("states").block(Entity::default(), index)
    }

    fn wound_up(course: Course) -> Pace {
        let mut pace = Pace::new(course);
        pace.wind_up(draws);
        pace
    }

    fn at(time: Span) -> Steady {
        Steady::from_nanos(time.as_nanos())
    }

    fn courses() -> [Course; 4] {
        let day = DiurnalSettings { period: secs(60), ..DiurnalSettings::default() };
        let profile = Some(Arc::new(RatePolicy::from(day).start()));
        let states = |policy: ArrivalPolicy| policy.start().states().cloned().map(Arc::new);
        let bursts = states(MmppSettings::default().into());
        let breaks = states(OnOffSettings::default().into());
        assert!(OnOffSettings::default().check().is_ok());
        [
            Course { profile: profile.clone(), states: None },
            Course { profile: None, states: bursts.clone() },
            Course { profile, states: bursts },
            Course { profile: None, states: breaks },
        ]
    }

    /// Back and forth, whatever it is made of: the clock's nanosecond is at most as long as a real one, so that going to a
    /// reading and back is off by the rounding of the reading alone.
    #[test]
    fn a_reading_comes_when_it_is_shown() {
        for course in courses() {
            let mut pace = wound_up(course);
            for (strike, factor) in [(secs(30), 2.0), (secs(50), 0.5), (secs(70), 1.0)] {
                let mut last = Steady::default();
                for step in 0..2000 {
                    let shown = Steady::from_nanos(pace.shown.as_nanos() + step * 7_000_003);
                    let Some(time) = pace.when(shown, at(secs(10_000)), draws) else { continue };
                    let back = pace.shown(time, draws);
                    let error = back.since(shown).max(shown.since(back));
                    assert!(error <= Span::from_nanos(3), "{pace:?}: {shown:?} at {time:?} is {back:?}");
                    assert!(time >= last);
                    last = time;
                }
                pace.pass(at(strike), draws);
                pace.change(at(strike), factor, draws);
            }
        }
    }

    /// A fault that doubles the load for ten seconds adds what those ten seconds bring, and moves nothing else.
    #[test]
    fn a_factor_leaves_the_profile_where_it_is() {
        for course in courses() {
            let plain = wound_up(course.clone());
            let mut struck = wound_up(course);
            struck.change(at(secs(20)), 2.0, draws);
            struck.change(at(secs(30)), 1.0, draws);
            let of = |pace: &Pace, time| pace.shown(at(time), draws).as_nanos() as i64;
            let extra = of(&struck, secs(100)) - of(&plain, secs(100));
            let expected = of(&plain, secs(30)) - of(&plain, secs(20));
            assert!((extra - expected).abs() <= 4, "{extra} {expected}");
        }
    }

    #[test]
    fn what_never_comes_is_not_waited_for() {
        let [.., breaks] = courses();
        let pace = wound_up(breaks);
        assert_eq!(pace.when(at(secs(1_000_000)), at(ms(1)), draws), None);
    }
}
