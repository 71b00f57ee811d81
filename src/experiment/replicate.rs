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
    mut take: impl FnMut(RunResult) -> ControlFlow<()>,
) -> Result<(), RunError> {
    let watch = Mutex::new(watch);
    let play = |run| play(plan, run, &mut |progress| watch.lock().unwrap_or_else(PoisonError::into_inner)(progress));
    let mut failed = Ok(());
    in_order(runs, play, |played| match played {
        Ok(run) => take(run),
        Err(error) => {
            failed = Err(error);
            ControlFlow::Break(())
        }
    });
    failed
}
