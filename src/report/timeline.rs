//! Flows over time in as many cells as there is room for, and sparklines of them.

use crate::base::time::{Span, Time};
use crate::experiment::Results;
use crate::metrics::Histogram;
use crate::metrics::recovery::Strike;

use super::total::{FlowTotal, Step};

/// Until when there is something to show.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    /// When the last run is measured no more.
    measured: Time,
    /// When the first run was over.
    played: Time,
}

impl Ends {
    pub fn of(results: &Results) -> Self {
        let measured = results.runs.iter().map(|run| run.measured.1).max().unwrap_or(Time::MAX);
        let played = results.runs.iter().map(|run| run.end).min().unwrap_or(Time::MAX);
        Self { measured, played }
    }

    /// All steps that are measured, and whole ones after that: a step in which the run ends looks like a fall to nothing.
    fn steps(self, step: Span) -> usize {
        let measured = self.measured.as_nanos().div_ceil(step.as_nanos());
        let whole = self.played.as_nanos() / step.as_nanos();
        usize::try_from(measured.max(whole)).unwrap_or(usize::MAX).max(1)
    }
}

/// Time in cells of equal length, from the start of the run; each of them is shown as a number of columns.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Timeline {
    step: Span,
    /// How many steps there are.
    count: usize,
    /// How many steps a cell is.
    steps: usize,
    /// How many columns show a cell.
    columns: usize,
    cells: usize,
}

impl Timeline {
    /// The time of all these flows in at most `room` columns; none if nothing ever happened.
    pub fn of<'a>(flows: impl IntoIterator<Item = &'a FlowTotal>, ends: Ends, room: usize) -> Option<Self> {
        let longest = flows.into_iter().max_by_key(|flow| flow.steps.len())?;
        let step = longest.step;
        if longest.steps.is_empty() || step.as_nanos() == 0 || room == 0 {
            return None;
        }
        let count = longest.steps.len().min(ends.steps(step));
        let steps = count.div_ceil(room);
        Some(Self { step, count, steps, columns: (room / count).max(1), cells: count.div_ceil(steps) })
    }

    /// How many columns there are.
    pub fn width(&self) -> usize {
        self.cells * self.columns
    }

    /// The length of a cell.
    pub fn cell(&self) -> Span {
        self.step.times(self.steps as u64)
    }

    /// When the last step ends.
    pub fn end(&self) -> Span {
        self.step.times(self.count as u64)
    }

    /// The column that shows what happens at a time; the last one shows all that happens later.
    pub fn column(&self, time: Time) -> usize {
        let column = u128::from(time.as_nanos()) * self.columns as u128 / u128::from(self.cell().as_nanos());
        usize::try_from(column).unwrap_or(usize::MAX).min(self.width() - 1)
    }

    /// The steps of a flow that are shown.
    fn shown<'a>(&self, flow: &'a FlowTotal) -> &'a [Step] {
        &flow.steps[..flow.steps.len().min(self.count)]
    }

    /// What succeeded per second and run, cell by cell.
    pub fn goodput(&self, flow: &FlowTotal, runs: u32) -> Vec<Option<f64>> {
        let seconds = |steps: usize| self.step.as_secs_f64() * (steps as u32 * runs.max(1)) as f64;
        let cells = self.shown(flow).chunks(self.steps).map(|steps| {
            let succeeded: u64 = steps.iter().map(|step| step.goodput).sum();
            Some(succeeded as f64 / seconds(steps.len()))
        });
        cells.collect()
    }

    /// The 99 % quantile of the latencies of what was due then, cell by cell; none where nothing that was due was ever confirmed.
    pub fn tail(&self, flow: &FlowTotal) -> Vec<Option<f64>> {
        let cells = self.shown(flow).chunks(self.steps).map(|steps| {
            let mut latency = Histogram::default();
            steps.iter().for_each(|step| latency.merge(&step.latency));
            latency.quantile(0.99)
        });
        cells.collect()
    }

    /// Values as a line whose height is nothing at zero and full at the largest of them; a gap where there is none.
    pub fn sparkline(&self, cells: &[Option<f64>]) -> String {
        const LEVELS: [char; 8] = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'];
        let most = largest(cells).unwrap_or(0.0);
        let letter = |cell: &Option<f64>| match cell {
            None => ' ',
            Some(_) if most == 0.0 => LEVELS[0],
            Some(value) => LEVELS[((value / most * 7.0 + 0.5) as usize).min(7)],
        };
        cells.iter().map(letter).flat_map(|letter| std::iter::repeat_n(letter, self.columns)).collect()
    }

    /// When a fault struck and healed: `├──┤` from the first to the last column that it lies in, `▲` where that is one and the same.
    /// One that never heals has no end.
    pub fn strikes(&self, strikes: &[Strike]) -> String {
        let mut line = vec![' '; self.width()];
        for (at, healed) in strikes {
            let first = self.column(*at);
            let last = healed.map(|healed| {
                let within = Time::from_nanos(healed.as_nanos().saturating_sub(1));
                self.column(within.max(*at))
            });
            let until = last.unwrap_or(self.width() - 1);
            line[first..=until].fill('─');
            match last {
                _ if first == until => line[first] = '▲',
                None => line[first] = '├',
                Some(last) => (line[first], line[last]) = ('├', '┤'),
            }
        }
        line.into_iter().collect::<String>().trim_end().to_owned()
    }
}

/// The largest of some values.
pub(super) fn largest(cells: &[Option<f64>]) -> Option<f64> {
    cells.iter().flatten().copied().reduce(f64::max)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::time::{ms, secs};

    /// A second of each goodput, and one latency in it.
    fn flow(goodputs: &[u64]) -> FlowTotal {
        let step = |&goodput: &u64| {
            let mut latency = Histogram::default();
            if goodput > 0 {
                latency.record(ms(goodput));
            }
            Step { goodput, latency, ..Step::default() }
        };
        let mut flow = FlowTotal::default();
        (flow.step, flow.steps) = (secs(1), goodputs.iter().map(step).collect());
        flow
    }

    /// Played as long as there are steps.
    const ALL: Ends = Ends { measured: Time::MAX, played: Time::MAX };

    /// 7 is the most, so each is a level of its own.
    #[test]
    fn sparklines_rise_from_zero_to_the_largest() {
        let flow = flow(&[0, 1, 2, 3, 4, 5, 6, 7]);
        let time = Timeline::of([&flow], ALL, 8).unwrap();
        assert_eq!(time.sparkline(&time.goodput(&flow, 1)), "▁▂▃▄▅▆▇█");
        assert_eq!(time.sparkline(&time.tail(&flow)), " ▂▃▄▅▆▇█", "nothing was confirmed in the first second");
        assert_eq!(time.goodput(&flow, 2)[7], Some(3.5), "per run");
        assert_eq!(time.sparkline(&[Some(0.0), None]), "▁ ");
    }

    #[test]
    fn steps_share_cells_where_there_is_little_room_and_columns_where_there_is_much() {
        let flow = flow(&[4, 0, 4, 4, 2]);
        let few = Timeline::of([&flow], ALL, 4).unwrap();
        assert_eq!((few.width(), few.cell(), few.end()), (3, secs(2), secs(5)));
        assert_eq!(few.goodput(&flow, 1), [Some(2.0), Some(4.0), Some(2.0)], "the last is one second");
        let many = Timeline::of([&flow], ALL, 19).unwrap();
        assert_eq!((many.width(), many.end()), (15, secs(5)));
        assert_eq!(many.sparkline(&many.goodput(&flow, 1)), "███▁▁▁██████▅▅▅");
        assert_eq!(Timeline::of([&FlowTotal::default()], ALL, 9), None);
    }

    #[test]
    fn a_step_that_a_run_ends_in_is_shown_only_if_it_is_measured() {
        let flow = flow(&[4, 4, 4, 0]);
        let cells = |measured: Span, played: Span| {
            let ends = Ends { measured: Time::ZERO + measured, played: Time::ZERO + played };
            Timeline::of([&flow], ends, 9).map(|time| time.goodput(&flow, 1).len())
        };
        assert_eq!(cells(secs(3), ms(3_001)), Some(3));
        assert_eq!(cells(secs(3), secs(4)), Some(4));
        assert_eq!(cells(ms(3_001), ms(3_001)), Some(4));
        assert_eq!(cells(secs(0), secs(0)), Some(1));
    }

    /// Columns of one second.
    #[test]
    fn faults_stand_where_they_strike() {
        let at = |nanos| Time::ZERO + nanos;
        let flow = flow(&[1; 10]);
        let time = Timeline::of([&flow], ALL, 10).unwrap();
        let strikes = |list: &[Strike]| time.strikes(list);
        assert_eq!(strikes(&[(at(secs(2)), Some(at(secs(5))))]), "  ├─┤");
        assert_eq!(strikes(&[(at(ms(2_999)), Some(at(ms(3_001))))]), "  ├┤");
        assert_eq!(strikes(&[(at(secs(2)), Some(at(secs(2)))), (at(ms(4_500)), Some(at(ms(4_600))))]), "  ▲ ▲");
        assert_eq!(strikes(&[(at(secs(7)), None)]), "       ├──");
        assert_eq!(strikes(&[(at(secs(99)), None)]), "         ▲");
    }
}
