//! Arrivals without memory.

use super::Arrivals;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Independent of each other: how long ago the last arrival was says nothing about the next. Right for many users who know
    /// nothing of each other; counts have the variance of their mean.
    pub struct PoissonSettings = "poisson", "Kingman, Poisson Processes, 1993" {
    }
}

impl Settings for PoissonSettings {}

/// Arrivals without memory.
#[derive(Clone, PartialEq, Debug)]
pub struct Poisson;

impl Poisson {
    /// The process under these settings.
    pub fn new(_: &PoissonSettings) -> Self {
        Self
    }
}

impl Arrivals for Poisson {}
