//! Ring hash: consistent hashing, by the request's key.
//!
//! Every member has so many points on a ring of 2^64 places, which depend on its number and the point's alone; a key belongs to
//! the first point at or after its own place. When a member joins, its points take keys from the others and nothing else
//! moves: one of n + 1 shares. Shares are not equal: with n members of v points each, a member's share has a coefficient of
//! variation of √((n − 1)/(n v + 1)), 9.5 % for 10 members of 100 points. If a member is down, its keys go to the next
//! distinct member along the ring that is up, and come back afterwards.
//!
//! With a bound c, a member takes no more than ⌈c (m + 1)/n⌉ requests at a time, where m are all that the caller has under way
//! and n the members that are up; what it cannot take goes to the next that can. The ring is made once and held by all
//! callers together.
//!
//! Source: Karger et al., "Consistent Hashing and Random Trees", STOC 1997; Mirrokni, Thorup, Zadimoghaddam, "Consistent Hashing
//! with Bounded Loads", SODA 2018.

use std::num::NonZeroU32;
use std::sync::Arc;

use super::outstanding::Outstanding;
use super::{Balance, BalanceError, Balancer, End, View};
use crate::base::random::mix;
use crate::base::settings::Settings;
use crate::base::time::Time;

/// The most points on a ring: Envoy's `maximum_ring_size`.
const POINTS_MAX: u64 = 1 << 23;

crate::settings! {
    /// Consistent hashing: each key has its member, and when members come or go few keys move. It keeps caches warm and state
    /// in one place. A popular key makes its member hot, unless a bound sends on what is too much. Points depend on the
    /// members' numbers alone, so all callers agree.
    pub struct RingHashSettings = "ring-hash", "Karger et al., STOC 1997; bound: Mirrokni, Thorup, Zadimoghaddam, SODA 2018" {
        /// How many points each member has on the ring. More make shares more even. 100 is customary; libketama (0.1) has 160
        /// per server (40 hashes of 4 points), Envoy (1.15) at least 1024 in all (`minimum_ring_size`). A ring
        /// has at most 8388608 points in all, Envoy's `maximum_ring_size`.
        virtual_nodes: NonZeroU32 = const { NonZeroU32::new(100).unwrap() },
        /// How many times the mean of the caller's own requests under way a member may have, from 1; then the next member along
        /// the ring is taken. No bound if not given. Envoy's `hash_balance_factor` is this in percent, HAProxy's too.
        bound: Option<f64> = None,
    }
}

impl Settings for RingHashSettings {
    fn check(&self) -> Result<(), String> {
        match self.bound {
            Some(bound) if bound.is_nan() || bound < 1.0 => {
                Err("needs a `bound` of at least 1: less than the mean cannot hold all requests".into())
            }
            _ => Ok(()),
        }
    }
}

impl Balancer for RingHashSettings {
    type Caller = RingHash;

    const IS_KEYED: bool = true;

    fn caller(&self, members: NonZeroU32) -> Result<RingHash, BalanceError> {
        let each = self.virtual_nodes.get();
        if u64::from(each) * u64::from(members.get()) > POINTS_MAX {
            return Err(BalanceError::Points { each, members: members.get() });
        }
        let bounded = self.bound.map(|factor| {
            let (outstanding, all) = (Outstanding::new(members), 0);
            Box::new(Bounded { factor, members: members.get() as usize, outstanding, all })
        });
        Ok(RingHash { ring: Arc::new(Ring::new(members, each, 0)), bounded })
    }

    fn shares(&self, _: NonZeroU32) -> Option<Vec<f64>> {
        None
    }
}

/// The ring, and what is under way if that is bounded.
#[derive(Clone, PartialEq, Debug)]
pub struct RingHash {
    ring: Arc<Ring>,
    bounded: Option<Box<Bounded>>,
}

/// Points and their members, in the order of the ring.
#[derive(PartialEq, Eq, Debug)]
struct Ring(Box<[(u64, u32)]>);

impl Ring {
    /// The points of so many members, `each` as many. `salt` tells rings apart.
    fn new(members: NonZeroU32, each: u32, salt: u64) -> Self {
        let points = (0..members.get()).flat_map(|member| {
            let base = mix(mix(salt ^ 0x9e37_79b9_7f4a_7c15).wrapping_add(u64::from(member) + 1));
            (0..each).map(move |point| (mix(base ^ mix(u64::from(point) + 1)), member))
        });
        let mut points: Box<[_]> = points.collect();
        points.sort_unstable();
        Self(points)
    }

    /// The members along the ring from a key's place on, once round.
    fn from(&self, key: u64) -> impl Iterator<Item = usize> {
        let place = mix(key);
        let start = self.0.partition_point(|&(point, _)| point < place);
        self.0[start..].iter().chain(&self.0[..start]).map(|&(_, member)| member as usize)
    }
}

/// The caller's own requests under way, and how many are too many.
#[derive(Clone, PartialEq, Debug)]
struct Bounded {
    factor: f64,
    members: usize,
    outstanding: Outstanding,
    all: u32,
}

impl Bounded {
    /// How many each member may have, the one to come included.
    fn capacity(&self, view: &impl View) -> u32 {
        let up = (0..self.members).filter(|&member| view.is_up(member)).count();
        libm::ceil(self.factor * (f64::from(self.all) + 1.0) / up as f64) as u32
    }
}

impl Balance for RingHash {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let capacity = self.bounded.as_ref().map(|bounded| (bounded, bounded.capacity(view)));
        let has_room = |member| capacity.is_none_or(|(bounded, capacity)| bounded.outstanding.at(member) < capacity);
        self.ring.from(view.key()).find(|&member| view.is_up(member) && has_room(member)).unwrap_or(0)
    }

    fn sent(&mut self, member: usize, _: Time) {
        if let Some(bounded) = &mut self.bounded {
            bounded.outstanding.sent(member);
            bounded.all += 1;
        }
    }

    fn done(&mut self, member: usize, _: End) {
        if let Some(bounded) = &mut self.bounded {
            bounded.outstanding.done(member);
            bounded.all -= 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn count(count: u32) -> NonZeroU32 {
        NonZeroU32::new(count).unwrap()
    }

    /// The coefficient of variation is √(9/1001) = 0.09482. It is that of one member's share over all rings, which are drawn
    /// anew here; from 1000 rings of 10 members its standard error is below 1 %.
    #[test]
    fn shares_vary_as_uniform_spacings_do() {
        let mut squares = 0.0;
        for salt in 0..1000 {
            let ring = Ring::new(count(10), 100, salt);
            let (mut shares, mut last) = ([0.0; 10], ring.0[ring.0.len() - 1].0);
            for &(point, member) in &ring.0 {
                shares[member as usize] += point.wrapping_sub(last) as f64 / libm::exp2(64.0) * 10.0;
                last = point;
            }
            squares += shares.iter().map(|share| (share - 1.0) * (share - 1.0)).sum::<f64>();
        }
        let variation = libm::sqrt(squares / 10_000.0);
        assert!((variation / 0.094_821 - 1.0).abs() < 0.03, "{variation}");
    }

    /// An eleventh member takes 1/11 of the keys on average over rings, with a standard deviation of about 0.0075 on each of
    /// 20; that no other key moves is exact. Numbering members by remainder instead moves 10/11.
    #[test]
    fn a_member_that_joins_takes_its_share_and_nothing_else_moves() {
        let (mut moved, keys) = (0, 10_000);
        for salt in 0..20 {
            let (before, after) = (Ring::new(count(10), 100, salt), Ring::new(count(11), 100, salt));
            for key in 0..keys {
                let (from, to) = (before.from(key).next(), after.from(key).next());
                assert!(from == to || to == Some(10));
                moved += u64::from(from != to);
            }
        }
        let share = moved as f64 / (20 * keys) as f64;
        assert!((share / (1.0 / 11.0) - 1.0).abs() < 0.1, "{share}");
        let renumbered = (0..keys).filter(|&key| mix(key) % 10 != mix(key) % 11).count() as f64 / keys as f64;
        assert!((renumbered / (10.0 / 11.0) - 1.0).abs() < 0.01, "{renumbered}");
    }

    #[test]
    fn keys_of_a_member_that_is_down_go_on_and_come_back() {
        let mut policy = RingHashSettings::default().caller(count(5)).unwrap();
        let mut pick = |key, down: &[usize]| policy.pick(&mut Fixed { key, down: down.into(), ..Fixed::draws(&[]) });
        for key in 0..200 {
            let home = pick(key, &[]);
            let away = pick(key, &[home]);
            assert_ne!(home, away);
            for other in (0..5).filter(|&other| other != home) {
                assert_eq!(pick(key, &[other]), home, "no key of another moves");
            }
            assert_ne!(pick(key, &[home, away]), away);
        }
    }

    /// One popular key. 100 requests under way among 10 members, at most ⌈1.25 × 100/10⌉ = 13 at each: seven members are full
    /// and an eighth has the last 9. Without a bound all are at one.
    #[test]
    fn no_member_has_more_than_its_bound() {
        let mut policy = RingHashSettings { bound: Some(1.25), ..Default::default() }.caller(count(10)).unwrap();
        let (mut view, mut loads) = (Fixed { key: 7, ..Fixed::draws(&[]) }, [0_u32; 10]);
        for sent in 1..=100 {
            let member = policy.pick(&mut view);
            policy.sent(member, Time::ZERO);
            loads[member] += 1;
            let bound = libm::ceil(1.25 * f64::from(sent) / 10.0) as u32;
            assert!(loads.iter().all(|&load| load <= bound), "{loads:?} after {sent}");
        }
        assert_eq!(loads.iter().max(), Some(&13));
        let mut free = RingHashSettings::default().caller(count(10)).unwrap();
        let home = free.pick(&mut view);
        assert!((0..100).all(|_| free.pick(&mut view) == home));
    }

    #[test]
    fn a_ring_of_too_many_points_is_refused() {
        let error = RingHashSettings { virtual_nodes: count(1 << 20), bound: None }.caller(count(100)).unwrap_err();
        assert_eq!(error.to_string(), "1048576 points for each of 100 members do not fit on a ring");
    }
}
