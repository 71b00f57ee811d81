//! `[topology]`: which nodes are joined.
//!
//! Nodes stand in the order in which selectors list them; those of one selector by the names of their groups, then by their
//! places: the order of tables in a file means nothing. Whatever cannot be reached is refused here, so that in a run every
//! message has a way.

use std::collections::BTreeSet;

use super::nodes::{Nodes, at_places};
use crate::base::id::NodeId;
use crate::network::{Network, Shape, Topology, TopologyError};
use crate::process::Leg;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{self, Edges, Link, Named, Scenario, TopologyShape};
use crate::scenario::selector::{Base, Selector, Which};

/// The most edges.
const EDGES_MAX: u64 = 20_000_000;

/// The topology of a scenario, if it has one.
///
/// # Errors
/// Everything that is wrong with it.
pub(super) fn topology(scenario: &Scenario, nodes: Nodes<'_>) -> Result<Option<Topology>, Vec<Diagnostic>> {
    let Some(written) = &scenario.topology else {
        let routers = scenario.routers.iter().map(|(name, _)| {
            Diagnostic::error("routers have a meaning only with [topology]: without one all nodes are joined")
                .at(name.origin, "")
        });
        let mistakes: Vec<_> = routers.collect();
        return if mistakes.is_empty() { Ok(None) } else { Err(mistakes) };
    };
    let mut planner = Planner { written, nodes, mistakes: Vec::new() };
    planner.topology().map(Some).ok_or_else(|| {
        planner.mistakes.sort_by_key(Diagnostic::origin);
        planner.mistakes
    })
}

/// Links that no edge of the topology goes over.
pub(super) fn idle_links(network: &Network, topology: &Topology, links: &Named<Link>) -> Vec<Diagnostic> {
    let mut used = BTreeSet::new();
    for (one, other) in topology.edges() {
        for class in [Leg::Out, Leg::Reply, Leg::Ack, Leg::Cancel].map(|leg| 1 << leg as u8) {
            used.extend([(one, other), (other, one)].map(|(from, to)| network.route(from, to, || class)));
        }
    }
    let names: BTreeSet<_> = network.links().filter(|(id, ..)| used.contains(id)).map(|(_, name, _)| name).collect();
    let idle = links.iter().filter(|(name, _)| !names.contains(name.as_str()));
    let doubt = |(name, _): (&Located<schema::Name>, _)| {
        Diagnostic::warning(format!("nothing goes over link `{}`: no edge of the topology joins its ends", name.value))
            .at(name.origin, "")
    };
    idle.map(doubt).collect()
}

struct Planner<'a> {
    written: &'a Located<schema::Topology>,
    nodes: Nodes<'a>,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Planner<'a> {
    fn refuse<T>(&mut self, place: Origin, message: impl Into<String>) -> Option<T> {
        self.mistakes.push(Diagnostic::error(message).at(place, ""));
        None
    }

    fn topology(&mut self) -> Option<Topology> {
        let shape = self.written.shapes().next();
        let formed = match shape {
            None => None,
            Some(shape) => Some((shape.origin(), self.form(shape)?)),
        };
        let of_shape = formed.iter().flat_map(|(_, (_, listed))| listed.iter().copied());
        let mut here = BTreeSet::from_iter(of_shape);
        let pairs = match &self.written.edges {
            None => Vec::new(),
            Some(edges) => self.pairs(edges)?,
        };
        here.extend(pairs.iter().flat_map(|&(one, other)| [one, other]));
        self.refuse_outsiders(&here)?;
        match formed {
            Some((place, (form, listed))) if pairs.is_empty() => {
                Topology::shaped(form, listed).map_err(|error| self.impossible(place, error)).ok()
            }
            Some((place, (form, listed))) => {
                let edges = form.edges(listed.len() as u32);
                let edges = edges.map_err(|error| self.impossible(place, error)).ok()?;
                let of_shape = edges.iter().map(|&(one, other)| (listed[one as usize], listed[other as usize]));
                self.joined(here, of_shape.chain(pairs).collect())
            }
            None => self.joined(here, pairs),
        }
    }

    /// A form, and its nodes in order.
    fn form(&mut self, shape: TopologyShape<'_>) -> Option<(Shape, Vec<NodeId>)> {
        let hub = match shape {
            TopologyShape::Star(star) => Some(self.one(&star.hub)?),
            _ => None,
        };
        let on = match shape.on() {
            Some(on) => on.0.iter().map(|selector| self.listed(selector)).collect::<Option<Vec<_>>>()?.concat(),
            None => self.sorted(self.nodes.members(None, None)),
        };
        let mut seen = BTreeSet::new();
        let listed: Vec<_> = hub.into_iter().chain(on).filter(|node| seen.insert(*node)).collect();
        let form = match shape {
            TopologyShape::Star(_) => Shape::Star,
            TopologyShape::Ring(_) => Shape::Ring,
            TopologyShape::Line(_) => Shape::Line,
            TopologyShape::Grid(grid) => Shape::Grid { columns: grid.columns },
            TopologyShape::Tree(tree) => Shape::Tree { fan_out: tree.fan_out },
            TopologyShape::RandomRegular(graph) => {
                let edges = u64::from(graph.degree.value.get()) * listed.len() as u64 / 2;
                if edges > EDGES_MAX {
                    return self.refuse(graph.degree.origin, format!("{edges} edges; there are at most {EDGES_MAX}"));
                }
                Shape::RandomRegular { degree: graph.degree.value.get(), seed: graph.seed }
            }
        };
        Some((form, listed))
    }

    /// The pairs of nodes that `edges` joins.
    fn pairs(&mut self, edges: &Located<Vec<Edges>>) -> Option<Vec<(NodeId, NodeId)>> {
        let mut pairs = Vec::new();
        for edge in &edges.value {
            let [ones, others] = edge.each_ref().map(|end| self.listed(end));
            let (ones, others) = (ones?, others?);
            if (pairs.len() as u64).saturating_add(ones.len() as u64 * others.len() as u64) > EDGES_MAX {
                return self.refuse(edge.origin, format!("too many edges; there are at most {EDGES_MAX}"));
            }
            let before = pairs.len();
            for &one in &ones {
                pairs.extend(others.iter().filter(|&&other| other != one).map(|&other| (one, other)));
            }
            if pairs.len() == before {
                return self.refuse(edge.origin, "this joins a node to itself, and nothing else");
            }
        }
        Some(pairs)
    }

    /// The nodes of a selector, by name, then by place.
    fn listed(&mut self, selector: &Located<Selector>) -> Option<Vec<NodeId>> {
        let place = selector.origin;
        let group = match &selector.base {
            Base::All if selector.which == Which::All => None,
            Base::All => return self.refuse(place, "places are counted in one group, as in `api[0-2]`"),
            Base::Rest => return self.refuse(place, "a topology has no `rest`; `*` is every node"),
            Base::Group { partition: Some(_), .. } => {
                return self.refuse(place, "partitions of topics are not supported yet");
            }
            Base::Group { name, partition: None } => Some(self.found(self.nodes.group(name, place))?),
        };
        let area = self.found(self.nodes.area(selector))?;
        let members = self.sorted(self.nodes.members(group, area));
        if members.is_empty() {
            return self.refuse(place, format!("`{}` is nobody: no node is there", selector.value));
        }
        match &selector.which {
            Which::All => Some(members),
            Which::Indices(ranges) => match at_places(&members, ranges) {
                Ok(nodes) => Some(nodes.into_iter().collect()),
                Err(last) => {
                    let all = Selector { which: Which::All, ..selector.value.clone() };
                    self.refuse(place, format!("there is no node {last} among the {} of `{all}`", members.len()))
                }
            },
            Which::Any(_) | Which::Each | Which::Leader | Which::Followers => {
                self.refuse(place, "edges join the same nodes all the time: write their places, as in `api[0-2]`")
            }
        }
    }

    /// The only node of a selector.
    fn one(&mut self, selector: &Located<Selector>) -> Option<NodeId> {
        match self.listed(selector)?[..] {
            [node] => Some(node),
            ref nodes => {
                let message = format!("the hub is one node; `{}` are {}", selector.value, nodes.len());
                self.mistakes
                    .push(Diagnostic::error(message).at(selector.origin, "").help("write its place, as in `api[0]`"));
                None
            }
        }
    }

    /// By the names of their groups, then by their places.
    fn sorted(&self, nodes: impl Iterator<Item = NodeId>) -> Vec<NodeId> {
        let names = self.nodes.names;
        let mut nodes: Vec<_> = nodes.collect();
        nodes.sort_by_cached_key(|node| {
            let (group, index) = names.place(*node);
            (names.name(group), index)
        });
        nodes
    }

    fn joined(&mut self, nodes: BTreeSet<NodeId>, edges: Vec<(NodeId, NodeId)>) -> Option<Topology> {
        let place = self.written.edges.as_ref().map_or(self.written.origin, |edges| edges.origin);
        let topology = Topology::joined(self.sorted(nodes.into_iter()), &edges);
        topology.map_err(|error| self.impossible(place, error)).ok()
    }

    /// Nodes that are nowhere could neither send nor receive.
    fn refuse_outsiders(&mut self, here: &BTreeSet<NodeId>) -> Option<()> {
        let Some(outsider) = self.nodes.members(None, None).find(|node| !here.contains(node)) else { return Some(()) };
        let names = self.nodes.names;
        let group = names.group_of(outsider);
        let is_whole = names.members(group).all(|node| !here.contains(&node));
        let who = if is_whole { names.name(group).to_owned() } else { names.label(outsider) };
        let help = format!("join it to others, as in `topology.edges = [[\"{who}\", \"NEIGHBOUR\"]]`");
        let mistake = Diagnostic::error(format!("`{who}` is not on the topology, so that no message reaches it"));
        self.mistakes.push(mistake.at(self.written.origin, "").help(help));
        None
    }

    fn impossible(&mut self, place: Origin, error: TopologyError) {
        let mistake = match error {
            TopologyError::Disconnected(from, to) => {
                let [from, to] = [from, to].map(|node| self.nodes.names.label(node));
                Diagnostic::error(format!("there is no way from `{from}` to `{to}`"))
                    .help("every node has to be reached from every other")
            }
            TopologyError::NotRegular { nodes, degree } => {
                Diagnostic::error(format!("no connected graph of {nodes} nodes gives each {degree} neighbours"))
                    .help("the degree is at least 2 and less than the number of nodes; one of both is even")
            }
            TopologyError::Twice(node) | TopologyError::Unlisted(node) | TopologyError::Loop(node) => {
                unreachable!("{} was listed once, and no edge leads from it to itself", self.nodes.names.label(node))
            }
        };
        self.mistakes.push(mistake.at(place, ""));
    }

    /// What was found; nothing if it was a mistake.
    fn found<T>(&mut self, found: Result<T, Diagnostic>) -> Option<T> {
        found.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }
}
