//! Who leads a partition: what the controller knows of one, and how it elects.
//!
//! The first replica of the list that is alive and in sync leads. If none is, nobody does, unless unclean elections are enabled:
//! then the first that is alive does, and what only the others had is lost. A broker that fails leaves the in-sync replicas, except
//! for the last of them, which alone has everything. Every change of the leader begins an epoch.
//!
//! Source: Apache Kafka 4.0, `PartitionRegistration`, `PartitionChangeBuilder`, `ReplicationControlManager`. Eligible leader
//! replicas (KIP-966) are not built: without `min-insync-replicas` above 1 they are never used.

use std::collections::BTreeSet;

use super::ids::{BrokerId, LeaderEpoch};

/// What the controller knows of a partition.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PartitionState {
    replicas: Vec<BrokerId>,
    isr: BTreeSet<BrokerId>,
    alive: BTreeSet<BrokerId>,
    leader: Option<BrokerId>,
    epoch: LeaderEpoch,
    allows_unclean: bool,
}

/// What an event led to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Election {
    /// The same one leads.
    Unchanged,
    /// A replica that was in sync leads.
    Clean(BrokerId),
    /// One leads that was not: what only others had is lost.
    Unclean(BrokerId),
    /// Nobody leads.
    NoLeader,
}

/// Why a change of the in-sync replicas was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AlterError {
    /// Whoever asks does not lead, or in an earlier epoch (`FENCED_LEADER_EPOCH`).
    FencedLeaderEpoch,
    /// One that would join is not alive, or has no replica (`INELIGIBLE_REPLICA`); or the leader itself would leave.
    IneligibleReplica,
}

impl PartitionState {
    /// A new partition: all brokers are alive and in sync, and the first replica leads.
    ///
    /// # Panics
    /// If there is no replica.
    pub fn new(replicas: Vec<BrokerId>, allows_unclean: bool) -> Self {
        let leader = replicas.first().copied();
        assert!(leader.is_some(), "a partition has a replica");
        let all: BTreeSet<_> = replicas.iter().copied().collect();
        Self { replicas, isr: all.clone(), alive: all, leader, epoch: LeaderEpoch(1), allows_unclean }
    }

    /// Its replicas, the preferred leader first.
    pub fn replicas(&self) -> &[BrokerId] {
        &self.replicas
    }

    /// Who is in sync.
    pub fn isr(&self) -> &BTreeSet<BrokerId> {
        &self.isr
    }

    /// Who leads.
    pub fn leader(&self) -> Option<BrokerId> {
        self.leader
    }

    /// The current epoch.
    pub fn epoch(&self) -> LeaderEpoch {
        self.epoch
    }

    /// A broker failed, or lost its session.
    pub fn failed(&mut self, broker: BrokerId) -> Election {
        self.alive.remove(&broker);
        if self.isr.len() > 1 {
            self.isr.remove(&broker);
        }
        self.elect()
    }

    /// A broker came back. It is in sync only if it was the last that was.
    pub fn started(&mut self, broker: BrokerId) -> Election {
        if self.replicas.contains(&broker) {
            self.alive.insert(broker);
        }
        self.elect()
    }

    /// The leader asks for other in-sync replicas (`AlterPartition`).
    ///
    /// # Errors
    /// If it may not ask, or for that.
    pub fn alter(&mut self, by: BrokerId, epoch: LeaderEpoch, isr: &BTreeSet<BrokerId>) -> Result<(), AlterError> {
        if self.leader != Some(by) || self.epoch != epoch {
            return Err(AlterError::FencedLeaderEpoch);
        }
        let may = |id: &BrokerId| self.replicas.contains(id) && (self.alive.contains(id) || self.isr.contains(id));
        if !isr.contains(&by) || !isr.iter().all(may) {
            return Err(AlterError::IneligibleReplica);
        }
        self.isr.clone_from(isr);
        Ok(())
    }

    /// Lets the preferred replica lead again, if it is alive and in sync (`auto.leader.rebalance.enable` does so every 5 min).
    pub fn elect_preferred(&mut self) -> Election {
        let preferred = self.replicas[0];
        if self.leader == Some(preferred) || !self.can_lead(preferred) {
            return Election::Unchanged;
        }
        self.install(Some(preferred));
        Election::Clean(preferred)
    }

    fn can_lead(&self, broker: BrokerId) -> bool {
        self.alive.contains(&broker) && self.isr.contains(&broker)
    }

    fn install(&mut self, leader: Option<BrokerId>) {
        self.leader = leader;
        self.epoch = self.epoch.next();
    }

    fn elect(&mut self) -> Election {
        if self.leader.is_some_and(|leader| self.can_lead(leader)) {
            return Election::Unchanged;
        }
        let clean = self.replicas.iter().copied().find(|&id| self.can_lead(id));
        if let Some(leader) = clean {
            self.install(Some(leader));
            return Election::Clean(leader);
        }
        let any = self.replicas.iter().copied().find(|id| self.allows_unclean && self.alive.contains(id));
        if let Some(leader) = any {
            self.isr = BTreeSet::from([leader]);
            self.install(Some(leader));
            return Election::Unclean(leader);
        }
        if self.leader.is_none() {
            return Election::Unchanged;
        }
        self.install(None);
        Election::NoLeader
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn b(id: u32) -> BrokerId {
        BrokerId(id)
    }

    fn partition(allows_unclean: bool) -> PartitionState {
        PartitionState::new(vec![b(1), b(2), b(3)], allows_unclean)
    }

    #[test]
    fn the_first_in_sync_replica_that_is_alive_leads() {
        let mut state = partition(false);
        assert_eq!((state.leader(), state.epoch()), (Some(b(1)), LeaderEpoch(1)));
        state.alter(b(1), LeaderEpoch(1), &BTreeSet::from([b(1), b(3)])).unwrap();
        assert_eq!(state.failed(b(1)), Election::Clean(b(3)), "2 is alive but not in sync");
        assert_eq!(state.started(b(1)), Election::Unchanged);
        assert_eq!(state.elect_preferred(), Election::Unchanged, "1 is not in sync yet");
        assert_eq!(state.alter(b(1), LeaderEpoch(1), &BTreeSet::new()), Err(AlterError::FencedLeaderEpoch));
        assert_eq!(state.alter(b(3), LeaderEpoch(2), &BTreeSet::from([b(1)])), Err(AlterError::IneligibleReplica));
        state.alter(b(3), LeaderEpoch(2), &BTreeSet::from([b(1), b(3)])).unwrap();
        assert_eq!(state.elect_preferred(), Election::Clean(b(1)));
        assert_eq!(state.epoch(), LeaderEpoch(3));
    }

    #[test]
    fn the_last_in_sync_replica_is_waited_for() {
        let mut state = partition(false);
        state.failed(b(2));
        state.failed(b(3));
        assert_eq!(state.failed(b(1)), Election::NoLeader);
        assert_eq!(state.isr(), &BTreeSet::from([b(1)]));
        assert_eq!(state.started(b(2)), Election::Unchanged);
        assert_eq!((state.leader(), state.epoch()), (None, LeaderEpoch(2)));
        assert_eq!(state.started(b(1)), Election::Clean(b(1)));
    }

    #[test]
    fn an_unclean_election_prefers_availability() {
        let mut state = partition(true);
        state.failed(b(2));
        state.failed(b(3));
        assert_eq!(state.failed(b(1)), Election::NoLeader);
        assert_eq!(state.started(b(2)), Election::Unclean(b(2)));
        assert_eq!(state.isr(), &BTreeSet::from([b(2)]));
        assert_eq!(state.started(b(1)), Election::Unchanged);
    }

    #[test]
    fn who_is_dead_cannot_join() {
        let mut state = partition(false);
        state.failed(b(2));
        let all = BTreeSet::from([b(1), b(2), b(3)]);
        assert_eq!(state.alter(b(1), LeaderEpoch(1), &all), Err(AlterError::IneligibleReplica));
    }
}
