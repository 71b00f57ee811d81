//! What a service's nodes are like: workers, queue, door.

use std::num::NonZeroU32;

use crate::model::{MakesRoom, QueueSpec, ServiceSpec};
use crate::protocol::queue::QueuePolicy;
use crate::protocol::shed::ShedPolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{Counts, Discipline, ExpireAt, Limit, Queue, QueueLimit, Service, WhenFull};

use super::distribution::times;
use super::state;

/// The nodes of a service; what is wrong with them goes to `mistakes`.
pub(super) fn spec(name: &str, service: &Service, mistakes: &mut Vec<Diagnostic>) -> ServiceSpec {
    let workers = match service.workers {
        Limit::Constant(count) => Some(count),
        Limit::Unlimited => None,
    };
    let sharing = service.discipline.filter(|discipline| discipline.value == Discipline::ProcessorSharing);
    if let Some(sharing) = sharing {
        refuse_beside_sharing(service, workers, sharing, mistakes);
    }
    if workers.is_none() {
        refuse(mistakes, service.shed.as_ref().map(|shed| shed.origin), || {
            format!("`shed` has no effect: nobody waits, as `{name}` has unlimited workers")
        });
    }
    ServiceSpec {
        workers,
        shares_workers: sharing.is_some(),
        speed: speeds(service, mistakes),
        queue: queue(name, &service.queue, workers, mistakes),
        shed: service.shed.as_ref().map(|shed| shed.value.policy.clone()),
        holds_worker: sharing.is_none() && service.hold_worker.is_none_or(|hold| hold.value),
        state: state::of(service),
        passes_on: service.passes_on,
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

fn queue(name: &str, queue: &Queue, workers: Option<NonZeroU32>, mistakes: &mut Vec<Diagnostic>) -> QueueSpec {
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
    if workers.is_none() {
        let useless = [
            ("discipline", queue.discipline.as_ref().map(|written| written.origin)),
            ("time-to-live", queue.time_to_live.as_ref().map(|written| written.origin)),
            ("expire-at", queue.expire_at.map(|written| written.origin)),
        ];
        for (key, place) in useless {
            refuse(mistakes, place, || {
                format!("`{key}` has no effect: nobody waits, as `{name}` has unlimited workers")
            });
        }
    }
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

/// Nobody waits where all share the workers.
fn refuse_beside_sharing(
    service: &Service,
    workers: Option<NonZeroU32>,
    sharing: Located<Discipline>,
    mistakes: &mut Vec<Diagnostic>,
) {
    let queue = &service.queue;
    let shed = service.shed.as_ref().filter(|shed| matches!(shed.value.policy, ShedPolicy::ExpectedWait(_)));
    let useless = [
        ("queue.discipline", queue.discipline.as_ref().map(|written| written.origin)),
        ("queue.time-to-live", queue.time_to_live.as_ref().map(|written| written.origin)),
        ("queue.expire-at", queue.expire_at.map(|written| written.origin)),
        ("hold-worker", service.hold_worker.map(|written| written.origin)),
        ("expected-wait", shed.map(|written| written.origin)),
    ];
    for (key, place) in useless {
        refuse(mistakes, place, || {
            format!("`{key}` has no effect beside `processor-sharing`: nobody waits for a worker")
        });
    }
    if matches!(
        queue.when_full,
        WhenFull::RejectOldest | WhenFull::DropOldest | WhenFull::RejectLowest | WhenFull::DropLowest
    ) {
        refuse(mistakes, Some(sharing.origin), || {
            "with `processor-sharing` all have begun, and nobody makes room: `when-full` is `reject` or `drop`".into()
        });
    }
    if workers.is_none() {
        refuse(mistakes, Some(sharing.origin), || "with unlimited workers there is nothing to share".into());
    }
}

fn refuse(mistakes: &mut Vec<Diagnostic>, place: Option<Origin>, message: impl FnOnce() -> String) {
    if let Some(place) = place {
        mistakes.push(Diagnostic::error(message()).at(place, ""));
    }
}
