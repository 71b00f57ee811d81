//! Who looks after whom: the routes whose senders learn of the members' health beside their answers, and what the members do
//! for that.

use std::sync::Arc;

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::model::{Call, Duties, HealthSpec, Target, Watch};
use crate::protocol::balance::BalancePolicy;
use crate::protocol::health::HealthPolicy;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::Origin;
use crate::scenario::schema::PolicyKeys;

use super::message::Kept;
use super::{Group, Role};

/// The most that may gossip together: a word of gossip has room for so many names.
const GOSSIPERS_MAX: u32 = 1 << 16;

/// What the keys of a step say of health.
pub(super) fn spec(keys: &PolicyKeys, is_unconfirmed: bool, mistakes: &mut Vec<Diagnostic>) -> HealthSpec {
    let spec = HealthSpec {
        checks: keys.health.as_ref().map(|health| health.policy.clone()),
        ejection: keys.outlier_detection.as_ref().map(|ejection| ejection.value.0.clone()),
        panic_threshold: keys.panic_threshold.map(|share| share.value.0).unwrap_or_default(),
    };
    let mut refuse = |place: Origin, message: &str, help: &str| {
        mistakes.push(Diagnostic::error(message).at(place, "").help(help));
    };
    if let Some(written) = keys.panic_threshold.filter(|share| !share.value.0.is_never() && spec.is_idle()) {
        let message = "`panic-threshold` has no effect: nobody is taken for down";
        refuse(written.origin, message, "write `health` or `outlier-detection` too");
    }
    if let Some(written) = keys.outlier_detection.as_ref().filter(|_| is_unconfirmed) {
        let message =
            "`outlier-detection` has no effect: a `send` that is delivered at most once is never acknowledged";
        refuse(written.origin, message, "write `delivery = \"at-least-once\"` to have it acknowledged");
    }
    spec
}

/// The watches of all routes, in an order that does not depend on that of the groups.
pub(super) fn watches(kept: &[Kept], calls: &[Call], names: &Names) -> Vec<Watch> {
    let mut watches = Vec::new();
    for (route, kept) in (0..).zip(kept) {
        if kept.health.is_idle() && !hears_of_idle(kept) {
            continue;
        }
        let call = calls.iter().position(|call| call.route == route);
        let senders = names.group(&kept.group).map(|group| names.members(group).collect::<Vec<NodeId>>());
        if let (Some(call), Some(senders)) = (call, senders)
            && let Some(&first) = senders.first()
        {
            let senders = Target { first, len: senders.len() as u32 };
            watches.push(Watch { route, call: call as u16, senders, health: kept.health.clone() });
        }
    }
    watches.sort_by_key(|watch| calls[usize::from(watch.call)].name);
    watches
}

fn hears_of_idle(kept: &Kept) -> bool {
    matches!(kept.balance, BalancePolicy::JoinIdleQueue(_))
}

/// Gives the nodes of services what they have to do; groups that gossip and are too large are refused.
pub(super) fn assign(
    groups: &mut [Group],
    watches: &[Watch],
    kept: &[Kept],
    calls: &[Call],
    targets: &[Target],
) -> Option<u32> {
    let mut too_many = None;
    let services = groups.iter_mut().filter_map(|group| match &mut group.role {
        Role::Service(spec, _) => Some(spec),
        Role::Client(_) | Role::Router | Role::Broker(..) | Role::LogBroker(..) | Role::LogController(_) => None,
    });
    // Services are targets, in the same order.
    for (target, spec) in services.enumerate() {
        let mut duties = Duties::default();
        for (place, watch) in
            (0..).zip(watches).filter(|(_, watch)| usize::from(calls[usize::from(watch.call)].target) == target)
        {
            match &watch.health.checks {
                Some(HealthPolicy::Detector(_)) => duties.beats.push(place),
                Some(HealthPolicy::Swim(_)) => {
                    let gossipers = watch.gossipers(&targets[target]);
                    too_many = too_many.or((gossipers > GOSSIPERS_MAX).then_some(gossipers));
                    duties.gossip.push(place);
                }
                Some(HealthPolicy::Probe(_)) | None => {}
            }
            if hears_of_idle(&kept[usize::from(watch.route)]) {
                duties.idle.push(place);
            }
        }
        if !duties.is_empty() {
            Arc::make_mut(spec).duties = Arc::new(duties);
        }
    }
    too_many
}
