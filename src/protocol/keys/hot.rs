//! A few hot keys.

use std::num::NonZeroU32;

use super::Keys;
use crate::base::probability::{Probability, percent};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// A share of the requests goes to a few hot keys, the rest to all others, within each part alike. The plainest model of
    /// a celebrity or a sale: it shows when one node, one shard or one lock becomes the limit of all.
    pub struct HotSettings = "hot", "as in YCSB 0.17: requestdistribution=hotspot" {
        /// How many keys there are.
        keys: NonZeroU32 = NonZeroU32::new(1000).unwrap(),
        /// How many of them are hot.
        hot_keys: NonZeroU32 = NonZeroU32::MIN,
        /// How much goes to the hot keys.
        share: Probability, required = percent(50.0),
    }
}

impl Settings for HotSettings {
    fn check(&self) -> Result<(), String> {
        if self.hot_keys >= self.keys { Err("needs more `keys` than `hot-keys`".into()) } else { Ok(()) }
    }
}

/// A few keys with a share of their own.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Hot {
    hot: u64,
    keys: u64,
    share: f64,
}

impl Hot {
    /// The law under these settings.
    pub fn new(settings: &HotSettings) -> Self {
        let [hot, keys] = [settings.hot_keys, settings.keys].map(|count| u64::from(count.get()));
        Self { hot, keys, share: settings.share.value() }
    }
}

impl Keys for Hot {
    fn keys(&self) -> u64 {
        self.keys
    }

    fn key(&self, draw: Uniform) -> u64 {
        let draw = draw.open01();
        let (first, keys, part) = if draw < self.share {
            (0, self.hot, draw / self.share)
        } else {
            (self.hot, self.keys - self.hot, (draw - self.share) / (1.0 - self.share))
        };
        first + ((part * keys as f64) as u64).min(keys - 1)
    }

    fn share(&self, key: u64) -> f64 {
        if key < self.hot {
            self.share / self.hot as f64
        } else if key < self.keys {
            (1.0 - self.share) / (self.keys - self.hot) as f64
        } else {
            0.0
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_key_may_take_half_of_all() {
        let law = Hot::new(&HotSettings::default());
        assert_eq!((law.share(0), law.share(1)), (0.5, 0.5 / 999.0));
    }

    #[test]
    fn some_keys_stay_cold() {
        let settings = HotSettings { hot_keys: NonZeroU32::new(1000).unwrap(), ..HotSettings::default() };
        assert_eq!(settings.check(), Err("needs more `keys` than `hot-keys`".into()));
    }
}
