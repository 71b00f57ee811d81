//! Fetching: how long a broker waits until a fetch is worth an answer, and how a consumer makes polls of what it fetched.
//!
//! A fetch is answered at once if it finds `fetch-min-bytes`, or an error. If not, it waits in [`Purgatory`] until enough has come, or
//! `fetch-max-wait` is over. A consumer ([`Fetcher`]) sends one fetch at a time to a broker, for all partitions of which
//! nothing is buffered, and hands out `max-poll-records` at most with each poll.
//!
//! Source: Apache Kafka 3.9 and 4.0, `DelayedFetch`, `Fetcher`, `FetchCollector`; KIP-74 (limits by bytes). Sessions that spare
//! unchanged partitions (KIP-227) change sizes, not results, and are not built.

mod fetcher;
mod purgatory;

pub use fetcher::{FETCH, FetchRequest, FetchSettings, Fetcher, Polled};
pub use purgatory::{FetchId, Purgatory, Wanted};

use super::ids::{Offset, TopicPartition};
use super::partition::{Fetched, Isolation, OffsetOutOfRange, PartitionLog};
use crate::base::units::Bytes;

/// Where a fetch reads, and no more than how much.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FetchPart {
    /// The partition.
    pub partition: TopicPartition,
    /// From where on.
    pub from: Offset,
    /// The most of this partition (`max-partition-fetch-bytes`).
    pub max: Bytes,
}

/// What one partition answers.
pub type PartAnswer<M> = Result<Fetched<M>, OffsetOutOfRange>;

/// Reads the parts of a fetch one after another, `max` bytes in all. The first part that finds anything returns a batch, however
/// large (KIP-74). Parts for which there is no log here are left out.
pub fn read<'a, M: Copy + 'a>(
    parts: &[FetchPart],
    max: Bytes,
    isolation: Isolation,
    log: impl Fn(TopicPartition) -> Option<&'a PartitionLog<M>>,
) -> Vec<(TopicPartition, PartAnswer<M>)> {
    let (mut left, mut found) = (max.count(), false);
    let read = parts.iter().filter_map(|part| {
        let limit = Bytes::new(part.max.count().min(left));
        let answer = log(part.partition)?.fetch(part.from, limit, isolation, !found);
        if let Ok(fetched) = &answer {
            left = left.saturating_sub(fetched.size.count());
            found |= !fetched.batches.is_empty();
        }
        Some((part.partition, answer))
    });
    read.collect()
}
