//! How much of the beginning to leave out: MSER-5.
//!
//! A run that starts empty is quicker at first than later, and its means are too low. MSER cuts off as much of a series as makes the
//! mean of the rest most certain: of all cuts `d` that leave at least half of `n` values, the one with the least
//! `sum (Y_i - mean)^2 / (n - d)^2` over what is left; MSER-5 does so with means of five values each. A cut that lies at the end of
//! what is allowed says that the series does not settle in it.
//!
//! Source: White, Simulation 69 (6), 1997; White, Cobb and Spratt, Winter Simulation Conference 2000.
//!
//! The series are the mean latencies of what was due in each of [`CELLS`] parts of the load, over the first runs together. They are
//! played once more for it: a cut changes no event.

use std::ops::ControlFlow;

use serde::{Deserialize, Serialize};

use crate::base::time::Span;
use crate::metrics::{Cell, Series};
use crate::scenario::plan::Plan;

use super::replicate::each_run;
use super::run::{RunError, Watch, explore};

/// The parts of the load, a multiple of five. A hundred means of five are a number that MSER-5 is recommended for.
const CELLS: u64 = 500;
/// Values in a mean.
const BATCH: usize = 5;
/// The runs that are looked at, at the most: several even out what one shows by chance.
const PILOTS: u32 = 5;

/// How much of the beginning is left out, and why.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(into = "Stored", from = "Stored")]
pub struct Cut {
    /// The most that any flow needs.
    pub length: Span,
    /// What each flow of a client needs; none where it does not settle in the first half of the load, or hardly anything is known of
    /// it.
    pub flows: Vec<(String, Option<Span>)>,
}

/// A cut as it is kept: lengths in nanoseconds.
#[derive(Serialize, Deserialize)]
struct Stored {
    length: u64,
    flows: Vec<(String, Option<u64>)>,
}

impl From<Cut> for Stored {
    fn from(cut: Cut) -> Self {
        let flows = cut.flows.into_iter().map(|(name, cut)| (name, cut.map(Span::as_nanos)));
        Self { length: cut.length.as_nanos(), flows: flows.collect() }
    }
}

impl From<Stored> for Cut {
    fn from(stored: Stored) -> Self {
        let flows = stored.flows.into_iter().map(|(name, cut)| (name, cut.map(Span::from_nanos)));
        Self { length: Span::from_nanos(stored.length), flows: flows.collect() }
    }
}

impl Cut {
    /// How many runs are looked at to find the cut of a plan: with another number it may be another one. None where it is given.
    pub fn pilots(plan: &Plan) -> u32 {
        if plan.finds_warmup { plan.runs.min(PILOTS) } else { 0 }
    }

    /// Finds out how much of a plan's runs to leave out.
    ///
    /// # Errors
    /// When a run gives no result.
    pub fn find(plan: &Plan, watch: &mut Watch<'_>) -> Result<Self, RunError> {
        let flows = plan.flows.len();
        let mut sums: Vec<Vec<Cell>> = vec![vec![Cell::default(); CELLS as usize]; flows];
        let look = |run, watch: &mut Watch<'_>| explore(plan, run, Series::new(flows, CELLS, plan.duration), watch);
        each_run(0..plan.runs.min(PILOTS), watch, look, |mut series| {
            for (sums, cells) in sums.iter_mut().zip(series.close()) {
                sums.iter_mut().zip(cells).for_each(|(sum, cell)| sum.add(cell));
            }
            ControlFlow::Continue(())
        })?;
        let length = Series::new(0, CELLS, plan.duration).length();
        let clients = plan
            .flows
            .iter()
            .zip(&sums)
            .filter(|(flow, cells)| flow.is_client && cells.iter().any(|cell| cell.count > 0));
        let flows: Vec<_> = clients.map(|(flow, cells)| (flow.offerer(), cut(cells, length))).collect();
        let longest = flows.iter().filter_map(|&(_, cut)| cut).max().unwrap_or(Span::ZERO);
        // Where one does not settle, half is left out: as much as may be.
        let half = Span::from_nanos(plan.duration.as_nanos() / 2);
        let is_short = flows.iter().any(|(_, cut)| cut.is_none());
        Ok(Self { length: if is_short { half } else { longest }, flows })
    }

    /// The flows that do not settle in the first half of the load.
    pub fn unsettled(&self) -> impl Iterator<Item = &str> {
        self.flows.iter().filter(|(_, cut)| cut.is_none()).map(|(name, _)| name.as_str())
    }

    /// The plan, with so much left out.
    pub(super) fn apply(&self, plan: &Plan) -> Plan {
        plan.leaving_out(self.length)
    }
}

/// The end of what is to be left out of a flow, if it settles.
fn cut(cells: &[Cell], length: Span) -> Option<Span> {
    let known = cells.iter().enumerate().filter(|(_, cell)| cell.count > 0);
    let means: Vec<_> = known.map(|(place, cell)| (place, cell.sum as f64 / cell.count as f64)).collect();
    let values: Vec<f64> = means.iter().map(|&(_, mean)| mean).collect();
    let first = mser(&values, BATCH)?;
    // From the cell of the first value that stays; from the start, if nothing goes.
    Some(if first == 0 { Span::ZERO } else { length.times(means[first].0 as u64) })
}

/// How many values to cut off by MSER with means of `batch` values; none if the cut is at the end of what is allowed.
fn mser(values: &[f64], batch: usize) -> Option<usize> {
    let means: Vec<f64> = values.chunks_exact(batch).map(|values| values.iter().sum::<f64>() / batch as f64).collect();
    let most = means.len() / 2;
    // From the end, so that each mean and sum of squares follows from the one before (Welford).
    let (mut mean, mut squares, mut best) = (0.0, 0.0, None);
    for (count, value) in (1_u32..).zip(means.iter().rev()) {
        let distance = value - mean;
        mean += distance / f64::from(count);
        squares += distance * (value - mean);
        let cut = means.len() - count as usize;
        let error = squares / (f64::from(count) * f64::from(count));
        // Of equal ones the shortest.
        if cut <= most && best.is_none_or(|(least, _)| error <= least) {
            best = Some((error, cut));
        }
    }
    best.map(|(_, cut)| cut).filter(|&cut| cut < most.max(1)).map(|cut| cut * batch)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Twenty values of 0, then eighty that alternate between 9 and 11: the cut is where they begin. With none that differ, there is none.
    #[test]
    fn a_start_that_differs_is_cut_off() {
        let settled = |place: usize| if place.is_multiple_of(2) { 9.0 } else { 11.0 };
        let late: Vec<f64> = (0..100).map(|place| if place < 20 { 0.0 } else { settled(place) }).collect();
        assert_eq!(mser(&late, 5), Some(20));
        let even: Vec<f64> = (0..100).map(settled).collect();
        assert_eq!(mser(&even, 2), Some(0));
        assert_eq!(mser(&[1.0; 50], 5), Some(0));
    }

    /// What grows for ever settles nowhere: every further cut makes the rest more certain.
    #[test]
    fn what_does_not_settle_is_not_cut() {
        let growing: Vec<f64> = (0..100).map(f64::from).collect();
        assert_eq!(mser(&growing, 5), None);
        assert_eq!(mser(&[], 5), None);
    }
}
