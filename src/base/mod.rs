//! The vocabulary every layer shares: time, names, random numbers by address, probability.
//!
//! Imports nothing of ours. Whatever stands here is plain data with arithmetic; nothing knows what it is used for.

pub mod distribution;
pub mod id;
pub mod names;
pub mod probability;
pub mod random;
pub mod time;
