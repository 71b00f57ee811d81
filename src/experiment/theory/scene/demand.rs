//! What a station does for a request.

use crate::base::distribution::Distribution;
use crate::model::Step;
use crate::scenario::plan::{Plan, ServiceGroup};

use super::super::queue::{Kind, Work};
use super::{Caller, Why, seconds};

/// Whether the station does anything that takes time for whoever asks.
pub(in super::super) fn takes_time(plan: &Plan, group: ServiceGroup<'_>) -> bool {
    let calls = plan.calls().iter().filter(|call| call.target == group.target);
    let mut steps =
        calls.flat_map(|call| call.program.all()).flat_map(|program| &plan.programs()[program as usize].steps);
    steps.any(|step| !matches!(step, Step::Fail(_)))
}

/// The work of a request at each node: one for all nodes, if they are equally fast.
pub(super) fn works(plan: &Plan, group: ServiceGroup<'_>, callers: &[Caller<'_>]) -> Result<Vec<Work>, Why> {
    let mut parts: Vec<(f64, Vec<&Distribution>)> = Vec::new();
    let brought: f64 = callers.iter().map(weight).sum();
    for caller in callers {
        for (share, program) in caller.call.program.shares() {
            let works = works_of(&plan.programs()[usize::from(program)].steps)?;
            parts.push((share * weight(caller) / brought, works));
        }
    }
    Ok(group.spec.speed.iter().map(|&speed| mixed(&parts, speed)).collect())
}

/// How many requests this is, compared with others.
fn weight(caller: &Caller<'_>) -> f64 {
    let rate = super::arrivals::rate(caller.client).unwrap_or(1.0);
    // Nobody asks if no program does.
    (caller.share * rate).max(f64::MIN_POSITIVE)
}

/// What a request takes of a worker, step by step.
pub(in super::super) fn works_of(steps: &[Step]) -> Result<Vec<&Distribution>, Why> {
    let mut works = Vec::new();
    for (index, step) in steps.iter().enumerate() {
        match step {
            Step::Work(law) => works.push(law),
            Step::Fail(_) if index + 1 == steps.len() => {}
            Step::Fail(_) => return Err("some of its requests fail before all work is done".into()),
            Step::Sleep(_) => return Err("its requests sleep, which is no work".into()),
            Step::Choose(_) | Step::Jump(_) => return Err("its requests choose among steps".into()),
            Step::Message { .. } | Step::Outbox(_) | Step::Gather(_) | Step::Saga(_) => {
                return Err("its requests wait for other services".into());
            }
        }
    }
    Ok(works)
}

/// One of several works in a row, each with its share, at a node of this speed.
fn mixed(parts: &[(f64, Vec<&Distribution>)], speed: f64) -> Work {
    let moments = |works: &[&Distribution]| {
        let mean = works.iter().map(|law| seconds(law.mean())).sum::<f64>() / speed;
        let variance = works.iter().map(|law| law.variance() / 1e18).sum::<f64>() / (speed * speed);
        (mean, variance + mean * mean)
    };
    let Some((_, first)) = parts.first() else { return Work::none() };
    let is_one = parts.iter().all(|(_, works)| works == first);
    let (mean, second_moment) = match is_one {
        true => moments(first),
        false => parts.iter().fold((0.0, 0.0), |(mean, second), (share, works)| {
            let (of_mean, of_second) = moments(works);
            (mean + share * of_mean, second + share * of_second)
        }),
    };
    let only = first.first().filter(|_| is_one && first.len() == 1);
    let kind = match only {
        Some(Distribution::Exponential(_)) => Kind::Exponential,
        _ if is_one && first.iter().all(|law| law.is_constant()) => Kind::Constant,
        _ => Kind::Other,
    };
    Work { mean, second_moment, kind, law: only.map(|law| ((*law).clone(), speed)) }
}
