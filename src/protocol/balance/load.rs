//! How loaded a member is, as far as its caller knows.
//!
//! *Own* is what a real client can know without asking: its own requests that are not answered yet. *True* is what theory
//! assumes: the real load of every member, at once and without error. The two differ most where many callers share a group
//! and each has few requests under way.

use std::num::NonZeroU32;

use super::View;
use super::outstanding::Outstanding;
use crate::protocol::Entry;

crate::words! {
    /// Whose requests count as a member's load.
    pub enum Load {
        /// The caller's own requests that are not answered yet.
        Own = "own",
        /// What is really present at the member, known at once and without error, as theory assumes.
        True = "true",
    }
}

/// Whose requests count as a member's load, by scenario name.
pub const LOADS: &[Entry<Load>] = &[
    Entry {
        name: Load::WORDS.names[0],
        summary: Load::WORDS.texts[0].trim_ascii(),
        source: "Envoy, Supported load balancers (active requests of one worker)",
        example: Load::Own,
    },
    Entry {
        name: Load::WORDS.names[1],
        summary: Load::WORDS.texts[1].trim_ascii(),
        source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, IEEE TPDS 12(10), 2001",
        example: Load::True,
    },
];

/// The members' loads: counted here, or asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loads {
    /// The caller's unanswered requests at each member.
    Own(Outstanding),
    /// Asked for at every pick.
    True,
}

impl Loads {
    /// Nothing sent yet to any of `members`.
    pub fn new(members: NonZeroU32, load: Load) -> Self {
        match load {
            Load::Own => Self::Own(Outstanding::new(members)),
            Load::True => Self::True,
        }
    }

    /// The load of `member`, by our own count or by `view`.
    #[inline]
    pub fn of(&self, member: usize, view: &impl View) -> u32 {
        match self {
            Self::Own(counts) => counts.at(member),
            Self::True => view.load(member),
        }
    }

    /// A request was sent to `member`.
    #[inline]
    pub fn sent(&mut self, member: usize) {
        if let Self::Own(counts) = self {
            counts.sent(member);
        }
    }

    /// A request sent to `member` was answered or given up.
    ///
    /// # Panics
    /// If none was under way.
    #[inline]
    pub fn done(&mut self, member: usize) {
        if let Self::Own(counts) = self {
            counts.done(member);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::view::Fixed;
    use super::*;

    #[test]
    fn own_load_is_what_was_sent_and_is_not_done() {
        let mut loads = Loads::new(NonZeroU32::new(2).unwrap(), Load::Own);
        loads.sent(1);
        loads.sent(1);
        loads.done(1);
        assert_eq!([0, 1].map(|member| loads.of(member, &Fixed::loads(&[9, 9]))), [0, 1]);
    }

    #[test]
    fn true_load_is_asked_for() {
        let mut loads = Loads::new(NonZeroU32::MIN, Load::True);
        loads.sent(0);
        assert_eq!(loads.of(0, &Fixed::loads(&[9])), 9);
    }
}
