//! Weighted random: any member, each as likely as its weight says.
//!
//! One draw finds its place among the weights' running sums, by halving. The sums are the same for all callers of a group,
//! which hold them together. If the member that is drawn is down, another draw decides among those that are up, which keeps
//! the proportions of the rest.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Balance, BalanceError, Balancer, View, Weights};
use crate::base::settings::Settings;

crate::settings! {
    /// Any member, each as likely as its weight says. Shares are right on average only, but callers need not go round
    /// together: many of them with few requests each are spread as well as one with many.
    pub struct WeightedRandomSettings = "weighted-random", "elementary; as HAProxy's balance random and gRPC's weighted_target" {
        /// How much each member gets, one number for each.
        weights: Weights, alone = Weights::new(&[1, 2]).unwrap(),
    }
}

impl Settings for WeightedRandomSettings {}

impl Balancer for WeightedRandomSettings {
    type Caller = WeightedRandom;

    fn caller(&self, members: NonZeroU32) -> Result<WeightedRandom, BalanceError> {
        let mut sum = 0;
        let running = self.weights.each(members)?.iter().map(|weight| {
            sum += u64::from(weight.get());
            sum
        });
        Ok(WeightedRandom { ends: running.collect() })
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Weights::shares(Some(&self.weights), members)
    }
}

/// Where each member's part of the draw's range ends.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct WeightedRandom {
    ends: Arc<[u64]>,
}

impl WeightedRandom {
    fn weight(&self, member: usize) -> u64 {
        self.ends[member] - if member == 0 { 0 } else { self.ends[member - 1] }
    }

    #[cold]
    #[inline(never)]
    fn another_up(&self, view: &mut impl View) -> usize {
        let up = |view: &_, member: &usize| View::is_up(view, *member);
        let members = 0..self.ends.len();
        let sum = members.clone().filter(|member| up(view, member)).map(|member| self.weight(member)).sum();
        let mut left = view.draw().below(sum);
        for member in members.filter(|member| up(view, member)) {
            match left.checked_sub(self.weight(member)) {
                Some(rest) => left = rest,
                None => return member,
            }
        }
        0
    }
}

impl Balance for WeightedRandom {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let sum = self.ends[self.ends.len() - 1];
        let place = view.draw().below(sum);
        let member = self.ends.partition_point(|&end| end <= place);
        if view.is_up(member) { member } else { self.another_up(view) }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    /// How often each of three members with weights 1, 2, 5 is picked by draws in the middle of eight equal parts of the range.
    fn picks(down: &[usize], parts: u64) -> [u32; 3] {
        let weights = Weights::new(&[1, 2, 5]).unwrap();
        let mut policy = WeightedRandomSettings { weights }.caller(NonZeroU32::new(3).unwrap()).unwrap();
        let mut counts = [0; 3];
        for part in 0..parts {
            let bits = u64::MAX / parts * part + u64::MAX / parts / 2;
            // Where a member is down, the first draw falls on member 2, the second decides.
            let mut view = if down.is_empty() { Fixed::draws(&[bits]) } else { Fixed::draws(&[u64::MAX, bits]) };
            view.down = down.into();
            counts[policy.pick(&mut view)] += 1;
        }
        counts
    }

    #[test]
    fn the_range_of_the_draw_is_cut_by_weight() {
        assert_eq!(picks(&[], 8), [1, 2, 5]);
    }

    #[test]
    fn those_that_are_up_keep_their_proportions() {
        assert_eq!(picks(&[2], 6), [2, 4, 0]);
    }
}
