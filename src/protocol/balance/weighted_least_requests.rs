//! Weighted least requests: turns by weights that shrink as members fill.
//!
//! A member's weight of the moment is its weight divided by (its active requests + 1)^bias. Turns are those of an *earliest
//! deadline first* schedule: each member stands in it with a deadline; the earliest wins, and comes again one divided by its
//! weight of the moment later. With a bias of 0 requests do not count, and this is weighted round robin; with 1 a member
//! with one request under way comes half as often; the larger the bias, the more it is least requests.
//!
//! Every caller starts at a random place of its own in each member's round. A member that was down comes again as soon as it
//! is up, once, and not as often as it would have come meanwhile. A pick looks at every member. (Envoy keeps the deadlines in
//! a heap, and takes the power of two choices instead as long as all weights are equal, which is `choices` here.)
//!
//! Source: Envoy 1.15 and later, weighted least request (`least_request_lb_config`, `EdfScheduler`).

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, End, Load, Loads, View, Weights};
use crate::base::random::{Uniform, mix};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::settings! {
    /// Turns by weight / (active requests + 1)^bias, so that a member gets less the more requests it has. It joins what is
    /// known beforehand (weights) with what shows itself (requests under way), and reacts less sharply than least requests.
    /// A pick looks at every member.
    pub struct WeightedLeastRequestsSettings = "weighted-least-requests", "Envoy 1.15, least_request_lb_config" {
        /// How much each member gets, one number for each. All alike if not given.
        weights: Option<Weights> = None,
        /// How much active requests count: the exponent of (active requests + 1). 1 is Envoy's default (1.15).
        active_request_bias: f64 = 1.0,
        /// Whose requests are counted.
        load: Load = Load::Own,
    }
}

impl Settings for WeightedLeastRequestsSettings {}

impl Balancer for WeightedLeastRequestsSettings {
    type Caller = WeightedLeastRequests;

    fn caller(&self, members: NonZeroU32) -> Result<WeightedLeastRequests, BalanceError> {
        let weights = Weights::or_equal(self.weights.as_ref(), members)?;
        let turns = weights.iter().map(|weight| {
            let weight = f64::from(weight.get());
            Turn { weight, due: 1.0 / weight }
        });
        let loads = Loads::new(members, self.load);
        Ok(WeightedLeastRequests(Box::new(Turns {
            turns: turns.collect(),
            now: 0.0,
            bias: self.active_request_bias,
            loads,
        })))
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Weights::shares(self.weights.as_ref(), members)
    }
}

/// The schedule, and the members' loads.
#[derive(Clone, PartialEq, Debug)]
pub struct WeightedLeastRequests(Box<Turns>);

#[derive(Clone, PartialEq, Debug)]
struct Turns {
    turns: Box<[Turn]>,
    /// The deadline of the last turn.
    now: f64,
    bias: f64,
    loads: Loads,
}

#[derive(Clone, Copy, PartialEq, Debug)]
struct Turn {
    weight: f64,
    /// The deadline.
    due: f64,
}

impl Balance for WeightedLeastRequests {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let Turns { turns, now, bias, loads } = &mut *self.0;
        let mut first: Option<(usize, f64)> = None;
        for (member, turn) in turns.iter().enumerate() {
            if first.is_none_or(|(_, due)| turn.due < due) && view.is_up(member) {
                first = Some((member, turn.due));
            }
        }
        let Some((member, due)) = first else { return 0 };
        *now = now.max(due);
        let active = f64::from(loads.of(member, view)) + 1.0;
        let slower = if *bias == 1.0 { active } else { libm::pow(active, *bias) };
        turns[member].due = *now + slower / turns[member].weight;
        member
    }

    fn sent(&mut self, member: usize, _: Time) {
        self.0.loads.sent(member);
    }

    fn done(&mut self, member: usize, _: End) {
        self.0.loads.done(member);
    }

    fn fresh(&self, draw: Uniform) -> Self {
        let mut fresh = self.clone();
        for (member, turn) in fresh.0.turns.iter_mut().enumerate() {
            turn.due = Uniform::from_bits(mix(draw.bits().wrapping_add(member as u64))).open01() / turn.weight;
        }
        fresh
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn picks(weights: &[u32], bias: f64, loads: &[u32], count: usize) -> Vec<usize> {
        let settings = WeightedLeastRequestsSettings {
            weights: Weights::new(weights),
            active_request_bias: bias,
            load: Load::True,
        };
        let mut policy = settings.caller(NonZeroU32::new(weights.len() as u32).unwrap()).unwrap();
        let mut view = Fixed::loads(loads);
        let mut counts = vec![0; weights.len()];
        for _ in 0..count {
            counts[policy.pick(&mut view)] += 1;
        }
        counts
    }

    /// Shares are as the weights of the moment: 3 : 1 without load; 3/3 : 1/1 with two requests at the first; 3/9 : 1 with
    /// a bias of two; and 3 : 1 again without a bias (as little as a scenario can write).
    #[test]
    fn shares_are_as_weight_by_active_requests() {
        assert_eq!(picks(&[3, 1], 1.0, &[0, 0], 400), [300, 100]);
        assert_eq!(picks(&[3, 1], 1.0, &[2, 0], 400), [200, 200]);
        assert_eq!(picks(&[3, 1], 2.0, &[2, 0], 400), [100, 300]);
        assert_eq!(picks(&[3, 1], 1e-9, &[2, 0], 400), [300, 100]);
    }

    /// The second of two alike is down for ten picks: it gets the next one after that, and every other one from there on.
    #[test]
    fn who_comes_back_does_not_catch_up() {
        let mut policy = WeightedLeastRequestsSettings::default().caller(NonZeroU32::new(2).unwrap()).unwrap();
        let mut view = Fixed::loads(&[]);
        view.down = vec![1];
        assert!((0..10).all(|_| policy.pick(&mut view) == 0));
        view.down.clear();
        let picks: Vec<_> = (0..5).map(|_| policy.pick(&mut view)).collect();
        assert_eq!(picks.iter().filter(|&&member| member == 1).count(), 3, "{picks:?}");
        assert_eq!(picks[0], 1);
    }
}
