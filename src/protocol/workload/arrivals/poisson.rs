//! Arrivals without memory.

use super::Shape;
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Independent of each other: how long ago the last arrival was says nothing about the next. Right for many users who know
    /// nothing of each other; counts have the variance of their mean.
    pub struct PoissonSettings = "poisson", "Kingman, Poisson Processes, 1993" {
    }
}

impl Settings for PoissonSettings {}

impl Shape for PoissonSettings {}
