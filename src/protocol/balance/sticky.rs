//! Sticky: the same member for the same key, as long as it is up.
//!
//! The first request of a key chooses a member; the caller remembers it, and all further requests of that key go there. If it
//! is down, another is chosen and remembered instead. The memory is bounded: with so many keys in it, a new one takes the place
//! of the one that has not been used for longest, whose next request chooses again. Other than with a hash of the key, members
//! are chosen freely and stay chosen when members come and go, but each caller remembers for itself.
//!
//! Source: HAProxy 1.4, `stick-table` with `stick on`.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::{Balance, BalanceError, Balancer, End, LeastRequests, LeastRequestsSettings, Load, View, any_up};
use crate::base::settings::Settings;
use crate::base::time::Time;

crate::words! {
    /// How the first request of a key chooses.
    pub enum First {
        /// Any member, each as likely as the others.
        Random = "random",
        /// The one with the fewest requests of the caller, ties at random.
        LeastRequests = "least-requests",
    }
}

crate::settings! {
    /// The same member for the same key, as long as it is up; the first request of a key chooses it. Sessions stay where their
    /// state is, whoever comes or goes. Load follows the keys: a member that was chosen often stays loaded. Each caller
    /// remembers for itself, and forgets the key that was not used for longest when its memory is full.
    pub struct StickySettings = "sticky", "HAProxy 1.4, stick-table" {
        /// How the first request of a key chooses.
        first: First = First::Random,
        /// How many keys each caller remembers.
        max_keys: NonZeroU32 = const { NonZeroU32::new(10_000).unwrap() },
    }
}

impl Settings for StickySettings {}

impl Balancer for StickySettings {
    type Caller = Sticky;

    const IS_KEYED: bool = true;

    fn caller(&self, members: NonZeroU32) -> Result<Sticky, BalanceError> {
        let least = match self.first {
            First::Random => None,
            First::LeastRequests => Some(LeastRequestsSettings { load: Load::Own }.caller(members)?),
        };
        Ok(Sticky(Box::new(Memory {
            members,
            max_keys: self.max_keys.get() as usize,
            least,
            known: BTreeMap::new(),
            used: BTreeMap::new(),
            uses: 0,
        })))
    }
}

/// The keys one caller remembers.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sticky(Box<Memory>);

#[derive(Clone, PartialEq, Eq, Debug)]
struct Memory {
    members: NonZeroU32,
    max_keys: usize,
    /// Who chooses; anybody if there is none.
    least: Option<LeastRequests>,
    /// Each key's member, and when it was last used.
    known: BTreeMap<u64, (u32, u64)>,
    /// The keys in the order of their last use.
    used: BTreeMap<u64, u64>,
    uses: u64,
}

impl Balance for Sticky {
    #[inline(never)]
    fn pick(&mut self, view: &mut impl View) -> usize {
        let memory = &mut *self.0;
        let key = view.key();
        let known = memory.known.get(&key).copied();
        if let Some((_, last)) = known {
            memory.used.remove(&last);
        } else if memory.known.len() == memory.max_keys
            && let Some((_, oldest)) = memory.used.pop_first()
        {
            memory.known.remove(&oldest);
        }
        let member = match known {
            Some((member, _)) if view.is_up(member as usize) => member as usize,
            _ => match &mut memory.least {
                Some(least) => least.pick(view),
                None => any_up(memory.members, view),
            },
        };
        memory.uses += 1;
        memory.known.insert(key, (member as u32, memory.uses));
        memory.used.insert(memory.uses, key);
        member
    }

    fn pick_other(&self, view: &mut impl View) -> usize {
        match &self.0.least {
            Some(least) => least.pick_other(view),
            None => any_up(self.0.members, view),
        }
    }

    fn sent(&mut self, member: usize, now: Time) {
        if let Some(least) = &mut self.0.least {
            least.sent(member, now);
        }
    }

    fn done(&mut self, member: usize, end: End) {
        if let Some(least) = &mut self.0.least {
            least.done(member, end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    fn of(members: u32, max_keys: u32, first: First) -> Sticky {
        let settings = StickySettings { first, max_keys: NonZeroU32::new(max_keys).unwrap() };
        settings.caller(NonZeroU32::new(members).unwrap()).unwrap()
    }

    fn pick(policy: &mut Sticky, key: u64, down: &[usize]) -> usize {
        policy.pick(&mut Fixed { key, down: down.into(), ..Fixed::seeded(key) })
    }

    #[test]
    fn another_copy_does_not_move_a_key() {
        let mut policy = of(7, 100, First::Random);
        let first = pick(&mut policy, 3, &[]);
        let other = policy.pick_other(&mut Fixed { key: 3, down: vec![first], ..Fixed::seeded(3) });
        assert_ne!(other, first);
        assert_eq!(pick(&mut policy, 3, &[]), first);
    }

    #[test]
    fn a_key_stays_and_moves_only_when_its_member_is_down() {
        let mut policy = of(7, 100, First::Random);
        let first: Vec<_> = (0..100).map(|key| pick(&mut policy, key, &[])).collect();
        assert!((0..100).all(|key| pick(&mut policy, key, &[]) == first[key as usize]));
        let moved = pick(&mut policy, 3, &[first[3]]);
        assert_ne!(moved, first[3]);
        assert_eq!(pick(&mut policy, 3, &[]), moved, "it does not go back");
    }

    /// Keys 0, 1, 0, 2 in a memory of two: 1 is forgotten, as it was not used for longest.
    #[test]
    fn the_key_not_used_for_longest_is_forgotten() {
        let mut policy = of(7, 2, First::Random);
        for key in [0, 1, 0, 2] {
            pick(&mut policy, key, &[]);
        }
        let known: Vec<_> = policy.0.known.keys().copied().collect();
        assert_eq!(known, [0, 2]);
        assert_eq!(policy.0.used.len(), 2);
    }

    #[test]
    fn new_keys_go_where_the_fewest_requests_are() {
        let mut policy = of(4, 100, First::LeastRequests);
        let mut counts = [0; 4];
        for key in 0..12 {
            let member = pick(&mut policy, key, &[]);
            policy.sent(member, Time::ZERO);
            counts[member] += 1;
        }
        assert_eq!(counts, [3; 4]);
    }
}
