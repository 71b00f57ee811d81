//! What became of the sagas of a group of stations.

use std::collections::BTreeMap;

use crate::process::SagaFact;

/// Counts of sagas whose first leg went out while it was measured; whatever became of them later.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SagaBook {
    /// Those that began.
    pub begun: u64,
    /// Those all of whose legs ended well.
    pub completed: u64,
    /// Those whose legs are compensated, where they may have been done.
    pub compensated: u64,
    /// Those that a crash left open, and that nobody has taken up again.
    pub forgotten: u64,
    /// Compensations that went out, each time they did.
    pub compensations: u64,
}

impl SagaBook {
    /// Those that are neither completed nor compensated.
    pub fn half_done(&self) -> u64 {
        self.begun - self.completed - self.compensated
    }

    /// Adds what another book says.
    pub fn add(&mut self, other: &Self) {
        self.begun += other.begun;
        self.completed += other.completed;
        self.compensated += other.compensated;
        self.forgotten += other.forgotten;
        self.compensations += other.compensations;
    }
}

/// The sagas of one node that are not over, and whether a crash leaves each where it is found again.
#[derive(Clone, Debug, Default)]
pub(super) struct OpenSagas {
    open: BTreeMap<u64, bool>,
    /// Those that a crash interrupted.
    interrupted: BTreeMap<u64, bool>,
}

impl OpenSagas {
    /// Something happened to a saga; one that begins is followed if it `counts`.
    pub(super) fn take(&mut self, book: &mut SagaBook, saga: u64, fact: SagaFact, counts: bool) {
        match fact {
            SagaFact::Begun { is_kept } => {
                book.begun += u64::from(counts && self.open.insert(saga, is_kept).is_none());
            }
            SagaFact::Resumed => {
                if let Some(is_kept) = self.interrupted.remove(&saga) {
                    book.forgotten -= 1;
                    self.open.insert(saga, is_kept);
                }
            }
            SagaFact::Compensating => book.compensations += u64::from(self.open.contains_key(&saga)),
            SagaFact::Completed | SagaFact::Compensated => {
                let was_interrupted = self.interrupted.remove(&saga).is_some();
                book.forgotten -= u64::from(was_interrupted);
                if self.open.remove(&saga).is_some() || was_interrupted {
                    let of_these =
                        if fact == SagaFact::Completed { &mut book.completed } else { &mut book.compensated };
                    *of_these += 1;
                }
            }
        }
    }

    /// How many somebody will go on with, or may.
    pub(super) fn count(&self) -> usize {
        self.open.len() + self.interrupted.values().filter(|is_kept| **is_kept).count()
    }

    /// The node went down.
    pub(super) fn crash(&mut self, book: &mut SagaBook) {
        book.forgotten += self.open.len() as u64;
        self.interrupted.append(&mut self.open);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_crash_leaves_open_is_half_done_until_somebody_takes_it_up() {
        let (mut open, mut book) = (OpenSagas::default(), SagaBook::default());
        (0..5).for_each(|saga| open.take(&mut book, saga, SagaFact::Begun { is_kept: saga < 3 }, saga < 4));
        open.take(&mut book, 0, SagaFact::Completed, true);
        open.crash(&mut book);
        assert_eq!((book.begun, book.half_done(), book.forgotten, open.count()), (4, 3, 3, 2));
        // One is taken up, and of one its end was on the disk though nobody had been told; of the others it is said again in vain.
        open.take(&mut book, 1, SagaFact::Resumed, true);
        for saga in [0, 2, 4] {
            open.take(&mut book, saga, SagaFact::Compensated, true);
        }
        assert_eq!((book.compensated, book.half_done(), book.forgotten), (1, 2, 1));
        open.take(&mut book, 1, SagaFact::Compensating, true);
        open.take(&mut book, 1, SagaFact::Compensated, true);
        assert_eq!((book.compensations, book.half_done(), book.forgotten, open.count()), (1, 1, 1, 0));
    }
}
