//! Random: any member, each as likely as the others.
//!
//! A Poisson stream split at random stays Poisson on every branch, so each member is a queue of its own: the baseline that
//! every other balancer is measured against (Kleinrock, Queueing Systems I, 1975).

use std::num::NonZeroU32;

use super::Balance;
use crate::base::random::Uniform;

/// A uniform choice; keeps nothing but the number of members.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Random {
    members: NonZeroU32,
}

impl Random {
    /// A choice among `members`.
    pub fn new(members: NonZeroU32) -> Self {
        Self { members }
    }
}

impl Balance for Random {
    #[inline]
    fn pick(&mut self, mut draw: impl FnMut() -> Uniform, _: impl Fn(usize) -> u32) -> usize {
        draw().below(self.members.get().into()) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_draw_alone_decides() {
        let mut policy = Random::new(NonZeroU32::new(4).unwrap());
        let picks = [0, 1 << 62, 1 << 63, u64::MAX].map(|bits| policy.pick(|| Uniform::from_bits(bits), |_| 0));
        assert_eq!(picks, [0, 1, 2, 3]);
    }
}
