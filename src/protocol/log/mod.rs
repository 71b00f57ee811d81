//! Topic logs.

pub mod controller;
pub mod fetch;
pub mod group;
pub mod ids;
pub mod partition;
pub mod producer;
pub mod replica;
pub mod transaction;

#[cfg(test)]
mod testing;
