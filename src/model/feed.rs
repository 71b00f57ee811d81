//! Requests that are read from a trace while they are played.
//!
//! All nodes of a group share one reader: row i goes to node i mod n. Who asks first reads on, and puts what belongs to others
//! into their lines. A line is short: where its owner does not come (it is down, or paused for long), rows beyond the limit
//! are dropped, and read again from the beginning should they be wanted after all. So memory is bounded by the limit, whatever
//! happens, and a run in which all keep up reads the trace once.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use crate::base::time::Span;

use super::given::Given;

/// One request of a trace.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Row {
    /// When it is due, from the start of the run.
    pub due: Span,
    /// What is known of it.
    pub given: Given,
}

/// A trace, ready to be read from its beginning as often as it is wanted.
pub trait Trace: fmt::Debug + Send + Sync {
    /// Its rows in the order of their times. Ends early where they can no longer be read.
    fn rows(&self) -> Box<dyn Iterator<Item = Row> + Send>;
}

/// The most rows that wait in all lines of a group together.
const WAITING_MAX: usize = 1 << 18;
/// At least so many may wait in each.
const LINE_MIN: usize = 4;

/// One run's reading of a trace, shared by all nodes of a group.
#[derive(Clone, Debug)]
pub struct Feed(Arc<Mutex<Reading>>);

struct Reading {
    trace: Arc<dyn Trace>,
    front: Cursor,
    lines: Vec<Line>,
    line_max: usize,
    /// A second look at what was dropped.
    again: Option<Cursor>,
}

/// A place in the trace.
struct Cursor {
    rows: Box<dyn Iterator<Item = Row> + Send>,
    /// The number of the next row.
    next: u64,
}

/// The rows of one node that were read and not yet wanted.
#[derive(Default)]
struct Line {
    rows: VecDeque<Row>,
    /// Rows from this number on were dropped, up to the front of the reading.
    dropped: Option<u64>,
}

impl fmt::Debug for Reading {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:?} before row {}", self.trace, self.front.next)
    }
}

impl Cursor {
    fn new(trace: &dyn Trace) -> Self {
        Self { rows: trace.rows(), next: 0 }
    }

    fn read(&mut self) -> Option<(u64, Row)> {
        let row = self.rows.next()?;
        self.next += 1;
        Some((self.next - 1, row))
    }
}

impl Feed {
    /// A reading of `trace` by so many nodes.
    pub fn new(trace: Arc<dyn Trace>, nodes: u32) -> Self {
        let front = Cursor::new(trace.as_ref());
        let lines = (0..nodes).map(|_| Line::default()).collect();
        let line_max = (WAITING_MAX / nodes.max(1) as usize).max(LINE_MIN);
        Self(Arc::new(Mutex::new(Reading { trace, front, lines, line_max, again: None })))
    }

    /// The next row of a node, which stays there until it is taken.
    pub fn peek(&self, node: u32) -> Option<Row> {
        self.with(|reading| reading.peek(node, Span::ZERO))
    }

    /// The same, after letting go of all rows due before `from`.
    pub fn skip(&self, node: u32, from: Span) -> Option<Row> {
        self.with(|reading| reading.peek(node, from))
    }

    /// Takes the row that was looked at last.
    pub fn take(&self, node: u32) {
        self.with(|reading| reading.lines[node as usize].rows.pop_front());
    }

    /// One run is one thread: nobody waits, and nobody finds what another one left behind in a panic.
    fn with<T>(&self, act: impl FnOnce(&mut Reading) -> T) -> T {
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Reading {
    fn peek(&mut self, node: u32, from: Span) -> Option<Row> {
        let place = node as usize;
        loop {
            let line = &mut self.lines[place];
            while line.rows.front().is_some_and(|row| row.due < from) {
                line.rows.pop_front();
            }
            if let Some(row) = line.rows.front() {
                return Some(*row);
            }
            if let Some(number) = line.dropped {
                self.read_again(place, number, from);
                continue;
            }
            let (number, row) = self.front.read()?;
            let owner = (number % self.lines.len() as u64) as usize;
            let line = &mut self.lines[owner];
            if line.dropped.is_some() {
                continue;
            }
            // Whoever asks takes what it is given at once.
            if line.rows.len() < self.line_max || owner == place {
                line.rows.push_back(row);
            } else {
                line.dropped = Some(number);
            }
        }
    }

    /// Fills a line from row `number` on, as far as it goes and the trace was read.
    #[cold]
    fn read_again(&mut self, place: usize, number: u64, from: Span) {
        let mut again = match self.again.take() {
            Some(again) if again.next <= number => again,
            _ => Cursor::new(self.trace.as_ref()),
        };
        let nodes = self.lines.len() as u64;
        let line = &mut self.lines[place];
        line.dropped = None;
        while again.next < self.front.next {
            if line.rows.len() == self.line_max {
                let behind = again.next % nodes;
                line.dropped = Some(again.next + (place as u64 + nodes - behind) % nodes);
                break;
            }
            let Some((read, row)) = again.read() else { break };
            if read >= number && read % nodes == place as u64 && row.due >= from {
                line.rows.push_back(row);
            }
        }
        // What would be dropped is not there yet: it comes as it is read.
        line.dropped = line.dropped.filter(|dropped| *dropped < self.front.next);
        self.again = Some(again);
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;
    use crate::base::time::ms;

    /// Row i is due after i milliseconds.
    #[derive(Debug, Default)]
    struct Even {
        rows: u64,
        opened: AtomicU32,
    }

    impl Trace for Even {
        fn rows(&self) -> Box<dyn Iterator<Item = Row> + Send> {
            self.opened.fetch_add(1, Ordering::Relaxed);
            Box::new((0..self.rows).map(|row| Row { due: ms(row), given: Given { size: Some(row), key: None } }))
        }
    }

    fn next(feed: &Feed, node: u32) -> Option<u64> {
        let row = feed.peek(node)?;
        feed.take(node);
        row.given.size
    }

    #[test]
    fn rows_are_dealt_in_turn() {
        let trace = Arc::new(Even { rows: 10, ..Even::default() });
        let feed = Feed::new(trace.clone(), 3);
        assert_eq!([0; 5].map(|_| next(&feed, 1)), [Some(1), Some(4), Some(7), None, None]);
        assert_eq!([0; 5].map(|_| next(&feed, 0)), [Some(0), Some(3), Some(6), Some(9), None]);
        assert_eq!([0; 4].map(|_| next(&feed, 2)), [Some(2), Some(5), Some(8), None]);
        assert_eq!(trace.opened.load(Ordering::Relaxed), 1);
    }

    #[test]
    fn what_was_looked_at_stays_until_it_is_taken() {
        let feed = Feed::new(Arc::new(Even { rows: 4, ..Even::default() }), 2);
        assert_eq!(feed.peek(1), feed.peek(1));
        assert_eq!(feed.skip(1, ms(2)).map(|row| row.due), Some(ms(3)));
        assert_eq!(feed.skip(1, ms(4)), None);
    }

    /// One of two nodes reads two million rows alone: of the other's million, a line is kept, the rest is read again, a line at
    /// a time, in one second look at the trace.
    #[test]
    fn nobody_misses_what_was_dropped() {
        let rows = 8 * WAITING_MAX as u64;
        let trace = Arc::new(Even { rows, ..Even::default() });
        let feed = Feed::new(trace.clone(), 2);
        let kept = |feed: &Feed| feed.with(|reading| reading.lines.iter().map(|line| line.rows.len()).sum::<usize>());
        for row in 0..rows / 2 {
            assert_eq!(next(&feed, 0), Some(2 * row));
        }
        assert!(kept(&feed) <= WAITING_MAX);
        for row in 0..rows / 2 {
            assert_eq!(next(&feed, 1), Some(2 * row + 1));
            assert!(row % 1024 > 0 || kept(&feed) <= WAITING_MAX);
        }
        assert_eq!((next(&feed, 0), next(&feed, 1)), (None, None));
        assert_eq!(trace.opened.load(Ordering::Relaxed), 2);
    }

    /// Two of three fall behind and come back in turns, while the third goes on.
    #[test]
    fn everyone_gets_its_own_rows_in_order() {
        let rows = 6 * WAITING_MAX as u64;
        let feed = Feed::new(Arc::new(Even { rows, ..Even::default() }), 3);
        let mut expected = [0, 1, 2];
        for round in 0..rows {
            let node = match round * 100 / rows {
                0..40 => 2,
                part => (part / 7 % 3) as u32,
            };
            let row = next(&feed, node);
            let wanted = &mut expected[node as usize];
            assert_eq!(row, (*wanted < rows).then_some(*wanted));
            *wanted += 3;
        }
    }

    #[test]
    fn what_is_over_is_not_read_again() {
        let rows = 8 * WAITING_MAX as u64;
        let feed = Feed::new(Arc::new(Even { rows, ..Even::default() }), 2);
        while next(&feed, 0).is_some() {}
        assert_eq!(feed.skip(1, ms(rows - 3)).map(|row| row.due), Some(ms(rows - 3)));
        assert!(feed.with(|reading| reading.lines[1].rows.len()) <= 2);
    }
}
