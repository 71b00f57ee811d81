//! A prediction before anything was measured.

use crate::scenario::plan::{Measure, Plan, Subject};
use crate::scenario::quantity::Quantity;

use super::Relation;

/// A prediction before anything was measured.
#[derive(Clone, Debug)]
pub(super) struct Forecast {
    pub quantity: String,
    pub subject: String,
    pub measure: Measure,
    pub formula: String,
    pub source: &'static str,
    pub relation: Relation,
    pub value: Value,
    pub note: Option<String>,
}

/// What is predicted.
#[derive(Clone, Debug)]
pub(super) enum Value {
    /// This, in base units.
    Known(f64),
    /// What follows from quantities that are measured, and from numbers that are known.
    From { measures: Vec<Measure>, known: Vec<f64>, law: fn(&[f64], &[f64]) -> f64 },
}

/// Who is measured, under the name by which a scenario calls it.
#[derive(Clone, Debug)]
pub(super) struct Scope {
    pub name: String,
    subject: Subject,
}

impl Scope {
    /// A group of stations.
    pub fn station(plan: &Plan, index: usize, name: &str) -> Self {
        let flows = (0..plan.flows.len()).filter(|&flow| plan.flows[flow].callee == name).collect();
        Self { name: name.into(), subject: Subject::Station(index, flows) }
    }

    /// This flow alone, if a scenario can name it so.
    pub fn flow(plan: &Plan, flow: usize) -> Option<Self> {
        let spec = &plan.flows[flow];
        let name = match spec.is_client {
            true => spec.offerer(),
            false => format!("{}->{}", spec.caller, spec.callee),
        };
        let is_named = |other: &crate::scenario::plan::FlowSpec| match (spec.is_client, &spec.entry) {
            (true, None) => other.is_client && other.caller == spec.caller,
            (true, entry) => other.is_client && other.caller == spec.caller && other.entry == *entry,
            (false, _) => other.caller == spec.caller && other.callee == spec.callee,
        };
        let named = plan.flows.iter().filter(|other| is_named(other)).count();
        (named == 1).then(|| Self { name, subject: Subject::Flows(vec![flow]) })
    }

    /// One of its quantities, by the metric and statistic as they are written.
    pub fn measure(&self, written: &str) -> Measure {
        let quantity = Quantity::parse(written).expect("formulas write quantities well");
        let (metric, statistic) = (quantity.metric.value, quantity.statistic);
        Measure { subject: self.subject.clone(), metric, statistic, window: None }
    }

    /// A prediction for one of its quantities.
    pub fn forecast(&self, written: &str, formula: &str, source: &'static str, value: Value) -> Forecast {
        Forecast {
            quantity: format!("{}.{written}", self.name),
            subject: self.name.clone(),
            measure: self.measure(written),
            formula: formula.into(),
            source,
            relation: Relation::Equal,
            value,
            note: None,
        }
    }
}
