//! Work on all cores, whose results are taken in by index: whoever takes them in cannot tell how many cores there were.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
use std::sync::mpsc;

/// How far work may be ahead of what is taken in, for each core: enough that no core waits for a slow one, few enough results that
/// wait.
const AHEAD: usize = 4;

/// Does `work` for each of `tasks`, and hands what comes out to `take`, in the order of the tasks, until that says to stop. What was
/// begun then is finished, and dropped. A panic goes on here.
pub(super) fn in_order<Task: Send, T: Send>(
    tasks: impl IntoIterator<Item = Task>,
    work: impl Fn(Task) -> T + Sync,
    mut take: impl FnMut(T) -> ControlFlow<()>,
) {
    let (results, arrived) = mpsc::channel();
    let work = &work;
    let mut tasks = tasks.into_iter().enumerate().fuse();
    let window = rayon::current_num_threads() * AHEAD;
    rayon::in_place_scope(|scope| {
        let mut begin = || {
            let Some((index, task)) = tasks.next() else { return false };
            let results = results.clone();
            scope.spawn(move |_| {
                let done = catch_unwind(AssertUnwindSafe(|| work(task)));
                // Nobody listens any more once it has been told to stop.
                let _ = results.send((index, done));
            });
            true
        };
        let mut begun = (0..window).take_while(|_| begin()).count();
        let (mut waiting, mut taken) = (BTreeMap::new(), 0);
        while taken < begun {
            let (index, done) = next(&arrived);
            waiting.insert(index, done);
            while let Some(done) = waiting.remove(&taken) {
                taken += 1;
                if take(done.unwrap_or_else(|panic| resume_unwind(panic))).is_break() {
                    return;
                }
                begun += usize::from(begin());
            }
        }
    });
}

/// Waits for a result. Whoever waits on one of the threads that work works meanwhile: there may be no other.
fn next<T>(arrived: &mpsc::Receiver<T>) -> T {
    loop {
        match arrived.try_recv() {
            Ok(result) => return result,
            Err(_) => match rayon::yield_now() {
                Some(rayon::Yield::Executed) => {}
                Some(rayon::Yield::Idle) => std::thread::yield_now(),
                None => return arrived.recv().expect("whoever waits holds a sender as well"),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use rayon::ThreadPoolBuilder;

    /// Later tasks are done sooner, and are taken in later all the same; however many threads there are.
    #[test]
    fn results_come_in_the_order_of_the_tasks() {
        for threads in [1, 2, 5] {
            let pool = ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut taken = Vec::new();
            let work = |task: u64| (0..(100 - task) * 1_000).fold(task, |sum, x| std::hint::black_box(sum ^ (x ^ x)));
            pool.install(|| {
                in_order(0..100, work, |done| {
                    taken.push(done);
                    if done == 60 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
                });
            });
            assert_eq!(taken, (0..=60).collect::<Vec<_>>());
        }
    }

    #[test]
    #[should_panic(expected = "the third")]
    fn a_panic_goes_on() {
        in_order(0..10, |task| assert!(task != 3, "the third"), |()| ControlFlow::Continue(()));
    }
}
