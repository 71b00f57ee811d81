//! What callers do about slowness and failure, as far as it changes what comes to a station.
//!
//! Arrivals stay what they are as long as nobody asks twice and nobody takes anything back. A timeout that next to nobody meets is no
//! obstacle, but that depends on how long requests stay: so the shortest is kept, to be compared with what a formula says.

use std::num::NonZeroU32;

use crate::model::{Cancel, Load, Policy, Step};
use crate::protocol::retry::Failure;
use crate::scenario::plan::{Plan, ServiceGroup};

use super::{Caller, Why, seconds};

/// The share of requests that may meet a timeout before that counts.
pub(in super::super) const NEGLIGIBLE: f64 = 1e-5;

/// The shortest time at the station, in seconds, after which any caller does something that changes what comes.
pub(super) fn of_all(
    plan: &Plan,
    group: ServiceGroup<'_>,
    callers: &[Caller<'_>],
    is_limited: bool,
) -> Result<Option<f64>, Why> {
    let mut shortest: Option<f64> = None;
    for caller in callers {
        let policy = &caller.call.policy;
        is_plain(caller.name, policy, group.nodes)?;
        let waits = matches!(caller.client.load, Load::Users { .. });
        let again = policy.retry.max_attempts.is_none_or(|most| most > NonZeroU32::MIN);
        let retries = |failure| again && policy.retry.retry_on.contains(failure);
        let programs = caller.call.program.all().map(|program| &plan.programs()[usize::from(program)].steps);
        let fails = programs.flatten().any(|step| matches!(step, Step::Fail(_)));
        let loses = caller.out.loss > 0.0 || caller.back.loss > 0.0;
        match () {
            () if fails && retries(Failure::Failed) => return Err("what fails is tried again, and comes twice".into()),
            () if is_limited && retries(Failure::Rejected) => {
                return Err("who finds no room tries again, and comes twice".into());
            }
            () if loses && retries(Failure::Timeout) && policy.gives_up() => {
                return Err("what is lost is sent again: such arrivals are not Poisson".into());
            }
            () if (again || waits) && policy.guard.timeout.is_some() => {
                return Err("its callers give up by measured latency, and ask again".into());
            }
            () => {}
        }
        let timeout = policy.retry.timeout.as_ref().map(|timeout| timeout.at(NonZeroU32::MIN));
        let timeout = timeout.filter(|_| again || waits || policy.cancel != Cancel::None);
        for limit in timeout.into_iter().chain(policy.retry.deadline) {
            let (Some(out), Some(back)) = (caller.out.most(), caller.back.most()) else {
                return Err("its callers give up, at different distances".into());
            };
            let left = (seconds(limit.as_nanos() as f64) - out - back).max(0.0);
            shortest = Some(shortest.map_or(left, |shortest| shortest.min(left)));
        }
    }
    Ok(shortest)
}

/// Whether nothing stands between the caller and the station.
pub(in super::super) fn is_plain(name: &str, policy: &Policy, nodes: u32) -> Result<(), Why> {
    let guard = &policy.guard;
    let because = |why: &str| Err(format!("`{name}` {why}"));
    match () {
        () if guard.hedge.is_some() => because("hedges: some requests are sent twice"),
        () if guard.rate.is_some() => because("limits its own rate: what leaves it is not Poisson"),
        () if guard.throttle.is_some() => because("throttles itself"),
        () if guard.concurrency.is_some() => because("limits how many of its requests are under way"),
        () if guard.breaker.is_some() => because("has a circuit breaker"),
        () if policy.window.is_some() || policy.max_in_flight.is_some() => {
            because("limits how many of its requests are under way")
        }
        () if policy.ordered => because("has its messages handled in order: they wait for each other"),
        () if !policy.health.is_idle() && nodes > 1 => because("asks only those nodes that it takes for healthy"),
        () => Ok(()),
    }
}
