//! A comparison: the same luck for a base and for others, run by run, and what differs.
//!
//! Two plans of one seed share arrivals, demand, wire luck and faults, so the difference of two runs of the same index scatters less than
//! that of independent ones: its interval is Student's t over those differences (Law, Simulation Modeling and Analysis, sec. 10.2.1
//! and 11.2, common random numbers).

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::metrics::Histogram;
use crate::scenario::plan::{Column, Plan};
use crate::scenario::quantity::Statistic;

use super::partial::Partial;
use super::record::Record;
use super::run::Watch;
use super::sample::{Moments, Sample};
use super::shelf::Shelf;
use super::study::StudyError;
use super::verdict::Measured;
use super::workshop::{Setting, Task, Workshop};

/// A comparison, played.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// What it is about.
    pub title: String,
    /// The seed that all share.
    pub seed: u64,
    /// How many runs of each.
    pub runs: u32,
    /// The base first, then the others, in order.
    pub sides: Vec<Side>,
}

/// One of those that are compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// The fingerprints of its runs, chained in their order.
    pub digest: u64,
    /// Each quantity, with how it differs from the base; that of the base itself does not.
    pub quantities: Vec<(Column, Measured, Option<Contrast>)>,
    /// The times that its quantities are statistics of, one after the other.
    pub times: Vec<Times>,
}

/// Times of all runs together.
#[derive(Clone, PartialEq, Debug)]
pub struct Times {
    /// Whose times of what, as in `shoppers.latency`.
    pub of: String,
    /// Those that are known.
    pub known: Histogram,
    /// How many there are, with those that are slower than any.
    pub population: u64,
}

/// How a quantity differs from that of the base.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Contrast {
    /// The quantity less that of the base.
    pub value: f64,
    /// Half the 95 % interval of the difference, from the differences of runs of the same index.
    pub half: Option<f64>,
    /// Half of it if the runs had nothing in common.
    pub independent: Option<f64>,
    /// What that says.
    pub finding: Finding,
}

/// What a difference says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Finding {
    /// All runs are the same.
    Same,
    /// The interval holds zero.
    Unseen,
    /// It is less, surely.
    Lower,
    /// It is more, surely.
    Higher,
}

/// What is known of one side while runs come in.
struct Known {
    setting: Arc<Setting>,
    samples: Vec<Sample>,
    /// By column: differences to the base.
    differences: Vec<Moments>,
    is_same: Vec<bool>,
    digest: u64,
}

/// Plays these plans run by run, the first of which is the base, and says what differs. A quantity that the base does not show is left
/// out. To the shelf each is a point, by its place.
///
/// # Errors
/// When a run gives no result, or answers cannot be read or kept.
pub fn compare(
    title: &str,
    plans: Vec<(String, Plan)>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
) -> Result<Comparison, StudyError> {
    let workshop = Workshop::new(shelf, watch);
    let runs = runs_of_each(plans.iter().map(|(_, plan)| plan));
    let seed = plans.first().map_or(0, |(_, plan)| plan.seed);
    let (names, plans): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let settings = (0..).zip(plans).map(|(place, plan)| workshop.setting(place, plan).map(Arc::new));
    let settings = settings.collect::<Result<Vec<_>, _>>()?;
    let columns: Vec<Column> = settings.first().map(|setting| setting.plan.columns.clone()).unwrap_or_default();
    let known = settings.iter().map(|setting| Known {
        setting: Arc::clone(setting),
        samples: vec![Sample::default(); columns.len()],
        differences: vec![Moments::default(); columns.len()],
        is_same: vec![true; columns.len()],
        digest: 0,
    });
    let mut known = known.collect::<Vec<_>>();
    let mut base = Vec::new();
    let tasks = (0..runs).flat_map(|run| {
        settings.iter().zip(0..).map(move |(setting, place)| Task { place, setting: Arc::clone(setting), run })
    });
    workshop.play_all(tasks, |task, record| {
        let known = &mut known[task.place as usize];
        let values = known.take(&columns, record?, (task.place > 0).then_some(&base));
        if task.place == 0 {
            base = values;
        }
        Ok(ControlFlow::Continue(true))
    })?;
    let sides = names.into_iter().zip(&known).enumerate().map(|(place, (name, side))| Side {
        name,
        digest: side.digest,
        quantities: side.quantities(&columns, (place > 0).then(|| &known[0])),
        times: side.times(&columns),
    });
    Ok(Comparison { title: title.into(), seed, runs, sides: sides.collect() })
}

/// How often each side of a comparison of these plans is played.
pub fn runs_of_each<'p>(plans: impl Iterator<Item = &'p Plan>) -> u32 {
    plans.map(|plan| plan.runs).min().unwrap_or(0)
}

impl Known {
    /// The place of a quantity among those that this side shows.
    fn place(&self, column: &Column) -> Option<usize> {
        self.setting.plan.columns.iter().position(|own| own.quantity == column.quantity)
    }

    /// Takes in the next run, beside the base's values in the run of the same index; its own values.
    fn take(&mut self, columns: &[Column], record: &Record, base: Option<&Vec<Option<f64>>>) -> Vec<Option<f64>> {
        self.digest = crate::base::random::mix(self.digest ^ record.digest);
        let mut values = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let place = self.place(column);
            let value = place.and_then(|place| {
                let answer = &record.answers[self.setting.questions.columns[place]];
                self.samples[at].add(answer, self.setting.plan.columns[place].measure.statistic)
            });
            let of_base = base.and_then(|base| base[at]);
            if let (Some(value), Some(of_base)) = (value, of_base) {
                self.is_same[at] &= value == of_base;
                self.differences[at].add(if value == of_base { 0.0 } else { value - of_base });
            }
            values.push(value);
        }
        values
    }

    fn quantities(&self, columns: &[Column], base: Option<&Self>) -> Vec<(Column, Measured, Option<Contrast>)> {
        let measured = |at: usize, column: &Column| {
            let place = self.place(column)?;
            let own = &self.setting.plan.columns[place];
            let (sample, statistic) = (&self.samples[at], own.measure.statistic);
            let measured = Measured::of(&own.measure, sample.value(statistic), sample.half_width(), sample.runs());
            let difference = base.and_then(|base| self.difference(base, at, statistic));
            Some((own.clone(), measured, difference))
        };
        columns.iter().enumerate().filter_map(|(at, column)| measured(at, column)).collect()
    }

    fn times(&self, columns: &[Column]) -> Vec<Times> {
        let mut all: Vec<Times> = Vec::new();
        for (column, sample) in columns.iter().zip(&self.samples) {
            let Partial::Times { times, population } = sample.pooled() else { continue };
            let of = column.quantity.replacen(&format!(".{}", column.measure.statistic), "", 1);
            if !all.iter().any(|known| known.of == of) {
                all.push(Times { of, known: times.clone(), population: *population });
            }
        }
        all
    }

    fn difference(&self, base: &Self, at: usize, statistic: Statistic) -> Option<Contrast> {
        let (own, other) = (&self.samples[at], &base.samples[at]);
        let (value, of_base) = (own.value(statistic)?, other.value(statistic)?);
        let differences = &self.differences[at];
        let is_paired = differences.count() == own.runs() && differences.count() == other.runs();
        let half = differences.half_width().filter(|_| is_paired);
        let value = if value == of_base { 0.0 } else { value - of_base };
        let independent = own.half_width().zip(other.half_width());
        let finding = match half {
            _ if is_paired && self.is_same[at] => Finding::Same,
            Some(half) if value + half < 0.0 => Finding::Lower,
            Some(half) if value - half > 0.0 => Finding::Higher,
            _ => Finding::Unseen,
        };
        let independent = independent.map(|(own, other)| libm::hypot(own, other));
        Some(Contrast { value, half, independent, finding })
    }
}
