//! How requests come to each node of a station.

use crate::base::distribution::Distribution;
use crate::model::{self, ClientSpec, Phase};
use crate::protocol::balance::{BalancePolicy, Load as Known};
use crate::scenario::plan::{Plan, ServiceGroup};

use super::super::queue::{Gaps, Load};
use super::{Caller, Why, seconds};

/// Requests per second of the whole group, if it brings them at a rate.
pub(super) fn rate(client: &ClientSpec) -> Option<f64> {
    match &client.load {
        model::Load::Renewal { gap, .. } => Some(f64::from(client.nodes) / seconds(gap.mean())),
        model::Load::Even { gap, .. } => Some(f64::from(client.nodes) / seconds(*gap)),
        model::Load::Trace(_) | model::Load::Users { .. } => None,
    }
}

/// The load of each node; one for all where they are alike.
pub(super) fn loads(plan: &Plan, group: ServiceGroup<'_>, callers: &[Caller<'_>]) -> Result<Vec<Load>, Why> {
    let nodes = f64::from(group.nodes);
    if let Some(load) = closed(plan, group, callers)? {
        return Ok(vec![load]);
    }
    let streams = callers.iter().map(stream).collect::<Result<Vec<_>, Why>>()?;
    let all: f64 = streams.iter().map(|(rate, _)| rate).sum();
    if all * seconds(plan.duration.as_nanos() as f64) < 1.0 {
        return Err("not one request is due in all that time".into());
    }
    let gaps = match &streams[..] {
        [(_, gaps)] => *gaps,
        _ if streams.iter().all(|(_, gaps)| *gaps == Gaps::Poisson) => Gaps::Poisson,
        _ => return Err("several ask it, and not all of their arrivals are Poisson".into()),
    };
    if group.nodes == 1 {
        return Ok(vec![Load::Open { rate: all, gaps }]);
    }
    let balance = |caller: &Caller<'_>| plan.route(caller.call).map(|route| route.balance.clone());
    let each = balance(&callers[0]).ok_or("its callers do not choose among its nodes")?;
    if let BalancePolicy::RoundRobin(_) = each {
        return dealt(group, callers, gaps, all).map(|load| vec![load]);
    }
    if gaps != Gaps::Poisson {
        return Err("its nodes are asked in turns of chance, and arrivals are not Poisson".into());
    }
    let choices = match &each {
        BalancePolicy::Choices(settings) => Some((settings.d.get(), settings.load)),
        BalancePolicy::TwoChoices(_) => Some((2, Known::Own)),
        _ => None,
    };
    if let Some((choices, known)) = choices {
        return pool(group, callers, (choices, known), all / nodes).map(|load| vec![load]);
    }
    let mut rates = vec![0.0; group.nodes as usize];
    for (caller, (rate, _)) in callers.iter().zip(&streams) {
        let policy = balance(caller).ok_or("its callers do not choose among its nodes")?;
        let shares = match &policy {
            BalancePolicy::Random(_) | BalancePolicy::WeightedRandom(_) => policy.shares(rates.len()),
            _ => None,
        };
        let shares = shares.ok_or_else(|| not_by_chance(&policy))?;
        rates.iter_mut().zip(shares).for_each(|(sum, share)| *sum += rate * share);
    }
    Ok(rates.into_iter().map(|rate| Load::Open { rate, gaps }).collect())
}

fn not_by_chance(policy: &BalancePolicy) -> Why {
    match policy {
        BalancePolicy::RoundRobin(_) | BalancePolicy::Weighted(_) => {
            "its nodes are dealt their requests in turn: what reaches one is not Poisson".into()
        }
        BalancePolicy::LeastRequests(_)
        | BalancePolicy::LeastConnections(_)
        | BalancePolicy::WeightedLeastRequests(_)
        | BalancePolicy::JoinIdleQueue(_) => {
            "no closed form is known for joining the shortest of several queues".into()
        }
        BalancePolicy::RingHash(_) | BalancePolicy::Rendezvous(_) | BalancePolicy::Sticky(_) => {
            "keys or habit decide which node is asked, and each gets a share of its own".into()
        }
        _ => "its balancer looks at more than chance: no closed form is known".into(),
    }
}

/// The requests per second that are of this kind, and reach the station, and how they come.
fn stream(caller: &Caller<'_>) -> Result<(f64, Gaps), Why> {
    let Caller { client, name, .. } = caller;
    let Some(rate) = rate(client) else {
        return Err(format!("`{name}` are users, and others ask it too: no closed form for both together"));
    };
    if caller.out.is_bursty {
        return Err("losses on the way to it come in bursts: what is left is not Poisson".into());
    }
    let rate = rate * caller.share * (1.0 - caller.out.loss);
    let gaps = match &client.load {
        model::Load::Renewal { gap: Distribution::Exponential(_), .. } => return Ok((rate, Gaps::Poisson)),
        model::Load::Renewal { gap, .. } => Gaps::Gamma(gap.mean() * gap.mean() / gap.variance()),
        _ => Gaps::Even,
    };
    let staggered = matches!(client.load, model::Load::Even { phase: Phase::Staggered, .. });
    match () {
        () if client.nodes > 1 && !staggered => {
            Err(format!("the {} nodes of `{name}` do not come at random: no closed form for all", client.nodes))
        }
        () if caller.share < 1.0 || caller.out.loss > 0.0 => {
            Err(format!("only some of the requests of `{name}` reach it, which are neither even nor Poisson"))
        }
        () if caller.sleep.is_some() || !caller.out.is_even => {
            Err("messages to it take times that differ: what was even is so no more, and not Poisson".into())
        }
        () => Ok((rate, gaps)),
    }
}

/// What a node gets of what one caller deals round robin: every n-th.
fn dealt(group: ServiceGroup<'_>, callers: &[Caller<'_>], gaps: Gaps, all: f64) -> Result<Load, Why> {
    let nodes = f64::from(group.nodes);
    let first = &callers[0];
    let by_many = callers.iter().any(|caller| caller.call.route != first.call.route || caller.name != first.name);
    if by_many || first.client.nodes > 1 {
        return Err("several callers deal their requests in turn: what reaches a node is not Poisson".into());
    }
    if callers.iter().any(|caller| !caller.out.is_even || caller.out.loss > 0.0) {
        return Err("round robin deals every n-th request, some of which are late or lost: not Poisson".into());
    }
    let gaps = match gaps {
        Gaps::Poisson => Gaps::Gamma(nodes),
        Gaps::Gamma(shape) => Gaps::Gamma(shape * nodes),
        Gaps::Even => Gaps::Even,
    };
    Ok(Load::Open { rate: all / nodes, gaps })
}

/// Few servers are far from very many.
const POOL_MIN: u32 = 10;

/// So many requests on the way to a server, or counted though they have left it, make no difference.
const UNSEEN_MAX: f64 = 0.05;

/// The load of a group whose nodes are chosen by their loads.
fn pool(
    group: ServiceGroup<'_>,
    callers: &[Caller<'_>],
    (choices, known): (u32, Known),
    rate: f64,
) -> Result<Load, Why> {
    let unseen = |caller: &Caller<'_>| match known {
        Known::True => caller.out.mean(),
        Known::Own => caller.out.mean().zip(caller.back.mean()).map(|(out, back)| out + back),
    };
    let slow = callers.iter().any(|caller| unseen(caller).is_none_or(|time| time * rate > UNSEEN_MAX));
    let is_alone = callers.len() == 1 && callers[0].client.nodes == 1 && callers[0].call.is_request;
    match () {
        () if known == Known::Own && !is_alone => {
            Err("its callers know their own requests only: theory is of those who see real loads".into())
        }
        () if slow => Err("requests on their way are not seen in the loads: theory is of those who see all".into()),
        () if group.nodes < POOL_MIN || choices < 2 => {
            Err(format!("theory of choices is of very many servers, and there are {}", group.nodes))
        }
        () if group.spec.speed.len() > 1 => Err("theory of choices is of equally fast servers".into()),
        () => Ok(Load::Pool { rate, choices, nodes: group.nodes }),
    }
}

/// The load of users who wait for their answers, if it is theirs.
fn closed(plan: &Plan, group: ServiceGroup<'_>, callers: &[Caller<'_>]) -> Result<Option<Load>, Why> {
    let users = callers.iter().any(|caller| matches!(caller.client.load, model::Load::Users { .. }));
    let [caller] = callers else {
        return if users { Err("users ask it for several things, or not alone".into()) } else { Ok(None) };
    };
    let model::Load::Users { users, think } = &caller.client.load else { return Ok(None) };
    let programs: Vec<u16> = caller.client.program.all().collect();
    let steps = &plan.programs()[usize::from(programs[0])].steps;
    let (last, others) = steps.split_last().ok_or("its users do nothing")?;
    let asks_only = matches!(last, model::Step::Message { wait: true, .. })
        && others.iter().all(|step| matches!(step, model::Step::Sleep(_)));
    let (Some(out), Some(back)) = (caller.out.mean(), caller.back.mean()) else {
        return Err("its users are at different distances".into());
    };
    match () {
        () if programs.len() > 1 || !asks_only || !caller.call.is_request => {
            Err(format!("`{}` do more than ask it and wait for the answer", caller.name))
        }
        () if caller.out.loss > 0.0 || caller.back.loss > 0.0 => Err("messages of its users can be lost".into()),
        () if group.spec.queue.limit.is_some() => Err("users who are turned away ask again".into()),
        () if group.spec.speed.len() > 1 => Err("users share nodes that are not equally fast".into()),
        () => {
            let elsewhere = seconds(think.mean()) + caller.sleep.unwrap_or(0.0) + out + back;
            Ok(Some(Load::Closed { users: *users, elsewhere, nodes: group.nodes }))
        }
    }
}
