//! What a service's nodes are like: workers, queue, door.

use crate::model::{MakesRoom, QueueSpec, ServiceSpec};
use crate::protocol::queue::QueuePolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema::{Counts, Discipline, ExpireAt, Limit, Queue, QueueLimit, Service, WhenFull};

use super::distribution::times;
use super::state;

/// The nodes of a service; what is wrong with them goes to `mistakes`.
pub(super) fn spec(service: &Service, mistakes: &mut Vec<Diagnostic>) -> ServiceSpec {
    let workers = match service.workers {
        Limit::Constant(count) => Some(count),
        Limit::Unlimited => None,
    };
    let shares_workers = service.discipline.is_some_and(|discipline| discipline.value == Discipline::ProcessorSharing);
    let admit = service.admit.as_ref();
    ServiceSpec {
        workers,
        shares_workers,
        speed: speeds(service, mistakes),
        queue: queue(&service.queue, mistakes),
        shed: service.shed.as_ref().map(|shed| shed.value.policy.clone()),
        rate_limit: admit.and_then(|admit| Some(admit.rate_limit.as_ref()?.value.policy.clone())),
        concurrency_limit: admit.and_then(|admit| Some(admit.concurrency_limit.as_ref()?.value.policy.clone())),
        holds_worker: !shares_workers && service.hold_worker.is_none_or(|hold| hold.value),
        state: state::of(service),
        passes_on: service.passes_on,
        consumes: None,
        reads: None,
        outbox: None,
        duties: Default::default(),
    }
}

fn speeds(service: &Service, mistakes: &mut Vec<Diagnostic>) -> Vec<f64> {
    let Some(speeds) = &service.speed else { return vec![1.0] };
    let (count, nodes) = (speeds.value.0.len(), service.nodes().get() as usize);
    if count != 1 && count != nodes {
        mistakes.push(
            Diagnostic::error(format!("`speed` has {count} values for {nodes} nodes"))
                .at(speeds.origin, "one for all, or one for each node"),
        );
    }
    speeds.value.0.iter().map(|speed| speed.value()).collect()
}

fn queue(queue: &Queue, mistakes: &mut Vec<Diagnostic>) -> QueueSpec {
    let time_to_live = queue.time_to_live.as_ref().and_then(|written| match times(written) {
        Ok(law) => Some(law),
        Err(mistake) => {
            mistakes.push(mistake);
            None
        }
    });
    let limit = match queue.limit {
        QueueLimit::Constant(places) => Some(places),
        QueueLimit::Unlimited => None,
    };
    QueueSpec {
        limit,
        counts_present: queue.counts == Counts::Present,
        makes_room: match queue.when_full {
            WhenFull::Reject | WhenFull::Drop => None,
            WhenFull::RejectOldest | WhenFull::DropOldest => Some(MakesRoom::Oldest),
            WhenFull::RejectLowest | WhenFull::DropLowest => Some(MakesRoom::Lowest),
        },
        tells: match queue.when_full {
            WhenFull::Reject | WhenFull::RejectOldest | WhenFull::RejectLowest => true,
            WhenFull::Drop | WhenFull::DropOldest | WhenFull::DropLowest => false,
        },
        discipline: queue.discipline.as_ref().map_or_else(QueuePolicy::default, |written| written.value.policy.clone()),
        time_to_live,
        expires_at_once: queue.expire_at.is_some_and(|at| at.value == ExpireAt::Any),
    }
}
