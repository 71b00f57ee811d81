//! From a plan to results: runs, replicates, and whether expectations hold.

mod baseline;
mod capture;
mod chain;
mod compare;
mod enough;
mod estimate;
mod explain;
mod harvest;
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
mod theory;
mod trace;
mod tune;
mod verdict;
mod verify;
mod warmup;
mod workshop;

use std::ops::ControlFlow;

use crate::metrics::RunResult;
use crate::scenario::plan::{Plan, System};

use harvest::Harvest;
use replicate::each_run;

pub use baseline::{Baseline, Known};
pub use capture::{Captured, capture};
pub use compare::{Breach, Comparison, Contrast, Finding, Side, Times, compare, runs_of_each};
pub use partial::Partial;
pub use record::{Questions, Record};
pub use replicate::replicate;
pub use run::{Progress, RunError, Watch, play, play_explained};
pub use sample::Moments;
pub use shard::{Division, Shard, play_shard};
pub use shelf::{Bare, Shelf};
pub use study::{Outcome, StudyError, study};
pub use sweep::{Axis, Effect, Sweep, SweepPoint};
pub use theory::{Prediction, Relation, Silence, Theory};
pub use trace::{TraceError, Traced, Wish, trace};
pub use tune::{Behind, Candidate, Reason, Round, Tuning, runs_at_most, tune};
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
    /// How many runs there were.
    pub count: u32,
    /// The fingerprint of all of them: a single run's own, otherwise a chain in the order of their index; 0 of none.
    pub digest: u64,
    /// The runs, by index: all of them, or the first few, as many as were to be kept.
    pub runs: Vec<RunResult>,
    /// The expectations, in the order they are written.
    pub judgements: Vec<Judgement>,
    /// What formulas say, beside what was measured.
    pub theory: Theory,
    /// What was left out of the beginning, where that was found out.
    pub cut: Option<Cut>,
    /// The system as a picture shows it.
    pub system: System,
    /// The faults that touched nothing in any run.
    pub idle_faults: Vec<String>,
    /// Things the user should know, such as a warning about messages that can be lost without a timeout.
    pub warnings: Vec<String>,
}

/// Plays a plan as often as it says, on all cores, keeps every run, and judges what it expects.
///
/// # Errors
/// When a run gives no result.
pub fn run(plan: &Plan, watch: &mut Watch<'_>) -> Result<Results, RunError> {
    run_keeping(plan, usize::MAX, watch, |_| {})
}

/// As [`run`], but keeps no more than the first `keep` runs, so that memory does not grow with their number; each is shown to `see` in
/// the order of their index. The first one is [explained](play_explained), if the plan says so.
///
/// # Errors
/// When a run gives no result.
pub fn run_keeping(
    plan: &Plan,
    keep: usize,
    watch: &mut Watch<'_>,
    mut see: impl FnMut(&RunResult),
) -> Result<Results, RunError> {
    let cut = plan.finds_warmup.then(|| Cut::find(plan, watch)).transpose()?;
    let settled = cut.as_ref().map(|cut| cut.apply(plan));
    let plan = settled.as_ref().unwrap_or(plan);
    let mut harvest = Harvest::new(plan);
    let play = |run, watch: &mut Watch<'_>| {
        if plan.explains && run == 0 { play_explained(plan, run, watch) } else { play(plan, run, watch) }
    };
    each_run(0..plan.runs, watch, play, |run| {
        see(&run);
        if harvest.take(run, keep) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    })?;
    Ok(harvest.results(cut))
}

impl Results {
    /// What these runs of a plan say about what it expects.
    pub fn of(plan: &Plan, runs: Vec<RunResult>) -> Self {
        let mut harvest = Harvest::new(plan);
        for run in runs {
            harvest.take(run, usize::MAX);
        }
        harvest.results(None)
    }
}
