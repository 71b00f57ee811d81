//! Ctrl-C: the first asks for an orderly end, the second ends at once.

use std::ops::ControlFlow;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use super::exit::Exit;

/// What follows so soon is the same request: some shells and tools send it to the process and to its group.
const ECHO: Duration = Duration::from_millis(300);

static ASKED: AtomicBool = AtomicBool::new(false);

/// From now on Ctrl-C is taken as a request; whoever works has to [`look`].
pub fn listen() {
    let mut first = None;
    // Where no handler can be set, Ctrl-C ends the program at once.
    let _ = ctrlc::set_handler(move || {
        ASKED.store(true, Ordering::Relaxed);
        let now = now();
        if now.duration_since(*first.get_or_insert(now)) > ECHO {
            std::process::exit(Exit::Interrupted.code().into());
        }
    });
}

/// Whether to stop.
pub fn look() -> ControlFlow<()> {
    if ASKED.load(Ordering::Relaxed) { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
}

#[allow(clippy::disallowed_methods, reason = "this is the command line")]
fn now() -> Instant {
    Instant::now()
}
