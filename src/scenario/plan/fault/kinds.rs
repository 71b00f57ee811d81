//! From what is written of a fault to what it does.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rand_chacha::ChaCha8Rng;

use super::choice::{Choice, Finder, Messages, Target};
use super::led::AtLeaders;
use super::schedule::Schedule;
use super::{Effect, FaultSpec};
use crate::base::distribution::Distribution;
use crate::base::id::NodeId;
use crate::base::time::{Span, Time, ns};
use crate::model::{Leaders, Letter};
use crate::network::Network;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, OneOrMany, Origin};
use crate::scenario::plan::distribution::times;
use crate::scenario::plan::nodes::Nodes;
use crate::scenario::plan::topic::Topics;
use crate::scenario::schema::{self, FaultKind, Name, Named, Passages, Times};
use crate::scenario::selector::Selector;
use crate::sim::{
    Corrupt, Crash, Cut, Delay, DiskFull, Duplicate, Fault, Hold, Impair, Impairment, Loss, Pace, Pause, Reorder,
    Severed, Skew, Slow, Surge,
};

/// The most strikes of one fault.
const STRIKES_MAX: f64 = 1e5;

/// The most lives of a node that sends: its messages are numbered in 32 bits, eight of which tell lives apart.
const STARTS_MAX: f64 = 200.0;

/// The most by which a load is multiplied.
const FACTOR_MAX: f64 = 1e6;

/// What faults are planned in.
pub(in crate::scenario::plan) struct Surroundings<'a> {
    /// The nodes.
    pub nodes: Nodes<'a>,
    /// The links.
    pub network: &'a Network,
    /// Nodes that bring load at a rate.
    pub loads: BTreeSet<NodeId>,
    /// Nodes that write to a disk.
    pub disks: BTreeSet<NodeId>,
    /// Nodes that send messages of their own.
    pub senders: BTreeSet<NodeId>,
    /// The topics.
    pub topics: &'a Topics,
    /// How long a run lasts.
    pub length: Span,
}

/// The faults of a scenario.
pub(in crate::scenario::plan) fn faults(
    faults: &Named<schema::Fault>,
    surroundings: Surroundings<'_>,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<FaultSpec> {
    let Surroundings { nodes, network, loads, disks, senders, topics, length } = surroundings;
    let mut links: BTreeMap<&str, BTreeSet<_>> = BTreeMap::new();
    for (id, name, _) in network.links() {
        links.entry(name).or_default().insert(id);
    }
    let planner = Planner { finder: Finder { nodes, links, topics }, loads, disks, senders, length };
    let planned = faults.iter().map(|(name, fault)| planner.fault(name, fault));
    planned.filter_map(|fault| fault.map_err(|mistake| mistakes.push(mistake)).ok()).collect()
}

struct Planner<'a> {
    finder: Finder<'a>,
    loads: BTreeSet<NodeId>,
    disks: BTreeSet<NodeId>,
    senders: BTreeSet<NodeId>,
    length: Span,
}

type Planned<T> = Result<T, Diagnostic>;

/// One strike.
type Blow = Arc<dyn Fault<Letter>>;

fn together(strike: impl Fn(&mut ChaCha8Rng) -> Blow + Send + Sync + 'static) -> Effect {
    Effect { node: None, strike: Arc::new(move |luck, _| strike(luck)) }
}

/// Refuses a target of which not all belong to these nodes.
fn all_are(
    target: &Target,
    nodes: &BTreeSet<NodeId>,
    selectors: &OneOrMany<Located<Selector>>,
    message: &str,
) -> Planned<()> {
    let is_well = match target {
        Target::Together(choice) => choice.candidates().all(|node| nodes.contains(&node)),
        Target::Each(members) => members.iter().all(|node| nodes.contains(node)),
        Target::Led(led) => led.replicas.iter().all(|node| nodes.contains(node)),
    };
    if is_well {
        return Ok(());
    }
    Err(selectors.0.iter().fold(Diagnostic::error(message), |mistake, selector| mistake.at(selector.origin, "")))
}

impl Planner<'_> {
    fn fault(&self, name: &Located<Name>, fault: &schema::Fault) -> Planned<FaultSpec> {
        let kind = fault.kinds().next().expect("a fault that was read is of one kind");
        let schedule = self.schedule(name, fault, kind)?;
        let effects = self.effects(kind, &schedule)?;
        if let Some((from, _)) = schedule.window().filter(|(from, _)| *from >= Time::ZERO + self.length) {
            let message = format!("fault `{}` would strike after the end of the run", name.as_ref());
            let place = fault.at.as_ref().map_or(name.origin, |at| at.origin);
            let end = format!("at {}, and nothing is played from {} on", from.since(Time::ZERO), self.length);
            return Err(Diagnostic::error(message).at(place, end));
        }
        let strikes = schedule.strikes_expected(self.length) * effects.len() as f64;
        if strikes > STRIKES_MAX {
            let message = format!("this would strike about {strikes:.0e} times");
            let place = fault.every.as_ref().map_or(kind.origin(), |every| every.origin);
            return Err(Diagnostic::error(message).at(place, ""));
        }
        Ok(FaultSpec { name: name.as_ref().to_owned(), kind: kind.name(), schedule, effects })
    }

    fn effects(&self, kind: FaultKind<'_>, schedule: &Schedule) -> Planned<Vec<Effect>> {
        let target = |nodes: &OneOrMany<Located<Selector>>| self.finder.target(nodes);
        Ok(match kind {
            FaultKind::Crash(nodes) | FaultKind::Restart(nodes) => {
                let target = self.finder.without_controllers(target(&nodes.value)?, &nodes.value)?;
                self.few_starts(&target, schedule.strikes_expected(self.length), nodes.origin)?;
                self.on_nodes(target, |nodes| Crash { nodes })
            }
            FaultKind::Pause(nodes) => self.on_nodes(target(&nodes.value)?, |nodes| Pause { nodes }),
            FaultKind::DiskFull(nodes) => {
                let target = target(&nodes.value)?;
                let message = "only services with `state = \"durable\"` write to a disk";
                all_are(&target, &self.disks, &nodes.value, message)?;
                self.on_nodes(target, |nodes| DiskFull { nodes })
            }
            FaultKind::Isolate(nodes) => {
                self.on_nodes(target(&nodes.value)?, |nodes| Cut(Severed::Alone(nodes.into_iter().collect())))
            }
            FaultKind::Slow(slow) => {
                let factor = slow.value.factor;
                if factor.value.value() < 1.0 {
                    let message = "a slow node takes longer: `factor` is at least 1";
                    return Err(Diagnostic::error(message).at(factor.origin, ""));
                }
                let factor = factor.value.value();
                self.on_nodes(target(&slow.value.on)?, move |nodes| Slow { nodes, factor })
            }
            FaultKind::Skew(skew) => {
                let rate = skew.value.rate.value.value();
                self.on_nodes(target(&skew.value.on)?, move |nodes| Skew { nodes, rate, offset: 0 })
            }
            FaultKind::Load(load) => {
                let target = target(&load.value.on)?;
                if load.value.factor.value.value() > FACTOR_MAX {
                    let message =
                        format!("a load of {:e} times is beyond what can be played", load.value.factor.value.value());
                    return Err(Diagnostic::error(message)
                        .at(load.value.factor.origin, "")
                        .help(format!("at most {FACTOR_MAX:e}")));
                }
                let message =
                    "only clients with a `rate` or a `trace` bring more load: users bring as much as they get served";
                all_are(&target, &self.loads, &load.value.on, message)?;
                let factor = load.value.factor.value.value();
                self.on_nodes(target, move |nodes| Surge { nodes, factor })
            }
            FaultKind::Partition(sides) => {
                let partition = self.finder.sides(sides)?;
                vec![together(move |luck| Arc::new(Cut(Severed::Sides(partition.nodes(luck)))))]
            }
            FaultKind::Cut(cut) => {
                let (from, to) = (self.finder.choice(&cut.value.from)?, self.finder.choice(&cut.value.to)?);
                vec![together(move |luck| Arc::new(Cut(Severed::OneWay(from.nodes(luck), to.nodes(luck)))))]
            }
            FaultKind::Hold(passages) => self.on_messages(&passages.value, Hold)?,
            FaultKind::Loss(loss) => self.impaired(&loss.value.passages, Loss(loss.value.share.value.0))?,
            FaultKind::Duplicate(copies) => {
                self.impaired(&copies.value.passages, Duplicate(copies.value.share.value.0))?
            }
            FaultKind::Corrupt(damage) => self.impaired(&damage.value.passages, Corrupt(damage.value.share.value.0))?,
            FaultKind::Latency(delay) => self.impaired(&delay.value.passages, Delay(times(&delay.value.add)?))?,
            FaultKind::Bandwidth(pace) => {
                let rate = pace.value.rate.value.0;
                self.on_messages(&pace.value.passages, move |on| Pace { on, rate })?
            }
            FaultKind::Reorder(reorder) => {
                let (share, by) = (reorder.value.share.value.0, times(&reorder.value.by)?);
                self.impaired(&reorder.value.passages, Reorder { share, by })?
            }
        })
    }

    /// Refuses to start a node that sends so often that its messages could no longer be told from those of its former lives.
    fn few_starts(&self, target: &Target, strikes: f64, place: Origin) -> Planned<()> {
        let sends = |node: &NodeId| self.senders.contains(node);
        let starts = match target {
            Target::Each(nodes) => {
                if nodes.iter().any(sends) {
                    strikes
                } else {
                    0.0
                }
            }
            Target::Together(choice) => strikes * choice.share(sends),
            // Brokers send nothing of their own.
            Target::Led(_) => 0.0,
        };
        if starts <= STARTS_MAX {
            return Ok(());
        }
        let message = format!(
            "a node that sends would start about {starts:.0} times: at most {STARTS_MAX} lives can be told apart"
        );
        Err(Diagnostic::error(message).at(place, ""))
    }

    /// What strikes nodes, made of those who are struck.
    fn on_nodes<F: Fault<Letter>>(
        &self,
        target: Target,
        blow: impl Fn(Vec<NodeId>) -> F + Send + Sync + 'static,
    ) -> Vec<Effect> {
        let blow = Arc::new(blow);
        let strike = |choice: Choice| {
            let blow = Arc::clone(&blow);
            together(move |luck| Arc::new(blow(choice.nodes(luck).into_iter().collect())))
        };
        let names = self.finder.nodes.names;
        match target {
            Target::Together(choice) => vec![strike(choice)],
            Target::Led(led) => {
                let blow = Arc::clone(&blow);
                let strike = move |_: &mut ChaCha8Rng, leaders: &Leaders| -> Blow {
                    let blow = Arc::clone(&blow);
                    Arc::new(AtLeaders::new(led.clone(), leaders, move |nodes| Arc::new(blow(nodes))))
                };
                vec![Effect { node: None, strike: Arc::new(strike) }]
            }
            Target::Each(nodes) => {
                let each = |node| Effect { node: Some(names.entity(node)), ..strike(Choice::one(node)) };
                nodes.into_iter().map(each).collect()
            }
        }
    }

    /// What strikes messages one by one.
    fn impaired(&self, passages: &Passages, with: impl Impairment + Clone) -> Planned<Vec<Effect>> {
        self.on_messages(passages, move |path| Impair::new(path, with.clone()))
    }

    /// What strikes messages, made of those that are struck.
    fn on_messages<F: Fault<Letter>>(
        &self,
        passages: &Passages,
        blow: impl Fn(crate::sim::Path) -> F + Send + Sync + 'static,
    ) -> Planned<Vec<Effect>> {
        let messages: Messages = self.finder.messages(passages)?;
        Ok(vec![together(move |luck| Arc::new(blow(messages.path(luck))))])
    }

    fn schedule(&self, name: &Located<Name>, fault: &schema::Fault, kind: FaultKind<'_>) -> Planned<Schedule> {
        let refuse = |place, message: &str| Err(Diagnostic::error(message).at(place, ""));
        let law = |spec: &Times| times(spec);
        match (&fault.at, &fault.lasts, &fault.every) {
            (Some(at), lasts, None) => {
                let lasts = match (lasts, kind) {
                    (Some(lasts), _) => Some(law(lasts)?),
                    (None, FaultKind::Restart(_)) => Some(Distribution::constant(ns(1))),
                    (None, _) => None,
                };
                Ok(Schedule::Once { at: law(at)?, lasts })
            }
            (None, Some(down), Some(every)) => Ok(Schedule::Again { up: law(every)?, down: law(down)? }),
            (None, None, Some(every)) if matches!(kind, FaultKind::Restart(_)) => {
                Ok(Schedule::Again { up: law(every)?, down: Distribution::constant(ns(1)) })
            }
            (Some(_), _, Some(every)) => {
                refuse(every.origin, "a fault strikes once, `at` a time, or again and again, `every` so often")
            }
            (None, None, Some(every)) => {
                refuse(every.origin, "a fault that strikes again and again heals in between: it needs `for`")
            }
            (None, _, None) => {
                let message = format!("fault `{}` needs a time: `at`, or `every` with `for`", name.as_ref());
                Err(Diagnostic::error(message).at(name.origin, ""))
            }
        }
    }
}
