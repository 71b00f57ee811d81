//! The directory of groups: from a node's dense id to its name.
//!
//! Groups start at multiples of [`Names::PAGE`], so that the way from an id to its group and its name is one look into a table of
//! a few bytes a page, which stays in the nearest cache with a million nodes.

use super::id::{Entity, NodeId, hash_name};

/// A group's place in the directory.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct GroupId(u32);

impl GroupId {
    /// The dense index, in order of naming.
    pub const fn index(self) -> usize {
        self.0 as usize
    }
}

/// Who is called what.
#[derive(Clone, Default, Debug)]
pub struct Names {
    pages: Vec<Page>,
    groups: Vec<Group>,
}

/// What every event asks about the ids of one page.
#[derive(Clone, Copy, Debug)]
#[repr(align(16))]
struct Page {
    group: GroupId,
    /// The group's first id.
    first: u32,
    /// The hash of the group's name.
    hash: u32,
}

#[derive(Clone, Debug)]
struct Group {
    name: String,
    first: u32,
    len: u32,
}

/// Why a group could not be named.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum NameError {
    /// There is a group of that name.
    Taken(String),
    /// Another group's name has the same hash; one of the two must change.
    Collision(String, String),
    /// More than 2^32 nodes.
    TooMany,
}

impl std::fmt::Display for NameError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Taken(name) => write!(f, "there is a group called `{name}` already"),
            Self::Collision(one, other) => {
                write!(f, "the names `{one}` and `{other}` share a 32-bit hash; please rename one of them")
            }
            Self::TooMany => f.write_str("a system holds fewer than 2^32 nodes"),
        }
    }
}

impl std::error::Error for NameError {}

impl Names {
    /// Ids per page; a group takes whole pages.
    pub const PAGE: u32 = 1024;

    /// Names a group of `len` nodes; the ids of its members follow each other from the first.
    ///
    /// # Errors
    /// When the name is taken, collides with another, or the ids run out.
    pub fn add(&mut self, name: &str, len: u32) -> Result<GroupId, NameError> {
        let hash = hash_name(name);
        if let Some(other) = self.groups.iter().find(|group| hash_name(&group.name) == hash) {
            return Err(if other.name == name {
                NameError::Taken(name.into())
            } else {
                NameError::Collision(name.into(), other.name.clone())
            });
        }
        let first = self.pages.len() as u64 * u64::from(Self::PAGE);
        let pages = u64::from(len.div_ceil(Self::PAGE));
        if first + pages * u64::from(Self::PAGE) > u64::from(u32::MAX) {
            return Err(NameError::TooMany);
        }
        let (first, group) = (first as u32, GroupId(self.groups.len() as u32));
        self.pages.extend((0..pages).map(|_| Page { group, first, hash }));
        self.groups.push(Group { name: name.into(), first, len });
        Ok(group)
    }

    /// The number of ids given out, holes between groups included: the length of a table indexed by node.
    pub fn span(&self) -> usize {
        self.pages.len() * Self::PAGE as usize
    }

    /// All groups, in order of naming.
    pub fn groups(&self) -> impl Iterator<Item = GroupId> + use<> {
        (0..self.groups.len() as u32).map(GroupId)
    }

    /// The group called `name`.
    pub fn group(&self, name: &str) -> Option<GroupId> {
        self.groups.iter().position(|group| group.name == name).map(|index| GroupId(index as u32))
    }

    /// The members of a group.
    pub fn members(&self, group: GroupId) -> impl ExactSizeIterator<Item = NodeId> + Clone + use<> {
        let Group { first, len, .. } = self.groups[group.index()];
        (first..first + len).map(NodeId::new)
    }

    /// What a group is called.
    pub fn name(&self, group: GroupId) -> &str {
        &self.groups[group.index()].name
    }

    #[inline(always)]
    fn page(&self, node: NodeId) -> Page {
        self.pages[(node.index() / Self::PAGE) as usize]
    }

    /// The group a node belongs to.
    #[inline(always)]
    pub fn group_of(&self, node: NodeId) -> GroupId {
        self.page(node).group
    }

    /// A node's name as an entity.
    #[inline(always)]
    pub fn entity(&self, node: NodeId) -> Entity {
        self.group_and_entity(node).1
    }

    /// The group a node belongs to, and the node's name: one look-up.
    #[inline(always)]
    pub fn group_and_entity(&self, node: NodeId) -> (GroupId, Entity) {
        let Page { group, first, hash } = self.page(node);
        (group, Entity::from_parts(hash, node.index() - first))
    }

    /// A node's name for people: `api[3]`.
    pub fn label(&self, node: NodeId) -> String {
        let (group, index) = self.place(node);
        format!("{}[{index}]", self.name(group))
    }

    /// The group a node belongs to, and the node's index in it.
    #[inline(always)]
    pub fn place(&self, node: NodeId) -> (GroupId, u32) {
        let Page { group, first, .. } = self.page(node);
        (group, node.index() - first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nodes_name_does_not_depend_on_other_groups() {
        let mut small = Names::default();
        let api = small.add("api", 3).unwrap();
        let mut large = Names::default();
        large.add("clients", 1_000).unwrap();
        let api_too = large.add("api", 3).unwrap();
        for (one, other) in small.members(api).zip(large.members(api_too)) {
            assert_ne!(one, other);
            assert_eq!(small.entity(one), large.entity(other));
            assert_eq!(small.label(one), large.label(other));
        }
        assert_eq!(large.group("api"), Some(api_too));
        assert_eq!(large.group_of(large.members(api_too).next().unwrap()), api_too);
    }

    #[test]
    fn a_name_is_given_once() {
        let mut names = Names::default();
        names.add("api", 1).unwrap();
        assert_eq!(names.add("api", 1), Err(NameError::Taken("api".into())));
        assert_eq!(names.add("many", u32::MAX), Err(NameError::TooMany));
    }
}
