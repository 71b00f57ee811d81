//! The utilisation law: U = X S / c. Workers are busy for as long as the work of those that are served takes.

use super::super::forecast::{Forecast, Scope, Value};
use super::{Law, at_work, countable, served};
use crate::scenario::plan::Plan;

pub(super) static LAW: Law = Law { forecasts };

fn forecasts(plan: &Plan) -> Vec<Forecast> {
    let forecast = |(index, group): (usize, crate::scenario::plan::ServiceGroup<'_>)| {
        let workers = group.spec.workers.filter(|_| !group.spec.shares_workers)?;
        let scope = Scope::station(plan, index, group.name);
        let value = Value::From {
            measures: served(&scope, "work.mean"),
            known: vec![f64::from(group.nodes) * f64::from(workers.get())],
            law: at_work,
        };
        let source = "Denning, Buzen, Computing Surveys 10(3), 1978";
        Some(scope.forecast("busy", "utilisation law", source, value))
    };
    countable(plan).filter_map(forecast).collect()
}
