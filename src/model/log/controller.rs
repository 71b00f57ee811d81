//! The controller of a cluster of brokers, which coordinates groups and transactions as well.
//!
//! In a real cluster controllers are a quorum, and each broker coordinates some of the groups and transactions, whose state is a
//! topic of its own. Here one node stands for all of that: it can be far away, or cut off, but what it knows is not lost with any
//! broker.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeBounds;
use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time, ms, secs};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::model::letter::Letter;
use crate::process::{Boot, GroupFact, Observation, Process, TopicFact};
use crate::protocol::log::controller::{Election, PartitionState};
use crate::protocol::log::group::GroupError;
use crate::protocol::log::group::coordinator::{GroupCoordinator, Reply};
use crate::protocol::log::ids::{BrokerId, Generation, GroupId, LeaderEpoch, MemberId, ProducerId, TopicPartition};
use crate::protocol::log::transaction::{
    Marker, Target, TransactionCoordinator, TransactionError, TransactionSettings,
};

use super::due::Due;
use super::leaders::Leaders;
use super::metadata::{Leadership, Metadata};
use super::spec::LogSpec;
use super::wire::{Answer, Body, Producer, Question};
use super::{LogAlarm, Voice};

/// How often preferred replicas are made leaders again (Kafka: `leader.imbalance.check.interval.seconds`).
const PREFERRED: Span = secs(300);
/// How long a marker may take before it is asked for again.
const MARKERS: Span = ms(500);

/// A controller.
#[derive(Debug)]
pub struct LogController {
    spec: Arc<LogSpec>,
    voice: Voice,
    leaders: Leaders,
    brokers: Vec<Session>,
    partitions: BTreeMap<TopicPartition, PartitionState>,
    metadata: Arc<Metadata>,
    groups: BTreeMap<GroupId, Group>,
    /// The last question of each node that is answered once, and the answer, if it has one.
    told: BTreeMap<NodeId, (u64, Option<Answer>)>,
    transactions: BTreeMap<ProducerId, TransactionCoordinator>,
    /// When markers are asked for again.
    markers_due: Option<Time>,
    preferred_due: Time,
    due: Due,
}

/// A broker, as far as it is heard of.
#[derive(Clone, Copy, Debug)]
struct Session {
    life: u32,
    is_alive: bool,
    heard: Time,
}

#[derive(Debug)]
struct Group {
    coordinator: GroupCoordinator,
    /// Who waits for an answer to which question, by member.
    askers: BTreeMap<MemberId, (NodeId, u64)>,
    /// The last commit of each node that nobody waits for.
    commits: BTreeMap<NodeId, u64>,
    shown: Generation,
}

impl LogController {
    /// The process of a controller.
    pub fn new(spec: &Arc<LogSpec>, leaders: &Leaders, boot: &Boot<'_>) -> Self {
        let state = |partition| {
            let unclean = spec.topic(partition).replication.unclean_leader_election_enable;
            (partition, PartitionState::new(spec.replicas(partition), unclean))
        };
        let session = Session { life: 0, is_alive: true, heard: Time::ZERO };
        let controller = Self {
            voice: Voice::new(boot.restarts),
            leaders: leaders.clone(),
            brokers: vec![session; spec.brokers.len as usize],
            partitions: spec.partitions().map(state).collect(),
            metadata: spec.first(),
            groups: BTreeMap::new(),
            told: BTreeMap::new(),
            transactions: BTreeMap::new(),
            markers_due: None,
            preferred_due: Time::ZERO + PREFERRED,
            due: Due::new(LogAlarm::Tick),
            spec: Arc::clone(spec),
        };
        controller.show_leaders();
        controller
    }

    fn show_leaders(&self) {
        for (&partition, state) in &self.partitions {
            let leader = state.leader().map(|leader| self.spec.node(leader));
            self.leaders.show(self.spec.slot(partition), leader);
        }
    }

    fn say(&mut self, cx: &mut Cx<'_>, to: NodeId, body: Body) {
        self.voice.say(cx, to, body, 0);
    }

    /// Has something happen to these partitions, and tells all brokers if that changes anything.
    fn decide(
        &mut self,
        cx: &mut Cx<'_>,
        partitions: impl RangeBounds<TopicPartition>,
        mut change: impl FnMut(&mut PartitionState) -> Election,
    ) {
        let mut is_news = false;
        for (&partition, state) in self.partitions.range_mut(partitions) {
            let before = (state.isr().len(), state.leader(), state.epoch());
            let election = change(state);
            let after = (state.isr().len(), state.leader(), state.epoch());
            is_news |= before != after;
            let topic = self.spec.topic(partition).number;
            let mut note = |fact, count| {
                if count > 0 {
                    cx.observe(Observation::Logged { topic, fact, count });
                }
            };
            note(TopicFact::IsrShrinks, before.0.saturating_sub(after.0) as u32);
            note(TopicFact::IsrExpands, after.0.saturating_sub(before.0) as u32);
            match election {
                Election::Unchanged => {}
                Election::Clean(_) => note(TopicFact::Elections, 1),
                Election::Unclean(_) => note(TopicFact::UncleanElections, 1),
                Election::NoLeader => note(TopicFact::Leaderless, 1),
            }
        }
        if is_news {
            self.publish(cx);
        }
    }

    fn publish(&mut self, cx: &mut Cx<'_>) {
        self.show_leaders();
        let of = |(&partition, state): (&TopicPartition, &PartitionState)| {
            let isr = state.isr().iter().copied().collect();
            (partition, Leadership { leader: state.leader(), epoch: state.epoch(), isr })
        };
        let version = self.metadata.version + 1;
        self.metadata = Arc::new(Metadata { version, partitions: self.partitions.iter().map(of).collect() });
        for broker in 0..self.spec.brokers.len {
            let body = Body::Metadata(Arc::clone(&self.metadata));
            self.say(cx, self.spec.node(BrokerId(broker)), body);
        }
    }

    /// A broker is alive.
    fn hear(&mut self, cx: &mut Cx<'_>, broker: BrokerId, life: u32, version: u64) {
        let Some(session) = self.brokers.get_mut(broker.0 as usize) else { return };
        if life < session.life {
            return;
        }
        let was = std::mem::replace(session, Session { life, is_alive: true, heard: time(cx.now()) });
        if was.is_alive && was.life < life {
            // It was down, and nobody had noticed.
            self.decide(cx, .., |state| state.failed(broker));
        }
        if !was.is_alive || was.life < life {
            self.decide(cx, .., |state| state.started(broker));
        }
        if version < self.metadata.version {
            let body = Body::Metadata(Arc::clone(&self.metadata));
            self.say(cx, self.spec.node(broker), body);
        }
    }

    fn alter(
        &mut self,
        cx: &mut Cx<'_>,
        by: BrokerId,
        partition: TopicPartition,
        epoch: LeaderEpoch,
        isr: &BTreeSet<BrokerId>,
    ) {
        let mut is_refused = false;
        self.decide(cx, partition..=partition, |state| {
            is_refused = state.alter(by, epoch, isr).is_err();
            Election::Unchanged
        });
        if is_refused {
            self.say(cx, self.spec.node(by), Body::NotAltered { partition, epoch });
        }
    }

    fn group(&mut self, id: GroupId) -> &mut Group {
        let settings = &self.spec.groups;
        self.groups.entry(id).or_insert_with(|| Group {
            coordinator: GroupCoordinator::new(settings),
            askers: BTreeMap::new(),
            commits: BTreeMap::new(),
            shown: Generation(0),
        })
    }

    /// A node asks something. What is answered once is answered the same when it is asked again.
    fn asked(&mut self, cx: &mut Cx<'_>, from: NodeId, number: u64, is_once: bool, question: Question) {
        if is_once {
            match self.told.get(&from) {
                Some(&(last, _)) if last > number => return,
                Some((last, answer)) if *last == number => {
                    if let Some(answer) = answer.clone() {
                        self.say(cx, from, Body::Answer { number, answer });
                    }
                    return;
                }
                _ => {
                    self.told.insert(from, (number, None));
                }
            }
        }
        let (answer, group) = self.answer(cx, from, number, is_once, question);
        if let Some(answer) = answer {
            self.tell(cx, from, number, answer);
        }
        group.into_iter().for_each(|group| self.look_at_group(cx, group));
        self.look_at_clock(cx);
    }

    fn tell(&mut self, cx: &mut Cx<'_>, to: NodeId, number: u64, answer: Answer) {
        if let Some(told) = self.told.get_mut(&to).filter(|told| told.0 == number) {
            told.1 = Some(answer.clone());
        }
        self.say(cx, to, Body::Answer { number, answer });
    }

    /// The answer, if there is one at once; and the group that has changed, if one has.
    fn answer(
        &mut self,
        cx: &mut Cx<'_>,
        from: NodeId,
        number: u64,
        is_once: bool,
        question: Question,
    ) -> (Option<Answer>, Option<GroupId>) {
        let now = time(cx.now());
        let mut replies = Vec::new();
        match question {
            Question::Join(id, join) => {
                let group = self.group(id);
                let answer = match group.coordinator.join(join, now, &mut replies) {
                    Ok(member) => {
                        group.askers.insert(member, (from, number));
                        None
                    }
                    Err(error) => Some(Answer::Joined(Err(error))),
                };
                self.reply(cx, id, replies);
                (answer, Some(id))
            }
            Question::Sync(id, sync) => {
                let group = self.group(id);
                let member = sync.member;
                group.askers.insert(member, (from, number));
                let answer =
                    group.coordinator.sync(sync, now, &mut replies).err().map(|error| Answer::Synced(Err(error)));
                self.reply(cx, id, replies);
                (answer, Some(id))
            }
            Question::Heartbeat(id, member, generation) => {
                let heard = self.group(id).coordinator.heartbeat(member, generation, now);
                (Some(Answer::Heard(generation, heard)), Some(id))
            }
            Question::Leave(id, member) => {
                let _ = self.group(id).coordinator.leave(member, now, &mut replies);
                self.reply(cx, id, replies);
                (Some(Answer::Left), Some(id))
            }
            Question::Commit(id, member, generation, offsets) => {
                let group = self.group(id);
                let last = group.commits.entry(from).or_default();
                // A later one has overtaken it.
                if !is_once && number < *last {
                    return (None, None);
                }
                *last = number.max(*last);
                let committed = group.coordinator.commit(member, generation, offsets, now);
                if committed.is_err() {
                    let group = id.0 as u16;
                    cx.observe(Observation::Grouped { group, fact: GroupFact::CommitsRefused, count: 1 });
                }
                (Some(Answer::Committed(committed)), Some(id))
            }
            Question::Offsets(id, partitions) => {
                let offsets = self.group(id).coordinator.offsets();
                let is_stable = !partitions.iter().any(|&partition| offsets.is_unstable(partition));
                let found = partitions.into_iter().map(|partition| (partition, offsets.get(partition)));
                (Some(Answer::Offsets(is_stable.then(|| found.collect()))), None)
            }
            Question::Init(name) => {
                let id = ProducerId(name);
                let settings = TransactionSettings::default();
                let coordinator =
                    self.transactions.entry(id).or_insert_with(|| TransactionCoordinator::new(id, &settings));
                let answer = coordinator.init();
                self.send_markers(cx, id);
                (Some(Answer::Init(answer)), None)
            }
            Question::Add(producer, partitions) => {
                let targets = partitions.into_iter().map(Target::Partition);
                let answer = self.in_transaction(producer, |coordinator| coordinator.add(producer, targets, now));
                (Some(Answer::Added(answer)), None)
            }
            Question::AddOffsets(producer, id, member, generation, offsets) => {
                let of_group = self.group(id).coordinator.heartbeat(member, generation, now);
                if !matches!(of_group, Ok(()) | Err(GroupError::RebalanceInProgress)) {
                    // Others may own what it read.
                    return (Some(Answer::Added(Err(TransactionError::ProducerFenced))), None);
                }
                let targets = [Target::Offsets(id)];
                let answer = self.in_transaction(producer, |coordinator| coordinator.add(producer, targets, now));
                let answer = answer.and_then(|()| {
                    let offsets = self.group(id).coordinator.offsets_mut().commit_in_transaction(producer, offsets);
                    offsets.map_err(|_| TransactionError::ProducerFenced)
                });
                (Some(Answer::Added(answer)), Some(id))
            }
            Question::End(producer, control) => {
                let answer = self.in_transaction(producer, |coordinator| coordinator.end(producer, control));
                self.send_markers(cx, producer.0);
                (Some(Answer::Ended(answer)), None)
            }
        }
    }

    fn in_transaction(
        &mut self,
        (id, _): Producer,
        ask: impl FnOnce(&mut TransactionCoordinator) -> Result<(), TransactionError>,
    ) -> Result<(), TransactionError> {
        self.transactions.get_mut(&id).map_or(Err(TransactionError::ProducerFenced), ask)
    }

    /// Has the ends of transactions written where they are missing.
    fn send_markers(&mut self, cx: &mut Cx<'_>, id: ProducerId) {
        let markers = self.transactions.get(&id).map(TransactionCoordinator::markers).unwrap_or_default();
        for marker in markers {
            match marker.target {
                Target::Offsets(group) => {
                    // A later incarnation's word counts more, whatever this says.
                    let _ = self
                        .group(group)
                        .coordinator
                        .offsets_mut()
                        .end((marker.producer, marker.epoch), marker.control);
                    self.marked(marker);
                }
                Target::Partition(partition) => {
                    self.markers_due = Some(time(cx.now()) + MARKERS);
                    if let Some(leader) = self.metadata.leader(partition) {
                        self.say(cx, self.spec.node(leader), Body::Mark { marker, partition });
                    }
                }
            }
        }
    }

    fn marked(&mut self, marker: Marker) {
        if let Some(coordinator) = self.transactions.get_mut(&marker.producer) {
            coordinator.written(marker);
        }
    }

    /// Answers that members waited for.
    fn reply(&mut self, cx: &mut Cx<'_>, id: GroupId, replies: Vec<Reply>) {
        for reply in replies {
            let (member, answer) = match reply {
                Reply::Join(member, joined) => (member, Answer::Joined(joined)),
                Reply::Sync(member, synced) => (member, Answer::Synced(synced)),
            };
            if let Some(&(node, number)) = self.group(id).askers.get(&member) {
                self.tell(cx, node, number, answer);
            }
        }
    }

    fn look_at_group(&mut self, cx: &mut Cx<'_>, id: GroupId) {
        let group = self.group(id);
        let generation = group.coordinator.generation();
        let began = generation.0 - group.shown.0;
        group.shown = generation;
        if began > 0 {
            cx.observe(Observation::Grouped { group: id.0 as u16, fact: GroupFact::Rebalances, count: began });
        }
    }

    /// Sees to it that somebody looks when something is due.
    fn look_at_clock(&mut self, cx: &mut Cx<'_>) {
        let timeout = self.spec.session_timeout;
        let sessions = self.brokers.iter().filter(|session| session.is_alive).map(|session| session.heard + timeout);
        let groups = self.groups.values().filter_map(|group| group.coordinator.next_deadline());
        let transactions = self.transactions.values().filter_map(TransactionCoordinator::next_deadline);
        let others = [Some(self.preferred_due), self.markers_due].into_iter().flatten();
        let due = sessions.chain(groups).chain(transactions).chain(others).min();
        self.due.set(cx, due);
    }

    fn tick(&mut self, cx: &mut Cx<'_>) {
        self.due.fired();
        let now = time(cx.now());
        let timeout = self.spec.session_timeout;
        for broker in 0..self.brokers.len() {
            let session = &mut self.brokers[broker];
            if session.is_alive && session.heard + timeout <= now {
                session.is_alive = false;
                self.decide(cx, .., |state| state.failed(BrokerId(broker as u32)));
            }
        }
        let ids: Vec<_> = self.groups.keys().copied().collect();
        for id in ids {
            let mut replies = Vec::new();
            self.group(id).coordinator.tick(now, &mut replies);
            self.reply(cx, id, replies);
            self.look_at_group(cx, id);
        }
        let late: Vec<_> =
            self.transactions.iter_mut().filter_map(|(&id, coordinator)| coordinator.tick(now).then_some(id)).collect();
        late.into_iter().for_each(|id| self.send_markers(cx, id));
        if self.markers_due.is_some_and(|due| due <= now) {
            self.markers_due = None;
            let ids: Vec<_> = self.transactions.keys().copied().collect();
            ids.into_iter().for_each(|id| self.send_markers(cx, id));
        }
        if self.preferred_due <= now {
            self.preferred_due = now + PREFERRED;
            self.decide(cx, .., |state| state.elect_preferred());
        }
        self.look_at_clock(cx);
    }
}

impl Process<Letter> for LogController {
    type Timer = Alarm;

    fn start(&mut self, cx: &mut Cx<'_>) {
        let now = time(cx.now());
        self.brokers.iter_mut().for_each(|session| session.heard = now);
        self.preferred_due = now + PREFERRED;
        self.look_at_clock(cx);
    }

    fn message(&mut self, cx: &mut Cx<'_>, from: NodeId, letter: Letter) {
        let Letter::Bulk(bulk) = letter else { return };
        let broker = self.spec.brokers.place_of(from).map(BrokerId);
        match (bulk.body, broker) {
            (Body::Beat { life, version }, Some(broker)) => {
                self.hear(cx, broker, life, version);
                self.look_at_clock(cx);
            }
            (Body::AlterIsr { partition, epoch, isr }, Some(broker)) => self.alter(cx, broker, partition, epoch, &isr),
            (Body::Marked { marker }, _) => {
                self.marked(marker);
                self.look_at_clock(cx);
            }
            (Body::Ask { version }, _) if version < self.metadata.version => {
                let body = Body::Metadata(Arc::clone(&self.metadata));
                self.say(cx, from, body);
            }
            (Body::Question { number, is_once, question }, _) => self.asked(cx, from, number, is_once, question),
            _ => {}
        }
    }

    fn timer(&mut self, cx: &mut Cx<'_>, alarm: Alarm) {
        if alarm == Alarm::Log(LogAlarm::Tick) {
            self.tick(cx);
        }
    }
}
