//! A flow's course: what became of it, cell by cell of the load's time.

use crate::base::time::Time;

/// What a flow went through in one cell of time.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Cell {
    /// Messages due in it.
    pub due: u64,
    /// Those of them that did well.
    pub well: u64,
    /// Messages that came out right in it, whenever they were due.
    pub right: u64,
    /// When the first of those that were due in it and did well came out right.
    pub first_well: Time,
    /// When the first attempt failed that had been lost in it; or, if it was not lost on its way, sent in it.
    pub first_failed: Time,
    /// When the first message came out right of which such an attempt had failed.
    pub first_saved: Time,
    /// When a sender first took a member for down in it.
    pub first_suspected: Time,
}

impl Default for Cell {
    fn default() -> Self {
        Self {
            due: 0,
            well: 0,
            right: 0,
            first_well: Time::MAX,
            first_failed: Time::MAX,
            first_saved: Time::MAX,
            first_suspected: Time::MAX,
        }
    }
}

impl Cell {
    /// Adds what another flow went through in the same cell.
    fn add(&mut self, other: &Self) {
        self.due += other.due;
        self.well += other.well;
        self.right += other.right;
        self.first_well = self.first_well.min(other.first_well);
        self.first_failed = self.first_failed.min(other.first_failed);
        self.first_saved = self.first_saved.min(other.first_saved);
        self.first_suspected = self.first_suspected.min(other.first_suspected);
    }
}

/// What became of the attempts that were under way when a fault struck, and were not lost before.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct UnderWay {
    /// When the first of them failed.
    pub first_failed: Time,
    /// When the first message came out right of which one had failed.
    pub first_saved: Time,
}

impl Default for UnderWay {
    fn default() -> Self {
        Self { first_failed: Time::MAX, first_saved: Time::MAX }
    }
}

/// A flow's course, or that of several flows together.
#[derive(Clone, PartialEq, Eq, Default, Debug)]
pub struct Course {
    /// By cell; see [`CourseBook::starts`](super::CourseBook).
    pub(super) cells: Vec<Cell>,
    /// By time at which a fault strikes.
    pub(super) under_way: Vec<UnderWay>,
}

impl Course {
    pub(super) fn new(cells: usize, onsets: usize) -> Self {
        Self { cells: vec![Cell::default(); cells], under_way: vec![UnderWay::default(); onsets] }
    }

    /// Adds another flow's course.
    pub(super) fn add(&mut self, other: &Self) {
        self.cells.resize(self.cells.len().max(other.cells.len()), Cell::default());
        self.under_way.resize(self.under_way.len().max(other.under_way.len()), UnderWay::default());
        self.cells.iter_mut().zip(&other.cells).for_each(|(sum, cell)| sum.add(cell));
        for (sum, other) in self.under_way.iter_mut().zip(&other.under_way) {
            sum.first_failed = sum.first_failed.min(other.first_failed);
            sum.first_saved = sum.first_saved.min(other.first_saved);
        }
    }
}
