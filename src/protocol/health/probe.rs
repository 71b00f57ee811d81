//! Probes: an active health check of one member.
//!
//! The member is asked; an interval after each probe has ended (by its answer, or by its timeout) comes the next. So many bad
//! ends in a row take a member down that was up, so many good ones in a row take it up again. The machine says when it wants to
//! be woken; it sends nothing itself.
//!
//! Source: Envoy, Health checking (interval, timeout, unhealthy and healthy threshold), but every kind of failure counts alike
//! (in Envoy an HTTP answer that is not expected takes a host down at once), thresholds hold from the start (in Envoy the first
//! good answer does), and there is no slower interval without traffic. Envoy requires all four settings; the defaults are
//! HAProxy's, which counts its interval from start to start.

use std::num::NonZeroU32;

use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};

crate::settings! {
    /// Members are asked again and again whether they are well. It finds those that are down even if nobody has requests for
    /// them, and notices that they are back. It costs a request per member and interval from everyone who looks, and a member
    /// may answer probes and fail requests.
    pub struct ProbeSettings = "probe", "Envoy, Health checking; defaults of HAProxy 2.0" {
        /// How long after a probe has ended the next one is sent. 2 s is HAProxy's default (2.0, `inter`).
        interval: Span = secs(2),
        /// How long to wait for the answer. HAProxy (2.0) waits for its interval unless told.
        timeout: Span = secs(2),
        /// How many probes in a row must fail for a member that is up to be taken for down. 3 is HAProxy's default (2.0, `fall`).
        unhealthy_threshold: NonZeroU32 = const { NonZeroU32::new(3).unwrap() },
        /// How many probes in a row must be answered well for a member that is down to be taken for up. 2 is HAProxy's default
        /// (2.0, `rise`).
        healthy_threshold: NonZeroU32 = const { NonZeroU32::new(2).unwrap() },
    }
}

impl Settings for ProbeSettings {
    fn check(&self) -> Result<(), String> {
        if self.interval == Span::ZERO || self.timeout == Span::ZERO {
            return Err("needs an `interval` and a `timeout` above zero".into());
        }
        Ok(())
    }
}

/// What one who looks knows of one member.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Probe {
    settings: Limits,
    is_up: bool,
    /// How many ends in a row have spoken against what is believed.
    against: u32,
    /// The probe that is under way, or was the last.
    number: u32,
    is_asked: bool,
    /// When the next probe is due, or the one under way times out.
    next: Time,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Limits {
    interval: Span,
    timeout: Span,
    unhealthy: NonZeroU32,
    healthy: NonZeroU32,
}

/// What is believed of a member has changed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// It is taken for up.
    Up,
    /// It is taken for down.
    Down,
}

/// What a wake-up was for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Wake {
    /// It came too soon.
    Nothing,
    /// A probe is to be sent, with this number.
    Ask(u32),
    /// The probe under way was not answered in time.
    TimedOut(Option<Change>),
}

impl Probe {
    /// Begins to look at a member, the first probe being due at `first`; until there is news it is taken for up, or not.
    pub fn new(settings: &ProbeSettings, first: Time, is_up: bool) -> Self {
        let limits = Limits {
            interval: settings.interval,
            timeout: settings.timeout,
            unhealthy: settings.unhealthy_threshold,
            healthy: settings.healthy_threshold,
        };
        Self { settings: limits, is_up, against: 0, number: 0, is_asked: false, next: first }
    }

    /// Whether the member is taken for up.
    pub fn is_up(&self) -> bool {
        self.is_up
    }

    /// When to wake it.
    pub fn next(&self) -> Time {
        self.next
    }

    /// It is woken: a probe is due, or one has timed out.
    pub fn wake(&mut self, now: Time) -> Wake {
        if now < self.next {
            return Wake::Nothing;
        }
        if self.is_asked {
            return Wake::TimedOut(self.ended(false, now));
        }
        self.is_asked = true;
        self.number = self.number.wrapping_add(1);
        self.next = now + self.settings.timeout;
        Wake::Ask(self.number)
    }

    /// The probe of this number was answered, well or not. What comes after its timeout is no news.
    pub fn answered(&mut self, number: u32, is_well: bool, now: Time) -> Option<Change> {
        if self.is_asked && number == self.number { self.ended(is_well, now) } else { None }
    }

    fn ended(&mut self, is_well: bool, now: Time) -> Option<Change> {
        self.is_asked = false;
        self.next = now + self.settings.interval;
        if is_well == self.is_up {
            self.against = 0;
            return None;
        }
        self.against += 1;
        let (enough, change) = match self.is_up {
            true => (self.settings.unhealthy, Change::Down),
            false => (self.settings.healthy, Change::Up),
        };
        if self.against < enough.get() {
            return None;
        }
        (self.is_up, self.against) = (is_well, 0);
        Some(change)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::ms;

    /// Wakes it as it wishes until `until`; a member that is well answers after 10 ms.
    fn play(probe: &mut Probe, until: Time, is_well: impl Fn(Time) -> bool) -> Vec<(u64, Change)> {
        let mut changes = vec![];
        while probe.next() < until {
            let now = probe.next();
            let (at, change) = match probe.wake(now) {
                Wake::Ask(number) if is_well(now) => (now + ms(10), probe.answered(number, true, now + ms(10))),
                Wake::TimedOut(change) => (now, change),
                Wake::Ask(_) | Wake::Nothing => continue,
            };
            changes.extend(change.map(|change| (at.as_nanos() / 1_000_000, change)));
        }
        changes
    }

    /// Probes are sent every 2.010 s as long as they are answered: at 0, 2.010, … 10.050. Silent from 10 s on: those of 10.050,
    /// 14.050 and 18.050 time out 2 s later each, the third at 20.050. Well again from 30 s on: the probe of 30.050 is answered,
    /// that of 32.060 is the second.
    #[test]
    fn a_member_goes_down_and_up_by_the_thresholds() {
        let mut probe = Probe::new(&ProbeSettings::default(), Time::ZERO, true);
        let is_well = |now: Time| !(10.0..30.0).contains(&now.as_secs_f64());
        let changes = play(&mut probe, Time::ZERO + secs(60), is_well);
        assert_eq!(changes, [(20_050, Change::Down), (32_070, Change::Up)]);
    }

    #[test]
    fn failures_that_are_not_in_a_row_do_not_count() {
        let mut probe = Probe::new(&ProbeSettings::default(), Time::ZERO, true);
        let ends = [false, false, true, false, false, true, false, false, false];
        let changes: Vec<_> = ends
            .into_iter()
            .filter_map(|is_well| {
                let now = probe.next();
                let Wake::Ask(number) = probe.wake(now) else { panic!("a probe is due") };
                probe.answered(number, is_well, now)
            })
            .collect();
        assert_eq!(changes, [Change::Down]);
    }

    #[test]
    fn late_answers_are_no_news() {
        let mut probe = Probe::new(&ProbeSettings::default(), Time::ZERO, false);
        assert_eq!(probe.wake(Time::ZERO), Wake::Ask(1));
        assert_eq!(probe.wake(Time::ZERO + secs(1)), Wake::Nothing);
        assert_eq!(probe.wake(Time::ZERO + secs(2)), Wake::TimedOut(None));
        let before = probe;
        assert_eq!(probe.answered(1, true, Time::ZERO + secs(3)), None);
        assert_eq!(probe, before);
    }
}
