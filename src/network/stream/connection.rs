//! A connection: two ends, and between them messages whose bytes are on their way.
//!
//! A message is written at one end with its size and a ticket. The ticket comes out at the other end when the last of its
//! bytes was read there, or is given back when that can no longer happen: when the end that would read is gone, or the end that
//! would send is and nothing it sent is on its way any more.

use std::collections::VecDeque;

use crate::base::time::Time;

use super::Stream;
use super::end::{End, News};
use super::segment::Segment;

/// Which end of a connection.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Side {
    /// Who asked to open it.
    Opener = 0,
    /// Who was asked.
    Acceptor = 1,
}

impl Side {
    /// Both.
    pub const BOTH: [Self; 2] = [Self::Opener, Self::Acceptor];

    /// The other one.
    pub const fn other(self) -> Self {
        match self {
            Self::Opener => Self::Acceptor,
            Self::Acceptor => Self::Opener,
        }
    }
}

/// A connection that carries messages with tickets of type `T`.
#[derive(Clone, Debug)]
pub struct Connection<T> {
    stream: Stream,
    /// The acceptor has none before it is asked.
    ends: [Option<End>; 2],
    /// Messages that were written at each end and not read at the other, with the places behind them.
    written: [VecDeque<(u64, T)>; 2],
    /// Segments of each end that are on their way.
    flying: [u32; 2],
}

impl<T> Connection<T> {
    /// A connection that its opener asks for now.
    pub fn open(stream: &Stream, now: Time) -> Self {
        Self {
            stream: stream.clone(),
            ends: [Some(End::new(stream, now, false)), None],
            written: [VecDeque::new(), VecDeque::new()],
            flying: [0; 2],
        }
    }

    fn end(&self, side: Side) -> Option<&End> {
        self.ends[side as usize].as_ref()
    }

    fn living_mut(&mut self, side: Side) -> Option<&mut End> {
        self.ends[side as usize].as_mut().filter(|end| !end.is_closed())
    }

    /// Whether this end knows of the connection and may write to it.
    pub fn is_writable(&self, side: Side) -> bool {
        self.end(side).is_some_and(End::is_writable)
    }

    /// Whether this end knows of the connection and has not closed it.
    pub fn is_alive(&self, side: Side) -> bool {
        self.end(side).is_some_and(|end| !end.is_closed())
    }

    /// Whether this end's handshake is over and it has not closed.
    pub fn is_open(&self, side: Side) -> bool {
        self.end(side).is_some_and(End::is_open)
    }

    /// Bytes that this end has yet to send or to see acknowledged.
    pub fn pending(&self, side: Side) -> u64 {
        self.end(side).map_or(0, |end| end.sender.pending())
    }

    /// Whether the send buffer of this end has no room.
    pub fn is_full(&self, side: Side) -> bool {
        self.stream.send_buffer.is_some_and(|limit| self.pending(side) >= limit.count())
    }

    /// Whether nobody needs it any more.
    pub fn is_over(&self) -> bool {
        let is_gone = |side| self.end(side).is_none_or(End::is_closed);
        self.flying == [0; 2] && Side::BOTH.into_iter().all(is_gone) && self.written.iter().all(VecDeque::is_empty)
    }

    /// Writes a message of so many bytes (one at least) at an end that is writable.
    pub fn write(&mut self, side: Side, now: Time, size: u64, ticket: T) {
        let is_full = self.is_full(side);
        let Some(end) = &mut self.ends[side as usize] else { return };
        end.used = now;
        let place = end.sender.write(size.max(1));
        self.written[side as usize].push_back((place, ticket));
        if !is_full
            && self.is_full(side)
            && let Some(end) = &mut self.ends[side as usize]
        {
            end.is_full = true;
        }
    }

    /// The next segment that this end sends, if it may send one now. It is on its way until [`Connection::landed`].
    pub fn poll(&mut self, side: Side, now: Time) -> Option<Segment> {
        self.living_mut(side)?.poll(now)
    }

    /// A segment of this end is on its way, or a second copy of one.
    pub fn took_off(&mut self, side: Side) {
        self.flying[side as usize] += 1;
    }

    /// A segment of this end is no longer on its way.
    pub fn landed(&mut self, side: Side) {
        self.flying[side as usize] -= 1;
    }

    /// A segment arrived at this end; `reads` if its process runs and takes what arrived in order. None if there is no such
    /// connection here, and the peer is to be told.
    pub fn receive(&mut self, side: Side, now: Time, segment: &Segment, reads: bool) -> Option<News> {
        if side == Side::Acceptor && self.ends[1].is_none() && segment.opens() {
            self.ends[1] = Some(End::new(&self.stream, now, true));
            return Some(News::default());
        }
        let Self { stream, ends, .. } = self;
        let end = ends[side as usize].as_mut().filter(|end| !end.is_closed())?;
        let news = end.receive(stream, now, segment, reads);
        Some(News { writable: self.has_room(side), ..news })
    }

    /// Whether a send buffer that was full has room again; said once.
    fn has_room(&mut self, side: Side) -> bool {
        let is_full = self.is_full(side);
        match &mut self.ends[side as usize] {
            Some(end) if end.is_full && !is_full && !end.is_closed() => std::mem::take(&mut end.is_full),
            _ => false,
        }
    }

    /// The process at this end reads all that arrived in order: [`Connection::take`] gives the messages.
    pub fn read(&mut self, side: Side) -> News {
        News { closed: self.living_mut(side).is_some_and(End::read), ..News::default() }
    }

    /// The first message that this end has not taken, arrived or not.
    pub fn first(&self, side: Side) -> Option<&T> {
        self.written[side.other() as usize].front().map(|(_, ticket)| ticket)
    }

    /// The next message whose last byte this end has received, if its process reads.
    pub fn take(&mut self, side: Side) -> Option<T> {
        let next = self.end(side)?.receiver.next();
        let waiting = &mut self.written[side.other() as usize];
        waiting.pop_front_if(|&mut (place, _)| place <= next).map(|(_, ticket)| ticket)
    }

    /// When to call [`Connection::expire`] for this end.
    pub fn deadline(&self, side: Side) -> Time {
        let Some(end) = self.end(side) else { return Time::MAX };
        let idle = match self.stream.idle_timeout {
            Some(limit) if end.is_open() && end.is_writable() && end.sender.pending() == 0 => end.used + limit,
            _ => Time::MAX,
        };
        end.deadline().min(idle)
    }

    /// A deadline of this end has come.
    pub fn expire(&mut self, side: Side, now: Time) -> News {
        let Self { stream, ends, .. } = self;
        let Some(end) = ends[side as usize].as_mut().filter(|end| !end.is_closed()) else { return News::default() };
        let reset = end.expire(stream, now);
        if let Some(limit) = stream.idle_timeout
            && end.is_open()
            && end.used + limit <= now
            && end.sender.pending() == 0
        {
            end.sender.finish();
        }
        News { reset, ..News::default() }
    }

    /// This end forgets the connection, and what it had received and not read: its farewell has left, or its node is gone.
    pub fn abandon(&mut self, side: Side) {
        if let Some(end) = &mut self.ends[side as usize] {
            end.drop_state();
        }
    }

    /// A message that can no longer arrive, if there is one, and which end wrote it.
    pub fn lost(&mut self) -> Option<(Side, T)> {
        let is_gone = |ends: &[Option<End>; 2], side: Side| ends[side as usize].as_ref().is_some_and(End::is_closed);
        Side::BOTH.into_iter().find_map(|from| {
            let (reader_is_gone, writer_is_gone) = (is_gone(&self.ends, from.other()), is_gone(&self.ends, from));
            let is_stuck = reader_is_gone || writer_is_gone && self.flying[from as usize] == 0;
            if !is_stuck {
                return None;
            }
            // What has arrived at a reader that is there, and waits to be read, is not lost.
            let arrived = if reader_is_gone { 0 } else { self.end(from.other()).map_or(0, |end| end.receiver.next()) };
            let written = &mut self.written[from as usize];
            let first = written.partition_point(|&(place, _)| place <= arrived);
            written.remove(first).map(|(_, ticket)| (from, ticket))
        })
    }

    /// Messages that were written and neither taken nor lost.
    pub fn messages(&self) -> u64 {
        self.written.iter().map(|written| written.len() as u64).sum()
    }
}
