//! Tied requests: two copies that know of each other, so that whoever begins with one has the other taken back.
//!
//! A copy may be taken back before it has arrived: the word of whoever has begun overtook it. Such words are remembered for a
//! while.
//!
//! Source: Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013.

use std::collections::VecDeque;

use super::{Beside, Cx, Envelope, Job, Kind, Service};
use crate::base::random::mix;
use crate::model::envelope::Remainder;
use crate::process::{MessageId, Outcome};

/// Copies that were taken back before they arrived: the newest of them.
#[derive(Debug, Default)]
pub(super) struct Untied(Words);

#[allow(
    clippy::box_collection,
    reason = "most services have none, and a deque of 32 bytes would cost each of them more"
)]
type Words = Option<Box<VecDeque<MessageId>>>;

/// How many are remembered.
const MOST: usize = 256;

impl Untied {
    /// This copy will be of no interest when it arrives.
    fn note(&mut self, message: MessageId) {
        let known = self.0.get_or_insert_default();
        if known.len() == MOST {
            known.pop_front();
        }
        known.push_back(message);
    }

    /// Whether a copy that arrives was taken back before.
    #[inline]
    pub(super) fn take(&mut self, message: MessageId) -> bool {
        let Some(known) = &mut self.0 else { return false };
        let place = known.iter().position(|known| *known == message);
        place.and_then(|place| known.remove(place)).is_some()
    }
}

impl Service {
    /// A worker begins with a copy: whoever has the other one need not.
    #[inline(never)]
    pub(super) fn untie_other(&self, cx: &mut Cx<'_>, job: &Job) {
        let envelope = &job.envelope;
        let call = self.call(envelope);
        let Some(member) = envelope.beside.as_tie().filter(|_| call.policy.is_tied()) else { return };
        let to = self.script.targets[usize::from(call.target)].member(member as usize);
        let luck = mix(envelope.luck ^ mix(envelope.attempt.into()));
        let mut word = Envelope::new(Kind::Untie, luck, envelope.number, envelope.call, envelope.attempt.into());
        word.left = Remainder::naming(job.caller);
        word.beside = Beside::NONE;
        cx.send_sized(to, word, 0);
    }

    /// Whoever has the other copy of a message has begun with it.
    pub(super) fn untie(&mut self, cx: &mut Cx<'_>, envelope: Envelope) {
        let message = MessageId { owner: envelope.left.named(), number: envelope.number };
        let found = self.jobs.iter().find(|(_, job)| job.message() == message);
        let Some((id, job)) = found else { return self.untied.note(message) };
        if job.began.is_some() {
            return;
        }
        self.line.leave(id);
        if let Some(timer) = self.jobs.get_mut(id).and_then(|job| job.timer.take()) {
            cx.cancel_timer(timer);
        }
        self.end(cx, id, Outcome::Cancelled);
    }
}
