//! Smooth weighted round robin: in exact proportion to the weights, evenly interleaved.
//!
//! Every member has a current value, at first zero. For each pick, every value grows by its member's weight; the largest
//! wins (the first of equals) and loses the sum of all weights. After as many picks as that sum divided by the weights'
//! greatest common divisor, all values are zero again and each member was picked in exact proportion. Weights 5, 1, 1 give
//! a a b a c a a, where the plain method gives a a a a a b c. A member of weight zero is never picked, since the largest
//! value is positive and its own stays zero.
//!
//! Source: nginx 1.3.1, `ngx_http_upstream_round_robin.c` (Maxim Dounin, 2012).

use std::num::NonZeroU32;

use super::{Balance, BalanceError};
use crate::base::random::Uniform;

/// The members' weights and current values.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Weighted {
    members: Box<[Weight]>,
    sum: i64,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Weight {
    weight: u32,
    current: i64,
}

impl Weighted {
    /// A round through `members` by `weights`, one each.
    ///
    /// # Errors
    /// If there is not one weight per member, or all are zero.
    pub fn new(members: NonZeroU32, weights: &[u32]) -> Result<Self, BalanceError> {
        if weights.len() != members.get() as usize {
            return Err(BalanceError::Weights { weights: weights.len(), members: members.get() });
        }
        let sum = weights.iter().copied().map(i64::from).sum();
        if sum == 0 {
            return Err(BalanceError::NoWeight);
        }
        Ok(Self { members: weights.iter().map(|&weight| Weight { weight, current: 0 }).collect(), sum })
    }
}

impl Balance for Weighted {
    fn pick(&mut self, _: impl FnMut() -> Uniform, _: impl Fn(usize) -> u32) -> usize {
        let (mut winner, mut largest) = (0, i64::MIN);
        for (index, member) in self.members.iter_mut().enumerate() {
            member.current += i64::from(member.weight);
            if member.current > largest {
                (winner, largest) = (index, member.current);
            }
        }
        self.members[winner].current -= self.sum;
        winner
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::fixed;

    fn of(weights: &[u32]) -> Weighted {
        Weighted::new(NonZeroU32::new(weights.len() as u32).unwrap(), weights).unwrap()
    }

    fn turns(policy: &mut Weighted, picks: usize) -> Vec<usize> {
        (0..picks).map(|_| policy.pick(|| unreachable!(), |_| 0)).collect()
    }

    /// The example in nginx's commit message.
    #[test]
    fn five_one_one_is_interleaved_as_published() {
        assert_eq!(turns(&mut of(&[5, 1, 1]), 7), [0, 0, 1, 0, 2, 0, 0]);
    }

    proptest! {
        #![proptest_config(fixed())]

        /// A cycle ends where it began, so that this holds for every cycle after it too.
        #[test]
        fn each_cycle_is_exactly_proportional(weights in vec(0_u32..20, 1..8), factor in 1_u32..5) {
            prop_assume!(weights.iter().any(|&weight| weight > 0));
            let scaled: Vec<_> = weights.iter().map(|weight| weight * factor).collect();
            let mut policy = of(&scaled);
            let cycle = turns(&mut policy, weights.iter().sum::<u32>() as usize);
            for (member, &weight) in weights.iter().enumerate() {
                prop_assert_eq!(cycle.iter().filter(|&&turn| turn == member).count(), weight as usize);
            }
            prop_assert_eq!(policy, of(&scaled));
        }
    }
}
