//! The fingerprint of several runs.

use crate::base::random::mix;

/// The fingerprints of runs, taken in in the order of their index.
#[derive(Clone, Copy, Default, Debug)]
pub(super) struct Chain {
    count: u32,
    first: u64,
    all: u64,
}

impl Chain {
    /// Takes in the next run's.
    pub(super) fn add(&mut self, digest: u64) {
        if self.count == 0 {
            self.first = digest;
        }
        self.count += 1;
        self.all = mix(self.all ^ digest);
    }

    /// That of all of them: a single run's own, 0 of none.
    pub(super) fn digest(&self) -> u64 {
        if self.count == 1 { self.first } else { self.all }
    }
}
