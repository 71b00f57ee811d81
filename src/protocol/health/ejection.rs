//! Ejection: outlier detection, a health check that sends nothing.
//!
//! A caller watches how the members of a group answer its own requests, and leaves those alone for a while that fail more than
//! the others. Three things eject a member:
//!
//! - so many failures in a row, at once;
//! - at the end of an interval, a success rate below the mean of the group's by more than so many standard deviations (of the
//!   population of members that had enough requests in that interval, if there are enough of them);
//! - at the end of an interval, a share of failures of a given size or more, if one is given.
//!
//! A member is ejected for the base time, times how often it was ejected lately, but no longer than the longest time; that
//! count falls by one with every interval that ends with the member in use. Members come back at the end of an interval, as in
//! Envoy: an ejection of 30 s that begins 3 s into an interval of 10 s ends after 37 s. No more than a share of all members is
//! ejected at a time, but one always may be. Of a group of one, that is all: what to do when nobody is left is the caller's
//! matter (Envoy then uses all).
//!
//! Source: Envoy 1.20, Outlier detection, without its separate counts of gateway failures and local failures, its enforcement
//! by chance, and its jitter.

use std::num::NonZeroU32;

use crate::base::probability::{Probability, percent};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};

crate::settings! {
    /// Members that fail more than the others get no requests for a while. It needs no probes and sees what users see, but
    /// only where there are requests, and each caller learns on its own. It cannot tell a bad member from a bad request: when
    /// all fail alike, the first few are ejected, and no more than a share of the group.
    pub struct EjectionSettings = "outlier-detection", "Envoy 1.20, Outlier detection" {
        /// How many failures in a row eject a member; 0 is never. 5 is Envoy's default (1.20, `consecutive_5xx`).
        consecutive_errors: u32 = 5,
        /// How often rates are looked at, and members come back. 10 s is Envoy's default (1.20).
        interval: Span = secs(10),
        /// How long a member is ejected for the first time; for the second twice as long, and so on. 30 s is Envoy's default
        /// (1.20).
        base_ejection_time: Span = secs(30),
        /// The longest a member is ejected, or the base time if that is longer. 300 s is Envoy's default (1.20).
        max_ejection_time: Span = secs(300),
        /// How many members may be ejected at a time; one always may. 10 % is Envoy's default (1.20).
        max_ejection_percent: Probability = percent(10.0),
        /// How many members must have had enough requests for success rates to be compared. 5 is Envoy's default (1.20).
        success_rate_minimum_hosts: u32 = 5,
        /// How many requests in an interval are enough for its success rate. 100 is Envoy's default (1.20).
        success_rate_request_volume: u32 = 100,
        /// How many standard deviations below the mean a success rate must be. 1.9 is Envoy's default (1.20, written there as
        /// 1900 thousandths).
        success_rate_stdev_factor: f64 = 1.9,
        /// What share of failures ejects a member. None if not given; Envoy's 85 % (1.20) is not enforced by default.
        failure_percentage_threshold: Option<Probability> = None,
        /// How many members must have had enough requests for shares of failures to count. 5 is Envoy's default (1.20).
        failure_percentage_minimum_hosts: u32 = 5,
        /// How many requests in an interval are enough for a share of failures. 50 is Envoy's default (1.20).
        failure_percentage_request_volume: u32 = 50,
    }
}

impl Settings for EjectionSettings {
    fn check(&self) -> Result<(), String> {
        if self.interval == Span::ZERO || self.base_ejection_time == Span::ZERO {
            return Err("needs an `interval` and a `base-ejection-time` above zero".into());
        }
        Ok(())
    }
}

/// What one caller has seen of the members of a group.
#[derive(Clone, PartialEq, Debug)]
pub struct Ejection {
    settings: Box<EjectionSettings>,
    members: Box<[Member]>,
    /// How many are ejected.
    ejected: u32,
    /// When the interval ends.
    sweep: Time,
    /// Whether the end of the interval will have anything to do.
    is_busy: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Member {
    /// Failures in a row.
    streak: u32,
    /// Requests of this interval, and those that were answered well.
    requests: u32,
    well: u32,
    /// How often it was ejected lately.
    times: u32,
    /// When its ejection ends, if it is ejected.
    until: Option<Time>,
}

impl Member {
    fn rate(&self) -> f64 {
        f64::from(self.well) / f64::from(self.requests)
    }

    /// Whether at least this share of its requests failed: in numbers of requests, where a millionth of one is rounding.
    fn fails(&self, share: Probability) -> bool {
        let (failed, requests) = (f64::from(self.requests - self.well), f64::from(self.requests));
        failed >= share.value() * requests - 1e-6
    }
}

impl Ejection {
    /// Begins to watch so many members; the first interval starts at `now`.
    pub fn new(settings: &EjectionSettings, members: NonZeroU32, now: Time) -> Self {
        Self {
            sweep: now + settings.interval,
            settings: Box::new(settings.clone()),
            members: vec![Member::default(); members.get() as usize].into(),
            ejected: 0,
            is_busy: false,
        }
    }

    /// Whether `member` is ejected.
    pub fn is_ejected(&self, member: usize) -> bool {
        self.members[member].until.is_some()
    }

    /// How many members are ejected.
    pub fn ejected(&self) -> u32 {
        self.ejected
    }

    /// A request to `member` has ended. Whether that has ejected it.
    pub fn done(&mut self, member: usize, is_well: bool, now: Time) -> bool {
        if !self.is_busy {
            self.skip_idle(now);
        }
        self.is_busy = true;
        let seen = &mut self.members[member];
        seen.requests = seen.requests.saturating_add(1);
        if is_well {
            seen.well = seen.well.saturating_add(1);
            seen.streak = 0;
            return false;
        }
        seen.streak = seen.streak.saturating_add(1);
        if seen.streak != self.settings.consecutive_errors {
            return false;
        }
        seen.streak = 0;
        self.eject(member, now)
    }

    /// When the interval ends, and [`Ejection::sweep`] is due; never if there is nothing to do then.
    pub fn next(&self) -> Option<Time> {
        self.is_busy.then_some(self.sweep)
    }

    /// The end of an interval, if it has come: members come back, and outliers go. `changed` is told each member that has been
    /// ejected (true) or has come back (false).
    pub fn sweep(&mut self, now: Time, mut changed: impl FnMut(usize, bool)) {
        let Some(due) = self.next().filter(|due| now >= *due) else { return };
        self.sweep = due + self.settings.interval;
        for (member, seen) in self.members.iter_mut().enumerate() {
            match seen.until {
                None => seen.times = seen.times.saturating_sub(1),
                Some(until) if until <= now => {
                    seen.until = None;
                    seen.streak = 0;
                    self.ejected -= 1;
                    changed(member, false);
                }
                Some(_) => {}
            }
        }
        for member in self.outliers() {
            if self.eject(member, now) {
                changed(member, true);
            }
        }
        for seen in &mut self.members {
            (seen.requests, seen.well) = (0, 0);
        }
        self.is_busy = self.members.iter().any(|seen| seen.until.is_some() || seen.times > 0);
        self.skip_idle(now);
    }

    /// Intervals in which nothing was to do have gone by.
    fn skip_idle(&mut self, now: Time) {
        if self.sweep <= now {
            let missed = now.since(self.sweep).as_nanos() / self.settings.interval.as_nanos() + 1;
            self.sweep += self.settings.interval.times(missed);
        }
    }

    /// Ejects a member, unless it is ejected already or too many are.
    fn eject(&mut self, member: usize, now: Time) -> bool {
        let settings = &*self.settings;
        let allowed = settings.max_ejection_percent.value() * self.members.len() as f64;
        if self.is_ejected(member) || (self.ejected > 0 && f64::from(self.ejected + 1) > allowed + 1e-9) {
            return false;
        }
        let longest = settings.max_ejection_time.max(settings.base_ejection_time);
        let seen = &mut self.members[member];
        seen.times = seen.times.saturating_add(1);
        seen.until = Some(now + settings.base_ejection_time.times(seen.times.into()).min(longest));
        self.ejected += 1;
        self.is_busy = true;
        true
    }

    /// The members that this interval's rates speak against, in their order; those by success rate before the others.
    fn outliers(&self) -> Vec<usize> {
        let settings = &*self.settings;
        let with = |volume: u32| {
            let is_judged = move |seen: &Member| seen.until.is_none() && seen.requests >= volume.max(1);
            self.members.iter().enumerate().filter(move |(_, seen)| is_judged(seen))
        };
        let mut outliers = vec![];
        let rates: Vec<_> = with(settings.success_rate_request_volume).map(|(_, seen)| seen.rate()).collect();
        if !rates.is_empty() && rates.len() >= settings.success_rate_minimum_hosts as usize {
            let count = rates.len() as f64;
            let mean = rates.iter().sum::<f64>() / count;
            let variance = rates.iter().map(|rate| (rate - mean) * (rate - mean)).sum::<f64>() / count;
            let least = mean - settings.success_rate_stdev_factor * libm::sqrt(variance);
            let is_below = |&(_, seen): &(_, &Member)| seen.rate() < least;
            outliers.extend(with(settings.success_rate_request_volume).filter(is_below).map(|(member, _)| member));
        }
        if let Some(threshold) = settings.failure_percentage_threshold {
            let volume = settings.failure_percentage_request_volume;
            if with(volume).count() >= settings.failure_percentage_minimum_hosts as usize {
                let is_bad = |&(_, seen): &(_, &Member)| seen.fails(threshold);
                outliers.extend(with(volume).filter(is_bad).map(|(member, _)| member));
            }
        }
        outliers
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::base::time::ms;
    use crate::protocol::laws::{draws, fixed};

    fn at(seconds: u64) -> Time {
        Time::ZERO + secs(seconds)
    }

    fn of(members: u32, settings: &EjectionSettings) -> Ejection {
        Ejection::new(settings, NonZeroU32::new(members).unwrap(), Time::ZERO)
    }

    fn sweep(ejection: &mut Ejection, now: Time) -> Vec<(usize, bool)> {
        let mut changes = vec![];
        ejection.sweep(now, |member, is_ejected| changes.push((member, is_ejected)));
        changes
    }

    fn answers(ejection: &mut Ejection, member: usize, well: u32, failed: u32, now: Time) {
        for count in 0..well + failed {
            ejection.done(member, count < well, now);
        }
    }

    /// So many of a hundred fail as the threshold says, whatever that is; with one more well than that, nobody is ejected.
    #[test]
    fn a_share_of_failures_that_is_the_threshold_ejects() {
        for failed in 1..100 {
            let settings = EjectionSettings {
                consecutive_errors: 0,
                success_rate_minimum_hosts: 100,
                failure_percentage_threshold: Some(percent(failed.into())),
                failure_percentage_minimum_hosts: 1,
                ..EjectionSettings::default()
            };
            for (failures, is_ejected) in [(failed, true), (failed - 1, false)] {
                let mut ejection = of(1, &settings);
                answers(&mut ejection, 0, 100 - failures, failures, at(1));
                assert_eq!(sweep(&mut ejection, at(10)), if is_ejected { vec![(0, true)] } else { vec![] }, "{failed}");
            }
        }
    }

    /// Five failures in a row at 3 s eject for 30 s, until the sweep of 40 s; again at 41 s for 60 s, as it was ejected once
    /// lately, until the sweep of 110 s.
    #[test]
    fn failures_in_a_row_eject_for_longer_each_time() {
        let mut ejection = of(10, &EjectionSettings::default());
        answers(&mut ejection, 4, 0, 4, at(3));
        answers(&mut ejection, 4, 1, 4, at(3));
        assert!(!ejection.is_ejected(4), "a good answer begins the count anew");
        assert!(ejection.done(4, false, at(3)));
        let mut changes = vec![];
        let mut play = |ejection: &mut Ejection, from: u64, to: u64| {
            for second in (from..=to).step_by(10) {
                assert_eq!(ejection.next(), Some(at(second)));
                changes.extend(sweep(ejection, at(second)).into_iter().map(|change| (second, change)));
            }
        };
        play(&mut ejection, 10, 40);
        answers(&mut ejection, 4, 0, 5, at(41));
        assert!(ejection.is_ejected(4));
        play(&mut ejection, 50, 130);
        assert_eq!(changes, [(40, (4, false)), (110, (4, false))]);
        assert_eq!(ejection.next(), None, "two intervals in use, and all is forgotten");
    }

    /// Of ten members one may be ejected, of thirty three; of three one all the same.
    #[test]
    fn no_more_than_a_share_is_ejected_but_one_always_may_be() {
        for (members, expected) in [(10, 1), (30, 3), (3, 1), (1, 1), (19, 1), (20, 2)] {
            let mut ejection = of(members, &EjectionSettings::default());
            (0..members as usize).for_each(|member| answers(&mut ejection, member, 0, 5, at(1)));
            assert_eq!(ejection.ejected(), expected, "of {members}");
        }
    }

    /// Nine members at 99 % and one at 90 %: mean 98.1, deviation 2.7, least 98.1 − 1.9 × 2.7 = 92.97: the tenth goes. With the
    /// others at 96 to 100 % and the last at 93 %: mean 97.7, deviation 2.002, least 93.90: it goes too. At 95 % the mean is 97.9,
    /// the deviation 1.578, the least 94.90: it stays.
    #[test]
    fn success_rates_are_compared_with_those_of_the_group() {
        let settings = EjectionSettings { consecutive_errors: 0, ..Default::default() };
        let outliers = |well: [u32; 10]| {
            let mut ejection = of(10, &settings);
            well.into_iter()
                .enumerate()
                .for_each(|(member, well)| answers(&mut ejection, member, well, 100 - well, at(1)));
            sweep(&mut ejection, at(10))
        };
        assert_eq!(outliers([99, 99, 99, 99, 99, 99, 99, 99, 99, 90]), [(9, true)]);
        assert_eq!(outliers([100, 99, 98, 97, 96, 100, 99, 98, 97, 93]), [(9, true)]);
        assert_eq!(outliers([100, 99, 98, 97, 96, 100, 99, 98, 97, 95]), []);
        assert_eq!(outliers([90; 10]), [], "all alike are nobody's outliers");
    }

    #[test]
    fn rates_of_too_few_requests_or_members_do_not_count() {
        let settings = EjectionSettings { consecutive_errors: 0, ..Default::default() };
        let mut ejection = of(10, &settings);
        (0..9).for_each(|member| answers(&mut ejection, member, 100, 0, at(1)));
        answers(&mut ejection, 9, 0, 99, at(1));
        assert_eq!(sweep(&mut ejection, at(10)), [], "99 requests are not 100");
        (0..3).for_each(|member| answers(&mut ejection, member, 100, 0, at(11)));
        answers(&mut ejection, 9, 0, 100, at(11));
        assert_eq!(sweep(&mut ejection, at(20)), [], "four members are not five");
    }

    /// Five members with 50 requests each, one of which fails 80 % of them: no outlier by deviation (too few requests), but at
    /// the threshold of 80 %.
    #[test]
    fn a_share_of_failures_ejects_where_one_is_given() {
        let threshold = Probability::new(0.8).unwrap();
        let settings = EjectionSettings {
            consecutive_errors: 0,
            failure_percentage_threshold: Some(threshold),
            ..Default::default()
        };
        let mut ejection = of(5, &settings);
        (0..4).for_each(|member| answers(&mut ejection, member, 11, 39, at(1)));
        answers(&mut ejection, 4, 10, 40, at(1));
        assert_eq!(sweep(&mut ejection, at(10)), [(4, true)]);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// Whatever is answered: the count is that of the ejected, the share is kept, and all come back when all is well.
        #[test]
        fn the_books_of_the_ejected_balance(seed: u64, members in 1_u32..30) {
            let settings = EjectionSettings {
                success_rate_request_volume: 3, consecutive_errors: 3, ..Default::default()
            };
            let (mut ejection, mut draw, mut now) = (of(members, &settings), draws(seed), Time::ZERO);
            for _ in 0..500 {
                now += ms(draw().below(2000));
                while let Some(due) = ejection.next().filter(|due| *due <= now) {
                    ejection.sweep(due, |_, _| ());
                }
                let member = draw().below(members.into()) as usize;
                ejection.done(member, draw().below(3) > 0, now);
                let ejected = (0..members as usize).filter(|&member| ejection.is_ejected(member)).count();
                prop_assert_eq!(ejected as u32, ejection.ejected());
                prop_assert!(ejected as u32 <= (members / 10).max(1));
            }
            while let Some(due) = ejection.next() {
                prop_assert!(due > now && due.since(now) <= secs(10), "a sweep at every interval's end");
                now = due;
                ejection.sweep(now, |_, _| ());
            }
            prop_assert_eq!(ejection.ejected(), 0);
        }
    }
}
