//! What every balancer keeps to, whoever wrote it: tests that walk the registry.

use proptest::prelude::*;

use super::view::Fixed;
use super::*;
use crate::base::settings::Listing;
use crate::base::time::{ms, us};
use crate::protocol::laws::{draws, fixed};

/// The example of a policy for so many members, or as many as it has weights for.
fn example(listing: &Listing<BalancePolicy>, members: usize, seed: u64) -> (Picker, usize) {
    let policy = listing.example();
    let (picker, members) = match policy.picker(members) {
        Err(BalanceError::Weights { weights, .. }) => (policy.picker(weights), weights),
        picker => (picker, members),
    };
    let picker = picker.unwrap_or_else(|error| panic!("{}: {error}", listing.name));
    (picker.fresh(draws(seed)()), members)
}

proptest! {
    #![proptest_config(fixed())]

    /// Also with own loads that come and go, members that come and go, reports of idleness, and loads that make no sense.
    #[test]
    fn every_balancer_answers_with_a_member_that_is_up(seed: u64, members in 1_usize..40) {
        for listing in BALANCERS {
            let (mut picker, members) = example(listing, members, seed);
            let (mut draw, mut view) = (draws(seed), Fixed::seeded(seed));
            let mut outstanding = vec![];
            for step in 0..200 {
                let noise = draw().bits();
                view.now += us(noise % 5000);
                view.key = noise % 50;
                view.loads = (0..members).map(|member| (noise >> (member % 60)) as u32).collect();
                // Nobody is down for ten picks, then many are for ten; one never is.
                let always_up = noise as usize % members;
                let is_down = |member: &usize| step % 20 >= 10 && *member != always_up && !(noise >> (member % 61)).is_multiple_of(4);
                view.down = (0..members).filter(is_down).collect();
                let member = picker.pick(&mut view);
                prop_assert!(member < members, "{}: {} of {}", listing.name, member, members);
                prop_assert!(!view.down.contains(&member), "{}: {} is down", listing.name, member);
                picker.sent(member, view.now);
                outstanding.push(member);
                if !noise.is_multiple_of(3) {
                    let member = outstanding.swap_remove(noise as usize % outstanding.len());
                    let took = noise.is_multiple_of(2).then_some(ms(noise % 100));
                    picker.done(member, End { now: view.now, took, is_well: noise.is_multiple_of(5) });
                    picker.idle(member);
                }
            }
        }
    }

    /// Where nothing but weights tells the members apart, each gets the share that the policy promises: 3000 picks within five
    /// standard deviations of a binomial count.
    #[test]
    fn every_balancer_keeps_the_shares_it_promises(seed: u64, members in 1_usize..12) {
        for listing in BALANCERS {
            let (mut picker, members) = example(listing, members, seed);
            let Some(shares) = listing.example().shares(members) else { continue };
            prop_assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9, "{}: {:?}", listing.name, shares);
            let (mut view, mut counts, mut draw) = (Fixed::seeded(seed), vec![0.0; members], draws(!seed));
            for _ in 0..3000 {
                view.key = draw().bits();
                counts[picker.pick(&mut view)] += 1.0;
            }
            for (count, share) in counts.into_iter().zip(shares) {
                let bound = 5.0 * libm::sqrt(3000.0 * share * (1.0 - share)) + 1.0;
                prop_assert!((count - 3000.0 * share).abs() <= bound, "{}: {} for {}", listing.name, count, share);
            }
        }
    }

    /// What a pick says depends on what the caller was told, and on nothing else.
    #[test]
    fn every_balancer_says_the_same_again(seed: u64, members in 1_usize..12) {
        for listing in BALANCERS {
            let run = || {
                let (mut picker, _) = example(listing, members, seed);
                let (mut view, mut keys) = (Fixed::seeded(seed), draws(seed));
                let pick = |_| {
                    view.key = keys().below(9);
                    let member = picker.pick(&mut view);
                    picker.sent(member, view.now);
                    member
                };
                (0..50).map(pick).collect::<Vec<_>>()
            };
            prop_assert_eq!(run(), run(), "{}", listing.name);
        }
    }
}

/// Among one member there is no choice, and none among no members.
#[test]
fn a_group_and_a_policy_must_fit() {
    for listing in BALANCERS {
        assert_eq!(listing.example().picker(0).unwrap_err(), BalanceError::Members(0), "{}", listing.name);
    }
    let error = BalancePolicy::from(WeightedSettings::default()).picker(3).unwrap_err();
    assert_eq!(error.to_string(), "2 weights for 3 members");
}

/// A million callers stand in memory at once.
#[test]
fn a_picker_is_small() {
    assert!(size_of::<Picker>() <= 40, "{}", size_of::<Picker>());
}

#[test]
fn the_two_fast_policies_take_at_most_one_draw() {
    for (policy, expected) in [(RoundRobinSettings {}.into(), 0), (RandomSettings {}.into(), 1)] {
        let policy: BalancePolicy = policy;
        let mut view = Fixed::seeded(1);
        policy.picker(5).unwrap().pick(&mut view);
        assert_eq!(view.taken, expected, "{policy:?}");
    }
}
