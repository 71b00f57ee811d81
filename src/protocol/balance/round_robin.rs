//! Round robin: one member after the other.
//!
//! Every caller goes round on its own. It starts at a member drawn at random, as gRPC's `round_robin` does: callers that
//! all started at the first member would send their first requests there together.
//!
//! Of one caller's Poisson stream each of n members gets every n-th request, with Erlang-n times in between (Kleinrock,
//! Queueing Systems I, 1975, ch. 6).

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, View};
use crate::base::random::Uniform;
use crate::base::settings::Settings;

crate::settings! {
    /// One member after the other, each caller from a start of its own. It takes no account of how long requests last or how
    /// fast members are, and costs nothing. A member that is down loses its turn to the next that is up.
    pub struct RoundRobinSettings = "round-robin", "elementary; the random start as in gRPC's round_robin" {}
}

impl Settings for RoundRobinSettings {}

impl Balancer for RoundRobinSettings {
    type Caller = RoundRobin;

    fn caller(&self, members: NonZeroU32) -> Result<RoundRobin, BalanceError> {
        Ok(RoundRobin { members, next: 0 })
    }
}

/// The member whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct RoundRobin {
    members: NonZeroU32,
    next: u32,
}

impl RoundRobin {
    #[inline]
    fn turn(&mut self) -> usize {
        let member = self.next;
        self.next = if member + 1 == self.members.get() { 0 } else { member + 1 };
        member as usize
    }

    /// The first turn of a member that is up, at most once round.
    #[cold]
    #[inline(never)]
    fn up(&mut self, view: &impl View) -> usize {
        let mut member = self.turn();
        for _ in 1..self.members.get() {
            if view.is_up(member) {
                break;
            }
            member = self.turn();
        }
        member
    }
}

impl Balance for RoundRobin {
    #[inline]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let member = self.turn();
        if view.is_up(member) { member } else { self.up(view) }
    }

    fn fresh(&self, draw: Uniform) -> Self {
        Self { next: draw.below(self.members.get().into()) as u32, ..*self }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    /// 2^63 is the middle of the range: 5 / 2 rounds down to member 2.
    fn of_five() -> RoundRobin {
        let five = NonZeroU32::new(5).unwrap();
        RoundRobinSettings {}.caller(five).unwrap().fresh(Uniform::from_bits(1 << 63))
    }

    #[test]
    fn every_member_has_its_turn_from_the_drawn_start_on() {
        let (mut policy, mut view) = (of_five(), Fixed::draws(&[]));
        let turns: Vec<_> = (0..7).map(|_| policy.pick(&mut view)).collect();
        assert_eq!(turns, [2, 3, 4, 0, 1, 2, 3]);
    }

    #[test]
    fn the_turn_of_a_member_that_is_down_goes_to_the_next_that_is_up() {
        let (mut policy, mut view) = (of_five(), Fixed::draws(&[]));
        view.down = vec![3, 4];
        let turns: Vec<_> = (0..6).map(|_| policy.pick(&mut view)).collect();
        assert_eq!(turns, [2, 0, 1, 2, 0, 1]);
    }
}
