//! All keys alike.

use std::num::NonZeroU32;

use super::Keys;
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Every key is as likely as the others. The mildest case for whatever is divided by key: no node gets more than its share.
    pub struct UniformSettings = "uniform", "as in YCSB 0.17: requestdistribution=uniform" {
        /// How many keys there are.
        keys: NonZeroU32, alone = NonZeroU32::new(1000).unwrap(),
    }
}

impl Settings for UniformSettings {}

/// All keys alike.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct UniformKeys(u64);

impl UniformKeys {
    /// The law under these settings.
    pub fn new(settings: &UniformSettings) -> Self {
        Self(u64::from(settings.keys.get()))
    }
}

impl Keys for UniformKeys {
    fn keys(&self) -> u64 {
        self.0
    }

    fn key(&self, draw: Uniform) -> u64 {
        draw.below(self.0)
    }

    fn share(&self, key: u64) -> f64 {
        if key < self.0 { 1.0 / self.0 as f64 } else { 0.0 }
    }
}
