//! Batches in the making: records wait for company, within limits of time, size and memory.
//!
//! A batch may be sent once it is full, once its first record has waited for `linger`, or once memory is short. Memory is taken for
//! a whole batch when it is begun, and given back when the batch has been answered or given up. When there is none, the caller has to
//! wait, for `max-block` at most.
//!
//! Source: Apache Kafka 3.9 and 4.0, `RecordAccumulator`, `BufferPool`, `ProducerBatch`.

use std::collections::{BTreeMap, VecDeque};

use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time, ms, secs};
use crate::base::units::{Bytes, kib, mib};
use crate::protocol::log::ids::TopicPartition;
use crate::protocol::log::partition::{BATCH_OVERHEAD, Record, Stamp};
use crate::settings;

settings! {
    /// How a producer gathers records into batches. A longer wait and larger batches make fewer requests and less overhead, and
    /// every record later by up to the wait.
    pub struct AccumulatorSettings = "accumulator", "Apache Kafka 4.0, producer configuration" {
        /// For how long a batch waits for more records (Kafka 4.0: 5 ms; before: 0).
        linger: Span = ms(5),
        /// A batch is full at this size (Kafka: 16 KiB).
        batch_size: Bytes = kib(16),
        /// Memory for all batches, under way or waiting (Kafka: 32 MiB).
        buffer_memory: Bytes = mib(32),
        /// For how long a caller waits for memory before its record fails (Kafka: 60 s).
        max_block: Span = secs(60),
        /// Compressed size over size: 1 is no compression (Kafka: none).
        compression_ratio: f64 = 1.0,
    }
}

/// What can be said about gathering.
pub const ACCUMULATOR: Listing<AccumulatorSettings> = Listing::of::<AccumulatorSettings>();

impl Settings for AccumulatorSettings {
    fn check(&self) -> Result<(), String> {
        if self.buffer_memory < self.batch_size {
            return Err("needs a `buffer-memory` that holds a batch".into());
        }
        if self.compression_ratio > 1.0 {
            return Err("needs a `compression-ratio` of at most 1".into());
        }
        Ok(())
    }
}

/// The number of a batch of one producer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct BatchId(pub u64);

/// A batch in the making, or on its way.
#[derive(Clone, PartialEq, Debug)]
pub struct ProducerBatch<M> {
    /// Its number.
    pub id: BatchId,
    /// Where it goes.
    pub partition: TopicPartition,
    /// What is in it.
    pub records: Vec<Record<M>>,
    /// When it was begun.
    pub created: Time,
    /// How often it has been sent without success.
    pub attempts: u32,
    /// Not to be sent before.
    pub not_before: Time,
    /// Its sequence, once it has one.
    pub stamp: Option<Stamp>,
    /// Whether all before it was answered when it was sent last.
    pub was_next: bool,
    raw: u64,
    memory: u64,
}

/// What became of a record.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Gathered {
    /// The batch it is in.
    pub batch: BatchId,
    /// Whether it began that batch.
    pub is_first: bool,
    /// Whether a batch can be sent at once, as it is full.
    pub is_full: bool,
}

/// There is no memory for another batch: the caller waits, or gives up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct BufferExhausted {
    /// Until when it may wait.
    pub until: Time,
}

/// Whether something can be sent.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Readiness {
    /// It can be sent now.
    Now,
    /// Not before then.
    At(Time),
    /// There is nothing.
    Empty,
}

/// A producer's batches by partition.
#[derive(Clone, Debug)]
pub struct Accumulator<M> {
    settings: AccumulatorSettings,
    queues: BTreeMap<TopicPartition, VecDeque<ProducerBatch<M>>>,
    free: u64,
    /// Somebody waits for memory, or for everything to be sent: nothing lingers.
    is_pressed: bool,
    next: u64,
}

impl<M: Copy> Accumulator<M> {
    /// Nothing is gathered.
    pub fn new(settings: &AccumulatorSettings) -> Self {
        let free = settings.buffer_memory.count();
        Self { settings: settings.clone(), queues: BTreeMap::new(), free, is_pressed: false, next: 0 }
    }

    /// Adds a record to the batch of its partition.
    ///
    /// # Errors
    /// If another batch has to be begun, and there is no memory.
    pub fn append(
        &mut self,
        partition: TopicPartition,
        record: Record<M>,
        now: Time,
    ) -> Result<Gathered, BufferExhausted> {
        let limit = self.settings.batch_size.count();
        let last = self.queues.get_mut(&partition).and_then(VecDeque::back_mut);
        if let Some(batch) = last
            && batch.stamp.is_none()
            && batch.attempts == 0
            && size(batch.raw + record.size.count(), self.settings.compression_ratio) <= limit
        {
            batch.raw += record.size.count();
            batch.records.push(record);
            let (batch, is_full) = (batch.id, size(batch.raw, self.settings.compression_ratio) >= limit);
            return Ok(Gathered { batch, is_first: false, is_full });
        }
        let raw = record.size.count();
        let memory = limit.max(size(raw, 1.0));
        if memory > self.free {
            self.is_pressed = true;
            return Err(BufferExhausted { until: now + self.settings.max_block });
        }
        self.free -= memory;
        let id = BatchId(self.next);
        self.next += 1;
        let queue = self.queues.entry(partition).or_default();
        queue.push_back(ProducerBatch {
            id,
            partition,
            records: vec![record],
            created: now,
            attempts: 0,
            not_before: Time::ZERO,
            stamp: None,
            was_next: false,
            raw,
            memory,
        });
        let is_full = queue.len() > 1 || size(raw, self.settings.compression_ratio) >= limit;
        Ok(Gathered { batch: id, is_first: true, is_full })
    }

    /// Whether the first batch of a partition can be sent (`RecordAccumulator.batchReady`).
    pub fn ready(&self, partition: TopicPartition, now: Time) -> Readiness {
        let Some(queue) = self.queues.get(&partition) else { return Readiness::Empty };
        let Some(first) = queue.front() else { return Readiness::Empty };
        let is_full = queue.len() > 1 || self.size_of(first) >= self.settings.batch_size;
        let lingers = first.attempts == 0 && !is_full && !self.is_pressed;
        let at = if lingers { first.created + self.settings.linger } else { first.not_before };
        if at <= now { Readiness::Now } else { Readiness::At(at) }
    }

    /// The partitions that have batches.
    pub fn partitions(&self) -> impl Iterator<Item = TopicPartition> {
        self.queues.keys().copied()
    }

    /// The batches of a partition that are not on their way, in order.
    pub fn queue(&self, partition: TopicPartition) -> impl Iterator<Item = &ProducerBatch<M>> {
        self.queues.get(&partition).into_iter().flatten()
    }

    pub(super) fn queue_mut(&mut self, partition: TopicPartition) -> impl Iterator<Item = &mut ProducerBatch<M>> {
        self.queues.get_mut(&partition).into_iter().flatten()
    }

    /// Takes the first batch of a partition, whether or not it is ready.
    pub fn take(&mut self, partition: TopicPartition) -> Option<ProducerBatch<M>> {
        let queue = self.queues.get_mut(&partition)?;
        let batch = queue.pop_front();
        if queue.is_empty() {
            self.queues.remove(&partition);
        }
        batch
    }

    /// Takes back a batch that is to be sent again: before all that have a later sequence, or, without sequences, before all.
    pub fn put_back(&mut self, batch: ProducerBatch<M>) {
        let queue = self.queues.entry(batch.partition).or_default();
        let is_earlier =
            |other: &ProducerBatch<M>| batch.stamp.is_some() && other.stamp.is_some() && other.id < batch.id;
        let place = queue.partition_point(is_earlier);
        queue.insert(place, batch);
    }

    /// Takes out the batches in front of their queues that were begun at `limit` or before.
    pub fn expire(&mut self, limit: Time) -> Vec<ProducerBatch<M>> {
        let mut expired = Vec::new();
        for queue in self.queues.values_mut() {
            while let Some(batch) = queue.pop_front_if(|batch| batch.created <= limit) {
                expired.push(batch);
            }
        }
        self.queues.retain(|_, queue| !queue.is_empty());
        expired
    }

    /// A batch was answered or given up: its memory is free, and who waits for memory may try again.
    pub fn release(&mut self, batch: &ProducerBatch<M>) {
        self.free += batch.memory;
        self.is_pressed = false;
    }

    /// All is to be sent without lingering, until memory is given back next (`KafkaProducer.flush`).
    pub fn flush(&mut self) {
        self.is_pressed = true;
    }

    /// How much memory is free.
    pub fn free(&self) -> Bytes {
        Bytes::new(self.free)
    }

    /// The size of a batch with header, after compression.
    pub fn size_of(&self, batch: &ProducerBatch<M>) -> Bytes {
        Bytes::new(size(batch.raw, self.settings.compression_ratio))
    }
}

/// The size of a batch of so many bytes, compressed.
fn size(raw: u64, ratio: f64) -> u64 {
    BATCH_OVERHEAD.count() + (raw as f64 * ratio + 0.5) as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::units::bytes;
    use crate::protocol::log::testing::{Lcg, at, record};

    const TP: TopicPartition = TopicPartition::new(0, 0);

    fn gather(batch_size: u64, linger: Span, buffers: u64) -> Accumulator<u32> {
        let settings = AccumulatorSettings {
            linger,
            batch_size: bytes(batch_size),
            buffer_memory: bytes(buffers * batch_size),
            ..AccumulatorSettings::default()
        };
        Accumulator::new(&settings)
    }

    #[test]
    fn the_settings_are_well_kept() {
        crate::protocol::family::well_kept(&[ACCUMULATOR]);
    }

    /// 261 bytes hold two records of 100 and the header of 61; a third begins another batch, and the first one is ready.
    #[test]
    fn a_batch_is_ready_when_it_is_full_or_has_lingered() {
        let mut batches = gather(261, ms(5), 4);
        assert_eq!(batches.ready(TP, at(0)), Readiness::Empty);
        assert!(!batches.append(TP, record(None, 1), at(0)).unwrap().is_full);
        assert_eq!(batches.ready(TP, at(4)), Readiness::At(at(5)));
        assert_eq!(batches.ready(TP, at(5)), Readiness::Now);
        assert!(batches.append(TP, record(None, 2), at(1)).unwrap().is_full);
        assert_eq!(batches.ready(TP, at(1)), Readiness::Now);
        assert!(batches.append(TP, record(None, 3), at(1)).unwrap().is_first);
        assert_eq!(batches.take(TP).unwrap().records.len(), 2);
        assert_eq!(batches.ready(TP, at(1)), Readiness::At(at(6)));
    }

    /// With everything compressed to a quarter, 161 bytes hold four records: 61 + 4 x 25.
    #[test]
    fn compressed_records_share_a_batch() {
        let settings =
            AccumulatorSettings { batch_size: bytes(161), compression_ratio: 0.25, ..AccumulatorSettings::default() };
        let mut batches = Accumulator::new(&settings);
        let firsts = (0..8).filter(|&value| batches.append(TP, record(None, value), at(0)).unwrap().is_first);
        assert_eq!(firsts.count(), 2);
    }

    #[test]
    fn without_memory_nothing_lingers_and_callers_wait() {
        let mut batches = gather(261, ms(5), 1);
        batches.append(TP, record(None, 1), at(0)).unwrap();
        let other = TopicPartition::new(0, 1);
        let refused = batches.append(other, record(None, 2), at(0));
        assert_eq!(refused, Err(BufferExhausted { until: at(60_000) }));
        assert_eq!(batches.ready(TP, at(0)), Readiness::Now);
        let sent = batches.take(TP).unwrap();
        assert!(batches.append(other, record(None, 2), at(0)).is_err(), "it is still under way");
        batches.release(&sent);
        assert!(batches.append(other, record(None, 2), at(0)).is_ok());
    }

    /// Records arrive at random, 1000 a second, and a batch goes at 16 records or after 10 ms. With N records arriving within 10 ms of the
    /// first, N is Poisson of mean 10, and the batch holds min(1 + N, 16): 10.8965 on average. It is full with P(N >= 15) = 0.0834585.
    /// The delay of a record, averaged over batches by their sizes, is 5.34459 ms.
    #[test]
    fn batches_of_random_arrivals_have_the_size_that_theory_says() {
        let mut batches = gather(61 + 16 * 100, ms(10), 1000);
        let mut lcg = Lcg(42);
        let (mut now, mut sent, mut full, mut records, mut delay) = (Time::ZERO, 0, 0, 0, 0.0);
        let mut arrivals: Vec<Time> = Vec::new();
        while records < 100_000 {
            let next = now + Span::from_secs_f64(-libm::log(lcg.open01()) / 1000.0);
            if let Readiness::At(due) = batches.ready(TP, now)
                && due <= next
            {
                let batch = batches.take(TP).unwrap();
                batches.release(&batch);
                delay += arrivals.drain(..).map(|came| due.since(came).as_secs_f64()).sum::<f64>();
                (sent, records) = (sent + 1, records + batch.records.len());
            }
            now = next;
            arrivals.push(now);
            if batches.append(TP, record(None, 0), now).unwrap().is_full {
                let batch = batches.take(TP).unwrap();
                batches.release(&batch);
                delay += arrivals.drain(..).map(|came| now.since(came).as_secs_f64()).sum::<f64>();
                (sent, records, full) = (sent + 1, records + batch.records.len(), full + 1);
            }
        }
        let (count, sent) = (records as f64, f64::from(sent));
        // Some 9200 batches: the mean size has a standard error of 0.03, the share of 0.003, the delay of 0.01 ms.
        assert!((count / sent - 10.8965).abs() < 0.1, "{}", count / sent);
        assert!((delay / count * 1e3 - 5.34459).abs() < 0.04, "{}", delay / count * 1e3);
        assert!((f64::from(full) / sent - 0.083_458_5).abs() < 0.009, "{}", f64::from(full) / sent);
    }
}
