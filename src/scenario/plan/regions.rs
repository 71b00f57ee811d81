//! Regions and the zones inside them: how far it is from one to another.
//!
//! Regions are numbered in the order of their names, zones in the order of their regions and names: the order in which a
//! table is written means nothing.

use std::collections::{BTreeMap, BTreeSet};

use super::places::Placed;
use crate::base::id::NodeId;
use crate::base::names::Names;
use crate::base::time::Span;
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{self, Name, Pairs, Scenario};

/// A region's number.
pub type Region = u16;

/// A zone's number, among those of all regions.
pub type Zone = u16;

/// Where a node is; or an area: a whole region, or a zone of it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Spot {
    /// The region.
    pub region: Region,
    /// The zone. Nothing for a node in a region without zones, and for an area that is a whole region.
    pub zone: Option<Zone>,
}

impl Spot {
    /// Whether a node that is here is in this area.
    pub fn is_in(self, area: Self) -> bool {
        self.region == area.region && (area.zone.is_none() || self.zone == area.zone)
    }
}

/// Where the nodes of a scenario are.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Regions {
    times: Times,
    /// The place of each node, by id.
    places: Vec<Spot>,
}

/// The regions with their zones, and the times between them.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Times {
    names: Vec<String>,
    /// One way, from each region to another.
    one_way: BTreeMap<(Region, Region), Span>,
    /// The region of each zone, and its name there.
    zones: Vec<(Region, String)>,
    /// Between two zones of a region.
    zone_rtt: Option<Span>,
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
    let is_implied = |name: &Located<Name>| {
        scenario.brokers.get(name.as_str()).is_some()
            && scenario
                .queues
                .iter()
                .map(|(name, _)| name)
                .chain(scenario.exchanges.iter().map(|(name, _)| name))
                .any(|kept| kept.origin == name.origin)
    };
    let groups = services.chain(clients).chain(routers);
    let groups = groups.map(|(name, place, nodes)| Placed { name, place, nodes, is_implied: is_implied(name) });
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
    let mut places = vec![Spot { region: 0, zone: None }; names.span()];
    for group in groups {
        let members = names.group(group.name.as_str()).into_iter().flat_map(|id| names.members(id));
        let members: Vec<_> = members.collect();
        match group.spots(&times, members.len()) {
            Ok(spots) => members.iter().zip(spots).for_each(|(node, at)| places[node.index() as usize] = at),
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

    /// What a zone is called: `eu/a`.
    pub fn zone_name(&self, zone: Zone) -> String {
        let (region, name) = &self.times.zones[usize::from(zone)];
        format!("{}/{name}", self.name(*region))
    }

    /// The area of these names.
    pub(super) fn find(&self, region: Located<&String>, zone: Option<Located<&String>>) -> Result<Spot, Diagnostic> {
        self.times.find(region, zone)
    }

    /// Where a node is.
    pub fn of(&self, node: NodeId) -> Spot {
        self.places[node.index() as usize]
    }

    /// How long a message takes from one region to another; nothing is known of the way inside a region.
    pub fn one_way(&self, from: Region, to: Region) -> Option<Span> {
        self.times.one_way.get(&(from, to)).copied()
    }

    /// How long a message takes from one zone to another of the same region, if that differs from the way inside a zone.
    pub fn across(&self, from: Zone, to: Zone) -> Option<Span> {
        let [(_, there), (_, back)] = halves((0, 1), self.times.zone_rtt.filter(|_| from != to)?);
        Some(if from < to { there } else { back })
    }
}

impl Times {
    fn named(&self, name: &str) -> Option<Region> {
        self.names.binary_search_by(|known| known.as_str().cmp(name)).ok().map(|index| index as Region)
    }

    /// The regions' names.
    pub(super) fn names(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str)
    }

    /// The zones of a region.
    pub(super) fn zones_of(&self, region: Region) -> std::ops::Range<Zone> {
        let until = |end: Region| self.zones.partition_point(|(at, _)| *at < end) as Zone;
        until(region)..until(region + 1)
    }

    /// The area of these names.
    pub(super) fn find(&self, region: Located<&String>, zone: Option<Located<&String>>) -> Result<Spot, Diagnostic> {
        let found = self.named(region.value).ok_or_else(|| unknown_name(&region, "region", self.names()))?;
        let Some(zone) = zone else { return Ok(Spot { region: found, zone: None }) };
        let mut zones = self.zones_of(found);
        if zones.is_empty() {
            let (region, zone_name) = (region.value, zone.value);
            return Err(Diagnostic::error(format!("`{region}` has no zones"))
                .at(zone.origin, "")
                .help(format!("write `regions.zones = {{ {region} = [\"{zone_name}\"] }}`")));
        }
        let name = |zone: Zone| self.zones[usize::from(zone)].1.as_str();
        let known: Vec<_> = zones.clone().map(name).collect();
        let at = zones.find(|number| name(*number) == zone.value);
        let at = at.ok_or_else(|| unknown_name(&zone, "zone", known))?;
        Ok(Spot { region: found, zone: Some(at) })
    }
}

fn times(written: &Located<schema::Regions>) -> Result<Times, Vec<Diagnostic>> {
    let times = times_of_regions(written)?;
    let mut zones = BTreeSet::new();
    let mut mistakes = Vec::new();
    for (region, names) in written.zones.iter() {
        let Some(number) = times.named(region.as_str()) else {
            mistakes.push(unknown_name(region, "region", times.names()));
            continue;
        };
        if names.value.is_empty() {
            let message = format!("no zones of `{}`: leave it out", region.value);
            mistakes.push(Diagnostic::error(message).at(names.origin, ""));
        }
        for name in &names.value {
            if !zones.insert((number, name.as_str().to_owned())) {
                mistakes.push(Diagnostic::error(format!("zone `{}` is written twice", name.value)).at(name.origin, ""));
            }
        }
    }
    let zone_rtt = written.zone_rtt.as_ref().map(|time| time.value.0);
    if mistakes.is_empty() {
        Ok(Times { zones: zones.into_iter().collect(), zone_rtt, ..times })
    } else {
        Err(mistakes)
    }
}

fn times_of_regions(written: &Located<schema::Regions>) -> Result<Times, Vec<Diagnostic>> {
    let schema::Regions { rtt, one_way, preset, zones, .. } = &written.value;
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
        // Only one region needs no times: several were refused when the scenario was read.
        _ => Ok(Times { names: zones.iter().map(|(name, _)| name.as_str().to_owned()).collect(), ..Times::default() }),
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
