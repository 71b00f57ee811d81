//! Laws that tie measured quantities to each other, whatever comes and however it is served: a law is a file, and a line of [`LAWS`].

mod little;
mod response_time;
mod utilisation;

use crate::model::Cancel;
use crate::protocol::queue::QueuePolicy;
use crate::scenario::plan::{Measure, Plan, ServiceGroup};

use super::forecast::{Forecast, Scope};
use super::scene::takes_time;

/// All laws.
pub(super) static LAWS: [&Law; 3] = [&little::LAW, &utilisation::LAW, &response_time::LAW];

/// A law.
pub(super) struct Law {
    /// What it says of a plan's stations or clients.
    pub forecasts: fn(&Plan) -> Vec<Forecast>,
}

/// The stations, with their places, at which every request is counted until it leaves, and times are those of all that left.
fn countable(plan: &Plan) -> impl Iterator<Item = (usize, ServiceGroup<'_>)> {
    plan.services().enumerate().filter(|(_, group)| {
        let (spec, queue) = (group.spec, &group.spec.queue);
        let leaves_late = queue.time_to_live.is_some() || queue.expires_at_once || queue.makes_room.is_some();
        let sheds = matches!(queue.discipline, QueuePolicy::Codel(_) | QueuePolicy::AdaptiveLifo(_));
        let is_fed = spec.consumes.is_some() || spec.reads.is_some();
        let calls = || plan.calls().iter().filter(|call| call.target == group.target);
        let is_taken_back = calls().any(|call| {
            let policy = &call.policy;
            policy.cancel != Cancel::None || policy.retry.deadline.is_some() || policy.guard.hedge.is_some()
        });
        let keeps = spec.holds_worker || spec.shares_workers;
        !leaves_late && !sheds && !is_fed && !is_taken_back && keeps && takes_time(plan, *group)
    })
}

/// What has to be known of a station: how many are served, the mean of a time that each of them takes, and how many end badly, of
/// whom that time is not known.
fn served(scope: &Scope, time: &str) -> Vec<Measure> {
    ["served.rate", time, "failed", "expired"].map(|written| scope.measure(written)).into()
}

/// How many are there at a time, of one of so many; no number where some end badly.
fn at_work(measured: &[f64], known: &[f64]) -> f64 {
    match measured {
        [rate, time, failed, expired] if failed + expired == 0.0 => rate * time / 1e9 / known[0],
        _ => f64::NAN,
    }
}
