//! Rehearsal plays a distributed system before it exists.

pub mod base;
pub mod engine;
pub mod experiment;
pub mod metrics;
pub mod model;
pub mod network;
pub mod process;
pub mod protocol;
pub mod report;
pub mod scenario;
pub mod sim;
