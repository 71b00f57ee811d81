//! A study: many plans, each played several times, of which each run's answers are kept and nothing else.
//!
//! Runs are played on all cores and taken in in the order in which they were asked for, so the outcome does not depend on how many
//! cores there are. What is known already, because it was kept before, is not played again.

use std::cell::{Cell, RefCell};
use std::fmt;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::random::mix;
use crate::scenario::plan::{Column, Plan};

use super::enough::Enough;
use super::judge::Judge;
use super::parallel::in_order;
use super::record::{Questions, Record};
use super::run::{Progress, RunError, Watch, play};
use super::sample::Sample;
use super::shelf::Shelf;
use super::verdict::{Judgement, Measured};
use super::warmup::Cut;

/// One point of a study: a plan, and what is asked of its runs.
#[derive(Debug)]
pub struct Setting {
    /// Which point it is, from 0.
    pub point: u32,
    /// What is played.
    pub plan: Plan,
    /// What was left out of the beginning, where that was found out.
    pub cut: Option<Cut>,
    pub(super) questions: Questions,
}

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

impl Setting {
    /// A point that plays this plan; how much of the beginning is left out is found out, where that is asked.
    ///
    /// # Errors
    /// When a run that is played for that gives no result.
    pub fn new(point: u32, plan: Plan, watch: &mut Watch<'_>) -> Result<Self, StudyError> {
        let cut = plan.finds_warmup.then(|| Cut::find(&plan, watch)).transpose();
        let cut = cut.map_err(|error| StudyError::Run(point, error))?;
        let plan = cut.as_ref().map(|cut| cut.apply(&plan)).unwrap_or(plan);
        Ok(Self { point, questions: Questions::of(&plan), plan, cut })
    }
}

/// Takes in the answers of a point's runs, in the order of their index.
#[derive(Debug)]
struct Tally {
    setting: Arc<Setting>,
    samples: Vec<Sample>,
    judge: Judge,
    enough: Option<Enough>,
    digest: u64,
    runs: u32,
}

impl Tally {
    fn new(setting: &Arc<Setting>) -> Self {
        let plan = &setting.plan;
        Self {
            samples: vec![Sample::default(); plan.columns.len()],
            judge: Judge::new(&plan.expectations),
            enough: plan.enough.as_ref().map(Enough::new),
            digest: 0,
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
        self.digest = mix(self.digest ^ record.digest);
        self.runs += 1;
        let answers = targets.iter().map(|&answer| &record.answers[answer]);
        let is_enough = self.enough.as_mut().is_some_and(|enough| enough.take(answers));
        is_enough || self.runs >= plan.runs
    }

    fn outcome(&self) -> Outcome {
        let Setting { point, plan, cut, .. } = &*self.setting;
        let columns = plan.columns.iter().zip(&self.samples).map(|(column, sample)| {
            let value = sample.value(column.measure.statistic);
            (column.clone(), Measured::of(&column.measure, value, sample.half_width(), sample.runs()))
        });
        Outcome {
            point: *point,
            runs: self.runs,
            columns: columns.collect(),
            judgements: self.judge.judgements(),
            digest: self.digest,
            cut: cut.clone(),
        }
    }
}

/// Plays the points of a study one after the other, as often as each says or until enough is known, and hands what is known of each to
/// `done`.
///
/// # Errors
/// When a run gives no result, or answers cannot be read or kept; what was kept before stays.
pub fn study(
    points: impl IntoIterator<Item = Result<Setting, StudyError>>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
    mut done: impl FnMut(Outcome) -> ControlFlow<()>,
) -> Result<(), StudyError> {
    // The first point of which not all is known, as far as it has been taken in.
    let mut present: Option<Tally> = None;
    let past = Cell::new(0_u32);
    let failed = RefCell::new(Ok(()));
    let tasks = points.into_iter().enumerate().map_while(|(place, point)| match point {
        Ok(setting) => Some((place as u32, Arc::new(setting))),
        Err(error) => {
            *failed.borrow_mut() = Err(error);
            None
        }
    });
    let tasks = tasks.flat_map(|(place, setting)| {
        let past = &past;
        (0..setting.plan.runs)
            .take_while(move |_| past.get() <= place)
            .map(move |run| (place, Arc::clone(&setting), run))
    });
    let tasks = tasks.map(|(place, setting, run)| Task { place, setting, run });
    play_all(tasks, shelf, watch, |task, record| {
        if task.place < past.get() {
            // It was begun before it was known that there are enough.
            return ControlFlow::Continue(false);
        }
        let tally = present.get_or_insert_with(|| Tally::new(&task.setting));
        if !tally.take(record) {
            return ControlFlow::Continue(true);
        }
        let outcome = tally.outcome();
        present = None;
        past.set(task.place + 1);
        match done(outcome) {
            ControlFlow::Continue(()) => ControlFlow::Continue(true),
            ControlFlow::Break(()) => ControlFlow::Break(()),
        }
    })?;
    failed.into_inner()
}

/// A run that is to be played.
pub(super) struct Task {
    /// The place of its point among those that are played.
    pub(super) place: u32,
    pub(super) setting: Arc<Setting>,
    pub(super) run: u32,
}

/// Plays runs on all cores, or looks up what they have answered, and hands the answers to `take` in the order of the tasks; that says
/// whether they are worth keeping.
pub(super) fn play_all(
    tasks: impl Iterator<Item = Task>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
    mut take: impl FnMut(&Task, &Record) -> ControlFlow<(), bool>,
) -> Result<(), StudyError> {
    let (shelf, watch) = (RefCell::new(shelf), Mutex::new(watch));
    let failed = RefCell::new(Ok(()));
    let looked_up = tasks.map_while(|task| match shelf.borrow_mut().get(task.setting.point, task.run) {
        Ok(known) => Some((task, known)),
        Err(error) => {
            *failed.borrow_mut() = Err(StudyError::Shelf(error));
            None
        }
    });
    let work = |(task, known): (Task, Option<Record>)| {
        let is_new = known.is_none();
        let tell = &mut |progress: Progress| watch.lock().unwrap_or_else(PoisonError::into_inner)(progress);
        let record = known.map_or_else(
            || play(&task.setting.plan, task.run, tell).map(|run| task.setting.questions.answer(&run)),
            Ok,
        );
        (task, is_new, record)
    };
    in_order(looked_up, work, |(task, is_new, record)| {
        let point = task.setting.point;
        let taken = record.map_err(|error| StudyError::Run(point, error)).and_then(|record| {
            let taken = take(&task, &record);
            let is_kept = is_new && taken != ControlFlow::Continue(false);
            if is_kept {
                shelf.borrow_mut().put(point, &record).map_err(StudyError::Shelf)?;
            }
            Ok(taken)
        });
        match taken {
            Ok(ControlFlow::Continue(_)) => ControlFlow::Continue(()),
            Ok(ControlFlow::Break(())) => ControlFlow::Break(()),
            Err(error) => {
                *failed.borrow_mut() = Err(error);
                ControlFlow::Break(())
            }
        }
    });
    failed.into_inner()
}
