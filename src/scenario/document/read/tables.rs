//! Tables as serde structs and maps.

use serde::de::{DeserializeSeed, MapAccess, Visitor};

use super::error::ReadError;
use super::node::{KeyNode, Node, Trail, identifier};
use super::{REST, Reading};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::tree::{Data, Key, Table, Value};
use crate::scenario::nearest::{nearest, one_of};

/// What may stand at the top, and is handled before a scenario is read.
const EARLY: [&str; 5] = ["extends", "remove", "params", "variants", "sweep"];

/// A schema struct as far as serde tells: its name and its keys.
#[derive(Clone, Copy)]
pub(super) struct Fields {
    pub name: &'static str,
    pub fields: &'static [&'static str],
}

impl Fields {
    fn claims(&self, key: &str) -> bool {
        key != REST && self.fields.contains(&key)
    }
}

/// Reads a table whose keys are the user's.
pub(super) fn read_map<'de, V: Visitor<'de>>(node: Node<'_>, table: &Table, visitor: V) -> Result<V::Value, ReadError> {
    let entries: Vec<_> = table.iter().filter(|(key, value)| !is_cut(node.reading, key, value)).collect();
    visitor.visit_map(Pairs { node, entries: entries.into_iter(), value: None, rest: None, above: &[] })
}

/// Reads a table whose keys are the fields of a struct.
pub(super) fn read_struct<'de, V: Visitor<'de>>(
    node: Node<'_>,
    own: Fields,
    visitor: V,
) -> Result<V::Value, ReadError> {
    let Some(table) = node.value.as_table() else {
        return Err(ReadError::Wrong(format!("expected a table, found {}", node.value.describe())));
    };
    let levels: Vec<_> = node.above.iter().copied().chain([own]).collect();
    let has_rest = own.fields.contains(&REST);
    // What stands beside a word that is not supported yet belongs to that, most likely.
    let is_ahead = table.names().any(|name| is_planned(node, &levels, name));
    let mut entries = Vec::new();
    let mut rest = Vec::new();
    for (key, value) in table.iter() {
        if own.claims(&key.name) {
            if !is_cut(node.reading, key, value) {
                entries.push((key, value));
            }
        } else if has_rest {
            rest.push((key.clone(), value.clone()));
        } else if is_ahead && !is_planned(node, &levels, &key.name) {
            node.reading.cut(key.origin);
        } else {
            refuse_key(node, &levels, key, value);
        }
    }
    let rest = has_rest.then(|| Value { data: Data::Table(Table::from_iter(rest)), ..node.value.clone() });
    let entries = entries.into_iter();
    visitor.visit_map(Pairs { node, entries, value: None, rest: rest.as_ref().map(Rest::Key), above: &levels })
}

fn is_cut(reading: &Reading<'_>, key: &Key, value: &Value) -> bool {
    reading.is_refused(key.origin) || reading.is_refused(value.origin)
}

fn is_planned(node: Node<'_>, levels: &[Fields], name: &str) -> bool {
    levels.iter().any(|level| node.reading.vocabulary.is_planned(level.name, name))
}

fn refuse_key(node: Node<'_>, levels: &[Fields], key: &Key, value: &Value) {
    let reading = node.reading;
    let name = key.name.as_str();
    if is_planned(node, levels, name) {
        reading.refuse(key.origin, Diagnostic::error(format!("`{name}` is not supported yet")).at(key.origin, ""));
        return;
    }
    let is_top = matches!(node.trail, Trail::Top);
    let (place, table) = match node.trail {
        Trail::Top => ("at the top".to_owned(), "the top of a scenario".to_owned()),
        trail => (format!("in [{trail}]"), format!("[{trail}]")),
    };
    let mut accepted: Vec<_> =
        levels.iter().flat_map(|level| level.fields).copied().filter(|key| *key != REST).collect();
    if is_top {
        accepted.extend(EARLY);
    }
    accepted.sort_unstable();
    accepted.dedup();
    let near = nearest(name, accepted.iter().copied());
    // A table at the top is a section that is misspelled, whatever else may have its name.
    let is_section = is_top && value.as_table().is_some() && near.is_some();
    let homes = if is_section { Vec::new() } else { reading.vocabulary.homes(name) };
    let synonym = reading.vocabulary.synonym(name, &accepted);
    let meant = match (near, synonym) {
        (_, Some((ours, why))) => Some(format!("did you mean `{ours}`? {why}").trim_end().to_owned()),
        _ if !homes.is_empty() => Some(format!("`{name}` belongs in {}", homes.join(" or "))),
        (Some(near), None) => Some(format!("did you mean `{near}`?")),
        (None, None) => match reading.vocabulary.owners(name).as_slice() {
            [] => None,
            [owner] => Some(format!("`{name}` is a setting of `{owner}`: write {{ {owner} = {{ {name} = ... }} }}")),
            owners => Some(format!("`{name}` is a setting of {}", one_of(owners))),
        },
    };
    let mistake = Diagnostic::error(format!("unknown key `{name}` {place}"))
        .at(key.origin, "")
        .help_if(meant)
        .help(format!("{table} takes {}", accepted.join(", ")));
    reading.refuse(key.origin, mistake);
}

/// The entries of a table on their way to a visitor, then the rest.
struct Pairs<'t, I> {
    node: Node<'t>,
    entries: I,
    value: Option<(&'t Key, &'t Value)>,
    rest: Option<Rest<'t>>,
    above: &'t [Fields],
}

/// What of the rest is due next.
enum Rest<'t> {
    Key(&'t Value),
    Value(&'t Value),
}

impl<'de, 't, I: Iterator<Item = (&'t Key, &'t Value)>> MapAccess<'de> for Pairs<'t, I> {
    type Error = ReadError;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, ReadError> {
        if let Some(entry) = self.entries.next() {
            self.value = Some(entry);
            return seed.deserialize(KeyNode { reading: self.node.reading, key: entry.0 }).map(Some);
        }
        match self.rest.take() {
            Some(Rest::Key(rest)) => {
                self.rest = Some(Rest::Value(rest));
                identifier(seed, REST).map(Some)
            }
            _ => Ok(None),
        }
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, ReadError> {
        let Node { reading, trail, .. } = self.node;
        if let Some((key, value)) = self.value.take() {
            return seed.deserialize(Node { reading, value, trail: &Trail::Key(trail, &key.name), above: &[] });
        }
        match self.rest.take() {
            Some(Rest::Value(value)) => seed.deserialize(Node { reading, value, trail, above: self.above }),
            _ => unreachable!("serde asks for a value after its key"),
        }
    }
}
