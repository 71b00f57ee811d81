//! The nodes of a scenario, and how selectors find them.

use std::collections::BTreeSet;

use super::regions::{Region, Regions};
use crate::base::id::NodeId;
use crate::base::names::{GroupId, Names};
use crate::scenario::diagnostic::{Diagnostic, unknown_name};
use crate::scenario::document::{Origin, Piece, Texts};

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

    /// The region that a part of the text at `whole` names.
    pub(super) fn region(&self, name: &Piece<String>, whole: Origin) -> Result<Region, Diagnostic> {
        let written = name.located(whole, self.texts);
        let Some(regions) = self.regions else {
            return Err(Diagnostic::error("a region has a meaning only with [regions]").at(written.origin, ""));
        };
        regions.named(name).ok_or_else(|| unknown_name(&written, "region", regions.names()))
    }

    /// The members of a group, or of all, in a region, or everywhere.
    pub(super) fn members(&self, group: Option<GroupId>, region: Option<Region>) -> impl Iterator<Item = NodeId> {
        let groups = self.names.groups().filter(move |known| group.is_none_or(|own| own == *known));
        let members = groups.flat_map(|group| self.names.members(group));
        members.filter(move |node| region.is_none() || self.regions.map(|regions| regions.of(*node)) == region)
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
