//! By key: records of one key go to one partition, and keep their order there.

use super::sticky::{Sticky, StickySettings};
use super::{Partitioner, Partitions, hash_key};
use crate::base::random::Uniform;
use crate::base::settings::Settings;
use crate::base::units::{Bytes, kib};
use crate::settings;

settings! {
    /// A record with a key goes to the partition that the hash of its key chooses, the others are sticky. Records of one key stay in
    /// order, on one partition, whether or not that has a leader. A frequent key makes one partition busier than the others, and a
    /// topic that gets more partitions sends keys elsewhere.
    pub struct KeyedSettings = "keyed", "Apache Kafka 3.9 and 4.0, default partitioner (KIP-480, KIP-794)" {
        /// Records without a key stay with a partition until it has got this many bytes (Kafka: `batch.size`, 16 KiB).
        batch_size: Bytes = kib(16),
    }
}

impl Settings for KeyedSettings {}

/// Chooses by key.
#[derive(Clone, Debug)]
pub struct Keyed(Sticky);

impl Keyed {
    /// Has chosen nothing yet.
    pub fn new(settings: &KeyedSettings) -> Self {
        Self(Sticky::new(&StickySettings { batch_size: settings.batch_size }))
    }
}

impl Partitioner for Keyed {
    fn partition(
        &mut self,
        key: Option<u64>,
        size: Bytes,
        partitions: Partitions<'_>,
        draw: impl FnMut() -> Uniform,
    ) -> u32 {
        match key {
            Some(key) => hash_key(key) % partitions.count,
            None => self.0.partition(None, size, partitions, draw),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::base::units::bytes;

    #[test]
    fn a_key_has_one_partition_whoever_leads() {
        let mut keyed = Keyed::new(&KeyedSettings::default());
        for key in 0..100 {
            let mut choose = |available| {
                let partitions = Partitions { count: NonZeroU32::new(7).unwrap(), available };
                keyed.partition(Some(key), bytes(100), partitions, || unreachable!("a key needs no luck"))
            };
            assert_eq!(choose(&[0, 1, 2, 3, 4, 5, 6]), choose(&[1]));
        }
    }
}
