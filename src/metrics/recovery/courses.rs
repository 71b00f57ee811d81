//! The observer that keeps every flow's course.

use std::collections::BTreeMap;

use crate::base::id::NodeId;
use crate::base::time::{Span, Time};
use crate::metrics::flow::Correctness;
use crate::process::{Close, Flow, Kind, MessageId, Observation, Outcome, Wanted};
use crate::sim::Observer;

use super::course::Course;
use super::{CELLS, LATE};

/// When a fault strikes, and when that heals, if it does.
pub type Strike = (Time, Option<Time>);

/// The courses of a run's flows.
#[derive(Clone, Default, Debug)]
pub struct CourseBook {
    /// Where cells begin, the first at the start of the run.
    pub(super) starts: Vec<Time>,
    /// When faults strike, in order.
    pub(super) onsets: Vec<Time>,
    /// The end of the load.
    pub(super) end: Time,
    /// By flow.
    pub(super) flows: Vec<Course>,
}

impl CourseBook {
    fn new(load: Span, strikes: &[Strike], flows: usize) -> Self {
        let end = Time::ZERO + load;
        let length = load.as_nanos().div_ceil(CELLS).max(1);
        let even = (0..load.as_nanos().div_ceil(length)).map(|cell| Time::from_nanos(cell * length));
        let cuts = strikes.iter().flat_map(|&(from, to)| [Some(from), to]).flatten().filter(|cut| *cut < end);
        let starts = in_order(even.chain(cuts));
        let onsets = in_order(strikes.iter().map(|&(from, _)| from).filter(|onset| *onset < end));
        let flows = vec![Course::new(starts.len(), onsets.len()); flows];
        Self { starts, onsets, end, flows }
    }

    /// The first cell that begins at a time or later.
    pub(super) fn cell_from(&self, time: Time) -> usize {
        self.starts.partition_point(|start| *start < time)
    }

    /// Where a cell begins; the end of the load for the one behind the last.
    pub(super) fn start(&self, cell: usize) -> Time {
        self.starts.get(cell).copied().unwrap_or(self.end)
    }

    /// The cell of a time within the load.
    fn cell_at(&self, time: Time) -> Option<usize> {
        (time < self.end).then(|| self.starts.partition_point(|start| *start <= time).checked_sub(1)).flatten()
    }
}

fn in_order(times: impl Iterator<Item = Time>) -> Vec<Time> {
    let mut times: Vec<_> = times.collect();
    times.sort_unstable();
    times.dedup();
    times
}

/// Keeps the courses of a run's flows. Wanted only where faults strike.
#[derive(Debug)]
pub struct Courses {
    book: CourseBook,
    correctness: Vec<Correctness>,
    /// Open messages, by the number of their owner.
    open: Vec<BTreeMap<u32, Open>>,
}

/// A message that has not come to its end.
#[derive(Clone, Copy, Debug)]
struct Open {
    flow: Flow,
    due: Time,
    /// Copies whose end is not known yet.
    copies: u32,
    /// The last attempt.
    attempt: Attempt,
    /// The last attempt that failed, and when that was known.
    failed: Option<(Attempt, Time)>,
    is_right: bool,
    is_closed: bool,
}

#[derive(Clone, Copy, Debug)]
struct Attempt {
    sent: Time,
    /// When a copy of it, or of its answer, was first lost on its way.
    lost: Option<Time>,
}

impl Courses {
    /// Courses over `nodes` ids (see [`Names::span`](crate::base::names::Names::span)) of these flows, in a run with so much
    /// load in which faults strike so.
    pub fn new(nodes: usize, flows: &[Correctness], load: Span, strikes: &[Strike]) -> Self {
        let mut open = Vec::new();
        open.resize_with(nodes, BTreeMap::new);
        Self { book: CourseBook::new(load, strikes, flows.len()), correctness: flows.to_vec(), open }
    }

    /// Ends the run: the courses.
    pub fn close(&mut self) -> CourseBook {
        self.open.iter_mut().for_each(BTreeMap::clear);
        std::mem::take(&mut self.book)
    }

    fn offer(&mut self, now: Time, message: MessageId, flow: Flow, late: Span, at_once: bool) {
        let due = now.earlier_by(late);
        if let Some(cell) = self.book.cell_at(due) {
            self.book.flows[flow.0 as usize].cells[cell].due += 1;
        }
        let open = Open {
            flow,
            due,
            copies: at_once.into(),
            attempt: Attempt { sent: now, lost: None },
            failed: None,
            is_right: false,
            is_closed: false,
        };
        self.open[message.owner.index() as usize].insert(message.number, open);
    }

    /// Changes an open message, and lets it go where nothing more can become of it. Statements about others (heartbeats, a
    /// user's own) are nobody's business here.
    fn update(&mut self, message: MessageId, change: impl FnOnce(&mut Open, Correctness, &mut CourseBook)) {
        let of_owner = &mut self.open[message.owner.index() as usize];
        let Some(open) = of_owner.get_mut(&message.number) else { return };
        change(open, self.correctness[open.flow.0 as usize], &mut self.book);
        if open.is_closed && (open.is_right || open.copies == 0) {
            of_owner.remove(&message.number);
        }
    }

    fn take(&mut self, now: Time, node: NodeId, observation: &Observation) {
        match *observation {
            Observation::Offered { message, flow, late, at_once } => self.offer(now, message, flow, late, at_once),
            Observation::Attempted { message } => self.update(message, |open, _, _| {
                open.copies += 1;
                open.attempt = Attempt { sent: now, lost: None };
            }),
            Observation::AttemptFailed { message } => self.update(message, |open, _, book| {
                open.failed = Some((open.attempt, now));
                book.fail(open.flow, open.attempt, now);
            }),
            Observation::Suspected { flow, .. } => {
                if let Some(cell) = self.book.cell_at(now) {
                    let suspected = &mut self.book.flows[usize::from(flow.0)].cells[cell].first_suspected;
                    *suspected = now.min(*suspected);
                }
            }
            Observation::Handled { message, outcome } => self.update(message, |open, correctness, book| {
                open.copies = open.copies.saturating_sub(1);
                if outcome == Outcome::Done && correctness != Correctness::Answered {
                    book.succeed(open, now);
                }
            }),
            Observation::Confirmed { message } => self.update(message, |open, correctness, book| {
                if correctness == Correctness::Answered {
                    book.succeed(open, now);
                }
                open.is_closed = true;
            }),
            Observation::Closed { message, why } => self.update(message, |open, correctness, book| {
                open.is_closed = true;
                if why == Close::Spared {
                    book.succeed(open, now);
                }
                // An answer that comes now is too late; a copy that is handled now is not.
                if correctness == Correctness::Answered || matches!(why, Close::Abandoned | Close::Spared) {
                    open.copies = 0;
                }
            }),
            Observation::Received { message, duplicate: true } | Observation::Declined { message, .. } => {
                self.update(message, |open, _, _| open.copies = open.copies.saturating_sub(1));
            }
            Observation::Dropped { message, .. } => self.update(message, |open, _, _| {
                open.copies = open.copies.saturating_sub(1);
                open.attempt.lost.get_or_insert(now);
            }),
            Observation::Duplicated { message } | Observation::Stored { message, .. } => {
                self.update(message, |open, _, _| open.copies += 1);
            }
            Observation::Replaced { message } | Observation::Released { message, .. } => {
                self.update(message, |open, _, _| open.copies = open.copies.saturating_sub(1));
            }
            Observation::Down => self.open[node.index() as usize].clear(),
            _ => {}
        }
    }
}

impl CourseBook {
    /// A message comes out right.
    fn succeed(&mut self, open: &mut Open, now: Time) {
        if std::mem::replace(&mut open.is_right, true) {
            return;
        }
        let (right, due) = (self.cell_at(now), self.cell_at(open.due));
        let cells = &mut self.flows[open.flow.0 as usize].cells;
        if let Some(cell) = right {
            cells[cell].right += 1;
        }
        if let Some(cell) = due.filter(|_| now.since(open.due) <= LATE) {
            cells[cell].well += 1;
            cells[cell].first_well = cells[cell].first_well.min(now);
        }
        if let Some((attempt, failed)) = open.failed {
            if let Some(cell) = self.cell_at(attempt.lost.unwrap_or(attempt.sent)) {
                let saved = &mut self.flows[open.flow.0 as usize].cells[cell].first_saved;
                *saved = now.min(*saved);
            }
            for onset in self.struck_under_way(attempt, failed) {
                let saved = &mut self.flows[open.flow.0 as usize].under_way[onset].first_saved;
                *saved = now.min(*saved);
            }
        }
    }

    /// An attempt fails.
    fn fail(&mut self, flow: Flow, attempt: Attempt, now: Time) {
        if let Some(cell) = self.cell_at(attempt.lost.unwrap_or(attempt.sent)) {
            let failed = &mut self.flows[flow.0 as usize].cells[cell].first_failed;
            *failed = now.min(*failed);
        }
        for onset in self.struck_under_way(attempt, now) {
            let failed = &mut self.flows[flow.0 as usize].under_way[onset].first_failed;
            *failed = now.min(*failed);
        }
    }

    /// The strikes that an attempt which failed then lived through without being lost: between the two it was lost for other
    /// reasons than the wire's. What was lost on its way belongs to when it was lost.
    fn struck_under_way(&self, attempt: Attempt, failed: Time) -> std::ops::Range<usize> {
        if attempt.lost.is_some() {
            return 0..0;
        }
        let after = |time: Time| self.onsets.partition_point(|onset| *onset <= time);
        let first = after(attempt.sent);
        first..after(failed).max(first)
    }
}

impl Observer for Courses {
    fn wanted(&self) -> Wanted {
        Wanted::NOTHING.and(Kind::Message).and(Kind::Life).and(Kind::Attempt)
    }

    fn observe(&mut self, now: Time, node: NodeId, observation: &Observation) {
        self.take(now, node, observation);
    }
}
