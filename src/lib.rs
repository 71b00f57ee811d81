//! Rehearsal plays a distributed system before it exists.

pub mod base;
pub mod scenario;
