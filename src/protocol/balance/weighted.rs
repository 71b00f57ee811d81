//! Smooth weighted round robin: in exact proportion to the weights, evenly interleaved.
//!
//! Every member has a current value, at first zero. For each pick, every value grows by its member's weight; the largest
//! wins (the first of equals) and loses the sum of all weights. After as many picks as that sum divided by the weights'
//! greatest common divisor, all values are zero again and each member was picked in exact proportion. Weights 5, 1, 1 give
//! a a b a c a a, where the plain method gives a a a a a b c. Members that are down do not take part: their values stay, and
//! the winner loses the sum of those that are up.
//!
//! Source: nginx 1.3.1, `ngx_http_upstream_round_robin.c` (Maxim Dounin, 2012), without its lowering of weights after
//! failures.

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, View, Weights};
use crate::base::settings::Settings;

crate::settings! {
    /// Smooth weighted round robin: in exact proportion to the weights, evenly interleaved. It is meant for members of
    /// different speeds that are known beforehand. A pick looks at every member.
    pub struct WeightedSettings = "weighted", "nginx 1.3.1, ngx_http_upstream_round_robin.c" {
        /// How much each member gets, one number for each.
        weights: Weights, alone = Weights::new(&[1, 2]).unwrap(),
    }
}

impl Settings for WeightedSettings {}

impl Balancer for WeightedSettings {
    type Caller = Weighted;

    fn caller(&self, members: NonZeroU32) -> Result<Weighted, BalanceError> {
        Ok(Weighted(Rota::new(self.weights.each(members)?)))
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Weights::shares(Some(&self.weights), members)
    }
}

/// Whose turn it is, by weight.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighted(Rota);

impl Balance for Weighted {
    fn pick(&mut self, view: &mut impl View) -> usize {
        self.0.turn(|member, _| view.is_up(member))
    }
}

/// Turns by weight: the members' weights and current values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Rota(Box<[Weight]>);

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Weight {
    weight: u32,
    current: i64,
}

impl Rota {
    /// Turns by these weights.
    pub(super) fn new(weights: &[NonZeroU32]) -> Self {
        Self(weights.iter().map(|weight| Weight { weight: weight.get(), current: 0 }).collect())
    }

    /// The weight of `member`.
    pub(super) fn weight(&self, member: usize) -> u32 {
        self.0[member].weight
    }

    /// Whose turn it is of those that take part by place and weight; the first one's if none does.
    pub(super) fn turn(&mut self, takes_part: impl Fn(usize, u32) -> bool) -> usize {
        let (mut winner, mut largest, mut sum) = (0, i64::MIN, 0);
        for (index, member) in self.0.iter_mut().enumerate() {
            if !takes_part(index, member.weight) {
                continue;
            }
            sum += i64::from(member.weight);
            member.current += i64::from(member.weight);
            if member.current > largest {
                (winner, largest) = (index, member.current);
            }
        }
        self.0[winner].current -= sum;
        winner
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::view::Fixed;
    use super::*;
    use crate::protocol::laws::fixed;

    fn of(weights: &[u32]) -> Weighted {
        let settings = WeightedSettings { weights: Weights::new(weights).unwrap() };
        settings.caller(NonZeroU32::new(weights.len() as u32).unwrap()).unwrap()
    }

    fn turns(policy: &mut Weighted, picks: usize, down: &[usize]) -> Vec<usize> {
        let mut view = Fixed::draws(&[]);
        view.down = down.into();
        (0..picks).map(|_| policy.pick(&mut view)).collect()
    }

    /// The example in nginx's commit message.
    #[test]
    fn five_one_one_is_interleaved_as_published() {
        assert_eq!(turns(&mut of(&[5, 1, 1]), 7, &[]), [0, 0, 1, 0, 2, 0, 0]);
    }

    #[test]
    fn the_rest_keep_their_proportions_while_one_is_down() {
        let mut policy = of(&[5, 2, 1]);
        assert_eq!(turns(&mut policy, 6, &[0]), [1, 2, 1, 1, 2, 1]);
        assert_eq!(policy, of(&[5, 2, 1]), "a cycle of the others leaves all as it was");
    }

    proptest! {
        #![proptest_config(fixed())]

        /// A cycle ends where it began, so that this holds for every cycle after it too.
        #[test]
        fn each_cycle_is_exactly_proportional(weights in vec(1_u32..20, 1..8), factor in 1_u32..5) {
            let scaled: Vec<_> = weights.iter().map(|weight| weight * factor).collect();
            let mut policy = of(&scaled);
            let cycle = turns(&mut policy, weights.iter().sum::<u32>() as usize, &[]);
            for (member, &weight) in weights.iter().enumerate() {
                prop_assert_eq!(cycle.iter().filter(|&&turn| turn == member).count(), weight as usize);
            }
            prop_assert_eq!(policy, of(&scaled));
        }
    }
}
