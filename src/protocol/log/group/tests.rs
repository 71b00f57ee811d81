//! Members and their coordinator, over connections that are slow and break.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use proptest::collection::vec;
use proptest::prelude::*;

use super::assignor::{ASSIGNORS, AssignorPolicy};
use super::coordinator::{COORDINATOR, CoordinatorSettings, GroupCoordinator, GroupState, Reply};
use super::member::{Action, GroupMember, MEMBER, MemberSettings, MemberState};
use super::*;
use crate::base::time::{Time, ms, secs};
use crate::protocol::log::ids::{InstanceId, Offset, TopicId};
use crate::protocol::log::testing::{at, fixed, o};

/// Two topics, of five and three partitions.
fn topics() -> BTreeMap<TopicId, u32> {
    BTreeMap::from([(TopicId(0), 5), (TopicId(1), 3)])
}

fn policy(name: &str) -> AssignorPolicy {
    ASSIGNORS.iter().find(|listing| listing.name == name).unwrap().example()
}

/// A member's connection and what it did.
struct Peer {
    member: GroupMember,
    /// Broken connections so far: answers to what was sent before are lost.
    connection: u32,
    requests: VecDeque<Action>,
    answers: VecDeque<Reply>,
    heartbeats: VecDeque<(Generation, Result<(), GroupError>)>,
    /// What it was told to read, give up, or lose.
    events: Vec<Action>,
}

struct Group {
    assignor: AssignorPolicy,
    coordinator: GroupCoordinator,
    peers: Vec<Peer>,
    now: Time,
    /// Who waits for an answer, by the ids that the coordinator gave.
    waiting: BTreeMap<MemberId, (usize, u32)>,
    replies: Vec<Reply>,
    /// Who read a partition in a generation.
    owners: BTreeMap<(Generation, TopicPartition), BTreeSet<MemberId>>,
    /// Who committed in a generation.
    committers: BTreeMap<(Generation, TopicPartition), BTreeSet<MemberId>>,
}

impl Group {
    fn new(assignor: &str, size: usize) -> Self {
        let mut group = Self {
            assignor: policy(assignor),
            coordinator: GroupCoordinator::new(&CoordinatorSettings::default()),
            peers: vec![],
            now: Time::ZERO,
            waiting: BTreeMap::new(),
            replies: vec![],
            owners: BTreeMap::new(),
            committers: BTreeMap::new(),
        };
        (0..size).for_each(|_| group.add(None));
        group
    }

    fn add(&mut self, instance: Option<InstanceId>) {
        let both = topics().into_keys().collect();
        let member = GroupMember::new(&MemberSettings::default(), &self.assignor, instance, both, self.now);
        self.peers.push(Peer {
            member,
            connection: 0,
            requests: VecDeque::new(),
            answers: VecDeque::new(),
            heartbeats: VecDeque::new(),
            events: vec![],
        });
    }

    fn take(&mut self, index: usize, actions: Vec<Action>) {
        let peer = &mut self.peers[index];
        for action in actions {
            match action {
                Action::Assigned(_) | Action::Revoked(_) | Action::Lost(_) => peer.events.push(action),
                request => peer.requests.push_back(request),
            }
        }
        if let (MemberState::Stable, Some(id), Some(generation)) =
            (peer.member.state(), peer.member.id(), peer.member.generation())
        {
            for partition in peer.member.owned() {
                self.owners.entry((generation, partition)).or_default().insert(id);
            }
        }
    }

    fn poll(&mut self, index: usize) {
        let mut out = vec![];
        self.peers[index].member.poll(self.now, &mut out);
        self.take(index, out);
    }

    /// The coordinator gets a member's next request.
    fn serve(&mut self, index: usize) {
        let connection = self.peers[index].connection;
        let Some(request) = self.peers[index].requests.pop_front() else { return };
        match request {
            Action::Join(join) => {
                let known = join.member.unwrap_or_default();
                match self.coordinator.join(join, self.now, &mut self.replies) {
                    Ok(id) => _ = self.waiting.insert(id, (index, connection)),
                    Err(error) => self.peers[index].answers.push_back(Reply::Join(known, Err(error))),
                }
            }
            Action::Sync(sync) => {
                let id = sync.member;
                self.waiting.insert(id, (index, connection));
                if let Err(error) = self.coordinator.sync(sync, self.now, &mut self.replies) {
                    self.peers[index].answers.push_back(Reply::Sync(id, Err(error)));
                }
            }
            Action::Heartbeat(id, generation) => {
                let answer = self.coordinator.heartbeat(id, generation, self.now);
                self.peers[index].heartbeats.push_back((generation, answer));
            }
            Action::Leave(id) => drop(self.coordinator.leave(id, self.now, &mut self.replies)),
            _ => unreachable!("events are not sent"),
        }
        self.hand_out();
    }

    fn hand_out(&mut self) {
        for reply in self.replies.drain(..) {
            let (Reply::Join(id, _) | Reply::Sync(id, _)) = &reply;
            if let Some(&(index, connection)) = self.waiting.get(id)
                && self.peers[index].connection == connection
            {
                self.peers[index].answers.push_back(reply);
            }
        }
    }

    /// A member gets its next answer.
    fn answer(&mut self, index: usize) {
        let (mut out, now, peer) = (vec![], self.now, &mut self.peers[index]);
        match peer.answers.pop_front() {
            Some(Reply::Join(_, answer)) => peer.member.joined(answer, &topics(), now, &mut out),
            Some(Reply::Sync(_, answer)) => peer.member.synced(answer, now, &mut out),
            None => {}
        }
        if let Some((generation, answer)) = peer.heartbeats.pop_front() {
            peer.member.heard(generation, answer, now, &mut out);
        }
        self.take(index, out);
    }

    fn commit(&mut self, index: usize) {
        let member = &self.peers[index].member;
        let (Some(id), Some(generation)) = (member.id(), member.generation()) else { return };
        let owned: Vec<_> = member.owned().collect();
        let offsets = owned.iter().map(|&partition| (partition, o(1)));
        if self.coordinator.commit(id, generation, offsets, self.now).is_ok() {
            assert_eq!(generation, self.coordinator.generation(), "an earlier generation was not refused");
            for partition in owned {
                self.committers.entry((generation, partition)).or_default().insert(id);
            }
        }
    }

    fn cut(&mut self, index: usize) {
        let peer = &mut self.peers[index];
        peer.connection += 1;
        peer.requests.clear();
        peer.answers.clear();
        peer.heartbeats.clear();
        peer.member.unanswered();
    }

    /// A member dies without a word, and another one comes in its place.
    fn replace(&mut self, index: usize) {
        self.cut(index);
        let both = topics().into_keys().collect();
        self.peers[index].member = GroupMember::new(&MemberSettings::default(), &self.assignor, None, both, self.now);
    }

    fn wait(&mut self, by: crate::base::time::Span) {
        self.now += by;
        self.coordinator.tick(self.now, &mut self.replies);
        self.hand_out();
        for index in 0..self.peers.len() {
            let mut out = vec![];
            self.peers[index].member.tick(self.now, &mut out);
            self.take(index, out);
        }
    }

    /// All works and polls for this time.
    fn run(&mut self, seconds: u64) {
        for _ in 0..seconds * 2 {
            for _ in 0..6 {
                for index in 0..self.peers.len() {
                    self.poll(index);
                    self.serve(index);
                    self.answer(index);
                }
            }
            self.wait(ms(500));
        }
    }

    fn owned(&self) -> Vec<usize> {
        self.peers.iter().map(|peer| peer.member.owned().count()).collect()
    }

    fn is_settled(&self) -> bool {
        let all: Vec<_> = self.peers.iter().flat_map(|peer| peer.member.owned()).collect();
        let distinct: BTreeSet<_> = all.iter().collect();
        let current = |peer: &Peer| peer.member.generation() == Some(self.coordinator.generation());
        self.coordinator.state() == GroupState::Stable
            && self.peers.iter().all(|peer| peer.member.state() == MemberState::Stable && current(peer))
            && (all.len(), distinct.len()) == (8, 8)
    }
}

#[test]
fn the_settings_are_well_kept() {
    crate::protocol::family::well_kept(&[COORDINATOR]);
    crate::protocol::family::well_kept(&[MEMBER]);
    crate::protocol::family::well_kept(&[super::offsets::OFFSETS]);
}

/// The first member comes at 0, another one at 2 s: at 3 s the delay begins again, and at 6 s both are in generation 1.
#[test]
fn an_empty_group_waits_for_others() {
    let mut group = Group::new("range", 2);
    for (millis, index) in [(0, 0), (2000, 1)] {
        group.now = at(millis);
        group.poll(index);
        group.serve(index);
    }
    assert_eq!(group.coordinator.next_deadline(), Some(at(3000)));
    group.wait(ms(1000));
    assert_eq!(
        (group.coordinator.state(), group.coordinator.next_deadline()),
        (GroupState::PreparingRebalance, Some(at(6000)))
    );
    group.wait(ms(3000));
    assert_eq!(group.coordinator.state(), GroupState::CompletingRebalance);
    group.run(1);
    assert!(group.is_settled());
    assert_eq!((group.coordinator.generation(), group.owned()), (Generation(1), vec![5, 3]));
}

/// An eager group: when a third member comes, all give up everything before anybody has anything again.
#[test]
fn eager_members_give_up_everything_first() {
    let mut group = Group::new("round-robin", 2);
    group.run(10);
    assert!(group.is_settled());
    group.add(None);
    group.run(10);
    assert!(group.is_settled());
    assert_eq!(group.owned(), [3, 3, 2]);
    for peer in &group.peers[..2] {
        let counts: Vec<_> = peer.events.iter().map(count).collect();
        assert_eq!(counts, [('+', 4), ('-', 4), ('+', 3)]);
    }
    assert_eq!(group.coordinator.generation(), Generation(2));
}

/// A cooperative group: members keep 3 of 4 and give up one each; the third gets the two with the second rebalance.
#[test]
fn cooperative_members_give_up_only_what_moves() {
    let mut group = Group::new("cooperative-sticky", 2);
    group.run(10);
    group.add(None);
    group.run(10);
    assert!(group.is_settled());
    assert_eq!(group.owned(), [3, 3, 2]);
    for peer in &group.peers[..2] {
        let counts: Vec<_> = peer.events.iter().map(count).collect();
        assert_eq!(counts, [('+', 4), ('-', 1)]);
    }
    assert_eq!(group.coordinator.generation(), Generation(3), "the first, and two steps");
}

fn count(event: &Action) -> (char, usize) {
    match event {
        Action::Assigned(partitions) => ('+', partitions.len()),
        Action::Revoked(partitions) => ('-', partitions.len()),
        Action::Lost(partitions) => ('!', partitions.len()),
        _ => unreachable!("nothing else is an event"),
    }
}

/// One of two is silent. Its last heartbeat was at 9 s at the latest; 45 s later it is gone. What it commits then is refused,
/// and it has lost what it owned.
#[test]
fn a_silent_member_is_thrown_out_and_its_commits_are_refused() {
    let mut group = Group::new("range", 2);
    group.run(10);
    let (zombie, generation) = (group.peers[1].member.id().unwrap(), group.coordinator.generation());
    for _ in 0..92 {
        for _ in 0..6 {
            group.poll(0);
            group.serve(0);
            group.answer(0);
        }
        group.wait(ms(500));
    }
    assert_eq!(group.owned(), [8, 3], "it does not know");
    let offsets = [(TopicPartition::new(0, 4), Offset(7))];
    let now = group.now;
    assert_eq!(group.coordinator.commit(zombie, generation, offsets, now), Err(GroupError::UnknownMember));
    let survivor = group.peers[0].member.id().unwrap();
    assert_eq!(group.coordinator.commit(survivor, generation, offsets, now), Err(GroupError::IllegalGeneration));
    assert!(group.coordinator.commit(survivor, generation.next(), offsets, now).is_ok());
    assert_eq!(group.coordinator.offsets().get(TopicPartition::new(0, 4)), Some(o(7)));
    group.run(10);
    assert!(group.is_settled());
    assert_eq!(group.peers[1].events.iter().map(count).collect::<Vec<_>>(), [('+', 3), ('!', 3), ('+', 3)]);
}

/// A member that does not poll sends heartbeats for 5 min; then it leaves.
#[test]
fn who_does_not_poll_for_max_poll_interval_leaves() {
    let mut group = Group::new("range", 1);
    group.run(10);
    let polled = group.now;
    while group.peers[0].member.state() == MemberState::Stable {
        group.wait(secs(1));
        group.serve(0);
        group.answer(0);
    }
    assert!(group.now.since(polled) <= secs(300) && group.now.since(polled) >= secs(299));
    assert_eq!(group.coordinator.state(), GroupState::Empty);
    group.poll(0);
    assert_eq!(count(group.peers[0].events.last().unwrap()), ('!', 8));
}

/// A static member dies and comes back under its name: same generation, same partitions. Whoever had the name is fenced.
#[test]
fn a_static_member_comes_back_without_a_rebalance() {
    let mut group = Group::new("range", 1);
    group.add(Some(InstanceId(7)));
    group.run(10);
    let (before, generation) = (group.peers[1].member.owned().collect::<Vec<_>>(), group.coordinator.generation());
    group.add(Some(InstanceId(7)));
    group.run(10);
    assert_eq!(group.peers[2].member.owned().collect::<Vec<_>>(), before);
    assert_eq!(group.coordinator.generation(), generation);
    assert_eq!(group.peers[1].member.state(), MemberState::Fenced);
    assert_eq!(count(group.peers[1].events.last().unwrap()), ('!', before.len()));
}

/// A leader that never says what it assigned is thrown out after the rebalance timeout, or, silent, after its session.
#[test]
fn a_leader_that_does_not_assign_is_replaced() {
    let mut group = Group::new("range", 2);
    for index in 0..2 {
        group.poll(index);
        group.serve(index);
    }
    group.wait(secs(3));
    group.wait(secs(3));
    group.answer(1);
    group.serve(1);
    assert_eq!(group.coordinator.state(), GroupState::CompletingRebalance);
    group.wait(secs(45));
    assert_eq!(group.coordinator.members().count(), 1);
    for _ in 0..6 {
        group.poll(1);
        group.serve(1);
        group.answer(1);
    }
    assert_eq!(group.owned()[1], 8);
}

proptest! {
    #![proptest_config(fixed())]

    /// Members come, go, are slow, and connections break: in no generation has a partition two owners, no commit of an earlier one is
    /// taken, and in the end everything is read once. Steps: 0 to 2 poll, 3 to 5 serve, 6 to 8 answer, 9 commits, 10 and 11 wait,
    /// 12 cuts, 13 replaces.
    #[test]
    fn a_partition_has_one_owner_in_a_generation(
        which in 0_usize..4,
        size in 1_usize..5,
        steps in vec((0_u8..14, 0_usize..5, 1_u64..20), 0..300),
    ) {
        let mut group = Group::new(ASSIGNORS[which].name, size);
        for (step, index, seconds) in steps {
            let index = index % size;
            match step {
                0..3 => group.poll(index),
                3..6 => group.serve(index),
                6..9 => group.answer(index),
                9 => group.commit(index),
                10..12 => group.wait(secs(seconds)),
                12 => group.cut(index),
                _ => group.replace(index),
            }
            let assigned: Vec<_> =
                group.coordinator.members().flat_map(|id| group.coordinator.assignment(id).to_vec()).collect();
            if group.coordinator.state() == GroupState::Stable {
                prop_assert_eq!(assigned.iter().collect::<BTreeSet<_>>().len(), assigned.len());
            }
            prop_assert!(group.owners.values().all(|owners| owners.len() == 1));
            prop_assert!(group.committers.values().all(|committers| committers.len() == 1));
        }
        // Sessions of those that died end, rebalances that wait for them too.
        group.run(420);
        prop_assert!(group.is_settled(), "{:?}", group.owned());
    }
}
