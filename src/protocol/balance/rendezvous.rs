//! Rendezvous: highest random weight, by the request's key.
//!
//! Each member has a score for each key, a hash of both; the highest wins. Every key has its member, all callers agree, and
//! when a member joins it takes exactly the keys for which its score is the highest: one of n + 1 on average. Unlike on a ring
//! shares are even, and the keys of a member that is down are spread over all others. No state is kept, but a pick looks at
//! every member.
//!
//! With weights a member's score is −weight / ln u, where u is the hash as a number between 0 and 1: the highest of such scores
//! is a member's with a probability of its share of all weights, and a change of one weight moves keys to or from that member
//! alone.
//!
//! Source: Thaler, Ravishankar, "Using Name-Based Mappings to Increase Hit Rates", IEEE/ACM ToN 6(1), 1998; weights: Schindelhauer,
//! Schomaker, "Weighted Distributed Hash Tables", SPAA 2005 (logarithmic method).

use std::num::NonZeroU32;
use std::sync::Arc;

use super::{Balance, BalanceError, Balancer, View, Weights};
use crate::base::random::{Uniform, mix};
use crate::base::settings::Settings;

crate::settings! {
    /// Highest random weight: each key goes to the member that scores highest for it. Like ring hash it keeps keys where they
    /// are when members come and go, with even shares and no ring; the keys of a member that is down are spread over all
    /// others. A pick looks at every member.
    pub struct RendezvousSettings = "rendezvous", "Thaler, Ravishankar, Using Name-Based Mappings to Increase Hit Rates, IEEE/ACM ToN 6(1), 1998" {
        /// How many keys each member gets compared with the others, one number for each. All alike if not given.
        weights: Option<Weights> = None,
    }
}

impl Settings for RendezvousSettings {}

impl Balancer for RendezvousSettings {
    type Caller = Rendezvous;

    const IS_KEYED: bool = true;

    fn caller(&self, members: NonZeroU32) -> Result<Rendezvous, BalanceError> {
        let weights = match &self.weights {
            Some(weights) => Some(weights.each(members)?.iter().map(|weight| f64::from(weight.get())).collect()),
            None => None,
        };
        Ok(Rendezvous { members, weights })
    }

    fn shares(&self, members: NonZeroU32) -> Option<Vec<f64>> {
        Weights::shares(self.weights.as_ref(), members)
    }
}

/// The members, and their weights if they differ.
#[derive(Clone, PartialEq, Debug)]
pub struct Rendezvous {
    members: NonZeroU32,
    weights: Option<Arc<[f64]>>,
}

/// What a member and a key have in common.
fn hash(key: u64, member: usize) -> u64 {
    mix(key ^ mix(member as u64 + 1))
}

impl Balance for Rendezvous {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let key = mix(view.key() ^ 0x6a09_e667_f3bc_c908);
        let up = (0..self.members.get() as usize).filter(|&member| view.is_up(member));
        let highest = match &self.weights {
            None => up.max_by_key(|&member| hash(key, member)),
            Some(weights) => {
                let score =
                    |member: usize| -weights[member] / libm::log(Uniform::from_bits(hash(key, member)).open01());
                up.max_by(|&a, &b| score(a).total_cmp(&score(b)))
            }
        };
        highest.unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn owners(weights: Option<&[u32]>, members: u32, keys: u64, down: &[usize]) -> Vec<usize> {
        let settings = RendezvousSettings { weights: weights.map(|weights| Weights::new(weights).unwrap()) };
        let mut policy = settings.caller(NonZeroU32::new(members).unwrap()).unwrap();
        let mut view = Fixed { down: down.into(), ..Fixed::draws(&[]) };
        (0..keys)
            .map(|key| {
                view.key = key;
                policy.pick(&mut view)
            })
            .collect()
    }

    /// Of 100 000 keys an eleventh member takes 1/11 with a standard error of 0.0009, and no other key moves.
    #[test]
    fn a_member_that_joins_takes_its_share_and_nothing_else_moves() {
        let (before, after) = (owners(None, 10, 100_000, &[]), owners(None, 11, 100_000, &[]));
        assert!(before.iter().zip(&after).all(|(from, to)| from == to || *to == 10));
        let moved = after.iter().filter(|&&owner| owner == 10).count() as f64 / 1e5;
        assert!((moved - 1.0 / 11.0).abs() < 0.004, "{moved}");
    }

    /// A sixth, a third and a half, each within five standard errors (0.0016 at most).
    #[test]
    fn keys_fall_to_members_by_weight() {
        let owners = owners(Some(&[1, 2, 3]), 3, 100_000, &[]);
        for (member, share) in [1.0 / 6.0, 1.0 / 3.0, 0.5].into_iter().enumerate() {
            let found = owners.iter().filter(|&&owner| owner == member).count() as f64 / 1e5;
            assert!((found - share).abs() < 0.008, "{member}: {found}");
        }
    }

    /// Member 0 has about 3333 of 10 000 keys; each of the two others gets half of them.
    #[test]
    fn keys_of_a_member_that_is_down_are_spread_over_the_others() {
        let (before, after) = (owners(None, 3, 10_000, &[]), owners(None, 3, 10_000, &[0]));
        let gained = |member| before.iter().zip(&after).filter(|&(&from, &to)| from == 0 && to == member).count();
        assert!(before.iter().zip(&after).all(|(from, to)| from == to || *from == 0));
        assert!((1500..1850).contains(&gained(1)) && (1500..1850).contains(&gained(2)));
    }
}
