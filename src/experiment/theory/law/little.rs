//! Little's law: L = λ W. As many are present as come in the time that one stays, where those that come also leave: while a queue
//! grows, those who stay for long are not among those whose stay is known.

use super::super::forecast::{Forecast, Scope, Value};
use super::{Law, at_work, countable, served};
use crate::scenario::plan::Plan;

pub(super) static LAW: Law = Law { forecasts };

fn forecasts(plan: &Plan) -> Vec<Forecast> {
    let forecast = |(index, group): (usize, crate::scenario::plan::ServiceGroup<'_>)| {
        let scope = Scope::station(plan, index, group.name);
        let mut measures = served(&scope, "residence.mean");
        measures.extend(["arrived.rate", "rejected"].map(|written| scope.measure(written)));
        let value = Value::From { measures, known: vec![f64::from(group.nodes)], law: present };
        scope.forecast("present.mean", "Little's law", "Little, Operations Research 9(3), 1961", value)
    };
    countable(plan).map(forecast).collect()
}

/// So much of what comes may be left over when the measured time ends.
const LEFT_MAX: f64 = 0.01;

/// How many are present at a time, if next to all that are let in also leave.
fn present(measured: &[f64], known: &[f64]) -> f64 {
    match measured {
        [served @ .., arrived, rejected] if (1.0 - LEFT_MAX) * arrived * (1.0 - rejected) <= served[0] => {
            at_work(served, known)
        }
        _ => f64::NAN,
    }
}
