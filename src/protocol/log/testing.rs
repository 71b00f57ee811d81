//! What the tests of all parts share.

use proptest::test_runner::{Config, RngSeed};

use super::ids::{Offset, ProducerEpoch, ProducerId, Sequence};
use super::partition::{Acks, NewBatch, Record, Stamp};
use crate::base::time::{Time, ms};
use crate::base::units::bytes;

/// Cases that are the same on every run.
pub fn fixed() -> Config {
    Config { failure_persistence: None, rng_seed: RngSeed::Fixed(0x6c6f_6773), ..Config::default() }
}

/// A generator for tests: Knuth's constants of MMIX, the high bits mixed down.
#[derive(Clone, Debug)]
pub struct Lcg(pub u64);

impl Lcg {
    /// The next 64 bits.
    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        let mixed = (self.0 ^ (self.0 >> 32)).wrapping_mul(0xd6e8_feb8_6659_fd93);
        mixed ^ (mixed >> 32)
    }

    /// A number below this one.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.bits() % bound
    }

    /// Above zero and below one.
    pub fn open01(&mut self) -> f64 {
        ((self.bits() >> 12) as f64 + 0.5) / (1_u64 << 52) as f64
    }
}

/// The `n`-th millisecond.
pub fn at(millis: u64) -> Time {
    Time::ZERO + ms(millis)
}

/// Offset `n`.
pub const fn o(offset: u64) -> Offset {
    Offset(offset)
}

/// A record of 100 bytes.
pub fn record(key: Option<u64>, value: u32) -> Record<u32> {
    Record { key, value, size: bytes(100), timestamp: Time::ZERO, is_tombstone: false }
}

/// A batch of records without keys.
pub fn batch(values: impl IntoIterator<Item = u32>) -> NewBatch<u32> {
    NewBatch::new(values.into_iter().map(|value| record(None, value)).collect(), Acks::All)
}

/// The same from an idempotent producer.
pub fn stamped(producer: u64, epoch: u16, sequence: u32, values: impl IntoIterator<Item = u32>) -> NewBatch<u32> {
    let stamp = Stamp { producer: ProducerId(producer), epoch: ProducerEpoch(epoch), sequence: Sequence(sequence) };
    NewBatch { stamp: Some(stamp), ..batch(values) }
}

/// The same within a transaction.
pub fn in_transaction(
    producer: u64,
    epoch: u16,
    sequence: u32,
    values: impl IntoIterator<Item = u32>,
) -> NewBatch<u32> {
    NewBatch { is_transactional: true, ..stamped(producer, epoch, sequence, values) }
}
