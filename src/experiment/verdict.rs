//! What became of an expectation.

/// Whether it holds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Verdict {
    /// Yes.
    Pass,
    /// No.
    Fail,
    /// The interval allows both.
    Inconclusive,
}

impl Verdict {
    /// The more, the graver.
    pub(super) fn gravity(self) -> u8 {
        match self {
            Self::Pass => 0,
            Self::Inconclusive => 1,
            Self::Fail => 2,
        }
    }
}

/// An expectation, judged.
#[derive(Clone, PartialEq, Debug)]
pub struct Judgement {
    /// The quantity as written: `sender.latency.p99`.
    pub quantity: String,
    /// The conditions as written: `< 250ms`, joined by "and" if several.
    pub condition: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// What of it was compared: once for each way, as a list of conditions may need several.
    pub grounds: Vec<Ground>,
    /// What was measured.
    pub measured: Measured,
    /// The first run that broke it, where each run has to keep to it and one did not.
    pub broken_by: Option<u32>,
    /// A word more, where the verdict needs one: why there is no value, how many more runs would decide.
    pub note: Option<String>,
}

/// What a condition was compared with.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum Ground {
    /// The 95 % interval over several runs: all of it meets the condition, or none of it.
    Interval,
    /// The value of each run: all have to meet the condition.
    EachRun,
    /// The value itself: there is only one run, or no interval.
    Value,
}

impl Ground {
    /// The name in reports.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Interval => "interval",
            Self::EachRun => "each run",
            Self::Value => "value",
        }
    }
}

/// A measured value, and how it is written.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measured {
    /// The value in base units (nanoseconds, shares, events per second, counts); `None` where there is none (a percentile
    /// that lies among messages never confirmed counts as infinite).
    pub value: Option<f64>,
    /// The 95 % interval, where one can be given.
    pub interval: Option<(f64, f64)>,
    /// Where the interval comes from.
    pub basis: Basis,
    /// The unit.
    pub unit: Unit,
}

/// Where an interval comes from.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Basis {
    /// Student's t over this many runs; or, where all agree in a share of messages, Wilson's interval on all of them.
    Runs(u32),
    /// Batch means within a single run, this many batches.
    Batches(u32),
    /// None: the value itself.
    Value,
}

/// What a value is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Unit {
    /// Nanoseconds.
    Time,
    /// A share of one.
    Share,
    /// Per second.
    Rate,
    /// A plain number.
    Number,
}
