//! The interactive response time law: R = N / X − Z. Users who are not thinking are waiting.

use super::super::forecast::{Forecast, Scope, Value};
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
    let scope = Scope::flow(plan, flow)?;
    let value = Value::From {
        measures: vec![scope.measure("goodput")],
        known: vec![f64::from(*users), think.mean()],
        law: |measured, known| known[0] / measured[0] * 1e9 - known[1],
    };
    let source = "Denning, Buzen, Computing Surveys 10(3), 1978";
    Some(scope.forecast("latency.mean", "response time law", source, value))
}
