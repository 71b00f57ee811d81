//! Round robin: one member after the other.
//!
//! Every caller goes round on its own. It starts at a member drawn at random, as gRPC's `round_robin` does: callers that
//! all started at the first member would send their first requests there together.
//!
//! Of one caller's Poisson stream each of n members gets every n-th request, with Erlang-n times in between (Kleinrock,
//! Queueing Systems I, 1975, ch. 6).

use std::num::NonZeroU32;

use super::Balance;
use crate::base::random::Uniform;

/// The member whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoundRobin {
    members: NonZeroU32,
    next: u32,
}

impl RoundRobin {
    /// A round through `members`, its start decided by `draw`.
    pub fn new(members: NonZeroU32, draw: Uniform) -> Self {
        Self { members, next: draw.below(members.get().into()) as u32 }
    }
}

impl Balance for RoundRobin {
    #[inline]
    fn pick(&mut self, _: impl FnMut() -> Uniform, _: impl Fn(usize) -> u32) -> usize {
        let member = self.next;
        self.next = if member + 1 == self.members.get() { 0 } else { member + 1 };
        member as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_member_has_its_turn_from_the_drawn_start_on() {
        // 2^63 is the middle of the range: 5 / 2 rounds down to member 2.
        let mut policy = RoundRobin::new(NonZeroU32::new(5).unwrap(), Uniform::from_bits(1 << 63));
        let turns: Vec<_> = (0..7).map(|_| policy.pick(|| unreachable!(), |_| 0)).collect();
        assert_eq!(turns, [2, 3, 4, 0, 1, 2, 3]);
    }
}
