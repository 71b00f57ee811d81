//! Work clocks that do not run like true time: those of nodes that are, or were, slow or paused.
//!
//! A work timer is due when its node's clock shows a reading. While the clock runs evenly that is a known time; whenever its
//! rate changes, the times of pending timers are worked out anew. Timers that were set before the clock was first disturbed
//! are recognised when they come: then reading and time were the same.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::TimerId;

use super::fault::FaultId;

/// The clocks of nodes that were disturbed; all others show true time.
#[derive(Default)]
pub(super) struct WorkClocks {
    clocks: BTreeMap<NodeId, WorkClock>,
}

/// A clock that was disturbed.
pub(super) struct WorkClock {
    /// At this time the clock showed `reading` nanoseconds.
    since: Time,
    reading: u64,
    /// How many times longer work takes, by the faults that make it so.
    factors: Vec<(FaultId, f64)>,
    is_stopped: bool,
    timers: BTreeMap<(u32, std::num::NonZeroU32), Due>,
}

#[derive(Clone, Copy)]
struct Due {
    /// The reading at which it is due, and the time as far as is known.
    reading: u64,
    time: Time,
    /// The alarm's number among its node's effects.
    count: u32,
}

/// A work timer that is due at another time than it was.
pub(super) struct Moved {
    pub(super) time: Time,
    pub(super) count: u32,
    pub(super) id: TimerId,
}

/// What to do about a work timer whose time has come.
pub(super) enum Verdict {
    /// It is due.
    Due,
    /// It was set before the clock was disturbed, and is due later; when, is not known while work stands still.
    Later(Option<Moved>),
    /// It was moved before: this alarm means nothing.
    Stale,
}

impl WorkClock {
    fn new(now: Time) -> Self {
        let reading = now.as_nanos();
        Self { since: now, reading, factors: Vec::new(), is_stopped: false, timers: BTreeMap::new() }
    }

    fn factor(&self) -> f64 {
        self.factors.iter().map(|&(_, factor)| factor).product()
    }

    fn reading(&self, now: Time) -> u64 {
        if self.is_stopped {
            return self.reading;
        }
        let passed = now.since(self.since).as_nanos();
        self.reading.saturating_add((passed as f64 / self.factor()) as u64)
    }

    /// When the clock will show this, as it runs now.
    fn when(&self, reading: u64) -> Time {
        if self.is_stopped {
            return Time::MAX;
        }
        let left = reading.saturating_sub(self.reading) as f64 * self.factor();
        self.since + Span::from_nanos_f64(libm::ceil(left))
    }

    /// This fault makes work take `factor` times as long, or no longer if that is 1.
    pub(super) fn slow(&mut self, fault: FaultId, factor: f64) {
        self.factors.retain(|&(other, _)| other != fault);
        if factor != 1.0 {
            self.factors.push((fault, factor));
        }
    }

    /// Work stands still, or goes on.
    pub(super) fn stop(&mut self, is_stopped: bool) {
        self.is_stopped = is_stopped;
    }

    /// Runs differently from now on; the timers that are due at other times than before.
    fn change(&mut self, now: Time, change: impl FnOnce(&mut Self), is_armed: impl Fn(TimerId) -> bool) -> Vec<Moved> {
        (self.reading, self.since) = (self.reading(now), now);
        change(self);
        let mut timers = std::mem::take(&mut self.timers);
        timers.retain(|&(slot, generation), _| is_armed(TimerId { slot, generation }));
        let mut moved = Vec::new();
        for (&(slot, generation), due) in &mut timers {
            due.time = self.when(due.reading);
            if due.time < Time::MAX {
                moved.push(Moved { time: due.time, count: due.count, id: TimerId { slot, generation } });
            }
        }
        self.timers = timers;
        moved
    }
}

impl WorkClocks {
    /// What a node's clock shows.
    #[inline]
    pub(super) fn reading(&self, node: NodeId, now: Time) -> u64 {
        if self.clocks.is_empty() {
            return now.as_nanos();
        }
        self.clocks.get(&node).map_or(now.as_nanos(), |clock| clock.reading(now))
    }

    /// When a timer set now is due.
    pub(super) fn set(&mut self, node: NodeId, now: Time, delay: Span, count: u32, id: TimerId) -> Time {
        let Some(clock) = self.clocks.get_mut(&node) else { return now + delay };
        let reading = clock.reading(now).saturating_add(delay.as_nanos());
        let time = clock.when(reading).max(now + Span::from_nanos(1));
        clock.timers.insert((id.slot, id.generation), Due { reading, time, count });
        time
    }

    /// What to do about the timer whose alarm, the node's `count`th effect, was set for now.
    pub(super) fn judge(&mut self, node: NodeId, now: Time, count: u32, id: TimerId) -> Verdict {
        let Some(clock) = self.clocks.get_mut(&node) else { return Verdict::Due };
        let key = (id.slot, id.generation);
        if let Some(due) = clock.timers.get(&key) {
            // An alarm from before the clock's last change means nothing.
            if due.time != now {
                return Verdict::Stale;
            }
            clock.timers.remove(&key);
            return Verdict::Due;
        }
        let reading = now.as_nanos();
        if clock.reading(now) >= reading {
            return Verdict::Due;
        }
        let time = clock.when(reading);
        clock.timers.insert(key, Due { reading, time, count });
        Verdict::Later((time < Time::MAX).then_some(Moved { time, count, id }))
    }

    /// Changes how the node's clock runs from now on; the timers that are due at other times than before.
    pub(super) fn change(
        &mut self,
        node: NodeId,
        now: Time,
        change: impl FnOnce(&mut WorkClock),
        is_armed: impl Fn(TimerId) -> bool,
    ) -> Vec<Moved> {
        self.clocks.entry(node).or_insert_with(|| WorkClock::new(now)).change(now, change, is_armed)
    }

    /// The faults that make the node's work take longer.
    pub(super) fn slowed_by(&self, node: NodeId) -> Vec<FaultId> {
        let factors = self.clocks.get(&node).map(|clock| clock.factors.as_slice()).unwrap_or_default();
        factors.iter().map(|&(fault, _)| fault).collect()
    }
}
