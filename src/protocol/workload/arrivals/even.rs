//! Arrivals at equal distances.

use super::{Arrivals, Gaps};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// At equal distances at each node, as a timer or a load generator with a fixed rate has them; `phase` says how the nodes
    /// stand to each other. The least waiting that is possible at this rate, and so an optimistic picture of real users.
    pub struct EvenSettings = "even", "elementary; wrk2 and Vegeta send so" {
    }
}

impl Settings for EvenSettings {}

/// Arrivals at equal distances.
#[derive(Clone, PartialEq, Debug)]
pub struct Even;

impl Even {
    /// The process under these settings.
    pub fn new(_: &EvenSettings) -> Self {
        Self
    }
}

impl Arrivals for Even {
    fn gaps(&self) -> Gaps {
        Gaps::Even
    }
}
