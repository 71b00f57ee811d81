//! Laws that hold in any scenario, whatever its numbers: over random small systems and seeds.

#[path = "../common/mod.rs"]
mod common;
mod kinds;
mod system;
mod witness;

mod attribution;
mod brokers;
mod delivery;
mod depth;
mod determinism;
mod disciplines;
mod health;
mod pairing;
mod patterns;
mod policies;
mod stories;
mod topics;
mod topology;

use proptest::test_runner::{Config, RngSeed};

/// So many cases, the same on every run: a law that fails today failed yesterday.
fn cases(cases: u32) -> Config {
    Config { cases, failure_persistence: None, rng_seed: RngSeed::Fixed(0x7265_6865), ..Config::default() }
}
