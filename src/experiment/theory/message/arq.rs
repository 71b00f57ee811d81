//! Sending again what is lost (automatic repeat request): at most n attempts, each of which is lost on the way there with
//! probability p, and its confirmation on the way back with q, all on their own.
//!
//! With s = (1 − p)(1 − q) the receiver has it with 1 − pⁿ, the sender knows with 1 − (1 − s)ⁿ, is left in doubt with
//! (1 − s)ⁿ − pⁿ, and makes (1 − (1 − s)ⁿ) / s attempts, 1 − p of which arrive. The k-th attempt succeeds with s (1 − s)^(k − 1),
//! after all timeouts and backoffs before it. A single attempt may be lost in bursts.

use std::num::NonZeroU32;

use crate::model::{Call, Delivery, Policy, ServiceSpec};
use crate::protocol::retry::{Failure, Jitter};
use crate::scenario::plan::Plan;

use super::super::forecast::{Forecast, Scope, Value};
use super::super::scene::{Crossing, NEGLIGIBLE, Why, crossing, has_no_guard, is_plain, works_of};

const SOURCE: &str = "elementary (geometric series); Bertsekas, Gallager, Data Networks, 2nd ed. 1992, section 2.4";

/// More attempts than this are as good as no end of them.
const MANY: u32 = 1_000;

/// What becomes of one message.
#[derive(Clone, Copy, PartialEq, Debug)]
struct Exchange {
    received: f64,
    confirmed: f64,
    in_doubt: f64,
    attempts: f64,
    duplicates: f64,
}

fn exchange(p: f64, q: f64, attempts: u32) -> Exchange {
    let success = (1.0 - p) * (1.0 - q);
    let power = |base: f64| libm::pow(base, f64::from(attempts));
    let (missed, failed) = (power(p), power(1.0 - success));
    let mean = (1.0 - failed) / success;
    Exchange {
        received: 1.0 - missed,
        confirmed: 1.0 - failed,
        in_doubt: failed - missed,
        attempts: mean,
        duplicates: (1.0 - p) * mean - (1.0 - missed),
    }
}

/// Of the messages of a flow, if they can be lost on their way.
pub(super) fn forecasts(plan: &Plan, flow: usize) -> Option<Result<Vec<Forecast>, Why>> {
    if !plan.network().links().any(|(_, _, link)| link.can_lose()) {
        return None;
    }
    let call = plan.calls().get(flow).filter(|call| usize::from(call.flow) == flow)?;
    let (spec, scope) = (&plan.flows[flow], Scope::flow(plan, flow)?);
    let group = plan.services().find(|group| group.target == call.target && group.name == spec.callee)?;
    let plainly = call.publication.is_none() && call.record.is_none() && call.subscription.is_none();
    if !plainly {
        return None;
    }
    let links = || plan.links(&spec.caller, group.name).into_iter().chain(plan.links(group.name, &spec.caller));
    if !links().any(|link| link.can_lose()) {
        return None;
    }
    let ways =
        crossing(plan, &spec.caller, group.name).and_then(|out| Ok((out, crossing(plan, group.name, &spec.caller)?)));
    Some(ways.and_then(|(out, back)| {
        is_plain(group.spec)?;
        has_no_guard(&spec.caller, &call.policy, group.nodes)?;
        let stay = stay(plan, call, group.spec)?;
        let attempts = attempts(&call.policy, &out, &back, stay)?;
        Ok(said(&scope, call, (out, back), stay, attempts))
    }))
}

/// How long a request stays, in seconds.
#[derive(Clone, Copy, Debug)]
struct Stay {
    /// The mean, where it is the same at all nodes.
    mean: Option<f64>,
    /// What next to none stays longer than.
    most: f64,
}

/// How long a request stays; nothing where others may be in its way.
fn stay(plan: &Plan, call: &Call, spec: &ServiceSpec) -> Result<Option<Stay>, Why> {
    let (mut mean, mut most) = (0.0, 0.0_f64);
    for (share, program) in call.program.shares() {
        let steps = &plan.programs()[usize::from(program)].steps;
        if steps.iter().any(|step| matches!(step, crate::model::Step::Fail(_))) {
            return Err("some of what arrives fails, and is told apart from what is lost by nobody here".into());
        }
        let works = works_of(steps)?;
        mean += share * works.iter().map(|law| law.mean()).sum::<f64>();
        most = most.max(works.iter().map(|law| law.quantile(1.0 - NEGLIGIBLE)).sum());
    }
    if most > 0.0 && spec.queue.limit.is_some() {
        return Err("what arrives may find no room, beside what is lost on the way".into());
    }
    let slowest = spec.speed.iter().copied().fold(f64::INFINITY, f64::min);
    let mean = match spec.speed[..] {
        [speed] => Some(mean / 1e9 / speed),
        _ => (mean == 0.0).then_some(0.0),
    };
    Ok((most == 0.0 || spec.workers.is_none()).then_some(Stay { mean, most: most / 1e9 / slowest }))
}

/// How many attempts there are, if each is given up only where something was lost.
fn attempts(policy: &Policy, out: &Crossing<'_>, back: &Crossing<'_>, stay: Option<Stay>) -> Result<u32, Why> {
    let retry = &policy.retry;
    let because = |why: &str| Err(why.to_owned());
    if retry.deadline.is_some() {
        return because("a deadline may cut attempts short");
    }
    let most = retry.max_attempts.map_or(u32::MAX, NonZeroU32::get);
    let Some(timeout) = &retry.timeout else {
        return match policy.guard.timeout {
            Some(_) => because("timeouts follow what is measured"),
            None => Ok(1),
        };
    };
    let many =
        if policy.delivery == Delivery::AtMostOnce || !retry.retry_on.contains(Failure::Timeout) { 1 } else { most };
    if many > 1 && (out.is_bursty || back.is_bursty) {
        return because("losses come in bursts, so the attempts of a message do not fail on their own");
    }
    if many > 1 && policy.guard.budget.is_some() {
        return because("a budget decides which retries there are");
    }
    let Some(Stay { most: stay, .. }) = stay else {
        return because("requests wait for each other at the receiver, and answers may come after the timeout");
    };
    let (Some(there), Some(home)) = (out.most(), back.most()) else {
        return because("its receivers are at different distances");
    };
    let shortest = (1..=many.min(MANY)).filter_map(NonZeroU32::new).map(|attempt| timeout.at(attempt)).min();
    if shortest.is_none_or(|shortest| shortest.as_secs_f64() <= there + stay + home) {
        return because("answers may come after the timeout, so that copies are sent though nothing was lost");
    }
    Ok(many)
}

fn said(
    scope: &Scope,
    call: &Call,
    (out, back): (Crossing<'_>, Crossing<'_>),
    stay: Option<Stay>,
    attempts: u32,
) -> Vec<Forecast> {
    let Exchange { received, confirmed, in_doubt, attempts: mean, duplicates } =
        exchange(out.loss, back.loss, attempts);
    let name = match attempts {
        1 => "one attempt".to_owned(),
        MANY.. => "ARQ, no end of attempts".into(),
        _ => format!("ARQ, {attempts} attempts"),
    };
    let forecast = |written, value| scope.forecast(written, &name, SOURCE, Value::Known(value));
    let mut forecasts = vec![forecast("received", received)];
    if call.is_request || call.policy.delivery != Delivery::AtMostOnce {
        forecasts.push(forecast("confirmed", confirmed));
        if call.policy.gives_up() {
            forecasts.push(forecast("in-doubt", in_doubt));
        }
    }
    if attempts > 1 {
        forecasts.extend([forecast("attempts", mean), forecast("duplicates", duplicates)]);
        forecasts.extend(latency(call, &out, &back, stay, attempts).map(|nanos| forecast("latency.mean", nanos)));
    }
    forecasts
}

/// The mean time until a message is confirmed, of those that are, in nanoseconds.
fn latency(call: &Call, out: &Crossing<'_>, back: &Crossing<'_>, stay: Option<Stay>, attempts: u32) -> Option<f64> {
    let retry = &call.policy.retry;
    let timeout = retry.timeout.as_ref().filter(|_| retry.jitter == Jitter::None)?;
    let success = (1.0 - out.loss) * (1.0 - back.loss);
    let (mut share, mut waited, mut sum, mut all) = (success, 0.0, 0.0, 0.0);
    for attempt in (1..=attempts.min(MANY)).filter_map(NonZeroU32::new) {
        sum += share * waited;
        all += share;
        share *= 1.0 - success;
        waited += timeout.at(attempt).as_secs_f64() + retry.backoff.at(attempt).as_secs_f64();
    }
    Some((sum / all + out.mean()? + stay?.mean? + back.mean()?) * 1e9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_attempts_of_which_a_tenth_is_lost_each_way() {
        let Exchange { received, confirmed, in_doubt, attempts, duplicates } = exchange(0.1, 0.1, 3);
        let found = [received, confirmed, in_doubt, attempts, duplicates];
        let expected = [0.999, 0.993_141, 0.005_859, 1.226_1, 0.104_49];
        assert!(found.iter().zip(expected).all(|(found, expected)| (found - expected).abs() < 1e-12), "{found:?}");
    }
}
