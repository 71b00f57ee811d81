//! The interactive response time law: R = N / X − Z. Users who are not thinking are waiting, where all of them are answered: the times of
//! others are not known.

use super::super::forecast::{Forecast, Scope, Value};
use super::super::scene::crossing;
use super::Law;
use crate::model::{Load, Step};
use crate::scenario::plan::Plan;

pub(super) static LAW: Law = Law { forecasts };

fn forecasts(plan: &Plan) -> Vec<Forecast> {
    (0..plan.flows.len()).filter_map(|flow| forecast(plan, flow)).collect()
}

/// Of a flow by which users ask, if they do nothing else.
fn forecast(plan: &Plan, flow: usize) -> Option<Forecast> {
    let spec = plan.flows.get(flow).filter(|spec| spec.is_client && spec.is_call)?;
    let client = plan.client(&spec.caller)?;
    let Load::Users { users, think } = &client.load else { return None };
    let programs: Vec<u16> = client.program.all().collect();
    let [program] = programs[..] else { return None };
    let [Step::Message { call, wait: true }] = plan.programs()[usize::from(program)].steps[..] else { return None };
    let policy = &plan.calls()[usize::from(call)].policy;
    if usize::from(call) != flow || policy.gives_up() || client.from > plan.warmup || client.until < plan.duration {
        return None;
    }
    // Whoever is not answered waits for ever.
    let loses = |from: &str, to: &str| crossing(plan, from, to).is_ok_and(|way| way.loss > 0.0);
    if loses(&spec.caller, &spec.callee) || loses(&spec.callee, &spec.caller) {
        return None;
    }
    let scope = Scope::flow(plan, flow)?;
    let value = Value::From {
        measures: ["goodput", "offered.rate"].map(|written| scope.measure(written)).into(),
        known: vec![f64::from(*users), think.mean()],
        law: response_time,
    };
    let source = "Denning, Buzen, Computing Surveys 10(3), 1978";
    Some(scope.forecast("latency.mean", "response time law", source, value))
}

/// So much of what users ask may be answered outside the measured time, or badly.
const UNANSWERED_MAX: f64 = 0.01;

/// The mean time that users wait, if next to all that they ask is answered well.
fn response_time(measured: &[f64], known: &[f64]) -> f64 {
    match measured {
        [answered, asked] if (1.0 - UNANSWERED_MAX) * asked <= *answered => known[0] / answered * 1e9 - known[1],
        _ => f64::NAN,
    }
}
