//! Scenario files.

pub mod diagnostic;
pub mod document;
mod nearest;
