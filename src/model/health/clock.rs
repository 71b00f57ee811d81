//! The time of those who look after others, and when they want to be woken.

use crate::base::time::{Span, Time};
use crate::model::Alarm;
use crate::model::caller::Cx;
use crate::process::{Clock, TimerId};

/// What the node's own clock shows.
pub(super) fn now(cx: &Cx<'_>) -> Time {
    Time::from_nanos(cx.now().as_nanos())
}

/// A random share of a span: nodes that come up together do not march in step.
pub(super) fn share_of(cx: &mut Cx<'_>, span: Span) -> Span {
    Span::from_nanos(cx.draw().below(span.as_nanos().max(1)))
}

/// The one timer of somebody who may be woken too early, but not too late.
#[derive(Debug)]
pub(super) struct WakeUp {
    alarm: Alarm,
    timer: Option<(Time, TimerId)>,
}

impl WakeUp {
    /// No timer yet; `alarm` is what it brings.
    pub(super) fn new(alarm: Alarm) -> Self {
        Self { alarm, timer: None }
    }

    /// A timer with this alarm has fired: this one, if its time has come. Another's that brings the same alarm changes nothing.
    pub(super) fn fired(&mut self, cx: &Cx<'_>) {
        self.timer = self.timer.filter(|(at, _)| *at > now(cx));
    }

    /// Is to be woken at a time, if at all.
    pub(super) fn set(&mut self, cx: &mut Cx<'_>, at: Option<Time>) {
        let Some(at) = at else { return };
        match self.timer {
            Some((set, _)) if set <= at => return,
            Some((_, timer)) => _ = cx.cancel_timer(timer),
            None => {}
        }
        let delay = at.since(now(cx));
        self.timer = Some((at, cx.set_timer(Clock::Steady, delay, self.alarm)));
    }
}
