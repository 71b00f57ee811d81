//! How an attempt can fail, as its caller sees it.
//!
//! The kinds differ in what the caller knows. Of a request that was *rejected* or *expired* it knows that nothing was done,
//! so another attempt is always safe. One that *failed* was handled. After a *timeout* or a *reset* it knows nothing, and
//! another attempt may do the work twice.
//!
//! Source: gRFC A6 "gRPC Retry Design", which retries by status; Birrell and Nelson, "Implementing Remote Procedure Calls",
//! ACM TOCS 2(1), 1984, on what a caller can know.

/// Why an attempt failed.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum Failure {
    /// No answer came in time.
    Timeout,
    /// Turned away before it was handled.
    Rejected,
    /// Handled, and answered with an error.
    Failed,
    /// Dropped unhandled where it waited: its time to live had run out.
    Expired,
    /// The connection it was sent on was reset.
    Reset,
}

/// Some of the ways to fail.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub struct FailureSet(u8);

impl FailureSet {
    /// All of them.
    pub const ALL: Self = Self(0b1_1111);

    /// Whether `failure` is one of them.
    pub const fn contains(self, failure: Failure) -> bool {
        self.0 & bit(failure) != 0
    }
}

impl FromIterator<Failure> for FailureSet {
    fn from_iter<I: IntoIterator<Item = Failure>>(failures: I) -> Self {
        Self(failures.into_iter().fold(0, |bits, failure| bits | bit(failure)))
    }
}

const fn bit(failure: Failure) -> u8 {
    1 << failure as u8
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::retry::FAILURES;

    #[test]
    fn a_set_contains_what_it_was_made_of() {
        for entry in FAILURES {
            assert!(FailureSet::ALL.contains(entry.example));
            assert!(!FailureSet::default().contains(entry.example));
            for other in FAILURES {
                assert_eq!(FailureSet::from_iter([other.example]).contains(entry.example), other.name == entry.name);
            }
        }
        assert_eq!(FailureSet::from_iter(FAILURES.iter().map(|entry| entry.example)), FailureSet::ALL);
    }
}
