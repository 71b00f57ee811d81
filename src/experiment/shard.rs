//! A study in parts, each of which is played by another process, on the same machine or on another one.
//!
//! Runs are numbered point by point, and each shard plays every so-manieth: so every shard has some runs of each point, and all take
//! about as long. Where a point's runs end once enough is known, only whoever plays them all can know when: then each shard plays every
//! so-manieth point.

use std::cell::RefCell;
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::scenario::plan::Plan;

use super::run::Watch;
use super::shelf::Shelf;
use super::study::{StudyError, settings, study};
use super::workshop::{Task, Workshop};

/// The most shards of a study: as many as a job of any scheduler has tasks.
const SHARDS_MAX: u32 = 1_000_000;

/// One of the parts of a study. Written, they are counted from 1: `2/7` is the second of seven.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shard {
    /// How many there are.
    pub count: u32,
    /// Which one it is, from 0.
    pub index: u32,
}

/// Who plays what.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Division {
    /// How many shards there are.
    pub count: u32,
    /// Whether whole points are dealt out.
    pub is_by_point: bool,
    /// For each point the number of its first run; at last, how many there are.
    firsts: Vec<u64>,
}

impl Shard {
    /// The `number`th of `count`, counted from 1, if there is such a one.
    pub fn new(number: u32, count: u32) -> Option<Self> {
        (count <= SHARDS_MAX && (1..=count).contains(&number)).then(|| Self { count, index: number - 1 })
    }

    /// Reads `2/7`.
    pub fn parse(text: &str) -> Option<Self> {
        let (number, count) = text.split_once('/')?;
        Self::new(number.parse().ok()?, count.parse().ok()?)
    }

    /// Which one it is, from 1.
    pub fn number(self) -> u32 {
        self.index + 1
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.number(), self.count)
    }
}

impl Division {
    /// Divides a study between so many shards. Of each point it is known how often it is played at the most, and whether it may end
    /// before.
    pub fn new(count: u32, points: impl IntoIterator<Item = (u32, bool)>) -> Self {
        let mut division = Self { count: count.max(1), is_by_point: false, firsts: vec![0] };
        let mut runs = 0;
        for (more, ends_early) in points {
            runs += u64::from(more);
            division.firsts.push(runs);
            division.is_by_point |= ends_early;
        }
        division
    }

    /// Whether a shard plays this run of this point.
    pub fn plays(&self, shard: Shard, point: u32, run: u32) -> bool {
        let number = if self.is_by_point { point.into() } else { self.firsts[point as usize] + u64::from(run) };
        number % u64::from(self.count) == u64::from(shard.index)
    }

    /// Whether a shard plays any run of this point.
    pub fn plays_any(&self, shard: Shard, point: u32) -> bool {
        // After so many runs it is every shard's turn.
        (0..self.runs(point).min(self.count)).any(|run| self.plays(shard, point, run))
    }

    /// How often this point is played, at the most.
    pub fn runs(&self, point: u32) -> u32 {
        (self.firsts[point as usize + 1] - self.firsts[point as usize]) as u32
    }

    /// The runs of this point that a shard plays.
    pub fn share(&self, shard: Shard, point: u32) -> impl Iterator<Item = u32> {
        (0..self.runs(point)).filter(move |&run| self.plays(shard, point, run))
    }

    /// How many points there are.
    pub fn points(&self) -> u32 {
        (self.firsts.len() - 1) as u32
    }

    /// How many runs a shard plays, at the most.
    pub fn most(&self, shard: Shard) -> u64 {
        match self.is_by_point {
            true => (0..self.points()).map(|point| self.share(shard, point).count() as u64).sum(),
            false => {
                let (runs, count) = (self.firsts[self.firsts.len() - 1], u64::from(self.count));
                runs / count + u64::from(runs % count > u64::from(shard.index))
            }
        }
    }
}

/// Plays a shard's runs of a study, and keeps what they answer. A point of which it plays nothing may be left out of `points`.
///
/// # Errors
/// When a run gives no result, or answers cannot be read or kept; what was kept before stays.
pub fn play_shard(
    shard: Shard,
    division: &Division,
    points: impl IntoIterator<Item = Result<(u32, Plan), StudyError>>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
) -> Result<(), StudyError> {
    if division.is_by_point {
        return study(points, shelf, watch, |_| ControlFlow::Continue(()));
    }
    let workshop = Workshop::new(shelf, watch);
    let failed = RefCell::new(Ok(()));
    let tasks = settings(points, &workshop, &failed).flat_map(|(place, setting)| {
        let share = division.share(shard, setting.point);
        share.map(move |run| Task { place, setting: Arc::clone(&setting), run })
    });
    workshop.play_all(tasks, |_, record| record.map(|_| ControlFlow::Continue(true)))?;
    failed.into_inner()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards_are_counted_from_one() {
        let shard = Shard::parse("2/7").expect("it is one of seven");
        assert_eq!((shard.index, shard.count, shard.to_string().as_str()), (1, 7, "2/7"));
        for text in ["0/7", "8/7", "2", "2/", "/7", "-1/7", "2/7/9", "0/0", "1/0", "1/4000000000", ""] {
            assert_eq!(Shard::parse(text), None, "{text}");
        }
    }

    /// Of 3 points of 10, 1 and 9 runs, each run is one shard's, and no shard has two more than another.
    #[test]
    fn every_run_is_played_once_and_shares_are_even() {
        for count in [1, 2, 3, 7, 64] {
            let division = Division::new(count, [(10, false), (1, false), (9, false)]);
            let shares = (1..=count).map(|number| {
                let shard = Shard::new(number, count).unwrap();
                let runs = |point| division.share(shard, point).collect::<Vec<_>>();
                let share: Vec<_> =
                    (0..3).flat_map(|point| runs(point).into_iter().map(move |run| (point, run))).collect();
                (0..3).for_each(|point| assert_eq!(division.plays_any(shard, point), !runs(point).is_empty()));
                assert_eq!(division.most(shard), share.len() as u64);
                share
            });
            let shares: Vec<_> = shares.collect();
            let sizes = || shares.iter().map(Vec::len);
            assert!(sizes().max().unwrap() - sizes().min().unwrap() <= 1, "{shares:?}");
            let mut all = shares.concat();
            all.sort_unstable();
            all.dedup();
            assert_eq!((all.len(), sizes().sum::<usize>()), (20, 20));
        }
    }

    #[test]
    fn what_may_end_early_is_dealt_out_by_points() {
        let division = Division::new(2, [(10, true), (10, false), (10, true)]);
        let first = Shard::new(1, 2).unwrap();
        assert_eq!((0..3).map(|point| division.share(first, point).count()).collect::<Vec<_>>(), [10, 0, 10]);
        assert_eq!((division.most(first), division.is_by_point), (20, true));
    }
}
