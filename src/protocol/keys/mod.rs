//! Keys: which of many things a request is about.
//!
//! A law turns one draw into the number of a key, from 0. Small numbers are the popular ones, wherever keys differ. What is
//! costly to make (a table) is made once and shared by all who draw.

use crate::base::random::Uniform;
use crate::protocol::family::family;

family! { $
    /// How keys are drawn: plain data.
    KeyPolicy,
    /// How keys are drawn, under any [`KeyPolicy`]; what is costly in it is shared by all copies.
    AnyKeys, KEYS, each_keys;
    uniform: UniformKeys, UniformSettings;
    zipf: Zipf, ZipfSettings;
    hot: Hot, HotSettings;
}

/// A law of keys.
pub trait Keys {
    /// How many keys there are.
    fn keys(&self) -> u64;

    /// The key that this draw stands for.
    fn key(&self, draw: Uniform) -> u64;

    /// The probability of a key.
    fn share(&self, key: u64) -> f64;
}

impl Keys for AnyKeys {
    fn keys(&self) -> u64 {
        each_keys!(self, law => law.keys())
    }

    fn key(&self, draw: Uniform) -> u64 {
        each_keys!(self, law => law.key(draw))
    }

    fn share(&self, key: u64) -> f64 {
        each_keys!(self, law => law.share(key))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::protocol::laws::{draws, fixed};

    proptest! {
        #![proptest_config(fixed())]

        #[test]
        fn every_draw_is_a_key(bits: u64) {
            for listing in KEYS {
                let law = listing.example().start();
                let key = law.key(Uniform::from_bits(bits));
                prop_assert!(key < law.keys() && law.share(key) > 0.0, "{}: {}", listing.name, key);
            }
        }

        /// By inversion: a larger draw never gives a key that is more popular.
        #[test]
        fn popular_keys_come_first(one: u64, other: u64) {
            for listing in KEYS {
                let law = listing.example().start();
                let keys = [one.min(other), one.max(other)].map(|bits| law.key(Uniform::from_bits(bits)));
                prop_assert!(keys[0] <= keys[1], "{}", listing.name);
            }
        }
    }

    #[test]
    fn the_ends_of_the_draws_are_the_first_and_the_last_key() {
        for listing in KEYS {
            let law = listing.example().start();
            let ends = [0, u64::MAX].map(|bits| law.key(Uniform::from_bits(bits)));
            assert_eq!(ends, [0, law.keys() - 1], "{}", listing.name);
        }
    }

    #[test]
    fn shares_add_up_to_one() {
        for listing in KEYS {
            let law = listing.example().start();
            let total: f64 = (0..law.keys()).map(|key| law.share(key)).sum();
            assert!((total - 1.0).abs() < 1e-9, "{}: {total}", listing.name);
        }
    }

    /// The hundred most popular keys, and all others together, each within five standard deviations of its binomial count.
    #[test]
    fn keys_are_as_frequent_as_they_should_be() {
        const DRAWS: u32 = 400_000;
        for listing in KEYS {
            let (law, mut draw) = (listing.example().start(), draws(1));
            let mut counts = [0_u32; 101];
            for _ in 0..DRAWS {
                counts[law.key(draw()).min(100) as usize] += 1;
            }
            let first: Vec<_> = (0..100).map(|key| law.share(key)).collect();
            let rest = 1.0 - first.iter().sum::<f64>();
            for (key, share) in first.into_iter().chain([rest]).enumerate() {
                let expected = f64::from(DRAWS) * share;
                let bound = 5.0 * libm::sqrt(expected * (1.0 - share)) + 1.0;
                let found = f64::from(counts[key]);
                assert!((found - expected).abs() <= bound, "{}: key {key} {found} for {expected}", listing.name);
            }
        }
    }
}
