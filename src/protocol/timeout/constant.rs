//! The same for every attempt.

use std::num::NonZeroU32;

use super::Timeout;
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// The same for every attempt.
    pub struct ConstantSettings = "constant", "elementary" {
        /// How long.
        span: Span, alone = secs(1),
    }
}

impl Settings for ConstantSettings {}

/// So long.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Constant(Span);

impl Constant {
    /// So long.
    pub fn new(settings: &ConstantSettings) -> Self {
        Self(settings.span)
    }
}

impl Timeout for Constant {
    const IS_ADAPTIVE: bool = false;

    fn timeout(&self, _: NonZeroU32) -> Option<Span> {
        Some(self.0)
    }
}
