//! Whether a scenario can be played at all: sizes are estimated before anything is built.

use super::load;
use super::message::Kept;
use crate::base::time::Span;
use crate::model::Watch;
use crate::protocol::health::HealthPolicy;
use crate::protocol::workload::arrivals::Arrivals;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::schema::Scenario;

/// The most nodes that are built, and the most users of a group.
const NODES_MAX: u64 = 20_000_000;
/// The most messages that are played in one run: some hours of computing.
const MESSAGES_MAX: f64 = 1e11;
/// The most changes of state that the nodes of a group walk through: nobody sees most of them if there are more.
const STAYS_MAX: f64 = 5e8;
/// The most looks that the senders of a stream take at the members of the group they send to.
const LOOKS_MAX: f64 = 1e9;

/// Refuses health checks of so many senders and members that little else would be played in a run of this length.
pub(super) fn refuse_restless_checks(
    kept: &[Kept],
    watches: &[Watch],
    members: impl Fn(&Watch) -> u32,
    length: Span,
    mistakes: &mut Vec<Diagnostic>,
) {
    for watch in watches {
        let (senders, members) = (f64::from(watch.senders.len), f64::from(members(watch)));
        let rounds = |interval: Span| length.as_nanos() as f64 / interval.as_nanos().max(1) as f64;
        let checks = watch.health.checks.as_ref().map(|checks| match checks {
            HealthPolicy::Probe(settings) => ("probe", rounds(settings.interval) * senders * members),
            HealthPolicy::Detector(policy) => ("heartbeat", rounds(policy.interval()) * senders * members),
            HealthPolicy::Swim(settings) => ("ping", rounds(settings.period) * (senders + members)),
        });
        let ejection = watch.health.ejection.as_ref();
        let ejection = ejection.map(|settings| ("outlier-detection", rounds(settings.interval) * senders));
        for (what, looks) in checks.into_iter().chain(ejection).filter(|(_, looks)| *looks > LOOKS_MAX) {
            let group = &kept[usize::from(watch.route)].group;
            mistakes.push(
                Diagnostic::error(format!(
                    "the health checks of `{group}` would take about {looks:.1e} looks ({what})"
                ))
                .help(format!(
                    "senders times members times intervals are at most {LOOKS_MAX:.0e}: make the interval longer"
                )),
            );
        }
    }
}

/// Refuses what would never end or never fit.
pub(super) fn refuse_the_absurd(scenario: &Scenario, duration: Span, mistakes: &mut Vec<Diagnostic>) {
    let client_nodes = scenario.clients.iter().map(|(_, client)| u64::from(client.nodes().get()));
    let service_nodes = scenario.services.iter().map(|(_, service)| u64::from(service.nodes().get()));
    let router_nodes = scenario.routers.iter().map(|(_, router)| u64::from(router.nodes().get()));
    let nodes: u64 = client_nodes.chain(service_nodes).chain(router_nodes).sum();
    if nodes > NODES_MAX {
        let gigabytes = nodes as f64 * 600.0 / 1e9;
        mistakes.push(
            Diagnostic::error(format!("{nodes} nodes would take about {gigabytes:.0} GB of memory"))
                .help(format!("a scenario has at most {NODES_MAX} nodes")),
        );
    }
    for (_, client) in scenario.clients.iter() {
        let Some(users) = client.users.as_ref().filter(|users| u64::from(users.value.get()) > NODES_MAX) else {
            continue;
        };
        let gigabytes = f64::from(users.value.get()) * 300.0 / 1e9;
        mistakes.push(
            Diagnostic::error(format!("{} users would take about {gigabytes:.0} GB of memory", users.value))
                .at(users.origin, "so many")
                .help(format!("a group has at most {NODES_MAX} users")),
        );
    }
    for (name, client) in scenario.clients.iter() {
        let Some(rate) = &client.rate else { continue };
        let span = load::span(client, duration);
        let offered = load::offered(&rate.value.policy, span);
        let counted = client.count.as_ref().map_or(f64::INFINITY, |count| f64::from(count.value.get()));
        if offered.min(counted) > MESSAGES_MAX {
            // A message takes some hundred nanoseconds of computing.
            let days = offered * 3e-7 / 86_400.0;
            mistakes.push(
                Diagnostic::error(format!(
                    "`{}` would offer about {offered:.1e} messages, which takes about {days:.0} days to play",
                    name.as_str()
                ))
                .at(rate.origin, "at this rate")
                .help(format!("a run plays at most {MESSAGES_MAX:.0e} messages; lower the rate or `run.duration`")),
            );
        }
        let Some(arrivals) = &client.arrivals else { continue };
        let process = arrivals.value.policy.start();
        let stays = process.states().map_or(0.0, |states| span.1.as_nanos() as f64 / states.mean_stay());
        if stays * f64::from(client.nodes().get()) > STAYS_MAX {
            let message = format!("`{}` would change its state about {stays:.1e} times", name.as_str());
            mistakes.push(
                Diagnostic::error(message)
                    .at(arrivals.origin, "")
                    .help(format!("nodes times changes are at most {STAYS_MAX:.0e}: make the stays longer")),
            );
        }
    }
}
