//! The coordinator of a consumer group: a broker that knows the members and counts generations.
//!
//! *Empty*, there are no members. *Preparing*, all have to join again: until all that are known have, or the rebalance timeout is over.
//! Who did not join is no longer a member. *Completing*, a generation has begun, and its leader assigns. *Stable*, everybody has been told
//! what to read. An empty group waits a little for others when the first member comes (KIP-134).
//!
//! A dynamic member is known by its id, a static one by its name (KIP-345): one that comes back under its name within its session
//! timeout takes over what it had, without a rebalance.
//!
//! Source: Apache Kafka 3.9, `kafka.coordinator.group.GroupCoordinator`, `DelayedJoin`, `InitialDelayedJoin`.

use std::collections::{BTreeMap, BTreeSet};

use super::assignor::Subscription;
use super::committed::CommittedOffsets;
use super::{GroupError, Join, Joined, Sync, Synced};
use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time, secs};
use crate::protocol::log::ids::{Generation, InstanceId, MemberId, Offset, TopicPartition};
use crate::settings;

settings! {
    /// How a broker coordinates consumer groups.
    pub struct CoordinatorSettings = "group-coordinator", "Apache Kafka 4.0, broker configuration" {
        /// How long an empty group waits for others once the first member has come, and again when one has (Kafka: 3 s).
        group_initial_rebalance_delay: Span = secs(3),
    }
}

/// What can be said about a coordinator.
pub const COORDINATOR: Listing<CoordinatorSettings> = Listing::of::<CoordinatorSettings>();

impl Settings for CoordinatorSettings {}

/// Where a group is between two generations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupState {
    /// It has no members.
    Empty,
    /// All have to join again.
    PreparingRebalance,
    /// The leader assigns.
    CompletingRebalance,
    /// Everybody reads.
    Stable,
}

/// An answer to a member that waited for it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Reply {
    /// To a join.
    Join(MemberId, Result<Joined, GroupError>),
    /// To a sync.
    Sync(MemberId, Result<Synced, GroupError>),
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Waits {
    No,
    Join,
    Sync,
}

#[derive(Clone, Debug)]
struct Member {
    subscription: Subscription,
    session_timeout: Span,
    rebalance_timeout: Span,
    deadline: Time,
    waits: Waits,
    has_synced: bool,
    assignment: Vec<TopicPartition>,
}

#[derive(Clone, Copy, Debug)]
struct Rebalance {
    due: Time,
    /// How much longer an initial delay may grow; nothing if it is no initial delay.
    left: Option<Span>,
    /// Somebody came during the initial delay.
    has_grown: bool,
}

/// A consumer group at its coordinator.
#[derive(Clone, Debug)]
pub struct GroupCoordinator {
    settings: CoordinatorSettings,
    state: GroupState,
    generation: Generation,
    leader: Option<MemberId>,
    members: BTreeMap<MemberId, Member>,
    instances: BTreeMap<InstanceId, MemberId>,
    /// Static members whose name another one has taken.
    fenced: BTreeSet<MemberId>,
    sessions: BTreeSet<(Time, MemberId)>,
    rebalance: Option<Rebalance>,
    /// Until when members have to ask for their assignment.
    sync_due: Option<Time>,
    next_member: u64,
    offsets: CommittedOffsets,
}

impl GroupCoordinator {
    /// A group without members.
    pub fn new(settings: &CoordinatorSettings) -> Self {
        Self {
            settings: settings.clone(),
            state: GroupState::Empty,
            generation: Generation(0),
            leader: None,
            members: BTreeMap::new(),
            instances: BTreeMap::new(),
            fenced: BTreeSet::new(),
            sessions: BTreeSet::new(),
            rebalance: None,
            sync_due: None,
            next_member: 1,
            offsets: CommittedOffsets::default(),
        }
    }

    /// Where the group is.
    pub fn state(&self) -> GroupState {
        self.state
    }

    /// The current generation.
    pub fn generation(&self) -> Generation {
        self.generation
    }

    /// The members.
    pub fn members(&self) -> impl Iterator<Item = MemberId> {
        self.members.keys().copied()
    }

    /// What a member reads in this generation, as far as it is known.
    pub fn assignment(&self, member: MemberId) -> &[TopicPartition] {
        self.members.get(&member).map_or(&[], |member| &member.assignment)
    }

    /// What the group has committed.
    pub fn offsets(&self) -> &CommittedOffsets {
        &self.offsets
    }

    /// What the group has committed, for transactions, which have fences of their own.
    pub fn offsets_mut(&mut self) -> &mut CommittedOffsets {
        &mut self.offsets
    }

    /// A member wants to be in the next generation. Its id; the answer comes as a [`Reply`], now or later.
    ///
    /// # Errors
    /// If its id is not known, or its name has been taken by another one.
    pub fn join(&mut self, join: Join, now: Time, out: &mut Vec<Reply>) -> Result<MemberId, GroupError> {
        let known = join.subscription.instance.and_then(|instance| self.instances.get(&instance).copied());
        let id = match (join.member, known) {
            (Some(id), Some(holder)) if id != holder => return Err(GroupError::FencedInstance),
            (Some(id), _) if !self.members.contains_key(&id) => return Err(self.stranger(id)),
            (Some(id), _) => id,
            (None, Some(holder)) => return Ok(self.replace(holder, join, now, out)),
            (None, None) => {
                let id = self.fresh();
                self.add(id, join, now);
                self.wait(id, Waits::Join);
                if let Some(rebalance) = &mut self.rebalance {
                    // Only a group that never had a generation waits longer.
                    rebalance.has_grown |= rebalance.left.is_some() && self.generation == Generation(0);
                }
                self.prepare(now, out);
                return Ok(id);
            }
        };
        let member = self.members.get_mut(&id).expect("it was looked up");
        let subscription = Subscription { member: id, ..join.subscription };
        let is_same =
            member.subscription.topics == subscription.topics && member.subscription.owned == subscription.owned;
        member.subscription = subscription;
        (member.session_timeout, member.rebalance_timeout) = (join.session_timeout, join.rebalance_timeout);
        self.touch(id, now);
        // A follower that has nothing new to say only lost the answer.
        let is_repeated = match self.state {
            GroupState::CompletingRebalance => is_same,
            GroupState::Stable => is_same && self.leader != Some(id),
            _ => false,
        };
        if is_repeated {
            out.push(Reply::Join(id, Ok(self.joined(id))));
        } else {
            self.wait(id, Waits::Join);
            self.prepare(now, out);
        }
        Ok(id)
    }

    /// A static member comes back under its name: it gets another id, and keeps what it had.
    fn replace(&mut self, old: MemberId, join: Join, now: Time, out: &mut Vec<Reply>) -> MemberId {
        let id = self.fresh();
        self.fenced.insert(old);
        let before = self.remove(old, out);
        let is_same = before.subscription.topics == join.subscription.topics;
        self.add(id, join, now);
        if let Some(member) = self.members.get_mut(&id) {
            member.assignment = before.assignment;
            member.has_synced = before.has_synced;
        }
        if self.leader == Some(old) {
            self.leader = Some(id);
        }
        if self.state == GroupState::Stable && is_same {
            // It is not asked to assign, whoever it is.
            let joined = Joined { members: Vec::new(), ..self.joined(id) };
            out.push(Reply::Join(id, Ok(joined)));
        } else {
            self.wait(id, Waits::Join);
            self.prepare(now, out);
        }
        id
    }

    /// A member asks what it is to read; the leader says it as well. The answer comes as a [`Reply`], now or later.
    ///
    /// # Errors
    /// If it is not a member of this generation, or the next one is being prepared.
    pub fn sync(&mut self, sync: Sync, now: Time, out: &mut Vec<Reply>) -> Result<(), GroupError> {
        let Sync { member: id, generation, assignment } = sync;
        self.check(id, generation)?;
        self.touch(id, now);
        match self.state {
            GroupState::Empty => Err(GroupError::UnknownMember),
            GroupState::PreparingRebalance => Err(GroupError::RebalanceInProgress),
            GroupState::Stable => {
                self.answer_sync(id, out);
                Ok(())
            }
            GroupState::CompletingRebalance => {
                self.wait(id, Waits::Sync);
                if self.leader == Some(id) {
                    let mut assignment = assignment.unwrap_or_default();
                    for (id, member) in &mut self.members {
                        member.assignment = assignment.remove(id).unwrap_or_default();
                    }
                    self.state = GroupState::Stable;
                    for id in self.waiting(Waits::Sync) {
                        self.touch(id, now);
                        self.answer_sync(id, out);
                    }
                }
                Ok(())
            }
        }
    }

    /// A member is alive.
    ///
    /// # Errors
    /// If it is not a member of this generation, or has to join again.
    pub fn heartbeat(&mut self, id: MemberId, generation: Generation, now: Time) -> Result<(), GroupError> {
        self.check(id, generation)?;
        self.touch(id, now);
        if self.state == GroupState::PreparingRebalance { Err(GroupError::RebalanceInProgress) } else { Ok(()) }
    }

    /// A member goes, or is made to.
    ///
    /// # Errors
    /// If it is not one.
    pub fn leave(&mut self, id: MemberId, now: Time, out: &mut Vec<Reply>) -> Result<(), GroupError> {
        if !self.members.contains_key(&id) {
            return Err(GroupError::UnknownMember);
        }
        self.expel(id, now, out);
        Ok(())
    }

    /// A member commits how far it is. It may do so while the next generation is prepared, as the last thing it does before it
    /// joins.
    ///
    /// # Errors
    /// If it is not a member of this generation, or was not told yet what it reads.
    pub fn commit(
        &mut self,
        id: MemberId,
        generation: Generation,
        offsets: impl IntoIterator<Item = (TopicPartition, Offset)>,
        now: Time,
    ) -> Result<(), GroupError> {
        self.check(id, generation)?;
        if self.state == GroupState::CompletingRebalance {
            return Err(GroupError::RebalanceInProgress);
        }
        self.touch(id, now);
        self.offsets.commit(offsets);
        Ok(())
    }

    /// Time has passed: members that were silent go, and a rebalance that waited long enough goes on without those that did not join.
    pub fn tick(&mut self, now: Time, out: &mut Vec<Reply>) {
        while let Some(&(deadline, id)) = self.sessions.first()
            && deadline <= now
        {
            // Who waits for an answer cannot be silent.
            if self.members[&id].waits == Waits::No {
                self.expel(id, now, out);
            } else {
                self.touch(id, now);
                if self.members[&id].deadline <= now {
                    break;
                }
            }
        }
        if let Some(rebalance) = &mut self.rebalance
            && rebalance.due <= now
        {
            match rebalance.left {
                Some(left) if rebalance.has_grown && left > Span::ZERO => {
                    let delay = self.settings.group_initial_rebalance_delay.min(left);
                    *rebalance = Rebalance { due: now + delay, left: Some(left - delay), has_grown: false };
                }
                _ => self.complete(now, out),
            }
        }
        if self.sync_due.is_some_and(|due| due <= now) {
            self.sync_due = None;
            let late = self.members.iter().filter(|(_, member)| !member.has_synced && member.waits == Waits::No);
            let late: Vec<_> = late.map(|(&id, _)| id).collect();
            for id in late {
                self.expel(id, now, out);
            }
        }
    }

    /// When [`GroupCoordinator::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Time> {
        let session = self.sessions.first().map(|&(deadline, _)| deadline);
        let rebalance = self.rebalance.map(|rebalance| rebalance.due);
        session.into_iter().chain(rebalance).chain(self.sync_due).min()
    }

    fn check(&self, id: MemberId, generation: Generation) -> Result<(), GroupError> {
        if !self.members.contains_key(&id) {
            return Err(self.stranger(id));
        }
        if generation == self.generation { Ok(()) } else { Err(GroupError::IllegalGeneration) }
    }

    /// What one is told that is no member.
    fn stranger(&self, id: MemberId) -> GroupError {
        if self.fenced.contains(&id) { GroupError::FencedInstance } else { GroupError::UnknownMember }
    }

    fn fresh(&mut self) -> MemberId {
        self.next_member += 1;
        MemberId(self.next_member - 1)
    }

    fn add(&mut self, id: MemberId, join: Join, now: Time) {
        if let Some(instance) = join.subscription.instance {
            self.instances.insert(instance, id);
        }
        let member = Member {
            subscription: Subscription { member: id, ..join.subscription },
            session_timeout: join.session_timeout,
            rebalance_timeout: join.rebalance_timeout,
            deadline: now,
            waits: Waits::No,
            has_synced: false,
            assignment: Vec::new(),
        };
        self.members.insert(id, member);
        self.touch(id, now);
    }

    fn wait(&mut self, id: MemberId, what: Waits) {
        if let Some(member) = self.members.get_mut(&id) {
            member.waits = what;
        }
    }

    /// Those that wait for this.
    fn waiting(&self, what: Waits) -> Vec<MemberId> {
        self.members.iter().filter(|(_, member)| member.waits == what).map(|(&id, _)| id).collect()
    }

    /// A member's session begins anew.
    fn touch(&mut self, id: MemberId, now: Time) {
        let Some(member) = self.members.get_mut(&id) else { return };
        self.sessions.remove(&(member.deadline, id));
        member.deadline = now + member.session_timeout;
        self.sessions.insert((member.deadline, id));
    }

    /// Takes a member out; if it waited, it is told.
    fn remove(&mut self, id: MemberId, out: &mut Vec<Reply>) -> Member {
        let member = self.members.remove(&id).expect("only members are removed");
        self.sessions.remove(&(member.deadline, id));
        if let Some(instance) = member.subscription.instance
            && self.instances.get(&instance) == Some(&id)
        {
            self.instances.remove(&instance);
        }
        let error = self.stranger(id);
        match member.waits {
            Waits::No => {}
            Waits::Join => out.push(Reply::Join(id, Err(error))),
            Waits::Sync => out.push(Reply::Sync(id, Err(error))),
        }
        member
    }

    fn expel(&mut self, id: MemberId, now: Time, out: &mut Vec<Reply>) {
        self.remove(id, out);
        self.prepare(now, out);
    }

    fn patience(&self) -> Span {
        self.members.values().map(|member| member.rebalance_timeout).max().unwrap_or_default()
    }

    /// All have to join again; if all have already, the next generation begins.
    fn prepare(&mut self, now: Time, out: &mut Vec<Reply>) {
        match self.state {
            GroupState::PreparingRebalance => {}
            GroupState::Empty => {
                let (delay, patience) = (self.settings.group_initial_rebalance_delay, self.patience());
                let due = now + delay.min(patience);
                self.rebalance = Some(Rebalance { due, left: Some(patience - delay), has_grown: false });
            }
            GroupState::CompletingRebalance | GroupState::Stable => {
                for id in self.waiting(Waits::Sync) {
                    self.wait(id, Waits::No);
                    self.touch(id, now);
                    out.push(Reply::Sync(id, Err(GroupError::RebalanceInProgress)));
                }
                let due = now + self.patience();
                self.rebalance = Some(Rebalance { due, left: None, has_grown: false });
            }
        }
        self.state = GroupState::PreparingRebalance;
        self.sync_due = None;
        let is_initial = self.rebalance.is_some_and(|rebalance| rebalance.left.is_some());
        let all_joined = self.members.values().all(|member| member.waits == Waits::Join);
        if all_joined && (!is_initial || self.members.is_empty()) {
            self.complete(now, out);
        }
    }

    /// The next generation begins with those that joined; static members that did not stay members.
    fn complete(&mut self, now: Time, out: &mut Vec<Reply>) {
        let absent = |member: &Member| member.waits != Waits::Join && member.subscription.instance.is_none();
        let gone: Vec<_> = self.members.iter().filter(|(_, member)| absent(member)).map(|(&id, _)| id).collect();
        for id in gone {
            self.remove(id, out);
        }
        let joined = self.waiting(Waits::Join);
        if joined.is_empty() && !self.members.is_empty() {
            // Only silent static members are left: they have until their sessions end.
            let due = now + self.patience();
            self.rebalance = Some(Rebalance { due, left: None, has_grown: false });
            return;
        }
        self.generation = self.generation.next();
        self.rebalance = None;
        let Some(&first) = joined.first() else {
            (self.state, self.leader) = (GroupState::Empty, None);
            return;
        };
        self.leader = self.leader.filter(|leader| joined.contains(leader)).or(Some(first));
        self.state = GroupState::CompletingRebalance;
        self.sync_due = Some(now + self.patience());
        for id in joined {
            if let Some(member) = self.members.get_mut(&id) {
                member.waits = Waits::No;
                member.has_synced = false;
            }
            self.touch(id, now);
            out.push(Reply::Join(id, Ok(self.joined(id))));
        }
    }

    fn joined(&self, id: MemberId) -> Joined {
        let leader = self.leader.unwrap_or(id);
        let all = || self.members.values().map(|member| member.subscription.clone()).collect();
        let members = if leader == id { all() } else { Vec::new() };
        Joined { member: id, generation: self.generation, leader, members }
    }

    fn answer_sync(&mut self, id: MemberId, out: &mut Vec<Reply>) {
        let generation = self.generation;
        let Some(member) = self.members.get_mut(&id) else { return };
        member.waits = Waits::No;
        member.has_synced = true;
        out.push(Reply::Sync(id, Ok(Synced { generation, assignment: member.assignment.clone() })));
    }
}
