//! Keys: which of many things a request is about.
//!
//! A law turns one draw into the number of a key, from 0. Small numbers are the popular ones, wherever keys differ. What is
//! costly to make (a table) is made once and shared by all who draw.

mod hot;
mod uniform;
mod zipf;

use std::fmt;
use std::sync::Arc;

use crate::base::random::Uniform;
use crate::base::settings::Listing;

pub use hot::HotSettings;
pub use uniform::UniformSettings;
pub use zipf::ZipfSettings;

/// A law of keys.
pub trait KeyLaw: fmt::Debug + Send + Sync {
    /// How many keys there are.
    fn keys(&self) -> u64;

    /// The key that this draw stands for.
    fn key(&self, draw: Uniform) -> u64;

    /// The probability of a key.
    fn share(&self, key: u64) -> f64;
}

/// What the settings of every law answer.
trait Shape {
    fn law(&self) -> Arc<dyn KeyLaw>;
}

/// The laws, each under its settings: one line for each.
macro_rules! laws {
    ($($variant:ident($settings:ty)),* $(,)?) => {
        /// How keys are drawn: plain data.
        #[derive(Clone, PartialEq, Debug)]
        pub enum KeyPolicy {
            $(#[doc = concat!("See [`", stringify!($settings), "`].")] $variant($settings),)*
        }

        $(impl From<$settings> for KeyPolicy {
            fn from(settings: $settings) -> Self {
                Self::$variant(settings)
            }
        })*

        impl KeyPolicy {
            fn shape(&self) -> &dyn Shape {
                match self {
                    $(Self::$variant(settings) => settings,)*
                }
            }
        }

        /// Laws of keys by their scenario names.
        pub const KEYS: &[Listing<KeyPolicy>] = &[$(Listing::of::<$settings>()),*];
    };
}

laws! {
    Uniform(UniformSettings),
    Zipf(ZipfSettings),
    Hot(HotSettings),
}

impl KeyPolicy {
    /// The law, made: to be shared by all who draw from it.
    pub fn law(&self) -> Arc<dyn KeyLaw> {
        self.shape().law()
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
                let law = listing.example().law();
                let key = law.key(Uniform::from_bits(bits));
                prop_assert!(key < law.keys() && law.share(key) > 0.0, "{}: {}", listing.name, key);
            }
        }

        /// By inversion: a larger draw never gives a key that is more popular.
        #[test]
        fn popular_keys_come_first(one: u64, other: u64) {
            for listing in KEYS {
                let law = listing.example().law();
                let keys = [one.min(other), one.max(other)].map(|bits| law.key(Uniform::from_bits(bits)));
                prop_assert!(keys[0] <= keys[1], "{}", listing.name);
            }
        }
    }

    #[test]
    fn the_ends_of_the_draws_are_the_first_and_the_last_key() {
        for listing in KEYS {
            let law = listing.example().law();
            let ends = [0, u64::MAX].map(|bits| law.key(Uniform::from_bits(bits)));
            assert_eq!(ends, [0, law.keys() - 1], "{}", listing.name);
        }
    }

    #[test]
    fn shares_add_up_to_one() {
        for listing in KEYS {
            let law = listing.example().law();
            let total: f64 = (0..law.keys()).map(|key| law.share(key)).sum();
            assert!((total - 1.0).abs() < 1e-9, "{}: {total}", listing.name);
        }
    }

    /// The hundred most popular keys, and all others together, each within five standard deviations of its binomial count.
    #[test]
    fn keys_are_as_frequent_as_they_should_be() {
        const DRAWS: u32 = 400_000;
        for listing in KEYS {
            let (law, mut draw) = (listing.example().law(), draws(1));
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
