use std::collections::BTreeMap;

use super::*;
use crate::base::probability::{Probability, percent};
use crate::network::{Arrival, Cause, LinkId};

#[test]
fn a_cut_stops_what_is_sent_and_what_is_under_way() {
    let cuts = |severed: &dyn Fn(NodeId, NodeId) -> Severed| {
        let (mut cluster, sender, receiver) = pair(&[]);
        // Note 1 is sent at 20 ms and under way when the cut comes.
        cluster.fault("cut", Cut(severed(sender, receiver)), [(at(20) + Span::from_nanos(500), Some(at(45)))]);
        let outcome = cluster.run_until(at(65));
        let book = book(&cluster, "cut");
        (seen(&cluster, receiver).len(), outcome.wire.total().dropped_for(Cause::Partition), book)
    };
    let set = |node| BTreeSet::from([node]);
    let book = FaultBook { strikes: 1, nodes: 2, messages: 3, timers: 0 };
    assert_eq!(cuts(&|a, b| Severed::Sides(BTreeMap::from([(a, 0), (b, 1)]))), (3, 3, book.clone()));
    assert_eq!(cuts(&|a, b| Severed::OneWay(set(a), set(b))), (3, 3, book.clone()));
    assert_eq!(cuts(&|a, _| Severed::Alone(set(a))), (3, 3, FaultBook { nodes: 1, ..book.clone() }));
    let idle = FaultBook { messages: 0, ..book };
    assert_eq!(cuts(&|a, b| Severed::OneWay(set(b), set(a))), (6, 0, idle.clone()));
    // Who stands on no side reaches all.
    assert_eq!(cuts(&|a, _| Severed::Sides(BTreeMap::from([(a, 0)]))).0, 6);
}

/// A pair whose sender's notes suffer from `fault` from 15 to 45 ms: what was received, the copies dropped, the account.
fn suffering(
    link: Link,
    fault: impl FnOnce(NodeId) -> Box<dyn FnOnce(&mut Cluster<Note>)>,
) -> (Vec<(u64, u32)>, u64, FaultBook) {
    let (mut cluster, sender, receiver) = pair(&[]);
    cluster.link_all(link);
    fault(sender)(&mut cluster);
    let outcome = cluster.run_until(at(65));
    (seen(&cluster, receiver), outcome.wire.total().dropped.iter().sum(), book(&cluster, "x"))
}

fn straight() -> Link {
    Link::latency(Distribution::constant(ms(1)))
}

fn touched(messages: u64) -> FaultBook {
    FaultBook { strikes: 1, messages, ..FaultBook::default() }
}

fn impaired(link: Link, with: impl Impairment) -> (Vec<(u64, u32)>, u64, FaultBook) {
    suffering(link, |_| Box::new(|cluster| _ = cluster.fault("x", Impair::new(Path::Everywhere, with), during(15, 45))))
}

#[test]
fn each_impairment_does_what_it_says_and_no_longer() {
    let all = Probability::ONE;
    let constant = |millis| Distribution::constant(ms(millis));
    let well = [(11, 0), (21, 1), (31, 2), (41, 3), (51, 4), (61, 5)];
    assert_eq!(impaired(straight(), Loss(Probability::ZERO)), (well.to_vec(), 0, touched(0)));
    assert_eq!(impaired(straight(), Loss(all)), (vec![well[0], well[4], well[5]], 3, touched(3)));
    assert_eq!(impaired(straight(), Corrupt(all)), (vec![well[0], well[4], well[5]], 3, touched(3)));
    let twice = [(11, 0), (21, 1), (21, 1), (31, 2), (31, 2), (41, 3), (41, 3), (51, 4), (61, 5)];
    assert_eq!(impaired(straight(), Duplicate(all)), (twice.to_vec(), 0, touched(3)));
    let late = [(11, 0), (36, 1), (46, 2), (51, 4), (56, 3), (61, 5)];
    assert_eq!(impaired(straight(), Delay(constant(15))), (late.to_vec(), 0, touched(3)));
    assert_eq!(impaired(straight(), Reorder { share: all, by: constant(15) }), (late.to_vec(), 0, touched(3)));
    // Where order is kept, a delay holds up those behind; what is held back is overtaken all the same.
    let fifo = || Link { order: Arrival::Fifo, ..straight() };
    let queued = [(11, 0), (36, 1), (46, 2), (56, 3), (56, 4), (61, 5)];
    assert_eq!(impaired(fifo(), Delay(constant(15))), (queued.to_vec(), 0, touched(3)));
    assert_eq!(impaired(fifo(), Reorder { share: all, by: constant(15) }), (late.to_vec(), 0, touched(3)));
}

#[test]
fn what_is_held_goes_on_in_order_when_the_fault_heals() {
    let held = |path: &dyn Fn(NodeId) -> Path| {
        suffering(straight(), |sender| {
            let path = path(sender);
            Box::new(|cluster| _ = cluster.fault("x", Hold(path), during(15, 45)))
        })
    };
    let late = vec![(11, 0), (46, 1), (46, 2), (46, 3), (51, 4), (61, 5)];
    assert_eq!(held(&|_| Path::Everywhere), (late.clone(), 0, touched(3)));
    assert_eq!(held(&|sender| Path::At(BTreeSet::from([sender]))), (late.clone(), 0, touched(3)));
    assert_eq!(held(&|_| Path::Links(BTreeSet::from([LinkId::DEFAULT]))), (late, 0, touched(3)));
}

/// A note of 1000 bytes takes 15 ms at 533 1/3 kbit/s: sent at 20, 30 and 40 ms, two of them are through by 50 ms, the third goes
/// on when the fault heals.
#[test]
fn what_is_paced_leaves_one_by_one_and_the_rest_when_the_fault_heals() {
    let rate = crate::base::units::Bandwidth::from_bits_per_sec(1_600_000 / 3).expect("above zero");
    let (seen, dropped, book) = suffering(straight(), |_| {
        Box::new(move |cluster| _ = cluster.fault("x", Pace { on: Path::Everywhere, rate }, during(15, 45)))
    });
    assert_eq!((dropped, book), (0, touched(3)));
    // At 35 and 45 ms the first leaves; the control at 45 ms comes before.
    assert_eq!(seen, [(11, 0), (36, 1), (46, 2), (46, 3), (51, 4), (61, 5)]);
}

/// What one fault lets go, the next one keeps.
#[test]
fn faults_that_keep_messages_stand_in_a_row() {
    let (mut cluster, _, receiver) = pair(&[]);
    cluster.fault("first", Hold(Path::Everywhere), during(15, 33));
    cluster.fault("second", Hold(Path::Everywhere), during(25, 45));
    cluster.run_until(at(65));
    assert_eq!(seen(&cluster, receiver), [(11, 0), (46, 1), (46, 2), (46, 3), (51, 4), (61, 5)]);
    assert_eq!([book(&cluster, "first").messages, book(&cluster, "second").messages], [2, 3]);
}

#[test]
fn a_path_is_a_direction_or_both() {
    let [a, b, c] = [1, 2, 3].map(NodeId::new);
    let set = |nodes: &[NodeId]| nodes.iter().copied().collect::<BTreeSet<_>>();
    let covers = |path: Path| [(a, b), (b, a), (a, c), (c, c)].map(|(from, to)| path.covers(LinkId::DEFAULT, from, to));
    assert_eq!(covers(Path::OneWay(set(&[a]), set(&[b, c]))), [true, false, true, false]);
    assert_eq!(covers(Path::Between(set(&[a]), set(&[b]))), [true, true, false, false]);
    assert_eq!(covers(Path::At(set(&[b]))), [true, true, false, false]);
    assert_eq!(covers(Path::Links(BTreeSet::new())), [false; 4]);
    assert_eq!(covers(Path::Everywhere), [true; 4]);
}

/// Two faults that lose 30 % and 50 % let 35 % through, each with luck of its own; what either touches does not depend on the
/// other, nor on when it was declared.
#[test]
fn losses_are_independent_of_each_other() {
    let lost = |faults: &[(&str, f64)]| {
        let (mut cluster, ..) = pair(&[]);
        for &(name, share) in faults {
            cluster.fault(name, Impair::new(Path::Everywhere, Loss(percent(share))), [(at(0), None)]);
        }
        let outcome = cluster.run_until(at(100_000));
        let total = outcome.wire.total();
        let touched: Vec<_> = faults.iter().map(|(name, _)| book(&cluster, name).messages).collect();
        (total.dropped_for(Cause::Loss), total.sent, touched)
    };
    let (both, sent, touched) = lost(&[("a", 30.0), ("b", 50.0)]);
    // Four standard deviations of 10 000 draws: 0.02.
    assert!((both as f64 / sent as f64 - 0.65).abs() < 0.02, "{both} of {sent}");
    let (_, _, swapped) = lost(&[("b", 50.0), ("a", 30.0)]);
    assert_eq!(touched, [swapped[1], swapped[0]]);
    assert_eq!(lost(&[("a", 30.0)]).2, touched[..1]);
    // Without the link's own losses, the account is what the wire's book says.
    let (alone, _, touched) = lost(&[("a", 30.0)]);
    assert_eq!(touched, [alone]);
}

/// Healing one strike of a fault leaves its others as they are.
#[test]
fn strikes_of_one_fault_heal_one_by_one() {
    let (mut cluster, sender, receiver) = pair(&[]);
    let set = |node| BTreeSet::from([node]);
    cluster.fault("cut", Cut(Severed::Alone(set(sender))), during(5, 25));
    cluster.fault("cut", Cut(Severed::Alone(set(receiver))), during(15, 45));
    cluster.run_until(at(65));
    assert_eq!(seen(&cluster, receiver), [(51, 4), (61, 5)]);
    assert_eq!(book(&cluster, "cut"), FaultBook { strikes: 2, nodes: 2, messages: 5, timers: 0 });
}
