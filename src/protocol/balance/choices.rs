//! The power of d choices: the least loaded of d members drawn at random.
//!
//! Two choices instead of one change a queue's tail from exponential to doubly exponential: in a large group at load λ, a
//! share of only λ^(2^k − 1) of the members has k requests or more. Each further choice adds little. At λ = 0.9 among 100
//! members, two different ones give a mean time of 2.645 service times, two that may be the same 2.662, one gives 10.
//!
//! Without replacement, the i-th draw counts among the members that are left. The first drawn wins a tie: as draws come in
//! random order, that is a tie at random. As many choices as members, or more, look at all of them.
//!
//! Source: Mitzenmacher, "The Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001; Vvedenskaya,
//! Dobrushin, Karpelevich, Problems of Information Transmission 32, 1996.

use std::num::NonZeroU32;

use super::{Balance, Load, Loads};
use crate::base::random::Uniform;

/// How many draws without replacement need no heap.
const INLINE: usize = 8;

/// The members' loads, and how many of them are looked at.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choices {
    members: NonZeroU32,
    d: NonZeroU32,
    replacement: bool,
    loads: Loads,
}

impl Choices {
    /// A choice among `d` of `members` by `load`, with or without replacement.
    pub fn new(members: NonZeroU32, d: NonZeroU32, load: Load, replacement: bool) -> Self {
        let d = if replacement { d } else { d.min(members) };
        Self { members, d, replacement, loads: Loads::new(members, load) }
    }

    /// The best of `d` draws, each below `members`.
    fn with_replacement(&self, mut draw: impl FnMut() -> Uniform, load: impl Fn(usize) -> u32) -> usize {
        let mut best = Best::default();
        for _ in 0..self.d.get() {
            let member = draw().below(self.members.get().into()) as usize;
            best.offer(member, self.loads.of(member, &load));
        }
        best.member
    }

    /// The best of as many different members as `drawn` has room for; `drawn` ends up holding them in ascending order.
    fn without_replacement(
        &self,
        drawn: &mut [u32],
        mut draw: impl FnMut() -> Uniform,
        load: impl Fn(usize) -> u32,
    ) -> usize {
        let mut best = Best::default();
        for count in 0..drawn.len() {
            // The draw counts the members left: step over each drawn one that stands at or before it.
            let mut member = draw().below(u64::from(self.members.get()) - count as u64) as u32;
            let mut place = 0;
            while place < count && drawn[place] <= member {
                member += 1;
                place += 1;
            }
            drawn.copy_within(place..count, place + 1);
            drawn[place] = member;
            best.offer(member as usize, self.loads.of(member as usize, &load));
        }
        best.member
    }
}

impl Balance for Choices {
    fn pick(&mut self, draw: impl FnMut() -> Uniform, load: impl Fn(usize) -> u32) -> usize {
        let d = self.d.get() as usize;
        if self.replacement {
            self.with_replacement(draw, load)
        } else if d <= INLINE {
            self.without_replacement(&mut [0; INLINE][..d], draw, load)
        } else {
            self.without_replacement(&mut vec![0; d], draw, load)
        }
    }

    fn sent(&mut self, member: usize) {
        self.loads.sent(member);
    }

    fn done(&mut self, member: usize) {
        self.loads.done(member);
    }
}

/// The least loaded member so far; the first of equals.
#[derive(Default)]
struct Best {
    member: usize,
    load: Option<u32>,
}

impl Best {
    fn offer(&mut self, member: usize, load: u32) {
        if self.load.is_none_or(|least| load < least) {
            *self = Self { member, load: Some(load) };
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::{draws, fixed};

    fn of(members: u32, d: u32, replacement: bool) -> Choices {
        Choices::new(NonZeroU32::new(members).unwrap(), NonZeroU32::new(d).unwrap(), Load::True, replacement)
    }

    /// The draw in the middle of the `index`-th of `parts` equal parts of the range.
    fn part(index: u64, parts: u64) -> Uniform {
        Uniform::from_bits(u64::MAX / parts * index + u64::MAX / parts / 2)
    }

    /// How often each of four members is picked, over all pairs of draws that can differ.
    fn picks(replacement: bool, loads: [u32; 4]) -> [u32; 4] {
        let second = if replacement { 4 } else { 3 };
        let mut counts = [0; 4];
        for first in 0..4 {
            for then in 0..second {
                let mut draws = [part(first, 4), part(then, second)].into_iter();
                counts[of(4, 2, replacement).pick(|| draws.next().unwrap(), |member| loads[member])] += 1;
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
            let mut draws = [part(first, 4), part(then, 3)].into_iter();
            assert_eq!(of(4, 2, false).pick(|| draws.next().unwrap(), |_| 7), first as usize);
        }
    }

    /// n balls into n bins: the fullest bin holds about log log n / log 2 + O(1) with two choices and log n / log log n
    /// with one (Azar, Broder, Karlin, Upfal 1994); at n = 10 000 that is 3 or 4 against 6 to 9.
    #[test]
    fn two_choices_keep_the_fullest_bin_low() {
        let fullest = |d| {
            let (mut bins, mut draw) = (vec![0; 10_000], draws(1));
            for _ in 0..bins.len() {
                let bin = of(bins.len() as u32, d, false).pick(&mut draw, |bin| bins[bin]);
                bins[bin] += 1;
            }
            bins.into_iter().max().unwrap()
        };
        assert!((6..=9).contains(&fullest(1)));
        assert!((3..=4).contains(&fullest(2)));
    }

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn draws_without_replacement_name_different_members(members in 1_u32..40, d in 1_u32..40, seed: u64) {
            let policy = of(members, d, false);
            let mut drawn = vec![0; policy.d.get() as usize];
            policy.without_replacement(&mut drawn, draws(seed), |_| 0);
            prop_assert_eq!(drawn.len() as u32, d.min(members));
            prop_assert!(drawn.is_sorted_by(|a, b| a < b) && drawn.last() < Some(&members));
        }

        #[test]
        fn as_many_choices_as_members_find_the_least_loaded(loads in vec(0_u32..9, 1..20), more in 0_u32..3, seed: u64) {
            let members = loads.len() as u32;
            let member = of(members, members + more, false).pick(draws(seed), |member| loads[member]);
            prop_assert_eq!(Some(&loads[member]), loads.iter().min());
        }
    }
}
