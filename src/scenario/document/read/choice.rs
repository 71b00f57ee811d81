//! One of several things: enums.

use serde::de::{DeserializeSeed, EnumAccess, VariantAccess, Visitor};

use super::error::ReadError;
use super::node::{Node, Trail, identifier};
use super::tables::{Fields, read_struct};
use super::{BARE, BARE_LIST, BARE_TABLE};
use crate::scenario::diagnostic::Diagnostic;
use crate::scenario::document::tree::{Data, Key, Table, Value};
use crate::scenario::nearest::{nearest, one_of};

/// Reads the enum `name` from a bare name, a bare value or list, or a table with one key.
pub(super) fn choose<'de, V: Visitor<'de>>(
    node: Node<'_>,
    name: &'static str,
    variants: &'static [&'static str],
    visitor: V,
) -> Result<V::Value, ReadError> {
    let names: Vec<_> = variants.iter().copied().filter(|tag| ![BARE, BARE_LIST, BARE_TABLE].contains(tag)).collect();
    let named = |text: &str| names.iter().copied().find(|tag| *tag == text);
    let bare = variants.contains(&BARE);
    let whole = |tag| Choice { node, tag, content: Some(Content { value: node.value, trail: node.trail }) };
    match &node.value.data {
        Data::String(text) => match named(text) {
            Some(tag) => visitor.visit_enum(Choice { node, tag, content: None }),
            None if node.reading.vocabulary.is_planned(name, text) => Err(ReadError::Wrong(not_yet(text))),
            None if bare && (names.is_empty() || !is_word(text)) => visitor.visit_enum(whole(BARE)),
            None => {
                let mistake = Diagnostic::error(format!("expected {}, found {text:?}", accepted(&names, bare)));
                let meant = meant(node, text, &names).map(|meant| format!("did you mean \"{meant}\"?"));
                node.refuse(node.value.origin, mistake.help_if(meant));
                Err(ReadError::Placed)
            }
        },
        Data::Array(_) if variants.contains(&BARE_LIST) => visitor.visit_enum(whole(BARE_LIST)),
        Data::Table(table)
            if variants.contains(&BARE_TABLE) && !table.iter().any(|(key, _)| named(&key.name).is_some()) =>
        {
            visitor.visit_enum(whole(BARE_TABLE))
        }
        Data::Table(table) => {
            let (key, tag, value) = only_tag(node, name, &names, table)?;
            let trail = &Trail::Key(node.trail, &key.name);
            visitor.visit_enum(Choice { node, tag, content: Some(Content { value, trail }) })
        }
        _ if bare => visitor.visit_enum(whole(BARE)),
        _ => Err(ReadError::Wrong(format!("expected {}, found {}", accepted(&names, bare), node.value.describe()))),
    }
}

/// The one key of a table that names a variant, and what it holds.
fn only_tag<'t>(
    node: Node<'t>,
    name: &str,
    names: &[&'static str],
    table: &'t Table,
) -> Result<(&'t Key, &'static str, &'t Value), ReadError> {
    let mut planned = table.iter().filter(|(key, _)| node.reading.vocabulary.is_planned(name, &key.name));
    if let Some((key, _)) = planned.next() {
        node.refuse(key.origin, Diagnostic::error(not_yet(&key.name)));
        return Err(ReadError::Placed);
    }
    let entries: Vec<_> = table.iter().collect();
    match entries.as_slice() {
        [] => Err(ReadError::Wrong(format!("expected a table with one of {}", one_of(names)))),
        [(_, value)] if node.reading.is_refused(value.origin) => {
            node.reading.cut(node.value.origin);
            Err(ReadError::Placed)
        }
        [(key, value)] => match names.iter().find(|tag| **tag == key.name) {
            Some(tag) => Ok((key, tag, value)),
            None => {
                let mistake = Diagnostic::error(format!("expected one of {}, found `{}`", one_of(names), key.name));
                let meant = meant(node, &key.name, names).map(|meant| format!("did you mean `{meant}`?"));
                node.refuse(key.origin, mistake.help_if(meant));
                Err(ReadError::Placed)
            }
        },
        [(_, _), (second, _), ..] => {
            let count = if entries.len() == 2 { "two".to_owned() } else { entries.len().to_string() };
            let found: Vec<_> = entries.iter().map(|(key, _)| format!("`{}`", key.name)).collect();
            let message = format!("only one of {} may stand here; found {count}: {}", one_of(names), found.join(", "));
            let tag = entries.iter().find(|(key, _)| names.contains(&key.name.as_str()));
            let inside = entries.iter().find_map(|(key, _)| {
                let (tag, _) = tag.filter(|_| !names.contains(&key.name.as_str()))?;
                let is_owned = node.reading.vocabulary.owners(&key.name).contains(&tag.name);
                is_owned.then(|| format!("`{0}` goes inside: {{ {1} = {{ {0} = ... }} }}", key.name, tag.name))
            });
            node.refuse(second.origin, Diagnostic::error(message).help_if(inside));
            Err(ReadError::Placed)
        }
    }
}

/// Which of `names` is meant by a word that is none of them: one that other tools use, or a misspelled one.
fn meant(node: Node<'_>, word: &str, names: &[&'static str]) -> Option<&'static str> {
    let synonym = node.reading.vocabulary.synonym(word, names).map(|(ours, _)| ours);
    synonym.or_else(|| nearest(word, names.iter().copied()))
}

fn not_yet(name: &str) -> String {
    format!("`{name}` is not supported yet")
}

/// Whether a string can only be meant as a name, never as a quantity.
fn is_word(text: &str) -> bool {
    !text.is_empty() && text.chars().all(|letter| letter.is_ascii_alphabetic() || letter == '-' || letter == '_')
}

fn accepted(names: &[&str], bare: bool) -> String {
    match (names, bare) {
        ([], _) => "a value".into(),
        (_, true) => format!("a value or {}", one_of(names)),
        (_, false) => one_of(names),
    }
}

/// What stands under a variant's name.
struct Content<'t> {
    value: &'t Value,
    trail: &'t Trail<'t>,
}

/// The variant that was named.
struct Choice<'t> {
    node: Node<'t>,
    tag: &'static str,
    content: Option<Content<'t>>,
}

impl<'de, 't> EnumAccess<'de> for Choice<'t> {
    type Error = ReadError;
    type Variant = Self;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Self), ReadError> {
        Ok((identifier(seed, self.tag)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = ReadError;

    fn unit_variant(self) -> Result<(), ReadError> {
        let Some(content) = self.content else { return Ok(()) };
        let inner = Node { value: content.value, ..self.node };
        inner.place(Err(ReadError::Wrong(format!("`{0}` takes nothing: write \"{0}\"", self.tag))))
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, ReadError> {
        let reading = self.node.reading;
        match self.content {
            Some(Content { value, trail }) => seed.deserialize(Node { reading, value, trail, above: &[] }),
            None => Err(ReadError::Wrong(format!("`{0}` needs a value: write {{ {0} = ... }}", self.tag))),
        }
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, _: V) -> Result<V::Value, ReadError> {
        unreachable!("schema enums hold one value, or one with named fields")
    }

    /// A bare name leaves every field at its default.
    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ReadError> {
        let reading = self.node.reading;
        let empty = Value::new(self.node.value.origin, Data::Table(Table::default()));
        let Content { value, trail } = self.content.unwrap_or(Content { value: &empty, trail: self.node.trail });
        let inner = Node { reading, value, trail, above: &[] };
        inner.place(read_struct(inner, Fields { name: self.tag, fields }, visitor))
    }
}
