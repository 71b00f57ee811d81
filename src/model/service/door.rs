//! Who comes in: whoever the limits and the shedder of a node let in.

use std::collections::BTreeMap;

use crate::base::random::Uniform;
use crate::base::time::Span;
use crate::process::{Outcome, Steady, TurnedAway};
use crate::protocol::concurrency::{AnyConcurrency, Concurrency, Sample};
use crate::protocol::rate_limit::{AnyRateLimit, RateLimit};
use crate::protocol::shed::{AnyShed, Arriving, Shed};

use super::{Job, ServiceSpec};
use crate::model::clock::time;

/// The limits and the shedder of one node, and who is inside.
#[derive(Debug)]
pub(super) struct Door {
    shed: Option<AnyShed>,
    rate: Option<AnyRateLimit>,
    concurrency: Option<AnyConcurrency>,
    /// Requests inside, waiting or at work, and how many there were when each came in, itself included.
    inside: BTreeMap<Copy, u32>,
}

/// One copy of a message: its sender, its number, its attempt, when it came.
type Copy = (u32, u32, u8, Steady);

fn copy_of(job: &Job) -> Copy {
    (job.caller.index(), job.envelope.number, job.envelope.attempt, job.arrived)
}

impl ServiceSpec {
    /// Whether somebody looks at every request before it comes in.
    pub(super) fn is_guarded(&self) -> bool {
        self.shed.is_some() || self.rate_limit.is_some() || self.concurrency_limit.is_some()
    }
}

impl Door {
    /// The door of a new node, if anybody stands there.
    pub(super) fn of(spec: &ServiceSpec) -> Option<Self> {
        spec.is_guarded().then(|| Self {
            shed: spec.shed.as_ref().map(|policy| policy.start()),
            rate: spec.rate_limit.as_ref().map(|policy| policy.start()),
            concurrency: spec.concurrency_limit.as_ref().map(|policy| policy.start()),
            inside: BTreeMap::new(),
        })
    }

    /// Who does not let a request in, if somebody does not. The rate is asked last: what others turn away takes nobody's turn.
    pub(super) fn refuses(
        &mut self,
        now: Steady,
        arriving: &Arriving,
        draw: impl Fn() -> Uniform,
    ) -> Option<TurnedAway> {
        let inside = self.inside.len() as u32;
        if self.concurrency.as_ref().is_some_and(|limit| inside >= limit.limit()) {
            return Some(TurnedAway::ConcurrencyLimited);
        }
        if self.shed.as_mut().is_some_and(|shed| !shed.admits(arriving, draw)) {
            return Some(TurnedAway::Shed);
        }
        let is_late = self.rate.as_mut().is_some_and(|rate| !rate.try_take(time(now)));
        is_late.then_some(TurnedAway::RateLimited)
    }

    /// A request came in.
    pub(super) fn entered(&mut self, job: &Job) {
        if self.concurrency.is_some() {
            let inside = self.inside.len() as u32 + 1;
            self.inside.insert(copy_of(job), inside);
        }
    }

    /// A request is over. A limit that adapts learns from those that were served, and from those that were let go unserved; what
    /// failed or was taken back says nothing about the load.
    pub(super) fn left(&mut self, now: Steady, job: &Job, outcome: Outcome) {
        if let (Some(shed), Some(began), Outcome::Done) = (&mut self.shed, job.began, outcome) {
            shed.served(now.since(began));
        }
        let in_flight = self.inside.remove(&copy_of(job)).unwrap_or_default();
        let Some(limit) = &mut self.concurrency else { return };
        let sample = |took: Option<Span>| Sample { now: time(now), took, in_flight, is_dropped: took.is_none() };
        match outcome {
            Outcome::Done => limit.sampled(sample(Some(now.since(job.arrived)))),
            Outcome::Rejected | Outcome::Expired | Outcome::Discarded => limit.sampled(sample(None)),
            Outcome::Failed | Outcome::Cancelled => {}
        }
    }
}
