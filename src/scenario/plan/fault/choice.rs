//! Whom a fault strikes: nodes, and messages between them.

use std::collections::{BTreeMap, BTreeSet};

use rand_chacha::ChaCha8Rng;

use super::draw;
use super::led::Led;
use crate::base::id::NodeId;
use crate::network::LinkId;
use crate::protocol::log::ids::TopicPartition;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, OneOrMany, Piece};
use crate::scenario::plan::nodes::{Nodes, at_places};
use crate::scenario::plan::topic::Topics;
use crate::scenario::schema::{Passages, Sides};
use crate::scenario::selector::{Base, Selector, Which};
use crate::sim::Path;

/// Nodes to choose from: all of the first, and so many of each of the others.
#[derive(Clone, Default, Debug)]
pub(super) struct Choice {
    pub(super) all: BTreeSet<NodeId>,
    any: Vec<(Vec<NodeId>, u32)>,
}

impl Choice {
    pub(super) fn one(node: NodeId) -> Self {
        Self { all: BTreeSet::from([node]), any: Vec::new() }
    }

    /// Those who are struck this time.
    pub(super) fn nodes(&self, luck: &mut ChaCha8Rng) -> BTreeSet<NodeId> {
        let mut nodes = self.all.clone();
        for (members, count) in &self.any {
            let mut left = members.clone();
            for _ in 0..*count {
                nodes.insert(left.swap_remove(draw(luck).below(left.len() as u64) as usize));
            }
        }
        nodes
    }

    /// The greatest chance that one of these nodes is struck.
    pub(super) fn share(&self, is_one: impl Fn(&NodeId) -> bool) -> f64 {
        let drawn = self.any.iter().filter(|(members, _)| members.iter().any(&is_one));
        let drawn = drawn.map(|(members, count)| f64::from(*count) / members.len() as f64);
        let all = if self.all.iter().any(&is_one) { 1.0 } else { 0.0 };
        drawn.fold(all, f64::max)
    }

    /// Everyone who may be struck.
    pub(super) fn candidates(&self) -> impl Iterator<Item = NodeId> {
        self.all.iter().chain(self.any.iter().flat_map(|(members, _)| members)).copied()
    }
}

/// Whom a fault strikes.
#[derive(Clone, Debug)]
pub(super) enum Target {
    /// These, together.
    Together(Choice),
    /// These, each at times of its own.
    Each(Vec<NodeId>),
    /// Who leads a partition when it strikes, or who does not.
    Led(Led),
}

/// The sides of a partition; one that is not listed is the rest.
#[derive(Clone, Debug)]
pub(super) struct Partition {
    sides: Vec<Option<Choice>>,
    everyone: BTreeSet<NodeId>,
}

impl Partition {
    /// The side of each node this time: the rest is who was not drawn for any other side.
    pub(super) fn nodes(&self, luck: &mut ChaCha8Rng) -> BTreeMap<NodeId, u32> {
        let drawn: Vec<_> = self.sides.iter().map(|side| side.as_ref().map(|side| side.nodes(luck))).collect();
        let mut of = BTreeMap::new();
        for (number, side) in (0..).zip(&drawn) {
            of.extend(side.iter().flatten().map(|&node| (node, number)));
        }
        if let Some(number) = (0..).zip(&drawn).find_map(|(number, side)| side.is_none().then_some(number)) {
            self.everyone.iter().for_each(|&node| _ = of.entry(node).or_insert(number));
        }
        of
    }
}

/// Messages to choose from.
#[derive(Clone, Debug)]
pub(super) enum Messages {
    Everywhere,
    Links(BTreeSet<LinkId>),
    At(Choice),
    OneWay(Choice, Choice),
    Between(Choice, Choice),
}

impl Messages {
    /// Those that are struck this time.
    pub(super) fn path(&self, luck: &mut ChaCha8Rng) -> Path {
        match self {
            Self::Everywhere => Path::Everywhere,
            Self::Links(links) => Path::Links(links.clone()),
            Self::At(nodes) => Path::At(nodes.nodes(luck)),
            Self::OneWay(from, to) => Path::OneWay(from.nodes(luck), to.nodes(luck)),
            Self::Between(one, other) => Path::Between(one.nodes(luck), other.nodes(luck)),
        }
    }
}

/// Finds whom a scenario's selectors mean.
pub(super) struct Finder<'a> {
    pub(super) nodes: Nodes<'a>,
    /// Links by their names; some lie between several parts of the network.
    pub(super) links: BTreeMap<&'a str, BTreeSet<LinkId>>,
    pub(super) topics: &'a Topics,
}

type Found<T> = Result<T, Diagnostic>;

fn refuse<T>(selector: &Located<Selector>, message: impl Into<String>) -> Found<T> {
    Err(Diagnostic::error(message).at(selector.origin, ""))
}

impl Finder<'_> {
    /// Whom these selectors mean, together or each on its own.
    pub(super) fn target(&self, selectors: &OneOrMany<Located<Selector>>) -> Found<Target> {
        match &selectors.0[..] {
            [one] if one.value.which == Which::Each => Ok(Target::Each(self.members(one)?)),
            [one] if matches!(one.value.which, Which::Leader | Which::Followers) => self.led(one),
            _ => Ok(Target::Together(self.choice(selectors)?)),
        }
    }

    /// Whom these selectors mean.
    pub(super) fn choice(&self, selectors: &OneOrMany<Located<Selector>>) -> Found<Choice> {
        let mut choice = Choice::default();
        for selector in &selectors.0 {
            if selector.value.which == Which::Any(0) {
                return refuse(selector, "none of them is nobody: draw one at least");
            }
            let more = self.choice_of(selector)?;
            choice.all.extend(more.all);
            choice.any.extend(more.any);
        }
        Ok(choice)
    }

    /// The sides of a partition.
    pub(super) fn sides(&self, sides: &Sides) -> Found<Partition> {
        if sides.value.len() < 2 {
            let message = "a partition has two sides at least; to cut nodes off, `isolate` them";
            return Err(Diagnostic::error(message).at(sides.origin, ""));
        }
        let mut listed = Vec::new();
        for side in &sides.value {
            listed.push(match &side.value.0[..] {
                [one] if one.value.base == Base::Rest => None,
                _ => Some(self.choice(&side.value)?),
            });
        }
        if let Some((second, _)) = sides.value.iter().zip(&listed).filter(|(_, choice)| choice.is_none()).nth(1) {
            return Err(Diagnostic::error("only one side is the rest").at(second.origin, ""));
        }
        let mut taken = BTreeSet::new();
        for (side, choice) in sides.value.iter().zip(&listed) {
            let Some(choice) = choice else { continue };
            let twice = choice.candidates().filter(|node| !taken.insert(*node)).count();
            if twice > 0 {
                let message = "a node is on one side of a partition, not on two";
                return Err(Diagnostic::error(message).at(side.origin, ""));
            }
        }
        Ok(Partition { sides: listed, everyone: self.nodes.members(None, None).collect() })
    }

    /// Which messages are meant.
    pub(super) fn messages(&self, passages: &Passages) -> Found<Messages> {
        let Passages { on, between, from, to } = passages;
        let ends = from.as_ref().or(to.as_ref());
        match (on, between, from, to) {
            (None, None, None, None) => Ok(Messages::Everywhere),
            (Some(on), None, None, None) => self.messages_on(&on.value),
            (None, Some(between), None, None) => {
                let [one, other] = &between.value;
                Ok(Messages::Between(self.choice_of(one)?, self.choice_of(other)?))
            }
            (None, None, Some(from), Some(to)) => {
                Ok(Messages::OneWay(self.choice(&from.value)?, self.choice(&to.value)?))
            }
            _ => {
                let place = ends.map(|end| end.origin).or(between.as_ref().map(|between| between.origin));
                let message = "messages are chosen by one of `on`, `between`, and `from` with `to`";
                Err(place.into_iter().fold(Diagnostic::error(message), |mistake, place| mistake.at(place, "")))
            }
        }
    }

    /// What some links carry, or what some nodes send and receive.
    fn messages_on(&self, on: &OneOrMany<Located<Selector>>) -> Found<Messages> {
        let mut links = BTreeSet::new();
        let mut nodes = Vec::new();
        for selector in &on.0 {
            match self.link(&selector.value) {
                Some(found) => links.extend(found),
                None => nodes.push(selector.clone()),
            }
        }
        match nodes.first() {
            None => Ok(Messages::Links(links)),
            Some(_) if links.is_empty() => Ok(Messages::At(self.choice(on)?)),
            Some(node) => refuse(node, "a fault is on links or on nodes, not on both"),
        }
    }

    fn link(&self, selector: &Selector) -> Option<&BTreeSet<LinkId>> {
        let Base::Group { name, partition: None } = &selector.base else { return None };
        if selector.region.is_some() || selector.which != Which::All || self.nodes.names.group(name).is_some() {
            return None;
        }
        self.links.get(name.as_str())
    }

    fn choice_of(&self, selector: &Located<Selector>) -> Found<Choice> {
        let members = self.members(selector)?;
        let all = |nodes: BTreeSet<NodeId>| Ok(Choice { all: nodes, any: Vec::new() });
        match &selector.value.which {
            Which::All => all(members.into_iter().collect()),
            Which::Indices(ranges) => match at_places(&members, ranges) {
                Ok(nodes) => all(nodes),
                Err(last) => {
                    let message = format!("there is no node {last} among the {} of `{}`", members.len(), selector.base);
                    refuse(selector, message)
                }
            },
            Which::Any(count) if *count as usize > members.len() => {
                refuse(selector, format!("there are only {} nodes to draw {count} from", members.len()))
            }
            Which::Any(count) => Ok(Choice { all: BTreeSet::new(), any: vec![(members, *count)] }),
            Which::Each => refuse(selector, "`each` stands alone, for nodes that are struck each at times of its own"),
            Which::Leader | Which::Followers => {
                refuse(selector, "who leads is known when a fault strikes: such a selector stands alone, for nodes")
            }
        }
    }

    /// Who leads a partition when the fault strikes, or who follows.
    fn led(&self, selector: &Located<Selector>) -> Found<Target> {
        let Base::Group { name, partition: Some(partition) } = &selector.value.base else {
            return refuse(selector, "partitions of topics have leaders: write `topic#0[leader]`");
        };
        let (slot, replicas) = self.replicas(selector, name, *partition)?;
        Ok(Target::Led(Led { slot, replicas, follows: selector.value.which == Which::Followers }))
    }

    /// The slot of a partition, and the brokers that have it.
    fn replicas(
        &self,
        selector: &Located<Selector>,
        topic: &Piece<String>,
        partition: u32,
    ) -> Found<(usize, Vec<NodeId>)> {
        let Some((cluster, id)) = self.topics.place(topic) else {
            return Err(unknown_name(&topic.located(selector.origin, self.nodes.texts), "topic", self.topics.names()));
        };
        let count = cluster.topics[id.0 as usize].partitions;
        if partition >= count.get() {
            return refuse(selector, format!("`{}` has {count} partitions, from 0 on", **topic));
        }
        let of = TopicPartition { topic: id, partition };
        let replicas = cluster.replicas(of).into_iter().map(|broker| cluster.node(broker));
        Ok((cluster.slot(of), replicas.collect()))
    }

    /// Controllers do not crash: each stands for a quorum, which outlives its members.
    pub(super) fn without_controllers(
        &self,
        target: Target,
        selectors: &OneOrMany<Located<Selector>>,
    ) -> Found<Target> {
        let is_controller = |node: &NodeId| self.topics.has_controller(*node);
        let (target, is_left) = match target {
            Target::Together(mut choice) => {
                choice.all.retain(|node| !is_controller(node));
                choice.any.iter_mut().for_each(|(members, _)| members.retain(|node| !is_controller(node)));
                let enough = choice.any.iter().all(|(members, count)| members.len() >= *count as usize);
                let is_left = enough && choice.candidates().next().is_some();
                (Target::Together(choice), is_left)
            }
            Target::Each(mut nodes) => {
                nodes.retain(|node| !is_controller(node));
                let is_left = !nodes.is_empty();
                (Target::Each(nodes), is_left)
            }
            Target::Led(led) => (Target::Led(led), true),
        };
        if is_left {
            return Ok(target);
        }
        let message = "a controller stands for a quorum of controllers, and does not crash; it can be cut off";
        Err(selectors.0.iter().fold(Diagnostic::error(message), |mistake, selector| mistake.at(selector.origin, "")))
    }

    /// The nodes that a selector chooses from.
    fn members(&self, selector: &Located<Selector>) -> Found<Vec<NodeId>> {
        let group = match &selector.base {
            Base::All => None,
            Base::Rest => return refuse(selector, "`rest` has a meaning only beside the sides of a partition"),
            Base::Group { name, partition: Some(partition) } => {
                return self.replicas(selector, name, *partition).map(|(_, replicas)| replicas);
            }
            Base::Group { name, partition: None } => Some(self.nodes.group(name, selector.origin)?),
        };
        let members: Vec<NodeId> = self.nodes.members(group, self.nodes.area(selector)?).collect();
        if members.is_empty() { refuse(selector, "there is no such node") } else { Ok(members) }
    }
}
