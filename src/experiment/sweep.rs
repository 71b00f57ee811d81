//! A sweep, played: what is known of each point of a design, and which factor matters.

use std::collections::{BTreeMap, BTreeSet};

use crate::scenario::design::{Design, Factor};
use crate::scenario::plan::Column;

use super::study::Outcome;
use super::verdict::{Basis, Measured, Unit};

/// A sweep, played.
#[derive(Clone, PartialEq, Debug)]
pub struct Sweep {
    /// The scenario's title.
    pub title: String,
    /// The variant that was varied.
    pub variant: Option<String>,
    /// The scenario's seed, which all points share: their runs are paired.
    pub seed: u64,
    /// What was varied.
    pub factors: Vec<Axis>,
    /// The points, in order.
    pub points: Vec<SweepPoint>,
}

/// Something that was varied.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    /// The path, dotted.
    pub path: String,
    /// What its numbers are counted in.
    pub unit: Unit,
    /// Whether its values are multiples of each other.
    pub is_log: bool,
}

impl Axis {
    /// What a design varies.
    pub fn of(design: &Design) -> Vec<Self> {
        let axis = |factor: &Factor| Self {
            path: factor.path.clone(),
            unit: match factor.base_unit() {
                Some("ns") => Unit::Time,
                Some("1/s") => Unit::Rate,
                Some("share") => Unit::Share,
                _ => Unit::Number,
            },
            is_log: factor.is_log(),
        };
        design.factors.iter().map(axis).collect()
    }
}

/// A point of a sweep.
#[derive(Clone, PartialEq, Debug)]
pub struct SweepPoint {
    /// What each factor is, as it would be written.
    pub labels: Vec<String>,
    /// The same as numbers in base units, where they are numbers.
    pub numbers: Vec<Option<f64>>,
    /// What is known.
    pub outcome: Outcome,
}

/// How much of what differs between the points goes back to a factor.
#[derive(Clone, PartialEq, Debug)]
pub struct Effect {
    /// The place of the factor.
    pub factor: usize,
    /// The share of the variance between points, from 0 to 1: of the means of its levels, or of a straight line through ranks where
    /// hardly any two points share a number and there are other factors. Shares of factors that act together do not add up to 1.
    pub share: f64,
    /// The least and the greatest mean of a level, with its label; none where the share is that of a line.
    pub levels: Option<[(String, f64); 2]>,
}

impl Sweep {
    /// Gives every point the quantities of all, each without a value where a point does not have it: what is measured may be varied, and
    /// the names in it.
    pub fn align(&mut self) {
        let mut known = BTreeSet::new();
        let mut all: Vec<(Column, Unit)> = Vec::new();
        for (column, measured) in self.points.iter().flat_map(|point| &point.outcome.columns) {
            if known.insert(column.quantity.clone()) {
                all.push((column.clone(), measured.unit));
            }
        }
        for point in &mut self.points {
            let own = std::mem::take(&mut point.outcome.columns);
            let mut own: BTreeMap<_, _> = own.into_iter().map(|own| (own.0.quantity.clone(), own)).collect();
            let columns = all.iter().map(|(column, unit)| {
                let nothing = Measured { value: None, interval: None, basis: Basis::Value, unit: *unit };
                own.remove(&column.quantity).unwrap_or_else(|| (column.clone(), nothing))
            });
            point.outcome.columns = columns.collect();
        }
    }

    /// The quantities, which all points share once they are aligned.
    pub fn columns(&self) -> impl Iterator<Item = &Column> {
        self.points.iter().take(1).flat_map(|point| point.outcome.columns.iter().map(|(column, _)| column))
    }

    /// Which factors matter for the quantity at this place, the one that matters most first. Empty where a value is missing or
    /// infinite somewhere, or all are the same.
    pub fn effects(&self, column: usize) -> Vec<Effect> {
        let values =
            self.points.iter().map(|point| point.outcome.columns.get(column).and_then(|(_, measured)| measured.value));
        let Some(values) = values.collect::<Option<Vec<f64>>>() else { return Vec::new() };
        if values.iter().any(|value| !value.is_finite()) {
            return Vec::new();
        }
        let total = squares(&values);
        if total <= 0.0 {
            return Vec::new();
        }
        let mut effects: Vec<_> = (0..self.factors.len()).map(|factor| self.effect(factor, &values, total)).collect();
        effects.sort_by(|one, other| other.share.total_cmp(&one.share));
        effects
    }

    fn effect(&self, factor: usize, values: &[f64], total: f64) -> Effect {
        let mut levels: Vec<(&str, Vec<f64>)> = Vec::new();
        let mut places = BTreeMap::new();
        for (point, &value) in self.points.iter().zip(values) {
            let label = point.labels[factor].as_str();
            let place = *places.entry(label).or_insert_with(|| {
                levels.push((label, Vec::new()));
                levels.len() - 1
            });
            levels[place].1.push(value);
        }
        let numbers = self.points.iter().map(|point| point.numbers[factor]).collect::<Option<Vec<f64>>>();
        let is_scattered = self.factors.len() > 1 && levels.len() * 2 > values.len() && levels.len() > 2;
        if let Some(numbers) = numbers.filter(|_| is_scattered) {
            return Effect { factor, share: along(&numbers, values, total), levels: None };
        }
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let means: Vec<_> = levels
            .iter()
            .map(|(label, values)| (*label, values.iter().sum::<f64>() / values.len() as f64, values.len() as f64))
            .collect();
        let between: f64 = means.iter().map(|(_, level, count)| count * (level - mean) * (level - mean)).sum();
        let least = means.iter().min_by(|one, other| one.1.total_cmp(&other.1));
        let most = means.iter().max_by(|one, other| one.1.total_cmp(&other.1));
        let ends =
            least.zip(most).map(|(least, most)| [least, most].map(|(label, mean, _)| ((*label).to_owned(), *mean)));
        Effect { factor, share: (between / total).min(1.0), levels: ends }
    }
}

/// The share of the variance that a straight line through the ranks of a factor's values takes away.
fn along(numbers: &[f64], values: &[f64], total: f64) -> f64 {
    let ranks = ranks(numbers);
    let count = values.len() as f64;
    let (mean, middle) = (values.iter().sum::<f64>() / count, (count - 1.0) / 2.0);
    let together: f64 = ranks.iter().zip(values).map(|(rank, value)| (rank - middle) * (value - mean)).sum();
    let spread: f64 = ranks.iter().map(|rank| (rank - middle) * (rank - middle)).sum();
    if spread > 0.0 { (together * together / spread / total).min(1.0) } else { 0.0 }
}

/// The rank of each number, from 0; equal numbers have the mean of theirs.
fn ranks(numbers: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..numbers.len()).collect();
    order.sort_by(|&one, &other| numbers[one].total_cmp(&numbers[other]));
    let mut ranks = vec![0.0; numbers.len()];
    let mut before = 0;
    for equal in order.chunk_by(|&one, &other| numbers[one].total_cmp(&numbers[other]).is_eq()) {
        let rank = before as f64 + (equal.len() - 1) as f64 / 2.0;
        equal.iter().for_each(|&point| ranks[point] = rank);
        before += equal.len();
    }
    ranks
}

fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sweep(factors: &[&[(&str, Option<f64>)]], values: &[f64]) -> Sweep {
        let axis = |path: usize| Axis { path: path.to_string(), unit: Unit::Number, is_log: false };
        let point = |place: usize| SweepPoint {
            labels: factors.iter().map(|levels| levels[place].0.to_owned()).collect(),
            numbers: factors.iter().map(|levels| levels[place].1).collect(),
            outcome: Outcome {
                point: place as u32,
                runs: 1,
                columns: Vec::new(),
                judgements: Vec::new(),
                digest: 0,
                cut: None,
            },
        };
        Sweep {
            title: String::new(),
            variant: None,
            seed: 1,
            factors: (0..factors.len()).map(axis).collect(),
            points: (0..values.len()).map(point).collect(),
        }
    }

    fn share(sweep: &Sweep, factor: usize, values: &[f64]) -> f64 {
        sweep.effect(factor, values, squares(values)).share
    }

    #[test]
    fn one_factor_alone_is_all_of_the_variance() {
        let values = [1.0, 5.0, 2.0, 1.0];
        let names: Vec<_> = ["a", "b", "c", "d"].map(|name| (name, None)).into();
        let numbers: Vec<_> =
            [("1", 1.0), ("2", 2.0), ("3", 3.0), ("4", 4.0)].map(|(name, at)| (name, Some(at))).into();
        for levels in [&names, &numbers] {
            assert!((share(&sweep(&[levels], &values), 0, &values) - 1.0).abs() < 1e-12);
        }
        // Names lie on no line, whatever else is varied.
        assert!((share(&sweep(&[&numbers, &names], &values), 1, &values) - 1.0).abs() < 1e-12);
        assert!(share(&sweep(&[&numbers, &names], &values), 0, &values) < 0.1);
    }

    #[test]
    fn equal_numbers_have_the_mean_of_their_ranks() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0, 3.0]), [3.0, 0.0, 3.0, 1.0, 3.0]);
        assert_eq!(ranks(&[2.0, 2.0]), [0.5, 0.5]);
    }
}
