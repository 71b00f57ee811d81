//! What is known of one message, until its fate is.

use crate::base::time::{Span, Time};
use crate::metrics::custody::End;
use crate::metrics::flow::Fate;
use crate::metrics::setback::Setback;
use crate::process::{Close, Flow, Outcome};

/// An open message.
#[derive(Clone, Copy, Debug)]
pub(in crate::metrics) struct Record {
    pub(super) due: Time,
    pub(super) sent: Time,
    /// When the first copy reached a receiver, if one did.
    pub(super) arrived: Time,
    /// When the owner knew, if it does.
    pub(super) known: Time,
    pub(super) number: u32,
    pub(super) flow: Flow,
    pub(super) attempts: u16,
    /// Copies that reached a receiver.
    pub(super) received: u16,
    /// Copies that reached a receiver and came to their end there.
    pub(super) ended: u16,
    /// Copies handled well.
    pub(super) effects: u16,
    /// Copies whose end is not known yet.
    pub(super) open_copies: u16,
    pub(super) owner: State,
    /// How the last copy that was not handled well ended.
    pub(super) refusal: Option<Outcome>,
    /// What went wrong last since the last attempt.
    pub(super) setback: Option<Setback>,
    pub(super) flags: u8,
}

/// It is one of those that are measured.
pub(super) const COUNTS: u8 = 1;

/// It goes to places that keep it for others, and is judged by what becomes of it there.
pub(super) const ENTRUSTED: u8 = 2;

/// What the owner knows.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum State {
    Waiting,
    Confirmed,
    Closed(Close),
    /// Everything is settled and entered; the record only holds its place.
    Settled,
}

/// What is known of a message when it is offered.
pub(super) struct Offer {
    pub(super) now: Time,
    pub(super) due: Time,
    pub(super) flow: Flow,
    pub(super) attempts: u16,
    pub(super) flags: u8,
}

impl Offer {
    #[inline(always)]
    pub(super) fn record(self, number: u32) -> Record {
        let Self { now, due, flow, attempts, flags } = self;
        Record {
            due,
            sent: now,
            number,
            flow,
            attempts,
            open_copies: attempts,
            owner: State::Waiting,
            flags,
            ..Record::NONE
        }
    }
}

impl Record {
    /// Holds a place where there is no message.
    pub(super) const NONE: Self = Self {
        due: Time::ZERO,
        sent: Time::ZERO,
        arrived: Time::ZERO,
        known: Time::ZERO,
        number: 0,
        flow: Flow(0),
        attempts: 0,
        received: 0,
        ended: 0,
        effects: 0,
        open_copies: 0,
        owner: State::Settled,
        refusal: None,
        setback: None,
        flags: 0,
    };

    #[inline(always)]
    pub(super) fn attempted(&mut self, now: Time) {
        if self.attempts == 0 {
            self.sent = now;
        }
        self.attempts = self.attempts.saturating_add(1);
        self.setback = None;
        self.open_copies = self.open_copies.saturating_add(1);
    }

    #[inline(always)]
    pub(super) fn received(&mut self, now: Time) {
        if self.received == 0 {
            self.arrived = now;
        }
        self.received = self.received.saturating_add(1);
    }

    /// A copy's handling ended; whether it was the first to end well.
    #[inline(always)]
    pub(super) fn handled(&mut self, now: Time, outcome: Outcome) -> bool {
        if outcome == Outcome::Done {
            self.ended = self.ended.saturating_add(1);
            // Handled on arrival: nobody said that it was received.
            if self.ended > self.received {
                self.received(now);
            }
            self.effects = self.effects.saturating_add(1);
            self.effects == 1
        } else {
            self.refusal = Some(outcome);
            // That it is let go says more; and what is taken back has gone wrong before.
            if outcome != Outcome::Cancelled && !matches!(self.setback, Some(Setback::LetGo(_))) {
                self.setback = Some(Setback::Ended(outcome));
            }
            false
        }
    }

    #[inline(always)]
    pub(super) fn end_copy(&mut self) {
        self.open_copies = self.open_copies.saturating_sub(1);
    }

    #[inline(always)]
    pub(super) fn is_open(&self) -> bool {
        !matches!(self.owner, State::Settled)
    }

    #[inline(always)]
    pub(super) fn is_settled(&self) -> bool {
        self.open_copies == 0 && !matches!(self.owner, State::Waiting)
    }

    /// Whether no copy is left anywhere.
    pub(in crate::metrics) fn is_gone(&self) -> bool {
        self.open_copies == 0
    }

    /// Whether it is one of those that are measured.
    #[inline(always)]
    pub(in crate::metrics) fn counts(&self) -> bool {
        self.flags & COUNTS != 0
    }

    /// Whether it is measured, and nothing is to be asked about it elsewhere.
    #[inline(always)]
    pub(in crate::metrics) fn counts_alone(&self) -> bool {
        self.flags == COUNTS
    }

    /// Whether it is judged by what becomes of it at places that keep it for others.
    #[inline(always)]
    pub(in crate::metrics) fn is_entrusted(&self) -> bool {
        self.flags & ENTRUSTED != 0
    }

    /// How it ended, as far as is known here.
    pub(super) fn end(&self) -> End {
        let closed = match self.owner {
            State::Closed(why) => Some(why),
            _ => None,
        };
        End { is_confirmed: self.is_confirmed(), closed, is_gone: self.is_gone(), effects: self.effects() }
    }

    /// Whether it went as well as can be: sent once and when it was due, received once, handled once, confirmed.
    #[inline(always)]
    pub(in crate::metrics) fn is_plain(&self) -> bool {
        self.attempts == 1
            && self.received == 1
            && self.effects == 1
            && self.owner == State::Confirmed
            && self.sent == self.due
    }

    pub(in crate::metrics) fn attempts(&self) -> u64 {
        self.attempts.into()
    }

    pub(in crate::metrics) fn copies(&self) -> u64 {
        self.received.into()
    }

    pub(in crate::metrics) fn effects(&self) -> u64 {
        self.effects.into()
    }

    #[inline(always)]
    pub(in crate::metrics) fn due(&self) -> Time {
        self.due
    }

    /// From due to first received, if it was received.
    #[inline(always)]
    pub(in crate::metrics) fn until_received(&self) -> Span {
        self.arrived.since(self.due)
    }

    /// From due to confirmed, if it was confirmed.
    #[inline(always)]
    pub(in crate::metrics) fn until_known(&self) -> Span {
        self.known.since(self.due)
    }

    pub(in crate::metrics) fn one_way(&self) -> Option<Span> {
        (self.received > 0).then(|| self.until_received())
    }

    pub(in crate::metrics) fn latency(&self) -> Option<Span> {
        self.is_confirmed().then(|| self.until_known())
    }

    /// What the latency would be from the first attempt, if that was later than due.
    #[inline(always)]
    pub(in crate::metrics) fn since_later_send(&self) -> Option<Span> {
        (self.sent != self.due).then(|| self.known.since(self.sent))
    }

    #[inline(always)]
    pub(in crate::metrics) fn is_confirmed(&self) -> bool {
        self.owner == State::Confirmed
    }

    /// What stood in its way, if it did not end well.
    pub(in crate::metrics) fn setback(&self) -> Setback {
        match (self.owner, self.setback) {
            (State::Closed(why @ (Close::Abandoned | Close::Spared | Close::Forgotten)), _) => Setback::Closed(why),
            (_, Some(setback)) => setback,
            (State::Closed(why), None) => Setback::Closed(why),
            // It was not handled: it was forgotten, and taken for one that had come before when it came again.
            (State::Confirmed, None) => Setback::Forgotten,
            (State::Waiting | State::Settled, None) => Setback::UnderWay,
        }
    }

    /// The one fate.
    pub(in crate::metrics) fn fate(&self) -> Fate {
        match (self.owner, self.effects, self.refusal) {
            (State::Confirmed, ..) => Fate::Confirmed,
            (State::Closed(Close::Sent), 1.., _) => Fate::Handled,
            (State::Waiting, ..) => Fate::InFlight,
            (State::Closed(Close::Spared), ..) => Fate::Spared,
            (_, 1.., _) => Fate::InDoubt,
            (State::Closed(Close::Abandoned), ..) => Fate::Abandoned,
            (_, 0, _) if self.open_copies > 0 => Fate::InFlight,
            (State::Closed(Close::Rejected), ..) | (_, _, Some(Outcome::Rejected)) => Fate::Rejected,
            (State::Closed(Close::Failed), ..) | (_, _, Some(Outcome::Failed)) => Fate::Failed,
            (State::Closed(Close::Expired), ..) | (_, _, Some(Outcome::Expired | Outcome::Cancelled)) => Fate::Expired,
            _ => Fate::Lost,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is published again and again for as long as something lasts may have more copies than a record counts.
    #[test]
    fn more_copies_than_a_record_counts_are_as_many_as_it_counts() {
        let mut record = Record::NONE;
        for _ in 0..=u32::from(u16::MAX) {
            record.attempted(Time::ZERO);
            record.handled(Time::ZERO, Outcome::Done);
        }
        assert_eq!(
            (record.attempts, record.open_copies, record.ended, record.effects),
            (u16::MAX, u16::MAX, u16::MAX, u16::MAX)
        );
    }
}
