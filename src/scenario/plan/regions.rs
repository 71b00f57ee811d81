//! Regions: which node is where, and how far it is from there to elsewhere.
//!
//! Regions are numbered in the order of their names, and a group that has so many nodes in each region has them in that order
//! too: the order in which a table is written means nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::num::NonZeroU32;

use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Span;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{self, Name, Pairs, Place, Scenario};

/// A region's number.
pub type Region = u16;

/// Where the nodes of a scenario are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regions {
    times: Times,
    /// The region of each node, by id.
    places: Vec<Region>,
}

/// The regions, and the times between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
struct Times {
    names: Vec<String>,
    /// One way, from each region to another.
    one_way: BTreeMap<(Region, Region), Span>,
}

/// The regions of a scenario, if it has any, and the places of the groups in `names`.
///
/// # Errors
/// Everything that is wrong with the regions, or with where the groups are.
pub fn regions(scenario: &Scenario, names: &Names) -> Result<Option<Regions>, Vec<Diagnostic>> {
    let clients = scenario.clients.iter().map(|(name, client)| (name, client.place.as_ref(), client.nodes.as_ref()));
    let services =
        scenario.services.iter().map(|(name, service)| (name, service.place.as_ref(), service.nodes.as_ref()));
    let routers = scenario.routers.iter().map(|(name, router)| (name, router.place.as_ref(), router.nodes.as_ref()));
    let groups = services.chain(clients).chain(routers).map(|(name, place, nodes)| Placed { name, place, nodes });
    let Some(written) = &scenario.regions else {
        let placed = groups.filter_map(|group| group.place);
        let refused = placed.map(|place| {
            Diagnostic::error("`place` has a meaning only with [regions]")
                .at(place.origin, "")
                .help("name the regions and their distances, as in `regions.rtt = { eu.us = \"80ms\" }`")
        });
        let mistakes: Vec<_> = refused.collect();
        return if mistakes.is_empty() { Ok(None) } else { Err(mistakes) };
    };
    let times = times(written)?;
    let mut mistakes = Vec::new();
    let mut places = vec![0; names.span()];
    for group in groups {
        let members = names.group(group.name.as_str()).into_iter().flat_map(|id| names.members(id));
        let members: Vec<_> = members.collect();
        match group.regions(&times, members.len()) {
            Ok(regions) => members.iter().zip(regions).for_each(|(node, at)| places[node.index() as usize] = at),
            Err(more) => mistakes.extend(more),
        }
    }
    mistakes.sort_by_key(Diagnostic::origin);
    if mistakes.is_empty() { Ok(Some(Regions { times, places })) } else { Err(mistakes) }
}

impl Regions {
    /// How many regions there are.
    pub fn count(&self) -> usize {
        self.times.names.len()
    }

    /// What a region is called.
    pub fn name(&self, region: Region) -> &str {
        &self.times.names[usize::from(region)]
    }

    /// The regions' names.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.times.names.iter().map(String::as_str)
    }

    /// The region called `name`.
    pub fn named(&self, name: &str) -> Option<Region> {
        self.times.named(name)
    }

    /// Where a node is.
    pub fn of(&self, node: NodeId) -> Region {
        self.places[node.index() as usize]
    }

    /// How long a message takes from one region to another; nothing is known of the way inside a region.
    pub fn one_way(&self, from: Region, to: Region) -> Option<Span> {
        self.times.one_way.get(&(from, to)).copied()
    }
}

impl Times {
    fn named(&self, name: &str) -> Option<Region> {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok().map(|index| index as Region)
    }
}

fn times(written: &Located<schema::Regions>) -> Result<Times, Vec<Diagnostic>> {
    let schema::Regions { rtt, one_way, preset } = &written.value;
    match (rtt, one_way, preset) {
        (Some(pairs), ..) => times_of(pairs, true),
        (_, Some(pairs), _) => times_of(pairs, false),
        (.., Some(preset)) => {
            let mut names: Vec<_> = preset.value.0.regions.iter().map(|&name| name.to_owned()).collect();
            names.sort();
            let mut times = Times { names, ..Times::default() };
            for (from, to, rtt) in preset.value.0.pairs() {
                let ends = times.named(from).zip(times.named(to)).expect("a matrix names its regions");
                times.one_way.extend(halves(ends, rtt));
            }
            Ok(times)
        }
        // Refused when the scenario was read.
        _ => Ok(Times::default()),
    }
}

/// Half of a round trip each way; of an odd number of nanoseconds one way takes one more.
fn halves((from, to): (Region, Region), rtt: Span) -> [((Region, Region), Span); 2] {
    let half = Span::from_nanos(rtt.as_nanos() / 2);
    [((from, to), half), ((to, from), Span::from_nanos(rtt.as_nanos() - half.as_nanos()))]
}

fn times_of(pairs: &Pairs, is_rtt: bool) -> Result<Times, Vec<Diagnostic>> {
    let mut mistakes = Vec::new();
    let mut written: BTreeMap<(&str, &str), (Span, Origin)> = BTreeMap::new();
    let mut names = BTreeSet::new();
    for (from, row) in pairs.value.iter() {
        names.insert(from.as_str());
        for (to, time) in row.iter() {
            let (one, other) = (from.as_str(), to.as_str());
            names.insert(other);
            if one == other {
                let message =
                    format!("inside `{one}` messages meet [network]; here stands what is between two regions");
                mistakes.push(Diagnostic::error(message).at(to.origin, ""));
            } else if let (true, Some((_, first))) = (is_rtt, written.get(&(other, one))) {
                let message = format!("the round trip between `{other}` and `{one}` is written twice");
                mistakes.push(
                    Diagnostic::error(message)
                        .at(to.origin, "")
                        .at(*first, "written already")
                        .help("where the two directions differ, write `one-way` instead of `rtt`"),
                );
            }
            written.insert((one, other), (time.value.0, to.origin));
        }
    }
    let names: Vec<_> = names.into_iter().collect();
    mistakes.extend(missing(&names, &written, pairs.origin));
    if !mistakes.is_empty() {
        return Err(mistakes);
    }
    let mut times = Times { names: names.into_iter().map(Into::into).collect(), ..Times::default() };
    for ((from, to), (time, _)) in &written {
        let (one, other) = times.named(from).zip(times.named(to)).expect("every name was gathered");
        if is_rtt {
            times.one_way.extend(halves((one, other), *time));
        } else {
            let back = written.get(&(*to, *from)).map_or(*time, |(back, _)| *back);
            times.one_way.extend([((one, other), *time), ((other, one), back)]);
        }
    }
    Ok(times)
}

/// The pairs that are not written, if there are any.
fn missing(names: &[&str], written: &BTreeMap<(&str, &str), (Span, Origin)>, place: Origin) -> Option<Diagnostic> {
    let pairs =
        names.iter().enumerate().flat_map(|(index, one)| names[index + 1..].iter().map(move |other| (*one, *other)));
    let is_there = |one, other| written.contains_key(&(one, other)) || written.contains_key(&(other, one));
    let missing: Vec<_> = pairs.filter(|(one, other)| !is_there(*one, *other)).collect();
    let (one, other) = missing.first()?;
    let listed: Vec<_> = missing.iter().map(|(one, other)| format!("`{one}.{other}`")).collect();
    let message = format!("how far is it between these regions? {} is missing", listed.join(", "));
    Some(
        Diagnostic::error(if missing.len() == 1 { message } else { message.replace(" is missing", " are missing") })
            .at(place, "")
            .help(format!("every pair of regions has a time, as in `{one}.{other} = \"80ms\"`")),
    )
}

/// A group and what is written about where it is.
struct Placed<'a> {
    name: &'a Located<Name>,
    place: Option<&'a Located<Place>>,
    nodes: Option<&'a Located<NonZeroU32>>,
}

impl Placed<'_> {
    /// The regions of the group's nodes, one after the other.
    fn regions(&self, times: &Times, nodes: usize) -> Result<Vec<Region>, Vec<Diagnostic>> {
        let name = self.name.as_str();
        let Some(place) = self.place else {
            let example = times.names.first().map_or("eu", String::as_str);
            return Err(vec![
                Diagnostic::error(format!("where is `{name}`? With [regions], everything has a place"))
                    .at(self.name.origin, "")
                    .help(format!("write `place = \"{example}\"` in it")),
            ]);
        };
        match &place.value {
            Place::One(region) => {
                let region = find(times, &Located { value: region.clone(), origin: place.origin })?;
                Ok(vec![region; nodes])
            }
            Place::Turn(regions) => {
                self.each_gets_a_node(regions.len(), nodes, place.origin)?;
                let regions = all(regions.iter().map(|region| find(times, region)))?;
                Ok(regions.into_iter().cycle().take(nodes).collect())
            }
            Place::Counts(counts) => {
                self.sum_is_right(place, nodes)?;
                let entries = counts.iter().map(|(region, count)| Ok((find(times, region)?, count.value.get())));
                let mut counts = all(entries)?;
                counts.sort_unstable();
                Ok(counts.into_iter().flat_map(|(region, count)| std::iter::repeat_n(region, count as usize)).collect())
            }
        }
    }

    fn each_gets_a_node(&self, regions: usize, nodes: usize, place: Origin) -> Result<(), Vec<Diagnostic>> {
        let name = self.name.as_str();
        let message = match regions {
            0 => format!("`{name}` is nowhere: its list of places is empty"),
            _ if regions > nodes => format!("`{name}` has {nodes} nodes for {regions} places"),
            _ => return Ok(()),
        };
        let mistake = Diagnostic::error(message).at(place, "");
        let mistake = if regions > nodes && regions > 0 {
            mistake.help(format!("places are dealt in turn: write `nodes = {regions}` or more"))
        } else {
            mistake
        };
        Err(vec![mistake])
    }

    fn sum_is_right(&self, place: &Located<Place>, nodes: usize) -> Result<(), Vec<Diagnostic>> {
        let sum = place.value.nodes().map_or(0, NonZeroU32::get);
        let name = self.name.as_str();
        match self.nodes {
            _ if sum == 0 => Err(vec![
                Diagnostic::error(format!("`{name}` is nowhere: its table of places is empty")).at(place.origin, ""),
            ]),
            Some(written) if sum as usize != nodes => Err(vec![
                Diagnostic::error(format!("`{name}` has {nodes} nodes, and places for {sum}"))
                    .at(place.origin, "")
                    .at(written.origin, "")
                    .help("`nodes` can be left out: the places say how many there are"),
            ]),
            _ => Ok(()),
        }
    }
}

fn find(times: &Times, name: &Located<Name>) -> Result<Region, Vec<Diagnostic>> {
    let known = || times.names.iter().map(String::as_str);
    times.named(name.value.as_str()).ok_or_else(|| vec![unknown_name(name, "region", known())])
}

/// Everything that was found, or everything that was not.
fn all<T>(found: impl Iterator<Item = Result<T, Vec<Diagnostic>>>) -> Result<Vec<T>, Vec<Diagnostic>> {
    let (mut well, mut mistakes) = (Vec::new(), Vec::new());
    for found in found {
        match found {
            Ok(value) => well.push(value),
            Err(more) => mistakes.extend(more),
        }
    }
    if mistakes.is_empty() { Ok(well) } else { Err(mistakes) }
}
