//! A broker of topics: a node that holds replicas of partitions.
//!
//! It writes what producers send to the partitions that it leads, answers the fetches of consumers and of its followers, and fetches
//! what others lead. Who leads what it is told by the controller, to which it says again and again that it is alive.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::base::units::Bytes;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::model::letter::Letter;
use crate::process::{Boot, Clock, Loss, Observation, Process, TopicFact};
use crate::protocol::log::fetch::{Purgatory, Wanted};
use crate::protocol::log::ids::{BrokerId, LeaderEpoch, Offset, TopicPartition};
use crate::protocol::log::partition::Isolation;
use crate::protocol::log::producer::accumulator::BatchId;
use crate::protocol::log::producer::sender::BatchAnswer;
use crate::protocol::log::replica::{IsrChange, Replica, Standing};

mod following;
mod passing;
mod producing;
mod serving;

use super::due::Due;
use super::metadata::Metadata;
use super::spec::LogSpec;
use super::tape::{At, Tape};
use super::wire::{Body, FetchAsk};
use super::{LogAlarm, Parcel, Voice};
use following::{Fetcher, FollowAsk};
use producing::Request;
/// What consumers may read.
const ISOLATIONS: [Isolation; 2] = [Isolation::ReadUncommitted, Isolation::ReadCommitted];
/// A log is compacted once so much of it is not (Kafka: `min.cleanable.dirty.ratio`).
const DIRTY: f64 = 0.5;

/// A broker of topics.
#[derive(Debug)]
pub struct LogBroker {
    spec: Arc<LogSpec>,
    me: BrokerId,
    life: u32,
    voice: Voice,
    metadata: Arc<Metadata>,
    replicas: Replicas,
    tape: Tape,
    /// Requests that wait until what they wrote is replicated.
    requests: BTreeMap<u64, Request>,
    /// What they wait for: the last offset of a batch, which of the requests, the batch, and its first offset.
    waiting: BTreeMap<(TopicPartition, Offset, u64), (BatchId, Offset)>,
    next_request: u64,
    followers: Purgatory<FollowAsk>,
    consumers: BTreeMap<Isolation, Purgatory<(NodeId, FetchAsk)>>,
    /// When a fetch has waited long enough.
    due: Due,
    /// Answers that wait for the disk, by when it has read them and in order.
    read: BTreeMap<(Time, u64), (NodeId, Body, u64)>,
    /// What it fetches itself, by leader.
    fetchers: BTreeMap<BrokerId, Fetcher>,
    /// Partitions that it does not fetch before then.
    delayed: BTreeMap<TopicPartition, Time>,
    /// What it has asked the controller, who has not answered.
    asked: BTreeMap<TopicPartition, IsrChange>,
    /// Up to where it has said of a partition what is passed over, by the place where that is owed.
    passed: BTreeMap<(TopicPartition, u16), Offset>,
}

/// The replicas that a broker has.
#[derive(Debug)]
struct Replicas {
    all: Vec<Held>,
    places: BTreeMap<TopicPartition, usize>,
}

#[derive(Debug)]
struct Held {
    partition: TopicPartition,
    replica: Replica<Parcel>,
    /// What was said last of how far consumers can see.
    shown: Offset,
    /// The high watermark that is noted on disk.
    noted: Offset,
}

impl Replicas {
    fn place(&self, partition: TopicPartition) -> Option<usize> {
        self.places.get(&partition).copied()
    }

    fn get(&self, partition: TopicPartition) -> Option<&Replica<Parcel>> {
        Some(&self.all[self.place(partition)?].replica)
    }

    /// How much a fetch would find; nothing if this is not the leader, or there is no such offset.
    fn available(&self, partition: TopicPartition, from: Offset, isolation: Isolation) -> Option<Bytes> {
        let replica = self.get(partition).filter(|replica| replica.leader().is_some())?;
        replica.log.available(from, isolation).ok()
    }
}

impl LogBroker {
    /// The process of one broker.
    pub fn new(spec: &Arc<LogSpec>, boot: &Boot<'_>) -> Self {
        let me = BrokerId(boot.index);
        let mine = spec.partitions().filter(|partition| spec.replicas(*partition).contains(&me));
        let held = |partition| {
            let topic = spec.topic(partition);
            Held {
                partition,
                replica: Replica::new(me, &topic.log, &topic.replication),
                shown: Offset::ZERO,
                noted: Offset::ZERO,
            }
        };
        let mut all: Vec<_> = mine.map(held).collect();
        let (tape, found) = Tape::found(boot.disk);
        for (place, batch) in found {
            if let Some(held) = all.get_mut(place) {
                // After a batch that is missing nothing fits.
                let _ = held.replica.log.append_as_follower(batch);
            }
        }
        for (place, offset) in Tape::watermarks(boot.disk) {
            if let Some(held) = all.get_mut(place) {
                held.noted = offset;
                held.replica.log.set_high_watermark(offset);
            }
        }
        let places = all.iter().enumerate().map(|(place, held)| (held.partition, place)).collect();
        Self {
            me,
            life: boot.restarts,
            voice: Voice::new(boot.restarts),
            metadata: Arc::new(Metadata { version: 0, partitions: BTreeMap::new() }),
            replicas: Replicas { all, places },
            tape,
            requests: BTreeMap::new(),
            waiting: BTreeMap::new(),
            next_request: 0,
            followers: Purgatory::default(),
            consumers: ISOLATIONS.into_iter().map(|isolation| (isolation, Purgatory::default())).collect(),
            due: Due::new(LogAlarm::Fetches),
            read: BTreeMap::new(),
            fetchers: BTreeMap::new(),
            delayed: BTreeMap::new(),
            asked: BTreeMap::new(),
            passed: BTreeMap::new(),
            spec: Arc::clone(spec),
        }
    }

    fn say(&mut self, cx: &mut Cx<'_>, to: NodeId, body: Body, size: u64) {
        self.voice.say(cx, to, body, size);
    }

    fn beat(&mut self, cx: &mut Cx<'_>) {
        let body = Body::Beat { life: self.life, version: self.metadata.version };
        self.say(cx, self.spec.controller, body, 0);
        for (place, held) in self.replicas.all.iter_mut().enumerate() {
            let offset = held.replica.log.high_watermark();
            if std::mem::replace(&mut held.noted, offset) != offset {
                Tape::note_watermark(cx, place, offset);
            }
        }
        for (partition, change) in self.asked.clone() {
            self.ask_controller(cx, partition, change);
        }
        cx.set_timer(Clock::Steady, self.spec.heartbeat, Alarm::Log(LogAlarm::Beat));
    }

    /// Learns who leads what.
    fn learn(&mut self, cx: &mut Cx<'_>, metadata: Arc<Metadata>) {
        if metadata.version <= self.metadata.version {
            return;
        }
        self.metadata = Arc::clone(&metadata);
        let now = time(cx.now());
        let mut moved = Vec::new();
        for held in &mut self.replicas.all {
            let Some(told) = metadata.partitions.get(&held.partition) else { continue };
            let known = held.replica.epoch();
            let replica = &mut held.replica;
            if told.leader == Some(self.me) {
                let all = self.spec.replicas(held.partition);
                if replica.lead(told.epoch, &all, &told.isr, now) {
                    self.asked.remove(&held.partition);
                } else {
                    if let Some(change) = self.asked.get(&held.partition)
                        && change.isr.iter().eq(&told.isr)
                    {
                        self.asked.remove(&held.partition);
                    }
                    replica.altered(told.epoch, &told.isr, now);
                }
                moved.push(held.partition);
            } else if told.epoch > known || replica.leader().is_some() {
                replica.follow(told.epoch, told.leader);
                self.asked.remove(&held.partition);
                self.delayed.remove(&held.partition);
                moved.push(held.partition);
            }
        }
        // Another leader may write something else there.
        self.passed.retain(|(partition, _), _| !moved.contains(partition));
        moved.into_iter().for_each(|partition| self.moved(cx, partition));
        self.fetch_all(cx);
    }

    /// A partition has grown, more of it is replicated, or another one leads it: whoever waits for that is told.
    fn moved(&mut self, cx: &mut Cx<'_>, partition: TopicPartition) {
        let Some(place) = self.replicas.place(partition) else { return };
        let held = &mut self.replicas.all[place];
        let visible = held.replica.log.high_watermark();
        if held.replica.leader().is_some() && visible != held.shown {
            held.shown = visible;
            let topic = self.spec.topic(partition).number;
            cx.observe(Observation::LogEnd { topic, partition: partition.partition, offset: visible.0 });
        }
        let replica = &held.replica;
        let mut told = Vec::new();
        for (&(_, offset, request), &(batch, base)) in
            self.waiting.range((partition, Offset::ZERO, 0)..=(partition, Offset(u64::MAX), u64::MAX))
        {
            let answer = match replica.standing(offset) {
                Standing::Waiting => break,
                Standing::Replicated => BatchAnswer::Written(base),
                Standing::NotEnoughReplicasAfterAppend | Standing::NotLeader => BatchAnswer::Retriable,
            };
            told.push((offset, request, batch, answer));
        }
        for (offset, request, batch, answer) in told {
            self.waiting.remove(&(partition, offset, request));
            self.replicated(cx, request, batch, answer);
        }
        let replicas = &self.replicas;
        let fetches = self.followers.grown(partition, |of, from| replicas.available(of, from, Isolation::LogEnd));
        fetches
            .into_iter()
            .for_each(|Wanted { fetch: (node, number, parts), .. }| self.feed(cx, node, number, parts, false));
        for isolation in ISOLATIONS {
            let replicas = &self.replicas;
            let waiting = self.consumers.entry(isolation).or_default();
            let fetches = waiting.grown(partition, |of, from| replicas.available(of, from, isolation));
            fetches.into_iter().for_each(|Wanted { fetch: (node, ask), .. }| self.serve(cx, node, ask));
        }
        self.look_at_fetches(cx);
    }

    fn ask_controller(&mut self, cx: &mut Cx<'_>, partition: TopicPartition, change: IsrChange) {
        let body = Body::AlterIsr { partition, epoch: change.epoch, isr: change.isr.clone() };
        self.asked.insert(partition, change);
        self.say(cx, self.spec.controller, body, 0);
    }

    /// The controller has refused what it was asked.
    fn not_altered(&mut self, partition: TopicPartition, epoch: LeaderEpoch) {
        let is_open = self.asked.get(&partition).is_some_and(|change| change.epoch == epoch);
        if let Some(place) = self.replicas.place(partition).filter(|_| is_open) {
            self.asked.remove(&partition);
            self.replicas.all[place].replica.not_altered();
        }
    }

    /// Who lags falls out of sync.
    fn look_for_laggards(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        let lagging = |held: &mut Held| Some((held.partition, held.replica.lagging(now)?));
        let changes: Vec<_> = self.replicas.all.iter_mut().filter_map(lagging).collect();
        for (partition, change) in changes {
            self.ask_controller(cx, partition, change);
        }
        self.schedule_lag(cx);
    }

    fn schedule_lag(&self, cx: &mut Cx<'_>) {
        let held =
            self.replicas.all.iter().map(|held| self.spec.topic(held.partition).replication.replica_lag_time_max);
        if let Some(least) = held.min() {
            let wait = Span::from_nanos((least.as_nanos() / 2).max(1_000_000));
            cx.set_timer(Clock::Steady, wait, Alarm::Log(LogAlarm::Lag));
        }
    }

    /// Old records are deleted, and those that a later one replaces.
    fn clean(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        for (place, held) in self.replicas.all.iter_mut().enumerate() {
            let topic = self.spec.topic(held.partition).number;
            let leads = held.replica.leader().is_some();
            let log = &mut held.replica.log;
            let gone = log.retain(now);
            let deleted: usize = gone.iter().map(|batch| batch.records.len()).sum();
            let at = at(&self.spec, place, held.partition);
            gone.iter().for_each(|batch| self.tape.clear(cx, &at, batch, |_| Loss::Retention));
            let mut compacted = 0;
            if log.settings().cleanup_policy.compacts() && log.dirty_ratio(now) >= DIRTY {
                compacted = log.compact(now).removed.len();
                self.tape.shrink(cx, &at, held.replica.log.batches());
            }
            for (fact, count) in [(TopicFact::Deleted, deleted), (TopicFact::Compacted, compacted)] {
                if leads && count > 0 {
                    cx.observe(Observation::Logged { topic, fact, count: count as u32 });
                }
            }
        }
        cx.set_timer(Clock::Steady, self.spec.retention_check, Alarm::Log(LogAlarm::Retention));
    }
}

/// A partition, as the disk knows it.
fn at(spec: &LogSpec, index: usize, partition: TopicPartition) -> At<'_> {
    At { index, partition, places: &spec.topic(partition).places }
}

impl Process<Letter> for LogBroker {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        self.beat(cx);
        if self.life == 0 {
            self.learn(cx, self.spec.first());
        }
        self.schedule_lag(cx);
        cx.set_timer(Clock::Steady, self.spec.retention_check, Alarm::Log(LogAlarm::Retention));
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let Letter::Bulk(bulk) = letter else { return };
        match bulk.body {
            Body::Metadata(metadata) => self.learn(cx, metadata),
            Body::NotAltered { partition, epoch } => self.not_altered(partition, epoch),
            Body::Produce { request, batches } => self.produce(cx, from, request, batches),
            Body::Follow { number, parts } => self.feed(cx, from, number, parts, true),
            Body::Followed { number, parts } => {
                if let Some(leader) = self.spec.brokers.place_of(from) {
                    self.followed(cx, BrokerId(leader), number, parts);
                }
            }
            Body::Fetch(ask) => self.fetch(cx, from, ask),
            Body::Mark { marker, partition } => self.mark(cx, from, marker, partition),
            _ => {}
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        match alarm {
            Alarm::Log(LogAlarm::Beat) => self.beat(cx),
            Alarm::Log(LogAlarm::Fetches) => self.answer_late(cx),
            Alarm::Log(LogAlarm::Disk) => self.answer_with_what_is_read(cx),
            Alarm::Log(LogAlarm::Lag) => self.look_for_laggards(cx),
            Alarm::Log(LogAlarm::Retention) => self.clean(cx),
            Alarm::Log(LogAlarm::Refetch(leader)) => self.fetch_from(cx, BrokerId(leader.into())),
            _ => {}
        }
    }

    fn persisted(&mut self, cx: &mut Cx<'_>, key: u64) {
        self.unheard(key, &mut |observation| cx.observe(observation));
    }

    fn unheard(&mut self, key: u64, state: &mut dyn FnMut(Observation)) {
        let (spec, all) = (&self.spec, &self.replicas.all);
        let places = |index: usize| all.get(index).map_or(&[][..], |held| &spec.topic(held.partition).places);
        self.tape.persisted(key, places, state);
    }
}
