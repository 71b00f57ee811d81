//! Sticky: one partition until it has got a batch, then any other.

use super::{Partitioner, Partitions};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::units::{Bytes, kib};
use crate::settings;

settings! {
    /// Records go to one partition until that has got as much as a batch holds, then to one drawn at random, whatever their keys.
    /// Batches fill sooner, so there are fewer and larger requests. For a moment one partition gets everything, and records of a key
    /// do not keep their order.
    pub struct StickySettings = "sticky", "Apache Kafka 4.0, partitioner.ignore.keys (KIP-794)" {
        /// Records stay with a partition until it has got this many bytes (Kafka: `batch.size`, 16 KiB).
        batch_size: Bytes = kib(16),
    }
}

impl Settings for StickySettings {}

/// Stays with a partition for a while.
#[derive(Clone, Debug)]
pub struct Sticky {
    batch_size: Bytes,
    current: Option<u32>,
    produced: Bytes,
}

impl Sticky {
    /// Has chosen nothing yet.
    pub fn new(settings: &StickySettings) -> Self {
        Self { batch_size: settings.batch_size, current: None, produced: Bytes::new(0) }
    }
}

impl Partitioner for Sticky {
    fn partition(
        &mut self,
        _: Option<u64>,
        size: Bytes,
        partitions: Partitions<'_>,
        mut draw: impl FnMut() -> Uniform,
    ) -> u32 {
        let has_leader = |id: &u32| partitions.available.is_empty() || partitions.available.contains(id);
        let chosen = match self.current.filter(has_leader) {
            Some(current) if self.produced < self.batch_size => current,
            _ => {
                self.produced = Bytes::new(0);
                partitions.any(draw())
            }
        };
        self.current = Some(chosen);
        self.produced += size;
        chosen
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::base::units::bytes;
    use crate::protocol::log::testing::Lcg;

    /// 1000 bytes are ten records of 100 bytes: one draw for each ten records.
    #[test]
    fn it_stays_until_a_batch_is_full() {
        let (mut sticky, mut lcg, mut draws) = (Sticky::new(&StickySettings { batch_size: bytes(1000) }), Lcg(1), 0);
        let partitions = Partitions { count: NonZeroU32::new(100).unwrap(), available: &[] };
        let chosen: Vec<_> = (0..100)
            .map(|_| {
                sticky.partition(Some(3), bytes(100), partitions, || {
                    draws += 1;
                    Uniform::from_bits(lcg.bits())
                })
            })
            .collect();
        assert_eq!(draws, 10);
        assert!(chosen.chunks(10).all(|ten| ten.iter().all(|&one| one == ten[0])));
    }
}
