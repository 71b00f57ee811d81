//! Little's law: L = λ W. As many are present as come in the time that one stays.

use super::super::forecast::{Forecast, Scope, Value};
use super::{Law, at_work, countable, served};
use crate::scenario::plan::Plan;

pub(super) static LAW: Law = Law { forecasts };

fn forecasts(plan: &Plan) -> Vec<Forecast> {
    let forecast = |(index, group): (usize, crate::scenario::plan::ServiceGroup<'_>)| {
        let scope = Scope::station(plan, index, group.name);
        let value = Value::From {
            measures: served(&scope, "residence.mean"),
            known: vec![f64::from(group.nodes)],
            law: at_work,
        };
        scope.forecast("present.mean", "Little's law", "Little, Operations Research 9(3), 1961", value)
    };
    countable(plan).map(forecast).collect()
}
