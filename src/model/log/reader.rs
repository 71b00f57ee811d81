//! Reading topics: a member of a group, what it fetches, and how far it is.
//!
//! A reader polls, hands out what the poll returned, and polls again when all of that is processed; heartbeats go on meanwhile.
//! Whatever changes what it owns happens when it polls. It asks its coordinator one question at a time, again and again until it
//! is answered, as a connection would.

mod exactly_once;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time, ms, secs};
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{GroupFact, Observation};
use crate::protocol::log::fetch::{FetchPart, Fetcher, PartAnswer, Polled};
use crate::protocol::log::group::GroupError;
use crate::protocol::log::group::member::{Action, GroupMember};
use crate::protocol::log::group::offsets::{Commit, CommitId, CommitMode, CommitPoint, OffsetReset, Positions};
use crate::protocol::log::ids::{BrokerId, Generation, InstanceId, MemberId, Offset, TopicPartition};

use super::due::Due;
use super::metadata::Guide;
use super::spec::ReaderSpec;
use super::wire::{Answer, Body, FetchAsk, Question, Skips};
use super::{LogAlarm, Parcel, Producers, Voice};
use exactly_once::ExactlyOnce;

/// How long a question waits for its answer before it is asked again.
const PATIENCE: Span = secs(1);
/// How long a partition rests whose leader is not known (Kafka: `retry.backoff.ms`).
const BACKOFF: Span = ms(100);
/// How long a fetch may be late before it is taken for lost.
const FETCH_PATIENCE: Span = ms(500);
/// There is no such offset: whoever asks for it learns which there are.
const NOWHERE: Offset = Offset(u64::MAX);

/// A member of a group that reads topics.
#[derive(Debug)]
pub(in crate::model) struct Reader {
    spec: Arc<ReaderSpec>,
    member: GroupMember,
    positions: Positions,
    fetcher: Fetcher<Parcel>,
    guide: Guide,
    /// Fetches under way: their numbers, and when each counts as lost.
    fetches: BTreeMap<BrokerId, (u64, Time)>,
    /// Partitions in which it begins, and of which it has heard nothing yet.
    begins: BTreeSet<TopicPartition>,
    /// Partitions that are not fetched before then.
    resting: BTreeMap<TopicPartition, Time>,
    /// What it waits for.
    open: Option<Open>,
    /// What it does next.
    todo: VecDeque<Action>,
    /// Records that it has handed out, and that are not processed.
    handed: usize,
    /// Where the partitions of the last poll will be when they are.
    polled: Vec<(TopicPartition, Offset)>,
    /// What a poll has returned, and is not handed out before its commit is answered.
    held: Vec<Parcel>,
    /// What it reads and writes in, if in transactions.
    exactly_once: Option<ExactlyOnce>,
    /// How often what it hands out has been handed out in vain.
    attempt: u32,
    life: u32,
    voice: Voice,
    due: Due,
}

/// A question that is not answered.
#[derive(Debug)]
struct Open {
    number: u64,
    question: Question,
    commit: Option<CommitId>,
    /// When it is asked again.
    again: Time,
    /// Whether that is another question of the same words, as this one was answered with "later".
    is_anew: bool,
}

/// What a reader has for its owner.
#[derive(Debug, Default)]
pub(in crate::model) struct Turn {
    /// Records to be processed.
    pub(in crate::model) records: Vec<Parcel>,
    /// How often they have been handed out before, in vain.
    pub(in crate::model) attempt: u32,
}

impl Reader {
    /// A consumer at the `index`-th node of its group, in its `life`-th life.
    pub(in crate::model) fn new(spec: &Arc<ReaderSpec>, index: u32, life: u32) -> Self {
        // Its clock may be later already: it polls before anything can be due.
        let now = Time::ZERO;
        let instance = spec.is_static.then_some(InstanceId(index));
        Self {
            member: GroupMember::new(&spec.member, &spec.assignor, instance, spec.topics.clone(), now),
            positions: Positions::new(&spec.offsets, now),
            fetcher: Fetcher::new(&spec.fetch),
            guide: Guide::new(spec.cluster.first()),
            fetches: BTreeMap::new(),
            begins: BTreeSet::new(),
            resting: BTreeMap::new(),
            open: None,
            todo: VecDeque::new(),
            handed: 0,
            polled: Vec::new(),
            held: Vec::new(),
            exactly_once: spec.is_transactional.then(ExactlyOnce::default),
            attempt: 0,
            life,
            voice: Voice::new(life),
            due: Due::new(LogAlarm::Tick),
            spec: Arc::clone(spec),
        }
    }

    /// Something was said to it. What is to be processed now.
    pub(in crate::model) fn heard(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        body: Body,
        producers: &mut Producers,
    ) -> Turn {
        match body {
            Body::Metadata(metadata) if self.guide.learn(&metadata) => self.resting.clear(),
            Body::Fetched { number, parts, elsewhere } => {
                if let Some(broker) = self.spec.cluster.brokers.place_of(from) {
                    self.fetched(cx, BrokerId(broker), number, parts, elsewhere);
                }
            }
            Body::Answer { number, answer } => self.answered(cx, number, answer, producers),
            // Something is written that the end of a transaction may wait for.
            Body::Produced { .. } if self.exactly_once.is_some() => {}
            _ => return Turn::default(),
        }
        self.go_on(cx, producers)
    }

    /// The connection to a node is broken. What is to be processed now.
    pub(in crate::model) fn disconnected(&mut self, cx: &mut Cx<'_>, peer: NodeId, producers: &mut Producers) -> Turn {
        let broker = self.spec.cluster.brokers.place_of(peer).map(BrokerId);
        if let Some(broker) = broker.filter(|broker| self.fetches.remove(broker).is_some()) {
            self.fetcher.answered(broker, Vec::new());
            self.guide.is_stale = true;
        }
        self.go_on(cx, producers)
    }

    /// Something is due. What is to be processed now.
    pub(in crate::model) fn woken(&mut self, cx: &mut Cx<'_>, producers: &mut Producers) -> Turn {
        self.due.fired();
        let now = time(cx.now());
        let mut actions = Vec::new();
        self.member.tick(now, &mut actions);
        // These two do not wait for a poll.
        for action in actions {
            match action {
                Action::Heartbeat(..) | Action::Leave(_) => self.act(cx, action, now),
                other => self.todo.push_back(other),
            }
        }
        let late: Vec<_> = self.fetches.iter().filter(|(_, (_, due))| *due <= now).map(|(&broker, _)| broker).collect();
        for broker in late {
            self.fetches.remove(&broker);
            self.fetcher.answered(broker, Vec::new());
            self.guide.is_stale = true;
        }
        if let Some(open) = &mut self.open
            && open.again <= now
        {
            open.again = now + PATIENCE;
            if std::mem::take(&mut open.is_anew) {
                open.number = self.voice.said();
            }
            let (number, question) = (open.number, open.question.clone());
            self.voice.say(cx, self.spec.cluster.controller, Body::Question { number, is_once: true, question }, 0);
        }
        self.go_on(cx, producers)
    }

    /// One of the records that were handed out is processed, well or not; whether that was the last one.
    pub(in crate::model) fn processed(&mut self, is_well: bool) -> bool {
        if let Some(exactly_once) = &mut self.exactly_once {
            exactly_once.has_failed |= !is_well;
        }
        self.handed = self.handed.saturating_sub(1);
        self.handed == 0
    }

    /// All that was handed out is processed: it goes on at once, as soon as time has passed at all.
    pub(in crate::model) fn wake(&mut self, cx: &mut Cx<'_>) {
        self.due.set(cx, Some(time(cx.now())));
    }

    /// Does whatever can be done now.
    pub(in crate::model) fn go_on(&mut self, cx: &mut Cx<'_>, producers: &mut Producers) -> Turn {
        let now = time(cx.now());
        self.resting.retain(|_, until| *until > now);
        let mut turn = Turn { attempt: self.attempt, ..Turn::default() };
        while self.open.is_none() {
            if self.exactly_once.as_ref().is_some_and(|exactly_once| exactly_once.identity.is_none()) {
                self.ask(cx, Question::Init(cx.name().bits()), None, now);
                continue;
            }
            if let Some(action) = self.todo.pop_front() {
                self.act(cx, action, now);
                continue;
            }
            if self.handed > 0 {
                break;
            }
            if !self.held.is_empty() {
                turn.records = std::mem::take(&mut self.held);
                self.handed = turn.records.len();
                break;
            }
            if !self.polled.is_empty() {
                if self.exactly_once.is_none() {
                    self.note_processed(cx, now);
                } else if !self.end_transaction(cx, producers, now) {
                    break;
                }
                continue;
            }
            let mut actions = Vec::new();
            self.member.poll(now, &mut actions);
            if !actions.is_empty() {
                self.todo.extend(actions);
                continue;
            }
            if let Some(commit) = self.positions.auto_commit(now) {
                self.commit(cx, commit, now);
            }
            let polled = self.fetcher.poll();
            self.fetch(cx, now);
            if polled.is_empty() {
                break;
            }
            self.take(cx, polled, now);
        }
        self.guide.ask(cx, &mut self.voice, self.spec.cluster.controller, now, BACKOFF);
        self.look_at_clock(cx, now);
        turn
    }

    /// A poll has returned something.
    fn take(&mut self, cx: &mut Cx<'_>, polled: Vec<Polled<Parcel>>, now: Time) {
        for Polled { partition, records, next } in polled {
            let topic = self.spec.cluster.topic(partition).number;
            if let Some(&(first, _)) = records.first() {
                cx.observe(Observation::Polled {
                    group: self.spec.group.0 as u16,
                    topic,
                    partition: partition.partition,
                    from: first.0,
                    count: records.len() as u32,
                });
            }
            self.positions.returned(partition, next);
            self.polled.push((partition, next));
            self.held.extend(records.into_iter().map(|(_, record)| record.value));
        }
        let offsets = &self.spec.offsets;
        if !offsets.enable_auto_commit
            && self.exactly_once.is_none()
            && offsets.commit_point == CommitPoint::BeforeProcessing
            && let Some(commit) = self.positions.commit()
        {
            self.commit(cx, commit, now);
        }
    }

    /// All that the last poll returned is processed.
    fn note_processed(&mut self, cx: &mut Cx<'_>, now: Time) {
        self.settle(cx);
        let offsets = &self.spec.offsets;
        if !offsets.enable_auto_commit
            && offsets.commit_point == CommitPoint::AfterProcessing
            && let Some(commit) = self.positions.commit()
        {
            self.commit(cx, commit, now);
        }
    }

    /// What the last poll returned counts as processed.
    fn settle(&mut self, cx: &mut Cx<'_>) {
        for (partition, next) in std::mem::take(&mut self.polled) {
            self.positions.processed(partition, next);
            self.show(cx, partition, next);
        }
    }

    /// Says how far it is.
    fn show(&self, cx: &mut Cx<'_>, partition: TopicPartition, next: Offset) {
        let (group, topic) = (self.spec.group.0 as u16, self.spec.cluster.topic(partition).number);
        cx.observe(Observation::Progress { group, topic, partition: partition.partition, offset: next.0 });
    }

    fn act(&mut self, cx: &mut Cx<'_>, action: Action, now: Time) {
        let group = self.spec.group;
        match action {
            Action::Join(join) => self.ask(cx, Question::Join(group, join), None, now),
            Action::Sync(sync) => self.ask(cx, Question::Sync(group, sync), None, now),
            Action::Heartbeat(member, generation) => self.say(cx, Question::Heartbeat(group, member, generation)),
            Action::Leave(member) => self.say(cx, Question::Leave(group, member)),
            Action::Assigned(partitions) => self.ask(cx, Question::Offsets(group, partitions), None, now),
            Action::Revoked(partitions) => {
                let commit = self.positions.last_commit().or_else(|| {
                    let is_manual = !self.spec.offsets.enable_auto_commit && self.exactly_once.is_none();
                    is_manual.then(|| self.positions.commit()).flatten()
                });
                if let Some(commit) = commit {
                    self.commit(cx, commit, now);
                }
                self.give_up(cx, &partitions, GroupFact::Revoked);
            }
            Action::Lost(partitions) => self.give_up(cx, &partitions, GroupFact::LostPartitions),
        }
    }

    fn give_up(&mut self, cx: &mut Cx<'_>, partitions: &[TopicPartition], fact: GroupFact) {
        for &partition in partitions {
            self.positions.remove(partition);
            self.fetcher.remove(partition);
            self.resting.remove(&partition);
            self.begins.remove(&partition);
        }
        let (group, count) = (self.spec.group.0 as u16, partitions.len() as u32);
        cx.observe(Observation::Grouped { group, fact, count });
    }

    /// Commits, and waits for the answer if it is to.
    fn commit(&mut self, cx: &mut Cx<'_>, commit: Commit, now: Time) {
        let Some((member, generation)) = self.standing() else { return };
        let question = Question::Commit(self.spec.group, member, generation, commit.offsets);
        match commit.mode {
            CommitMode::Sync => self.ask(cx, question, Some(commit.id), now),
            CommitMode::Async => {
                self.say(cx, question);
                // Nobody waits for the answer; what is lost a later one makes up for.
                self.positions.answered(commit.id, true, false);
            }
        }
    }

    fn standing(&self) -> Option<(MemberId, Generation)> {
        Some((self.member.id()?, self.member.generation()?))
    }

    /// Asks something and waits for the answer.
    fn ask(&mut self, cx: &mut Cx<'_>, question: Question, commit: Option<CommitId>, now: Time) {
        let number = self.voice.said();
        let body = Body::Question { number, is_once: true, question: question.clone() };
        self.open = Some(Open { number, question, commit, again: now + PATIENCE, is_anew: false });
        self.voice.say(cx, self.spec.cluster.controller, body, 0);
    }

    /// Says something to the coordinator, and goes on.
    fn say(&mut self, cx: &mut Cx<'_>, question: Question) {
        let number = self.voice.said();
        self.voice.say(cx, self.spec.cluster.controller, Body::Question { number, is_once: false, question }, 0);
    }

    fn answered(&mut self, cx: &mut Cx<'_>, number: u64, answer: Answer, producers: &mut Producers) {
        let now = time(cx.now());
        let mut actions = Vec::new();
        match answer {
            Answer::Heard(generation, heard) => self.member.heard(generation, heard, now, &mut actions),
            Answer::Left => {}
            Answer::Init(_) | Answer::Added(_) | Answer::Ended(_) => {
                if let Some(open) = self.open.take_if(|open| open.number == number) {
                    self.transacted(cx, open, answer, producers, now);
                }
            }
            answer => {
                let is_open = self.open.as_ref().is_some_and(|open| open.number == number);
                // What nobody waits for is a commit: if it was refused, the member is no member any more.
                let open = if is_open { self.open.take() } else { None };
                self.learn(cx, open, answer, now, &mut actions);
            }
        }
        // What an answer leads to comes before what a poll leads to.
        for action in actions.into_iter().rev() {
            self.todo.push_front(action);
        }
    }

    fn learn(&mut self, cx: &mut Cx<'_>, open: Option<Open>, answer: Answer, now: Time, actions: &mut Vec<Action>) {
        match (answer, open) {
            (Answer::Joined(joined), Some(_)) => {
                let topics = (0..).zip(&self.spec.cluster.topics);
                let topics = topics.map(|(id, topic)| (crate::protocol::log::ids::TopicId(id), topic.partitions.get()));
                self.member.joined(joined, &topics.collect(), now, actions);
            }
            (Answer::Synced(synced), Some(_)) => self.member.synced(synced, now, actions),
            (Answer::Committed(committed), open) => {
                if let Some(id) = open.and_then(|open| open.commit) {
                    self.positions.answered(id, committed.is_ok(), false);
                }
                self.note_refusal(committed, now, actions);
            }
            (Answer::Offsets(Some(offsets)), Some(_)) => {
                for (partition, committed) in offsets {
                    let from = self.positions.assign(partition, committed);
                    self.fetcher.seek(partition, from.unwrap_or(NOWHERE));
                    if let Some(from) = from {
                        self.begins.insert(partition);
                        self.show(cx, partition, from);
                    }
                }
            }
            // A transaction that is open may change them.
            (Answer::Offsets(None), Some(open)) => {
                self.open = Some(Open { again: now + BACKOFF, is_anew: true, ..open });
            }
            _ => {}
        }
    }

    fn note_refusal(&mut self, answer: Result<(), GroupError>, now: Time, actions: &mut Vec<Action>) {
        if let (Err(error), Some(generation)) = (answer, self.member.generation()) {
            self.member.heard(generation, Err(error), now, actions);
        }
    }

    /// Fetches from every broker from which nothing is under way.
    fn fetch(&mut self, cx: &mut Cx<'_>, now: Time) {
        let (metadata, resting) = (&self.guide.metadata, &self.resting);
        let leader = |partition| metadata.leader(partition).filter(|_| !resting.contains_key(&partition));
        for request in self.fetcher.requests(leader) {
            let skips = self.skips(&request.parts);
            let number = self.voice.said();
            self.fetches.insert(request.broker, (number, now + request.wait + FETCH_PATIENCE));
            let ask = FetchAsk {
                number,
                parts: request.parts,
                max: request.max,
                min: request.min,
                wait: request.wait,
                isolation: request.isolation,
                skips,
            };
            self.voice.say(cx, self.spec.cluster.node(request.broker), Body::Fetch(ask), 0);
        }
    }

    /// What its group passes over with this fetch.
    fn skips(&self, parts: &[FetchPart]) -> Skips {
        let offsets = &self.spec.offsets;
        let is_ahead = self.exactly_once.is_none()
            && !offsets.enable_auto_commit
            && offsets.commit_point == CommitPoint::BeforeProcessing;
        let begins = parts.iter().map(|part| part.partition).filter(|of| is_ahead && self.begins.contains(of));
        Skips {
            place: self.spec.place,
            begins: begins.collect(),
            is_reset_to_end: offsets.auto_offset_reset == OffsetReset::Latest,
        }
    }

    fn fetched(
        &mut self,
        cx: &mut Cx<'_>,
        broker: BrokerId,
        number: u64,
        parts: Vec<(TopicPartition, PartAnswer<Parcel>)>,
        elsewhere: Vec<TopicPartition>,
    ) {
        if self.fetches.get(&broker).is_none_or(|&(open, _)| open != number) {
            return;
        }
        self.fetches.remove(&broker);
        self.begins.retain(|begun| parts.iter().all(|(partition, _)| partition != begun));
        for (partition, range) in self.fetcher.answered(broker, parts) {
            match self.positions.reset(partition, range.start, range.end) {
                Ok(offset) => {
                    self.fetcher.seek(partition, offset);
                    self.show(cx, partition, offset);
                }
                Err(_) => self.fetcher.remove(partition),
            }
        }
        let until = time(cx.now()) + BACKOFF;
        self.guide.is_stale |= !elsewhere.is_empty();
        self.resting.extend(elsewhere.into_iter().map(|partition| (partition, until)));
    }

    fn look_at_clock(&mut self, cx: &mut Cx<'_>, now: Time) {
        let asks = self.guide.is_stale.then_some(self.guide.asks_at);
        let open = self.open.as_ref().map(|open| open.again);
        let fetches = self.fetches.values().map(|&(_, due)| due).min();
        let resting = self.resting.values().copied().min();
        // One that owns nothing asks for its assignment when it polls: it polls now and then whatever happens.
        let polls = Some(now + self.spec.member.heartbeat_interval);
        let due = [self.member.next_deadline(), asks, open, fetches, resting, polls].into_iter().flatten().min();
        self.due.set(cx, due);
    }
}
