//! Several runs of a plan, on all cores.

use std::ops::ControlFlow;
use std::sync::{Mutex, PoisonError};

use crate::metrics::RunResult;
use crate::scenario::plan::Plan;

use super::parallel::in_order;
use super::run::{RunError, Watch, play};

/// Plays these runs of a plan, each with a seed of its own, and hands the results to `take` in the order of `runs` until that says
/// to stop. The results do not depend on how many cores there are.
///
/// # Errors
/// That of the first run, in their order, which gives no result.
pub fn replicate(
    plan: &Plan,
    runs: impl IntoIterator<Item = u32>,
    watch: &mut Watch<'_>,
    take: impl FnMut(RunResult) -> ControlFlow<()>,
) -> Result<(), RunError> {
    each_run(runs, watch, |run, watch| play(plan, run, watch), take)
}

/// Does `work` for each of these runs, and hands what comes out to `take`, like [`replicate`].
///
/// # Errors
/// That of the first run, in their order, of which nothing comes out.
pub(super) fn each_run<T: Send>(
    runs: impl IntoIterator<Item = u32>,
    watch: &mut Watch<'_>,
    work: impl Fn(u32, &mut Watch<'_>) -> Result<T, RunError> + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let watch = Mutex::new(watch);
    let work = |run| work(run, &mut |progress| watch.lock().unwrap_or_else(PoisonError::into_inner)(progress));
    let mut failed = Ok(());
    in_order(runs, work, |done| match done {
        Ok(done) => take(done),
        Err(error) => {
            failed = Err(error);
            ControlFlow::Break(())
        }
    });
    failed
}
