//! x
mod confirm;
mod dead_letter;
mod error;
mod exchange;
mod flow;
mod id;
mod queue;
mod quorum;
mod routing;
mod unsettled;
pub use confirm::*;
pub use flow::*;
pub use quorum::*;
pub use dead_letter::*;
pub use error::*;
pub use exchange::*;
pub use id::*;
pub use queue::*;
pub use routing::*;
#[cfg(test)]
mod laws {
    use proptest::test_runner::{Config, RngSeed};
    pub fn fixed() -> Config {
        Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0x7265_6865), ..Config::default() }
    }
}
