//! One for each attempt.

use std::num::NonZeroU32;

use super::Timeout;
use crate::base::settings::Settings;
use crate::base::time::{Span, secs};
use crate::settings;

settings! {
    /// A time for each attempt, the last one for all further.
    pub struct ListSettings = "list", "elementary" {
        /// The times.
        spans: Vec<Span>, alone = vec![secs(1), secs(2)],
    }
}

impl Settings for ListSettings {}

/// The times.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct List(Box<[Span]>);

impl List {
    /// These times.
    pub fn new(settings: &ListSettings) -> Self {
        Self(settings.spans.clone().into())
    }
}

impl Timeout for List {
    const IS_ADAPTIVE: bool = false;

    fn timeout(&self, attempt: NonZeroU32) -> Option<Span> {
        self.0.get(attempt.get() as usize - 1).or(self.0.last()).copied()
    }
}
