//! Peak EWMA: the member whose answers are expected soonest, by what the caller has seen of it.
//!
//! For each member the caller keeps a mean of its latencies that forgets with time (a weight of e^(−t/decay) after t), and that
//! jumps: an answer slower than the mean becomes the mean at once, and only time brings it down again. Its cost is that mean,
//! times its requests under way and one. The cheapest of two members drawn at random gets the request. A member that was never
//! heard of costs nothing, and more than any other as soon as it has a request under way: one probe at a time.
//!
//! A request that was given up counts with the time it waited, so that a member that is silent does not look fast.
//!
//! Source: Finagle 6.27, `p2cPeakEwma` (com.twitter.finagle.loadbalancer.PeakEwma).

use std::num::NonZeroU32;

use super::choices::best_of;
use super::{Balance, BalanceError, Balancer, End, View};
use crate::base::settings::Settings;
use crate::base::time::{Span, Time, secs};

/// What a request costs where nothing is known of a member that has one already, in nanoseconds (Finagle's own constant).
const UNKNOWN: f64 = (i64::MAX >> 16) as f64;

crate::settings! {
    /// The member whose answers are expected soonest: latency as this caller has seen it, times its requests under way there.
    /// It finds out by itself which members are slow or far, and reacts at once when one becomes slow. Every caller learns on
    /// its own, so it helps those who send often.
    pub struct PeakEwmaSettings = "peak-ewma", "Finagle 6.27, p2cPeakEwma" {
        /// How long latencies are remembered: the time in which their weight falls to 1/e. 10 s is Finagle's default (6.27).
        decay_time: Span = secs(10),
        /// How many different members are drawn to choose among; as many as there are, or more, are all. 2 is Finagle's way.
        choices: NonZeroU32 = const { NonZeroU32::new(2).unwrap() },
    }
}

impl Settings for PeakEwmaSettings {
    fn check(&self) -> Result<(), String> {
        if self.decay_time == Span::ZERO { Err("needs a `decay-time` above zero".into()) } else { Ok(()) }
    }
}

impl Balancer for PeakEwmaSettings {
    type Caller = PeakEwma;

    const MEASURES: bool = true;

    fn caller(&self, members: NonZeroU32) -> Result<PeakEwma, BalanceError> {
        let members_seen = vec![Seen { cost: 0.0, at: Time::ZERO, active: 0 }; members.get() as usize];
        Ok(PeakEwma { members: members_seen.into(), choices: self.choices.min(members), decay: self.decay_time })
    }
}

/// What a caller has seen of each member.
#[derive(Clone, PartialEq, Debug)]
pub struct PeakEwma {
    members: Box<[Seen]>,
    choices: NonZeroU32,
    decay: Span,
}

/// What a caller has seen of one member.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Seen {
    /// The mean latency in nanoseconds, as of `at`.
    cost: f64,
    at: Time,
    active: u32,
}

impl Seen {
    /// Takes note of a latency in nanoseconds; none lets the mean fall.
    fn observe(&mut self, nanos: f64, now: Time, decay: Span) {
        if nanos > self.cost {
            self.cost = nanos;
        } else {
            let weight = libm::exp(-(now.since(self.at).as_nanos() as f64) / decay.as_nanos() as f64);
            self.cost = self.cost * weight + nanos * (1.0 - weight);
        }
        self.at = now;
    }

    /// What one more request costs.
    fn cost(&mut self, now: Time, decay: Span) -> f64 {
        self.observe(0.0, now, decay);
        if self.cost == 0.0 && self.active > 0 {
            UNKNOWN + f64::from(self.active)
        } else {
            self.cost * (f64::from(self.active) + 1.0)
        }
    }
}

impl Balance for PeakEwma {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let members = NonZeroU32::new(self.members.len() as u32).unwrap_or(NonZeroU32::MIN);
        let (seen, decay) = (&mut self.members, self.decay);
        best_of(members, self.choices, view, |view, member| seen[member].cost(view.now(), decay))
    }

    fn sent(&mut self, member: usize, _: Time) {
        self.members[member].active += 1;
    }

    /// # Panics
    /// If no request was under way.
    fn done(&mut self, member: usize, end: End) {
        let seen = &mut self.members[member];
        seen.active = seen.active.checked_sub(1).expect("what is done was sent before");
        if let Some(took) = end.took {
            seen.observe(took.as_nanos() as f64, end.now, self.decay);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;
    use crate::base::time::ms;

    fn of_two() -> PeakEwma {
        PeakEwmaSettings::default().caller(NonZeroU32::new(2).unwrap()).unwrap()
    }

    fn answer(policy: &mut PeakEwma, member: usize, took: Span, now: Time) {
        policy.sent(member, now);
        policy.done(member, End { now, took: Some(took), is_well: true });
    }

    /// After one decay time, 100 ms seen once count 100/e = 36.79 ms.
    #[test]
    fn what_was_seen_is_forgotten_with_time() {
        let mut policy = of_two();
        answer(&mut policy, 0, ms(100), Time::ZERO);
        let cost = policy.members[0].cost(Time::ZERO + secs(10), secs(10));
        assert!((cost / 36.787_944e6 - 1.0).abs() < 1e-6, "{cost}");
    }

    /// A slow answer counts in full at once; a fast one right after it hardly: 1 ms after 100 ms weighs 1 − e^(−0.0001).
    #[test]
    fn a_peak_is_believed_at_once_and_recovery_slowly() {
        let mut policy = of_two();
        answer(&mut policy, 0, ms(1), Time::ZERO);
        answer(&mut policy, 0, ms(100), Time::ZERO);
        assert_eq!(policy.members[0].cost, 100e6);
        answer(&mut policy, 0, ms(1), Time::ZERO + ms(1));
        assert!(policy.members[0].cost > 99.98e6);
    }

    /// 10 ms with 3 under way cost 40, 50 ms without any cost 50; with 4 under way it is a tie, with 5 the other's turn.
    #[test]
    fn cost_is_latency_times_requests() {
        let (mut policy, mut view) = (of_two(), Fixed::seeded(1));
        answer(&mut policy, 0, ms(10), Time::ZERO);
        answer(&mut policy, 1, ms(50), Time::ZERO);
        for under_way in 0..8 {
            let member = policy.pick(&mut view);
            assert!(under_way == 4 || member == usize::from(under_way > 4), "{under_way}");
            policy.sent(0, Time::ZERO);
        }
    }

    #[test]
    fn an_unknown_member_is_probed_once_at_a_time() {
        let (mut policy, mut view) = (of_two(), Fixed::seeded(1));
        answer(&mut policy, 0, secs(5), Time::ZERO);
        assert_eq!(policy.pick(&mut view), 1);
        policy.sent(1, Time::ZERO);
        assert_eq!(policy.pick(&mut view), 0);
    }
}
