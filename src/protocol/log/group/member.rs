//! A member of a consumer group: when it joins, what it owns, and when it is alive.
//!
//! Everything that changes what it owns happens when its owner polls; heartbeats go on in between. *Eager* members give up everything
//! before they join. *Cooperative* members go on reading; after the assignment they give up what others are to have, and join again at
//! once, so that those get it (KIP-429). Who does not poll for `max-poll-interval` leaves by itself. Who is thrown out has *lost* its
//! partitions: others may own them already, so it must not commit.
//!
//! Source: Apache Kafka 3.9 and 4.0, `ConsumerCoordinator`, `AbstractCoordinator`, `Heartbeat`.

use std::collections::{BTreeMap, BTreeSet};

use super::assignor::{AnyAssignor, Assignor, AssignorPolicy, RebalanceProtocol, Subscription};
use super::{GroupError, Join, Joined, Sync, Synced};
use crate::base::settings::{Listing, Settings};
use crate::base::time::{Span, Time, secs};
use crate::protocol::log::ids::{Generation, InstanceId, MemberId, TopicId, TopicPartition};
use crate::settings;

settings! {
    /// How a consumer takes part in its group. Short timeouts notice sooner that a member is gone, and take slow members for dead.
    pub struct MemberSettings = "group-member", "Apache Kafka 4.0, consumer configuration" {
        /// A member that is silent for so long is taken for dead (Kafka: 45 s; 10 s before 3.0).
        session_timeout: Span = secs(45),
        /// How often it says that it is alive (Kafka: 3 s).
        heartbeat_interval: Span = secs(3),
        /// How long it may take between polls, and a rebalance may wait for it (Kafka: 5 min).
        max_poll_interval: Span = secs(300),
    }
}

/// What can be said about a member.
pub const MEMBER: Listing<MemberSettings> = Listing::of::<MemberSettings>();

impl Settings for MemberSettings {
    fn check(&self) -> Result<(), String> {
        if self.heartbeat_interval == Span::ZERO || self.heartbeat_interval >= self.session_timeout {
            return Err("needs a `heartbeat-interval` above zero and below `session-timeout`".into());
        }
        Ok(())
    }
}

/// What a member does next.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Action {
    /// Sends this.
    Join(Join),
    /// Sends this.
    Sync(Sync),
    /// Sends a heartbeat.
    Heartbeat(MemberId, Generation),
    /// Says that it goes.
    Leave(MemberId),
    /// Reads these from now on.
    Assigned(Vec<TopicPartition>),
    /// Gives these up: it may still commit how far it is.
    Revoked(Vec<TopicPartition>),
    /// Has lost these: it may not.
    Lost(Vec<TopicPartition>),
}

/// Where a member is between two generations.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum MemberState {
    /// It is in no group.
    Unjoined,
    /// It waits for the next generation.
    Joining,
    /// It waits for its assignment.
    Syncing,
    /// It reads.
    Stable,
    /// Another one has taken its name: it stops for good.
    Fenced,
}

/// A consumer's part in its group.
#[derive(Clone, Debug)]
pub struct GroupMember {
    settings: MemberSettings,
    assignor: AnyAssignor,
    instance: Option<InstanceId>,
    topics: BTreeSet<TopicId>,
    id: Option<MemberId>,
    generation: Option<Generation>,
    state: MemberState,
    owned: BTreeSet<TopicPartition>,
    must_join: bool,
    polled: Time,
    next_heartbeat: Time,
    /// The last answer to a heartbeat.
    heard: Time,
}

impl GroupMember {
    /// A consumer that wants to read these topics, from `now` on. With an `instance` it is a static member.
    pub fn new(
        settings: &MemberSettings,
        assignor: &AssignorPolicy,
        instance: Option<InstanceId>,
        topics: BTreeSet<TopicId>,
        now: Time,
    ) -> Self {
        Self {
            settings: settings.clone(),
            assignor: assignor.start(),
            instance,
            topics,
            id: None,
            generation: None,
            state: MemberState::Unjoined,
            owned: BTreeSet::new(),
            must_join: true,
            polled: now,
            next_heartbeat: Time::MAX,
            heard: now,
        }
    }

    /// Where it is.
    pub fn state(&self) -> MemberState {
        self.state
    }

    /// Its id, if it has one.
    pub fn id(&self) -> Option<MemberId> {
        self.id
    }

    /// The generation it belongs to, with which it commits.
    pub fn generation(&self) -> Option<Generation> {
        self.generation
    }

    /// What it reads.
    pub fn owned(&self) -> impl Iterator<Item = TopicPartition> {
        self.owned.iter().copied()
    }

    /// Wants to read other topics from the next poll on; or the number of partitions has changed.
    pub fn subscribe(&mut self, topics: BTreeSet<TopicId>) {
        self.topics = topics;
        self.must_join = true;
    }

    /// Its owner polls: it joins if it has to.
    pub fn poll(&mut self, now: Time, out: &mut Vec<Action>) {
        self.polled = now;
        let is_busy = matches!(self.state, MemberState::Joining | MemberState::Syncing | MemberState::Fenced);
        if !self.must_join || is_busy {
            return;
        }
        if self.generation.is_none() {
            self.lose(out);
        } else if self.assignor.protocol() == RebalanceProtocol::Eager {
            let all: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
            if !all.is_empty() {
                out.push(Action::Revoked(all));
            }
        } else {
            // Of topics that it no longer reads it gives up everything.
            let gone: Vec<_> = self.owned.extract_if(.., |owned| !self.topics.contains(&owned.topic)).collect();
            if !gone.is_empty() {
                out.push(Action::Revoked(gone));
            }
        }
        self.must_join = false;
        self.state = MemberState::Joining;
        self.next_heartbeat = Time::MAX;
        out.push(Action::Join(Join {
            member: self.id,
            subscription: Subscription {
                member: self.id.unwrap_or_default(),
                instance: self.instance,
                topics: self.topics.clone(),
                owned: self.owned.iter().copied().collect(),
                generation: self.generation.unwrap_or_default(),
            },
            session_timeout: self.settings.session_timeout,
            rebalance_timeout: self.settings.max_poll_interval,
        }));
    }

    /// The coordinator answers to a join. `topics` holds the number of partitions of every topic, if this one has to assign.
    pub fn joined(
        &mut self,
        answer: Result<Joined, GroupError>,
        topics: &BTreeMap<TopicId, u32>,
        now: Time,
        out: &mut Vec<Action>,
    ) {
        if self.state != MemberState::Joining {
            return;
        }
        match answer {
            Ok(joined) => {
                (self.id, self.generation) = (Some(joined.member), Some(joined.generation));
                self.state = MemberState::Syncing;
                self.heard = now;
                self.next_heartbeat = now + self.settings.heartbeat_interval;
                let assigns = joined.leader == joined.member && !joined.members.is_empty();
                let assignment = assigns.then(|| self.assignor.assign(topics, &joined.members));
                out.push(Action::Sync(Sync { member: joined.member, generation: joined.generation, assignment }));
            }
            Err(error) => self.refused(error, out),
        }
    }

    /// The coordinator answers to a sync.
    pub fn synced(&mut self, answer: Result<Synced, GroupError>, now: Time, out: &mut Vec<Action>) {
        if self.state != MemberState::Syncing {
            return;
        }
        match answer {
            Ok(synced) if Some(synced.generation) == self.generation => {
                self.state = MemberState::Stable;
                self.heard = now;
                let assigned: BTreeSet<_> = synced.assignment.into_iter().collect();
                let revoked: Vec<_> = self.owned.difference(&assigned).copied().collect();
                let added: Vec<_> = assigned.difference(&self.owned).copied().collect();
                self.owned = assigned;
                if !revoked.is_empty() {
                    // Others wait for these.
                    self.must_join = true;
                    out.push(Action::Revoked(revoked));
                }
                if !added.is_empty() {
                    out.push(Action::Assigned(added));
                }
            }
            Ok(_) => {}
            Err(error) => self.refused(error, out),
        }
    }

    /// The coordinator answers to a heartbeat, or to a commit that it refused.
    pub fn heard(&mut self, generation: Generation, answer: Result<(), GroupError>, now: Time, out: &mut Vec<Action>) {
        // An answer to what was said in an earlier generation is late.
        if self.generation != Some(generation) {
            return;
        }
        match answer {
            Ok(()) => self.heard = now,
            Err(GroupError::RebalanceInProgress) => {
                self.heard = now;
                self.must_join |= self.state == MemberState::Stable;
            }
            Err(error) => self.refused(error, out),
        }
    }

    /// No answer came to a join or sync: it tries again at the next poll.
    pub fn unanswered(&mut self) {
        if matches!(self.state, MemberState::Joining | MemberState::Syncing) {
            self.state = if self.generation.is_some() { MemberState::Stable } else { MemberState::Unjoined };
            self.must_join = true;
        }
    }

    /// Time has passed: says that it is alive, or leaves because its owner did not poll.
    pub fn tick(&mut self, now: Time, out: &mut Vec<Action>) {
        let is_member = matches!(self.state, MemberState::Syncing | MemberState::Stable);
        let (true, Some(id), Some(generation)) = (is_member, self.id, self.generation) else { return };
        if now >= self.polled + self.settings.max_poll_interval {
            // What it owned it loses when its owner polls again.
            (self.id, self.generation, self.state, self.must_join) = (None, None, MemberState::Unjoined, true);
            self.next_heartbeat = Time::MAX;
            if self.instance.is_none() {
                out.push(Action::Leave(id));
            }
        } else if now >= self.next_heartbeat {
            self.next_heartbeat = now + self.settings.heartbeat_interval;
            out.push(Action::Heartbeat(id, generation));
        }
    }

    /// When [`GroupMember::tick`] has something to do next.
    pub fn next_deadline(&self) -> Option<Time> {
        let is_member = matches!(self.state, MemberState::Syncing | MemberState::Stable);
        is_member.then(|| self.next_heartbeat.min(self.polled + self.settings.max_poll_interval))
    }

    /// Whether the coordinator was silent for longer than a session: it may have thrown this member out.
    pub fn is_out_of_touch(&self, now: Time) -> bool {
        self.generation.is_some() && now.since(self.heard) > self.settings.session_timeout
    }

    /// Its owner closes it. A static member says nothing, so that it may come back.
    pub fn close(&mut self, out: &mut Vec<Action>) {
        let all: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
        if !all.is_empty() {
            out.push(Action::Revoked(all));
        }
        if let (Some(id), None) = (self.id, self.instance) {
            out.push(Action::Leave(id));
        }
        (self.id, self.generation, self.state) = (None, None, MemberState::Unjoined);
        (self.must_join, self.next_heartbeat) = (true, Time::MAX);
    }

    fn lose(&mut self, out: &mut Vec<Action>) {
        let all: Vec<_> = std::mem::take(&mut self.owned).into_iter().collect();
        if !all.is_empty() {
            out.push(Action::Lost(all));
        }
    }

    fn refused(&mut self, error: GroupError, out: &mut Vec<Action>) {
        self.must_join = true;
        match error {
            GroupError::RebalanceInProgress => self.state = MemberState::Stable,
            GroupError::IllegalGeneration => {
                (self.generation, self.state) = (None, MemberState::Unjoined);
                self.lose(out);
            }
            GroupError::UnknownMember => {
                (self.id, self.generation, self.state) = (None, None, MemberState::Unjoined);
                self.lose(out);
            }
            GroupError::FencedInstance => {
                (self.generation, self.state) = (None, MemberState::Fenced);
                self.lose(out);
            }
        }
    }
}
