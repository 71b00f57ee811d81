//! The fingerprint of a run.
//!
//! Every node has a chain over what happened to it, in order; a run's digest folds the chains together with the nodes'
//! names. Widths and constants are fixed here, so a digest is the same on every machine.

use crate::base::random::mix;

/// One node's chain.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Chain(u64);

impl Chain {
    /// Links an event: its time, its place in the order (origin and count), its contents.
    #[inline(always)]
    pub fn link(&mut self, time: u64, origin: u64, count: u64, contents: u64) {
        let event = time.wrapping_mul(0x9e37_79b9_7f4a_7c15)
            ^ (origin ^ count.rotate_left(40)).wrapping_mul(0xc2b2_ae3d_27d4_eb4f)
            ^ contents.wrapping_mul(0x1656_67b1_9e37_79f9);
        self.0 = (self.0.rotate_left(29) ^ event ^ event >> 32).wrapping_mul(0xff51_afd7_ed55_8ccd);
    }
}

/// A fold of chains by name: a sum of mixes, so that it is the fold in order of names whatever order they come in.
#[derive(Clone, Copy, PartialEq, Eq, Default)]
pub struct Digest(u64);

impl Digest {
    /// Takes in the chain of the node called `name`.
    pub fn fold(&mut self, name: u64, chain: Chain) {
        self.0 = self.0.wrapping_add(mix(mix(name ^ 0x5851_f42d_4c95_7f2d) ^ chain.0));
    }

    /// The digest as a number.
    pub const fn bits(self) -> u64 {
        self.0
    }
}

impl std::fmt::Display for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl std::fmt::Debug for Digest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{self}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_part_of_an_event_counts_and_so_does_their_order() {
        let chain = |events: &[[u64; 4]]| {
            let mut chain = Chain::default();
            events.iter().for_each(|&[time, origin, count, contents]| chain.link(time, origin, count, contents));
            chain
        };
        let base = chain(&[[1, 2, 3, 4], [5, 6, 7, 8]]);
        assert_ne!(base, chain(&[[5, 6, 7, 8], [1, 2, 3, 4]]));
        for part in 0..4 {
            let mut event = [1, 2, 3, 4];
            event[part] += 1;
            assert_ne!(base, chain(&[event, [5, 6, 7, 8]]), "part {part}");
        }
    }

    #[test]
    fn a_digest_knows_whose_chain_is_whose() {
        let mut chain = Chain::default();
        chain.link(1, 2, 3, 4);
        let (mut one, mut other) = (Digest::default(), Digest::default());
        one.fold(10, chain);
        one.fold(11, Chain::default());
        other.fold(11, chain);
        other.fold(10, Chain::default());
        assert_ne!(one, other);
    }
}
