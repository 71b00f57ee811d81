//! A limit that does not change.

use std::num::NonZeroU32;

use super::{Concurrency, Sample};
use crate::base::settings::Settings;
use crate::settings;

settings! {
    /// Always so many. A bulkhead: one slow group cannot take up all that its callers have. The right number has to be known, and
    /// changes with latency.
    pub struct BulkheadSettings = "bulkhead", "Nygard, Release It!, 2007; resilience4j 2.2, BulkheadConfig" {
        /// How many may be in flight (resilience4j: 25).
        max_concurrent_calls: NonZeroU32 = NonZeroU32::MIN.saturating_add(24),
    }
}

impl Settings for BulkheadSettings {}

/// The limit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Bulkhead(NonZeroU32);

impl Bulkhead {
    /// So many.
    pub fn new(settings: &BulkheadSettings) -> Self {
        Self(settings.max_concurrent_calls)
    }
}

impl Concurrency for Bulkhead {
    fn limit(&self) -> u32 {
        self.0.get()
    }

    fn sampled(&mut self, _: Sample) {}
}
