//! Tuning: which of many settings makes a quantity best, while others keep to what they have to be.
//!
//! The candidates race. All that are left are played with the same luck, so that what is compared are differences of runs of the same
//! index; after each round those go that surely break a condition or are surely worse than the best of those that surely keep to all
//! (Maron and Moore, The racing algorithm, Artificial Intelligence Review 11, 1997; Birattari et al., F-Race, GECCO 2002), and of the
//! others at the most the better half stays and is played twice as often (successive halving: Jamieson and Talwalkar, AISTATS 2016). The
//! first two are mistakes in 5 % of all races, as each comparison is given an equal part of that (Bonferroni); halving is a bet.
//! Nothing is sure by a value without an interval, or by runs that happen to agree.

mod front;
mod race;
mod trial;

use crate::scenario::Better;
use crate::scenario::design::{Design, Point};
use crate::scenario::plan::{Aim, Plan};

use super::judge::gravest;
use super::run::Watch;
use super::shelf::Shelf;
use super::study::StudyError;
use super::sweep::Axis;
use super::verdict::{Judgement, Measured, Verdict};
use super::workshop::Workshop;

use race::Race;
pub use race::{Reason, Round, runs_at_most};
use trial::{Trial, half_width};

/// Of all that is said to be surely so, this share may be wrong.
const WRONG: f64 = 0.05;

/// A tuning, played.
#[derive(Clone, PartialEq, Debug)]
pub struct Tuning {
    /// The scenario's title.
    pub title: String,
    /// The variant that was tuned.
    pub variant: Option<String>,
    /// The scenario's seed, which all candidates share.
    pub seed: u64,
    /// What was varied.
    pub factors: Vec<Axis>,
    /// What was to be best, as it is written.
    pub objective: String,
    /// Which values of it are better.
    pub better: Better,
    /// Of what had to hold, which values are better, where it has a limit on one side only.
    pub limits: Vec<Option<Better>>,
    /// All that were tried, in the order of the design.
    pub candidates: Vec<Candidate>,
    /// How it narrowed.
    pub rounds: Vec<Round>,
    /// The place of the best one: of those that keep to all conditions, or else of those that may, or else the one that misses them least.
    pub best: usize,
}

/// A setting that was tried.
#[derive(Clone, PartialEq, Debug)]
pub struct Candidate {
    /// What each factor is, as it would be written.
    pub labels: Vec<String>,
    /// The same as numbers in base units, where they are numbers.
    pub numbers: Vec<Option<f64>>,
    /// How often it was played.
    pub runs: u32,
    /// What was to be best.
    pub value: Measured,
    /// What had to hold.
    pub judgements: Vec<Judgement>,
    /// How far it is from what had to hold, as a share of that; 0 where the values meet it.
    pub miss: f64,
    /// The round in which it was dropped, from 0, and why.
    pub dropped: Option<(usize, Reason)>,
    /// How it differs from the best, in the runs that both were played; none for the best itself.
    pub behind: Option<Behind>,
    /// Whether no other is better in one of all quantities and no worse in the others.
    pub is_on_front: bool,
    /// The fingerprints of its runs, chained in their order.
    pub digest: u64,
}

/// How far a candidate is behind the best one.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Behind {
    /// Its value less that of the best, on the average of the runs that both were played.
    pub value: f64,
    /// Half an interval of that, so wide that all finalists' hold the truth at a time in 95 % of all cases.
    pub half: Option<f64>,
}

impl Behind {
    /// Whether the difference may be nothing.
    pub fn may_be_nothing(&self) -> bool {
        self.half.is_some_and(|half| self.value.abs() <= half) || self.value == 0.0
    }
}

impl Candidate {
    /// Whether it keeps to all that had to hold.
    pub fn verdict(&self) -> Verdict {
        gravest(self.judgements.iter().map(|judgement| judgement.verdict))
    }
}

impl Tuning {
    /// The best one.
    pub fn winner(&self) -> &Candidate {
        &self.candidates[self.best]
    }

    /// How many runs were played.
    pub fn runs(&self) -> u64 {
        self.candidates.iter().map(|candidate| u64::from(candidate.runs)).sum()
    }

    /// The others that stayed to the end.
    pub fn finalists(&self) -> impl Iterator<Item = &Candidate> {
        let others = self.candidates.iter().enumerate().filter(|(place, _)| *place != self.best);
        others.map(|(_, candidate)| candidate).filter(|candidate| candidate.dropped.is_none())
    }

    /// The places of all, the best first: those that stayed, then those that were dropped, the later before the earlier, the better before
    /// the worse.
    pub fn ranking(&self) -> Vec<usize> {
        let stayed = |place: usize| self.candidates[place].dropped.map_or(usize::MAX, |(round, _)| round);
        let score = |place: usize| score(self.better, self.candidates[place].value.value);
        let mut places: Vec<usize> = (0..self.candidates.len()).collect();
        places.sort_by(|&one, &other| {
            let is_best = |place: usize| place == self.best;
            let miss = |place: usize| self.candidates[place].miss;
            (is_best(other).cmp(&is_best(one)))
                .then(stayed(other).cmp(&stayed(one)))
                .then(miss(one).total_cmp(&miss(other)))
                .then(score(one).total_cmp(&score(other)))
        });
        places
    }
}

/// A value such that less is better; what has none is worse than anything.
fn score(better: Better, value: Option<f64>) -> f64 {
    match better {
        Better::Lower => value.unwrap_or(f64::INFINITY),
        Better::Higher => value.map_or(f64::INFINITY, |value| -value),
    }
}

/// Plays the points of a design against each other, as often as the plan says at the most. `make` makes the plan of a point.
///
/// # Errors
/// When a point cannot be planned, a run gives no result, or answers cannot be read or kept; what was kept before stays.
///
/// # Panics
/// If there are no points.
pub fn tune(
    (base, aim): (&Plan, &Aim),
    (design, points): (&Design, &[Point]),
    mut make: impl FnMut(&Point) -> Result<Plan, StudyError>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
) -> Result<Tuning, StudyError> {
    let workshop = Workshop::new(shelf, watch);
    let settings = points.iter().zip(0..).map(|(point, place)| workshop.setting(place, make(point)?.for_tuning()));
    let trials = settings.map(|setting| Ok(Trial::new(setting?, aim.better)));
    let mut race = Race::new(trials.collect::<Result<_, StudyError>>()?, base.runs);
    race.run(&workshop)?;
    let (best, rounds, trials) = race.end();
    let finalists = trials.iter().filter(|trial| trial.dropped.is_none()).count();
    let confidence = 1.0 - WRONG / finalists.saturating_sub(1).max(1) as f64;
    let fronts = front::of(aim, &trials);
    let candidates =
        points.iter().zip(&trials).zip(fronts).enumerate().map(|(place, ((point, trial), is_on_front))| {
            let differences = trial.differences(&trials[best]);
            let sign = if aim.better == Better::Lower { 1.0 } else { -1.0 };
            let behind = differences
                .mean()
                .filter(|value| place != best && value.is_finite())
                .map(|value| Behind { value: value * sign, half: half_width(&differences, confidence) });
            Candidate {
                labels: design.labels(point),
                numbers: design.numbers(point),
                runs: trial.runs(),
                value: trial.measured(),
                judgements: trial.judge.judgements(),
                miss: trial.judge.miss(),
                dropped: trial.dropped,
                behind,
                is_on_front,
                digest: trial.digest,
            }
        });
    Ok(Tuning {
        title: base.title.clone(),
        variant: base.variant.clone(),
        seed: base.seed,
        factors: Axis::of(design),
        objective: aim.objective.quantity.clone(),
        better: aim.better,
        limits: aim.subject.iter().map(front::better).collect(),
        candidates: candidates.collect(),
        rounds,
        best,
    })
}
