//! A sweep, played: what is known of each point of a design, and which factor matters.

use std::collections::BTreeMap;

use crate::scenario::design::{Design, Factor};
use crate::scenario::plan::Column;

use super::study::Outcome;
use super::verdict::Unit;

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
    /// hardly any two points share a level. Shares of factors that act together do not add up to 1.
    pub share: f64,
    /// The least and the greatest mean of a level, with its label; none where hardly any two points share a level.
    pub levels: Option<[(String, f64); 2]>,
}

impl Sweep {
    /// The quantities, which all points share.
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
        if levels.len() * 2 > values.len() && levels.len() > 2 {
            return Effect { factor, share: self.along(factor, values, total), levels: None };
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

    /// The share of the variance that a straight line through the ranks of a factor's values takes away.
    fn along(&self, factor: usize, values: &[f64], total: f64) -> f64 {
        let numbers = self.points.iter().map(|point| point.numbers[factor]).collect::<Option<Vec<f64>>>();
        let Some(numbers) = numbers else { return 0.0 };
        let mut order: Vec<usize> = (0..numbers.len()).collect();
        order.sort_by(|&one, &other| numbers[one].total_cmp(&numbers[other]));
        let mut ranks = vec![0.0; numbers.len()];
        order.iter().enumerate().for_each(|(rank, &point)| ranks[point] = rank as f64);
        let count = values.len() as f64;
        let (mean, middle) = (values.iter().sum::<f64>() / count, (count - 1.0) / 2.0);
        let together: f64 = ranks.iter().zip(values).map(|(rank, value)| (rank - middle) * (value - mean)).sum();
        let spread: f64 = ranks.iter().map(|rank| (rank - middle) * (rank - middle)).sum();
        if spread > 0.0 { (together * together / spread / total).min(1.0) } else { 0.0 }
    }
}

fn squares(values: &[f64]) -> f64 {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    values.iter().map(|value| (value - mean) * (value - mean)).sum()
}
