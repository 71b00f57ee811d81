//! Faults: when they strike, whom they strike.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;

use super::distribution::times;
use super::nodes::{Nodes, at_places};
use crate::base::distribution::Distribution;
use crate::base::id::NodeId;
use crate::base::random::{Seed, Uniform};
use crate::base::time::{Span, Time};
use crate::model::Envelope;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, OneOrMany, Origin};
use crate::scenario::schema::{Fault, FaultKind, Name, Named, Times};
use crate::scenario::selector::{Base, Selector, Which};
use crate::sim::{Cluster, Crash, Cut, Pause, Severed, Slow};

/// The most strikes of one fault.
const STRIKES_MAX: f64 = 1e5;

/// A fault of a scenario, resolved.
#[derive(Clone, Debug)]
pub struct FaultSpec {
    /// What it is called.
    pub name: String,
    /// What it does, as written.
    pub kind: &'static str,
    schedule: Schedule,
    effect: Effect,
}

#[derive(Clone, Debug)]
enum Schedule {
    Once { at: Distribution, lasts: Option<Distribution> },
    Again { up: Distribution, down: Distribution },
}

#[derive(Clone, Debug)]
enum Effect {
    Crash(Choice),
    Pause(Choice),
    Slow(Choice, f64),
    Partition(Vec<Choice>),
    Isolate(Choice),
    Cut(Choice, Choice),
}

/// Nodes to choose from: all of the first, and so many of each of the others.
#[derive(Clone, Default, Debug)]
struct Choice {
    all: BTreeSet<NodeId>,
    any: Vec<(Vec<NodeId>, u32)>,
}

impl Choice {
    /// Those who are struck this time.
    fn nodes(&self, luck: &mut ChaCha8Rng) -> BTreeSet<NodeId> {
        let mut nodes = self.all.clone();
        for (members, count) in &self.any {
            let mut left = members.clone();
            for _ in 0..*count {
                nodes.insert(left.swap_remove(draw(luck).below(left.len() as u64) as usize));
            }
        }
        nodes
    }
}

fn draw(luck: &mut ChaCha8Rng) -> Uniform {
    use rand::rand_core::TryRng;
    let Ok(bits) = luck.try_next_u64();
    Uniform::from_bits(bits)
}

impl FaultSpec {
    /// From when to when it lasts, if that is known beforehand.
    pub fn window(&self) -> Option<(Time, Time)> {
        let Schedule::Once { at, lasts } = &self.schedule else { return None };
        let known = |law: &Distribution| law.is_constant().then(|| law.minimum());
        let from = Time::ZERO + known(at)?;
        let to = match lasts {
            None => Time::MAX,
            Some(lasts) => from + known(lasts)?,
        };
        Some((from, to))
    }

    /// Has it happen in a run with this seed that lasts until `end` at most.
    pub(super) fn add_to(&self, cluster: &mut Cluster<Envelope>, seed: Seed, end: Time) {
        let mut luck = seed.generator(&format!("fault {}", self.name));
        for strike in self.strikes(&mut luck, end) {
            self.strike(cluster, &mut luck, strike);
        }
    }

    fn strikes(&self, luck: &mut ChaCha8Rng, end: Time) -> Vec<(Time, Option<Time>)> {
        match &self.schedule {
            Schedule::Once { at, lasts } => {
                let from = Time::ZERO + at.sample(draw(luck));
                vec![(from, lasts.as_ref().map(|lasts| from + lasts.sample(draw(luck))))]
            }
            Schedule::Again { up, down } => {
                let mut strikes = Vec::new();
                let mut now = Time::ZERO;
                loop {
                    let from = now + up.sample(draw(luck));
                    now = from + down.sample(draw(luck)).max(Span::from_nanos(1));
                    if from >= end {
                        return strikes;
                    }
                    strikes.push((from, Some(now)));
                }
            }
        }
    }

    fn strike(&self, cluster: &mut Cluster<Envelope>, luck: &mut ChaCha8Rng, strike: (Time, Option<Time>)) {
        let list = |choice: &Choice, luck: &mut ChaCha8Rng| choice.nodes(luck).into_iter().collect();
        let name = &self.name;
        match &self.effect {
            Effect::Crash(nodes) => cluster.fault(name, Crash { nodes: list(nodes, luck) }, [strike]),
            Effect::Pause(nodes) => cluster.fault(name, Pause { nodes: list(nodes, luck) }, [strike]),
            Effect::Slow(nodes, factor) => {
                cluster.fault(name, Slow { nodes: list(nodes, luck), factor: *factor }, [strike])
            }
            Effect::Partition(sides) => {
                let mut of = BTreeMap::new();
                for (number, side) in (0..).zip(sides) {
                    of.extend(side.nodes(luck).into_iter().map(|node| (node, number)));
                }
                cluster.fault(name, Cut(Severed::Sides(of)), [strike])
            }
            Effect::Isolate(nodes) => cluster.fault(name, Cut(Severed::Alone(nodes.nodes(luck))), [strike]),
            Effect::Cut(from, to) => {
                cluster.fault(name, Cut(Severed::OneWay(from.nodes(luck), to.nodes(luck))), [strike])
            }
        };
    }
}

/// The faults of a scenario that lasts so long.
pub(super) fn faults(
    faults: &Named<Fault>,
    nodes: Nodes<'_>,
    length: Span,
    mistakes: &mut Vec<Diagnostic>,
) -> Vec<FaultSpec> {
    let mut planner = Planner { nodes, length, mistakes };
    faults.iter().filter_map(|(name, fault)| planner.fault(name, fault)).collect()
}

struct Planner<'a> {
    nodes: Nodes<'a>,
    length: Span,
    mistakes: &'a mut Vec<Diagnostic>,
}

impl Planner<'_> {
    fn refuse<T>(&mut self, place: Origin, message: impl Into<String>) -> Option<T> {
        self.mistakes.push(Diagnostic::error(message).at(place, ""));
        None
    }

    fn fault(&mut self, name: &Located<Name>, fault: &Fault) -> Option<FaultSpec> {
        let kind = fault.kinds().next()?;
        let schedule = self.schedule(name, fault)?;
        let effect = match kind {
            FaultKind::Crash(nodes) => Effect::Crash(self.choice(&nodes.value)?),
            FaultKind::Pause(nodes) => Effect::Pause(self.choice(&nodes.value)?),
            FaultKind::Isolate(nodes) => Effect::Isolate(self.choice(&nodes.value)?),
            FaultKind::Slow(slow) => {
                let factor = slow.value.factor;
                if factor.value.value() < 1.0 {
                    return self.refuse(factor.origin, "a slow node takes longer: `factor` is at least 1");
                }
                Effect::Slow(self.choice(&slow.value.on)?, factor.value.value())
            }
            FaultKind::Partition(sides) => Effect::Partition(self.sides(sides)?),
            FaultKind::Cut(cut) => Effect::Cut(self.choice(&cut.value.from)?, self.choice(&cut.value.to)?),
        };
        Some(FaultSpec { name: name.as_ref().to_owned(), kind: kind.name(), schedule, effect })
    }

    /// What was found; nothing if it was a mistake.
    fn found<T>(&mut self, found: Result<T, Diagnostic>) -> Option<T> {
        found.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    fn law(&mut self, spec: &Times) -> Option<Distribution> {
        self.found(times(spec))
    }

    fn schedule(&mut self, name: &Located<Name>, fault: &Fault) -> Option<Schedule> {
        match (&fault.at, &fault.lasts, &fault.every) {
            (Some(at), lasts, None) => {
                let lasts = match lasts {
                    None => None,
                    Some(lasts) => Some(self.law(lasts)?),
                };
                Some(Schedule::Once { at: self.law(at)?, lasts })
            }
            (None, Some(down), Some(every)) => {
                let (up, down) = (self.law(every)?, self.law(down)?);
                let strikes = self.length.as_nanos() as f64 / (up.mean() + down.mean()).max(1.0);
                if strikes > STRIKES_MAX {
                    return self.refuse(every.origin, format!("this would strike about {strikes:.0e} times"));
                }
                Some(Schedule::Again { up, down })
            }
            (Some(_), _, Some(every)) => {
                self.refuse(every.origin, "a fault strikes once, `at` a time, or again and again, `every` so often")
            }
            (None, None, Some(every)) => {
                self.refuse(every.origin, "a fault that strikes again and again heals in between: it needs `for`")
            }
            (None, _, None) => {
                self.refuse(name.origin, format!("fault `{}` needs a time: `at`, or `every` with `for`", name.as_ref()))
            }
        }
    }

    /// The sides of a partition.
    fn sides(&mut self, sides: &Located<Vec<Located<Selector>>>) -> Option<Vec<Choice>> {
        if sides.value.len() < 2 {
            return self.refuse(sides.origin, "a partition has two sides at least; to cut nodes off, `isolate` them");
        }
        let mut listed = Vec::new();
        for side in &sides.value {
            listed.push(match side.value.base {
                Base::Rest => None,
                _ => Some(self.nodes(side)?),
            });
        }
        let mut taken = BTreeSet::new();
        for (side, choice) in sides.value.iter().zip(&listed) {
            let Some(choice) = choice else { continue };
            let members = choice.all.iter().chain(choice.any.iter().flat_map(|(members, _)| members));
            let twice = members.filter(|node| !taken.insert(**node)).count();
            if twice > 0 {
                return self.refuse(side.origin, "a node is on one side of a partition, not on two");
            }
        }
        let rest: BTreeSet<_> = self.nodes.members(None, None).filter(|node| !taken.contains(node)).collect();
        let rest = Choice { all: rest, any: Vec::new() };
        Some(listed.into_iter().map(|side| side.unwrap_or_else(|| rest.clone())).collect())
    }

    fn choice(&mut self, selectors: &OneOrMany<Located<Selector>>) -> Option<Choice> {
        let mut choice = Choice::default();
        for selector in &selectors.0 {
            let more = self.nodes(selector)?;
            choice.all.extend(more.all);
            choice.any.extend(more.any);
        }
        Some(choice)
    }

    fn nodes(&mut self, selector: &Located<Selector>) -> Option<Choice> {
        let group = match &selector.base {
            Base::All => None,
            Base::Rest => {
                return self.refuse(selector.origin, "`rest` has a meaning only beside the sides of a partition");
            }
            Base::Group { partition: Some(_), .. } => {
                return self.refuse(selector.origin, "partitions of topics are not supported yet");
            }
            Base::Group { name, partition: None } => Some(self.found(self.nodes.group(name, selector.origin))?),
        };
        let area = self.found(self.nodes.area(selector))?;
        let members: Vec<NodeId> = self.nodes.members(group, area).collect();
        if members.is_empty() {
            return self.refuse(selector.origin, "there is no such node");
        }
        let all = |nodes: BTreeSet<NodeId>| Some(Choice { all: nodes, any: Vec::new() });
        match &selector.which {
            Which::All => all(members.into_iter().collect()),
            Which::Indices(ranges) => match at_places(&members, ranges) {
                Ok(nodes) => all(nodes),
                Err(last) => {
                    let message = format!("there is no node {last} among the {} of `{}`", members.len(), selector.base);
                    self.refuse(selector.origin, message)
                }
            },
            Which::Any(count) if *count as usize > members.len() => {
                let message = format!("there are only {} nodes to draw {count} from", members.len());
                self.refuse(selector.origin, message)
            }
            Which::Any(count) => Some(Choice { all: BTreeSet::new(), any: vec![(members, *count)] }),
            Which::Each => {
                self.refuse(selector.origin, "`each` is not supported yet: give each node a fault of its own")
            }
            Which::Leader | Which::Followers => {
                self.refuse(selector.origin, "leaders and followers are not supported yet")
            }
        }
    }
}
