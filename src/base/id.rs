//! Who is who: dense ids for speed, names for everything that a result may depend on.

use std::fmt;
use std::num::NonZeroU32;

/// A node's place in one run: dense, cheap, and never part of a result.
///
/// Kept as its successor, so that an optional id, and an optional process that holds one, take no extra room.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(NonZeroU32);

impl NodeId {
    /// The node at `index`.
    ///
    /// # Panics
    /// If `index` is 2^32 - 1.
    pub const fn new(index: u32) -> Self {
        Self(NonZeroU32::MIN.checked_add(index).expect("ids end before 2^32 - 1"))
    }

    /// The dense index.
    pub const fn index(self) -> u32 {
        self.0.get() - 1
    }
}

impl fmt::Debug for NodeId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "n{}", self.index())
    }
}

/// An entity's name in 64 bits: its group's name (hashed) above its index in the group.
///
/// Draws and ties are addressed by it, so that adding a group moves neither. Two group names that share a hash are refused
/// where groups are named.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Entity(u64);

impl Entity {
    /// Member `index` of the group called `group`.
    pub fn new(group: &str, index: u32) -> Self {
        Self::from_parts(hash_name(group), index)
    }

    /// Member `index` of the group whose name hashes to `group`.
    pub const fn from_parts(group: u32, index: u32) -> Self {
        Self((group as u64) << 32 | index as u64)
    }

    /// Another member of the same group.
    pub const fn member(self, index: u32) -> Self {
        Self(self.0 & !0xffff_ffff | index as u64)
    }

    /// The entity whose name has these bits: for names that are derived from others.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The name as bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// The index in the group.
    pub const fn index(self) -> u32 {
        self.0 as u32
    }

    /// The hash of the group's name.
    pub const fn group(self) -> u32 {
        (self.0 >> 32) as u32
    }
}

/// FNV-1a over the bytes of a name, folded to 32 bits: fixed widths, the same everywhere.
pub fn hash_name(name: &str) -> u32 {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in name.bytes() {
        hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
    }
    (hash ^ hash >> 32) as u32
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entity_is_its_groups_name_and_its_index() {
        assert_eq!(Entity::new("api", 3), Entity::new("api", 0).member(3));
        assert_ne!(Entity::new("api", 3), Entity::new("apj", 3));
        assert_eq!(Entity::new("api", 3).group(), hash_name("api"));
    }
}
