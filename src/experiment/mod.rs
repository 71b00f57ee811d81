//! From a plan to results: runs, replicates, and whether expectations hold.

mod judge;
mod measure;
mod run;
mod verdict;
mod verify;

use crate::metrics::RunResult;
use crate::scenario::plan::Plan;

pub use run::{Progress, RunError, Watch, play};
pub use verdict::{Basis, Ground, Judgement, Measured, Unit, Verdict};
pub use verify::{Difference, Happening, first_difference};

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
    /// Things the user should know, such as a warning about messages that can be lost without a timeout.
    pub warnings: Vec<String>,
}

/// Plays a plan as often as it says, and judges what it expects.
///
/// # Errors
/// When a run gives no result.
pub fn run(plan: &Plan, watch: &mut Watch<'_>) -> Result<Results, RunError> {
    let runs = (0..plan.runs).map(|run| play(plan, run, watch)).collect::<Result<Vec<_>, _>>()?;
    Ok(Results::of(plan, runs))
}

impl Results {
    /// What these runs of a plan say about what it expects.
    pub fn of(plan: &Plan, runs: Vec<RunResult>) -> Self {
        let judgements = plan.expectations.iter().map(|expectation| judge::judge(expectation, &runs)).collect();
        let idle = idle_faults(&runs).into_iter().map(|name| format!("fault `{name}` touched nothing"));
        let idle: Vec<_> = idle.collect();
        Self {
            title: plan.title.clone(),
            variant: plan.variant.clone(),
            seed: plan.seed,
            resolved: plan.resolved.clone(),
            runs,
            judgements,
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
