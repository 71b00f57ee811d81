//! Many seeds of one scenario, and how their numbers are compared with theory.

use rehearsal::base::time::{Span, ns};
use rehearsal::metrics::{Histogram, RunResult, StationBook, Tally};
use rehearsal::process::Outcome;

use crate::common::{plan, play};

/// Seeds of a statistical case.
pub const SEEDS: u32 = 16;

/// Half of a histogram's slot, relative to its value: where a slot lies across a limit, its values count as a whole.
const HALF_SLOT: f64 = 0.002;

/// The runs of one scenario, one for each seed.
pub struct Study {
    pub runs: Vec<RunResult>,
}

impl Study {
    /// Plays `scenario` with [`SEEDS`] seeds, with load for `seconds`, the first `warmup` of which do not count.
    pub fn of(seconds: u32, warmup: u32, scenario: &str) -> Self {
        Self::seeds(SEEDS, seconds, warmup, scenario)
    }

    /// Plays `scenario` once, where everything is exact.
    pub fn exact(seconds: u32, scenario: &str) -> RunResult {
        Self::seeds(1, seconds, 0, scenario).runs.remove(0)
    }

    /// Plays `scenario` with so many seeds.
    pub fn seeds(seeds: u32, seconds: u32, warmup: u32, scenario: &str) -> Self {
        let run = format!("run = {{ duration = \"{seconds}s\", warmup = \"{warmup}s\", runs = {seeds} }}\n");
        Self { runs: play(&plan(&(run + scenario))).runs }
    }

    /// Requests that count, over all runs.
    fn samples(&self) -> f64 {
        self.runs.iter().map(|run| offered(run) as f64).sum()
    }

    /// The mean of `value` over the runs is `expected`, as far as `c` allows.
    pub fn mean(&self, name: &str, expected: f64, c: f64, value: impl Fn(&RunResult) -> f64) {
        self.within(name, expected, 4.0 * c / libm::sqrt(self.samples()), value);
    }

    /// The share of requests for which something holds is `expected`. Their independence gives c.
    pub fn share(&self, name: &str, expected: f64, value: impl Fn(&RunResult) -> f64) {
        self.mean(name, expected, libm::sqrt((1.0 - expected) / expected), value);
    }

    /// The share of times above `quantile` (in milliseconds) is 1 - p: unbiased, which quantiles of short runs are not. `c`
    /// is that of the quantile; `hazard` is how fast the share falls there, relative to itself and per millisecond, so that a
    /// quantile that is 1 % too long is a share that is hazard x quantile x 1 % too large.
    pub fn tail(
        &self,
        name: &str,
        p: f64,
        (quantile, hazard): (f64, f64),
        c: f64,
        times: impl Fn(&RunResult) -> &Histogram,
    ) {
        let limit = Span::from_nanos_f64(quantile * 1e6);
        let share = |run: &RunResult| 1.0 - times(run).below(limit) as f64 / times(run).count() as f64;
        let tolerance = (4.0 * c / libm::sqrt(self.samples()) + HALF_SLOT) * hazard * quantile;
        self.within(name, 1.0 - p, tolerance, share);
    }

    fn within(&self, name: &str, expected: f64, tolerance: f64, value: impl Fn(&RunResult) -> f64) {
        let values: Vec<f64> = self.runs.iter().map(value).collect();
        let count = values.len() as f64;
        let mean = values.iter().sum::<f64>() / count;
        let squares: f64 = values.iter().map(|value| (value - mean) * (value - mean)).sum();
        let error = libm::sqrt(squares / (count - 1.0) / count);
        let tolerance = tolerance * expected;
        println!("{name}: {mean:.6} for {expected:.6} ± {tolerance:.6}, standard error {error:.6}");
        assert!((mean - expected).abs() <= tolerance, "{name}: {mean} for {expected} ± {tolerance}");
        assert!(error <= tolerance / 2.0, "{name}: a standard error of {error} for ± {tolerance}");
    }

    /// Little's law, L = lambda W, at every station: the number present, integrated over time, is the sum of the times spent
    /// there. What is present when the measured time begins and ends is all that is between them.
    pub fn littles_law(&self) {
        for index in 0..self.runs[0].stations.len() {
            let books = || self.runs.iter().map(|run| &run.stations[index].book);
            let present: f64 = books().map(|book| book.waiting_seconds + book.busy_seconds).sum();
            let spent: f64 = books().map(|book| total(&book.residence) / 1e9).sum();
            let name = &self.runs[0].stations[index].name;
            println!("{name}: {present} request seconds present, {spent} spent");
            assert!((present / spent - 1.0).abs() < 1e-3, "{name}: {present} request seconds present, {spent} spent");
        }
    }
}

fn total(times: &Histogram) -> f64 {
    times.mean().unwrap_or(0.0) * times.count() as f64
}

/// Requests that the first client brought.
fn offered(run: &RunResult) -> u64 {
    run.flows.iter().filter(|flow| flow.is_client).map(|flow| flow.book.total.offered).sum()
}

/// The book of a station.
pub fn station<'a>(run: &'a RunResult, name: &str) -> &'a StationBook {
    let station = run.stations.iter().find(|station| station.name == name);
    &station.unwrap_or_else(|| panic!("a station `{name}`")).book
}

/// What became of the messages of a flow.
pub fn flow<'a>(run: &'a RunResult, name: &str) -> &'a Tally {
    let flow = run.flows.iter().find(|flow| flow.name() == name);
    &flow.unwrap_or_else(|| panic!("a flow `{name}`")).book.total
}

/// The mean in milliseconds.
pub fn mean_ms(times: &Histogram) -> f64 {
    times.mean().expect("there are some") / 1e6
}

/// The share of requests that waited at all.
pub fn waited(book: &StationBook) -> f64 {
    1.0 - book.wait.below(ns(1)) as f64 / book.wait.count() as f64
}

/// The share of requests that were not served, for this reason.
pub fn refused(book: &StationBook, why: Outcome) -> f64 {
    ratio(book.refused_for(why), book.arrived)
}

/// Two counts as a share.
pub fn ratio(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}
