//! A comparison: the same luck for a base and for others, run by run, and what differs.
//!
//! Two plans of one seed share arrivals, demand, wire luck and faults, so the difference of two runs of the same index scatters less than
//! that of independent ones: its interval is Student's t over those differences (Law, Simulation Modeling and Analysis, sec. 10.2.1
//! and 11.2, common random numbers).

use std::ops::ControlFlow;
use std::sync::Arc;

use crate::metrics::Histogram;
use crate::scenario::Better;
use crate::scenario::plan::{Column, Plan};

use super::baseline::Baseline;
use super::chain::Chain;
use super::partial::Partial;
use super::record::Record;
use super::run::Watch;
use super::sample::{CONFIDENCE, Moments, Sample};
use super::shelf::Shelf;
use super::study::StudyError;
use super::verdict::{Measured, Unit, Verdict};
use super::workshop::{Setting, Task, Workshop};

/// A comparison, played.
#[derive(Clone, PartialEq, Debug)]
pub struct Comparison {
    /// What it is about.
    pub title: String,
    /// The seed that all share.
    pub seed: u64,
    /// How many runs of each that was played.
    pub runs: u32,
    /// Whether runs of the same index are pairs: not where the base is earlier results with another seed, or other runs of it.
    pub is_paired: bool,
    /// The base first, then the others, in order.
    pub sides: Vec<Side>,
}

/// One of those that are compared.
#[derive(Clone, PartialEq, Debug)]
pub struct Side {
    /// What it is called.
    pub name: String,
    /// How many runs of it.
    pub runs: u32,
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
    /// Half the 95 % interval of the difference, from the differences of runs of the same index; of runs that have nothing in common, where
    /// the seed is another one.
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
    /// There is no interval: of a single run, or where a run has no value.
    Unknown,
    /// It is less, surely.
    Lower,
    /// It is more, surely.
    Higher,
}

/// What a side is compared with in a quantity.
struct Against {
    value: Option<f64>,
    half: Option<f64>,
    runs: u32,
    /// Whether runs of the same index have the same luck.
    is_paired: bool,
}

/// Something that is worse than it may be, or may be so.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Breach {
    /// Of which side.
    pub side: String,
    /// Which quantity.
    pub quantity: String,
    /// Whether it is surely worse by more than is allowed.
    pub verdict: Verdict,
    /// What is wrong with it, in words.
    pub why: &'static str,
}

impl Comparison {
    /// What is worse than the base by more than a share of the base's value, or may be, as it is not known better. Quantities of which
    /// neither more nor less is better are left out.
    pub fn breaches(&self, margin: f64) -> Vec<Breach> {
        let Some((base, others)) = self.sides.split_first() else { return Vec::new() };
        let mut breaches = Vec::new();
        for side in others {
            for (column, of_base, _) in &base.quantities {
                let (Some(better), Some(of_base)) = (column.measure.metric.better(), of_base.value) else { continue };
                let own = side.quantities.iter().find(|(own, ..)| own.quantity == column.quantity);
                let found = match own.map(|(_, measured, contrast)| (measured.value, contrast)) {
                    None => Some((Verdict::Inconclusive, "is not measured there")),
                    Some((None, _)) => Some((Verdict::Inconclusive, "has no value any more")),
                    Some((_, None)) => None,
                    Some((_, Some(contrast))) => contrast.breach(of_base, better, margin, self.runs),
                };
                breaches.extend(found.map(|(verdict, why)| Breach {
                    side: side.name.clone(),
                    quantity: column.quantity.clone(),
                    verdict,
                    why,
                }));
            }
        }
        breaches
    }
}

impl Contrast {
    fn breach(&self, of_base: f64, better: Better, margin: f64, runs: u32) -> Option<(Verdict, &'static str)> {
        let worse = if better == Better::Lower { self.value } else { -self.value };
        // Whatever is finite is better than a base that has no end.
        if self.finding == Finding::Same || !of_base.is_finite() {
            return None;
        }
        let allowed = margin * of_base.abs();
        let surely = Some((Verdict::Fail, "is worse than the margin allows"));
        match self.half {
            _ if !worse.is_finite() => surely.filter(|_| worse > 0.0),
            Some(half) if worse - half > allowed => surely,
            Some(half) if worse + half <= allowed => None,
            // Of a single run there is nothing but its value.
            None if runs == 1 => surely.filter(|_| worse > allowed),
            _ => Some((Verdict::Inconclusive, "may be worse than the margin allows: more runs would tell")),
        }
    }
}

/// What is known of one side while runs come in.
struct Known {
    setting: Arc<Setting>,
    samples: Vec<Sample>,
    /// By column: differences to the base.
    differences: Vec<Moments>,
    is_same: Vec<bool>,
    digest: Chain,
    /// Whether times are compared in whole nanoseconds, as earlier results have them.
    is_rounded: bool,
}

/// Plays these plans run by run, and says how they differ from the first, or from earlier results. A quantity that the first does not
/// show, or they do not know, is left out. To the shelf each plan is a point, by its place.
///
/// # Errors
/// When a run gives no result, or answers cannot be read or kept.
pub fn compare(
    title: &str,
    plans: Vec<(String, Plan)>,
    baseline: Option<&Baseline>,
    shelf: &mut dyn Shelf,
    watch: &mut Watch<'_>,
) -> Result<Comparison, StudyError> {
    let workshop = Workshop::new(shelf, watch);
    let runs = runs_of_each(plans.iter().map(|(_, plan)| plan));
    let seed = plans.first().map_or(0, |(_, plan)| plan.seed);
    let (names, plans): (Vec<_>, Vec<_>) = plans.into_iter().unzip();
    let settings = (0..).zip(plans).map(|(place, plan)| workshop.setting(place, plan).map(Arc::new));
    let settings = settings.collect::<Result<Vec<_>, _>>()?;
    let mut columns: Vec<Column> = settings.first().map(|setting| setting.plan.columns.clone()).unwrap_or_default();
    columns.retain(|column| baseline.is_none_or(|baseline| baseline.of(&column.quantity).is_some()));
    let shares_luck = |baseline: &Baseline| baseline.seed == seed;
    let known = settings.iter().map(|setting| Known {
        setting: Arc::clone(setting),
        samples: vec![Sample::default(); columns.len()],
        differences: vec![Moments::default(); columns.len()],
        is_same: vec![true; columns.len()],
        digest: Chain::default(),
        is_rounded: baseline.is_some(),
    });
    let mut known = known.collect::<Vec<_>>();
    let earlier = |run| -> Option<Vec<Option<f64>>> {
        let baseline = baseline.filter(|baseline| shares_luck(baseline))?;
        Some(columns.iter().map(|column| baseline.of(&column.quantity)?.in_run(run)).collect())
    };
    let mut base = None;
    let tasks = (0..runs).flat_map(|run| {
        settings.iter().zip(0..).map(move |(setting, place)| Task { place, setting: Arc::clone(setting), run })
    });
    workshop.play_all(tasks, |task, record| {
        let known = &mut known[task.place as usize];
        if task.place == 0 {
            base = earlier(task.run);
        }
        let values = known.take(&columns, record?, base.as_ref());
        if task.place == 0 && baseline.is_none() {
            base = Some(values);
        }
        Ok(ControlFlow::Continue(true))
    })?;
    let against = |at: usize| match baseline {
        Some(baseline) => baseline.of(&columns[at].quantity).map(|known| Against {
            value: known.value,
            half: known.half_width(),
            runs: baseline.runs,
            is_paired: shares_luck(baseline),
        }),
        None => Some(known[0].as_base(at)),
    };
    let is_base = |place: usize| place == 0 && baseline.is_none();
    let played = names.into_iter().zip(&known).enumerate().map(|(place, (name, side))| Side {
        name,
        runs,
        digest: side.digest.digest(),
        quantities: side.quantities(&columns, |at| against(at).filter(|_| !is_base(place))),
        times: side.times(&columns),
    });
    let earlier = baseline.map(|baseline| baseline.side(&columns));
    let is_paired = baseline.is_none_or(|baseline| shares_luck(baseline) && baseline.runs == runs);
    Ok(Comparison { title: title.into(), seed, runs, is_paired, sides: earlier.into_iter().chain(played).collect() })
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
        self.digest.add(record.digest);
        let mut values = Vec::new();
        for (at, column) in columns.iter().enumerate() {
            let place = self.place(column);
            let value = place.and_then(|place| {
                let answer = &record.answers[self.setting.questions.columns[place]];
                let value = self.samples[at].add(answer, self.setting.plan.columns[place].measure.statistic)?;
                Some(self.as_compared(value, &self.setting.plan.columns[place]))
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

    /// A value as it is compared.
    fn as_compared(&self, value: f64, column: &Column) -> f64 {
        let is_rounded = self.is_rounded && Unit::of(&column.measure) == Unit::Time && value.is_finite();
        if is_rounded { libm::floor(value + 0.5) } else { value }
    }

    /// What it is to be compared with in a quantity.
    fn as_base(&self, at: usize) -> Against {
        let sample = &self.samples[at];
        let place = self.place(&self.setting.plan.columns[at]);
        let statistic = place.map(|place| self.setting.plan.columns[place].measure.statistic);
        let value = statistic.and_then(|statistic| sample.value(statistic));
        Against { value, half: sample.half_width(), runs: sample.runs(), is_paired: true }
    }

    fn quantities(
        &self,
        columns: &[Column],
        base: impl Fn(usize) -> Option<Against>,
    ) -> Vec<(Column, Measured, Option<Contrast>)> {
        let measured = |at: usize, column: &Column| {
            let place = self.place(column)?;
            let own = &self.setting.plan.columns[place];
            let sample = &self.samples[at];
            let measured = Measured::of_sample(&own.measure, sample, CONFIDENCE);
            let difference = base(at).and_then(|base| self.difference(&base, at, own));
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

    fn difference(&self, base: &Against, at: usize, column: &Column) -> Option<Contrast> {
        let own = &self.samples[at];
        let (value, of_base) = (self.as_compared(own.value(column.measure.statistic)?, column), base.value?);
        let differences = &self.differences[at];
        let is_paired = base.is_paired && differences.count() == own.runs() && differences.count() == base.runs;
        let value = if value == of_base { 0.0 } else { value - of_base };
        let independent = own.half_width().zip(base.half).map(|(own, other)| libm::hypot(own, other));
        let half = match is_paired {
            true => differences.half_width(),
            // Pairs of which one has no value say nothing; runs that are no pairs say what they can.
            false => independent.filter(|_| !base.is_paired || base.runs != own.runs()),
        };
        let finding = match half {
            _ if is_paired && self.is_same[at] => Finding::Same,
            Some(half) if value + half < 0.0 => Finding::Lower,
            Some(half) if value - half > 0.0 => Finding::Higher,
            Some(_) => Finding::Unseen,
            None if value == f64::INFINITY => Finding::Higher,
            None if value == f64::NEG_INFINITY => Finding::Lower,
            None => Finding::Unknown,
        };
        Some(Contrast { value, half, independent, finding })
    }
}

impl Baseline {
    /// As a side that others are compared with.
    fn side(&self, columns: &[Column]) -> Side {
        let quantities = columns.iter().filter_map(|column| {
            let known = self.of(&column.quantity)?;
            let measured = Measured::of(&column.measure, known.value, known.half_width(), self.runs);
            Some((column.clone(), measured, None))
        });
        Side {
            name: self.name.clone(),
            runs: self.runs,
            digest: self.digest,
            quantities: quantities.collect(),
            times: Vec::new(),
        }
    }
}
