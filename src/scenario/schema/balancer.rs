//! `[balancers]`: nodes that pass requests on.

use std::num::NonZeroU32;

use schemars::JsonSchema;
use serde::Deserialize;

use super::chosen::Chosen;
use super::families::Shed;
use super::name::{Name, Target};
use super::number::Positive;
use super::place::Place;
use super::policy::{Cancel, Limit};
use super::service::{Admit, Op, Queue, Service};
use super::step::Step;
use super::{Scenario, Steps};
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, OneOrMany, Piece};

/// A group of nodes between callers and a service: a load balancer, a gateway. It is called like the service itself, with the
/// same operations, works for a moment on each request, passes it on to a node that it picks, and hands back the answer, good
/// or bad. It has the capacity, the queue and the failures of a service; its balancer, its timeouts and its health checks are
/// those of its policy, and see all requests that go through it.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Balancer {
    /// The service, or another balancer, that requests are passed on to.
    pub to: Located<Target>,
    /// How many nodes.
    #[schemars(extend("default" = 1))]
    pub nodes: Option<Located<NonZeroU32>>,
    /// Where they are; needed with `[regions]`.
    pub place: Option<Located<Place>>,
    /// How many requests a node works on at a time. None is held by a request that waits for its answer.
    #[serde(default = "unlimited")]
    pub workers: Limit,
    /// How fast the nodes work, 1 being as written; a list where they differ, one for each node.
    #[schemars(extend("default" = 1))]
    pub speed: Option<Located<OneOrMany<Positive>>>,
    /// Where requests wait when all workers are busy.
    #[serde(default)]
    pub queue: Queue,
    /// Who is turned away on arrival, though there may be room; nobody if it is left out.
    pub shed: Option<Located<Chosen<Shed>>>,
    /// How fast requests are let in, and how many; as they come if it is left out.
    pub admit: Option<Admit>,
    /// What happens to a request that its caller has given up.
    #[serde(default)]
    pub cancel: Cancel,
    /// `work`, for each request that passes, `policy`, and the keys of policies: how it picks nodes and deals with slowness and
    /// failure.
    #[serde(rename = "..")]
    pub step: Step,
}

fn unlimited() -> Limit {
    Limit::Unlimited
}

/// Puts a service in place of each balancer: one whose every operation works for a moment and calls the same operation of
/// what it passes on to.
///
/// # Errors
/// Balancers that pass on to nobody, or to each other in a circle, or that do more than pass on.
pub(in crate::scenario) fn stand_in(scenario: &mut Scenario) -> Result<(), Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut services = Vec::new();
    for (name, balancer) in scenario.balancers.iter() {
        match operations(scenario, name, balancer) {
            Ok(operations) => services.push((name.clone(), service(balancer, operations))),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    scenario.services.extend(services);
    if mistakes.is_empty() { Ok(()) } else { Err(mistakes) }
}

/// The name and the description of an operation; neither for the service itself.
type Operation<'a> = (Option<&'a Located<Name>>, Option<&'a Op>);

/// What a service can be called for: itself, and its operations.
fn operations<'a>(
    scenario: &'a Scenario,
    name: &Located<Name>,
    balancer: &'a Balancer,
) -> Result<Vec<Operation<'a>>, Diagnostic> {
    let mut target = &balancer.to;
    // Each further balancer on the way is another one, unless they lead in a circle.
    for _ in 0..=scenario.balancers.len() {
        if let Some(op) = &target.op {
            return Err(Diagnostic::error(format!("a balancer passes on all operations; found one, `{}`", op.value))
                .at(target.origin, "write the service alone"));
        }
        let to = target.service.value.as_str();
        if let Some(service) = scenario.services.get(to) {
            let own = service.steps.is_some() || service.step.verb().is_some() || service.ops.is_empty();
            let ops = service.ops.iter().map(|(op, entry)| (Some(op), Some(entry)));
            return Ok(own.then_some((None, None)).into_iter().chain(ops).collect());
        }
        match scenario.balancers.get(to) {
            Some(next) => target = &next.to,
            None => {
                let services = scenario.services.iter().map(|(name, _)| name.as_str());
                let balancers = scenario.balancers.iter().map(|(name, _)| name.as_str());
                let known: Vec<_> = services.chain(balancers).filter(|known| *known != name.as_str()).collect();
                let at = Located { value: to, origin: target.origin };
                return Err(unknown_name(&at, "service", known));
            }
        }
    }
    Err(Diagnostic::error(format!("`{}` passes on in a circle", name.as_str())).at(balancer.to.origin, ""))
}

fn service(balancer: &Balancer, operations: Vec<Operation<'_>>) -> Service {
    let work = balancer.step.work.clone();
    let steps = |op: Option<&Located<Name>>| -> Steps {
        let to = &balancer.to;
        let op = op.map(|op| Piece { value: op.as_str().to_owned(), range: to.service.range.clone() });
        let target = Target { service: to.service.clone(), op };
        let work = work.clone().map(|work| Step { work: Some(work), ..Step::default() });
        let call = Step { call: Some(Located { value: target, origin: to.origin }), ..Step::default() };
        let located = |step| Located { value: step, origin: to.origin };
        Located { value: work.into_iter().chain([call]).map(located).collect(), origin: to.origin }
    };
    let mut own = None;
    let mut ops = Vec::new();
    for (name, op) in operations {
        match name {
            None => own = Some(steps(None)),
            Some(name) => {
                let reply_size = op.and_then(|op| op.reply_size.clone());
                let op = Op { reply_size, steps: Some(steps(Some(name))), step: Step::default() };
                ops.push((name.clone(), op));
            }
        }
    }
    Service {
        nodes: balancer.nodes,
        place: balancer.place.clone(),
        workers: balancer.workers,
        speed: balancer.speed.clone(),
        queue: balancer.queue.clone(),
        shed: balancer.shed.clone(),
        admit: balancer.admit.clone(),
        discipline: None,
        hold_worker: Some(Located { value: false, origin: balancer.to.origin }),
        balance: None,
        cancel: balancer.cancel,
        state: None,
        reply_size: None,
        ops: ops.into_iter().collect(),
        steps: own,
        step: Step { work: None, ..balancer.step.clone() },
        passes_on: true,
    }
}
