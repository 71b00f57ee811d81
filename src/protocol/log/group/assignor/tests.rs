//! The examples of Kafka's documentation, and what holds of every assignment.

use proptest::collection::{btree_set, vec};
use proptest::prelude::*;

use super::*;
use crate::protocol::log::testing::fixed;

const fn tp(topic: u32, partition: u32) -> TopicPartition {
    TopicPartition::new(topic, partition)
}

fn topics(counts: &[u32]) -> BTreeMap<TopicId, u32> {
    (0..).map(TopicId).zip(counts.iter().copied()).collect()
}

fn member(id: u64, topics: impl IntoIterator<Item = u32>) -> Subscription {
    Subscription { member: MemberId(id), topics: topics.into_iter().map(TopicId).collect(), ..Subscription::default() }
}

/// The same members, owning what they were assigned.
fn next(members: &[Subscription], assignment: &Assignment, generation: u32) -> Vec<Subscription> {
    let owning = members.iter().map(|member| Subscription {
        owned: assignment.get(&member.member).cloned().unwrap_or_default(),
        generation: Generation(generation),
        ..member.clone()
    });
    owning.collect()
}

/// As the documentation writes it: `C0: t0p0 t0p1`.
fn show(assignment: &Assignment) -> Vec<String> {
    let line = |(member, owned): (&MemberId, &Vec<TopicPartition>)| {
        let mut owned = owned.clone();
        owned.sort_unstable();
        let names: Vec<_> = owned.iter().map(|partition| format!("{partition:?}")).collect();
        format!("C{}: {}", member.0, names.join(" "))
    };
    assignment.iter().map(line).collect()
}

/// Javadoc of `RangeAssignor`.
#[test]
fn range_cuts_every_topic() {
    let members = [member(0, 0..2), member(1, 0..2)];
    let assignment = RangeAssignor.assign(&topics(&[3, 3]), &members);
    assert_eq!(show(&assignment), ["C0: t0p0 t0p1 t1p0 t1p1", "C1: t0p2 t1p2"]);
}

/// Javadoc of `RoundRobinAssignor`, both examples.
#[test]
fn round_robin_goes_through_all_topics() {
    let assignment = RoundRobinAssignor.assign(&topics(&[3, 3]), &[member(0, 0..2), member(1, 0..2)]);
    assert_eq!(show(&assignment), ["C0: t0p0 t0p2 t1p1", "C1: t0p1 t1p0 t1p2"]);
    let members = [member(0, 0..1), member(1, 0..2), member(2, 0..3)];
    let assignment = RoundRobinAssignor.assign(&topics(&[1, 2, 3]), &members);
    assert_eq!(show(&assignment), ["C0: t0p0", "C1: t1p0", "C2: t1p1 t2p0 t2p1 t2p2"]);
}

/// Javadoc of `StickyAssignor`, first example: four topics of two partitions, three consumers, of which C1 goes.
#[test]
fn sticky_gives_away_only_what_its_owner_left() {
    let members = [member(0, 0..4), member(1, 0..4), member(2, 0..4)];
    let before = StickyAssignor.assign(&topics(&[2; 4]), &members);
    assert_eq!(show(&before), ["C0: t0p0 t1p1 t3p0", "C1: t0p1 t2p0 t3p1", "C2: t1p0 t2p1"]);
    let mut left = next(&members, &before, 1);
    left.remove(1);
    let after = StickyAssignor.assign(&topics(&[2; 4]), &left);
    assert_eq!(show(&after), ["C0: t0p0 t1p1 t2p0 t3p0", "C2: t0p1 t1p0 t2p1 t3p1"]);
}

/// Javadoc of `StickyAssignor`, second example: C0 reads t0, C1 t0 and t1, C2 all three, and C0 goes.
#[test]
fn sticky_balances_unequal_subscriptions() {
    let members = [member(0, 0..1), member(1, 0..2), member(2, 0..3)];
    let before = StickyAssignor.assign(&topics(&[1, 2, 3]), &members);
    assert_eq!(show(&before), ["C0: t0p0", "C1: t1p0 t1p1", "C2: t2p0 t2p1 t2p2"]);
    let left = next(&members, &before, 1).split_off(1);
    let after = StickyAssignor.assign(&topics(&[1, 2, 3]), &left);
    assert_eq!(show(&after), ["C1: t0p0 t1p0 t1p1", "C2: t2p0 t2p1 t2p2"]);
}

/// KIP-429: C1 joins C0, which owns four partitions. First C0 keeps two, C1 gets nothing; then it gets the others.
#[test]
fn cooperative_rebalances_take_two_steps() {
    let (alone, both) = ([member(0, 0..1)], [member(0, 0..1), member(1, 0..1)]);
    let first = CooperativeStickyAssignor.assign(&topics(&[4]), &alone);
    let second = CooperativeStickyAssignor.assign(&topics(&[4]), &next(&both, &first, 1));
    assert_eq!(show(&second), ["C0: t0p0 t0p1", "C1: "]);
    let third = CooperativeStickyAssignor.assign(&topics(&[4]), &next(&both, &second, 2));
    assert_eq!(show(&third), ["C0: t0p0 t0p1", "C1: t0p2 t0p3"]);
}

/// C1 was away in generation 1 and says that it owns what C0 got in generation 2.
#[test]
fn a_claim_of_an_earlier_generation_is_void() {
    let claims =
        |id, generation| Subscription { owned: vec![tp(0, 0)], generation: Generation(generation), ..member(id, 0..1) };
    let assignment = StickyAssignor.assign(&topics(&[2]), &[claims(0, 1), claims(1, 2)]);
    assert_eq!(show(&assignment), ["C0: t0p1", "C1: t0p0"]);
}

/// Members 5 and 9 are static, named 2 and 1: they come before the others, in order of their names.
#[test]
fn static_members_come_first_by_name() {
    let named = |id, name| Subscription { instance: Some(InstanceId(name)), ..member(id, 0..1) };
    let members = [member(1, 0..1), named(5, 2), named(9, 1)];
    let assignment = RangeAssignor.assign(&topics(&[3]), &members);
    assert_eq!(show(&assignment), ["C1: t0p2", "C5: t0p1", "C9: t0p0"]);
}

fn is_whole(topics: &BTreeMap<TopicId, u32>, members: &[Subscription], assignment: &Assignment) -> bool {
    let mut owned: Vec<_> = assignment.values().flatten().copied().collect();
    owned.sort_unstable();
    let wanted: BTreeSet<_> = members.iter().flat_map(|member| member.topics.iter().copied()).collect();
    let all: Vec<_> = wanted.into_iter().flat_map(|topic| partitions(topics, topic)).collect();
    let reads = |member: &Subscription| {
        assignment[&member.member].iter().all(|partition| member.topics.contains(&partition.topic))
    };
    owned == all && assignment.len() == members.len() && members.iter().all(reads)
}

fn spread(assignment: &Assignment) -> usize {
    let counts = assignment.values().map(Vec::len);
    counts.clone().max().unwrap_or(0) - counts.min().unwrap_or(0)
}

/// Rebalances until nothing changes: how a cooperative group gets there.
fn settle(assignor: &AnyAssignor, topics: &BTreeMap<TopicId, u32>, mut members: Vec<Subscription>) -> Assignment {
    for generation in 10..20 {
        let assignment = assignor.assign(topics, &members);
        let after = next(&members, &assignment, generation);
        if after.iter().zip(&members).all(|(after, before)| after.owned == before.owned) || is_eager(assignor) {
            return assignment;
        }
        members = after;
    }
    panic!("it never ends");
}

fn is_eager(assignor: &AnyAssignor) -> bool {
    assignor.protocol() == RebalanceProtocol::Eager
}

proptest! {
    #![proptest_config(fixed())]

    /// Any subscriptions, any claims: every partition that somebody reads has one owner, who reads it, and nobody else gets what a member
    /// still owns if members give up nothing before.
    #[test]
    fn every_partition_has_one_owner(
        counts in vec(0_u32..7, 1..5),
        subscriptions in vec((btree_set(0_u32..5, 0..5), vec((0_u32..5, 0_u32..7), 0..6), 0_u32..3), 1..7),
    ) {
        let topics = topics(&counts);
        let members: Vec<_> = (0..).zip(&subscriptions).map(|(id, (wanted, owned, generation))| Subscription {
            owned: owned.iter().map(|&(topic, partition)| tp(topic, partition)).collect(),
            generation: Generation(*generation),
            ..member(id, wanted.iter().copied())
        }).collect();
        for listing in ASSIGNORS {
            let assignor = listing.example().start();
            let assignment = assignor.assign(&topics, &members);
            let owned: BTreeSet<_> = assignment.values().flatten().collect();
            prop_assert_eq!(owned.len(), assignment.values().flatten().count());
            if is_eager(&assignor) {
                prop_assert!(is_whole(&topics, &members, &assignment), "{}: {assignment:?}", listing.name);
            } else {
                for member in &members {
                    let others = assignment.iter().filter(|(id, _)| **id != member.member);
                    let theirs: BTreeSet<_> = others.flat_map(|(_, owned)| owned).collect();
                    prop_assert!(member.owned.iter().all(|partition| !theirs.contains(partition)));
                }
            }
            prop_assert!(is_whole(&topics, &members, &settle(&assignor, &topics, members.clone())));
        }
    }

    /// Members with equal subscriptions come and go: counts differ by one at most, and as little moves as that allows. Of P partitions
    /// and n members, P mod n members have one more than P / n; if those are the members that had most, all together keep the sum of
    /// the smaller of what they had and may have.
    #[test]
    fn sticky_assignors_are_balanced_and_keep_what_they_can(
        counts in vec(0_u32..8, 1..4),
        before in btree_set(0_u64..10, 1..8),
        after in btree_set(0_u64..10, 1..8),
    ) {
        let topics = topics(&counts);
        let all = 0..counts.len() as u32;
        let join = |ids: &BTreeSet<u64>| ids.iter().map(|&id| member(id, all.clone())).collect::<Vec<_>>();
        for name in ["sticky", "cooperative-sticky"] {
            let assignor = ASSIGNORS.iter().find(|listing| listing.name == name).unwrap().example().start();
            let first = settle(&assignor, &topics, join(&before));
            prop_assert!(spread(&first) <= 1);
            let second = settle(&assignor, &topics, next(&join(&after), &first, 1));
            prop_assert!(spread(&second) <= 1);
            let all = first.values().flatten().count();
            let mut had: Vec<_> = after.iter().map(|&id| first.get(&MemberId(id)).map_or(0, Vec::len)).collect();
            had.sort_unstable_by(|a, b| b.cmp(a));
            let may = (0..after.len()).map(|place| all / after.len() + usize::from(place < all % after.len()));
            let most: usize = had.iter().zip(may).map(|(&had, may)| had.min(may)).sum();
            let kept = first.iter().filter_map(|(id, had)| {
                let has = second.get(id)?;
                Some(had.iter().filter(|partition| has.contains(partition)).count())
            });
            prop_assert_eq!(kept.sum::<usize>(), most, "{}: {:?} -> {:?}", name, first, second);
            // Nothing moves if nothing changes.
            let third = settle(&assignor, &topics, next(&join(&after), &second, 2));
            prop_assert_eq!(show(&third), show(&second));
        }
    }

    /// Round robin and equal subscriptions: counts differ by one at most. Ranges: by one for every topic at most.
    #[test]
    fn the_others_are_as_balanced_as_documented(counts in vec(0_u32..8, 1..4), size in 1_u64..8) {
        let topics = topics(&counts);
        let members: Vec<_> = (0..size).map(|id| member(id, 0..counts.len() as u32)).collect();
        prop_assert!(spread(&RoundRobinAssignor.assign(&topics, &members)) <= 1);
        prop_assert!(spread(&RangeAssignor.assign(&topics, &members)) <= counts.len());
    }
}
