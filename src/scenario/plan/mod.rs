//! From what is written to values: distributions, policies, networks.
//!
//! Whatever a value's own type refuses, and whatever could have no effect beside the rest, is a diagnostic at the place where
//! it was written.

mod distribution;
mod network;
mod policy;

pub use distribution::{sizes, times};
pub use network::network;
pub use policy::{Receiver, balance, policy};

#[cfg(test)]
mod tests;
