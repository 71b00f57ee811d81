//! A consumer's fetches: what it asks for, buffers, and returns with polls.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::num::NonZeroU32;

use super::{FetchPart, PartAnswer};
use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, ms};
use crate::base::units::{Bytes, bytes, mib};
use crate::protocol::log::ids::{BrokerId, Offset, TopicPartition};
use crate::protocol::log::partition::{Isolation, Record};
use crate::settings;

settings! {
    /// How a consumer fetches. Waiting for more makes fewer and larger answers, and records later; larger polls make fewer turns, and
    /// longer ones, which must end within `max-poll-interval`.
    pub struct FetchSettings = "fetch", "Apache Kafka 4.0, consumer configuration" {
        /// The broker waits until there is so much (Kafka: 1 byte).
        fetch_min_bytes: Bytes = bytes(1),
        /// The most in one answer (Kafka: 50 MiB).
        fetch_max_bytes: Bytes = mib(50),
        /// The broker waits no longer (Kafka: 500 ms).
        fetch_max_wait: Span = ms(500),
        /// The most of one partition in one answer (Kafka: 1 MiB).
        max_partition_fetch_bytes: Bytes = mib(1),
        /// The most records that a poll returns (Kafka: 500).
        max_poll_records: NonZeroU32 = NonZeroU32::new(500).unwrap(),
        /// Whether records of transactions are read before they are committed (Kafka: read-uncommitted).
        isolation_level: Isolation = Isolation::ReadUncommitted,
    }
}

/// What can be said about fetching.
pub const FETCH: Listing<FetchSettings> = Listing::of::<FetchSettings>();

impl Settings for FetchSettings {
    fn check(&self) -> Result<(), String> {
        if self.isolation_level == Isolation::LogEnd {
            return Err("reads to the log end only as a follower".into());
        }
        Ok(())
    }
}

/// A fetch for one broker.
#[derive(Clone, PartialEq, Debug)]
pub struct FetchRequest {
    /// To whom it goes.
    pub broker: BrokerId,
    /// What it reads, in this order.
    pub parts: Vec<FetchPart>,
    /// The most in all.
    pub max: Bytes,
    /// The broker waits until there is so much.
    pub min: Bytes,
    /// But no longer than this.
    pub wait: Span,
    /// Up to where it reads.
    pub isolation: Isolation,
}

/// What a poll returns of a partition.
#[derive(Clone, PartialEq, Debug)]
pub struct Polled<M> {
    /// The partition.
    pub partition: TopicPartition,
    /// Its records, in order.
    pub records: Vec<(Offset, Record<M>)>,
    /// Where the next poll goes on: behind markers and aborted records too.
    pub next: Offset,
}

#[derive(Clone, Debug)]
struct Buffered<M> {
    partition: TopicPartition,
    records: VecDeque<(Offset, Record<M>)>,
    next: Offset,
}

/// A consumer's fetches.
#[derive(Clone, Debug)]
pub struct Fetcher<M> {
    settings: FetchSettings,
    /// What it reads, and from where on it fetches next.
    places: BTreeMap<TopicPartition, Offset>,
    paused: BTreeSet<TopicPartition>,
    buffered: VecDeque<Buffered<M>>,
    /// Requests under way, one for each broker, and what they ask for.
    asked: BTreeMap<BrokerId, BTreeMap<TopicPartition, Offset>>,
    /// Partitions that fetches begin behind, so that each comes first at times.
    turn: Option<TopicPartition>,
}

impl<M: Copy> Fetcher<M> {
    /// Reads nothing yet.
    pub fn new(settings: &FetchSettings) -> Self {
        Self {
            settings: settings.clone(),
            places: BTreeMap::new(),
            paused: BTreeSet::new(),
            buffered: VecDeque::new(),
            asked: BTreeMap::new(),
            turn: None,
        }
    }

    /// Reads a partition from `from` on; what is buffered of it is void.
    pub fn seek(&mut self, partition: TopicPartition, from: Offset) {
        self.buffered.retain(|buffered| buffered.partition != partition);
        self.places.insert(partition, from);
    }

    /// Reads it no more.
    pub fn remove(&mut self, partition: TopicPartition) {
        self.buffered.retain(|buffered| buffered.partition != partition);
        self.places.remove(&partition);
        self.paused.remove(&partition);
    }

    /// Stops returning and fetching a partition for a while, or goes on.
    pub fn pause(&mut self, partition: TopicPartition, is_paused: bool) {
        if is_paused {
            self.paused.insert(partition);
        } else {
            self.paused.remove(&partition);
        }
    }

    /// The fetches to be sent: one for each broker that has none under way, for partitions of which nothing is buffered.
    pub fn requests(&mut self, leader: impl Fn(TopicPartition) -> Option<BrokerId>) -> Vec<FetchRequest> {
        let busy: BTreeSet<_> = self.buffered.iter().map(|buffered| buffered.partition).collect();
        let mut parts: BTreeMap<BrokerId, Vec<FetchPart>> = BTreeMap::new();
        let after = self.places.iter().filter(|(partition, _)| Some(**partition) > self.turn);
        let before = self.places.iter().filter(|(partition, _)| Some(**partition) <= self.turn);
        for (&partition, &from) in after.chain(before) {
            let broker = leader(partition).filter(|broker| !self.asked.contains_key(broker));
            if let Some(broker) = broker
                && !busy.contains(&partition)
                && !self.paused.contains(&partition)
            {
                let max = self.settings.max_partition_fetch_bytes;
                parts.entry(broker).or_default().push(FetchPart { partition, from, max });
            }
        }
        let requests = parts.into_iter().map(|(broker, parts)| {
            let asked = parts.iter().map(|part| (part.partition, part.from)).collect();
            self.asked.insert(broker, asked);
            FetchRequest {
                broker,
                parts,
                max: self.settings.fetch_max_bytes,
                min: self.settings.fetch_min_bytes,
                wait: self.settings.fetch_max_wait,
                isolation: self.settings.isolation_level,
            }
        });
        requests.collect()
    }

    /// A broker's answer; nothing if it did not come. The partitions whose position does not exist there, which have to be reset.
    pub fn answered(
        &mut self,
        broker: BrokerId,
        answer: Vec<(TopicPartition, PartAnswer<M>)>,
    ) -> Vec<(TopicPartition, crate::protocol::log::partition::OffsetOutOfRange)> {
        let asked = self.asked.remove(&broker).unwrap_or_default();
        let mut out_of_range = Vec::new();
        for (partition, answer) in answer {
            // What was asked before a seek is void.
            let Some(&from) = asked.get(&partition) else { continue };
            if self.places.get(&partition) != Some(&from) {
                continue;
            }
            match answer {
                Err(range) => out_of_range.push((partition, range)),
                Ok(fetched) if fetched.batches.is_empty() => {}
                Ok(fetched) => {
                    self.turn = Some(partition);
                    let (records, next) = (fetched.records(from).into(), fetched.next(from));
                    self.places.insert(partition, next);
                    self.buffered.push_back(Buffered { partition, records, next });
                }
            }
        }
        out_of_range
    }

    /// What a poll returns: `max-poll-records` at most, partition after partition as they came.
    pub fn poll(&mut self) -> Vec<Polled<M>> {
        let mut left = self.settings.max_poll_records.get() as usize;
        let (mut found, mut kept): (Vec<Polled<M>>, _) = (Vec::new(), VecDeque::new());
        while left > 0
            && let Some(mut buffered) = self.buffered.pop_front()
        {
            if self.paused.contains(&buffered.partition) {
                kept.push_back(buffered);
                continue;
            }
            let count = buffered.records.len().min(left);
            left -= count;
            let records: Vec<_> = buffered.records.drain(..count).collect();
            let partition = buffered.partition;
            let next = buffered.records.front().map_or(buffered.next, |&(offset, _)| offset);
            if !buffered.records.is_empty() {
                self.buffered.push_front(buffered);
            }
            found.push(Polled { partition, records, next });
        }
        kept.append(&mut self.buffered);
        self.buffered = kept;
        found
    }

    /// How many records are buffered.
    pub fn buffered(&self) -> usize {
        self.buffered.iter().map(|buffered| buffered.records.len()).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::log::fetch::read;
    use crate::protocol::log::ids::LeaderEpoch;
    use crate::protocol::log::partition::{LogSettings, PartitionLog};
    use crate::protocol::log::testing::{batch, o};

    const BROKER: BrokerId = BrokerId(0);

    const fn tp(partition: u32) -> TopicPartition {
        TopicPartition::new(0, partition)
    }

    /// Two partitions of 300 and 400 records, in batches of ten.
    fn logs() -> [PartitionLog<u32>; 2] {
        [30, 40].map(|batches| {
            let mut log = PartitionLog::new(&LogSettings::default());
            for number in 0..batches {
                log.append_as_leader(batch(number * 10..number * 10 + 10), LeaderEpoch(1)).unwrap();
            }
            log.set_high_watermark(log.end());
            log
        })
    }

    fn fetch(fetcher: &mut Fetcher<u32>, logs: &[PartitionLog<u32>; 2]) -> usize {
        let requests = fetcher.requests(|_| Some(BROKER));
        for request in &requests {
            let answer = read(&request.parts, request.max, request.isolation, |tp| logs.get(tp.partition as usize));
            assert!(fetcher.answered(request.broker, answer).is_empty());
        }
        requests.len()
    }

    #[test]
    fn the_settings_are_well_kept() {
        crate::protocol::family::well_kept(&[FETCH]);
    }

    /// 700 records are fetched at once: polls return 300 of the first partition and 200 of the other, then the 200 that are left. As long
    /// as some are left, their partition is not fetched again.
    #[test]
    fn a_poll_returns_max_poll_records_at_most() {
        let (logs, mut fetcher) = (logs(), Fetcher::new(&FetchSettings::default()));
        fetcher.seek(tp(0), o(0));
        fetcher.seek(tp(1), o(0));
        assert_eq!(fetch(&mut fetcher, &logs), 1);
        let counts = |polled: &[Polled<u32>]| polled.iter().map(|p| (p.records.len(), p.next.0)).collect::<Vec<_>>();
        assert_eq!(counts(&fetcher.poll()), [(300, 300), (200, 200)]);
        let requests = fetcher.requests(|_| Some(BROKER));
        assert_eq!(requests[0].parts.iter().map(|part| part.partition).collect::<Vec<_>>(), [tp(0)]);
        assert!(fetcher.requests(|_| Some(BROKER)).is_empty(), "one is under way");
        assert_eq!(counts(&fetcher.poll()), [(200, 400)]);
        assert!(fetcher.poll().is_empty());
    }

    /// Batches of 1061 bytes: a limit of 2500 for a partition and 4000 for all leaves two of the first partition and one of the other.
    #[test]
    fn an_answer_keeps_to_both_limits() {
        let settings = FetchSettings {
            fetch_max_bytes: bytes(4000),
            max_partition_fetch_bytes: bytes(2500),
            ..FetchSettings::default()
        };
        let (logs, mut fetcher) = (logs(), Fetcher::new(&settings));
        fetcher.seek(tp(0), o(0));
        fetcher.seek(tp(1), o(0));
        fetch(&mut fetcher, &logs);
        assert_eq!(fetcher.poll().iter().map(|polled| polled.records.len()).collect::<Vec<_>>(), [20, 10]);
        // The other way round next time: the partition that was served last comes last.
        fetch(&mut fetcher, &logs);
        assert_eq!(fetcher.poll().iter().map(|polled| polled.records.len()).collect::<Vec<_>>(), [20, 10]);
    }

    #[test]
    fn a_seek_voids_what_is_buffered_and_under_way() {
        let (logs, mut fetcher) = (logs(), Fetcher::new(&FetchSettings::default()));
        fetcher.seek(tp(0), o(0));
        fetch(&mut fetcher, &logs);
        fetcher.seek(tp(0), o(290));
        assert_eq!(fetcher.buffered(), 0);
        let requests = fetcher.requests(|_| Some(BROKER));
        fetcher.seek(tp(0), o(295));
        let answer = read(&requests[0].parts, bytes(9999), Isolation::ReadUncommitted, |_| Some(&logs[0]));
        fetcher.answered(BROKER, answer);
        assert_eq!(fetcher.buffered(), 0);
        fetch(&mut fetcher, &logs);
        assert_eq!(fetcher.poll()[0].records.first().map(|&(offset, _)| offset), Some(o(295)));
        fetcher.seek(tp(0), o(900));
        let requests = fetcher.requests(|_| Some(BROKER));
        let answer = read(&requests[0].parts, bytes(9999), Isolation::ReadUncommitted, |_| Some(&logs[0]));
        assert_eq!(fetcher.answered(BROKER, answer).len(), 1);
    }

    #[test]
    fn a_paused_partition_keeps_what_is_buffered() {
        let (logs, mut fetcher) = (logs(), Fetcher::new(&FetchSettings::default()));
        fetcher.seek(tp(0), o(0));
        fetch(&mut fetcher, &logs);
        fetcher.pause(tp(0), true);
        assert!(fetcher.poll().is_empty() && fetcher.requests(|_| Some(BROKER)).is_empty());
        fetcher.pause(tp(0), false);
        assert_eq!(fetcher.poll()[0].records.len(), 300);
    }
}
