//! Always the same rate.

use super::Piecewise;
use super::piecewise::of_lines;
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

of_lines! {
    /// Always the same rate.
    Constant
}

impl Constant {
    /// The rate under these settings.
    pub fn new(settings: &ConstantSettings) -> Self {
        Self(Piecewise::new(settings.rate.per_sec(), &[]))
    }
}
