//! A broker of topics: a node that holds replicas of partitions.
//!
//! It writes what producers send to the partitions that it leads, answers the fetches of consumers and of its followers, and fetches
//! what others lead. Who leads what it is told by the controller, to which it says again and again that it is alive.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time, ms, secs};
use crate::base::units::{Bytes, bytes, mib};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::model::letter::Letter;
use crate::process::{Boot, Clock, Loss, Observation, Process, TimerId, TopicFact};
use crate::protocol::log::fetch::{FetchPart, PartAnswer, Purgatory, Wanted, read};
use crate::protocol::log::ids::{BrokerId, LeaderEpoch, Offset, TopicPartition};
use crate::protocol::log::partition::{AppendError, Batch, Isolation, NewBatch};
use crate::protocol::log::producer::accumulator::BatchId;
use crate::protocol::log::producer::sender::BatchAnswer;
use crate::protocol::log::replica::{
    Answer, FollowerFetch, FollowerFetched, IsrChange, Loss as CutFor, Replica, ReplicaError, Standing,
};
use crate::protocol::log::transaction::Marker;

mod passing;

use super::due::Due;
use super::metadata::Metadata;
use super::spec::LogSpec;
use super::tape::{At, Tape};
use super::wire::{Body, FetchAsk};
use super::{LogAlarm, Parcel, Voice};

/// How long a leader lets a follower wait for something new (Kafka: `replica.fetch.wait.max.ms`).
const FOLLOW_WAIT: Span = ms(500);
/// How long a follower waits for an answer beyond that, before it asks again, as a connection would.
const FOLLOW_PATIENCE: Span = ms(500);
/// How long it leaves a partition alone that its leader does not lead (Kafka: `replica.fetch.backoff.ms`).
const FOLLOW_BACKOFF: Span = secs(1);
/// The most that it fetches of a partition at a time (Kafka: `replica.fetch.max.bytes`).
const FOLLOW_MAX: Bytes = mib(1);
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

/// A follower's fetch: who asks, its number, and what it reads.
type FollowAsk = (NodeId, u64, Vec<(TopicPartition, FollowerFetch)>);

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

/// Somebody who waits until something is replicated.
#[derive(Debug)]
struct Request {
    from: NodeId,
    answer: Pending,
}

#[derive(Debug)]
enum Pending {
    Produced { request: u64, answers: Vec<(BatchId, BatchAnswer)>, left: usize },
    Marked(Marker),
}

#[derive(Debug)]
struct Fetcher {
    /// The fetch that is under way.
    number: u64,
    timer: TimerId,
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

    /// What somebody waited for is replicated, or never will be.
    fn replicated(&mut self, cx: &mut Cx<'_>, request: u64, batch: BatchId, answer: BatchAnswer) {
        let Some(waits) = self.requests.get_mut(&request) else { return };
        if let Pending::Produced { answers, left, .. } = &mut waits.answer {
            answers.push((batch, answer));
            *left -= 1;
            if *left > 0 {
                return;
            }
        }
        let Some(Request { from, answer: pending }) = self.requests.remove(&request) else { return };
        match pending {
            Pending::Produced { request, answers, .. } => self.say(cx, from, Body::Produced { request, answers }, 0),
            // One that is not replicated is asked for again.
            Pending::Marked(marker) => {
                if let BatchAnswer::Written(_) = answer {
                    self.say(cx, from, Body::Marked { marker }, 0);
                }
            }
        }
    }

    /// A producer's batches.
    fn produce(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        request: u64,
        batches: Vec<(TopicPartition, BatchId, NewBatch<Parcel>)>,
    ) {
        let (own, now) = (self.next_request, time(cx.now()));
        self.next_request += 1;
        let (mut answers, mut left, mut is_asked) = (Vec::new(), 0, false);
        let mut grown = BTreeSet::new();
        for (partition, id, batch) in batches {
            let (count, topic) = (batch.records.len() as u32, self.spec.topic(partition).number);
            let Some(place) = self.replicas.place(partition) else {
                answers.push((id, BatchAnswer::Retriable));
                continue;
            };
            let produced = self.replicas.all[place].replica.produce(batch, now);
            let fact = match &produced {
                Ok(produced) if produced.appended.is_duplicate => Some(TopicFact::Deduplicated),
                Ok(_) => Some(TopicFact::Appended),
                Err(ReplicaError::NotEnoughReplicas) => Some(TopicFact::NotEnoughReplicas),
                Err(_) => None,
            };
            if let Some(fact) = fact {
                cx.observe(Observation::Logged { topic, fact, count });
            }
            match produced {
                Ok(produced) => {
                    if !produced.appended.is_duplicate {
                        self.write_last(cx, place);
                        grown.insert(partition);
                    }
                    match produced.answer {
                        Answer::Never => {}
                        Answer::Now => answers.push((id, BatchAnswer::Written(produced.appended.base))),
                        Answer::Replicated(last) => {
                            left += 1;
                            self.waiting.insert((partition, last, own), (id, produced.appended.base));
                            grown.insert(partition);
                        }
                    }
                    is_asked |= produced.answer != Answer::Never;
                }
                Err(error) => {
                    is_asked = true;
                    answers.push((id, refusal(error)));
                }
            }
        }
        if left > 0 {
            let answer = Pending::Produced { request, answers, left };
            self.requests.insert(own, Request { from, answer });
        } else if is_asked {
            self.say(cx, from, Body::Produced { request, answers }, 0);
        }
        grown.into_iter().for_each(|partition| self.moved(cx, partition));
    }

    /// Puts the last batch of a partition on disk.
    fn write_last(&mut self, cx: &mut Cx<'_>, place: usize) {
        let last: Option<Arc<Batch<Parcel>>> = self.replicas.all[place].replica.log.batches().next_back().cloned();
        if let Some(batch) = last {
            let at = at(&self.spec, place, self.replicas.all[place].partition);
            self.tape.write(cx, &at, &batch);
        }
    }

    /// The end of a transaction is written to a partition.
    fn mark(&mut self, cx: &mut Cx<'_>, from: NodeId, marker: Marker, partition: TopicPartition) {
        let (own, now) = (self.next_request, time(cx.now()));
        self.next_request += 1;
        let Some(place) = self.replicas.place(partition) else { return };
        let replica = &mut self.replicas.all[place].replica;
        let Some(leader) = replica.leader().filter(|leader| leader.has_enough()) else { return };
        let epoch = leader.epoch();
        match replica.log.append_marker((marker.producer, marker.epoch), marker.control, epoch, now) {
            Ok(offset) => {
                self.requests.insert(own, Request { from, answer: Pending::Marked(marker) });
                self.waiting.insert((partition, offset, own), (BatchId(0), offset));
                self.write_last(cx, place);
                // Alone in sync, it is replicated at once.
                self.replicas.all[place].replica.advance(now);
                self.moved(cx, partition);
            }
            // A later one is there.
            Err(_) => self.say(cx, from, Body::Marked { marker }, 0),
        }
    }

    /// A follower's fetch: it is answered once there is something.
    fn feed(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        number: u64,
        parts: Vec<(TopicPartition, FollowerFetch)>,
        may_wait: bool,
    ) {
        let now = time(cx.now());
        let (mut found, mut size, mut is_news) = (Vec::new(), 0, false);
        let mut grown = Vec::new();
        for &(partition, fetch) in &parts {
            let place = self.replicas.place(partition);
            let answer = place.map(|place| self.replicas.all[place].replica.fetched(fetch, now));
            let answer = match answer {
                Some(Ok((answer, change))) => {
                    if let Some(change) = change {
                        self.ask_controller(cx, partition, change);
                    }
                    grown.push(partition);
                    Some(answer)
                }
                _ => None,
            };
            is_news |= match &answer {
                Some(FollowerFetched::Batches(fetched)) => {
                    size += fetched.size.count();
                    !fetched.batches.is_empty()
                }
                _ => true,
            };
            found.push((partition, fetch, answer));
        }
        if is_news || !may_wait {
            self.say(cx, from, Body::Followed { number, parts: found }, size);
        } else {
            let replicas = &self.replicas;
            let wanted = Wanted {
                parts: parts.iter().map(|&(partition, fetch)| (partition, fetch.from)).collect(),
                fetch: (from, number, parts),
                min_bytes: bytes(1),
                deadline: now + FOLLOW_WAIT,
            };
            self.followers.enter(wanted, now, |of, from| replicas.available(of, from, Isolation::LogEnd));
        }
        // What the followers have may now be seen by consumers.
        for partition in grown {
            let held = self.replicas.place(partition).map(|place| &self.replicas.all[place]);
            if held.is_some_and(|held| held.replica.log.high_watermark() != held.shown) {
                self.moved(cx, partition);
            }
        }
        self.look_at_fetches(cx);
    }

    /// A consumer's fetch comes.
    fn fetch(&mut self, cx: &mut Cx<'_>, from: NodeId, ask: FetchAsk) {
        let now = time(cx.now());
        let isolation = ask.isolation;
        self.note_beginning(cx, &ask);
        let wanted = Wanted {
            parts: ask.parts.iter().map(|part| (part.partition, part.from)).collect(),
            min_bytes: ask.min,
            deadline: now + ask.wait,
            fetch: (from, ask),
        };
        let replicas = &self.replicas;
        let waiting = self.consumers.entry(isolation).or_default();
        match waiting.enter(wanted, now, |of, from| replicas.available(of, from, isolation)) {
            Some(Wanted { fetch: (node, ask), .. }) => self.serve(cx, node, ask),
            None => self.look_at_fetches(cx),
        }
    }

    /// A consumer's fetch is answered.
    fn serve(&mut self, cx: &mut Cx<'_>, to: NodeId, ask: FetchAsk) {
        let leads = |partition| self.replicas.get(partition).is_some_and(|replica| replica.leader().is_some());
        let (here, elsewhere): (Vec<_>, Vec<_>) = ask.parts.into_iter().partition(|part| leads(part.partition));
        let log = |partition| self.replicas.get(partition).map(|replica| &replica.log);
        let mut parts = read(&here, ask.max, ask.isolation, log);
        let mut elsewhere: Vec<_> = elsewhere.into_iter().map(|part| part.partition).collect();
        if ask.skips.is_reset_to_end {
            // One that cannot be told yet asks again, as one does that has asked the wrong broker.
            let knows = |partition| self.replicas.get(partition).is_some_and(Replica::knows_the_latest);
            let unknown = parts.extract_if(.., |(partition, answer)| answer.is_err() && !knows(*partition));
            elsewhere.extend(unknown.map(|(partition, _)| partition));
        }
        if ask.skips.is_reset_to_end {
            self.note_reset(cx, ask.skips.place, ask.isolation, &parts);
        }
        let cold = self.cold(&here, &parts);
        let size = parts.iter().filter_map(|(_, answer)| answer.as_ref().ok()).map(|found| found.size.count()).sum();
        let body = Body::Fetched { number: ask.number, parts, elsewhere };
        match cold {
            None => self.say(cx, to, body, size),
            Some(bytes) => self.answer_from_disk(cx, to, body, size, bytes),
        }
    }

    /// How much of these answers lies on disk only, if any of it does.
    fn cold(&self, asked: &[FetchPart], parts: &[(TopicPartition, PartAnswer<Parcel>)]) -> Option<u64> {
        let share = self.spec.reads.page_cache?.count() / (self.replicas.all.len() as u64).max(1);
        let is_cold = |part: &&FetchPart| {
            let behind = self.replicas.available(part.partition, part.from, Isolation::LogEnd);
            behind.is_some_and(|behind| behind.count() > share)
        };
        let cold: BTreeSet<_> = asked.iter().filter(is_cold).map(|part| part.partition).collect();
        let found = parts.iter().filter(|(partition, _)| cold.contains(partition));
        let sizes = found.filter_map(|(_, answer)| Some(answer.as_ref().ok()?.size.count()));
        let bytes: u64 = sizes.sum();
        (bytes > 0).then_some(bytes)
    }

    /// The disk reads one thing after the other.
    fn answer_from_disk(&mut self, cx: &mut Cx<'_>, to: NodeId, body: Body, size: u64, bytes: u64) {
        let costs = &self.spec.reads;
        let transfer = costs.rate.map_or(Span::ZERO, |rate| rate.transmission(Bytes::new(bytes)));
        let now = time(cx.now());
        let begins = self.read.last_key_value().map_or(now, |(&(before, _), _)| before.max(now));
        let through = begins + costs.time + transfer;
        let number = self.voice.said();
        self.read.insert((through, number), (to, body, size));
        cx.set_timer(Clock::Steady, through.since(now), Alarm::Log(LogAlarm::Disk));
    }

    /// Answers with what the disk has read.
    fn answer_with_what_is_read(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        while let Some(entry) = self.read.first_entry().filter(|entry| entry.key().0 <= now) {
            let (to, body, size) = entry.remove();
            self.say(cx, to, body, size);
        }
    }

    /// Sees to it that somebody looks when a fetch has waited long enough.
    fn look_at_fetches(&mut self, cx: &mut Cx<'_>) {
        let consumers = self.consumers.values().filter_map(Purgatory::next_deadline);
        let due = consumers.chain(self.followers.next_deadline()).min();
        self.due.set(cx, due);
    }

    fn answer_late(&mut self, cx: &mut Cx<'_>) {
        self.due.fired();
        let now = time(cx.now());
        for Wanted { fetch: (node, number, parts), .. } in self.followers.expired(now) {
            self.feed(cx, node, number, parts, false);
        }
        for isolation in ISOLATIONS {
            let waiting = self.consumers.entry(isolation).or_default();
            for Wanted { fetch: (node, ask), .. } in waiting.expired(now) {
                self.serve(cx, node, ask);
            }
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

    /// Fetches from every leader from which nothing is under way.
    fn fetch_all(&mut self, cx: &mut Cx<'_>) {
        let leaders = self.replicas.all.iter().filter_map(|held| Some(held.replica.next_fetch(FOLLOW_MAX)?.0));
        let leaders: BTreeSet<_> = leaders.chain(self.fetchers.keys().copied()).collect();
        leaders.into_iter().for_each(|leader| self.fetch_from(cx, leader));
    }

    /// Fetches from a leader, whatever is under way.
    fn fetch_from(&mut self, cx: &mut Cx<'_>, leader: BrokerId) {
        if let Some(before) = self.fetchers.remove(&leader) {
            cx.cancel_timer(before.timer);
        }
        let now = time(cx.now());
        self.delayed.retain(|_, until| *until > now);
        let (mut parts, mut is_delayed) = (Vec::new(), false);
        for held in &self.replicas.all {
            match held.replica.next_fetch(FOLLOW_MAX) {
                Some((from, _)) if from == leader && self.delayed.contains_key(&held.partition) => is_delayed = true,
                Some((from, fetch)) if from == leader => parts.push((held.partition, fetch)),
                _ => {}
            }
        }
        let wait = if parts.is_empty() { FOLLOW_BACKOFF } else { FOLLOW_WAIT + FOLLOW_PATIENCE };
        if parts.is_empty() && !is_delayed {
            return;
        }
        let number = self.voice.said();
        let timer = cx.set_timer(Clock::Steady, wait, Alarm::Log(LogAlarm::Refetch(leader.0 as u16)));
        self.fetchers.insert(leader, Fetcher { number, timer });
        if !parts.is_empty() {
            self.say(cx, self.spec.node(leader), Body::Follow { number, parts }, 0);
        }
    }

    /// A leader has answered.
    fn followed(
        &mut self,
        cx: &mut Cx<'_>,
        leader: BrokerId,
        number: u64,
        parts: Vec<(TopicPartition, FollowerFetch, Option<FollowerFetched<Parcel>>)>,
    ) {
        if self.fetchers.get(&leader).is_none_or(|fetcher| fetcher.number != number) {
            return;
        }
        for (partition, fetch, answer) in parts {
            let Some(place) = self.replicas.place(partition) else { continue };
            let Some(answer) = answer else {
                self.delayed.insert(partition, time(cx.now()) + FOLLOW_BACKOFF);
                continue;
            };
            let batches = match &answer {
                FollowerFetched::Batches(fetched) => fetched.batches.clone(),
                _ => Vec::new(),
            };
            let before: Vec<_> = match &answer {
                FollowerFetched::Batches(_) => Vec::new(),
                // It may be cut.
                _ => self.replicas.all[place].replica.log.batches().cloned().collect(),
            };
            let step = self.replicas.all[place].replica.received(fetch.epoch, fetch.from, answer);
            let spec = Arc::clone(&self.spec);
            let at = at(&spec, place, partition);
            for batch in batches.iter().take(step.appended) {
                self.tape.write(cx, &at, batch);
            }
            let topic = self.spec.topic(partition).number;
            let mut reasons = BTreeMap::new();
            for lost in &step.lost {
                let (fact, why) = match lost.loss {
                    CutFor::UncleanElection => (TopicFact::LostUnclean, Loss::UncleanElection),
                    CutFor::AcknowledgedByLeaderOnly => (TopicFact::LostLeaderOnly, Loss::LeaderOnly),
                    CutFor::NeverAcknowledged => (TopicFact::LostNeverAcknowledged, Loss::NotAwaited),
                    CutFor::Unanswered => (TopicFact::CutUnanswered, Loss::Unanswered),
                };
                reasons.insert(lost.offset, why);
                cx.observe(Observation::Logged { topic, fact, count: 1 });
            }
            let why = |offset: Offset| reasons.get(&offset).copied().unwrap_or(Loss::Unanswered);
            let end = self.replicas.all[place].replica.log.end();
            for batch in before.iter().filter(|batch| batch.last >= end) {
                self.tape.clear(cx, &at, batch, why);
            }
            if !step.is_used {
                self.delayed.insert(partition, time(cx.now()) + FOLLOW_BACKOFF);
            }
        }
        self.fetch_from(cx, leader);
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

/// What a producer is told.
fn refusal(error: ReplicaError) -> BatchAnswer {
    match error {
        ReplicaError::Append(AppendError::OutOfOrderSequence) => BatchAnswer::OutOfOrderSequence,
        ReplicaError::Append(_) => BatchAnswer::Fatal,
        _ => BatchAnswer::Retriable,
    }
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
        let (spec, all) = (&self.spec, &self.replicas.all);
        let places = |index: usize| all.get(index).map_or(&[][..], |held| &spec.topic(held.partition).places);
        self.tape.persisted(cx, key, places);
    }
}
