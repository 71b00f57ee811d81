//! Always the same rate.

use std::sync::Arc;

use super::{Piecewise, Profile, Shape};
use crate::base::settings::Settings;
use crate::base::units::{Rate, rate_per_sec};
use crate::settings;

settings! {
    /// Always the same rate. What queues and limits are sized for, and what theory speaks of; real load has peaks, for which
    /// there are the other rates.
    pub struct ConstantSettings = "constant", "elementary" {
        /// How many requests.
        rate: Rate, alone = rate_per_sec(100),
    }
}

impl Settings for ConstantSettings {}

impl Shape for ConstantSettings {
    fn profile(&self) -> Arc<dyn Profile> {
        Arc::new(Piecewise::new(self.rate.per_sec(), &[]))
    }

    fn constant(&self) -> Option<f64> {
        Some(self.rate.per_sec())
    }
}
