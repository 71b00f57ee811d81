//! The network: `[network]`, and links laid over it.
//!
//! A link speaks for the messages between its ends. Where several links speak for the same message, the narrower one counts,
//! key by key: a link is narrower than another if none of its two ends and its `only` is wider, and one is narrower (nodes
//! before a group before `*`; some kinds of messages before all). Two links that set the same key for the same message
//! without one being narrower are a mistake.
//!
//! Groups fall into parts, all of whose nodes are named by the same links. Between two parts, and for one kind of message,
//! everything is decided once; equal decisions make one link of the network, called like the narrowest link it is made of.
//! A decision is a wire of its own: it shares no bandwidth with others.

use std::collections::{BTreeMap, BTreeSet};

use super::medium::{bursts, expanded};
use super::times;
use crate::base::distribution::Distribution;
use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::network::{self, Arrival, Bursts, Claim, Correlation, Network};
use crate::process::Leg;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin, Texts};
use crate::scenario::schema::{Buffer, Link, Loss, Medium, MessageKind, Name, Named, Order};
use crate::scenario::selector::{Base, Selector, Which};

/// The network between the groups in `names`. `texts` are what the scenario was read from.
///
/// # Errors
/// Everything that is wrong with the links.
pub fn network(
    base: Option<&Medium>,
    links: &Named<Link>,
    names: &Names,
    texts: &Texts,
) -> Result<Network, Vec<Diagnostic>> {
    let base = base.map(expanded).unwrap_or_default();
    let links: Vec<_> =
        links.iter().map(|(name, link)| (name, Link { medium: expanded(&link.medium), ..link.clone() })).collect();
    let mut planner = Planner { base: &base, links: Vec::new(), names, texts, mistakes: Vec::new() };
    let rules: Vec<_> = links.iter().flat_map(|(name, link)| planner.rules(name, link)).collect();
    planner.network(&rules).ok_or_else(|| {
        planner.mistakes.sort_by_key(Diagnostic::origin);
        planner.mistakes
    })
}

/// One end of a link.
#[derive(Clone, PartialEq, Eq, Debug)]
enum End {
    All,
    Group(GroupId),
    Nodes(GroupId, BTreeSet<NodeId>),
}

impl End {
    /// How narrow it is.
    fn level(&self) -> u8 {
        match self {
            Self::All => 0,
            Self::Group(_) => 1,
            Self::Nodes(..) => 2,
        }
    }

    fn covers(&self, group: GroupId, node: Option<NodeId>) -> bool {
        match self {
            Self::All => true,
            Self::Group(own) => *own == group,
            Self::Nodes(own, nodes) => *own == group && node.is_some_and(|node| nodes.contains(&node)),
        }
    }
}

/// One direction of a link.
#[derive(Clone, Debug)]
struct Rule {
    /// The link's place among all that are written.
    link: usize,
    from: End,
    to: End,
    /// Kinds of messages, one bit each.
    classes: u8,
    /// How narrow the ends are, and whether it is for some messages alone.
    narrowness: [u8; 3],
}

impl Rule {
    fn is_narrower_than(&self, other: &Self) -> bool {
        let pairs = || self.narrowness.iter().zip(&other.narrowness);
        pairs().all(|(own, other)| own >= other) && pairs().any(|(own, other)| own > other)
    }

    /// A number that grows with narrowness, to choose a name by.
    fn weight(&self) -> u8 {
        self.narrowness.iter().sum()
    }
}

/// Nodes of a group that no rule tells apart; one of them stands for all.
struct Part {
    /// The nodes in ascending order; empty if they are the whole group.
    nodes: Vec<NodeId>,
    sample: Option<NodeId>,
}

/// Which link provides each key, and the one that gives its name; `None` is `[network]`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Decision {
    name: usize,
    providers: [Option<usize>; KEYS.len()],
}

/// The keys of a medium.
const KEYS: [&str; 8] =
    ["latency", "loss", "bandwidth", "buffer", "order", "duplicate", "corrupt", "latency-correlation"];

/// The place of each key's value, where it is written; what a preset sets stands where the preset does.
fn places(medium: &Medium) -> [Option<Origin>; KEYS.len()] {
    let Medium { preset: _, latency, latency_correlation, loss, bandwidth, buffer, order, duplicate, corrupt } = medium;
    [
        latency.as_ref().map(|value| value.origin),
        loss.map(|value| value.origin),
        bandwidth.map(|value| value.origin),
        buffer.map(|value| value.origin),
        order.map(|value| value.origin),
        duplicate.map(|value| value.origin),
        corrupt.map(|value| value.origin),
        latency_correlation.map(|value| value.origin),
    ]
}

/// All classes of messages.
const EVERY_CLASS: u8 = bit(Leg::Out) | bit(Leg::Reply) | bit(Leg::Ack) | bit(Leg::Cancel);

const fn bit(leg: Leg) -> u8 {
    1 << leg as u8
}

/// What takes a request back travels like the request.
fn classes(kind: MessageKind) -> u8 {
    match kind {
        MessageKind::Request => bit(Leg::Out) | bit(Leg::Cancel),
        MessageKind::Reply => bit(Leg::Reply),
        MessageKind::Ack => bit(Leg::Ack),
    }
}

struct Planner<'a> {
    base: &'a Medium,
    links: Vec<(&'a Located<Name>, &'a Link)>,
    names: &'a Names,
    texts: &'a Texts,
    mistakes: Vec<Diagnostic>,
}

impl<'a> Planner<'a> {
    fn refuse(&mut self, place: Origin, message: impl Into<String>) {
        self.mistakes.push(Diagnostic::error(message).at(place, ""));
    }

    /// What a link says, one direction each.
    fn rules(&mut self, name: &'a Located<Name>, link: &'a Link) -> Vec<Rule> {
        let index = self.links.len();
        self.links.push((name, link));
        let only = link.only.as_ref().map(|only| only.0.iter().fold(0, |bits, kind| bits | classes(kind.value)));
        if only == Some(0) {
            self.refuse(name.origin, format!("link `{}` is for no messages at all", name.as_ref()));
        }
        let directions: Vec<_> = match (&link.between, &link.from, &link.to) {
            (Some(between), ..) => {
                let [one, other] = between.each_ref().map(|end| self.end(end));
                if one == other { vec![(one.clone(), one)] } else { vec![(one.clone(), other.clone()), (other, one)] }
            }
            (None, Some(from), Some(to)) => vec![(self.end(from), self.end(to))],
            // Refused when the scenario was read.
            _ => Vec::new(),
        };
        let rule = |(from, to): (Option<End>, Option<End>)| {
            let (from, to) = from.zip(to)?;
            let narrowness = [from.level(), to.level(), only.is_some().into()];
            Some(Rule { link: index, from, to, classes: only.unwrap_or(EVERY_CLASS), narrowness })
        };
        directions.into_iter().filter_map(rule).collect()
    }

    fn end(&mut self, selector: &Located<Selector>) -> Option<End> {
        let refuse = |planner: &mut Self, message: &str| {
            planner.refuse(selector.origin, message);
            None
        };
        let name = match &selector.base {
            Base::All if selector.which == Which::All => return Some(End::All),
            Base::All => {
                return refuse(self, "`*` stands for all nodes; places are counted in one group, as in `api[0-2]`");
            }
            Base::Rest => {
                return refuse(self, "a link has no `rest`; `*` is every node, and a narrower link counts first");
            }
            Base::Group { partition: Some(_), .. } => {
                return refuse(self, "partitions of topics are not supported yet");
            }
            Base::Group { name, partition: None } => name,
        };
        let Some(group) = self.names.group(name) else {
            let written = name.located(selector.origin, self.texts);
            let known: Vec<_> = self.names.groups().map(|group| self.names.name(group)).collect();
            self.mistakes.push(unknown_name(&written, "group", known));
            return None;
        };
        match &selector.which {
            Which::All => Some(End::Group(group)),
            Which::Indices(ranges) => self.nodes(group, ranges, selector.origin),
            Which::Any(_) | Which::Each | Which::Leader | Which::Followers => {
                refuse(self, "a link lies between the same nodes all the time: write their places, as in `api[0-2]`")
            }
        }
    }

    fn nodes(&mut self, group: GroupId, ranges: &[(u32, u32)], place: Origin) -> Option<End> {
        let members = self.names.members(group);
        let last = ranges.iter().map(|(_, last)| *last).max().unwrap_or(0);
        if last as usize >= members.len() {
            let (name, count) = (self.names.name(group), members.len());
            let (nodes, places) = match count {
                0 => ("nodes", "none".to_owned()),
                1 => ("node", "0".to_owned()),
                _ => ("nodes", format!("0 to {}", count - 1)),
            };
            let message = format!("there is no node {last} in `{name}`, which has {count} {nodes}");
            self.mistakes.push(Diagnostic::error(message).at(place, "").help(format!("its places are {places}")));
            return None;
        }
        let first = members.clone().next().map_or(0, NodeId::index);
        let chosen = ranges.iter().flat_map(|(from, to)| *from..=*to).map(|place| NodeId::new(first + place));
        Some(End::Nodes(group, chosen.collect()))
    }

    fn network(&mut self, rules: &[Rule]) -> Option<Network> {
        let mut claims: BTreeMap<Decision, Vec<Claim>> = BTreeMap::new();
        let mut conflicts = BTreeSet::new();
        let groups: Vec<_> = self.names.groups().map(|group| (group, self.parts(group, rules))).collect();
        for (from, from_parts) in &groups {
            for (to, to_parts) in &groups {
                let here: Vec<_> = rules.iter().filter(|rule| may_cover(rule, *from, *to)).collect();
                if here.is_empty() {
                    continue;
                }
                for from_part in from_parts {
                    for to_part in to_parts {
                        let between = here.iter().copied().filter(|rule| {
                            rule.from.covers(*from, from_part.sample) && rule.to.covers(*to, to_part.sample)
                        });
                        let between: Vec<_> = between.collect();
                        for (decision, classes) in self.decide(&between, (*from, *to), &mut conflicts) {
                            let (from, to) = ((*from, from_part.nodes.clone()), (*to, to_part.nodes.clone()));
                            claims.entry(decision).or_default().push(Claim { from, to, classes });
                        }
                    }
                }
            }
        }
        let latencies = self.latencies();
        self.refuse_impossible_bursts();
        if self.mistakes.is_empty() {
            let decisions: Vec<_> = claims.keys().cloned().collect();
            self.refuse_idle_buffers(&decisions);
            self.refuse_idle_correlations(&decisions, &latencies);
        }
        if !self.mistakes.is_empty() {
            return None;
        }
        let mut network = Network::new(resolved([self.base; KEYS.len()], &latencies));
        for (decision, claims) in claims {
            let media = decision.providers.map(|provider| self.medium(provider));
            network.add(self.links[decision.name].0.as_ref(), resolved(media, &latencies), claims);
        }
        Some(network)
    }

    /// The group's nodes, told apart as far as the rules tell them apart.
    fn parts(&self, group: GroupId, rules: &[Rule]) -> Vec<Part> {
        let mut sets: Vec<&BTreeSet<NodeId>> = Vec::new();
        for end in rules.iter().flat_map(|rule| [&rule.from, &rule.to]) {
            if let End::Nodes(own, nodes) = end
                && *own == group
                && !sets.contains(&nodes)
            {
                sets.push(nodes);
            }
        }
        let members = self.names.members(group);
        if sets.is_empty() {
            return vec![Part { nodes: Vec::new(), sample: members.clone().next() }];
        }
        let mut parts: BTreeMap<Vec<bool>, Vec<NodeId>> = BTreeMap::new();
        for node in members {
            let signature = sets.iter().map(|set| set.contains(&node)).collect();
            parts.entry(signature).or_default().push(node);
        }
        parts.into_values().map(|nodes| Part { sample: nodes.first().copied(), nodes }).collect()
    }

    /// Who decides what for messages that all of `rules` may speak for, and for which classes.
    fn decide(
        &mut self,
        rules: &[&Rule],
        ends: (GroupId, GroupId),
        conflicts: &mut BTreeSet<(usize, usize, usize)>,
    ) -> Vec<(Decision, u8)> {
        let mut decisions: Vec<(Decision, u8)> = Vec::new();
        for class in [Leg::Out, Leg::Reply, Leg::Ack, Leg::Cancel].map(bit) {
            let rules: Vec<_> = rules.iter().copied().filter(|rule| rule.classes & class != 0).collect();
            let heaviest = rules.iter().map(|rule| rule.weight()).max();
            let Some(named) = rules.iter().find(|rule| Some(rule.weight()) == heaviest) else { continue };
            let mut providers = [None; KEYS.len()];
            for (key, provider) in providers.iter_mut().enumerate() {
                *provider = self.provider(key, &rules, ends, conflicts);
            }
            let decision = Decision { name: named.link, providers };
            match decisions.iter_mut().find(|(other, _)| *other == decision) {
                Some((_, classes)) => *classes |= class,
                None => decisions.push((decision, class)),
            }
        }
        decisions
    }

    /// The link that decides `key`; that two of equal narrowness do is reported once for each pair of links.
    fn provider(
        &mut self,
        key: usize,
        rules: &[&Rule],
        (from, to): (GroupId, GroupId),
        conflicts: &mut BTreeSet<(usize, usize, usize)>,
    ) -> Option<usize> {
        let place = |rule: &Rule| places(&self.links[rule.link].1.medium)[key];
        let setting: Vec<_> = rules.iter().copied().filter(|rule| place(rule).is_some()).collect();
        let is_beaten = |rule: &Rule| setting.iter().any(|other| other.is_narrower_than(rule));
        let mut narrowest = setting.iter().filter(|rule| !is_beaten(rule));
        let first = narrowest.next()?;
        if let Some(second) = narrowest.find(|rule| rule.link != first.link)
            && conflicts.insert((key, first.link, second.link))
        {
            let [one, other] = [first, second].map(|rule| self.links[rule.link].0.as_ref());
            let [from, to] = [from, to].map(|group| self.names.name(group));
            let message = format!(
                "links `{one}` and `{other}` both set `{}` from `{from}` to `{to}`, and neither is narrower",
                KEYS[key]
            );
            let [one_place, other_place] = [first, second].map(|rule| place(rule).unwrap_or_default());
            // Links that extend one table share its places: then their names tell them apart.
            let places = if one_place == other_place {
                [first, second].map(|rule| self.links[rule.link].0.origin)
            } else {
                [one_place, other_place]
            };
            let mistake = Diagnostic::error(message)
                .at(places[1], format!("in `{other}`"))
                .at(places[0], format!("in `{one}`"))
                .help("nodes are narrower than a group, a group than `*`, and `only` some messages than all");
            self.mistakes.push(mistake);
        }
        Some(first.link)
    }

    /// A buffer holds what waits for transmission, and without a bandwidth nothing waits.
    fn refuse_idle_buffers(&mut self, decisions: &[Decision]) {
        const BANDWIDTH: usize = 2;
        const BUFFER: usize = 3;
        let (mut deciding, mut used) = (BTreeSet::from([None]), BTreeSet::new());
        if self.base.bandwidth.is_some() {
            used.insert(None);
        }
        for Decision { providers, .. } in decisions {
            deciding.insert(providers[BUFFER]);
            if providers[BANDWIDTH].is_some() || self.base.bandwidth.is_some() {
                used.insert(providers[BUFFER]);
            }
        }
        let idle = deciding.difference(&used).filter_map(|provider| self.medium(*provider).buffer);
        let idle: BTreeSet<_> = idle.map(|buffer| buffer.origin).collect();
        for place in idle {
            let mistake =
                Diagnostic::error("`buffer` has no effect: without a `bandwidth` nothing waits").at(place, "");
            self.mistakes.push(mistake.help("write `bandwidth = \"1Gbit/s\"`, or how much the link carries"));
        }
    }

    /// Latencies that are all the same resemble each other anyway.
    fn refuse_idle_correlations(&mut self, decisions: &[Decision], latencies: &BTreeMap<Origin, Distribution>) {
        const LATENCY: usize = 0;
        const CORRELATION: usize = 7;
        let everywhere = (None, None);
        let pairs = decisions.iter().map(|decision| (decision.providers[LATENCY], decision.providers[CORRELATION]));
        let (mut idle, mut used) = (BTreeSet::new(), BTreeSet::new());
        for (latency, correlation) in pairs.chain([everywhere]) {
            let Some(written) = self.medium(correlation).latency_correlation else { continue };
            let latency = self.medium(latency).latency.as_ref().map(|latency| &latencies[&latency.origin]);
            let varies = latency.is_some_and(|latency| !latency.is_constant());
            if varies { &mut used } else { &mut idle }.insert(written.origin);
        }
        for place in idle.difference(&used) {
            let mistake = Diagnostic::error("`latency-correlation` has no effect: the latency is always the same");
            let help = "write a `latency` that varies, such as { lognormal = { median = \"5ms\", p99 = \"20ms\" } }";
            self.mistakes.push(mistake.at(*place, "").help(help));
        }
    }

    fn refuse_impossible_bursts(&mut self) {
        let media = std::iter::once(self.base).chain(self.links.iter().map(|(_, link)| &link.medium));
        let losses: BTreeMap<_, _> = media.filter_map(|medium| medium.loss).map(|loss| (loss.origin, loss)).collect();
        self.mistakes.extend(losses.into_values().filter_map(|loss| bursts(&loss).err()));
    }

    /// What the link provides, or `[network]`.
    fn medium(&self, provider: Option<usize>) -> &'a Medium {
        provider.map_or(self.base, |link| &self.links[link].1.medium)
    }

    /// The latencies of all links, by place.
    fn latencies(&mut self) -> BTreeMap<Origin, Distribution> {
        let media = std::iter::once(self.base).chain(self.links.iter().map(|(_, link)| &link.medium));
        let written: BTreeMap<_, _> =
            media.filter_map(|medium| medium.latency.as_ref()).map(|latency| (latency.origin, latency)).collect();
        let mut planned = BTreeMap::new();
        for (place, latency) in written {
            match times(latency) {
                Ok(latency) => drop(planned.insert(place, latency)),
                Err(mistake) => self.mistakes.push(mistake),
            }
        }
        planned
    }
}

/// The link whose keys come from these media, in the order of [`KEYS`].
fn resolved(media: [&Medium; KEYS.len()], latencies: &BTreeMap<Origin, Distribution>) -> network::Link {
    let ideal = network::Link::default();
    let [latency, loss, bandwidth, buffer, order, duplicate, corrupt, correlation] = media;
    let correlation = correlation.latency_correlation.map_or(0.0, |share| share.0.value());
    let bursts: Option<Bursts> = loss.loss.and_then(|loss| bursts(&loss).expect("losses are checked"));
    network::Link {
        latency: latency.latency.as_ref().map_or(ideal.latency, |latency| latencies[&latency.origin].clone()),
        loss: loss.loss.map_or(ideal.loss, |loss| match loss.value {
            Loss::Independent(share) => share.0,
            Loss::Bursty { .. } => ideal.loss,
        }),
        bursts,
        correlation: Correlation::new(correlation).expect("a share is a correlation"),
        bandwidth: bandwidth.bandwidth.map(|bandwidth| bandwidth.0),
        buffer: buffer.buffer.map_or(ideal.buffer, |buffer| match buffer.value {
            Buffer::Bytes(size) => network::Buffer::Bytes(size.0.count()),
            Buffer::Packets(count) => network::Buffer::Packets(count.into()),
        }),
        order: order.order.map_or(ideal.order, |order| match order.value {
            Order::Free => Arrival::Free,
            Order::Fifo => Arrival::Fifo,
        }),
        duplicate: duplicate.duplicate.map_or(ideal.duplicate, |share| share.0),
        corrupt: corrupt.corrupt.map_or(ideal.corrupt, |share| share.0),
    }
}

/// Whether a rule speaks for any message from one group to another.
fn may_cover(rule: &Rule, from: GroupId, to: GroupId) -> bool {
    let is_about = |end: &End, group| match end {
        End::All => true,
        End::Group(own) | End::Nodes(own, _) => *own == group,
    };
    is_about(&rule.from, from) && is_about(&rule.to, to)
}
