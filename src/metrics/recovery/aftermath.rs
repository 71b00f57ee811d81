//! What a strike did to some flows, worked out from their course.

use std::ops::Range;

use crate::base::time::{Span, Time};

use super::course::Course;
use super::courses::{CourseBook, Strike};
use super::{BUSY, ENOUGH, HALTED, LATE, RESTORED, hold};

/// How long something took that may never come, or that there is nothing to say about.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum After {
    /// There is nothing to say.
    Nothing,
    /// So long.
    Within(Span),
    /// It did not come before the end of the load, or before the fault struck again.
    Never,
}

impl After {
    /// In nanoseconds; infinite if it never came.
    pub fn nanos(self) -> Option<f64> {
        match self {
            Self::Nothing => None,
            Self::Within(span) => Some(span.as_nanos() as f64),
            Self::Never => Some(f64::INFINITY),
        }
    }

    fn from_to(from: Time, to: Time) -> Self {
        if to == Time::MAX { Self::Never } else { Self::Within(to.since(from)) }
    }
}

/// What a strike of a fault did to a flow, or to some flows together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Aftermath {
    /// When the fault struck.
    pub at: Time,
    /// From then until the first attempt was seen to fail, or a sender first took a member for down. Nothing if neither was.
    pub detect: After,
    /// From then until the first message of which an attempt had failed came out right. Nothing if none failed.
    pub failover: After,
    /// From the healing (from the strike, if it does not heal) until service was restored. Nothing if there was no load.
    pub recovery: After,
    /// Messages that would have come out right from the strike to the recovery at the rate of before, and did not.
    pub goodput_lost: f64,
}

impl CourseBook {
    /// What each strike of one of these faults did to these flows together: of those strikes that fall into the measured time.
    /// What was before is known from the time that no other fault troubled.
    pub fn after(&self, flows: &[usize], faults: &[&[Strike]], fault: usize, measured: (Time, Time)) -> Vec<Aftermath> {
        let mut course = Course::default();
        flows.iter().filter_map(|&flow| self.flows.get(flow)).for_each(|flow| course.add(flow));
        let view = View { book: self, sums: sums(&course), course: &course };
        let counts = |strike: &&Strike| measured.0 <= strike.0 && strike.0 < measured.1.min(self.end);
        let first = |fault: usize| faults[fault].iter().find(counts).map(|strike| strike.0);
        let Some(own) = first(fault) else { return Vec::new() };
        let mut order: Vec<_> = (0..faults.len()).filter_map(|fault| first(fault).map(|at| (at, fault))).collect();
        order.sort_unstable();
        // What strikes first is judged first: how long it troubles is known then.
        let mut troubled: Vec<(Time, Time)> = Vec::new();
        for (at, other) in order.into_iter().filter(|&(at, other)| (at, other) <= (own, fault)) {
            let before = view.before(&view.untroubled(measured.0, at, &troubled));
            let strikes = faults[other];
            let next = strikes.iter().skip(1).map(|strike| strike.0.min(self.end)).chain([self.end]);
            let followed = strikes.iter().zip(next).filter(|(strike, _)| counts(strike));
            let all: Vec<_> = followed.map(|(&strike, end)| (strike, end, view.after(strike, end, &before))).collect();
            if other == fault {
                return all.into_iter().map(|(.., after)| after).collect();
            }
            troubled.extend(all.into_iter().map(|((at, healed), end, after)| match (healed, after.recovery) {
                (_, After::Never) => (at, end),
                (Some(healed), After::Within(recovery)) => (at, healed + recovery),
                (Some(healed), After::Nothing) => (at, healed),
                (None, _) => (at, self.end),
            }));
        }
        Vec::new()
    }
}

/// Messages due, doing well, and coming out right before each cell.
type Sums = Vec<[u64; 3]>;

fn sums(course: &Course) -> Sums {
    let mut sum = [0; 3];
    let mut sums = vec![sum];
    for cell in &course.cells {
        let counts = [cell.due, cell.well, cell.right];
        sum.iter_mut().zip(counts).for_each(|(sum, count)| *sum += count);
        sums.push(sum);
    }
    sums
}

/// How service was before.
#[derive(Clone, Copy, Debug)]
struct Before {
    /// Messages due, and coming out right, in a second.
    due: f64,
    right: f64,
    /// The lengths of windows, and the worst of them.
    suffering: (Span, Worst),
    restored: (Span, Worst),
}

/// What the worst windows held: the share that did well; messages due, and coming out right, in a second.
#[derive(Clone, Copy, Debug)]
struct Worst {
    share: f64,
    due: f64,
    right: f64,
}

impl Worst {
    /// Where nothing is known of before: all that is offered should do well.
    const IDEAL: Self = Self { share: 1.0, due: 0.0, right: 0.0 };
}

/// What a window held.
#[derive(Clone, Copy, Debug)]
struct Window {
    seconds: f64,
    due: f64,
    well: f64,
    right: f64,
}

impl Window {
    const EMPTY: Self = Self { seconds: 0.0, due: 0.0, well: 0.0, right: 0.0 };

    /// Both together.
    fn and(self, other: Self) -> Self {
        Self {
            seconds: self.seconds + other.seconds,
            due: self.due + other.due,
            well: self.well + other.well,
            right: self.right + other.right,
        }
    }

    fn share(&self) -> Option<f64> {
        (self.due > 0.0).then(|| self.well / self.due)
    }

    /// Whether the share that does well is as before, if anything was due.
    fn does_well(&self, worst: &Worst) -> Option<bool> {
        self.share().map(|share| share >= RESTORED * worst.share)
    }
}

struct View<'a> {
    book: &'a CourseBook,
    course: &'a Course,
    sums: Sums,
}

impl View<'_> {
    fn window(&self, from: usize, to: usize) -> Window {
        let [due, well, right] = [0, 1, 2].map(|kind| (self.sums[to][kind] - self.sums[from][kind]) as f64);
        Window { seconds: self.book.start(to).since(self.book.start(from)).as_secs_f64(), due, well, right }
    }

    /// The cell before which a window of this length ends that begins with `cell`, if that is no later than `end`.
    fn end_of(&self, cell: usize, length: Span, end: Time) -> Option<usize> {
        let to = self.book.start(cell) + length;
        (to <= end).then(|| self.book.cell_from(to)).filter(|&last| self.book.start(last) <= end && last > cell)
    }

    /// The cells from one time to another in which nothing else troubled.
    fn untroubled(&self, from: Time, to: Time, troubled: &[(Time, Time)]) -> Vec<Range<usize>> {
        let mut troubled = troubled.to_vec();
        troubled.sort_unstable();
        let (mut free, mut from) = (Vec::new(), from);
        for (begin, end) in troubled.into_iter().chain([(to, to)]) {
            let begin = begin.min(to);
            if from < begin {
                free.push(self.book.cell_from(from)..self.book.cell_from(begin));
            }
            from = from.max(end);
        }
        free
    }

    /// How service was in these cells.
    fn before(&self, cells: &[Range<usize>]) -> Before {
        let whole = cells.iter().map(|cells| self.window(cells.start, cells.end)).fold(Window::EMPTY, Window::and);
        if whole.due == 0.0 || whole.seconds == 0.0 {
            let all = self.window(0, self.course.cells.len());
            let rate = if all.seconds > 0.0 { all.due / all.seconds } else { 0.0 };
            let [suffering, restored] = self.lengths(rate);
            let ideal = |length| (length, Worst::IDEAL);
            return Before { due: rate, right: rate, suffering: ideal(suffering), restored: ideal(restored) };
        }
        let rate = whole.due / whole.seconds;
        let [suffering, restored] = self.lengths(rate);
        let worst = |length| (length, self.worst(cells, length));
        Before { due: rate, right: whole.right / whole.seconds, suffering: worst(suffering), restored: worst(restored) }
    }

    /// The lengths of windows at so many messages in a second.
    fn lengths(&self, rate: f64) -> [Span; 2] {
        let enough = if rate > 0.0 { Span::from_secs_f64(ENOUGH / rate) } else { Span::MAX };
        [enough, enough.max(hold(self.book.end.since(Time::ZERO)))]
    }

    /// The worst windows of this length in these cells. What was due shortly before their end may have been struck on its
    /// way, and does not count: what took longer than that did not do well anyhow.
    fn worst(&self, ranges: &[Range<usize>], length: Span) -> Worst {
        let mut worst = Worst { share: f64::INFINITY, due: f64::INFINITY, right: f64::INFINITY };
        let mut all = Window::EMPTY;
        for cells in ranges {
            let (from, to) = (self.book.start(cells.start), self.book.start(cells.end));
            let struck = LATE.min(Span::from_nanos(to.since(from).as_nanos() / 4));
            let end = Time::from_nanos(to.as_nanos() - struck.as_nanos());
            for cell in cells.clone() {
                let Some(last) = self.end_of(cell, length, end) else { break };
                let window = self.window(cell, last);
                worst.share = worst.share.min(window.share().unwrap_or(f64::INFINITY));
                worst.due = worst.due.min(window.due / window.seconds);
                worst.right = worst.right.min(window.right / window.seconds);
            }
            all = all.and(self.window(cells.start, self.book.cell_from(end).max(cells.start)));
        }
        if worst.share.is_finite() {
            return worst;
        }
        // Too short for any: the mean, and for counts what it is rarely below by chance, two deviations of Poisson's law.
        let seconds = length.as_secs_f64();
        let least = |count: f64| {
            let count = if all.seconds > 0.0 { count / all.seconds * seconds } else { 0.0 };
            (count - 2.0 * libm::sqrt(count)).max(0.0) / seconds
        };
        Worst { share: all.share().unwrap_or(1.0), due: least(all.due), right: least(all.right) }
    }

    /// What a strike did, until `end`.
    fn after(&self, (at, healed): Strike, end: Time, before: &Before) -> Aftermath {
        let healed = healed.filter(|healed| *healed < end);
        let (first, last) = (self.book.cell_from(at), self.book.cell_from(end));
        let heal = healed.map_or(first, |healed| self.book.cell_from(healed));
        let until = if healed.is_some() { heal } else { last };
        let suffers = (first..until.max(first + 1)).find(|&cell| self.suffers(cell, first, end, before));
        let begin = if healed.is_some() { heal } else { suffers.unwrap_or(first) };
        let restored = (begin..last).find_map(|cell| self.restored(cell, begin, end, before));
        let whole = self.window(first, last);
        let suffered = suffers.is_some() || self.suffers(begin, begin, end, before);
        let (recovery, back) = match restored {
            _ if whole.due == 0.0 && before.due * whole.seconds < 1.0 => (After::Nothing, first),
            _ if !suffered => (After::Within(Span::ZERO), first),
            Some((cell, moment)) => (After::Within(moment.since(healed.unwrap_or(at))), cell),
            None => (After::Never, last),
        };
        let missing = self.window(first, back);
        // What fails after the recovery fails for other reasons; but a fault that does not heal lasts.
        let trouble = if healed.is_some() { back.max(heal) } else { last };
        let (failed, saved) = self.attempts(first, trouble, at);
        let cells = &self.course.cells[first..trouble.max(first)];
        let noticed = cells.iter().map(|cell| cell.first_suspected).fold(failed, Time::min);
        Aftermath {
            at,
            detect: if noticed == Time::MAX { After::Nothing } else { After::from_to(at, noticed) },
            failover: if failed == Time::MAX { After::Nothing } else { After::from_to(at, saved) },
            recovery,
            goodput_lost: (before.right * missing.seconds - missing.right).max(0.0),
        }
    }

    /// When the first attempt failed that was sent or lost in these cells, or was under way at their start; and when the first
    /// message came out right of which such an attempt had failed.
    fn attempts(&self, first: usize, last: usize, at: Time) -> (Time, Time) {
        let cells = &self.course.cells[first..last.max(first)];
        let onset = self.book.onsets.binary_search(&at).ok();
        let under_way = onset.and_then(|onset| self.course.under_way.get(onset)).copied().unwrap_or_default();
        let failed = cells.iter().map(|cell| cell.first_failed).min().unwrap_or(Time::MAX);
        let saved = cells.iter().map(|cell| cell.first_saved).min().unwrap_or(Time::MAX);
        (failed.min(under_way.first_failed), saved.min(under_way.first_saved))
    }

    /// Whether service is worse from `cell` on than in the worst window before. Where there is no room for a whole window, what
    /// there is from the strike on has to do.
    fn suffers(&self, cell: usize, first: usize, end: Time, before: &Before) -> bool {
        let (length, worst) = before.suffering;
        match self.end_of(cell, length, end) {
            Some(last) => {
                let window = self.window(cell, last);
                window.does_well(&worst) == Some(false) || window.right < HALTED * worst.right * window.seconds
            }
            None if cell == first => self.window(cell, self.book.cell_from(end)).does_well(&worst) == Some(false),
            None => false,
        }
    }

    /// The cell, and when the first message due from it on that does well came out right, if service is restored there.
    /// Where there is no room for a whole window, all there is from the healing on has to do, or what holds enough messages.
    fn restored(&self, cell: usize, begin: usize, end: Time, before: &Before) -> Option<(usize, Time)> {
        let (length, worst) = before.restored;
        let last = self.book.cell_from(end);
        let whole = self.end_of(cell, length, end);
        let window = self.window(cell, whole.unwrap_or(last));
        let is_enough = before.due * window.seconds >= ENOUGH;
        if whole.is_none() && cell != begin && !is_enough {
            return None;
        }
        let is_as_busy = window.due >= BUSY * worst.due * window.seconds;
        if !window.does_well(&worst)? || is_enough && !is_as_busy {
            return None;
        }
        let cells = &self.course.cells[cell..whole.unwrap_or(last)];
        let moment = cells.iter().map(|cell| cell.first_well).min().unwrap_or(Time::MAX);
        (moment < Time::MAX).then_some((cell, moment))
    }
}
