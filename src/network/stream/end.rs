//! One end of a connection: the handshake, a sender and a receiver.

use crate::base::time::Time;

use super::Stream;
use super::receiver::Receiver;
use super::segment::Segment;
use super::sender::{GaveUp, Sender};

#[derive(Clone, Debug)]
pub(super) struct End {
    state: State,
    pub(super) sender: Sender,
    pub(super) receiver: Receiver,
    /// When something was last written or heard.
    pub(super) used: Time,
    /// Whether the process was told that the send buffer is full.
    pub(super) is_full: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum State {
    /// The other end has not answered yet: it was asked to open, or told that it may.
    Opening(Handshake),
    Open,
    Closed,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Handshake {
    /// Whether this end answers the other's request.
    answers: bool,
    /// Whether the segment is to be sent.
    is_due: bool,
    sent: Time,
    deadline: Time,
    /// How often it was sent again by timer.
    tries: u32,
    /// How often it was sent.
    count: u32,
}

/// What has happened to a connection, as its process sees it.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct News {
    /// It is open.
    pub connected: bool,
    /// There is room in the send buffer again.
    pub writable: bool,
    /// It was given up, or the peer knows nothing of it.
    pub reset: bool,
    /// Both sides have ended, and everything has arrived. One more segment may have to leave.
    pub closed: bool,
}

impl End {
    /// The end that asks to open (`answers` if it is the one that is asked).
    pub(super) fn new(stream: &Stream, now: Time, answers: bool) -> Self {
        let handshake = Handshake { answers, is_due: true, sent: now, deadline: Time::MAX, tries: 0, count: 0 };
        Self {
            state: State::Opening(handshake),
            sender: Sender::new(stream),
            receiver: Receiver::new(stream.receive_window.count(), stream.mss.count(), stream.delayed_ack),
            used: now,
            is_full: false,
        }
    }

    pub(super) fn is_open(&self) -> bool {
        self.state == State::Open
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state == State::Closed
    }

    /// Whether a process may still write.
    pub(super) fn is_writable(&self) -> bool {
        !self.is_closed() && !self.sender.is_finished()
    }

    /// Forgets everything.
    pub(super) fn drop_state(&mut self) {
        self.state = State::Closed;
    }

    /// A segment arrived. `reads` if the process takes what arrived in order.
    pub(super) fn receive(&mut self, stream: &Stream, now: Time, segment: &Segment, reads: bool) -> News {
        let mut news = News::default();
        if segment.rst {
            // Whoever has said and heard everything only misses the farewell.
            let is_over = self.sender.is_finished() && (self.sender.is_done() || self.receiver.has_ended());
            self.state = State::Closed;
            return News { reset: !is_over, closed: is_over, ..news };
        }
        self.used = now;
        if let State::Opening(handshake) = &mut self.state {
            match (handshake.answers, segment.ack) {
                // Only a repeated request.
                (true, None) => {
                    handshake.is_due = true;
                    return news;
                }
                (false, Some(ack)) if segment.syn => {
                    let Handshake { sent, count, tries, .. } = *handshake;
                    self.establish(stream, now, (sent, count, tries), ack.limit);
                    self.receiver.owe();
                    news.connected = true;
                }
                (true, Some(ack)) => {
                    let Handshake { sent, count, tries, .. } = *handshake;
                    self.establish(stream, now, (sent, count, tries), ack.limit);
                    news.connected = true;
                }
                (false, _) => return news,
            }
        } else if segment.syn {
            // The other end has not heard that the connection is open.
            self.receiver.owe();
            return news;
        }
        if segment.len > 0 || segment.fin || segment.probe {
            self.receiver.receive(now, segment);
            if reads {
                self.receiver.read();
            }
        }
        if let Some(ack) = segment.ack {
            let is_pure = segment.len == 0 && !segment.fin && !segment.syn && !segment.probe;
            self.sender.acknowledged(now, ack.next, ack.limit, is_pure);
        }
        News { closed: self.follow(), ..news }
    }

    /// The process reads what arrived in order; whether both sides have ended.
    pub(super) fn read(&mut self) -> bool {
        self.receiver.read();
        self.follow()
    }

    /// Ends this side once the other's end was read and everything written here is acknowledged: what is written next goes
    /// over another connection, and shall not overtake it. Whether all is said and heard then.
    fn follow(&mut self) -> bool {
        let may_end = self.sender.is_finished() || self.sender.pending() == 0;
        if !self.receiver.is_done() || !may_end {
            return false;
        }
        self.sender.finish();
        self.sender.is_done()
    }

    fn establish(&mut self, stream: &Stream, now: Time, (sent, count, tries): (Time, u32, u32), limit: u64) {
        if count == 1 {
            self.sender.measured(now.since(sent));
        }
        self.sender.open(stream, limit, tries > 0);
        self.state = State::Open;
    }

    /// The next segment to send, if there is one.
    pub(super) fn poll(&mut self, now: Time) -> Option<Segment> {
        match &mut self.state {
            State::Closed => None,
            State::Opening(handshake) => {
                if !std::mem::take(&mut handshake.is_due) {
                    return None;
                }
                handshake.sent = now;
                handshake.deadline = now + self.sender.rtt.timeout();
                handshake.count += 1;
                let again = handshake.count > 1;
                let ack = handshake.answers.then(|| self.receiver.acknowledge());
                Some(Segment { syn: true, again, ack, ..Segment::default() })
            }
            State::Open => {
                let segment = match self.sender.poll(now) {
                    Some(segment) => segment,
                    None if self.receiver.owes(now) => Segment::default(),
                    None => return None,
                };
                Some(Segment { ack: Some(self.receiver.acknowledge()), ..segment })
            }
        }
    }

    /// When to call [`End::expire`].
    pub(super) fn deadline(&self) -> Time {
        match &self.state {
            State::Closed => Time::MAX,
            State::Opening(handshake) => handshake.deadline,
            State::Open => {
                let times = [self.sender.deadline(), self.receiver.deadline()];
                times.into_iter().flatten().min().unwrap_or(Time::MAX)
            }
        }
    }

    /// A deadline has come; whether the connection is given up.
    pub(super) fn expire(&mut self, stream: &Stream, now: Time) -> bool {
        match &mut self.state {
            State::Closed => false,
            State::Opening(handshake) => {
                if handshake.deadline > now {
                    return false;
                }
                if handshake.tries >= stream.syn_retries {
                    self.state = State::Closed;
                    return true;
                }
                handshake.tries += 1;
                handshake.is_due = true;
                self.sender.rtt.timed_out();
                false
            }
            State::Open => match self.sender.expire(now) {
                Ok(()) => false,
                Err(GaveUp) => {
                    self.state = State::Closed;
                    true
                }
            },
        }
    }
}
