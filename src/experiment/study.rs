//! A study: many plans, each played several times, of which each run's answers are kept and nothing else.
//!
//! Runs are played on all cores and taken in in the order in which they were asked for, so the outcome does not depend on how many
//! cores there are. What is known already, because it was kept before, is not played again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::Arc;

use crate::scenario::plan::{Column, Plan};

use super::chain::Chain;
use super::enough::Enough;
use super::judge::Judge;
use super::record::{Questions, Record};
use super::run::{RunError, Watch};
use super::sample::{CONFIDENCE, Sample};
use super::shelf::Shelf;
use super::verdict::{Judgement, Measured};
use super::warmup::Cut;
use super::workshop::{Setting, Task, Workshop};

/// What is known of one point of a study.
#[derive(Clone, PartialEq, Debug)]
pub struct Outcome {
    /// Which point it is, from 0.
    pub point: u32,
    /// How many runs.
    pub runs: u32,
    /// What studies show, in the order of the plan.
    pub columns: Vec<(Column, Measured)>,
    /// What has become of its expectations.
    pub judgements: Vec<Judgement>,
    /// The fingerprints of its runs, chained in their order.
    pub digest: u64,
    /// What was left out of the beginning, where that was found out.
    pub cut: Option<Cut>,
}

/// Why a study has come to no end.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum StudyError {
    /// A run of a point gave no result.
    Run(u32, RunError),
    /// Answers could not be read or kept.
    Shelf(String),
}

impl fmt::Display for StudyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Run(_, error) => error.fmt(f),
            Self::Shelf(error) => f.write_str(error),
        }
    }
}

impl std::error::Error for StudyError {}

/// Takes in the answers of a point's runs, in the order of their index.
#[derive(Debug)]
struct Tally {
    setting: Arc<Setting>,
    samples: Vec<Sample>,
    judge: Judge,
    enough: Option<Enough>,
    digest: Chain,
    runs: u32,
}

impl Tally {
    fn new(setting: &Arc<Setting>) -> Self {
        let plan = &setting.plan;
        Self {
            samples: vec![Sample::default(); plan.columns.len()],
            judge: Judge::new(&plan.expectations),
            enough: plan.enough.as_ref().map(Enough::new),
            digest: Chain::default(),
            runs: 0,
            setting: Arc::clone(setting),
        }
    }

    /// Takes in the next run; whether it was the last one that is needed.
    fn take(&mut self, record: &Record) -> bool {
        let (plan, Questions { columns, expectations, targets, .. }) = (&self.setting.plan, &self.setting.questions);
        for ((sample, column), &answer) in self.samples.iter_mut().zip(&plan.columns).zip(columns) {
            sample.add(&record.answers[answer], column.measure.statistic);
        }
        self.judge.take(expectations.iter().map(|&answer| &record.answers[answer]));
        self.digest.add(record.digest);
        self.runs += 1;
        let answers = targets.iter().map(|&answer| &record.answers[answer]);
        let is_enough = self.enough.as_mut().is_some_and(|enough| enough.take(answers));
        is_enough || self.runs >= plan.runs
    }

    fn outcome(&self) -> Outcome {
        let Setting { point, plan, cut, .. } = &*self.setting;
        let columns = plan
            .columns
            .iter()
            .zip(&self.samples)
            .map(|(column, sample)| (column.clone(), Measured::of_sample(&column.measure, sample, CONFIDENCE)));
        Outcome {
            point: *point,
            runs: self.runs,
            columns: columns.collect(),
            judgements: self.judge.judgements(),
            digest: self.digest.digest(),
            cut: cut.clone(),
        }
    }
}

/// Plays the points of a study one after the other, as often as each says or until enough is known, and hands what is known of each to
/// `done`. A point is its number, from 0, and what is played.
///
/// # Errors
/// When a run gives no result, or answers cannot be read or kept; what was kept before stays.
pub fn study(
    points: impl IntoIterator<Item = Result<(u32, Plan), StudyError>>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
    mut done: impl FnMut(Outcome) -> ControlFlow<()>,
) -> Result<(), StudyError> {
    let workshop = Workshop::new(shelf, watch);
    // The first point of which not all is known, as far as it has been taken in.
    let mut present: Option<Tally> = None;
    let past = Cell::new(0_u32);
    let failed = RefCell::new(Ok(()));
    let tasks = settings(points, &workshop, &failed).flat_map(|(place, setting)| {
        let past = &past;
        let runs = (0..setting.plan.runs).take_while(move |_| past.get() <= place);
        runs.map(move |run| Task { place, setting: Arc::clone(&setting), run })
    });
    workshop.play_all(tasks, |task, record| {
        if task.place < past.get() {
            // It was begun before it was known that there are enough.
            return Ok(ControlFlow::Continue(false));
        }
        let tally = present.get_or_insert_with(|| Tally::new(&task.setting));
        if !tally.take(record?) {
            return Ok(ControlFlow::Continue(true));
        }
        let outcome = tally.outcome();
        present = None;
        past.set(task.place + 1);
        Ok(match done(outcome) {
            ControlFlow::Continue(()) => ControlFlow::Continue(true),
            ControlFlow::Break(()) => ControlFlow::Break(()),
        })
    })?;
    failed.into_inner()
}

/// The points of a study, prepared one by one, each with its place among them; they end at the first that fails.
pub(super) fn settings<P: IntoIterator<Item = Result<(u32, Plan), StudyError>>>(
    points: P,
    workshop: &Workshop<'_, '_>,
    failed: &RefCell<Result<(), StudyError>>,
) -> impl Iterator<Item = (u32, Arc<Setting>)> {
    let prepared = points.into_iter().map(|point| point.and_then(|(point, plan)| workshop.setting(point, plan)));
    (0..).zip(prepared).map_while(|(place, setting)| match setting {
        Ok(setting) => Some((place, Arc::new(setting))),
        Err(error) => {
            *failed.borrow_mut() = Err(error);
            None
        }
    })
}
