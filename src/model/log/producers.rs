//! Publishing to topics: the producers of a node.
//!
//! A record waits for company, goes out in a batch, and comes back as written or not; whoever published it is told then. Until that
//! the producer has a copy, which is gone if its node fails. What was sent without an answer, and might still arrive, counts as
//! being on its way for as long as a request may take.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::id::{Entity, NodeId};
use crate::base::random::{Key, mix};
use crate::base::time::{Span, Time, ms, secs};
use crate::base::units::Bytes;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Exit, Loss, MessageId, NO_PLACE, Observation};
use crate::protocol::log::ids::{BrokerId, ProducerEpoch, ProducerId, TopicId, TopicPartition};
use crate::protocol::log::partition::Acks;
use crate::protocol::log::producer::accumulator::BatchId;
use crate::protocol::log::producer::partitioner::{AnyPartitioner, Partitioner, Partitions};
use crate::protocol::log::producer::sender::{BatchAnswer, Done, Outcome, RequestId, Sender};
use crate::protocol::log::transaction::TransactionError;

use super::due::Due;
use super::metadata::Guide;
use super::spec::{ProducerSpec, RecordSpec};
use super::wire::{self, Answer, Body, Question};
use super::{Entry, LogAlarm, Parcel, Voice};

/// What each record takes beside its contents (message format 2: seven fields of a byte at least).
const RECORD_OVERHEAD: Bytes = Bytes::new(7);

/// How long a question waits for its answer before it is asked again.
const PATIENCE: Span = secs(1);
/// How long it waits for the transaction before to be completed (Kafka: 20 ms for the first request of a transaction).
const CONCURRENT: Span = ms(20);

/// The producers of a node, by the numbers that their plan gives them.
#[derive(Debug, Default)]
pub(in crate::model) struct Producers {
    all: BTreeMap<u16, Producer>,
    /// What all of them write, if they write in transactions.
    transaction: Option<Transaction>,
    /// What has ended, and was somebody else's than the caller's.
    pub(in crate::model) of_others: Vec<Finished>,
}

/// A record that has ended: whose it was, and how.
#[derive(Clone, Copy, Debug)]
pub(in crate::model) struct Finished {
    /// Its number at its owner.
    pub(in crate::model) number: u32,
    /// What kind of message it was.
    pub(in crate::model) call: u16,
    /// How it ended.
    pub(in crate::model) outcome: Outcome,
}

/// Why a record is lost that never reached a broker.
fn unwritten(acks: Acks) -> Loss {
    if acks == Acks::None { Loss::NotAwaited } else { Loss::Unanswered }
}

/// What the producers of a node write together.
#[derive(Debug)]
struct Transaction {
    identity: wire::Producer,
    controller: NodeId,
    /// What has been published to since it began.
    wanted: BTreeSet<TopicPartition>,
    /// Of these, what the coordinator knows of: nothing is written to others.
    added: BTreeSet<TopicPartition>,
    /// The question that is open, and when it is asked again.
    asked: Option<(u64, Time)>,
    /// What that question names.
    asking: BTreeSet<TopicPartition>,
    /// Whether something could not be written.
    has_failed: bool,
    voice: Voice,
}

/// Set in the numbers of a transaction's questions, which are not those of its node's reader.
const OWN: u64 = 1 << 63;

#[derive(Debug)]
struct Producer {
    spec: Arc<ProducerSpec>,
    sender: Sender<Parcel>,
    partitioners: BTreeMap<TopicId, AnyPartitioner>,
    guide: Guide,
    /// Partitions that have a leader, by topic.
    available: BTreeMap<TopicId, Vec<u32>>,
    /// Records for which there is no memory, and until when they wait.
    blocked: VecDeque<(TopicPartition, Entry, Time)>,
    /// Copies that may still arrive somewhere, and until when.
    under_way: VecDeque<(Time, MessageId)>,
    voice: Voice,
    life: u32,
    due: Due,
}

impl Producers {
    /// Publishes a record, which has been stated as an attempt. What becomes of it is told later.
    pub(in crate::model) fn publish(
        &mut self,
        cx: &mut Cx<'_>,
        record: &RecordSpec,
        life: u32,
        (parcel, key, size): (Parcel, Option<u64>, u64),
        draws: &Key,
    ) {
        let now = time(cx.now());
        let transaction = &mut self.transaction;
        let producer = self.all.entry(record.producer).or_insert_with(|| {
            let mut producer = Producer::new(cx, record.producer, &record.spec, life);
            if let Some(transaction) = transaction {
                producer.write_as(transaction.identity);
            }
            producer
        });
        // The copy in its memory takes the place of the one that was attempted.
        cx.observe(Observation::Stored {
            message: parcel.message,
            place: NO_PLACE,
            key: None,
            risk: unwritten(record.spec.sender.acks),
        });
        cx.observe(Observation::Replaced { message: parcel.message });
        let size = Bytes::new(size) + RECORD_OVERHEAD;
        let partition = producer.partition(record.topic, key, size, parcel.luck, draws);
        let entry = Entry { key, value: parcel, size, timestamp: now, is_tombstone: false };
        producer.append(partition, entry, now);
        producer.wake(cx, now);
        if let Some(transaction) = &mut self.transaction {
            transaction.wanted.insert(partition);
            transaction.ask(cx, now);
        }
    }

    /// Something is due at a producer. What has ended.
    pub(in crate::model) fn woken(&mut self, cx: &mut Cx<'_>, number: u16) -> Vec<Finished> {
        let now = time(cx.now());
        if let Some(transaction) = &mut self.transaction {
            transaction.ask(cx, now);
        }
        let Some(producer) = self.all.get_mut(&number) else { return Vec::new() };
        producer.due.fired();
        let ended = producer.work(cx, number, self.transaction.as_mut());
        self.note(ended)
    }

    /// What was not written aborts the transaction that it belongs to.
    fn note(&mut self, ended: Vec<Finished>) -> Vec<Finished> {
        if let Some(transaction) = &mut self.transaction {
            transaction.has_failed |= !ended.iter().all(|ended| matches!(ended.outcome, Outcome::Written(_)));
        }
        ended
    }

    /// From now on all is written in transactions, by this producer.
    pub(in crate::model) fn write_as(&mut self, identity: wire::Producer, controller: NodeId, life: u32) {
        self.all.values_mut().for_each(|producer| producer.write_as(identity));
        let said = self.transaction.take().map_or_else(|| Voice::new(life), |before| before.voice);
        self.transaction = Some(Transaction {
            identity,
            controller,
            wanted: BTreeSet::new(),
            added: BTreeSet::new(),
            asking: BTreeSet::new(),
            asked: None,
            has_failed: false,
            voice: said,
        });
    }

    /// Whether everything is written, or given up.
    pub(in crate::model) fn is_flushed(&self) -> bool {
        self.all.values().all(|producer| producer.sender.is_idle() && producer.blocked.is_empty())
    }

    /// Whether something of the transaction could not be written.
    pub(in crate::model) fn has_failed(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| transaction.has_failed)
    }

    /// Whether the transaction has written anything.
    pub(in crate::model) fn has_written(&self) -> bool {
        self.transaction.as_ref().is_some_and(|transaction| !transaction.added.is_empty())
    }

    /// The transaction is over: what follows belongs to the next.
    pub(in crate::model) fn begin_anew(&mut self) {
        if let Some(transaction) = &mut self.transaction {
            transaction.wanted.clear();
            transaction.added.clear();
            (transaction.asked, transaction.has_failed) = (None, false);
        }
    }

    /// The coordinator knows where the transaction writes, or refuses it.
    fn added(&mut self, cx: &mut Cx<'_>, number: u64, added: Result<(), TransactionError>) -> Vec<Finished> {
        let now = time(cx.now());
        let Some(transaction) = &mut self.transaction else { return Vec::new() };
        if transaction.asked.is_none_or(|(open, _)| open != number) {
            return Vec::new();
        }
        match added {
            Ok(()) => {
                transaction.asked = None;
                // More may be wanted meanwhile.
                let asked = std::mem::take(&mut transaction.asking);
                transaction.added.extend(asked);
                transaction.ask(cx, now);
            }
            // The one before is being completed.
            Err(TransactionError::ConcurrentTransactions) => {
                transaction.asked = Some((number, now + CONCURRENT));
            }
            Err(_) => {
                transaction.has_failed = true;
                transaction.asked = Some((number, Time::MAX));
            }
        }
        let mut ended = Vec::new();
        for (&number, producer) in &mut self.all {
            ended.extend(producer.work(cx, number, self.transaction.as_mut()));
        }
        self.note(ended)
    }

    /// The connection to a node is broken. What has ended.
    pub(in crate::model) fn disconnected(&mut self, cx: &mut Cx<'_>, peer: NodeId) -> Vec<Finished> {
        let mut ended = Vec::new();
        for (&number, producer) in &mut self.all {
            let Some(broker) = producer.spec.cluster.brokers.place_of(peer) else { continue };
            let (now, mut done) = (time(cx.now()), Vec::new());
            producer.sender.disconnected(BrokerId(broker), now, || cx.draw(), &mut done);
            producer.guide.is_stale = true;
            ended.extend(producer.finished(cx, now, done));
            ended.extend(producer.work(cx, number, self.transaction.as_mut()));
        }
        self.note(ended)
    }

    /// A broker, or the controller, says something. What has ended.
    pub(in crate::model) fn heard(&mut self, cx: &mut Cx<'_>, from: NodeId, body: &Body) -> Vec<Finished> {
        match body {
            Body::Produced { request, answers } => {
                let number = (request >> 32) as u16;
                let Some(producer) = self.all.get_mut(&number) else { return Vec::new() };
                if (request >> 48) as u32 != producer.life & 0xffff {
                    return Vec::new();
                }
                let transaction = self.transaction.as_mut();
                let mut ended = producer.answered(cx, RequestId(request & 0xffff_ffff), answers);
                ended.extend(producer.work(cx, number, transaction));
                self.note(ended)
            }
            Body::Metadata(metadata) => {
                let mut ended = Vec::new();
                for (&number, producer) in &mut self.all {
                    if producer.spec.cluster.controller == from && producer.guide.learn(metadata) {
                        producer.see_leaders();
                        ended.extend(producer.work(cx, number, self.transaction.as_mut()));
                    }
                }
                self.note(ended)
            }
            Body::Answer { number, answer: Answer::Added(added) } => self.added(cx, *number, *added),
            _ => Vec::new(),
        }
    }
}

impl Transaction {
    /// Tells the coordinator where it is going to write, if it does not know.
    fn ask(&mut self, cx: &mut Cx<'_>, now: Time) {
        let is_known = self.wanted.is_subset(&self.added);
        if is_known || self.asked.is_some_and(|(_, again)| again > now) {
            return;
        }
        let number = OWN | self.voice.said();
        self.asked = Some((number, now + PATIENCE));
        self.asking = self.wanted.clone();
        let question = Question::Add(self.identity, self.wanted.iter().copied().collect());
        self.voice.say(cx, self.controller, Body::Question { number, is_once: false, question }, 0);
    }
}

impl Producer {
    fn write_as(&mut self, (id, epoch): wire::Producer) {
        self.sender.identify(id, epoch);
        self.sender.set_transactional(true);
    }

    fn new(cx: &Cx<'_>, number: u16, spec: &Arc<ProducerSpec>, life: u32) -> Self {
        let mut sender = Sender::new(&spec.sender, &spec.accumulator);
        // Every incarnation has an id of its own, which it would ask a broker for once.
        sender.identify(ProducerId(mix(cx.name().bits() ^ mix(life.into()))), ProducerEpoch(0));
        let mut producer = Self {
            sender,
            partitioners: BTreeMap::new(),
            guide: Guide::new(spec.cluster.first()),
            available: BTreeMap::new(),
            blocked: VecDeque::new(),
            under_way: VecDeque::new(),
            voice: Voice::new(life),
            life,
            due: Due::new(LogAlarm::Producer(number)),
            spec: Arc::clone(spec),
        };
        producer.see_leaders();
        producer
    }

    /// Finds the partitions that have a leader.
    fn see_leaders(&mut self) {
        self.available.clear();
        for (partition, told) in &self.guide.metadata.partitions {
            if told.leader.is_some() {
                self.available.entry(partition.topic).or_default().push(partition.partition);
            }
        }
    }

    fn partition(&mut self, topic: TopicId, key: Option<u64>, size: Bytes, luck: u64, draws: &Key) -> TopicPartition {
        let spec = &self.spec;
        let partitioner = self.partitioners.entry(topic).or_insert_with(|| spec.partitioner.start());
        let available = self.available.get(&topic).map_or(&[][..], Vec::as_slice);
        let partitions = Partitions { count: spec.cluster.topics[topic.0 as usize].partitions, available };
        let mut luck = draws.stream(Entity::from_bits(luck), 1 << 40);
        let number = partitioner.partition(key, size, partitions, || luck.draw());
        TopicPartition { topic, partition: number }
    }

    fn append(&mut self, partition: TopicPartition, entry: Entry, now: Time) {
        if !self.blocked.is_empty() {
            self.blocked.push_back((partition, entry, now + self.spec.accumulator.max_block));
        } else if let Err(full) = self.sender.append(partition, entry, now) {
            self.blocked.push_back((partition, entry, full.until));
        }
    }

    /// Sends what can be sent, and gives up what takes too long. What has ended.
    fn work(&mut self, cx: &mut Cx<'_>, number: u16, transaction: Option<&mut Transaction>) -> Vec<Finished> {
        let now = time(cx.now());
        let mut done = Vec::new();
        self.guide.is_stale |= self.sender.is_late(now);
        self.sender.tick(now, || cx.draw(), &mut done);
        self.send(cx, number, now, transaction.as_deref(), &mut done);
        while let Some(&(partition, entry, until)) = self.blocked.front() {
            if self.sender.append(partition, entry, now).is_ok() {
                self.blocked.pop_front();
            } else if until <= now {
                self.blocked.pop_front();
                let outcome = Outcome::TimedOut { maybe_written: false };
                done.push(Done { batch: BatchId(u64::MAX), partition, records: vec![entry], attempts: 0, outcome });
            } else {
                break;
            }
        }
        self.send(cx, number, now, transaction.as_deref(), &mut done);
        while self.under_way.front().is_some_and(|&(until, _)| until <= now) {
            if let Some((_, message)) = self.under_way.pop_front() {
                cx.observe(Observation::Released {
                    message,
                    place: NO_PLACE,
                    is_kept: false,
                    exit: Exit::LetGo(unwritten(self.spec.sender.acks)),
                });
            }
        }
        let leaderless = |partition| self.guide.metadata.leader(partition).is_none();
        self.guide.is_stale |= self.sender.accumulator().partitions().any(leaderless);
        if !self.sender.is_idle() {
            let backoff = self.spec.sender.retry_backoff;
            self.guide.ask(cx, &mut self.voice, self.spec.cluster.controller, now, backoff);
        }
        let finished = self.finished(cx, now, done);
        self.look_at_clock(cx, now);
        if let Some((_, again)) = transaction.and_then(|transaction| transaction.asked)
            && again < Time::MAX
            && self.due.at().is_none_or(|at| at > again)
        {
            self.due.set(cx, Some(again.max(now)));
        }
        finished
    }

    fn send(
        &mut self,
        cx: &mut Cx<'_>,
        number: u16,
        now: Time,
        transaction: Option<&Transaction>,
        done: &mut Vec<Done<Parcel>>,
    ) {
        let metadata = Arc::clone(&self.guide.metadata);
        let may_write = |partition| transaction.is_none_or(|transaction| transaction.added.contains(&partition));
        let leader = |partition| metadata.leader(partition).filter(|_| may_write(partition));
        while let Some(request) = self.sender.send(now, leader, done) {
            let size = request.batches.iter().map(|(.., batch)| batch.size.count()).sum();
            let id = u64::from(self.life & 0xffff) << 48 | u64::from(number) << 32 | request.id.0 & 0xffff_ffff;
            let body = Body::Produce { request: id, batches: request.batches };
            self.voice.say(cx, self.spec.cluster.node(request.broker), body, size);
        }
    }

    fn answered(&mut self, cx: &mut Cx<'_>, id: RequestId, answers: &[(BatchId, BatchAnswer)]) -> Vec<Finished> {
        let now = time(cx.now());
        let says = |batch| {
            let found = answers.iter().find(|(id, _)| *id == batch);
            found.map_or(BatchAnswer::Retriable, |&(_, answer)| answer)
        };
        self.guide.is_stale |= answers.iter().any(|(_, answer)| *answer == BatchAnswer::Retriable);
        let mut done = Vec::new();
        self.sender.answered(id, says, now, || cx.draw(), &mut done);
        self.finished(cx, now, done)
    }

    /// What those who published it are told, and what becomes of the copies here.
    fn finished(&mut self, cx: &mut Cx<'_>, now: Time, done: Vec<Done<Parcel>>) -> Vec<Finished> {
        let mut finished = Vec::new();
        for Done { records, outcome, .. } in done {
            let may_arrive = match outcome {
                Outcome::Written(_) => self.spec.sender.acks == Acks::None,
                Outcome::TimedOut { maybe_written } => maybe_written,
                Outcome::Refused => false,
            };
            for record in records {
                let Parcel { message, call, .. } = record.value;
                if may_arrive {
                    self.under_way.push_back((now + self.spec.sender.request_timeout, message));
                } else {
                    cx.observe(Observation::Released {
                        message,
                        place: NO_PLACE,
                        is_kept: false,
                        exit: Exit::Acknowledged,
                    });
                }
                finished.push(Finished { number: message.number, call, outcome });
            }
        }
        finished
    }

    /// It looks at what there is to do as soon as it may.
    fn wake(&mut self, cx: &mut Cx<'_>, now: Time) {
        self.look_at_clock(cx, now);
        if self.sender.is_ready(now) {
            self.due.set(cx, Some(now));
        }
    }

    fn look_at_clock(&mut self, cx: &mut Cx<'_>, now: Time) {
        let asks = (self.guide.is_stale && !self.sender.is_idle()).then_some(self.guide.asks_at);
        let blocked = self.blocked.front().map(|&(.., until)| until);
        let under_way = self.under_way.front().map(|&(until, _)| until);
        let due = self.sender.next_deadline(now).into_iter().chain(asks).chain(blocked).chain(under_way).min();
        self.due.set(cx, due);
    }
}
