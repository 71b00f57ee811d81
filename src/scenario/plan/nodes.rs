//! The nodes of a scenario, and how selectors find them.

use std::collections::BTreeSet;

use super::regions::{Regions, Spot};
use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Located, Origin, Piece, Texts};
use crate::scenario::selector::Selector;

/// Where the nodes are that a scenario's selectors speak of.
#[derive(Clone, Copy)]
pub(super) struct Nodes<'a> {
    pub(super) names: &'a Names,
    pub(super) regions: Option<&'a Regions>,
    pub(super) texts: &'a Texts,
}

impl Nodes<'_> {
    /// The group that a part of the text at `whole` names.
    pub(super) fn group(&self, name: &Piece<String>, whole: Origin) -> Result<GroupId, Diagnostic> {
        self.names.group(name).ok_or_else(|| {
            let known: Vec<_> = self.names.groups().map(|group| self.names.name(group)).collect();
            unknown_name(&name.located(whole, self.texts), "group", known)
        })
    }

    /// The region or zone that a selector names, if it names one.
    pub(super) fn area(&self, selector: &Located<Selector>) -> Result<Option<Spot>, Diagnostic> {
        let Some(region) = &selector.region else { return Ok(None) };
        let Some(regions) = self.regions else {
            let place = region.located(selector.origin, self.texts).origin;
            return Err(Diagnostic::error("a region has a meaning only with [regions]").at(place, ""));
        };
        let zone = selector.zone.as_ref().map(|zone| zone.located(selector.origin, self.texts));
        regions.find(region.located(selector.origin, self.texts), zone).map(Some)
    }

    /// The members of a group, or of all, in a region or zone, or everywhere: in the order of names.
    pub(super) fn members(&self, group: Option<GroupId>, area: Option<Spot>) -> impl Iterator<Item = NodeId> {
        let mut groups: Vec<_> = self.names.groups().filter(|known| group.is_none_or(|own| own == *known)).collect();
        groups.sort_by_key(|group| self.names.name(*group));
        let members = groups.into_iter().flat_map(|group| self.names.members(group));
        members.filter(move |node| {
            area.is_none_or(|area| self.regions.is_some_and(|regions| regions.of(*node).is_in(area)))
        })
    }
}

/// Those of `members` that stand at these places, from the first to the last of each range.
///
/// # Errors
/// The last place that is asked for, if there is none such.
pub(super) fn at_places(members: &[NodeId], ranges: &[(u32, u32)]) -> Result<BTreeSet<NodeId>, u32> {
    let last = ranges.iter().map(|&(_, last)| last).max().unwrap_or(0);
    if last as usize >= members.len() {
        return Err(last);
    }
    Ok(ranges.iter().flat_map(|&(from, to)| &members[from as usize..=to as usize]).copied().collect())
}
