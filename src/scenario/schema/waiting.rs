//! What has no effect at a node where nobody waits.

use super::chosen::Chosen;
use super::families::Shed;
use super::{Balancer, Discipline, Limit, Queue, Service, WhenFull};
use crate::protocol::shed::ShedPolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};

/// What the keys of a service about waiting demand of each other.
pub(super) fn of_service(owner: &str, service: &Service) -> Vec<Diagnostic> {
    let sharing = service.discipline.filter(|discipline| discipline.value == Discipline::ProcessorSharing);
    let Some(sharing) = sharing else {
        return where_all_begin(owner, service.workers, &service.queue, service.shed.as_ref());
    };
    if service.workers == Limit::Unlimited {
        return refusals([(Some(sharing.origin), "with unlimited workers there is nothing to share".into())]);
    }
    let expects = |shed: &&Located<Chosen<Shed>>| matches!(shed.value.policy, ShedPolicy::ExpectedWait(_));
    let shed = service.shed.as_ref().filter(expects).map(|shed| ("expected-wait", Some(shed.origin)));
    let hold = [("hold-worker", service.hold_worker.map(|hold| hold.origin))];
    let useless = about_turns(&service.queue).into_iter().chain(hold).chain(shed);
    let useless = useless.map(|(key, place)| {
        (place, format!("`{key}` has no effect beside `processor-sharing`: nobody waits for a worker"))
    });
    let makes_room = !matches!(service.queue.when_full, WhenFull::Reject | WhenFull::Drop);
    let message = "with `processor-sharing` all have begun, so nobody makes room: `when-full` is `reject` or `drop`";
    refusals(useless.chain([(makes_room.then_some(sharing.origin), message.to_owned())]))
}

/// What the keys of a balancer about waiting demand of each other.
pub(super) fn of_balancer(owner: &str, balancer: &Balancer) -> Vec<Diagnostic> {
    where_all_begin(owner, balancer.workers, &balancer.queue, balancer.shed.as_ref())
}

fn where_all_begin(
    owner: &str,
    workers: Limit,
    queue: &Queue,
    shed: Option<&Located<Chosen<Shed>>>,
) -> Vec<Diagnostic> {
    if workers != Limit::Unlimited {
        return Vec::new();
    }
    let useless = about_turns(queue).into_iter().chain([("shed", shed.map(|shed| shed.origin))]);
    refusals(
        useless.map(|(key, place)| {
            (place, format!("`{key}` has no effect: nobody waits, as {owner} has unlimited workers"))
        }),
    )
}

/// The keys about those that wait for their turn.
fn about_turns(queue: &Queue) -> [(&'static str, Option<Origin>); 3] {
    [
        ("discipline", queue.discipline.as_ref().map(|written| written.origin)),
        ("time-to-live", queue.time_to_live.as_ref().map(|written| written.origin)),
        ("expire-at", queue.expire_at.map(|written| written.origin)),
    ]
}

fn refusals(found: impl IntoIterator<Item = (Option<Origin>, String)>) -> Vec<Diagnostic> {
    let refuse = |(place, message): (Option<Origin>, String)| Some(Diagnostic::error(message).at(place?, ""));
    found.into_iter().filter_map(refuse).collect()
}
