//! Random: any member, each as likely as the others.
//!
//! A Poisson stream split at random stays Poisson on every branch, so each member is a queue of its own: the baseline that
//! every other balancer is measured against (Kleinrock, Queueing Systems I, 1975).

use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, View, any_up};
use crate::base::settings::Settings;

crate::settings! {
    /// Any member, each as likely as the others. It needs no memory and works alike for any number of callers, but leaves it
    /// to chance that a few requests in a row meet at one member: the baseline that others are measured against.
    pub struct RandomSettings = "random", "elementary" {}
}

impl Settings for RandomSettings {}

impl Balancer for RandomSettings {
    type Caller = Random;

    fn caller(&self, members: NonZeroU32) -> Result<Random, BalanceError> {
        Ok(Random { members })
    }
}

/// A uniform choice; keeps nothing but the number of members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Random {
    members: NonZeroU32,
}

impl Balance for Random {
    #[inline]
    fn pick(&mut self, view: &mut impl View) -> usize {
        any_up(self.members, view)
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn of_four() -> Random {
        RandomSettings {}.caller(NonZeroU32::new(4).unwrap()).unwrap()
    }

    #[test]
    fn the_draw_alone_decides() {
        let picks = [0, 1 << 62, 1 << 63, u64::MAX].map(|bits| of_four().pick(&mut Fixed::draws(&[bits])));
        assert_eq!(picks, [0, 1, 2, 3]);
    }

    /// The first draw names member 2, which is down; the second one is of members 0, 1 and 3.
    #[test]
    fn where_the_drawn_member_is_down_another_is_drawn_among_those_that_are_up() {
        let picks = [0, 1 << 63, u64::MAX].map(|bits| {
            let mut view = Fixed::draws(&[1 << 63, bits]);
            view.down = vec![2];
            of_four().pick(&mut view)
        });
        assert_eq!(picks, [0, 1, 3]);
    }
}
