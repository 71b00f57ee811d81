//! Topic logs.

pub mod ids;
pub mod partition;

#[cfg(test)]
mod testing;
