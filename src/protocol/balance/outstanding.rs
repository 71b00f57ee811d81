//! A caller's own requests that are not answered yet, counted by member.

use std::num::NonZeroU32;

/// One count for each member.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Outstanding(Box<[u32]>);

impl Outstanding {
    /// Nothing sent yet to any of `members`.
    pub fn new(members: NonZeroU32) -> Self {
        Self(vec![0; members.get() as usize].into())
    }

    /// How many are at `member`.
    #[inline]
    pub fn at(&self, member: usize) -> u32 {
        self.0[member]
    }

    /// A request was sent to `member`.
    #[inline]
    pub fn sent(&mut self, member: usize) {
        self.0[member] += 1;
    }

    /// A request sent to `member` was answered or given up.
    ///
    /// # Panics
    /// If none was under way.
    #[inline]
    pub fn done(&mut self, member: usize) {
        self.0[member] = self.0[member].checked_sub(1).expect("what is done was sent before");
    }
}
