//! How loaded a member is, as far as its caller knows.
//!
//! *Own* is what a real client can know without asking: its own requests that are not answered yet. *True* is what theory
//! assumes: the real load of every member, at once and without error. The two differ most where many callers share a group
//! and each has few requests under way.

use std::num::NonZeroU32;

/// Whose requests count as a member's load.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub enum Load {
    /// The caller's own that are not answered yet.
    #[default]
    Own,
    /// All that are present at the member.
    True,
}

/// The members' loads: counted here, or asked for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Loads {
    /// The caller's unanswered requests at each member.
    Own(Box<[u32]>),
    /// Asked for at every pick.
    True,
}

impl Loads {
    /// Nothing sent yet to any of `members`.
    pub fn new(members: NonZeroU32, load: Load) -> Self {
        match load {
            Load::Own => Self::Own(vec![0; members.get() as usize].into()),
            Load::True => Self::True,
        }
    }

    /// The load of `member`, by our own count or by `view`.
    #[inline]
    pub fn of(&self, member: usize, view: impl Fn(usize) -> u32) -> u32 {
        match self {
            Self::Own(counts) => counts[member],
            Self::True => view(member),
        }
    }

    /// A request was sent to `member`.
    pub fn sent(&mut self, member: usize) {
        if let Self::Own(counts) = self {
            counts[member] += 1;
        }
    }

    /// A request sent to `member` was answered or given up.
    ///
    /// # Panics
    /// If none was under way.
    pub fn done(&mut self, member: usize) {
        if let Self::Own(counts) = self {
            counts[member] = counts[member].checked_sub(1).expect("what is done was sent before");
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_load_is_what_was_sent_and_is_not_done() {
        let mut loads = Loads::new(NonZeroU32::new(2).unwrap(), Load::Own);
        loads.sent(1);
        loads.sent(1);
        loads.done(1);
        assert_eq!([0, 1].map(|member| loads.of(member, |_| 9)), [0, 1]);
    }

    #[test]
    fn true_load_is_asked_for() {
        let mut loads = Loads::new(NonZeroU32::MIN, Load::True);
        loads.sent(0);
        assert_eq!(loads.of(0, |_| 9), 9);
    }
}
