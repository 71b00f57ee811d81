//! A few popular keys and a long tail.
//!
//! Key k of n is drawn with a probability in proportion to 1 / (k + 1)^s. A table of sums is searched by halves: exact for any
//! exponent, at 8 bytes for each key.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::Keys;
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::settings;

/// The most keys: a table of 8 MB.
const KEYS_MAX: u32 = 1_000_000;

settings! {
    /// By Zipf's law: the second key is drawn about half as often as the first, the third a third as often. What caches, shards
    /// and hashing meet in practice: with a thousand keys, the first alone gets an eighth of all requests.
    pub struct ZipfSettings = "zipf", "Zipf 1949; YCSB (Cooper et al., SoCC 2010), whose constant is 0.99" {
        /// How many keys there are, at most 1000000.
        keys: NonZeroU32, alone = NonZeroU32::new(1000).unwrap(),
        /// How fast popularity falls: 0.99 in YCSB 0.17.
        exponent: f64 = 0.99,
    }
}

impl Settings for ZipfSettings {
    fn check(&self) -> Result<(), String> {
        match (self.keys.get() > KEYS_MAX, self.exponent > 20.0) {
            (true, _) => Err(format!("has at most {KEYS_MAX} keys")),
            (_, true) => Err("takes an `exponent` of at most 20".into()),
            _ => Ok(()),
        }
    }
}

/// Sums of the weights of all keys up to each.
#[derive(Clone, PartialEq, Debug)]
pub struct Zipf {
    sums: Arc<[f64]>,
}

impl Zipf {
    /// The law under these settings.
    pub fn new(settings: &ZipfSettings) -> Self {
        let mut total = 0.0;
        let sums = (1..=settings.keys.get()).map(|rank| {
            total += libm::pow(f64::from(rank), -settings.exponent);
            total
        });
        Self { sums: sums.collect() }
    }

    fn total(&self) -> f64 {
        self.sums[self.sums.len() - 1]
    }
}

impl Keys for Zipf {
    fn keys(&self) -> u64 {
        self.sums.len() as u64
    }

    fn key(&self, draw: Uniform) -> u64 {
        let wanted = draw.open01() * self.total();
        // Rounding may reach the total itself.
        self.sums.partition_point(|sum| *sum <= wanted).min(self.sums.len() - 1) as u64
    }

    fn share(&self, key: u64) -> f64 {
        let sum = |key: u64| self.sums.get(key as usize).copied();
        let Some(until) = sum(key) else { return 0.0 };
        (until - key.checked_sub(1).and_then(sum).unwrap_or(0.0)) / self.total()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// With exponent 1 and three keys: 6/11, 3/11, 2/11.
    #[test]
    fn weights_fall_with_the_rank() {
        let law = Zipf::new(&ZipfSettings { keys: NonZeroU32::new(3).unwrap(), exponent: 1.0 });
        for (key, share) in [6.0, 3.0, 2.0].into_iter().enumerate() {
            assert!((law.share(key as u64) - share / 11.0).abs() < 1e-12);
        }
    }

    /// The sum of k^-0.99 over a thousand ranks is 7.7289: the first key gets 12.9 %.
    #[test]
    fn the_first_of_a_thousand_gets_an_eighth() {
        assert!((Zipf::new(&ZipfSettings::default()).share(0) - 0.129_38).abs() < 5e-4);
    }

    #[test]
    fn a_table_has_an_end() {
        let settings = ZipfSettings { keys: NonZeroU32::new(1_000_001).unwrap(), ..ZipfSettings::default() };
        assert_eq!(settings.check(), Err("has at most 1000000 keys".into()));
    }
}
