//! The vocabulary every layer shares: time, quantities with units, names, random numbers by address, probability, and the
//! distributions durations are drawn from.
//!
//! Imports nothing of ours. Whatever stands here is plain data with arithmetic; nothing knows what it is used for.

pub mod cause;
pub mod distribution;
pub mod id;
pub mod names;
pub mod probability;
pub mod processor;
pub mod random;
pub mod settings;
pub mod special;
pub mod time;
pub mod units;
