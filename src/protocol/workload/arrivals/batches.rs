//! Several requests at one instant.

use std::num::NonZeroU32;

use super::{Arrivals, Batch};
use crate::base::settings::Settings;
use crate::{settings, words};

words! {
    /// How the sizes of batches vary.
    pub enum BatchLaw {
        /// All have the same size.
        Constant = "constant",
        /// Sizes from one up, each further request with the same probability.
        Geometric = "geometric",
    }
}

settings! {
    /// Poisson arrivals of several requests at one instant and one node: a page with all its pictures, a job that lists its
    /// files. The group's `rate` counts requests, so that batches come as much more rarely as they are large. Those behind the
    /// first wait for those before them, even where nobody else is.
    pub struct BatchesSettings = "batches", "Gross, Harris, Fundamentals of Queueing Theory (3rd ed. 1998), ch. 3.1: bulk input" {
        /// How many requests come at once, in the mean.
        size: NonZeroU32, alone = NonZeroU32::new(10).unwrap(),
        /// How that varies.
        sizes: BatchLaw = BatchLaw::Constant,
    }
}

impl Settings for BatchesSettings {}

/// Arrivals of several at once.
#[derive(Clone, PartialEq, Debug)]
pub struct Batches {
    batch: Batch,
}

impl Batches {
    /// The process under these settings.
    pub fn new(settings: &BatchesSettings) -> Self {
        Self { batch: Batch { law: settings.sizes, mean: f64::from(settings.size.get()) } }
    }
}

impl Arrivals for Batches {
    fn batch(&self) -> Option<Batch> {
        Some(self.batch)
    }
}
