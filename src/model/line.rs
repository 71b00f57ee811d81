//! Who waits for a worker of one node.

use std::collections::VecDeque;

/// Requests that wait. Those that had a worker before go first.
#[derive(Debug, Default)]
#[repr(C)]
pub(super) struct Line {
    /// How many there are: in front, because it is asked for at every message.
    len: u32,
    /// Requests that had a worker, and need one again.
    again: VecDeque<u32>,
    /// Requests that never had one.
    new: VecDeque<u32>,
}

/// A request whose turn it is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Turn {
    /// It had a worker before.
    Again(u32),
    /// It never had one.
    New(u32),
}

impl Line {
    #[inline]
    pub(super) fn len(&self) -> u32 {
        self.len
    }

    pub(super) fn join(&mut self, turn: Turn) {
        match turn {
            Turn::Again(id) => self.again.push_back(id),
            Turn::New(id) => self.new.push_back(id),
        }
        self.len += 1;
    }

    /// Takes out whoever is next.
    #[inline]
    pub(super) fn next(&mut self) -> Option<Turn> {
        if self.len == 0 {
            return None;
        }
        self.len -= 1;
        self.again.pop_front().map(Turn::Again).or_else(|| self.new.pop_front().map(Turn::New))
    }

    /// This one waits no more.
    pub(super) fn leave(&mut self, id: u32) {
        self.again.retain(|&waiting| waiting != id);
        self.new.retain(|&waiting| waiting != id);
        self.len = (self.again.len() + self.new.len()) as u32;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_that_had_a_worker_go_first() {
        let mut line = Line::default();
        for turn in [Turn::New(0), Turn::New(1), Turn::Again(2), Turn::New(3), Turn::Again(4)] {
            line.join(turn);
        }
        line.leave(1);
        line.leave(2);
        assert_eq!(line.len(), 3);
        let turns: Vec<_> = std::iter::from_fn(|| line.next()).collect();
        assert_eq!(turns, [Turn::Again(4), Turn::New(0), Turn::New(3)]);
        assert_eq!(line.len(), 0);
    }
}
