//! Messages that are handled in the order of their senders.

use crate::base::id::NodeId;
use crate::process::{Observation, Outcome, TurnedAway};
use crate::protocol::delivery::{Arrival, Number, Reorder};

use super::{Beside, Cx, Envelope, Job, Service};

/// One sender's ordered messages.
#[derive(Debug)]
pub(super) struct Lane {
    reorder: Reorder<Job>,
    /// The highest sequence number seen: where to read the next from.
    pub(super) seen: u64,
}

impl Service {
    /// Holds a message until its turn has come.
    pub(super) fn arrive_in_order(&mut self, cx: &mut Cx<'_>, job: Job) {
        let (from, envelope) = (job.caller, job.envelope);
        let message = job.message();
        let limit = Beside::WINDOW_MAX as usize + 1;
        let lane =
            self.ordered.entry((from, envelope.call)).or_insert_with(|| Lane { reorder: Reorder::new(limit), seen: 0 });
        let (sequence, lowest) = envelope.beside.read(lane.seen);
        lane.seen = lane.seen.max(sequence);
        let arrival = lane.reorder.receive(Number::new(sequence), job);
        match arrival {
            Arrival::Ready(job) => self.admit(cx, job),
            Arrival::Held => cx.observe(Observation::Received { message, duplicate: false }),
            Arrival::Duplicate(_) => cx.observe(Observation::Received { message, duplicate: true }),
            Arrival::Late(_) => {
                cx.observe(Observation::Received { message, duplicate: true });
                let is_written = self.journal().is_some_and(|journal| journal.any(|job| job.message() == message));
                let is_running = is_written || self.jobs.iter().any(|(_, job)| job.message() == message);
                if !is_running {
                    self.answer(cx, from, envelope, Outcome::Done);
                }
            }
            Arrival::Full(job) => {
                cx.observe(Observation::TurnedAway { why: TurnedAway::QueueFull });
                self.refuse(cx, &job, Outcome::Rejected);
            }
        }
        self.skip_below(cx, (from, envelope.call), lowest);
    }

    /// An ordered sender sends nothing below `lowest` any more.
    pub(super) fn skip_below(&mut self, cx: &mut Cx<'_>, lane: (NodeId, u16), lowest: u64) {
        let Some(lane) = self.ordered.get_mut(&lane) else { return };
        if let Some((_, job)) = lane.reorder.skip_below(Number::new(lowest)) {
            self.admit_held(cx, job);
        }
    }

    /// A message that was held has its turn.
    fn admit_held(&mut self, cx: &mut Cx<'_>, job: Job) {
        if let Some(door) = self.door() {
            door.entered(&job);
        }
        self.wait(cx, job);
        self.pull(cx);
    }

    /// The message of an ordered sender whose turn it was has come to its end. Only what was handled makes room for the next;
    /// all else keeps its turn until it comes again, or its sender gives it up.
    pub(super) fn advance_lane(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: Envelope, outcome: Outcome) {
        if envelope.beside == Beside::NONE {
            return;
        }
        let Some(lane) = self.ordered.get_mut(&(from, envelope.call)) else { return };
        let next = if outcome == Outcome::Done { lane.reorder.handled() } else { lane.reorder.refused() };
        if let Some((_, job)) = next {
            self.admit_held(cx, job);
        }
    }
}
