//! The race: rounds, and who is dropped after each.

use std::cmp::Ordering;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::experiment::study::StudyError;
use crate::experiment::verdict::Verdict;
use crate::experiment::workshop::{Task, Workshop};

use super::WRONG;
use super::trial::{Trial, half_width};

/// How often each is played in the first round: the fewest runs whose interval is not many times as wide as that of more.
pub(super) const FIRST: u32 = 4;
/// So many are not halved any more: what is as good as the best is to be seen at the end.
const FINALISTS: usize = 3;

/// Why a candidate was dropped.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reason {
    /// It surely breaks a condition.
    Infeasible,
    /// It is surely worse than the best of those that surely keep to all.
    Worse,
    /// It was in the worse half.
    Halved,
}

/// A round of the race.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Round {
    /// How often each of those that were left had been played at its end.
    pub runs: u32,
    /// How many they were.
    pub candidates: usize,
}

/// How often each candidate that is left has been played at the end of each round, where it is played `most` times at the most.
fn schedule(most: u32) -> Vec<u32> {
    let doubling = std::iter::successors(Some(FIRST), |runs| runs.checked_mul(2));
    doubling.take_while(|runs| *runs < most).chain([most]).collect()
}

/// How many stay at the most of so many.
fn half(candidates: usize) -> usize {
    candidates.div_ceil(2).max(FINALISTS.min(candidates))
}

/// How many runs are played at the most of so many candidates, each of which is played `most` times at the most.
pub fn runs_at_most(candidates: usize, most: u32) -> u64 {
    let (mut left, mut before, mut all) = (candidates, 0, 0);
    for runs in schedule(most) {
        all += left as u64 * u64::from(runs - before);
        (left, before) = (half(left), runs);
    }
    all
}

/// Candidates on their way.
#[derive(Debug)]
pub(super) struct Race {
    trials: Vec<Trial>,
    schedule: Vec<u32>,
    rounds: Vec<Round>,
    /// How sure each of the many things is that are said to be sure: of each candidate after each round, that it breaks or keeps to each
    /// condition, and that it is worse.
    confidence: f64,
}

impl Race {
    /// Nothing is played yet.
    pub(super) fn new(trials: Vec<Trial>, most: u32) -> Self {
        let schedule = schedule(most);
        let expectations = trials.iter().take(1).flat_map(|trial| &trial.setting.plan.expectations);
        let conditions: usize = expectations.map(|expectation| expectation.conditions.len()).sum();
        let tests = trials.len() * schedule.len() * (conditions + 1);
        // Only one end of each interval is looked at.
        let confidence = 1.0 - 2.0 * WRONG / tests as f64;
        Self { trials, schedule, rounds: Vec::new(), confidence: confidence.max(1.0 - WRONG) }
    }

    /// Plays all rounds, or as many as there is anything left for.
    pub(super) fn run(&mut self, workshop: &Workshop<'_, '_>) -> Result<(), StudyError> {
        let mut before = 0;
        for (round, runs) in self.schedule.clone().into_iter().enumerate() {
            let left = self.left();
            if left.is_empty() {
                break;
            }
            self.rounds.push(Round { runs, candidates: left.len() });
            let settings: Vec<_> = left.iter().map(|&place| Arc::clone(&self.trials[place].setting)).collect();
            let tasks = (before..runs).flat_map(|run| {
                let places = left.iter().zip(&settings);
                places.map(move |(&place, setting)| Task { place: place as u32, setting: Arc::clone(setting), run })
            });
            workshop.play_all(tasks, |task, record| {
                self.trials[task.place as usize].take(record?);
                Ok(ControlFlow::Continue(true))
            })?;
            self.drop_the_hopeless(round, &left);
            if round + 1 < self.schedule.len() {
                self.halve(round, half(left.len()));
            }
            before = runs;
        }
        Ok(())
    }

    /// The places of those that were not dropped.
    fn left(&self) -> Vec<usize> {
        (0..self.trials.len()).filter(|&place| self.trials[place].dropped.is_none()).collect()
    }

    /// Drops those that surely break a condition, and those that are surely worse than the best of those that surely keep to all.
    fn drop_the_hopeless(&mut self, round: usize, left: &[usize]) {
        let verdicts: Vec<_> = left.iter().map(|&place| self.trials[place].judge.verdict_at(self.confidence)).collect();
        let sound = left.iter().zip(&verdicts).filter(|(_, verdict)| **verdict == Verdict::Pass);
        let sound = sound.map(|(&place, _)| place).filter(|&place| self.trials[place].score().is_finite());
        let best = sound.min_by(|&one, &other| self.trials[one].score().total_cmp(&self.trials[other].score()));
        for (&place, verdict) in left.iter().zip(&verdicts) {
            if *verdict == Verdict::Fail {
                self.trials[place].dropped = Some((round, Reason::Infeasible));
                continue;
            }
            let Some(best) = best.filter(|&best| best != place) else { continue };
            let differences = self.trials[place].differences(&self.trials[best]);
            let least = differences.mean().zip(half_width(&differences, self.confidence));
            if least.is_some_and(|(mean, half)| mean - half > 0.0) {
                self.trials[place].dropped = Some((round, Reason::Worse));
            }
        }
    }

    /// Drops all but so many. First come those whose values keep to all conditions, by what is to be best; then those that miss them least,
    /// as long as it is not sure that they do. But up to half of the places is for the latter where they would be better than the first:
    /// the best of all is often one that just keeps to its conditions, and that is not seen in a few runs.
    fn halve(&mut self, round: usize, keep: usize) {
        let mut left = self.left();
        left.sort_by(|&one, &other| self.order(one, other));
        let Some(&first) = left.first() else { return };
        let score = |place: usize| self.trials[place].score();
        let is_rival = |place: &usize| self.trials[*place].judge.miss() > 0.0 && score(*place) < score(first);
        let rivals: Vec<usize> = left.iter().copied().filter(is_rival).take(keep / 2).collect();
        let others = left.iter().filter(|place| !rivals.contains(place)).skip(keep - rivals.len());
        for &place in others.collect::<Vec<_>>() {
            self.trials[place].dropped = Some((round, Reason::Halved));
        }
    }

    /// The better first.
    fn order(&self, one: usize, other: usize) -> Ordering {
        let [one_trial, other_trial] = [one, other].map(|place| &self.trials[place]);
        let miss = one_trial.judge.miss().total_cmp(&other_trial.judge.miss());
        miss.then(one_trial.score().total_cmp(&other_trial.score())).then(one.cmp(&other))
    }

    /// The best one, how it narrowed, and all that was played.
    pub(super) fn end(self) -> (usize, Vec<Round>, Vec<Trial>) {
        let left = self.left();
        let all: Vec<usize> = (0..self.trials.len()).collect();
        let gravity = |place: usize| self.trials[place].judge.verdict().gravity();
        let best = if left.is_empty() { all } else { left }
            .into_iter()
            .min_by(|&one, &other| gravity(one).cmp(&gravity(other)).then(self.order(one, other)))
            .expect("there are candidates");
        (best, self.rounds, self.trials)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 64, 32, 16, 8 and 4 candidates with 4, 8, 16, 32 and 64 runs: 64 x 4 + 32 x 4 + 16 x 8 + 8 x 16 + 4 x 32 = 768.
    #[test]
    fn rounds_double_the_runs_of_half_as_many() {
        assert_eq!(schedule(64), [4, 8, 16, 32, 64]);
        assert_eq!(schedule(10), [4, 8, 10]);
        assert_eq!((schedule(4), schedule(1)), (vec![4], vec![1]));
        assert_eq!(runs_at_most(64, 64), 768);
        assert_eq!((half(64), half(5), half(4), half(2)), (32, 3, 3, 2));
    }
}
