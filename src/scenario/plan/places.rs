//! Where the nodes of a group are, one after the other.
//!
//! A group that has so many nodes in each region has them in the order of the regions' names, whatever the order in which
//! they are written.

use std::collections::BTreeMap;
use std::num::NonZeroU32;

use super::regions::{Region, Spot, Times};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::{Located, Origin};
use crate::scenario::schema::{Location, Name, Place};

/// A group and what is written about where it is.
pub(super) struct Placed<'a> {
    pub(super) name: &'a Located<Name>,
    pub(super) place: Option<&'a Located<Place>>,
    pub(super) nodes: Option<&'a Located<NonZeroU32>>,
    /// Whether it is a broker that nobody wrote, but that queues need.
    pub(super) is_implied: bool,
}

impl Placed<'_> {
    /// The places of the group's nodes, one after the other.
    pub(super) fn spots(&self, times: &Times, nodes: usize) -> Result<Vec<Spot>, Vec<Diagnostic>> {
        let mut spots = self.written(times, nodes)?;
        // Where only the region is written, its zones are dealt in turn.
        let mut dealt: BTreeMap<Region, usize> = BTreeMap::new();
        for spot in spots.iter_mut().filter(|spot| spot.zone.is_none()) {
            let zones = times.zones_of(spot.region);
            let turn = dealt.entry(spot.region).or_default();
            spot.zone = zones.clone().nth(*turn % zones.len().max(1));
            *turn += 1;
        }
        Ok(spots)
    }

    fn written(&self, times: &Times, nodes: usize) -> Result<Vec<Spot>, Vec<Diagnostic>> {
        let name = self.name.as_str();
        let Some(place) = self.place else {
            let example = times.names().next().unwrap_or("eu");
            if self.is_implied {
                let message = "where are the queues? With [regions], everything has a place, and so has their broker";
                return Err(vec![
                    Diagnostic::error(message)
                        .at(self.name.origin, "at a broker that is not written")
                        .help(format!("write `brokers.rabbit.place = \"{example}\"`")),
                ]);
            }
            return Err(vec![
                Diagnostic::error(format!("where is `{name}`? With [regions], everything has a place"))
                    .at(self.name.origin, "")
                    .help(format!("write `place = \"{example}\"` in it")),
            ]);
        };
        match &place.value {
            Place::One(location) => Ok(vec![find(times, location, place.origin)?; nodes]),
            Place::Turn(locations) => {
                self.each_gets_a_node(locations.len(), nodes, place.origin)?;
                let spots = all(locations.iter().map(|location| find(times, location, location.origin)))?;
                Ok(spots.into_iter().cycle().take(nodes).collect())
            }
            Place::Counts(counts) => {
                self.sum_is_right(place, nodes)?;
                let entries = counts.iter().map(|(at, count)| Ok((find(times, at, at.origin)?, count.value.get())));
                let mut counts = all(entries)?;
                counts.sort_unstable();
                Ok(counts.into_iter().flat_map(|(spot, count)| std::iter::repeat_n(spot, count as usize)).collect())
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

fn find(times: &Times, location: &Location, origin: Origin) -> Result<Spot, Vec<Diagnostic>> {
    let region = Located { value: &location.region.value, origin };
    let zone = location.zone.as_ref().map(|zone| Located { value: &zone.value, origin });
    times.find(region, zone).map_err(|mistake| vec![mistake])
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
