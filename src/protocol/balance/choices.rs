//! The power of d choices: the least loaded of d members drawn at random.
//!
//! Two choices instead of one change a queue's tail from exponential to doubly exponential: in a large group at load λ, a
//! share of only λ^(2^k − 1) of the members has k requests or more. Each further choice adds little. At λ = 0.9 among 100
//! members, two different ones give a mean time of 2.645 service times, two that may be the same 2.662, one gives 10.
//!
//! Without replacement, the i-th draw counts among the members that are left. The first drawn wins a tie: as draws come in
//! random order, that is a tie at random. As many choices as members, or more, look at all of them. For a member that is drawn
//! and is down, another is drawn among those that are up.
//!
//! Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001; Vvedenskaya,
//! Dobrushin, Karpelevich, Problems of Information Transmission 32, 1996.

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, End, Load, Loads, View, any_up};
use crate::base::settings::Settings;
use crate::base::time::Time;

/// How many draws without replacement need no heap.
const INLINE: usize = 8;

crate::settings! {
    /// The member with the fewest requests among d drawn at random, by default two different ones. Two choices instead of one
    /// make the longest queues much shorter, each further one adds little. It takes the same time however many members there
    /// are, and does not send all callers to the same member, as those who look at all members do.
    pub struct ChoicesSettings = "choices", "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001" {
        /// How many are drawn.
        d: NonZeroU32 = const { NonZeroU32::new(2).unwrap() },
        /// Whose requests are counted.
        load: Load = Load::Own,
        /// Whether one member may be drawn twice.
        replacement: bool = false,
    }
}

impl Settings for ChoicesSettings {
    fn check(&self) -> Result<(), String> {
        if self.d.get() > D_MAX { Err(format!("draws at most {D_MAX} members for a request")) } else { Ok(()) }
    }
}

/// The most that are drawn: each takes its time, and beyond a few they add next to nothing.
const D_MAX: u32 = 1024;

impl Balancer for ChoicesSettings {
    type Caller = Choices;

    fn caller(&self, members: NonZeroU32) -> Result<Choices, BalanceError> {
        let Self { d, load, replacement } = *self;
        let d = if replacement { d } else { d.min(members) };
        Ok(Choices { members, d, replacement, loads: Loads::new(members, load) })
    }
}

/// The members' loads, and how many of them are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choices {
    members: NonZeroU32,
    d: NonZeroU32,
    replacement: bool,
    loads: Loads,
}

impl Balance for Choices {
    fn pick(&mut self, view: &mut impl View) -> usize {
        let load = |view: &_, member| self.loads.of(member, view);
        if self.replacement {
            with_replacement(self.members, self.d, view, load)
        } else {
            best_of(self.members, self.d, view, load)
        }
    }

    fn sent(&mut self, member: usize, _: Time) {
        self.loads.sent(member);
    }

    fn done(&mut self, member: usize, _: End) {
        self.loads.done(member);
    }
}

/// The cheapest of `d` different members that are up, drawn at random, or of all if they are fewer; the first drawn of equals.
/// `d` is at most the number of members.
pub(super) fn best_of<V: View, C: PartialOrd>(
    members: NonZeroU32,
    d: NonZeroU32,
    view: &mut V,
    cost: impl FnMut(&V, usize) -> C,
) -> usize {
    let d = d.get() as usize;
    if d <= INLINE {
        without_replacement(members, &mut [0; INLINE][..d], view, cost)
    } else {
        without_replacement(members, &mut vec![0; d], view, cost)
    }
}

/// The best of `d` draws, each below `members`.
fn with_replacement<V: View, C: PartialOrd>(
    members: NonZeroU32,
    d: NonZeroU32,
    view: &mut V,
    mut cost: impl FnMut(&V, usize) -> C,
) -> usize {
    let mut best = Best::default();
    for _ in 0..d.get() {
        let member = any_up(members, view);
        best.offer(member, cost(view, member));
    }
    best.member
}

/// The best of as many different members as `drawn` has room for; `drawn` ends up holding them in ascending order, if all are
/// up.
fn without_replacement<V: View, C: PartialOrd>(
    members: NonZeroU32,
    drawn: &mut [u32],
    view: &mut V,
    mut cost: impl FnMut(&V, usize) -> C,
) -> usize {
    let (mut best, mut down) = (Best::default(), 0);
    for count in 0..drawn.len() {
        // The draw counts the members left: step over each drawn one that stands at or before it.
        let mut member = view.draw().below(u64::from(members.get()) - count as u64) as u32;
        let mut place = 0;
        while place < count && drawn[place] <= member {
            member += 1;
            place += 1;
        }
        drawn.copy_within(place..count, place + 1);
        drawn[place] = member;
        let member = member as usize;
        if view.is_up(member) {
            best.offer(member, cost(view, member));
        } else {
            down += 1;
        }
    }
    if down > 0 {
        instead(members, drawn, view, |view, member| best.offer(member, cost(view, member)));
    }
    best.member
}

/// Offers others that are up instead of those among `drawn` that are down, drawn one by one, as far as there are any.
#[cold]
#[inline(never)]
fn instead<V: View>(members: NonZeroU32, drawn: &mut [u32], view: &mut V, mut offer: impl FnMut(&V, usize)) {
    let mut found = 0;
    for place in 0..drawn.len() {
        if view.is_up(drawn[place] as usize) {
            drawn[found] = drawn[place];
            found += 1;
        }
    }
    let up = (0..members.get()).filter(|&member| view.is_up(member as usize)).count();
    while found < drawn.len().min(up) {
        let chosen = view.draw().below((up - found) as u64) as usize;
        let is_left = |member: &u32| view.is_up(*member as usize) && !drawn[..found].contains(member);
        let Some(member) = (0..members.get()).filter(is_left).nth(chosen) else { return };
        drawn[found] = member;
        found += 1;
        offer(view, member as usize);
    }
}

/// The cheapest member so far; the first of equals.
struct Best<C> {
    member: usize,
    cost: Option<C>,
}

impl<C> Default for Best<C> {
    fn default() -> Self {
        Self { member: 0, cost: None }
    }
}

impl<C: PartialOrd> Best<C> {
    #[inline]
    fn offer(&mut self, member: usize, cost: C) {
        if self.cost.as_ref().is_none_or(|least| cost < *least) {
            *self = Self { member, cost: Some(cost) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::view::Fixed;
    use super::*;
    use crate::protocol::laws::fixed;

    fn of(members: u32, d: u32, replacement: bool) -> Choices {
        let settings = ChoicesSettings { d: NonZeroU32::new(d).unwrap(), load: Load::True, replacement };
        settings.caller(NonZeroU32::new(members).unwrap()).unwrap()
    }

    /// The draw in the middle of the `index`-th of `parts` equal parts of the range.
    fn part(index: u64, parts: u64) -> u64 {
        u64::MAX / parts * index + u64::MAX / parts / 2
    }

    /// How often each of four members is picked, over all pairs of draws that can differ.
    fn picks(replacement: bool, loads: [u32; 4]) -> [u32; 4] {
        let second = if replacement { 4 } else { 3 };
        let mut counts = [0; 4];
        for first in 0..4 {
            for then in 0..second {
                let mut view = Fixed { loads: loads.into(), ..Fixed::draws(&[part(first, 4), part(then, second)]) };
                counts[of(4, 2, replacement).pick(&mut view)] += 1;
            }
        }
        counts
    }

    /// Of 4 members with loads 0 to 3, the i-th wins where it is drawn and none below it. Without replacement there are 12
    /// ordered pairs, 2 × (3 − i) of them won by member i; with replacement 16, and each pair with itself adds one.
    #[test]
    fn two_choices_pick_the_less_loaded_of_their_two() {
        assert_eq!(picks(false, [0, 1, 2, 3]), [6, 4, 2, 0]);
        assert_eq!(picks(true, [0, 1, 2, 3]), [7, 5, 3, 1]);
    }

    #[test]
    fn ties_fall_to_each_alike() {
        assert_eq!(picks(false, [7; 4]), [3; 4]);
        assert_eq!(picks(true, [7; 4]), [4; 4]);
    }

    #[test]
    fn the_first_drawn_wins_a_tie() {
        for (first, then) in [(0, 2), (3, 0)] {
            let mut view = Fixed { loads: vec![7; 4], ..Fixed::draws(&[part(first, 4), part(then, 3)]) };
            assert_eq!(of(4, 2, false).pick(&mut view), first as usize);
        }
    }

    /// Members 0 and 1 are drawn first; for member 0, which is down, one of 2 and 3 comes in, which are less loaded than 1.
    #[test]
    fn for_a_member_that_is_down_another_is_drawn() {
        let picks = [0, 1].map(|instead| {
            let mut view =
                Fixed { loads: vec![0, 9, 1, 1], ..Fixed::draws(&[part(0, 4), part(0, 3), part(instead, 2)]) };
            view.down = vec![0];
            of(4, 2, false).pick(&mut view)
        });
        assert_eq!(picks, [2, 3]);
    }

    /// n balls into n bins: the fullest bin holds about log log n / log 2 + O(1) with two choices and log n / log log n
    /// with one (Azar, Broder, Karlin, Upfal 1994); at n = 10 000 that is 3 or 4 against 6 to 9.
    #[test]
    fn two_choices_keep_the_fullest_bin_low() {
        let fullest = |d| filled(10_000, d).into_iter().max().unwrap();
        assert!((6..=9).contains(&fullest(1)));
        assert!((3..=4).contains(&fullest(2)));
    }

    /// The share s_k of bins with k balls or more follows s_k' = s_{k−1}² − s_k² for as long as balls come (Mitzenmacher,
    /// SRC TN 1997-2): at the end s_1 = tanh 1 = 0.761594, and by numerical integration s_2 = 0.229505, s_3 = 0.008895. Each
    /// has a standard deviation of less than 0.001 √(s_k) here.
    #[test]
    fn balls_into_bins_follow_their_differential_equation() {
        let bins = filled(200_000, 2);
        let share = |least| bins.iter().filter(|&&balls| balls >= least).count() as f64 / bins.len() as f64;
        for (least, expected, tolerance) in [(1, 0.761_594, 0.005), (2, 0.229_505, 0.01), (3, 0.008_895_26, 0.06)] {
            let share = share(least);
            assert!((share / expected - 1.0).abs() < tolerance, "{least}: {share} for {expected}");
        }
    }

    /// How many balls each bin holds, when as many as there are bins were put into the emptiest of `d` each.
    fn filled(bins: u32, d: u32) -> Vec<u32> {
        let mut policy = of(bins, d, false);
        let mut view = Fixed { loads: vec![0; bins as usize], ..Fixed::seeded(1) };
        for _ in 0..bins {
            let bin = policy.pick(&mut view);
            view.loads[bin] += 1;
        }
        view.loads
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn draws_without_replacement_name_different_members(members in 1_u32..40, d in 1_u32..40, seed: u64) {
            let policy = of(members, d, false);
            let mut drawn = vec![0; policy.d.get() as usize];
            without_replacement(policy.members, &mut drawn, &mut Fixed::seeded(seed), |_, _| 0);
            prop_assert_eq!(drawn.len() as u32, d.min(members));
            prop_assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.last() < Some(&members));
        }

        /// Also where some are down, as long as one is not.
        #[test]
        fn as_many_choices_as_members_find_the_least_loaded(
            loads in vec((0_u32..9, any::<bool>()), 1..20), more in 0_u32..3, seed: u64
        ) {
            let mut up: Vec<_> = loads.iter().map(|&(_, is_up)| is_up).collect();
            up[seed as usize % loads.len()] = true;
            let mut view = Fixed { loads: loads.iter().map(|&(load, _)| load).collect(), ..Fixed::seeded(seed) };
            view.down = (0..up.len()).filter(|&member| !up[member]).collect();
            let members = loads.len() as u32;
            let member = of(members, members + more, false).pick(&mut view);
            let least = (0..up.len()).filter(|&member| up[member]).map(|member| loads[member].0).min();
            prop_assert_eq!(Some(loads[member].0), least);
        }
    }
}
