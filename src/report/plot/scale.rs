//! Where the values of something that was varied lie: on a scale, where they are many numbers, or one after the other.

use crate::experiment::{self, Unit};
use crate::report::human;
use crate::report::style::clean;

use super::axis::Axis;
use super::sheet::{LEFT, RIGHT};

/// So many values stand side by side, each with its name.
const FEW: usize = 8;

/// The values of a factor.
pub(super) struct Scale<'a> {
    factor: &'a experiment::Axis,
    /// The different ones: numbers from the least to the greatest, all else in the order in which it comes.
    labels: Vec<(&'a str, f64)>,
    /// Whether they lie at their numbers.
    is_of_numbers: bool,
}

impl<'a> Scale<'a> {
    /// That of a factor, whose values at all points are these.
    pub fn of(factor: &'a experiment::Axis, values: impl Iterator<Item = (&'a str, Option<f64>)>) -> Self {
        let mut labels: Vec<(&str, f64)> = Vec::new();
        let mut are_numbers = true;
        for (label, number) in values {
            are_numbers &= number.is_some();
            if !labels.iter().any(|(known, _)| *known == label) {
                labels.push((label, number.unwrap_or(labels.len() as f64)));
            }
        }
        if are_numbers {
            labels.sort_by(|(_, one), (_, other)| one.total_cmp(other));
        }
        Self { factor, is_of_numbers: are_numbers && labels.len() > FEW, labels }
    }

    /// How many different values there are.
    pub fn count(&self) -> usize {
        self.labels.len()
    }

    /// Where a value stands: at its number, or at its place in the list.
    pub fn position(&self, label: &str) -> f64 {
        let place = self.labels.iter().position(|(known, _)| *known == label).unwrap_or(0);
        if self.is_of_numbers { self.labels[place].1 } else { place as f64 }
    }

    /// The axis from the left to the right of a panel.
    pub fn axis(&self) -> Axis {
        let places = (LEFT + 20, RIGHT - 20);
        let [(_, min), .., (_, max)] = self.labels[..] else {
            return Axis::between(-0.5, 0.5, places, 1);
        };
        if !self.is_of_numbers {
            return Axis::between(-0.5, self.labels.len() as f64 - 0.5, places, self.labels.len());
        }
        if self.factor.is_log && min >= 1.0 {
            return Axis::log(min, max, places);
        }
        let air = (max - min) * 0.03;
        Axis::between(min - air, max + air, places, 8)
    }

    /// What stands at a place of the axis.
    pub fn label(&self, x: f64) -> String {
        if !self.is_of_numbers {
            let place = libm::round(x);
            let label = (place >= 0.0 && (place - x).abs() < 1e-9).then(|| self.labels.get(place as usize)).flatten();
            return label.map(|(label, _)| clean(label, 24)).unwrap_or_default();
        }
        number(x, self.factor.unit)
    }
}

/// A number at a mark of an axis.
pub(super) fn number(x: f64, unit: Unit) -> String {
    match unit {
        Unit::Time => human::time(x),
        Unit::Rate => human::rate(x),
        Unit::Share => human::percent_mark(x),
        Unit::Number => human::number(x),
    }
}
