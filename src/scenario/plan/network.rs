//! The network: `[network]`, the ways between regions, and links laid over both.
//!
//! A link speaks for the messages between its ends. Where several links speak for the same message, the narrower one
//! counts, key by key: a link is narrower than another if none of its two ends and its `only` is wider, and one is
//! narrower (nodes before a group in a zone before a group in a region before a group before a zone before a region
//! before `*`; some kinds of messages before all). Two links that set the same key for the same message without one being
//! narrower are a mistake. Regions say how long messages take between them, where no link does, and nothing else.
//!
//! Nodes fall into parts, all of which are in one region and named by the same links. Between two parts, and for one kind of
//! message, everything is decided once; equal decisions make one link of the network, called like the narrowest link it is
//! made of, or like the regions. A decision is a wire of its own: it shares no bandwidth with others.

use std::collections::{BTreeMap, BTreeSet};

use super::medium::{bursts, expanded};
use super::nodes::{Nodes, at_places};
use super::parts::{End, Kind, Parts};
use super::regions::{Region, Regions, Spot, Zone};
use super::times;
use super::transport::transport;
use crate::base::distribution::Distribution;
use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::network::{self, Arrival, Bursts, Claim, Correlation, Network};
use crate::process::Leg;
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin, Texts};
use crate::scenario::schema::{Buffer, Link, Loss, Medium, MessageKind, Name, Named, Order};
use crate::scenario::selector::{Base, Selector, Which};

/// The network between the groups in `names`, which are in `regions` if there are any. `texts` are what the scenario was
/// read from.
///
/// # Errors
/// Everything that is wrong with the links.
pub fn network(
    base: Option<&Medium>,
    links: &Named<Link>,
    regions: Option<&Regions>,
    names: &Names,
    texts: &Texts,
) -> Result<Network, Vec<Diagnostic>> {
    let base = base.map(expanded).unwrap_or_default();
    let links: Vec<_> =
        links.iter().map(|(name, link)| (name, Link { medium: expanded(&link.medium), ..link.clone() })).collect();
    let nodes = Nodes { names, regions, texts };
    let mut planner = Planner { base: &base, links: Vec::new(), ends: Vec::new(), nodes, mistakes: Vec::new() };
    let rules: Vec<_> = links.iter().flat_map(|(name, link)| planner.rules(name, link)).collect();
    planner.network(&rules).ok_or_else(|| {
        planner.mistakes.sort_by_key(Diagnostic::origin);
        planner.mistakes
    })
}

/// One direction of a link.
#[derive(Clone, Debug)]
struct Rule {
    /// The link's place among all that are written.
    link: usize,
    /// The places of its ends among all of them.
    from: usize,
    to: usize,
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

/// Who says what a key is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Provider {
    Network,
    Between(Region, Region),
    Zones(Zone, Zone),
    Link(usize),
}

/// Who provides each key, and who gives the name.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Decision {
    name: Provider,
    providers: [Provider; KEYS.len()],
}

/// The keys of a medium.
const KEYS: [&str; 9] =
    ["latency", "loss", "bandwidth", "buffer", "order", "duplicate", "corrupt", "latency-correlation", "transport"];

/// The place of the latency in [`KEYS`]: what regions speak of.
const LATENCY: usize = 0;

/// The place of each key's value, where it is written; what a preset sets stands where the preset does.
fn places(medium: &Medium) -> [Option<Origin>; KEYS.len()] {
    let Medium {
        preset: _,
        latency,
        latency_correlation,
        loss,
        bandwidth,
        buffer,
        order,
        duplicate,
        corrupt,
        transport,
    } = medium;
    [
        latency.as_ref().map(|value| value.origin),
        loss.map(|value| value.origin),
        bandwidth.map(|value| value.origin),
        buffer.map(|value| value.origin),
        order.map(|value| value.origin),
        duplicate.map(|value| value.origin),
        corrupt.map(|value| value.origin),
        latency_correlation.map(|value| value.origin),
        transport.as_ref().map(|value| value.origin),
    ]
}

/// What is narrower than what, in short.
const NARROWNESS: &str = "nodes are narrower than a group, a group than a zone, a zone than a region, a region than `*`, \
                          and `only` some messages than all";

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
    /// Every end of a link, once.
    ends: Vec<End>,
    nodes: Nodes<'a>,
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
                if one == other { vec![(one, one)] } else { vec![(one, other), (other, one)] }
            }
            (None, Some(from), Some(to)) => vec![(self.end(from), self.end(to))],
            // Refused when the scenario was read.
            _ => Vec::new(),
        };
        let rule = |(from, to): (Option<usize>, Option<usize>)| {
            let (from, to) = from.zip(to)?;
            let narrowness = [self.ends[from].level(), self.ends[to].level(), 4 * u8::from(only.is_some())];
            Some(Rule { link: index, from, to, classes: only.unwrap_or(EVERY_CLASS), narrowness })
        };
        directions.into_iter().filter_map(rule).collect()
    }

    /// The place of the end that a selector names.
    fn end(&mut self, selector: &Located<Selector>) -> Option<usize> {
        let refuse = |planner: &mut Self, message: &str| {
            planner.refuse(selector.origin, message);
            None
        };
        let group = match &selector.base {
            Base::All if selector.which == Which::All => None,
            Base::All => {
                return refuse(self, "`*` stands for all nodes; places are counted in one group, as in `api[0-2]`");
            }
            Base::Rest => {
                return refuse(self, "a link has no `rest`; `*` is every node, and a narrower link counts first");
            }
            Base::Group { partition: Some(_), .. } => {
                return refuse(self, "partitions of topics are not supported yet");
            }
            Base::Group { name, partition: None } => Some(self.found(self.nodes.group(name, selector.origin))?),
        };
        let area = self.found(self.nodes.area(selector))?;
        if area.is_some() && self.nodes.members(group, area).next().is_none() {
            return refuse(self, &format!("`{}` is nobody: no node is there", selector.value));
        }
        let nodes = match &selector.which {
            Which::All => None,
            Which::Indices(ranges) => Some(self.at_places(selector, (group, area), ranges)?),
            Which::Any(_) | Which::Each | Which::Leader | Which::Followers => {
                return refuse(
                    self,
                    "a link lies between the same nodes all the time: write their places, as in `api[0-2]`",
                );
            }
        };
        let end = End { group, area, nodes };
        let known = self.ends.iter().position(|known| *known == end);
        Some(known.unwrap_or_else(|| {
            self.ends.push(end);
            self.ends.len() - 1
        }))
    }

    /// What was found; nothing if it was a mistake.
    fn found<T>(&mut self, found: Result<T, Diagnostic>) -> Option<T> {
        found.map_err(|mistake| self.mistakes.push(mistake)).ok()
    }

    fn at_places(
        &mut self,
        selector: &Located<Selector>,
        (group, area): (Option<GroupId>, Option<Spot>),
        ranges: &[(u32, u32)],
    ) -> Option<BTreeSet<NodeId>> {
        let members: Vec<_> = self.nodes.members(group, area).collect();
        let found = at_places(&members, ranges).map_err(|last| {
            let all = Selector { which: Which::All, ..selector.value.clone() };
            let count = members.len();
            let (nodes, places) = match count {
                0 => ("nodes", "none".to_owned()),
                1 => ("node", "0".to_owned()),
                _ => ("nodes", format!("0 to {}", count - 1)),
            };
            let message = format!("there is no node {last} in `{all}`, which has {count} {nodes}");
            Diagnostic::error(message).at(selector.origin, "").help(format!("its places are {places}"))
        });
        self.found(found)
    }

    fn network(&mut self, rules: &[Rule]) -> Option<Network> {
        let parts = Parts::new(&self.ends, self.nodes.regions, self.nodes.names);
        let claims = parts.as_ref().map_or_else(BTreeMap::new, |parts| self.claims(rules, &parts.kinds));
        if parts.is_none() || claims.len() >= usize::from(u16::MAX) {
            let place = self.links.first().map(|(name, _)| name.origin);
            let mistake = Diagnostic::error("links and regions tell too many nodes apart")
                .help(format!("nodes that differ in links or regions may be of {} kinds", Parts::MAX));
            self.mistakes.push(place.into_iter().fold(mistake, |mistake, place| mistake.at(place, "")));
        }
        let latencies = self.latencies();
        self.refuse_impossible_bursts();
        self.refuse_impossible_streams();
        if self.mistakes.is_empty() {
            let decisions: Vec<_> = claims.keys().cloned().collect();
            self.refuse_idle_buffers(&decisions);
            self.refuse_idle_correlations(&decisions, &latencies);
        }
        if !self.mistakes.is_empty() {
            return None;
        }
        let base = resolved([self.base; KEYS.len()], &latencies);
        let of = parts.filter(|_| !claims.is_empty()).map_or_else(Vec::new, |parts| parts.of);
        let mut network = Network::divided(base, of);
        for (decision, claims) in claims {
            let mut link = resolved(decision.providers.map(|provider| self.medium(provider)), &latencies);
            let time = self.nodes.regions.and_then(|regions| match decision.providers[LATENCY] {
                Provider::Between(from, to) => regions.one_way(from, to),
                Provider::Zones(from, to) => regions.across(from, to),
                Provider::Network | Provider::Link(_) => None,
            });
            link.latency = time.map_or(link.latency, Distribution::constant);
            network.add(&self.name(decision.name), link, claims);
        }
        Some(network)
    }

    /// What a link of the network is called.
    fn name(&self, provider: Provider) -> String {
        match (provider, self.nodes.regions) {
            (Provider::Link(link), _) => self.links[link].0.as_ref().to_owned(),
            (Provider::Between(from, to), Some(regions)) => format!("{}->{}", regions.name(from), regions.name(to)),
            (Provider::Zones(from, to), Some(regions)) => {
                format!("{}->{}", regions.zone_name(from), regions.zone_name(to))
            }
            _ => "network".into(),
        }
    }

    /// Every decision that is not `[network]`'s alone, and what it is about.
    fn claims(&mut self, rules: &[Rule], kinds: &[Kind]) -> BTreeMap<Decision, Vec<Claim>> {
        let mut claims: BTreeMap<Decision, Vec<Claim>> = BTreeMap::new();
        let mut conflicts = BTreeSet::new();
        for (from, sender) in kinds.iter().enumerate() {
            let rules: Vec<_> = rules.iter().filter(|rule| sender.covered[rule.from]).collect();
            for (to, receiver) in kinds.iter().enumerate() {
                let between: Vec<_> = rules.iter().copied().filter(|rule| receiver.covered[rule.to]).collect();
                for (decision, classes) in self.decide(&between, (sender, receiver), &mut conflicts) {
                    let claim = Claim { from: from as u16, to: to as u16, classes };
                    claims.entry(decision).or_default().push(claim);
                }
            }
        }
        claims
    }

    /// Who decides what for messages that all of `rules` may speak for, and for which classes.
    fn decide(
        &mut self,
        rules: &[&Rule],
        (sender, receiver): (&Kind, &Kind),
        conflicts: &mut BTreeSet<(usize, usize, usize)>,
    ) -> Vec<(Decision, u8)> {
        let ends = (self.nodes.names.group_of(sender.sample), self.nodes.names.group_of(receiver.sample));
        let away = sender.spot.zip(receiver.spot).and_then(|(from, to)| match (from.zone, to.zone) {
            _ if from.region != to.region => Some(Provider::Between(from.region, to.region)),
            (Some(one), Some(other)) => self.nodes.regions?.across(one, other).map(|_| Provider::Zones(one, other)),
            _ => None,
        });
        let mut decisions: Vec<(Decision, u8)> = Vec::new();
        for class in [Leg::Out, Leg::Reply, Leg::Ack, Leg::Cancel].map(bit) {
            let rules: Vec<_> = rules.iter().copied().filter(|rule| rule.classes & class != 0).collect();
            let heaviest = rules.iter().map(|rule| rule.weight()).max();
            let named = rules.iter().find(|rule| Some(rule.weight()) == heaviest);
            let Some(name) = named.map(|rule| Provider::Link(rule.link)).or(away) else { continue };
            let mut providers = [Provider::Network; KEYS.len()];
            providers[LATENCY] = away.unwrap_or(Provider::Network);
            for (key, provider) in providers.iter_mut().enumerate() {
                if let Some(link) = self.provider(key, &rules, ends, conflicts) {
                    *provider = Provider::Link(link);
                }
            }
            let decision = Decision { name, providers };
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
            let [from, to] = [from, to].map(|group| self.nodes.names.name(group));
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
                .help(NARROWNESS);
            self.mistakes.push(mistake);
        }
        Some(first.link)
    }

    /// A buffer holds what waits for transmission, and without a bandwidth nothing waits.
    fn refuse_idle_buffers(&mut self, decisions: &[Decision]) {
        const BANDWIDTH: usize = 2;
        const BUFFER: usize = 3;
        let (mut deciding, mut used) = (BTreeSet::from([Provider::Network]), BTreeSet::new());
        if self.base.bandwidth.is_some() {
            used.insert(Provider::Network);
        }
        for Decision { providers, .. } in decisions {
            deciding.insert(providers[BUFFER]);
            if providers[BANDWIDTH] != Provider::Network || self.base.bandwidth.is_some() {
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
        const CORRELATION: usize = 7;
        let everywhere = (Provider::Network, Provider::Network);
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

    fn refuse_impossible_streams(&mut self) {
        let media = std::iter::once(self.base).chain(self.links.iter().map(|(_, link)| &link.medium));
        let written: BTreeMap<_, _> = media
            .filter_map(|medium| medium.transport.as_ref())
            .map(|transport| (transport.origin, transport))
            .collect();
        self.mistakes.extend(written.into_values().filter_map(|written| transport(&written.value).err()).flatten());
    }

    /// What the link provides, or `[network]`.
    fn medium(&self, provider: Provider) -> &'a Medium {
        match provider {
            Provider::Link(link) => &self.links[link].1.medium,
            Provider::Network | Provider::Between(..) | Provider::Zones(..) => self.base,
        }
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
    let [latency, loss, bandwidth, buffer, order, duplicate, corrupt, correlation, transported] = media;
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
        transport: transported
            .transport
            .as_ref()
            .map_or(ideal.transport, |written| transport(&written.value).expect("streams are checked")),
    }
}
