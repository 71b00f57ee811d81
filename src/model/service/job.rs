//! A request at a node.

use crate::base::id::NodeId;
use crate::model::caller::Cx;
use crate::model::envelope::Envelope;
use crate::model::task::Progress;
use crate::process::{Activity, Kind, MessageId, Observation, Steady, TimerId, TurnedAway};

/// A request at a node.
#[derive(Debug)]
pub(super) struct Job {
    pub(super) caller: NodeId,
    pub(super) envelope: Envelope,
    pub(super) progress: Progress,
    pub(super) deadline: Option<Steady>,
    pub(super) arrived: Steady,
    /// When a worker took it first.
    pub(super) began: Option<Steady>,
    pub(super) has_worker: bool,
    pub(super) timer: Option<TimerId>,
}

impl Job {
    #[inline]
    pub(super) fn message(&self) -> MessageId {
        self.envelope.subject().unwrap_or(MessageId { owner: self.caller, number: self.envelope.number })
    }

    /// States what happens to it from now on.
    #[inline(always)]
    pub(super) fn turns(&self, cx: &mut Cx<'_>, activity: Activity) {
        if cx.wanted.has(Kind::Step) {
            self.state(cx, Some(activity));
        }
    }

    /// States that what is offered next is offered for it.
    #[inline(always)]
    pub(super) fn acts(&self, cx: &mut Cx<'_>) {
        if cx.wanted.has(Kind::Step) {
            self.state(cx, None);
        }
    }

    /// States that the station lets it go unserved, and why.
    #[cold]
    pub(super) fn is_let_go(&self, cx: &mut Cx<'_>, why: TurnedAway) {
        cx.observe(Observation::TurnedAway { why });
        cx.observe(Observation::LetGo { message: self.message(), why });
    }

    #[cold]
    #[inline(never)]
    fn state(&self, cx: &mut Cx<'_>, activity: Option<Activity>) {
        let (message, attempt) = (self.message(), self.envelope.attempt);
        cx.observe(match activity {
            Some(activity) => Observation::Turned { message, attempt, activity },
            None => Observation::OnBehalf { message: Some(message) },
        });
    }
}
