//! Building blocks of protocols: values that turn inputs into answers.
//!
//! A block is handed what it needs (`now`, a draw, a buffer) and never fetches it: it knows no clock, no network, no
//! generator, and cannot know that it is simulated. Roles are composed of blocks; a test calls a block directly.
//!
//! Every family of policies keeps a registry beside its trait or enum: one [`Entry`] per scenario spelling. What lists,
//! documents or tests a family walks its registry. Newer families are declared by a list with one line per policy (`family`), and
//! their registries hold a [`Listing`](crate::base::settings::Listing) of each.

pub mod amqp;
pub mod balance;
pub mod breaker;
pub mod concurrency;
pub mod delivery;
mod family;
pub mod health;
pub mod hedge;
pub mod keys;
pub mod log;
pub mod quantile;
pub mod queue;
pub mod rate_limit;
pub mod retry;
pub mod retry_budget;
pub mod sharing;
pub mod shed;
mod slices;
pub mod throttle;
pub mod timeout;
pub mod workload;

/// One line of a family's registry.
#[derive(Clone, Copy, Debug)]
pub struct Entry<E> {
    /// The scenario spelling, in kebab-case.
    pub name: &'static str,
    /// What it does, in a sentence or two.
    pub summary: &'static str,
    /// Who described it first or best.
    pub source: &'static str,
    /// A policy of this kind, for listings and for the laws that all of a family keep.
    pub example: E,
}

#[cfg(test)]
mod laws {
    //! What the tests of all families share.

    use proptest::test_runner::{Config, RngSeed};

    use super::*;
    use crate::base::id::Entity;
    use crate::base::random::{Seed, Uniform};

    /// Cases that are the same on every run: a law that fails today failed yesterday.
    pub fn fixed() -> Config {
        Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0x7265_6865), ..Config::default() }
    }

    /// An endless supply of draws.
    pub fn draws(seed: u64) -> impl FnMut() -> Uniform {
        let mut stream = Seed(seed).key("laws").stream(Entity::default(), 0);
        move || stream.draw()
    }

    /// A registry's names are kebab-case and unique, and nothing is left unexplained.
    pub fn well_kept<E>(registry: &[Entry<E>]) {
        for (index, entry) in registry.iter().enumerate() {
            assert!(entry.name.starts_with(|c: char| c.is_ascii_lowercase()), "{}", entry.name);
            assert!(entry.name.chars().all(|c| c.is_ascii_lowercase() || c == '-'), "{}", entry.name);
            assert!(registry[..index].iter().all(|other| other.name != entry.name), "{} twice", entry.name);
            assert!(entry.summary.ends_with('.') && !entry.source.is_empty(), "{}", entry.name);
        }
    }

    #[test]
    fn every_registry_is_well_kept() {
        well_kept(retry::SCHEDULES);
        well_kept(retry::JITTERS);
        well_kept(retry::FAILURES);
        well_kept(retry::MEMBERS);
        family::well_kept(balance::BALANCERS);
        well_kept(balance::LOADS);
        well_kept(delivery::DEDUP_WINDOWS);
        well_kept(delivery::FORGOTTEN);
    }
}
