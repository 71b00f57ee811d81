//! Partitioners: to which partition of its topic a record goes.

mod murmur2;

use std::num::NonZeroU32;

pub use murmur2::{hash_key, murmur2};

use crate::base::random::Uniform;
use crate::base::units::Bytes;
use crate::protocol::family::family;

family! { $
    /// To which partition of its topic a record goes: plain data.
    PartitionerPolicy,
    /// One producer's partitioner for one topic, under any [`PartitionerPolicy`].
    AnyPartitioner, PARTITIONERS, each_partitioner;
    keyed: Keyed, KeyedSettings;
    round_robin: RoundRobinRecords, RoundRobinRecordsSettings;
    sticky: Sticky, StickySettings;
}

impl Default for PartitionerPolicy {
    /// By key, as Kafka does.
    fn default() -> Self {
        Self::Keyed(KeyedSettings::default())
    }
}

/// The partitions of a topic, as a producer knows them.
#[derive(Clone, Copy, Debug)]
pub struct Partitions<'a> {
    /// How many there are.
    pub count: NonZeroU32,
    /// Those that have a leader, in order.
    pub available: &'a [u32],
}

impl Partitions<'_> {
    /// Any one that is available, or, if none is, any.
    fn any(self, draw: Uniform) -> u32 {
        match self.available {
            [] => draw.below(self.count.get().into()) as u32,
            available => available[draw.below(available.len() as u64) as usize],
        }
    }
}

/// Chooses partitions.
pub trait Partitioner {
    /// The partition for a record of this key and size. `draw` gives a fresh draw each time.
    fn partition(
        &mut self,
        key: Option<u64>,
        size: Bytes,
        partitions: Partitions<'_>,
        draw: impl FnMut() -> Uniform,
    ) -> u32;
}

impl Partitioner for AnyPartitioner {
    fn partition(
        &mut self,
        key: Option<u64>,
        size: Bytes,
        partitions: Partitions<'_>,
        draw: impl FnMut() -> Uniform,
    ) -> u32 {
        each_partitioner!(self, partitioner => partitioner.partition(key, size, partitions, draw))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::bytes;
    use crate::protocol::log::testing::Lcg;

    /// 3000 records of random keys and sizes: all partitions are among those there are, none that is available is left out, and a
    /// record without a key goes where a leader is.
    #[test]
    fn every_policy_uses_the_partitions_there_are() {
        for listing in PARTITIONERS {
            let (mut partitioner, mut lcg, mut draws) = (listing.example().start(), Lcg(5), Lcg(6));
            let mut seen = [0; 6];
            for _ in 0..3000 {
                let key = (lcg.below(2) == 0).then(|| lcg.bits());
                let partitions = Partitions { count: NonZeroU32::new(6).unwrap(), available: &[0, 1, 3, 5] };
                let draw = || Uniform::from_bits(draws.bits());
                let chosen = partitioner.partition(key, bytes(lcg.below(2000)), partitions, draw);
                assert!(key.is_some() || partitions.available.contains(&chosen), "{}", listing.name);
                seen[chosen as usize] += 1;
            }
            assert!([0, 1, 3, 5].iter().all(|&partition| seen[partition] > 0), "{}: {seen:?}", listing.name);
        }
    }
}
