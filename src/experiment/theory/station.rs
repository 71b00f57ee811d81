//! From the queues of a station's nodes to quantities of the scenario's grammar: of all nodes together, and of those who ask.

use crate::base::time::Span;
use crate::scenario::plan::{Plan, ServiceGroup};

use super::Relation;
use super::forecast::{Forecast, Scope, Value};
use super::queue::{FORMULAS, Formula, Steady};
use super::scene::{Caller, NEGLIGIBLE, Station, Why, station};

/// What formulas say of a station, which is the `index`-th.
pub(super) fn forecasts(plan: &Plan, index: usize, group: ServiceGroup<'_>) -> Result<Vec<Forecast>, Why> {
    let Some(station) = station(plan, group)? else { return Ok(Vec::new()) };
    let Some((formula, nodes)) = FORMULAS.iter().find_map(|formula| Some((*formula, all(&station, formula)?))) else {
        return Err(station.unknown());
    };
    let pool = Pool { nodes, count: f64::from(group.nodes) };
    if let Some(limit) = station.patience {
        is_patient(&pool, limit)?;
    }
    let scope = Scope::station(plan, index, group.name);
    let name = pool.first().name.clone();
    let (settled, unsettled) = settles(plan, &station).unzip();
    let meant = match pool.first().relation {
        Relation::Equal => settled.unwrap_or_default(),
        other => other,
    };
    let note = pool.first().note.clone().or(unsettled);
    let mut forecasts = Vec::new();
    for (written, value) in pool.quantities(&station) {
        let relation = match (meant, written) {
            (Relation::AtMost, "residence.mean") => Relation::AtLeast,
            (relation, _) => relation,
        };
        let forecast = scope.forecast(written, &name, formula.source, Value::Known(value));
        forecasts.push(Forecast { relation, note: note.clone(), ..forecast });
    }
    for caller in &station.callers {
        let answers = answers(plan, &station, &pool, caller, formula.source);
        let meant = |forecast| Forecast { relation: meant, note: note.clone(), ..forecast };
        forecasts.extend(answers.into_iter().map(meant));
    }
    Ok(forecasts)
}

/// What a formula says of each kind of node, if it applies to all.
fn all(station: &Station<'_>, formula: &Formula) -> Option<Vec<(f64, f64, Steady)>> {
    let cases = station.cases.iter();
    cases.map(|(many, case)| Some((*many, case.rate(), (formula.steady)(case)?))).collect()
}

/// The queues of all nodes: how many are like that, what comes to one, and what a formula says.
struct Pool {
    nodes: Vec<(f64, f64, Steady)>,
    count: f64,
}

impl Pool {
    fn first(&self) -> &Steady {
        &self.nodes[0].2
    }

    /// The mean over nodes.
    fn by_node(&self, of: impl Fn(&Steady) -> Option<f64>) -> Option<f64> {
        let parts: Option<Vec<f64>> = self.nodes.iter().map(|(many, _, steady)| Some(many * of(steady)?)).collect();
        Some(parts?.iter().sum::<f64>() / self.count)
    }

    /// The mean over requests that are served.
    fn by_request(&self, of: impl Fn(&Steady) -> Option<f64>) -> Option<f64> {
        if let [(_, _, only)] = &self.nodes[..] {
            return of(only);
        }
        let weight = |(many, rate, steady): &(f64, f64, Steady)| many * rate * (1.0 - steady.loss.unwrap_or(0.0));
        let all: f64 = self.nodes.iter().map(weight).sum();
        let parts: Option<Vec<f64>> = self.nodes.iter().map(|node| Some(weight(node) * of(&node.2)?)).collect();
        Some(parts?.iter().sum::<f64>() / all)
    }

    /// The share of requests that find no room.
    fn loss(&self) -> Option<f64> {
        let all: f64 = self.nodes.iter().map(|(many, rate, _)| many * rate).sum();
        let lost: Option<Vec<f64>> =
            self.nodes.iter().map(|(many, rate, steady)| Some(many * rate * steady.loss?)).collect();
        Some(lost?.iter().sum::<f64>() / all)
    }

    /// The share of requests that stay for longer than so many seconds.
    fn longer(&self, time: f64) -> Option<f64> {
        self.by_request(|steady| Some(steady.longer.as_ref()?(time)))
    }

    /// The time that a share `p` of requests does not stay longer than, in seconds.
    fn quantile(&self, p: f64) -> Option<f64> {
        let mut high = self.by_request(|steady| steady.residence)?;
        let (mut low, mut doublings) = (0.0, 0);
        while self.longer(high)? > 1.0 - p {
            (low, high, doublings) = (high, high * 2.0, doublings + 1);
            if doublings > 60 {
                return None;
            }
        }
        for _ in 0..100 {
            let middle = 0.5 * (low + high);
            if self.longer(middle)? > 1.0 - p { low = middle } else { high = middle }
        }
        Some(high)
    }

    /// Quantities as they are written, and their values in base units.
    fn quantities(&self, station: &Station<'_>) -> Vec<(&'static str, f64)> {
        let nanos = |seconds: f64| seconds * 1e9;
        let workers = station.group.spec.workers.map(|workers| f64::from(workers.get()));
        let served = || {
            let served = self.nodes.iter().map(|(many, rate, steady)| {
                // Of users it is known of all nodes together.
                let is_of_node = *rate > 0.0;
                Some(if is_of_node { many * steady.served? } else { steady.served? })
            });
            served.sum::<Option<f64>>()
        };
        let quantities = [
            ("busy", self.by_node(|steady| steady.busy).zip(workers).map(|(busy, workers)| busy / workers)),
            ("rejected", self.loss()),
            ("served.rate", served()),
            ("wait.at-least(1ns)", self.by_request(|steady| steady.waits)),
            ("wait.mean", self.by_request(|steady| steady.wait).map(nanos)),
            ("waiting.mean", self.by_node(|steady| steady.waiting)),
            ("present.mean", self.by_node(|steady| steady.present)),
            ("residence.mean", self.by_request(|steady| steady.residence).map(nanos)),
            ("residence.p50", self.quantile(0.5).map(nanos)),
            ("residence.p99", self.quantile(0.99).map(nanos)),
        ];
        quantities.into_iter().filter_map(|(written, value)| Some((written, value?))).collect()
    }
}

/// Whether next to nobody stays for longer than callers wait.
fn is_patient(pool: &Pool, limit: f64) -> Result<(), Why> {
    let time = Span::from_secs_f64(limit);
    match pool.longer(limit) {
        None => Err(format!("callers give up after {time} at it, and no formula says how many do")),
        Some(share) if share > NEGLIGIBLE => {
            Err(format!("{:.3} % would be at it for longer than {time}, when their callers give up", share * 100.0))
        }
        Some(_) => Ok(()),
    }
}

/// How far the measured time is from the long run that formulas are of: what is said, and how predictions are then meant.
fn settles(plan: &Plan, station: &Station<'_>) -> Option<(Relation, String)> {
    let times = station.cases.iter().filter_map(|(_, case)| case.relaxation());
    let slowest = times.fold(0.0, f64::max);
    let (from, to) = plan.measured();
    let measured = to.since(from).as_secs_f64();
    if measured < 20.0 * slowest {
        let time = rounded(slowest);
        let why = format!("it takes about {time} to forget its past: the measured time is too short for that");
        return Some((Relation::Near, why));
    }
    let is_warm = plan.warmup.as_secs_f64() >= 3.0 * slowest;
    (!is_warm && measured < 1_000.0 * slowest).then(|| {
        let time = rounded(5.0 * slowest);
        let why = format!("it starts empty, and formulas are of later: `warmup = \"{time}\"` would leave that out");
        (Relation::Equal, why)
    })
}

/// A time with two digits, as a scenario would write it.
fn rounded(seconds: f64) -> Span {
    let nanos = seconds * 1e9;
    let unit = libm::pow(10.0, libm::floor(libm::log10(nanos.max(1.0))) - 1.0).max(1.0);
    Span::from_nanos_f64(libm::ceil(nanos / unit) * unit)
}

/// The latency of those who ask and wait for the answer: the way there, the stay, the way back.
fn answers(
    plan: &Plan,
    station: &Station<'_>,
    pool: &Pool,
    caller: &Caller<'_>,
    source: &'static str,
) -> Vec<Forecast> {
    let Caller { call, out, back, .. } = caller;
    let (Some(there), Some(home), Some(scope)) = (out.mean(), back.mean(), Scope::flow(plan, caller.flow)) else {
        return Vec::new();
    };
    // Of others it is not known how long one of several kinds stays.
    let is_one_kind = station.callers.iter().all(|other| other.call.program == call.program);
    if !call.is_request || caller.sleep.is_some() || !is_one_kind || pool.first().relation != Relation::Equal {
        return Vec::new();
    }
    // Latency is of those that were answered: all of them, unless their caller has given up.
    if call.policy.gives_up() {
        let timeout = call.policy.retry.timeout.as_ref().map(|timeout| timeout.at(std::num::NonZeroU32::MIN));
        let limit = timeout.into_iter().chain(call.policy.retry.deadline).min();
        let left = limit.map(|limit| limit.as_secs_f64() - there - home);
        let is_rare = |left: f64| left > 0.0 && pool.longer(left).is_some_and(|share| share <= NEGLIGIBLE);
        if call.policy.guard.timeout.is_some() || !left.is_some_and(is_rare) {
            return Vec::new();
        }
    }
    let stay = pool.by_request(|steady| steady.residence);
    let mut quantities = vec![("latency.mean", stay)];
    if out.is_even && back.is_even {
        quantities.extend([("latency.p50", pool.quantile(0.5)), ("latency.p99", pool.quantile(0.99))]);
    }
    let name = format!("{} + way", pool.first().name);
    let forecast = |(written, stay): (&str, Option<f64>)| {
        let value = Value::Known((there + stay? + home) * 1e9);
        Some(scope.forecast(written, &name, source, value))
    };
    quantities.into_iter().filter_map(forecast).collect()
}
