//! Batches on their way: how many at once, in which order, how often again, and for how long.
//!
//! At most `max-in-flight-requests-per-connection` requests are under way to a broker. A batch that fails for a while is sent
//! again, until `delivery-timeout` has passed since its first record. Then another one may have overtaken it: *without idempotence,
//! retries reorder records*, unless only one request is under way at a time, *and may duplicate them*, as the answer may have been lost
//! rather than the request.
//!
//! With idempotence every batch gets a sequence when it is first sent, and keeps it. The broker refuses a batch that is not the next, and
//! knows one that it has; the producer puts refused batches back in order and sends the first one alone until it is through. A batch
//! that is given up leaves a gap: then the producer begins an epoch, and its sequences begin at 0.
//!
//! Between a batch's first and last attempt the order of requests on a connection is what counts; a network that delivers a producer's
//! requests to a broker in another order leads to refusals, and, for the first batches of a partition, to reordering (a broker
//! takes any sequence of a producer that it does not know).
//!
//! Source: Apache Kafka 3.9 and 4.0, `Sender`, `TransactionManager`, `InFlightRequests`.

mod settings;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

pub use settings::{SENDER, SenderSettings};

use super::accumulator::{
    Accumulator, AccumulatorSettings, BatchId, BufferExhausted, Gathered, ProducerBatch, Readiness,
};
use crate::base::random::Uniform;
use crate::base::time::{Span, Time};
use crate::protocol::log::ids::{BrokerId, Offset, ProducerEpoch, ProducerId, Sequence, TopicPartition};
use crate::protocol::log::partition::{Acks, BATCHES_KEPT, NewBatch, Record, Stamp};

/// The number of a request of one producer.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct RequestId(pub u64);

/// A produce request: one batch for each of some partitions that one broker leads.
#[derive(Clone, PartialEq, Debug)]
pub struct ProduceRequest<M> {
    /// Its number.
    pub id: RequestId,
    /// To whom it goes.
    pub broker: BrokerId,
    /// The batches.
    pub batches: Vec<(TopicPartition, BatchId, NewBatch<M>)>,
}

/// What the broker said of a batch.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BatchAnswer {
    /// It is written, now or before.
    Written(Offset),
    /// Not now: no leader here, too few replicas, or no answer.
    Retriable,
    /// A batch before it is missing.
    OutOfOrderSequence,
    /// Never: too large, fenced, or not allowed.
    Fatal,
}

/// What became of a batch in the end.
#[derive(Clone, PartialEq, Debug)]
pub struct Done<M> {
    /// Its number.
    pub batch: BatchId,
    /// Where it was to go.
    pub partition: TopicPartition,
    /// Its records.
    pub records: Vec<Record<M>>,
    /// How often it was sent in vain.
    pub attempts: u32,
    /// What its caller is told.
    pub outcome: Outcome,
}

/// What a caller is told.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Outcome {
    /// Its record is written; with `acks = 0`, that it was sent, at no known offset.
    Written(Option<Offset>),
    /// It was not through by `delivery-timeout`, or was sent too often. It may be written nevertheless if it was sent.
    TimedOut {
        /// Whether it may be written.
        maybe_written: bool,
    },
    /// The broker refused it for good.
    Refused,
}

#[derive(Clone, Debug)]
struct Request<M> {
    broker: BrokerId,
    deadline: Time,
    batches: Vec<ProducerBatch<M>>,
}

/// What is known of a partition.
#[derive(Clone, Debug, Default)]
struct Line {
    epoch: ProducerEpoch,
    next: Sequence,
    /// Whether the broker has taken a batch of this epoch. Until then it takes any sequence, so only one is under way: a network that
    /// keeps the order of a connection would not need that.
    is_known: bool,
    /// Batches that are under way, in order.
    flying: BTreeSet<BatchId>,
    /// Batches that have a sequence and no answer: under way, or to be sent again.
    open: BTreeSet<BatchId>,
    /// Batches that were sent since the first one that is open, that one included. A broker knows the last five again, so there are
    /// no more, even where an answer is lost and later ones are not, as cannot happen on a connection.
    recent: VecDeque<BatchId>,
}

/// A producer's batches, waiting and under way.
#[derive(Clone, Debug)]
pub struct Sender<M> {
    settings: SenderSettings,
    accumulator: Accumulator<M>,
    identity: Option<(ProducerId, ProducerEpoch)>,
    /// Whether batches belong to a transaction.
    is_transactional: bool,
    lines: BTreeMap<TopicPartition, Line>,
    flying: BTreeMap<RequestId, Request<M>>,
    connections: BTreeMap<BrokerId, u32>,
    next: u64,
    /// Partitions whose sequences begin anew once nothing of them is under way.
    broken: BTreeSet<TopicPartition>,
    /// The partition that was served last.
    last: Option<TopicPartition>,
}

impl<M: Copy> Sender<M> {
    /// A producer that has nothing to send.
    pub fn new(settings: &SenderSettings, gathering: &AccumulatorSettings) -> Self {
        Self {
            settings: settings.clone(),
            accumulator: Accumulator::new(gathering),
            identity: None,
            is_transactional: false,
            lines: BTreeMap::new(),
            flying: BTreeMap::new(),
            connections: BTreeMap::new(),
            next: 0,
            broken: BTreeSet::new(),
            last: None,
        }
    }

    /// Learns its id and epoch (`InitProducerId`), without which an idempotent producer sends nothing.
    pub fn identify(&mut self, producer: ProducerId, epoch: ProducerEpoch) {
        self.identity = Some((producer, epoch));
    }

    /// Its id and epoch, if it has them.
    pub fn identity(&self) -> Option<(ProducerId, ProducerEpoch)> {
        self.identity
    }

    /// Whether what is sent from now on belongs to a transaction.
    pub fn set_transactional(&mut self, is_transactional: bool) {
        self.is_transactional = is_transactional;
    }

    /// Adds a record.
    ///
    /// # Errors
    /// If there is no memory for it: its caller waits.
    pub fn append(
        &mut self,
        partition: TopicPartition,
        record: Record<M>,
        now: Time,
    ) -> Result<Gathered, BufferExhausted> {
        self.accumulator.append(partition, record, now)
    }

    /// What waits.
    pub fn accumulator(&mut self) -> &mut Accumulator<M> {
        &mut self.accumulator
    }

    /// Whether a batch is full or has lingered, as far as that goes.
    pub fn is_ready(&self, now: Time) -> bool {
        let is_ready = |partition| self.accumulator.ready(partition, now) == Readiness::Now;
        self.accumulator.partitions().any(is_ready)
    }

    /// Whether everything is through or given up.
    pub fn is_idle(&self) -> bool {
        self.flying.is_empty() && self.accumulator.partitions().next().is_none()
    }

    /// How many requests are under way to a broker.
    pub fn in_flight(&self, broker: BrokerId) -> u32 {
        self.connections.get(&broker).copied().unwrap_or(0)
    }

    /// Whether the first batch of a partition may be sent as far as order is concerned.
    fn may_send(&self, partition: TopicPartition) -> bool {
        let Some(first) = self.accumulator.queue(partition).next() else { return false };
        let Some(line) = self.lines.get(&partition) else { return true };
        let is_alone = self.settings.max_in_flight_requests_per_connection.get() == 1
            || self.settings.enable_idempotence && !line.is_known;
        let is_muted = is_alone && !line.flying.is_empty();
        let is_next = first.stamp.is_none() || line.open.first() == Some(&first.id);
        let has_room = first.stamp.is_some() || line.recent.len() < BATCHES_KEPT || !self.settings.enable_idempotence;
        !is_muted && !self.broken.contains(&partition) && is_next && has_room
    }

    /// The next request, if there is anything to send to a broker that takes one more: asked until there is none. A request for one
    /// partition takes along what waits for others at the same broker. With `acks = 0` its batches are through at once.
    pub fn send(
        &mut self,
        now: Time,
        leader: impl Fn(TopicPartition) -> Option<BrokerId>,
        done: &mut Vec<Done<M>>,
    ) -> Option<ProduceRequest<M>> {
        if self.settings.enable_idempotence && self.identity.is_none() {
            return None;
        }
        let limit = self.settings.max_in_flight_requests_per_connection.get();
        let all: Vec<_> = self.accumulator.partitions().collect();
        let after = all.partition_point(|&partition| Some(partition) <= self.last);
        let turn = all[after..].iter().chain(&all[..after]).copied();
        let is_due = |partition: TopicPartition| self.accumulator.ready(partition, now) == Readiness::Now;
        let (partition, broker) = turn
            .filter(|&partition| is_due(partition) && self.may_send(partition))
            .find_map(|partition| Some((partition, leader(partition).filter(|&id| self.in_flight(id) < limit)?)))?;
        self.last = Some(partition);
        let rested = |partition: TopicPartition| {
            self.accumulator.queue(partition).next().is_some_and(|first| first.not_before <= now)
        };
        let company = all.iter().copied().filter(|&other| {
            other == partition || leader(other) == Some(broker) && rested(other) && self.may_send(other)
        });
        let company: Vec<_> = company.collect();
        let batches: Vec<_> = company.into_iter().filter_map(|partition| self.take(partition)).collect();
        let id = RequestId(self.next);
        self.next += 1;
        let sent = batches.iter().map(|batch| (batch.partition, batch.id, self.new_batch(batch))).collect();
        if self.settings.acks == Acks::None {
            for batch in batches {
                self.finish(batch, Outcome::Written(None), done);
            }
        } else {
            *self.connections.entry(broker).or_default() += 1;
            let deadline = now + self.settings.request_timeout;
            self.flying.insert(id, Request { broker, deadline, batches });
        }
        Some(ProduceRequest { id, broker, batches: sent })
    }

    fn new_batch(&self, batch: &ProducerBatch<M>) -> NewBatch<M> {
        NewBatch {
            stamp: batch.stamp,
            is_transactional: self.is_transactional,
            acks: self.settings.acks,
            records: batch.records.clone(),
            size: self.accumulator.size_of(batch),
        }
    }

    /// Takes the first batch of a partition, and gives it a sequence if it has none.
    fn take(&mut self, partition: TopicPartition) -> Option<ProducerBatch<M>> {
        let mut batch = self.accumulator.take(partition)?;
        let line = self.lines.entry(partition).or_default();
        if self.settings.enable_idempotence
            && let Some((producer, epoch)) = self.identity
            && batch.stamp.is_none()
        {
            // A partition goes on in its epoch until nothing of it is open.
            if line.epoch != epoch && line.open.is_empty() {
                (line.epoch, line.next, line.is_known) = (epoch, Sequence(0), false);
            }
            batch.stamp = Some(Stamp { producer, epoch: line.epoch, sequence: line.next });
            line.next = line.next.plus(batch.records.len() as u64);
        }
        batch.was_next = line.open.first().is_none_or(|first| *first == batch.id);
        if line.open.insert(batch.id) {
            line.recent.push_back(batch.id);
        }
        line.flying.insert(batch.id);
        Some(batch)
    }

    /// A broker answers. What it says of each batch is asked for.
    pub fn answered(
        &mut self,
        id: RequestId,
        says: impl Fn(BatchId) -> BatchAnswer,
        now: Time,
        mut draw: impl FnMut() -> Uniform,
        done: &mut Vec<Done<M>>,
    ) {
        let Some(request) = self.flying.remove(&id) else { return };
        if let Some(count) = self.connections.get_mut(&request.broker) {
            *count -= 1;
        }
        for batch in request.batches {
            self.lines.entry(batch.partition).or_default().flying.remove(&batch.id);
            match says(batch.id) {
                BatchAnswer::Written(offset) => {
                    let line = self.lines.entry(batch.partition).or_default();
                    line.is_known |= batch.stamp.is_some_and(|stamp| stamp.epoch == line.epoch);
                    self.finish(batch, Outcome::Written(Some(offset)), done);
                }
                BatchAnswer::Fatal => self.fail(batch, Outcome::Refused, done),
                BatchAnswer::Retriable => self.retry(batch, now, draw(), done),
                // If it was the next when it was sent, what is missing will not come: all begins anew in another epoch (KIP-360).
                // Otherwise one before it was refused, or has not come yet.
                BatchAnswer::OutOfOrderSequence if batch.was_next && self.is_transactional => {
                    self.fail(batch, Outcome::Refused, done);
                }
                BatchAnswer::OutOfOrderSequence => {
                    if batch.was_next {
                        self.broken.insert(batch.partition);
                    }
                    self.retry(batch, now, draw(), done);
                }
            }
        }
        self.mend();
    }

    /// The connection to a broker is gone, and with it the answers to all requests under way there.
    pub fn disconnected(
        &mut self,
        broker: BrokerId,
        now: Time,
        mut draw: impl FnMut() -> Uniform,
        done: &mut Vec<Done<M>>,
    ) {
        let lost = self.flying.iter().filter(|(_, request)| request.broker == broker);
        let lost: Vec<_> = lost.map(|(&id, _)| id).collect();
        for id in lost {
            self.answered(id, |_| BatchAnswer::Retriable, now, &mut draw, done);
        }
    }

    /// Whether a request has not been answered in time.
    pub fn is_late(&self, now: Time) -> bool {
        self.flying.values().any(|request| request.deadline <= now)
    }

    /// Gives up what takes too long: requests that are not answered, with their connections, and batches.
    pub fn tick(&mut self, now: Time, mut draw: impl FnMut() -> Uniform, done: &mut Vec<Done<M>>) {
        let late = self.flying.values().filter(|request| request.deadline <= now);
        let late: BTreeSet<_> = late.map(|request| request.broker).collect();
        for broker in late {
            self.disconnected(broker, now, &mut draw, done);
        }
        let Some(limit) = now.as_nanos().checked_sub(self.settings.delivery_timeout.as_nanos()) else { return };
        let limit = Time::from_nanos(limit);
        for batch in self.accumulator.expire(limit) {
            let maybe_written = batch.attempts > 0;
            self.fail(batch, Outcome::TimedOut { maybe_written }, done);
        }
        let mut expired = Vec::new();
        for request in self.flying.values_mut() {
            expired.extend(request.batches.extract_if(.., |batch| batch.created <= limit));
        }
        for batch in expired {
            self.lines.entry(batch.partition).or_default().flying.remove(&batch.id);
            self.fail(batch, Outcome::TimedOut { maybe_written: true }, done);
        }
        self.mend();
    }

    /// When [`Sender::send`] or [`Sender::tick`] has something to do next.
    pub fn next_deadline(&self, now: Time) -> Option<Time> {
        let expiry = |batch: &ProducerBatch<M>| batch.created + self.settings.delivery_timeout;
        let waiting = self.accumulator.partitions().filter_map(|partition| {
            let expires = expiry(self.accumulator.queue(partition).next()?);
            match self.accumulator.ready(partition, now) {
                Readiness::At(time) => Some(time.min(expires)),
                _ => Some(expires),
            }
        });
        let flying = self.flying.values().map(|request| {
            let first = request.batches.iter().map(expiry).min();
            first.map_or(request.deadline, |expires| expires.min(request.deadline))
        });
        waiting.chain(flying).min()
    }

    /// Puts a batch back, unless it has been tried for too long.
    fn retry(&mut self, mut batch: ProducerBatch<M>, now: Time, draw: Uniform, done: &mut Vec<Done<M>>) {
        let is_late = now >= batch.created + self.settings.delivery_timeout;
        if batch.attempts >= self.settings.retries || is_late {
            return self.fail(batch, Outcome::TimedOut { maybe_written: true }, done);
        }
        // A fifth more or less, so that producers do not come back together.
        let pause = self.settings.retry_backoff.times(1 << batch.attempts.min(40)).min(self.settings.retry_backoff_max);
        let spread = 0.8 + 0.4 * draw.open01();
        batch.attempts += 1;
        batch.not_before = now + Span::from_nanos_f64(pause.as_nanos() as f64 * spread);
        self.accumulator.put_back(batch);
    }

    fn fail(&mut self, batch: ProducerBatch<M>, outcome: Outcome, done: &mut Vec<Done<M>>) {
        if batch.stamp.is_some() {
            self.broken.insert(batch.partition);
        }
        self.finish(batch, outcome, done);
    }

    fn finish(&mut self, batch: ProducerBatch<M>, outcome: Outcome, done: &mut Vec<Done<M>>) {
        let line = self.lines.entry(batch.partition).or_default();
        line.flying.remove(&batch.id);
        line.open.remove(&batch.id);
        while line.recent.pop_front_if(|first| !line.open.contains(first)).is_some() {}
        self.accumulator.release(&batch);
        let ProducerBatch { id, partition, records, attempts, .. } = batch;
        done.push(Done { batch: id, partition, records, attempts, outcome });
    }

    /// Where a batch with a sequence was given up, or a later one refused, and nothing is under way, a new epoch begins: what waits gets
    /// sequences from 0.
    fn mend(&mut self) {
        let rests = |partition: &TopicPartition| self.lines.get(partition).is_none_or(|line| line.flying.is_empty());
        let rested: Vec<_> = self.broken.extract_if(.., rests).collect();
        // What a transaction could not write aborts it: its owner asks for another epoch.
        if rested.is_empty() || self.is_transactional {
            return;
        }
        let Some((_, epoch)) = &mut self.identity else { return };
        *epoch = epoch.next();
        let epoch = *epoch;
        for partition in rested {
            let line = self.lines.entry(partition).or_default();
            (line.epoch, line.next, line.is_known) = (epoch, Sequence(0), false);
            for batch in self.accumulator.queue_mut(partition) {
                let Some(stamp) = &mut batch.stamp else { continue };
                (stamp.epoch, stamp.sequence) = (epoch, line.next);
                line.next = line.next.plus(batch.records.len() as u64);
            }
        }
    }

    /// The batches of a partition that were sent at least once and have no answer, in order.
    pub fn open(&self, partition: TopicPartition) -> impl Iterator<Item = BatchId> {
        let open = self.lines.get(&partition).map(|line| &line.open);
        open.into_iter().flat_map(|open| open.iter().copied())
    }
}
