//! The sending side of one direction: what was written, what is on its way, what to send again.
//!
//! Three duplicate acknowledgements start fast recovery: the segment that is missing is sent again, then whatever is missing
//! next each time an acknowledgement tells of it, until everything is acknowledged that was on its way (NewReno, RFC 6582).
//! The first two let one further segment out each (limited transmit, RFC 3042). When the timer fires, everything that was
//! not acknowledged is sent again from the first byte on, slowly. A window that is closed is asked about from time to time
//! (RFC 9293, 3.8.6.1).

use crate::base::time::{Span, Time};

use super::Stream;
use super::congestion::Congestion;
use super::rtt::Rtt;
use super::segment::Segment;

/// Duplicate acknowledgements that tell of a loss.
const DUPLICATES: u32 = 3;

#[derive(Clone, Debug)]
pub(super) struct Sender {
    mss: u64,
    first_window: u64,
    retries: u32,
    slow_start_after_idle: bool,
    pub(super) rtt: Rtt,
    congestion: Congestion,
    /// The place behind the last byte that was written.
    written: u64,
    /// Whether nothing will be written any more: the end is sent like a byte.
    is_finished: bool,
    /// All bytes before this place are acknowledged.
    acknowledged: u64,
    /// The next byte to send. Goes back when the timer fires.
    next: u64,
    /// No byte from this place on was ever sent.
    highest: u64,
    /// No byte from this place on may be sent.
    limit: u64,
    duplicates: u32,
    /// While lost segments are sent again: what was on its way when the loss was noticed, and a window of its own, wider for
    /// each segment that has left the network.
    recovery: Option<Recovery>,
    /// What was on its way when the timer last fired: duplicates of acknowledgements up to here tell nothing (RFC 6582, 4).
    recover: Option<u64>,
    /// Whether the first segment that is not acknowledged is to be sent again.
    repeats_first: bool,
    /// The place behind the segment whose round trip is measured, and when it was sent.
    timed: Option<(u64, Time)>,
    last_sent: Time,
    /// Of the retransmission timer, or of the next question about the window.
    deadline: Option<Time>,
    /// How often the timer fired since anything was acknowledged.
    fired: u32,
    /// How often the window was asked about since it closed, and since anything was heard.
    probes: u32,
    unanswered: u32,
    asks: bool,
}

#[derive(Clone, Copy, Debug)]
struct Recovery {
    until: u64,
    window: u64,
    /// Whether a part of what is missing was acknowledged.
    is_partial: bool,
}

/// The peer does not answer.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct GaveUp;

impl Sender {
    pub(super) fn new(stream: &Stream) -> Self {
        let mss = stream.mss.count();
        let first_window = mss * u64::from(stream.initial_window.get());
        Self {
            mss,
            first_window,
            retries: stream.retries,
            slow_start_after_idle: stream.slow_start_after_idle,
            rtt: Rtt::new(stream.initial_rto, stream.min_rto, stream.max_rto),
            congestion: Congestion::new(stream.congestion_control, mss, first_window),
            written: 0,
            is_finished: false,
            acknowledged: 0,
            next: 0,
            highest: 0,
            limit: 0,
            duplicates: 0,
            recovery: None,
            recover: None,
            repeats_first: false,
            timed: None,
            last_sent: Time::ZERO,
            deadline: None,
            fired: 0,
            probes: 0,
            unanswered: 0,
            asks: false,
        }
    }

    /// The handshake is over: the peer takes bytes up to `limit`. If it took more than one try, the first window is one segment
    /// (RFC 5681, 3.1).
    pub(super) fn open(&mut self, stream: &Stream, limit: u64, had_losses: bool) {
        self.limit = limit;
        if had_losses {
            self.rtt.lost_syn();
            self.first_window = self.mss;
            self.congestion = Congestion::new(stream.congestion_control, self.mss, self.mss);
        }
    }

    /// The process writes so many bytes more; the place behind them.
    pub(super) fn write(&mut self, bytes: u64) -> u64 {
        self.written = self.written.saturating_add(bytes);
        self.written
    }

    /// The process writes nothing any more.
    pub(super) fn finish(&mut self) {
        self.is_finished = true;
    }

    pub(super) fn is_finished(&self) -> bool {
        self.is_finished
    }

    /// Whether everything is acknowledged, the end included.
    pub(super) fn is_done(&self) -> bool {
        self.is_finished && self.acknowledged == self.end()
    }

    /// Bytes that were written and are not acknowledged.
    pub(super) fn pending(&self) -> u64 {
        self.end() - self.acknowledged
    }

    /// The place behind all there is to send.
    fn end(&self) -> u64 {
        self.written + u64::from(self.is_finished)
    }

    fn flight(&self) -> u64 {
        self.next - self.acknowledged
    }

    /// The peer has all bytes before `next` and takes them up to `limit`; `is_pure` if it sent nothing else.
    pub(super) fn acknowledged(&mut self, now: Time, next: u64, limit: u64, is_pure: bool) {
        if next > self.highest || next < self.acknowledged {
            return;
        }
        self.unanswered = 0;
        let has_opened = limit > self.limit;
        self.limit = self.limit.max(limit);
        if has_opened && self.probes > 0 {
            // The question is answered: its timer must not be taken for one of retransmission.
            (self.probes, self.deadline) = (0, None);
        }
        if next > self.acknowledged {
            self.advance(now, next);
        } else if is_pure && !has_opened && self.flight() > 0 {
            self.duplicate();
        }
    }

    /// More is acknowledged than before.
    fn advance(&mut self, now: Time, next: u64) {
        let flight = self.flight();
        let bytes = next - self.acknowledged;
        if let Some((end, sent)) = self.timed
            && next >= end
        {
            self.rtt.measured(now.since(sent));
            self.timed = None;
        }
        self.acknowledged = next;
        self.next = self.next.max(next);
        self.fired = 0;
        let mut restarts = true;
        match &mut self.recovery {
            Some(recovery) if next < recovery.until => {
                // The next one is missing too. Only the first such news restarts the timer (RFC 6582, 3.2, step 3).
                restarts = !recovery.is_partial;
                recovery.is_partial = true;
                recovery.window = recovery.window.saturating_sub(bytes);
                if bytes >= self.mss {
                    recovery.window += self.mss;
                }
                self.repeats_first = true;
            }
            Some(_) => {
                self.recovery = None;
                self.repeats_first = false;
                self.duplicates = 0;
                self.congestion.recovered(self.flight());
            }
            None => {
                self.duplicates = 0;
                // A window that is not used says nothing about the network.
                if flight + self.mss > self.congestion.window() {
                    self.congestion.acknowledged(now, bytes, self.rtt.smoothed());
                }
            }
        }
        if self.recover.is_some_and(|recover| next > recover) {
            self.recover = None;
        }
        if self.flight() == 0 {
            self.deadline = None;
        } else if restarts {
            self.deadline = Some(now + self.rtt.timeout());
        }
    }

    /// The peer says again what it said before: something arrived that was not next.
    fn duplicate(&mut self) {
        if let Some(recovery) = &mut self.recovery {
            recovery.window += self.mss;
            return;
        }
        self.duplicates += 1;
        if self.duplicates != DUPLICATES || self.recover.is_some() {
            return;
        }
        // What limited transmit has sent beyond the window does not count (RFC 5681, 3.2, step 2).
        self.congestion.lost(self.flight().min(self.congestion.window()));
        let window = self.congestion.window() + u64::from(DUPLICATES) * self.mss;
        self.recovery = Some(Recovery { until: self.highest, window, is_partial: false });
        self.repeats_first = true;
        self.timed = None;
        self.deadline = None;
    }

    /// How many bytes may be on their way.
    fn window(&self) -> u64 {
        match self.recovery {
            Some(recovery) => recovery.window,
            None if self.recover.is_some() => self.congestion.window(),
            None => self.congestion.window() + u64::from(self.duplicates.min(DUPLICATES - 1)) * self.mss,
        }
    }

    /// The next segment to send, if any may leave now; its acknowledgement is left to others.
    pub(super) fn poll(&mut self, now: Time) -> Option<Segment> {
        if std::mem::take(&mut self.asks) {
            self.deadline = Some(now + self.rtt.doubled(self.probes));
            return Some(Segment { place: self.next, probe: true, ..Segment::default() });
        }
        if std::mem::take(&mut self.repeats_first) && self.acknowledged < self.highest {
            let to = self.highest.min(self.acknowledged + self.mss);
            return Some(self.segment(now, self.acknowledged, to));
        }
        let end = self.end();
        if self.next >= end {
            return None;
        }
        let is_first = self.flight() == 0;
        if is_first {
            self.restart(now);
        }
        let room = self.limit.min(self.acknowledged + self.window());
        let to = end.min(self.next + self.mss).min(room);
        if to <= self.next {
            if is_first && self.deadline.is_none() {
                self.deadline = Some(now + self.rtt.doubled(self.probes));
            }
            return None;
        }
        // A segment that only the window makes short waits for others (RFC 9293, 3.8.6.2.1).
        if to == room && to < end && to < self.next + self.mss && !is_first {
            return None;
        }
        if is_first {
            // A question about the window needs no answer any more.
            self.deadline = None;
        }
        let from = self.next;
        self.next = to;
        Some(self.segment(now, from, to))
    }

    /// After a pause the window is not what the network was found to carry.
    fn restart(&mut self, now: Time) {
        let is_new = self.next == self.highest && self.highest > 0;
        if is_new && self.slow_start_after_idle && now.since(self.last_sent) > self.rtt.timeout() {
            self.congestion.was_idle(self.first_window);
        }
    }

    /// The bytes from one place to another, the end among them if it is.
    fn segment(&mut self, now: Time, from: u64, to: u64) -> Segment {
        let again = from < self.highest;
        self.highest = self.highest.max(to);
        if again {
            // Which of the two was acknowledged could not be told (Karn).
            self.timed = self.timed.filter(|&(end, _)| end <= from);
        } else if self.timed.is_none() {
            self.timed = Some((to, now));
        }
        self.last_sent = now;
        self.probes = 0;
        if self.deadline.is_none() {
            self.deadline = Some(now + self.rtt.timeout());
        }
        let fin = to > self.written;
        let len = (to - from - u64::from(fin)) as u32;
        Segment { place: from, len, fin, again, ..Segment::default() }
    }

    /// When to call [`Sender::expire`].
    pub(super) fn deadline(&self) -> Option<Time> {
        self.deadline
    }

    /// Nothing was heard in time.
    ///
    /// # Errors
    /// That was one time too often.
    pub(super) fn expire(&mut self, now: Time) -> Result<(), GaveUp> {
        if self.deadline.is_none_or(|deadline| deadline > now) {
            return Ok(());
        }
        self.deadline = None;
        if self.flight() == 0 {
            if self.unanswered >= self.retries {
                return Err(GaveUp);
            }
            (self.probes, self.unanswered) = (self.probes.saturating_add(1), self.unanswered + 1);
            self.asks = true;
            return Ok(());
        }
        if self.fired >= self.retries {
            return Err(GaveUp);
        }
        self.congestion.timed_out(self.flight(), self.fired > 0);
        self.fired += 1;
        self.rtt.timed_out();
        self.recovery = None;
        self.recover = Some(self.highest);
        self.repeats_first = false;
        self.duplicates = 0;
        self.timed = None;
        self.next = self.acknowledged;
        Ok(())
    }

    /// The round trip of the handshake.
    pub(super) fn measured(&mut self, trip: Span) {
        self.rtt.measured(trip);
    }
}
