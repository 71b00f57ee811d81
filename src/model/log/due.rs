//! The next time at which a node looks at what is due.

use crate::base::time::Time;
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::model::clock::time;
use crate::process::{Clock, TimerId};

use super::LogAlarm;

/// A timer for the earliest of many deadlines.
#[derive(Debug)]
pub(super) struct Due {
    alarm: LogAlarm,
    next: Option<(Time, TimerId)>,
}

impl Due {
    /// Nothing is due yet; when something is, this alarm goes off.
    pub(super) fn new(alarm: LogAlarm) -> Self {
        Self { alarm, next: None }
    }

    /// When it goes off, if it is set.
    pub(super) fn at(&self) -> Option<Time> {
        self.next.map(|(at, _)| at)
    }

    /// It has gone off.
    pub(super) fn fired(&mut self) {
        self.next = None;
    }

    /// It goes off then, and not at another time.
    pub(super) fn set(&mut self, cx: &mut Cx<'_>, due: Option<Time>) {
        if self.at() == due {
            return;
        }
        if let Some((_, timer)) = self.next.take() {
            cx.cancel_timer(timer);
        }
        let now = time(cx.now());
        self.next = due.map(|at| (at, cx.set_timer(Clock::Steady, at.since(now), Alarm::Log(self.alarm))));
    }
}
