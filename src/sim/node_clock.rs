//! Clocks of nodes that do not run like true time: work clocks of nodes that are slow or paused, steady clocks that gain or
//! lose.
//!
//! A timer is due when its node's clock shows a reading. While the clock runs evenly that is a known time; whenever its pace
//! changes, the times of pending timers are worked out anew. Timers that were set before the clock was first disturbed are
//! recognised when they come: then reading and time were the same. Only a clock that comes to run fast has to be told of
//! them beforehand.
//!
//! A clock never runs backwards, and when a timer comes, the clock shows at least the reading for which it was set: paces are
//! whole numbers, readings are rounded down and times up.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::process::TimerId;

use super::fault::FaultId;

/// The clocks, of one sort, of nodes where they were disturbed; all others show true time.
#[derive(Default)]
pub(super) struct NodeClocks {
    clocks: BTreeMap<NodeId, NodeClock>,
}

/// A clock that was disturbed.
pub(super) struct NodeClock {
    /// At this time the clock showed `reading` nanoseconds.
    since: Time,
    reading: u64,
    /// How many nanoseconds it shows for each that passes, by the faults that make it so.
    paces: Vec<(FaultId, f64)>,
    is_stopped: bool,
    /// Those that were set or moved since; many of them may have been cancelled.
    timers: BTreeMap<(u32, std::num::NonZeroU32), Due>,
    /// How many were left when cancelled ones were last let go.
    kept: usize,
}

/// The pace of true time.
const TRUE: f64 = (1_u64 << 53) as f64;

#[derive(Clone, Copy)]
struct Due {
    /// The reading at which it is due, and the time as far as is known.
    reading: u64,
    time: Time,
    /// The alarm's number among its node's effects.
    count: u32,
}

/// A timer that is due at another time than it was, or at this one.
#[derive(Clone, Copy)]
pub(super) struct Moved {
    pub(super) time: Time,
    pub(super) count: u32,
    pub(super) id: TimerId,
}

/// What to do about a timer whose time has come.
pub(super) enum Verdict {
    /// It is due.
    Due,
    /// It was set before the clock was disturbed, and is due later; when, is not known while the clock stands still.
    Later(Option<Moved>),
    /// It was moved before: this alarm means nothing.
    Stale,
}

impl NodeClock {
    fn new(now: Time) -> Self {
        let reading = now.as_nanos();
        Self { since: now, reading, paces: Vec::new(), is_stopped: false, timers: BTreeMap::new(), kept: 0 }
    }

    /// How far it runs in a nanosecond, in units of 2^-53 ns. Rounded up, so that work that takes a whole number of times as
    /// long does, to the nanosecond.
    fn pace(&self) -> u128 {
        let pace: f64 = self.paces.iter().map(|&(_, pace)| pace).product();
        libm::ceil(pace * TRUE) as u128
    }

    fn reading(&self, now: Time) -> u64 {
        if self.is_stopped {
            return self.reading;
        }
        let passed = u128::from(now.since(self.since).as_nanos());
        let shown = passed.saturating_mul(self.pace()) >> 53;
        self.reading.saturating_add(u64::try_from(shown).unwrap_or(u64::MAX))
    }

    /// When the clock will show this, as it runs now.
    fn when(&self, reading: u64) -> Time {
        if self.is_stopped {
            return Time::MAX;
        }
        let left = u128::from(reading.saturating_sub(self.reading)) << 53;
        let nanos = left.div_ceil(self.pace().max(1));
        self.since + Span::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX))
    }

    /// This fault has it run `pace` times as fast, or changes nothing any more if that is 1.
    pub(super) fn run(&mut self, fault: FaultId, pace: f64) {
        self.paces.retain(|&(other, _)| other != fault);
        if pace != 1.0 {
            self.paces.push((fault, pace));
        }
    }

    /// It stands still, or goes on.
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
            let time = self.when(due.reading);
            if time != due.time && time < Time::MAX {
                moved.push(Moved { time, count: due.count, id: TimerId { slot, generation } });
            }
            due.time = time;
        }
        self.timers = timers;
        moved
    }
}

impl NodeClocks {
    /// What a node's clock shows.
    pub(super) fn reading(&self, node: NodeId, now: Time) -> u64 {
        self.clocks.get(&node).map_or(now.as_nanos(), |clock| clock.reading(now))
    }

    /// Whether a node's clock was disturbed before.
    pub(super) fn knows(&self, node: NodeId) -> bool {
        self.clocks.contains_key(&node)
    }

    /// Takes over timers of a node whose clock shows true time until now.
    pub(super) fn adopt(&mut self, node: NodeId, now: Time, timers: impl Iterator<Item = Moved>) {
        let clock = self.clocks.entry(node).or_insert_with(|| NodeClock::new(now));
        for Moved { time, count, id } in timers {
            clock.timers.insert((id.slot, id.generation), Due { reading: time.as_nanos(), time, count });
        }
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
        if !clock.is_stopped && clock.reading(now) >= reading {
            return Verdict::Due;
        }
        let time = clock.when(reading);
        clock.timers.insert(key, Due { reading, time, count });
        Verdict::Later((time < Time::MAX).then_some(Moved { time, count, id }))
    }

    /// Lets cancelled timers of a node go once they may be the most of them.
    pub(super) fn prune(&mut self, node: NodeId, is_armed: impl Fn(TimerId) -> bool) {
        let Some(clock) = self.clocks.get_mut(&node) else { return };
        if clock.timers.len() > 2 * clock.kept + 64 {
            clock.timers.retain(|&(slot, generation), _| is_armed(TimerId { slot, generation }));
            clock.kept = clock.timers.len();
        }
    }

    /// Changes how the node's clock runs from now on; the timers that are due at other times than before.
    pub(super) fn change(
        &mut self,
        node: NodeId,
        now: Time,
        change: impl FnOnce(&mut NodeClock),
        is_armed: impl Fn(TimerId) -> bool,
    ) -> Vec<Moved> {
        self.clocks.entry(node).or_insert_with(|| NodeClock::new(now)).change(now, change, is_armed)
    }

    /// The faults that make the node's clock run differently.
    pub(super) fn disturbed_by(&self, node: NodeId) -> Vec<FaultId> {
        let paces = self.clocks.get(&node).map(|clock| clock.paces.as_slice()).unwrap_or_default();
        paces.iter().map(|&(fault, _)| fault).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    fn clock(pace: f64) -> NodeClock {
        let mut clock = NodeClock::new(Time::ZERO);
        clock.run(FaultId(0), pace);
        clock
    }

    #[test]
    fn whole_factors_are_exact_to_the_nanosecond() {
        for factor in [2_u64, 3, 7, 10] {
            let clock = clock(1.0 / factor as f64);
            for work in [1, 999, 1_000_000, 86_400_000_000_000] {
                assert_eq!(clock.when(work), Time::from_nanos(work * factor), "{work} * {factor}");
            }
        }
    }

    #[test]
    fn a_timer_comes_when_the_clock_shows_its_reading_and_not_before() {
        for pace in [0.5, 0.9998, 1.0 / 3.0, 1.000_02, 1.7, 1e-9, 1e6] {
            let clock = clock(pace);
            for reading in [1, 2, 3, 10, 12_345, 1_000_000_007] {
                let due = clock.when(reading);
                assert!(clock.reading(due) >= reading, "{pace} {reading}");
                assert!(clock.reading(Time::from_nanos(due.as_nanos() - 1)) < reading, "{pace} {reading}");
            }
        }
    }

    #[test]
    fn a_clock_never_runs_backwards_whatever_happens_to_it() {
        let mut clock = clock(1.5);
        let mut last = 0;
        for step in 1..1_000_u64 {
            let now = Time::ZERO + ms(step);
            clock.change(now, |clock| clock.run(FaultId((step % 3) as u32), 0.4 + (step % 7) as f64 / 5.0), |_| true);
            assert!(clock.reading(now) >= last);
            last = clock.reading(now);
        }
    }
}
