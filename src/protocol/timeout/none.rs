//! No timeout.

use std::num::NonZeroU32;

use super::Timeout;
use crate::base::settings::Settings;
use crate::base::time::Span;
use crate::settings;

settings! {
    /// As long as it takes. What is lost is then waited for in vain.
    pub struct NeverSettings = "none", "elementary" {}
}

impl Settings for NeverSettings {}

/// For ever.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Never;

impl Never {
    /// For ever.
    pub fn new(_: &NeverSettings) -> Self {
        Self
    }
}

impl Timeout for Never {
    const IS_ADAPTIVE: bool = false;

    fn timeout(&self, _: NonZeroU32) -> Option<Span> {
        None
    }
}
