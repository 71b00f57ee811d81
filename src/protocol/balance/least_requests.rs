//! Least requests: the member with the fewest requests of all, ties at random.
//!
//! With the real load this is *join the shortest queue*, the best that a balancer can do for exponential service and
//! members of equal speed (Winston, J. Appl. Prob. 14, 1977); two members at 1.4 requests per service time give a mean
//! time of 2.1082 (Haight, Biometrika 45, 1958). With the caller's own load it is the *least outstanding requests* of
//! proxies. Ties at random matter: by lowest index, idle groups would use their first members alone.
//!
//! A pick looks at every member twice, once for the least load and once for the one the draw names among its holders.

use std::num::NonZeroU32;

use super::{Balance, Load, Loads};
use crate::base::random::Uniform;

/// The members' loads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeastRequests {
    members: NonZeroU32,
    loads: Loads,
}

impl LeastRequests {
    /// A choice among `members` by `load`.
    pub fn new(members: NonZeroU32, load: Load) -> Self {
        Self { members, loads: Loads::new(members, load) }
    }
}

impl Balance for LeastRequests {
    fn pick(&mut self, mut draw: impl FnMut() -> Uniform, load: impl Fn(usize) -> u32) -> usize {
        let (mut least, mut holders, mut first) = (u32::MAX, 0, 0);
        for member in 0..self.members.get() as usize {
            let load = self.loads.of(member, &load);
            if holders == 0 || load < least {
                (least, holders, first) = (load, 1, member);
            } else if load == least {
                holders += 1;
            }
        }
        if holders == 1 {
            return first;
        }
        let chosen = draw().below(holders) as usize;
        (first..self.members.get() as usize)
            .filter(|&member| self.loads.of(member, &load) == least)
            .nth(chosen)
            .expect("loads stay the same during a pick")
    }

    fn sent(&mut self, member: usize) {
        self.loads.sent(member);
    }

    fn done(&mut self, member: usize) {
        self.loads.done(member);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::{draws, fixed};

    fn of(members: u32, load: Load) -> LeastRequests {
        LeastRequests::new(NonZeroU32::new(members).unwrap(), load)
    }

    #[test]
    fn own_requests_are_spread_evenly() {
        let (mut policy, mut draw) = (of(4, Load::Own), draws(1));
        for _ in 0..12 {
            let member = policy.pick(&mut draw, |_| unreachable!());
            policy.sent(member);
        }
        assert_eq!(policy.loads, Loads::Own([3; 4].into()));
    }

    /// Members 1 and 3 hold the least; the draw's range is cut in two halves.
    #[test]
    fn the_draw_decides_among_those_that_hold_the_least() {
        let loads = [5, 2, 9, 2];
        let picks = [0, u64::MAX].map(|bits| of(4, Load::True).pick(|| Uniform::from_bits(bits), |m| loads[m]));
        assert_eq!(picks, [1, 3]);
    }

    #[test]
    fn loads_at_the_top_of_their_range_are_still_compared() {
        assert_eq!(of(2, Load::True).pick(|| Uniform::from_bits(u64::MAX), |_| u32::MAX), 1);
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn nobody_has_less_than_the_one_picked(loads in vec(0_u32..6, 1..20), seed: u64) {
            let member = of(loads.len() as u32, Load::True).pick(draws(seed), |member| loads[member]);
            prop_assert_eq!(Some(&loads[member]), loads.iter().min());
        }
    }
}
