//! What a plan's stations are to a formula: who asks, over which links, what is done for a request, and whether anything stands in the
//! way of all formulas. A reason is a sentence that a learner understands.

mod arrivals;
mod callers;
mod crossing;
mod demand;
mod patience;

use std::num::NonZeroU32;

use crate::model::{MakesRoom, QueueSpec, ServiceSpec, State};
use crate::protocol::queue::QueuePolicy;
use crate::scenario::plan::{Plan, ServiceGroup};

use super::queue::{Case, Kind, Load, Work};

pub(super) use callers::Caller;
pub(super) use crossing::{Crossing, crossing};
pub(super) use demand::{takes_time, works_of};
pub(super) use patience::{NEGLIGIBLE, is_plain as has_no_guard};

/// Why nothing is said.
pub(super) type Why = String;

/// A station that formulas can speak of.
pub(super) struct Station<'a> {
    pub group: ServiceGroup<'a>,
    pub callers: Vec<Caller<'a>>,
    /// The queues of its nodes, each with how many of them are like that.
    pub cases: Vec<(f64, Case)>,
    /// After how many seconds at the station a caller gives up in a way that changes what comes; nothing if none does.
    pub patience: Option<f64>,
}

/// A station as formulas see it; nothing if it does nothing that takes time, or nobody asks it.
pub(super) fn station<'a>(plan: &'a Plan, group: ServiceGroup<'a>) -> Result<Option<Station<'a>>, Why> {
    let asks = || plan.calls().iter().any(|call| call.target == group.target);
    if group.spec.consumes.is_some() || group.spec.reads.is_some() {
        return Err("its requests come from a broker, which hands them out as it sees fit".into());
    }
    if !asks() || !takes_time(plan, group) {
        return Ok(None);
    }
    is_plain(group.spec)?;
    let callers = callers::callers(plan, group)?;
    let works = demand::works(plan, group, &callers)?;
    let loads = arrivals::loads(plan, group, &callers)?;
    let (workers, places) = room(group.spec);
    let is_fifo = matches!(group.spec.queue.discipline, QueuePolicy::Fifo(_)) || places == workers && places.is_some();
    let mut cases: Vec<(f64, Case)> = Vec::new();
    // One stands for all where they are alike.
    let kinds = loads.len().max(works.len());
    let many = f64::from(group.nodes) / kinds as f64;
    for index in 0..kinds {
        let (load, work) = (&loads[index.min(loads.len() - 1)], &works[index.min(works.len() - 1)]);
        let is_shared = group.spec.shares_workers;
        let case = Case { load: load.clone(), work: work.clone(), workers, places, is_shared, is_fifo };
        match cases.iter_mut().find(|(_, known)| *known == case) {
            Some((count, _)) => *count += many,
            None => cases.push((many, case)),
        }
        if cases.len() > KINDS_MAX {
            return Err("its nodes differ in too many ways".into());
        }
    }
    for (_, case) in &cases {
        if let Some(utilisation) = case.utilisation().filter(|utilisation| *utilisation >= 1.0)
            && case.places.is_none()
        {
            let (one, percent) = (if group.nodes > 1 { "a node of it" } else { "it" }, utilisation * 100.0);
            return Err(format!("{percent:.0} % of what {one} can do is asked of it: its queue has no steady state"));
        }
    }
    let patience = patience::of_all(plan, group, &callers, places.is_some())?;
    Ok(Some(Station { group, callers, cases, patience }))
}

/// Nodes that differ in more ways than this are not told apart.
const KINDS_MAX: usize = 64;

/// Whether a request only waits for a worker, keeps it, and leaves.
pub(super) fn is_plain(spec: &ServiceSpec) -> Result<(), Why> {
    let queue = &spec.queue;
    let because = |why: &str| Err(why.to_owned());
    match () {
        () if spec.passes_on => because("it is a balancer, which works for a moment and waits for others"),
        () if spec.shed.is_some() => because("it sheds requests by a rule that looks at its queue"),
        () if spec.rate_limit.is_some() => because("a rate limit stands at its door"),
        () if spec.concurrency_limit.is_some() => because("a limit stands at its door that looks at what is inside"),
        () if queue.time_to_live.is_some() => because("requests that have waited too long leave its queue"),
        () if queue.makes_room.is_some_and(|room| matches!(room, MakesRoom::Oldest | MakesRoom::Lowest)) => {
            because("those that wait make room for those that come")
        }
        () if matches!(spec.state, State::Durable { .. }) => because("its requests end when its disk has written"),
        () if spec.outbox.is_some() || spec.coordinates => because("its requests wait for other services"),
        () if !takes_turns(queue) => Err(format!("`{}` decides whose turn it is", queue.discipline.name())),
        () => Ok(()),
    }
}

/// Whether turns do not look at the work or at who waits.
fn takes_turns(queue: &QueueSpec) -> bool {
    matches!(queue.discipline, QueuePolicy::Fifo(_) | QueuePolicy::Lifo(_) | QueuePolicy::RandomOrder(_))
}

/// How many can be at work, and present.
fn room(spec: &ServiceSpec) -> (Option<u32>, Option<u32>) {
    let workers = spec.workers.map(NonZeroU32::get);
    let places = match (spec.queue.limit, workers) {
        (Some(limit), _) if spec.queue.counts_present => Some(limit),
        (Some(limit), Some(workers)) => workers.checked_add(limit),
        _ => None,
    };
    (workers, places)
}

impl Station<'_> {
    /// Why no formula of the registry speaks of it.
    pub fn unknown(&self) -> Why {
        let Some((_, Case { load, work, workers, places, is_shared, .. })) = self.cases.first() else {
            return "nobody asks it".into();
        };
        let work_is = match work.kind {
            Kind::Exponential => "exponential work",
            Kind::Constant => "constant work",
            Kind::Other => "work of this law",
        };
        let many = match workers {
            Some(1) => "one worker".into(),
            Some(workers) => format!("{workers} workers"),
            None => "any number of workers".into(),
        };
        let shared = if *is_shared { ", shared," } else { "" };
        let room = places.map(|places| format!(" and room for {places}")).unwrap_or_default();
        let who = match load {
            Load::Open { gaps: super::queue::Gaps::Poisson, .. } => "Poisson arrivals",
            Load::Open { .. } => "arrivals that are not Poisson",
            Load::Pool { .. } => "a choice among queues",
            Load::Closed { .. } => "users who wait for their answers",
        };
        if !work.second_moment.is_finite() {
            return "its work has no variance, so the mean wait has no end".into();
        }
        format!("there is no closed form here for {who}, {work_is} and {many}{shared}{room}")
    }
}

/// Seconds of so many nanoseconds.
fn seconds(nanos: f64) -> f64 {
    nanos / 1e9
}

impl Work {
    /// Work that takes no time.
    fn none() -> Self {
        Self { mean: 0.0, second_moment: 0.0, kind: Kind::Constant, law: None }
    }
}
