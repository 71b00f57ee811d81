//! How fast a node works: as written, faster or slower, or shared among all that are present.

use std::num::NonZeroU32;

use crate::base::time::{Span, Time};
use crate::model::Alarm;
use crate::process::{Clock, TimerId};
use crate::protocol::sharing::Sharing;

use super::{Cx, Service, ServiceSpec, slowed};

/// How fast a node works.
#[derive(Debug)]
pub(super) enum Pace {
    /// As written.
    AsWritten,
    /// So many times as fast.
    Times(f64),
    /// All that are present share the workers.
    Shared(Box<Shared>),
}

/// Those that share the workers of a node, by the node's work clock.
#[derive(Debug)]
pub(super) struct Shared {
    sharing: Sharing,
    workers: u32,
    speed: f64,
    /// Set for the next one that is done.
    timer: Option<TimerId>,
    /// Whether those that are done are being looked after, who may come back at once.
    is_sharing_out: bool,
}

impl Pace {
    /// The pace of the member of this index.
    pub(super) fn of(spec: &ServiceSpec, index: u32) -> Self {
        let speed = spec.speed.get(index as usize).or(spec.speed.first()).copied().unwrap_or(1.0);
        match spec.workers {
            Some(workers) if spec.shares_workers => Self::Shared(Box::new(Shared::new(workers, speed))),
            _ if speed == 1.0 => Self::AsWritten,
            _ => Self::Times(speed),
        }
    }
}

impl Shared {
    fn new(workers: NonZeroU32, speed: f64) -> Self {
        let sharing = Sharing::new(workers);
        Self { sharing, workers: workers.get(), speed, timer: None, is_sharing_out: false }
    }

    /// Waits for the next one that is done, instead of for whom it waited before.
    fn wait(&mut self, cx: &mut Cx<'_>) {
        if self.is_sharing_out {
            return;
        }
        if let Some(timer) = self.timer.take() {
            cx.cancel_timer(timer);
        }
        self.timer = self.sharing.next().map(|left| cx.set_timer(Clock::Work, left, Alarm::Share));
    }
}

impl Service {
    /// A request takes a share of the workers for work of this length. It counts as at work while there are as many workers as
    /// requests, and as waiting beyond that.
    #[cold]
    #[inline(never)]
    pub(super) fn share(&mut self, cx: &mut Cx<'_>, id: u32, length: Span) {
        let Pace::Shared(shared) = &mut self.pace else { return };
        let length = if shared.speed == 1.0 { length } else { slowed(length, shared.speed) };
        shared.sharing.join(work_time(cx), id, length);
        shared.wait(cx);
        if self.busy > shared.workers {
            self.busy -= 1;
            self.line.join_sharing();
        }
    }

    /// Somebody's work is done.
    #[cold]
    #[inline(never)]
    pub(super) fn share_out(&mut self, cx: &mut Cx<'_>) {
        let now = work_time(cx);
        if let Pace::Shared(shared) = &mut self.pace {
            (shared.timer, shared.is_sharing_out) = (None, true);
        }
        while let Pace::Shared(shared) = &mut self.pace {
            let Some(id) = shared.sharing.finished(now) else { break };
            self.go_on(cx, id);
        }
        if let Pace::Shared(shared) = &mut self.pace {
            shared.is_sharing_out = false;
            shared.wait(cx);
        }
    }

    /// A request no longer needs its share, if it had one: its caller has given it up.
    pub(super) fn leave_share(&mut self, cx: &mut Cx<'_>, id: u32) {
        if let Pace::Shared(shared) = &mut self.pace
            && shared.sharing.leave(work_time(cx), id)
        {
            shared.wait(cx);
        }
    }

    /// One of those that share counts as at work again, if there are workers for all. Whether there may be another.
    pub(super) fn share_freed(&mut self) -> bool {
        let Pace::Shared(shared) = &self.pace else { return false };
        if self.busy >= shared.workers {
            self.line.join_sharing();
            return false;
        }
        self.busy += 1;
        true
    }
}

/// What the work clock shows, as blocks see it.
fn work_time(cx: &Cx<'_>) -> Time {
    Time::from_nanos(cx.work().as_nanos())
}
