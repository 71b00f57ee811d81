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
    seen: u64,
    /// The newest number seen: what tells the sender's lives apart.
    newest: u32,
}

/// Which of a sender's lives a message is from, against the newest message seen of it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Life {
    Earlier,
    Same,
    Later,
}

impl Life {
    /// Each life of a sender has 2^24 numbers. One that sends more goes on into those of the next, so what is near is from
    /// the same life.
    fn of(number: u32, newest: u32) -> Self {
        const NEAR: i32 = 1 << 23;
        let ahead = number.wrapping_sub(newest).cast_signed();
        match ahead {
            _ if number >> 24 == newest >> 24 => Self::Same,
            NEAR.. => Self::Later,
            _ if ahead > -NEAR => Self::Same,
            _ => Self::Earlier,
        }
    }
}

impl Lane {
    fn new(newest: u32) -> Self {
        Self { reorder: Reorder::new(Beside::WINDOW_MAX as usize + 1), seen: 0, newest }
    }
}

impl Service {
    /// The lane of a message, if it is not from an earlier life of its sender than the newest known. A later life has the lane
    /// begin again.
    fn lane_of(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) -> Option<&mut Lane> {
        let key = (from, envelope.call);
        let lane = self.ordered.entry(key).or_insert_with(|| Lane::new(envelope.number));
        match Life::of(envelope.number, lane.newest) {
            Life::Earlier => return None,
            Life::Same if envelope.number.wrapping_sub(lane.newest).cast_signed() > 0 => lane.newest = envelope.number,
            Life::Same => {}
            Life::Later => {
                (lane.newest, lane.seen) = (envelope.number, 0);
                for job in lane.reorder.begin_again() {
                    cx.observe(Observation::Refused { why: Outcome::Discarded });
                    cx.observe(Observation::Handled { message: job.message(), outcome: Outcome::Discarded });
                }
            }
        }
        self.ordered.get_mut(&key)
    }

    /// Holds a message until its turn has come.
    pub(super) fn arrive_in_order(&mut self, cx: &mut Cx<'_>, job: Job) {
        let (from, envelope) = (job.caller, job.envelope);
        let message = job.message();
        let Some(lane) = self.lane_of(cx, from, &envelope) else {
            // Its sender has forgotten it.
            return self.refuse(cx, &job, Outcome::Discarded);
        };
        let (sequence, lowest) = envelope.beside.read(lane.seen);
        lane.seen = lane.seen.max(sequence);
        let is_under_way = lane.reorder.is_handling(Number::new(sequence));
        let arrival = lane.reorder.receive(Number::new(sequence), job);
        match arrival {
            Arrival::Ready(job) => self.admit(cx, job),
            Arrival::Held => cx.observe(Observation::Received { message, duplicate: false }),
            Arrival::Duplicate(_) => cx.observe(Observation::Received { message, duplicate: true }),
            Arrival::Late(_) => {
                cx.observe(Observation::Received { message, duplicate: true });
                if !is_under_way {
                    self.answer(cx, from, envelope, Outcome::Done);
                }
            }
            Arrival::Full(job) => {
                job.is_let_go(cx, TurnedAway::QueueFull);
                self.refuse(cx, &job, Outcome::Rejected);
            }
        }
        self.skip_below(cx, (from, envelope.call), lowest);
    }

    /// An ordered sender says that it sends nothing below a place any more.
    pub(super) fn skip(&mut self, cx: &mut Cx<'_>, from: NodeId, envelope: &Envelope) {
        let Some(lane) = self.lane_of(cx, from, envelope) else { return };
        let (_, lowest) = envelope.beside.read(lane.seen);
        self.skip_below(cx, (from, envelope.call), lowest);
    }

    /// An ordered sender sends nothing below `lowest` any more.
    fn skip_below(&mut self, cx: &mut Cx<'_>, lane: (NodeId, u16), lowest: u64) {
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

#[cfg(test)]
mod tests {
    use super::Life;

    #[test]
    fn lives_are_told_apart_by_numbers_that_are_far_from_each_other() {
        let life = |restarts: u32, number: u32| (restarts << 24).wrapping_add(number);
        assert_eq!(Life::of(life(1, 0), life(0, 500)), Life::Later);
        assert_eq!(Life::of(life(3, 7), life(1, 4_000_000)), Life::Later);
        assert_eq!(Life::of(life(0, 500), life(1, 0)), Life::Earlier);
        assert_eq!(Life::of(life(0, 500), life(0, 16_000_000)), Life::Same);
        // A node restarts at most 255 times before its numbers come again.
        assert_eq!(Life::of(life(0, 3), life(255, 9)), Life::Later);
        // More than 2^24 messages in one life.
        assert_eq!(Life::of(life(1, 5), life(0, (1 << 24) - 5)), Life::Same);
        assert_eq!(Life::of(life(0, (1 << 24) - 5), life(1, 5)), Life::Same);
    }
}
