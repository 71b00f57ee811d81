//! What studies of many runs ask: which quantities they show, and how well they want to know some of them.

use std::collections::BTreeSet;

use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Located;
use crate::scenario::quantity::Quantity;
use crate::scenario::schema::{Precision, Runs, Share};

use super::expect::{Measure, Scopes};

/// What studies show of each client, unless they are told which quantities they are to show.
const HEADLINE: [&str; 5] = ["goodput", "reliability", "attempts", "latency.p50", "latency.p99"];

/// A quantity that a study shows.
#[derive(Clone, PartialEq, Debug)]
pub struct Column {
    /// As it is written.
    pub quantity: String,
    /// What is measured.
    pub measure: Measure,
}

/// When there are enough runs.
#[derive(Clone, PartialEq, Debug)]
pub struct Enough {
    /// Quantities, each with half the width that its interval may have, as a share of its value.
    pub targets: Vec<(Column, f64)>,
    /// There are never enough before so many.
    pub at_least: u32,
}

impl Scopes<'_> {
    /// What studies show: the quantities of `run.metrics`, or else what is expected and the headline of each client.
    pub(super) fn columns(&self, mistakes: &mut Vec<Diagnostic>) -> Vec<Column> {
        let metrics = self.scenario.run.metrics.as_ref();
        if let Some(metrics) = metrics {
            let columns = metrics.0.iter().filter_map(|quantity| self.column(quantity, mistakes));
            let mut known = BTreeSet::new();
            return columns.filter(|column| known.insert(column.quantity.clone())).collect();
        }
        let mut columns: Vec<Column> = Vec::new();
        for (quantity, _) in self.scenario.expect.iter() {
            // What is wrong with it was said where it is judged.
            columns.extend(self.column(quantity, &mut Vec::new()));
        }
        for (client, _) in self.scenario.clients.iter() {
            let headline = HEADLINE.iter().filter_map(|metric| {
                let written = format!("{}.{metric}", client.as_str());
                let quantity = Located { value: Quantity::parse(&written).ok()?, origin: client.origin };
                let measure = self.measure(&quantity).ok()?;
                Some(Column { quantity: written, measure })
            });
            columns.extend(headline);
        }
        let mut known: Vec<Measure> = Vec::new();
        columns.retain(|column| {
            let is_new = !known.contains(&column.measure);
            if is_new {
                known.push(column.measure.clone());
            }
            is_new
        });
        columns
    }

    /// When there are enough runs, if that has to be found out.
    pub(super) fn enough(&self, mistakes: &mut Vec<Diagnostic>) -> Option<Enough> {
        let Some(Runs::Until(Precision { until, at_least, at_most })) =
            self.scenario.run.runs.as_ref().map(|runs| &runs.value)
        else {
            return None;
        };
        let origin = self.scenario.run.runs.as_ref()?.origin;
        if until.is_empty() {
            mistakes.push(
                Diagnostic::error("nothing says when there are enough runs")
                    .at(origin, "`until` is empty")
                    .help("for example until = { \"app.latency.p99\" = \"2%\" }"),
            );
        }
        if at_least > at_most || at_least.get() < 2 {
            let message = format!("`at-least` is a number of runs from 2 to `at-most`, {at_most}; found {at_least}");
            mistakes.push(Diagnostic::error(message).at(origin, ""));
        }
        let targets = until.iter().filter_map(|(quantity, Located { value: Share(share), origin })| {
            if share.is_never() {
                mistakes.push(
                    Diagnostic::error("an interval always has some width")
                        .at(*origin, "half of which is to be nothing"),
                );
            }
            Some((self.column(quantity, mistakes)?, share.value()))
        });
        Some(Enough { targets: targets.collect(), at_least: at_least.get() })
    }

    pub(super) fn column(&self, quantity: &Located<Quantity>, mistakes: &mut Vec<Diagnostic>) -> Option<Column> {
        match self.measure(quantity) {
            Ok(measure) => {
                let written = self.texts.excerpt(quantity.origin).trim_matches(['"', '\'']).to_owned();
                Some(Column { quantity: written, measure })
            }
            Err(mistake) => {
                mistakes.push(mistake);
                None
            }
        }
    }
}
