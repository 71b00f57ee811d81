//! A limit that does not change.

use std::num::NonZeroU32;

use super::{Concurrency, Sample};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Always so many. A bulkhead: one slow group cannot take up all that its callers have. The right number has to be known, and
    /// changes with latency.
    pub struct FixedSettings = "fixed", "Nygard, Release It!, 2007 (bulkheads)" {
        /// How many may be in flight.
        limit: NonZeroU32, alone = NonZeroU32::MIN.saturating_add(19),
    }
}

impl Settings for FixedSettings {}

/// The limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Fixed(NonZeroU32);

impl Fixed {
    /// So many.
    pub fn new(settings: &FixedSettings) -> Self {
        Self(settings.limit)
    }
}

impl Concurrency for Fixed {
    fn limit(&self) -> u32 {
        self.0.get()
    }

    fn sampled(&mut self, _: Sample) {}
}
