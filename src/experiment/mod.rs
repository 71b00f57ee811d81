//! From a plan to results: runs, replicates, and whether expectations hold.

mod compare;
mod enough;
mod judge;
mod measure;
mod parallel;
mod partial;
mod record;
mod replicate;
mod run;
mod sample;
mod shard;
mod shelf;
mod study;
mod sweep;
mod verdict;
mod verify;
mod warmup;
mod workshop;

use std::ops::ControlFlow;

use crate::metrics::RunResult;
use crate::scenario::plan::Plan;

use enough::Enough;
use judge::Judge;

pub use compare::{Comparison, Contrast, Finding, Side, compare, runs_of_each};
pub use partial::Partial;
pub use record::{Questions, Record};
pub use replicate::replicate;
pub use run::{Progress, RunError, Watch, play};
pub use shard::{Division, Shard, play_shard};
pub use shelf::{Bare, Shelf};
pub use study::{Outcome, StudyError, study};
pub use sweep::{Axis, Effect, Sweep, SweepPoint};
pub use verdict::{Basis, Ground, Judgement, Measured, Unit, Verdict};
pub use verify::{Difference, Happening, first_difference};
pub use warmup::Cut;

/// What a scenario's runs gave.
#[derive(Clone, Debug)]
pub struct Results {
    /// The scenario's title.
    pub title: String,
    /// The variant that was played.
    pub variant: Option<String>,
    /// The scenario's seed: replicate 0 has it, the others derive theirs from it.
    pub seed: u64,
    /// The resolved scenario: one TOML text without references to other files.
    pub resolved: String,
    /// The runs, by index.
    pub runs: Vec<RunResult>,
    /// The expectations, in the order they are written.
    pub judgements: Vec<Judgement>,
    /// What was left out of the beginning, where that was found out.
    pub cut: Option<Cut>,
    /// Things the user should know, such as a warning about messages that can be lost without a timeout.
    pub warnings: Vec<String>,
}

/// Plays a plan as often as it says, on all cores, and judges what it expects.
///
/// # Errors
/// When a run gives no result.
pub fn run(plan: &Plan, watch: &mut Watch<'_>) -> Result<Results, RunError> {
    let cut = plan.finds_warmup.then(|| Cut::find(plan, watch)).transpose()?;
    let settled = cut.as_ref().map(|cut| cut.apply(plan));
    let plan = settled.as_ref().unwrap_or(plan);
    let questions = Questions::of(plan);
    let mut runs = Vec::new();
    let mut enough = plan.enough.as_ref().map(Enough::new);
    replicate(plan, 0..plan.runs, watch, |run| {
        let is_enough = enough.as_mut().is_some_and(|enough| {
            let Record { answers, .. } = questions.answer(&run);
            enough.take(questions.targets.iter().map(|&target| &answers[target]))
        });
        runs.push(run);
        if is_enough { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    let mut results = Results::of(plan, runs);
    results.warnings.extend(cut.iter().flat_map(Cut::unsettled).map(|flow| {
        format!(
            "`{flow}` does not settle in the first half of the load: half is left out, and a longer run would say more"
        )
    }));
    results.cut = cut;
    Ok(results)
}

impl Results {
    /// What these runs of a plan say about what it expects.
    pub fn of(plan: &Plan, runs: Vec<RunResult>) -> Self {
        let mut judge = Judge::new(&plan.expectations);
        let questions = Questions::of(plan);
        for run in &runs {
            let Record { answers, .. } = questions.answer(run);
            judge.take(questions.expectations.iter().map(|&expectation| &answers[expectation]));
        }
        if let [run] = &runs[..] {
            judge.take_batches(run);
        }
        let judgements = judge.judgements();
        let idle = idle_faults(&runs).into_iter().map(|name| format!("fault `{name}` touched nothing"));
        let idle: Vec<_> = idle.collect();
        Self {
            title: plan.title.clone(),
            variant: plan.variant.clone(),
            seed: plan.seed,
            resolved: plan.resolved.clone(),
            runs,
            judgements,
            cut: None,
            warnings: plan.warnings.iter().map(|warning| warning.message.clone()).chain(idle).collect(),
        }
    }

    /// The faults that touched nothing in any run.
    pub fn idle_faults(&self) -> Vec<&str> {
        idle_faults(&self.runs)
    }
}

fn idle_faults(runs: &[RunResult]) -> Vec<&str> {
    let Some(first) = runs.first() else { return Vec::new() };
    let is_idle = |index: &usize| runs.iter().all(|run| run.faults[*index].book.is_idle());
    (0..first.faults.len()).filter(is_idle).map(|index| first.faults[index].name.as_str()).collect()
}
