//! Least requests: the member with the fewest requests of all, ties at random.
//!
//! With the real load this is *join the shortest queue*, the best that a balancer can do for exponential service and
//! members of equal speed (Winston, J. Appl. Prob. 14, 1977); two members at 1.4 requests per service time give a mean
//! time of 2.1082 (Haight, Biometrika 45, 1958). With the caller's own load it is the *least outstanding requests* of
//! proxies. Ties at random matter: by lowest index, idle groups would use their first members alone.
//!
//! A pick looks at every member twice, once for the least load and once for the one the draw names among its holders.

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, End, Load, Loads, View};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::settings! {
    /// The member with the fewest requests of all, ties at random; with the real load, join the shortest queue. The best that
    /// a balancer can do where members are alike and requests last differently. With its own load alone, a caller with few
    /// requests under way knows next to nothing. A pick looks at every member.
    pub struct LeastRequestsSettings = "least-requests", "Haight, Two queues in parallel, Biometrika 45, 1958" {
        /// Whose requests are counted.
        load: Load = Load::Own,
    }
}

impl Settings for LeastRequestsSettings {}

impl Balancer for LeastRequestsSettings {
    type Caller = LeastRequests;

    fn caller(&self, members: NonZeroU32) -> Result<LeastRequests, BalanceError> {
        Ok(LeastRequests { members, loads: Loads::new(members, self.load) })
    }
}

/// The members' loads.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LeastRequests {
    members: NonZeroU32,
    loads: Loads,
}

impl Balance for LeastRequests {
    fn pick(&mut self, view: &mut impl View) -> usize {
        let (mut least, mut holders, mut first) = (u32::MAX, 0, 0);
        for member in 0..self.members.get() as usize {
            if !view.is_up(member) {
                continue;
            }
            let load = self.loads.of(member, view);
            if holders == 0 || load < least {
                (least, holders, first) = (load, 1, member);
            } else if load == least {
                holders += 1;
            }
        }
        if holders <= 1 {
            return first;
        }
        let chosen = view.draw().below(holders) as usize;
        (first..self.members.get() as usize)
            .filter(|&member| view.is_up(member) && self.loads.of(member, view) == least)
            .nth(chosen)
            .expect("loads stay the same during a pick")
    }

    fn sent(&mut self, member: usize, _: Time) {
        self.loads.sent(member);
    }

    fn done(&mut self, member: usize, _: End) {
        self.loads.done(member);
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::view::Fixed;
    use super::*;
    use crate::protocol::laws::fixed;

    fn of(members: u32, load: Load) -> LeastRequests {
        LeastRequestsSettings { load }.caller(NonZeroU32::new(members).unwrap()).unwrap()
    }

    #[test]
    fn own_requests_are_spread_evenly() {
        let (mut policy, mut view) = (of(4, Load::Own), Fixed::seeded(1));
        for _ in 0..12 {
            let member = policy.pick(&mut view);
            policy.sent(member, Time::ZERO);
        }
        assert_eq!([0, 1, 2, 3].map(|member| policy.loads.of(member, &view)), [3; 4]);
    }

    /// Members 1 and 3 hold the least; the draw's range is cut in two halves.
    #[test]
    fn the_draw_decides_among_those_that_hold_the_least() {
        let picks = [0, u64::MAX]
            .map(|bits| of(4, Load::True).pick(&mut Fixed { loads: vec![5, 2, 9, 2], ..Fixed::draws(&[bits]) }));
        assert_eq!(picks, [1, 3]);
    }

    #[test]
    fn loads_at_the_top_of_their_range_are_still_compared() {
        let mut view = Fixed { loads: vec![u32::MAX; 2], ..Fixed::draws(&[u64::MAX]) };
        assert_eq!(of(2, Load::True).pick(&mut view), 1);
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn nobody_has_less_than_the_one_picked(loads in vec(0_u32..6, 1..20), seed: u64) {
            let member = of(loads.len() as u32, Load::True)
                .pick(&mut Fixed { loads: loads.clone(), ..Fixed::seeded(seed) });
            prop_assert_eq!(Some(&loads[member]), loads.iter().min());
        }
    }
}
