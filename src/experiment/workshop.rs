//! Where the runs of a study are played, or looked up on its shelf.

use std::cell::RefCell;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError};

use crate::scenario::plan::Plan;

use super::parallel::in_order;
use super::record::{Questions, Record};
use super::run::{Progress, Watch, play};
use super::shelf::Shelf;
use super::study::StudyError;
use super::warmup::Cut;

/// One point of a study: a plan, and what is asked of its runs.
#[derive(Debug)]
pub(super) struct Setting {
    /// Which point it is, from 0.
    pub(super) point: u32,
    /// What is played.
    pub(super) plan: Plan,
    /// What was left out of the beginning, where that was found out.
    pub(super) cut: Option<Cut>,
    pub(super) questions: Questions,
}

/// A run that is to be played.
pub(super) struct Task {
    /// The place of its point among those that are played.
    pub(super) place: u32,
    pub(super) setting: Arc<Setting>,
    pub(super) run: u32,
}

/// A shelf, and whoever watches.
pub(super) struct Workshop<'a, 'w> {
    shelf: RefCell<&'a mut dyn Shelf>,
    watch: Mutex<&'a mut Watch<'w>>,
}

impl<'a, 'w> Workshop<'a, 'w> {
    pub(super) fn new(shelf: &'a mut dyn Shelf, watch: &'a mut Watch<'w>) -> Self {
        Self { shelf: RefCell::new(shelf), watch: Mutex::new(watch) }
    }

    /// A point that plays this plan. How much of the beginning is left out is looked up or found out, where that is asked.
    pub(super) fn setting(&self, point: u32, plan: Plan) -> Result<Setting, StudyError> {
        if !plan.finds_warmup {
            return Ok(Setting { point, questions: Questions::of(&plan), plan, cut: None });
        }
        let known = self.shelf.borrow_mut().cut(point).map_err(StudyError::Shelf)?;
        let cut = match known {
            Some(cut) => cut,
            None => {
                let watch = &self.watch;
                let cut = Cut::find(&plan, &mut |progress| tell(watch, progress));
                let cut = cut.map_err(|error| StudyError::Run(point, error))?;
                self.shelf.borrow_mut().put_cut(point, &cut).map_err(StudyError::Shelf)?;
                cut
            }
        };
        let plan = cut.apply(&plan);
        Ok(Setting { point, questions: Questions::of(&plan), plan, cut: Some(cut) })
    }

    /// Plays runs on all cores, or looks up what they have answered, and hands the answers, or why there are none, to `take` in the order
    /// of the tasks; that says whether they are worth keeping.
    pub(super) fn play_all(
        &self,
        tasks: impl Iterator<Item = Task>,
        mut take: impl FnMut(&Task, Result<&Record, StudyError>) -> Result<ControlFlow<(), bool>, StudyError>,
    ) -> Result<(), StudyError> {
        let Self { shelf, watch } = self;
        let looked_up = tasks.map(|task| {
            let known = shelf.borrow_mut().get(task.setting.point, task.run).map_err(StudyError::Shelf);
            (task, known)
        });
        let work = |(task, known): (Task, Result<Option<Record>, StudyError>)| {
            let is_new = matches!(known, Ok(None));
            let Setting { point, plan, questions, .. } = &*task.setting;
            let record = known.and_then(|known| match known {
                Some(record) if record.answers.len() == questions.count() => Ok(record),
                Some(_) => Err(StudyError::Shelf(format!(
                    "what was kept of run {} of point {point} answers other questions",
                    task.run
                ))),
                None => match play(plan, task.run, &mut |progress| tell(watch, progress)) {
                    Ok(run) => Ok(questions.answer(&run)),
                    Err(error) => Err(StudyError::Run(*point, error)),
                },
            });
            (task, is_new, record)
        };
        let mut failed = Ok(());
        in_order(looked_up, work, |(task, is_new, record)| {
            let taken = take(&task, record.as_ref().map_err(Clone::clone)).and_then(|taken| {
                if let (Ok(record), true) = (&record, is_new && taken != ControlFlow::Continue(false)) {
                    shelf.borrow_mut().put(task.setting.point, record).map_err(StudyError::Shelf)?;
                }
                Ok(taken)
            });
            match taken {
                Ok(ControlFlow::Continue(_)) => ControlFlow::Continue(()),
                Ok(ControlFlow::Break(())) => ControlFlow::Break(()),
                Err(error) => {
                    failed = Err(error);
                    ControlFlow::Break(())
                }
            }
        });
        failed
    }
}

/// Nobody holds the lock while runs are played, so that a point can be prepared while another one's runs are under way.
fn tell(watch: &Mutex<&mut Watch<'_>>, progress: Progress) -> ControlFlow<()> {
    watch.lock().unwrap_or_else(PoisonError::into_inner)(progress)
}
